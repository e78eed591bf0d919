//! Bytes of bodies, and the attributes that come from headers.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use poem::{Body, Route, handler, post};

use super::{App, ask};

#[handler]
async fn reads(body: Body) -> String {
    "x".repeat(body.into_bytes().await.unwrap().len())
}

#[handler]
async fn ignores() -> &'static str {
    "four"
}

#[handler]
async fn reads_a_part(body: Body) {
    let mut stream = Box::pin(body.into_bytes_stream());
    stream.next().await.unwrap().unwrap();
}

#[handler]
fn streams() -> Body {
    let chunks = ["three", "small", "chunks"].map(|chunk| Ok::<_, io::Error>(Bytes::from_static(chunk.as_bytes())));
    Body::from_bytes_stream(stream::iter(chunks))
}

fn app() -> Route {
    Route::new()
        .at("/reads", post(reads).get(reads))
        .at("/ignores", post(ignores).get(ignores))
        .at("/part", post(reads_a_part))
        .at("/streams", post(streams).get(streams))
}

/// The sum over all series of a histogram of sizes, or nothing if it has no sample.
fn sum(app: &App, name: &str) -> Option<u64> {
    let samples = app.samples(&format!("http_server_{name}_body_size_bytes_sum"));
    let values = samples
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    values.reduce(|sum, value| sum + value)
}

#[tokio::test]
async fn bodies_are_counted() {
    let declared = "Content-Length: 5\r\n\r\nhello";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n";
    let nothing = "\r\n";
    let rows = [
        ("POST", "/reads", declared, Some(5), Some(5)),
        ("POST", "/reads", chunked, Some(8), Some(8)),
        ("POST", "/reads", "Content-Length: 0\r\n\r\n", Some(0), Some(0)),
        ("POST", "/ignores", declared, Some(5), Some(4)),
        ("POST", "/ignores", chunked, None, Some(4)),
        ("POST", "/part", declared, Some(5), Some(0)),
        ("GET", "/ignores", nothing, None, Some(4)),
        ("HEAD", "/ignores", nothing, None, Some(0)),
        ("GET", "/streams", nothing, None, Some(16)),
    ];
    for (method, path, rest, request, response) in rows {
        let mut app = App::serve(app()).await;
        app.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{rest}"
        ))
        .await;
        assert_eq!(sum(&app, "request"), request, "request of {method} {path} {rest:?}");
        assert_eq!(sum(&app, "response"), response, "response of {method} {path} {rest:?}");
    }
}

#[tokio::test]
async fn the_answer_stays_as_it_was() {
    let mut app = App::serve(app()).await;
    let fixed = app.send(&ask("GET", "/ignores")).await.to_lowercase();
    assert!(fixed.contains("content-length: 4\r\n"), "{fixed}");
    let streamed = app.send(&ask("GET", "/streams")).await.to_lowercase();
    assert!(streamed.contains("transfer-encoding: chunked\r\n"), "{streamed}");
}

#[tokio::test]
async fn the_scheme_is_that_of_the_client() {
    for (header, scheme) in [
        ("X-Nothing: here", "http"),
        ("X-Forwarded-Proto: https", "https"),
        ("X-Forwarded-Proto: https, http", "https"),
        ("X-Forwarded-Proto: gopher", "http"),
        ("Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1, proto=http", "https"),
        ("Forwarded: for=192.0.2.1;Proto=\"https\"", "https"),
        ("Forwarded: for=192.0.2.1", "http"),
    ] {
        let mut app = App::serve(app()).await;
        app.send(&format!(
            "GET /ignores HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{header}\r\n\r\n"
        ))
        .await;
        let active = format!("{{http_request_method=\"GET\",url_scheme=\"{scheme}\"}} 0");
        assert_eq!(app.samples("http_server_active_requests"), [active], "{header}");
        assert!(
            app.durations()[0].ends_with(&format!(",url_scheme=\"{scheme}\"}} 1")),
            "{header}"
        );
    }
}

/// Names, types, help and bounds are those of the conventions.
#[tokio::test]
async fn the_families() {
    let mut app = App::serve(app()).await;
    app.send("POST /reads HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello").await;
    let text = prometheus::TextEncoder::new()
        .encode_to_string(&app.registry.gather())
        .unwrap();
    let heads = text
        .lines()
        .filter(|line| line.starts_with("# ") && line.contains("http_server"));
    let expected = [
        "# HELP http_server_active_requests Number of active HTTP server requests.",
        "# TYPE http_server_active_requests gauge",
        "# HELP http_server_request_body_size_bytes Size of HTTP server request bodies.",
        "# TYPE http_server_request_body_size_bytes histogram",
        "# HELP http_server_request_duration_seconds Duration of HTTP server requests.",
        "# TYPE http_server_request_duration_seconds histogram",
        "# HELP http_server_response_body_size_bytes Size of HTTP server response bodies.",
        "# TYPE http_server_response_body_size_bytes histogram",
    ];
    assert_eq!(heads.collect::<Vec<_>>(), expected);
    let buckets = app.samples("http_server_request_duration_seconds_bucket");
    let bounds = buckets
        .iter()
        .map(|line| line.split("le=\"").nth(1).unwrap().split('"').next().unwrap());
    let expected = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf";
    assert_eq!(bounds.collect::<Vec<_>>().join(" "), expected);
    assert!(
        app.durations()[0].contains("network_protocol_version=\"1.0\""),
        "{:?}",
        app.durations()
    );
}
