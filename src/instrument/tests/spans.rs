//! The span of a request: its name, attributes and parent, and the trace id on log lines.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use futures_util::{StreamExt, stream};
use opentelemetry::{
    KeyValue, global,
    trace::{SpanId, SpanKind, Status, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use poem::{Body, Error, Route, endpoint::make_sync, get, handler, http::StatusCode};
use poem_openapi::{OpenApi, OpenApiService, param, payload::PlainText};
use tokio::sync::oneshot;
use tracing::{Dispatch, Instrument, subscriber::DefaultGuard};
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

use super::{App, ask};
use crate::instrument::{DurationEnd, Instrumented};

/// Finished spans and log lines of the current thread, on which a test runs its server as well.
#[derive(Clone, Debug, Default)]
struct Seen {
    spans: Arc<Mutex<Vec<SpanData>>>,
    lines: Arc<Mutex<Vec<u8>>>,
}

impl Seen {
    fn watch() -> (Self, DefaultGuard) {
        // While there is only one subscriber, `tracing` asks that of the thread which reaches a span first whether
        // anybody wants it, and remembers the answer for all. Here that may be a test that has none: so have two.
        static OTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&OTHER);
        global::set_text_map_propagator(TraceContextPropagator::new());
        let seen = Self::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(seen.clone()).build();
        let subscriber = tracing_subscriber::registry()
            .with(
                tracing_subscriber::fmt::layer()
                    .with_ansi(false)
                    .with_writer(seen.clone()),
            )
            .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")));
        (seen, tracing::subscriber::set_default(subscriber))
    }

    fn only_span(&self) -> SpanData {
        let spans = self.spans.lock().unwrap();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans[0].clone()
    }

    fn lines(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }
}

impl SpanExporter for Seen {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.spans.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl io::Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Seen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct Api;

#[OpenApi]
impl Api {
    #[oai(path = "/users/:id", method = "get", operation_id = "get_user")]
    async fn user(&self, id: param::Path<u64>) -> PlainText<String> {
        tracing::info!("serving");
        PlainText(id.0.to_string())
    }
}

#[handler]
fn unavailable() -> poem::Result<()> {
    Err(Error::from_status(StatusCode::SERVICE_UNAVAILABLE))
}

#[handler]
fn panics() {
    panic!("this panic is part of the test")
}

#[handler]
fn streams() -> Body {
    let chunks = stream::iter(["one", "two"]).map(|chunk| {
        tracing::info!("streaming {chunk}");
        Ok::<_, io::Error>(chunk)
    });
    Body::from_bytes_stream(chunks)
}

fn app() -> Route {
    Route::new()
        .at("/streams", get(streams))
        .at("/unavailable", get(unavailable))
        .at("/panics", get(panics))
        .nest("/api", OpenApiService::new(Instrumented(Api), "api", "1"))
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span
        .attributes
        .iter()
        .filter(|KeyValue { key: name, .. }| name.as_str() == key);
    let value = found.next().map(|attribute| attribute.value.to_string());
    assert!(found.next().is_none(), "{key} twice");
    value
}

#[tokio::test]
async fn name_status_and_attributes() {
    // Path; name; error.type; http.route; http.response.status_code.
    let rows = [
        (
            "GET",
            "/api/users/7",
            "GET /api/users/{id}",
            None,
            Some("/api/users/{id}"),
            Some("200"),
        ),
        (
            "GET",
            "/api/users/x",
            "GET /api/users/{id}",
            None,
            Some("/api/users/{id}"),
            Some("400"),
        ),
        ("GET", "/nope", "GET", None, None, Some("404")),
        ("BREW", "/nope", "HTTP", None, None, Some("404")),
        (
            "GET",
            "/unavailable",
            "GET /unavailable",
            Some("503"),
            Some("/unavailable"),
            Some("503"),
        ),
        ("GET", "/panics", "GET", Some("panic"), None, None),
    ];
    for (method, path, name, error, route, status) in rows {
        let (seen, _guard) = Seen::watch();
        let mut app = App::serve(app()).await;
        app.send(&ask(method, path)).await;
        let span = seen.only_span();
        let case = format!("{method} {path}: {span:?}");
        assert_eq!(span.name, name, "{case}");
        assert_eq!(span.span_kind, SpanKind::Server, "{case}");
        assert_eq!(
            span.status,
            if error.is_some() {
                Status::error("")
            } else {
                Status::Unset
            },
            "{case}"
        );
        assert_eq!(span.parent_span_id, SpanId::INVALID, "{case}");
        for (key, value) in [
            ("error.type", error),
            (
                "http.request.method",
                Some(if method == "BREW" { "_OTHER" } else { method }),
            ),
            (
                "http.request.method_original",
                Some("BREW").filter(|_| method == "BREW"),
            ),
            ("http.response.status_code", status),
            ("http.route", route),
            ("network.protocol.version", Some("1.1")),
            (
                "openapi.operation_id",
                route.filter(|route| route.contains("users")).map(|_| "get_user"),
            ),
            ("url.path", Some(path)),
            ("url.scheme", Some("http")),
        ] {
            assert_eq!(attribute(&span, key).as_deref(), value, "{key} of {case}");
        }
    }
}

#[tokio::test]
async fn the_trace_of_the_caller_goes_on() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let rows = [
        (format!("00-{trace}-b7ad6b7169203331-01"), Some("b7ad6b7169203331")),
        (format!("00-{trace}-0000000000000000-01"), None),
        (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
        ("no trace at all".to_owned(), None),
    ];
    for (header, parent) in rows {
        let (seen, _guard) = Seen::watch();
        let mut app = App::serve(app()).await;
        let request = ask("GET", "/api/users/7").replace("\r\n\r\n", &format!("\r\ntraceparent: {header}\r\n\r\n"));
        app.send(&request).await;
        let span = seen.only_span();
        let trace_id = span.span_context.trace_id().to_string();
        match parent {
            Some(parent) => {
                assert_eq!(trace_id, trace, "{header}");
                assert_eq!(span.parent_span_id.to_string(), parent, "{header}");
            }
            None => {
                assert!(span.span_context.is_valid(), "{header}");
                assert_ne!(trace_id, trace, "{header}");
                assert_eq!(span.parent_span_id, SpanId::INVALID, "{header}");
            }
        }
        let lines = seen.lines();
        let line = lines
            .lines()
            .find(|line| line.contains("serving"))
            .expect("the handler logs");
        assert!(line.contains(&format!("trace_id={trace_id}")), "{line}");
    }
}

#[tokio::test]
async fn a_body_is_made_within_the_span() {
    let (seen, _guard) = Seen::watch();
    let mut app = App::serve(app()).await;
    app.send(&ask("GET", "/streams")).await;
    let trace_id = format!("trace_id={}", seen.only_span().span_context.trace_id());
    let lines = seen.lines();
    let streaming: Vec<_> = lines.lines().filter(|line| line.contains("streaming")).collect();
    assert_eq!(streaming.len(), 2, "{lines}");
    assert!(streaming.iter().all(|line| line.contains(&trace_id)), "{lines}");
}

/// Work that outlives its request keeps the span for its log lines, but does not make the request longer.
#[tokio::test]
async fn a_span_ends_with_its_request() {
    let (seen, _guard) = Seen::watch();
    let (release, released) = oneshot::channel::<()>();
    let released = Mutex::new(Some(released));
    let spawns = make_sync(move |_| {
        let released = released.lock().unwrap().take().expect("called once");
        tokio::spawn(released.in_current_span());
        "done"
    });
    let mut app = App::serve(Route::new().at("/spawns", spawns)).await;
    app.send(&ask("GET", "/spawns")).await;
    assert_eq!(seen.only_span().name, "GET /spawns");
    release.send(()).expect("the task still waits");
}

#[tokio::test]
async fn what_a_client_sends_is_clipped() {
    let (seen, _guard) = Seen::watch();
    let mut app = App::serve(app()).await;
    let long = "a".repeat(5000);
    let request = ask("GET", &format!("/{long}")).replace("Host: test", &format!("Host: test\r\nUser-Agent: {long}"));
    app.send(&request).await;
    let span = seen.only_span();
    for key in ["url.path", "user_agent.original"] {
        assert_eq!(attribute(&span, key).map(|value| value.len()), Some(512), "{key}");
    }
}

/// Who calls from outside may not decide what is traced, but can be followed.
#[tokio::test]
async fn a_public_endpoint_begins_a_trace_and_links_to_the_caller() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    for (header, links) in [
        (format!("traceparent: 00-{trace}-b7ad6b7169203331-01"), 1),
        (String::from("traceparent: nonsense"), 0),
        (String::from("x-other: 1"), 0),
    ] {
        let (seen, _guard) = Seen::watch();
        let mut app = App::serve_with(app(), |builder| builder.public_endpoint(|_| true)).await;
        let request = ask("GET", "/api/users/7").replace("Host:", &format!("{header}\r\nHost:"));
        app.send(&request).await;
        let span = seen.only_span();
        assert_eq!(span.parent_span_id, SpanId::INVALID, "{header}");
        assert_ne!(span.span_context.trace_id().to_string(), trace, "{header}");
        assert_eq!(span.links.len(), links, "{header}");
        for link in span.links.iter() {
            assert_eq!(link.span_context.trace_id().to_string(), trace);
        }
    }
}

#[tokio::test]
async fn headers_that_are_wanted_and_what_layers_add() {
    let (seen, _guard) = Seen::watch();
    let name = http::HeaderName::from_static;
    let routes = Route::new().at(
        "/headers",
        make_sync(|_| {
            let answer = poem::Response::builder()
                .header("x-cache", "miss")
                .header("x-cache", "stale");
            answer.header("set-cookie", "id=secret").finish()
        }),
    );
    let mut app = App::serve_with(routes, |builder| {
        builder
            .capture_request_headers([name("x-tenant"), name("authorization"), name("x-absent")])
            .capture_response_headers([name("x-cache"), name("set-cookie")])
            .response_attributes(|_| vec![KeyValue::new("app.plan", "free")])
    })
    .await;
    let long = "t".repeat(2000);
    let headers = format!("X-Tenant: {long}\r\nAuthorization: Bearer secret\r\nHost:");
    app.send(&ask("GET", "/headers").replace("Host:", &headers)).await;
    let span = seen.only_span();
    for (key, value) in [
        ("http.request.header.x-tenant", Some(format!("[\"{}\"]", &long[..512]))),
        ("http.request.header.authorization", Some("[\"[redacted]\"]".into())),
        ("http.request.header.x-absent", None),
        ("http.response.header.x-cache", Some("[\"miss\",\"stale\"]".into())),
        ("http.response.header.set-cookie", Some("[\"[redacted]\"]".into())),
        ("app.plan", Some("free".into())),
    ] {
        assert_eq!(attribute(&span, key), value, "{key}");
    }
    assert!(!format!("{span:?}").contains("secret"));
}

/// The span ends when the time does that the metrics have.
#[tokio::test]
async fn a_span_ends_with_the_head_where_that_is_asked_for() {
    for (end, is_early) in [
        (DurationEnd::Body, false),
        (DurationEnd::Head, true),
        (DurationEnd::HeadOfStreams, true),
    ] {
        let (seen, _guard) = Seen::watch();
        let (sent, mut sends) = tokio::sync::mpsc::unbounded_channel();
        let endpoint = make_sync(move |_| {
            let sent = sent.clone();
            Body::from_bytes_stream(stream::iter(0..1).map(move |_| {
                let _ = sent.send(std::time::SystemTime::now());
                Ok::<_, io::Error>("body")
            }))
        });
        let mut app = App::serve_with(Route::new().at("/", endpoint), |builder| builder.duration_end(end)).await;
        app.send(&ask("GET", "/")).await;
        let span = seen.only_span();
        assert_eq!(span.end_time <= sends.recv().await.unwrap(), is_early, "{end:?}");
    }
}
