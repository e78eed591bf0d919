//! What each option changes.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use opentelemetry::KeyValue;
use poem::{Body, EndpointExt, Request, Response, Result, Route, endpoint::make_sync, get, handler, web::Data};

use super::{App, ask, soon};
use crate::instrument::{DurationEnd, InstrumentationBuilder, Labeler, RequestRecord, RouteProbe, Untemplated};

#[handler]
fn hello() -> &'static str {
    "hello"
}

#[handler]
fn labelled(labeler: Data<&Labeler>) -> &'static str {
    labeler.add(KeyValue::new("app.plan", "free"));
    labeler.add(KeyValue::new("app.plan", "paid"));
    labeler.add(KeyValue::new("http.route", "/of/the/handler"));
    "hello"
}

#[handler]
fn fails_politely(labeler: Data<&Labeler>) -> &'static str {
    labeler.add(KeyValue::new("error.type", "out_of_stock"));
    "sorry"
}

#[handler]
fn unavailable(labeler: Data<&Labeler>) -> StatusCode {
    labeler.add(KeyValue::new("error.type", "out_of_stock"));
    StatusCode::SERVICE_UNAVAILABLE
}

#[handler]
fn panics() {
    panic!("this panic is part of the test")
}

#[handler]
fn streams() -> Body {
    Body::from_bytes_stream(stream::iter(["one", "two"]).map(Ok::<_, io::Error>))
}

fn app() -> Route {
    Route::new()
        .at("/hello/:name", get(hello))
        .at("/labelled", get(labelled))
        .at("/polite", get(fails_politely))
        .at("/unavailable", get(unavailable))
        .at("/panics", get(panics).with(RouteProbe::new("/panics")))
        .at("/streams", get(streams))
}

/// The labels that all requests here have in common are left out.
fn durations(app: &App) -> Vec<String> {
    let short = |line: String| {
        line.replace("network_protocol_version=\"1.1\",", "")
            .replace("http_request_method=\"GET\",", "")
            .replace("url_scheme=\"http\"", "…")
    };
    app.durations().into_iter().map(short).collect()
}

type Adjust = fn(InstrumentationBuilder) -> InstrumentationBuilder;

