use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use meterbridge::app::Config;
use prost::Message;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::harness::{Bridge, JSON, PROTOBUF, config, gauge};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A `google.rpc.Status` in protobuf.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn p_01_success_has_an_empty_answer_in_the_encoding_of_the_request() {
    let bridge = Bridge::start().await;
    let request = gauge("g", 1.0).encode_to_vec();
    assert_eq!(bridge.post(&[PROTOBUF], request.clone()).await, (200, vec![]));
    assert_eq!(
        bridge
            .post(&[PROTOBUF, ("content-encoding", "gzip")], gzip(&request))
            .await,
        (200, vec![])
    );
    assert_eq!(
        bridge
            .post(&[PROTOBUF, ("content-encoding", "identity")], request.clone())
            .await,
        (200, vec![])
    );
    assert_eq!(
        bridge.post_to("/v1/metrics/", &[PROTOBUF], request).await,
        (200, vec![])
    );
    assert_eq!(
        bridge
            .post(&[("content-type", "application/json; charset=utf-8")], "{}")
            .await,
        (200, b"{}".to_vec())
    );
    assert_eq!(
        bridge.lines("/metrics/otlp", "g{").await,
        ["g{instance=\"i1\",job=\"svc\"} 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_02_partial_success_tells_how_many_and_why() {
    let bridge = Bridge::start().await;
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"good","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}},
        {"name":"bad","gauge":{"dataPoints":[{"timeUnixNano":"1"},{"timeUnixNano":"1"}]}},
        {"name":"old","sum":{"dataPoints":[{"timeUnixNano":"1","asInt":1}]}}]}]}]}"#;
    let (status, body) = bridge.post(&[JSON], json).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["partialSuccess"]["rejectedDataPoints"], "3");
    assert_eq!(
        body["partialSuccess"]["errorMessage"],
        "3 points rejected: no_value: metric \"bad\": neither as_double nor as_int is set; \
         unknown_temporality: metric \"old\" is neither cumulative (2) nor delta (1)"
    );
    assert_eq!(bridge.lines("/metrics/otlp", "good").await.len(), 2);
    for (line, value) in [
        ("{reason=\"no_value\"}", 2),
        ("{reason=\"unknown_temporality\"}", 1),
        ("{reason=\"no_sum\"}", 0),
    ] {
        let lines = bridge
            .lines("/metrics", &format!("meterbridge_points_refused_total{line}"))
            .await;
        assert_eq!(lines, [format!("meterbridge_points_refused_total{line} {value}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p_04_p_06_p_07_p_08_p_17_refusals_name_their_reason() {
    let bridge = Bridge::start().await;
    let good = gauge("g", 1.0).encode_to_vec();
    let mut not_utf8 = good.clone();
    let name = not_utf8.windows(3).position(|bytes| bytes == b"\x0a\x01g").unwrap();
    not_utf8[name + 2] = 0xff;
    let large = vec![0; (1 << 20) + 1];
    let bomb = gzip(&vec![0; 64 << 20]);
    /// Path, headers, body; status, code, and how the message begins.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16, i32, &'a str);
    let rows: Vec<Row<'_>> = vec![
        (
            "/v1/metrics",
            &[PROTOBUF],
            good[..good.len() - 1].to_vec(),
            400,
            3,
            "malformed: not an OTLP metrics request",
        ),
        (
            "/v1/metrics",
            &[PROTOBUF],
            not_utf8,
            400,
            3,
            "invalid_utf8: a metric's name is not UTF-8",
        ),
        (
            "/v1/metrics",
            &[PROTOBUF, ("content-encoding", "gzip")],
            good.clone(),
            400,
            3,
            "malformed: the body is not gzip",
        ),
        (
            "/v1/metrics",
            &[JSON],
            b"[1,2".to_vec(),
            400,
            3,
            "malformed: not an OTLP metrics request in JSON: invalid type",
        ),
        (
            "/v1/metrics",
            &[PROTOBUF, ("content-encoding", "br")],
            good.clone(),
            415,
            12,
            "unsupported_encoding: the encoding \"br\"",
        ),
        (
            "/v1/metrics",
            &[("content-type", "text/csv")],
            good.clone(),
            415,
            3,
            "unsupported_media_type: the content type \"text/csv\"",
        ),
        (
            "/v1/metrics",
            &[],
            good.clone(),
            415,
            3,
            "unsupported_media_type: the content type \"\"",
        ),
        (
            "/v1/metrics",
            &[PROTOBUF],
            large,
            413,
            8,
            "request_too_large: the message has more than 1048576 bytes (--max-request-bytes)",
        ),
        (
            "/v1/metrics",
            &[PROTOBUF, ("content-encoding", "gzip")],
            bomb,
            413,
            8,
            "request_too_large: ",
        ),
        (
            "/v1/traces",
            &[PROTOBUF],
            good.clone(),
            404,
            12,
            "unsupported_signal: traces are not taken here",
        ),
        (
            "/v1/logs/",
            &[JSON],
            b"{}".to_vec(),
            404,
            12,
            "unsupported_signal: logs are not taken here",
        ),
    ];
    for (path, headers, body, status, code, message) in rows {
        let (found, answer) = bridge.post_to(path, headers, body).await;
        let answer = if headers.contains(&PROTOBUF) {
            Status::decode(&*answer).unwrap()
        } else {
            let json: serde_json::Value = serde_json::from_slice(&answer).unwrap();
            Status {
                code: json["code"].as_i64().unwrap() as i32,
                message: json["message"].as_str().unwrap().to_owned(),
            }
        };
        assert_eq!((found, answer.code), (status, code), "{message}");
        assert!(
            answer.message.starts_with(message),
            "{} is not {message}",
            answer.message
        );
    }
    assert_eq!(
        bridge.post(&[PROTOBUF], good).await,
        (200, vec![]),
        "a good request right after"
    );
    assert_eq!(bridge.lines("/metrics/otlp", "g{").await.len(), 1);
    let counted = bridge.lines("/metrics", "meterbridge_requests_refused_total{").await;
    for (reason, count) in [
        ("invalid_utf8", 1),
        ("malformed", 3),
        ("overloaded", 0),
        ("request_too_large", 2),
        ("unsupported_encoding", 1),
        ("unsupported_media_type", 2),
        ("unsupported_signal", 2),
    ] {
        let line = format!("meterbridge_requests_refused_total{{reason=\"{reason}\"}} {count}");
        assert!(counted.contains(&line), "{line} is not in {counted:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p_06_a_body_without_a_length_is_counted_while_it_comes() {
    let bridge = Bridge::start().await;
    let pieces = (0..40).map(|_| Ok::<_, std::io::Error>(vec![0u8; 64 << 10]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_eq!(bridge.post(&[PROTOBUF], body).await.0, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn p_05_too_many_bytes_in_hand_are_asked_to_come_again() {
    // One request may be as long as four are allowed to be together, and this one inflates to a fifth part more.
    let mut config = config();
    config.max_request_bytes = Some(1000);
    let bridge = Bridge::with(config).await;
    let hold = async || {
        let mut stream = tokio::net::TcpStream::connect(bridge.addresses.otlp_http)
            .await
            .unwrap();
        let head = "POST /v1/metrics HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[0; 990])
            .await
            .unwrap();
        stream
    };
    // Requests are begun and held, each with 990 of its bytes sent, until there is no room for one more. They arrive when they
    // arrive, and may be what is refused themselves.
    let mut held = Vec::new();
    let refused = async {
        loop {
            held.push(hold().await);
            let response = reqwest::Client::new()
                .post(bridge.otlp_url("/v1/metrics"))
                .header(JSON.0, JSON.1)
                .body(format!("{{}}{}", " ".repeat(900)))
                .send()
                .await
                .unwrap();
            if response.status() == 503 {
                return response;
            }
        }
    };
    let response = tokio::time::timeout(std::time::Duration::from_secs(20), refused)
        .await
        .unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    let body = response.text().await.unwrap();
    assert!(body.starts_with(r#"{"code":14,"message":"overloaded: "#), "{body}");
    drop(held);
    let taken = async { while bridge.post(&[JSON], format!("{{}}{}", " ".repeat(900))).await.0 != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p_08_other_methods_and_paths() {
    let bridge = Bridge::start().await;
    let response = reqwest::get(bridge.otlp_url("/v1/metrics")).await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST");
    let response = reqwest::get(bridge.otlp_url("/nothing/here")).await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let allowed = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, bridge.otlp_url("/v1/metrics"))
        .header("origin", "http://example.com")
        .send()
        .await
        .unwrap();
    assert!(
        allowed
            .headers()
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_08_pages_of_known_origins_may_send_and_no_others() {
    let bridge = Bridge::with(Config {
        cors_origins: vec!["https://shop.example".into()],
        ..config()
    })
    .await;
    let send = |method, path: &str, origin: &'static str| {
        reqwest::Client::new()
            .request(method, bridge.otlp_url(path))
            .header("origin", origin)
            .header("content-type", "application/json")
            .header("access-control-request-method", "POST")
            .body("{}")
            .send()
    };
    let cors = |response: &reqwest::Response| {
        let headers = response.headers().iter();
        let mut cors: Vec<String> = headers
            .filter(|(name, _)| name.as_str().starts_with("access-control") || *name == "vary")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        cors.sort();
        cors
    };
    let preflight = send(reqwest::Method::OPTIONS, "/v1/metrics", "https://Shop.example")
        .await
        .unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(
        cors(&preflight),
        [
            "access-control-allow-headers: content-type, content-encoding",
            "access-control-allow-methods: POST",
            "access-control-allow-origin: https://Shop.example",
            "access-control-max-age: 7200",
            "vary: Origin"
        ]
    );
    let post = send(reqwest::Method::POST, "/v1/metrics", "https://shop.example")
        .await
        .unwrap();
    assert_eq!(post.status(), 200);
    assert_eq!(
        cors(&post),
        ["access-control-allow-origin: https://shop.example", "vary: Origin"]
    );
    for (method, path, origin, status) in [
        (reqwest::Method::OPTIONS, "/v1/metrics", "https://evil.example", 405),
        // It is the browser that keeps the answer from the page.
        (reqwest::Method::POST, "/v1/metrics", "https://evil.example", 200),
        (reqwest::Method::OPTIONS, "/v1/traces", "https://shop.example", 405),
    ] {
        let response = send(method, path, origin).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), cors(&response)),
            (status, vec![]),
            "{path} {origin}"
        );
    }
    let response = reqwest::Client::new()
        .get(bridge.url("/metrics"))
        .header("origin", "https://shop.example")
        .send()
        .await
        .unwrap();
    assert!(
        !cors(&response)
            .iter()
            .any(|header| header.starts_with("access-control"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_07_zstd_in_any_number_of_frames_and_no_longer_than_allowed() {
    let bridge = Bridge::start().await;
    let post = |body: Vec<u8>| bridge.post(&[PROTOBUF, ("content-encoding", "zstd")], body);
    let request = gauge("g", 7.0).encode_to_vec();
    let (head, tail) = request.split_at(20);
    let skipped = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
    assert_eq!(
        post([zstd(head), skipped.to_vec(), zstd(tail)].concat()).await,
        (200, vec![])
    );
    assert_eq!(
        bridge.samples("/metrics/otlp", "g{").await,
        ["g{instance=\"i1\",job=\"svc\"} 7"]
    );

    let mut damaged = zstd(&request);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    for (body, status, reason) in [
        (b"nonsense".to_vec(), 400, "malformed: the body is not zstd: "),
        (zstd(&request)[..30].to_vec(), 400, "malformed: the body is not zstd: "),
        (
            damaged,
            400,
            "malformed: the body is not zstd: the checksum does not fit",
        ),
        (zstd(&vec![0; 64 << 20]), 413, "request_too_large: "),
    ] {
        let (found, body) = post(body).await;
        let error = Status::decode(&*body).unwrap();
        assert_eq!(found, status);
        assert!(error.message.starts_with(reason), "{}", error.message);
    }
}
