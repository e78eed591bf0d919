use std::io::Read;

use flate2::read::MultiGzDecoder;
use prost::Message;

use crate::harness::{Bridge, JSON, PROTOBUF, config, gauge};

#[tokio::test(flavor = "multi_thread")]
async fn f_01_f_11_headers_gzip_and_head() {
    let bridge = Bridge::start().await;
    bridge.post(&[PROTOBUF], gauge("g", 1.0).encode_to_vec()).await;
    let client = reqwest::Client::new();
    let get =
        |path: &str, accepted: &'static str| client.get(bridge.url(path)).header("accept-encoding", accepted).send();

    let plain = get("/metrics/otlp", "identity").await.unwrap();
    assert_eq!(
        plain.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    );
    assert_eq!(plain.headers()["vary"], "Accept, Accept-Encoding");
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.text().await.unwrap();
    assert_eq!(plain, "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1\n");

    let packed = get("/metrics/otlp", "gzip").await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    MultiGzDecoder::new(&*packed.bytes().await.unwrap())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plain);

    let head = client.head(bridge.url("/metrics")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(
        head.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    );
    assert_eq!(head.text().await.unwrap(), "");
    assert_eq!(client.post(bridge.url("/metrics")).send().await.unwrap().status(), 405);
    let scrapes = bridge.samples("/metrics/self", "meterbridge_scrapes_total").await;
    assert_eq!(
        scrapes,
        ["meterbridge_scrapes_total{path=\"/metrics/otlp\"} 2"],
        "HEAD is no scrape"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn own_and_bridged_families_of_one_name_are_one_block() {
    let bridge = Bridge::start().await;
    bridge.get("/-/ready").await;
    let json = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"svc"}},
        {"key":"host.name","value":{"stringValue":"h"}}]},"scopeMetrics":[{"metrics":[
        {"name":"http.server.request.duration","description":"another and much longer help text than the own one has","unit":"s",
        "histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1","count":"2","sum":1,"bucketCounts":[1,1],"explicitBounds":[1]}]}},
        {"name":"meterbridge_series","sum":{"isMonotonic":true,"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}},
        {"name":"http.server.request.duration.seconds.count","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}}
        ]}]}]}"#;
    let (status, body) = bridge.post(&[JSON], json).await;
    // The last metric clashes with the first among the bridged ones already.
    let told = String::from_utf8(body).unwrap();
    assert!(
        status == 200 && told.contains("\"rejectedDataPoints\":\"1\"") && told.contains("name_conflict"),
        "{told}"
    );

    let all = bridge.get("/metrics").await;
    let count = |what: &str| all.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("# TYPE http_server_request_duration_seconds "), 1);
    assert_eq!(
        count("# HELP http_server_request_duration_seconds Duration of HTTP server requests."),
        1
    );
    let lines: Vec<_> = all
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("http_server_request_duration_seconds_"))
        .collect();
    assert_eq!(
        lines.last().unwrap().0 - lines[0].0 + 1,
        lines.len(),
        "the block is in one piece"
    );
    assert!(all.contains("http_server_request_duration_seconds_count{instance=\"\",job=\"svc\"} 2\n"));
    assert_eq!(count("# TYPE target_info gauge"), 1);
    assert_eq!(count("target_info{"), 2, "one of the bridge, one of the sender");
    assert!(all.starts_with("# HELP target_info Target metadata\n# TYPE target_info gauge\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_beside_an_own_family_is_left_out_and_counted_once() {
    let bridge = Bridge::start().await;
    let metric = |name: &str| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"{name}","gauge":{{"dataPoints":[{{"timeUnixNano":"1","asInt":"7"}}]}}}}]}}]}}]}}"#
        )
    };
    // Another type, and a sample name of an own histogram.
    for name in [
        "meterbridge_scrapes_total",
        "meterbridge_request_duration_seconds_count",
    ] {
        assert_eq!(bridge.post(&[JSON], metric(name)).await, (200, b"{}".to_vec()));
        let line = format!("{name}{{instance=\"\"}} 7");
        assert_eq!(bridge.lines("/metrics/otlp", &line).await, [line.as_str()]);
        assert!(bridge.lines("/metrics", &line).await.is_empty());
    }
    bridge.get("/metrics").await;
    assert_eq!(
        bridge.samples("/metrics/self", "meterbridge_collisions_total").await,
        ["meterbridge_collisions_total 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_alone() {
    let bridge = Bridge::start().await;
    bridge.post(&[PROTOBUF], gauge("g", 1.0).encode_to_vec()).await;
    let other = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a/b"}},
        {"key":"host.name","value":{"stringValue":"h"}}]},"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"2"}]}}]}]}]}"#;
    bridge.post(&[JSON], other).await;
    assert_eq!(
        bridge.get("/metrics/otlp?job=svc&instance=i1").await,
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1\n"
    );
    assert_eq!(
        bridge.get("/metrics/otlp?job=a%2Fb").await,
        "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{host_name=\"h\",instance=\"\",job=\"a/b\"} 1\n\
         # TYPE g gauge\ng{instance=\"\",job=\"a/b\"} 2\n"
    );
    let missing = reqwest::get(bridge.url("/metrics/otlp?job=svc&instance=i2"))
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
    assert!(
        missing
            .text()
            .await
            .unwrap()
            .contains("job \\\"svc\\\", instance \\\"i2\\\" is not held")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_is_measured_by_route() {
    let bridge = Bridge::start().await;
    bridge.post(&[PROTOBUF], Vec::new()).await;
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/metrics/otlp",
        "/api/v1/status",
        "/api/v1/status/none",
        "/-/ready",
    ] {
        bridge.get(path).await;
    }
    bridge.get("/metrics").await;
    let counted = bridge
        .lines("/metrics", "http_server_request_duration_seconds_count")
        .await;
    for route in [
        "/",
        "/docs",
        "/openapi.json",
        "/metrics",
        "/metrics/otlp",
        "/api/v1/status",
        "/-/ready",
        "/v1/metrics",
    ] {
        let label = format!("http_route=\"{route}\"");
        assert_eq!(
            counted.iter().filter(|line| line.contains(&label)).count(),
            1,
            "{route} in {counted:#?}"
        );
    }
    let unmatched: Vec<_> = counted.iter().filter(|line| !line.contains("http_route")).collect();
    assert_eq!(unmatched.len(), 1, "{unmatched:?}");
    assert!(unmatched[0].contains("http_response_status_code=\"404\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn b_01_the_cap_refuses_newcomers_and_never_incumbents() {
    let mut config = config();
    config.store.series = 1;
    let bridge = Bridge::with(config).await;
    bridge.post(&[PROTOBUF], gauge("g", 1.0).encode_to_vec()).await;
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"h","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}}]}]}]}"#;
    let (_, body) = bridge.post(&[JSON], json).await;
    let told = String::from_utf8(body).unwrap();
    assert!(
        told.contains("1 point rejected: too_many_series: the bridge has reached the limit of 1 series (--max-series)"),
        "{told}"
    );
    bridge.post(&[PROTOBUF], gauge("g", 2.0).encode_to_vec()).await;
    assert_eq!(
        bridge.get("/metrics/otlp").await,
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 2\n"
    );
    assert_eq!(
        bridge.samples("/metrics/self", "meterbridge_series").await,
        [
            "meterbridge_series 1",
            "meterbridge_series_expired_total 0",
            "meterbridge_series_limit 1"
        ]
    );
}