#[tokio::test]
async fn attributes_of_the_duration() {
    let rows: [(&str, Adjust, &str, &[&str]); 17] = [
        (
            "nothing",
            |b| b,
            "/hello/x",
            &[r#"{http_response_status_code="200",http_route="/hello/{name}",…} 1"#],
        ),
        (
            "status class",
            |b| b.status_class(true),
            "/hello/x",
            &[r#"{http_response_status_class="2xx",http_response_status_code="200",http_route="/hello/{name}",…} 1"#],
        ),
        (
            "constant",
            |b| b.constant_attributes([KeyValue::new("region", "north"), KeyValue::new("le", "7")]),
            "/hello/x",
            &[r#"{_le="7",http_response_status_code="200",http_route="/hello/{name}",region="north",…} 1"#],
        ),
        (
            "no route",
            |b| b,
            "/nothing",
            &[r#"{http_response_status_code="404",…} 1"#],
        ),
        (
            "no route, constant",
            |b| b.untemplated(Untemplated::Constant("none".into())),
            "/nothing",
            &[r#"{http_response_status_code="404",http_route="none",…} 1"#],
        ),
        (
            "no route, ignored",
            |b| b.untemplated(Untemplated::Ignore),
            "/nothing",
            &[],
        ),
        (
            "route, others ignored",
            |b| b.untemplated(Untemplated::Ignore),
            "/hello/x",
            &[r#"{http_response_status_code="200",http_route="/hello/{name}",…} 1"#],
        ),
        (
            "prefix",
            |b| b.route_prefix("/shop"),
            "/hello/x",
            &[r#"{http_response_status_code="200",http_route="/shop/hello/{name}",…} 1"#],
        ),
        ("path excluded", |b| b.exclude_paths(["/hello/*"]), "/hello/x", &[]),
        (
            "another path excluded",
            |b| b.exclude_paths(["/hell?", "/health"]),
            "/hello/x",
            &[r#"{http_response_status_code="200",http_route="/hello/{name}",…} 1"#],
        ),
        (
            "closure",
            |b| b.exclude(|request| request.uri().path().ends_with('x')),
            "/hello/x",
            &[],
        ),
        (
            "status excluded",
            |b| b.exclude_statuses([StatusCode::NOT_FOUND]),
            "/nothing",
            &[],
        ),
        (
            "hooks",
            |b| {
                b.request_attributes(|request| vec![KeyValue::new("app.path", request.uri().path().len() as i64)])
                    .response_attributes(|response| vec![KeyValue::new("app.ok", response.is_success())])
            },
            "/hello/x",
            &[r#"{app_ok="true",app_path="8",http_response_status_code="200",http_route="/hello/{name}",…} 1"#],
        ),
        (
            "labeler: the last of a name, and none of our own",
            |b| b,
            "/labelled",
            &[r#"{app_plan="paid",http_response_status_code="200",http_route="/labelled",…} 1"#],
        ),
        (
            "a handler's own error",
            |b| b,
            "/polite",
            &[r#"{error_type="out_of_stock",http_response_status_code="200",http_route="/polite",…} 1"#],
        ),
        (
            "the status says it already",
            |b| b,
            "/unavailable",
            &[r#"{error_type="503",http_response_status_code="503",http_route="/unavailable",…} 1"#],
        ),
        ("disabled", |b| b.enabled_if(false), "/hello/x", &[]),
    ];
    for (what, adjust, path, expected) in rows {
        let mut app = App::serve_with(app(), adjust).await;
        app.send(&ask("GET", path)).await;
        assert_eq!(durations(&app), expected, "{what}");
    }
}

#[tokio::test]
async fn what_is_excluded_leaves_nothing_behind() {
    for adjust in [
        (|b: InstrumentationBuilder| b.exclude_paths(["/hello/x"])) as Adjust,
        |b| b.enabled_if(false),
    ] {
        let mut app = App::serve_with(app(), adjust).await;
        let answer = app.send(&ask("GET", "/hello/x")).await;
        assert!(answer.ends_with("hello"), "{answer}");
        assert_eq!(app.samples("http_server_active_requests"), [""; 0]);
    }
}

/// A test that has no environment of its own asks the same code with another.
#[test]
fn what_the_environment_says() {
    let provider = opentelemetry_sdk::metrics::SdkMeterProvider::default();
    type Row = (&'static [(&'static str, &'static str)], bool, &'static [&'static str]);
    let rows: [Row; 6] = [
        (&[], true, &["GET", "HEAD"]),
        (&[("OTEL_SDK_DISABLED", "true")], false, &[]),
        (&[("OTEL_SDK_DISABLED", "TRUE")], false, &[]),
        (&[("OTEL_SDK_DISABLED", "1")], true, &["GET", "HEAD"]),
        (
            &[("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", " PURGE ,GET")],
            true,
            &["PURGE", "GET"],
        ),
        (
            &[("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "")],
            true,
            &["GET", "HEAD"],
        ),
    ];
    for (environment, is_enabled, methods) in rows {
        let get = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let built = InstrumentationBuilder::new(&provider, get).build();
        let known = built
            .0
            .as_ref()
            .map(|shared| shared.options.known_methods.clone())
            .unwrap_or_default();
        assert_eq!(built.0.is_some(), is_enabled, "{environment:?}");
        let known: Vec<_> = known.iter().map(|method| method.as_str()).take(methods.len()).collect();
        assert_eq!(known, methods, "{environment:?}");
    }
}

#[tokio::test]
async fn in_flight_by_route() {
    let (starts, mut started) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = tokio::sync::watch::channel(false);
    let waits = poem::endpoint::make(move |_: Request| {
        let (starts, mut released) = (starts.clone(), released.clone());
        async move {
            let _ = starts.send(());
            let _ = released.wait_for(|released| *released).await;
            Ok::<_, poem::Error>("done")
        }
    });
    let routes = Route::new()
        .at("/waits", waits.with(RouteProbe::new("/waits")))
        .at("/hello/:name", get(hello));
    let mut app = App::serve_with(routes, |builder| builder.active_requests_by_route(true)).await;
    app.send(&ask("GET", "/hello/x")).await;
    let address = app.address;
    let waiting = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(ask("GET", "/waits").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
    });
    soon(started.recv()).await.unwrap();
    let line = |route: &str, number: u8| format!("{{http_request_method=\"GET\",{route}url_scheme=\"http\"}} {number}");
    let sorted = |app: &App| {
        let mut lines = app.samples("http_server_active_requests");
        lines.sort();
        lines
    };
    assert_eq!(sorted(&app), [line("http_route=\"/waits\",", 1), line("", 0)]);
    release.send(true).unwrap();
    soon(waiting).await.unwrap();
    app.ended().await;
    assert_eq!(sorted(&app), [line("http_route=\"/waits\",", 0), line("", 0)]);
}

#[tokio::test]
async fn nothing_that_observes_can_fail_a_request() {
    fn broken<T>() -> T {
        panic!("this panic is part of the test")
    }
    let adjust: Adjust = |builder| {
        builder
            .exclude(|_| broken())
            .request_attributes(|_| broken())
            .response_attributes(|_| broken())
            .public_endpoint(|_| broken())
            .observer(|_| broken())
    };
    let mut app = App::serve_with(app(), adjust).await;
    let answer = app.send(&ask("GET", "/hello/x")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"),
        "{answer}"
    );
    assert_eq!(
        durations(&app),
        [r#"{http_response_status_code="200",http_route="/hello/{name}",…} 1"#]
    );
    // While the thread is panicking already.
    app.send(&ask("GET", "/panics")).await;
    let panicked = r#"{error_type="panic",http_route="/panics",…} 1"#;
    assert!(
        durations(&app).iter().any(|line| line == panicked),
        "{:?}",
        durations(&app)
    );
}

/// What an observer was told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn of(record: &RequestRecord<'_>) -> String {
        let RequestRecord {
            method,
            route,
            status,
            error_type,
            request_bytes,
            response_bytes,
            ..
        } = record;
        let status = status.map(|status| status.as_u16());
        format!("{method} {route:?} {status:?} {error_type:?} {request_bytes:?} {response_bytes:?}")
    }
}

#[tokio::test]
async fn an_observer_is_told_once_of_each_request() {
    for (path, expected) in [
        ("/hello/x", r#"GET Some("/hello/{name}") Some(200) None None Some(5)"#),
        ("/nothing", "GET None Some(404) None None Some(9)"),
        (
            "/polite",
            r#"GET Some("/polite") Some(200) Some("out_of_stock") None Some(5)"#,
        ),
        ("/panics", r#"GET Some("/panics") None Some("panic") None None"#),
        ("/streams", r#"GET Some("/streams") Some(200) None None Some(6)"#),
    ] {
        let told = Told::default();
        let observer = told.clone();
        let adjust = |builder: InstrumentationBuilder| {
            builder.observer(move |record| observer.0.lock().unwrap().push(Told::of(record)))
        };
        let mut app = App::serve_with(app(), adjust).await;
        app.send(&ask("GET", path)).await;
        assert_eq!(*told.0.lock().unwrap(), [expected], "{path}");
    }
}

#[tokio::test]
async fn when_the_time_is_over() {
    use std::cmp::Ordering::{Equal, Greater};
    for (end, path, expected) in [
        (DurationEnd::Body, "/hello/x", Greater),
        (DurationEnd::Body, "/streams", Greater),
        (DurationEnd::Head, "/hello/x", Equal),
        (DurationEnd::Head, "/streams", Equal),
        (DurationEnd::HeadOfStreams, "/hello/x", Greater),
        (DurationEnd::HeadOfStreams, "/streams", Equal),
    ] {
        let seen = Arc::new(Mutex::new(None));
        let observer = Arc::clone(&seen);
        let adjust = |builder: InstrumentationBuilder| {
            builder.duration_end(end).time_to_head(true).observer(move |record| {
                *observer.lock().unwrap() = Some(record.duration.cmp(&record.time_to_head.unwrap()));
            })
        };
        let mut app = App::serve_with(app(), adjust).await;
        app.send(&ask("GET", path)).await;
        assert_eq!(*seen.lock().unwrap(), Some(expected), "{end:?} {path}");
        assert_eq!(app.samples("http_server_response_head_duration_seconds_count").len(), 1);
    }
}

#[tokio::test]
async fn which_histograms_and_buckets() {
    let adjust: Adjust = |builder| {
        builder
            .duration_boundaries([5.0, 0.5, 0.5, f64::NAN])
            .size_boundaries([10.0])
            .immediate(true)
    };
    let mut app = App::serve_with(app(), adjust).await;
    app.send(&ask("GET", "/hello/x")).await;
    let bounds = |name: &str| -> Vec<String> {
        let lines = app.samples(name);
        lines
            .iter()
            .map(|line| {
                line.split("le=\"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(
        bounds("http_server_request_duration_seconds_bucket"),
        ["0.5", "5", "+Inf"]
    );
    assert_eq!(bounds("http_server_response_body_size_bytes_bucket"), ["10", "+Inf"]);

    let mut app = App::serve_with(app_of_one(), |builder| builder.body_sizes(false)).await;
    app.send(&ask("GET", "/")).await;
    assert_eq!(app.durations().len(), 1);
    assert_eq!(app.samples("http_server_response_body_size_bytes_count"), [""; 0]);
}

fn app_of_one() -> Route {
    Route::new().at("/", get(hello))
}

/// Beyond the cap nothing is lost but the attributes, and it shows.
#[tokio::test]
async fn more_series_than_are_kept_apart() {
    let count = Arc::new(AtomicUsize::new(0));
    let hook = move |_: &Request| vec![KeyValue::new("id", count.fetch_add(1, Ordering::Relaxed) as i64)];
    let mut app = App::serve_with(app_of_one(), |builder| builder.max_series(2).request_attributes(hook)).await;
    for _ in 0..5 {
        app.send(&ask("GET", "/")).await;
    }
    let mut durations = durations(&app);
    durations.sort();
    let expected = [
        r#"{http_response_status_code="200",http_route="/",id="0",…} 1"#,
        r#"{http_response_status_code="200",http_route="/",id="1",…} 1"#,
        r#"{otel_metric_overflow="true"} 3"#,
    ];
    assert_eq!(durations, expected);
    let text = app.text();
    assert!(text.contains("\nmeterbridge_instrument_overflow_total 3\n"), "{text}");
    assert!(text.contains("\nmeterbridge_instrument_series 2\n"), "{text}");
}

/// What is told to the SDK in one go is what it would have been told one by one.
#[tokio::test]
async fn reading_late_or_at_once_shows_the_same() {
    let sizes = [0usize, 1, 255, 256, 257, 5000, 70_000, 3];
    let mut shown = Vec::new();
    for is_immediate in [false, true] {
        let next = AtomicUsize::new(0);
        let body = move |_: Request| -> Result<Response> {
            let size = sizes[next.fetch_add(1, Ordering::Relaxed)];
            Ok(Response::builder().body(Bytes::from(vec![b'x'; size])))
        };
        let routes = Route::new().at("/", make_sync(body));
        let mut app = App::serve_with(routes, |builder| builder.immediate(is_immediate)).await;
        for _ in sizes {
            app.send(&ask("GET", "/")).await;
        }
        let names = ["bucket", "sum", "count"].map(|part| format!("http_server_response_body_size_bytes_{part}"));
        shown.push(names.map(|name| app.samples(&name)));
    }
    assert_eq!(shown[0], shown[1]);
    assert!(
        shown[0][1][0].ends_with(&format!(" {}", sizes.iter().sum::<usize>())),
        "{:?}",
        shown[0][1]
    );
}
