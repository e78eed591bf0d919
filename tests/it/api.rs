use prost::Message;
use serde_json::Value;

use crate::harness::{Bridge, PROTOBUF, gauge};

async fn json(bridge: &Bridge, path: &str) -> Value {
    serde_json::from_str(&bridge.get(path).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_sources_and_families() {
    let bridge = Bridge::start().await;
    let empty = json(&bridge, "/api/v1/sources").await;
    assert_eq!(empty, serde_json::json!({ "total": 0, "items": [] }));
    for name in ["temperature", "pressure"] {
        bridge.post(&[PROTOBUF], gauge(name, 1.0).encode_to_vec()).await;
    }
    let status = json(&bridge, "/api/v1/status").await;
    assert_eq!(
        (&status["sources"], &status["families"], &status["series"]),
        (&1.into(), &2.into(), &2.into())
    );
    assert_eq!(status["listeners"][0]["address"], bridge.addresses.http.to_string());
    assert_eq!(status["ready"], true);

    let sources = json(&bridge, "/api/v1/sources?job=svc").await;
    assert_eq!(sources["total"], 1);
    let source = &sources["items"][0];
    assert_eq!((&source["job"], &source["instance"]), (&"svc".into(), &"i1".into()));
    assert_eq!((&source["series"], &source["points"]), (&2.into(), &2.into()));
    assert!(source["first_seen"].as_str() <= source["last_seen"].as_str());
    assert_eq!(json(&bridge, "/api/v1/sources?job=other").await["total"], 0);

    let families = json(&bridge, "/api/v1/families?limit=1&offset=1").await;
    assert_eq!(families["total"], 2);
    assert_eq!(
        families["items"],
        serde_json::json!([
            { "name": "temperature", "type": "gauge", "unit": "", "help": "", "series": 1, "collisions": 0 }
        ])
    );
    assert_eq!(json(&bridge, "/api/v1/families?name=press").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_problems() {
    let bridge = Bridge::start().await;
    for (path, status, detail) in [
        ("/nothing", 404, "there is no GET /nothing"),
        ("/api/v1/nothing", 404, "there is no GET /api/v1/nothing"),
        ("/api/v1/sources?limit=0", 400, "limit"),
        ("/api/v1/sources?limit=many", 400, "limit"),
    ] {
        let response = reqwest::get(bridge.url(path)).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    let deleted = reqwest::Client::new()
        .delete(bridge.url("/api/v1/status"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (deleted.status().as_u16(), &deleted.headers()["content-type"]),
        (405, &"application/problem+json".parse().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_need_no_other_host() {
    let bridge = Bridge::start().await;
    let document = json(&bridge, "/openapi.json").await;
    let operations: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().values().next().unwrap())
        .collect();
    assert_eq!(operations.len(), 8);
    for operation in operations {
        assert!(
            operation["operationId"].is_string() && operation["summary"].is_string(),
            "{operation}"
        );
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1);
    }
    assert!(bridge.get("/openapi.yaml").await.starts_with("openapi: "));
    for page in ["/", "/docs"] {
        let html = bridge.get(page).await;
        assert!(html.contains("<title>"));
        for outside in ["<script src", "<link ", "<iframe"] {
            assert!(!html.contains(outside), "{page} loads something: {outside}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_every_format_refusals_and_names_and_keeps_nothing() {
    let bridge = Bridge::start().await;
    let post = async |content_type: &'static str, body: Vec<u8>| {
        let response = reqwest::Client::new()
            .post(bridge.url("/api/v1/translate"))
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"foo.bar","unit":"By","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"1","asInt":"3"}]}},
        {"name":"","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}}]}]}]}"#;
    let (status, translation) = post("application/json", json.into()).await;
    assert_eq!(status, 200, "{translation}");
    assert_eq!(
        (&translation["accepted"], &translation["refused"]),
        (&1.into(), &1.into())
    );
    assert!(translation["refusals"][0].as_str().unwrap().starts_with("empty_name: "));
    let shown: Vec<_> = translation["expositions"].as_array().unwrap().iter().collect();
    let words: Vec<_> = shown.iter().map(|one| one["format"].as_str().unwrap()).collect();
    assert_eq!(words, ["text", "openmetrics", "text1", "openmetrics2", "protobuf"]);
    assert_eq!(
        shown[1]["content"],
        "# TYPE foo_bar_bytes counter\n# UNIT foo_bar_bytes bytes\nfoo_bar_bytes_total{instance=\"\"} 3\n# EOF\n"
    );
    assert_eq!(
        translation["names"][0]["names"][2],
        serde_json::json!({ "strategy": "NoUTF8EscapingWithSuffixes", "name": "foo.bar_bytes_total" })
    );
    assert_eq!(bridge.get("/metrics/otlp").await, "");

    let (status, translation) = post("application/x-protobuf", gauge("g", 1.0).encode_to_vec()).await;
    assert_eq!((status, &translation["accepted"]), (200, &1.into()));
    for (content_type, body, status, detail) in [
        ("application/json", b"[]".to_vec(), 400, "malformed: "),
        ("application/x-protobuf", b"\xff".to_vec(), 400, "malformed: "),
        ("application/json", vec![b' '; 300 << 10], 400, "payload too large"),
        ("text/plain", b"{}".to_vec(), 400, "text/plain"),
    ] {
        let (found, problem) = post(content_type, body).await;
        assert_eq!(found, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
}
