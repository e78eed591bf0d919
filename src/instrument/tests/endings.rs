//! How requests end, and what is recorded then.

use std::{future::pending, io, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{StatusCode, Version};
use http_body_util::combinators::BoxBody;
use poem::{
    Body, Endpoint, EndpointExt, Error, Request, Response, Route,
    endpoint::{make, make_sync},
    get, handler,
    middleware::CatchPanic,
};
use poem_openapi::{OpenApi, OpenApiService, param, payload::PlainText};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::unbounded_channel,
};
use tonic::{codegen::Service, transport::Channel};

use super::{App, Once, ask, soon};
use crate::instrument::{Instrumentation, Instrumented, RouteProbe};

struct Api;

#[OpenApi]
impl Api {
    #[oai(path = "/panic/:id", method = "get")]
    async fn panic(&self, id: param::Path<u64>) -> PlainText<String> {
        assert_eq!(id.0, 0, "this panic is part of the test");
        PlainText(String::new())
    }
}

#[handler]
fn unavailable() -> poem::Result<()> {
    Err(Error::from_status(StatusCode::SERVICE_UNAVAILABLE))
}

#[handler]
fn broken_answer() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

#[handler]
fn teapot() -> StatusCode {
    StatusCode::IM_A_TEAPOT
}

#[handler]
fn no_content() -> StatusCode {
    StatusCode::NO_CONTENT
}

#[handler]
fn not_modified_with_body() -> Response {
    Response::builder().status(StatusCode::NOT_MODIFIED).body("never sent")
}

#[handler]
fn panics() {
    panic!("this panic is part of the test")
}

#[handler]
fn fails_midway() -> Body {
    let chunks = [Ok(Bytes::from_static(b"first")), Err(io::Error::other("disk"))];
    Body::from_bytes_stream(stream::iter(chunks))
}

#[handler]
fn panics_midway() -> Body {
    Body::from_bytes_stream(stream::iter(0..2).map(|n: u8| match n {
        0 => Ok::<_, io::Error>(Bytes::from_static(b"first")),
        _ => panic!("this panic is part of the test"),
    }))
}

#[handler]
fn streamed() -> Body {
    Body::from_bytes_stream(stream::iter(["one", "two"]).map(Ok::<_, io::Error>))
}

/// hyper does not ask again once the body says that this was all.
#[handler]
fn knows_its_end() -> Body {
    Body::from(BoxBody::new(Once(Some("all"))))
}

/// A stream to which the handler gave a length: hyper stops at the length and never asks for the end.
#[handler]
fn streamed_with_length() -> Response {
    let chunks = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"exactly"))]).chain(stream::pending());
    Response::builder()
        .header("content-length", 7)
        .body(Body::from_bytes_stream(chunks))
}

fn endless() -> Body {
    Body::from_bytes_stream(stream::repeat_with(|| {
        Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 16384]))
    }))
}

fn app() -> Route {
    Route::new()
        .at("/unavailable", get(unavailable))
        .at("/broken", get(broken_answer))
        .at("/teapot", get(teapot))
        .at("/empty", get(no_content))
        .at("/unmodified", get(not_modified_with_body))
        .at("/panics", get(panics))
        .at("/panics/midway", get(panics_midway))
        .at("/probed", get(panics).with(RouteProbe::new("/probed")))
        .at("/fails", get(fails_midway))
        .at("/streamed", get(streamed))
        .at("/length", get(streamed_with_length))
        .at("/end", get(knows_its_end))
        .at("/head", poem::RouteMethod::new().head(make_sync(|_| endless())))
        .nest("/api", OpenApiService::new(Instrumented(Api), "api", "1"))
}

/// Labels in the order of the exposition; `status` and `route` may be missing, as on the line.
fn line(error: &str, status: Option<u16>, method: &str, route: Option<&str>, version: &str) -> String {
    let error = if error.is_empty() {
        String::new()
    } else {
        format!("error_type=\"{error}\",")
    };
    let status = status
        .map(|status| format!("http_response_status_code=\"{status}\","))
        .unwrap_or_default();
    let route = route
        .map(|route| format!("http_route=\"{route}\","))
        .unwrap_or_default();
    format!(
        "{{{error}http_request_method=\"{method}\",{status}{route}network_protocol_version=\"{version}\",\
         url_scheme=\"http\"}} 1"
    )
}

fn nobody_active(app: &App, method: &str) {
    let active = format!("{{http_request_method=\"{method}\",url_scheme=\"http\"}} 0");
    assert_eq!(app.samples("http_server_active_requests"), [active]);
}

#[tokio::test]
async fn over_http1() {
    let rows = [
        ("GET", "/unavailable", "503", Some(503), Some("/unavailable")),
        ("GET", "/broken", "500", Some(500), Some("/broken")),
        ("GET", "/teapot", "", Some(418), Some("/teapot")),
        ("GET", "/empty", "", Some(204), Some("/empty")),
        ("GET", "/unmodified", "", Some(304), Some("/unmodified")),
        ("GET", "/streamed", "", Some(200), Some("/streamed")),
        ("GET", "/length", "", Some(200), Some("/length")),
        ("GET", "/end", "", Some(200), Some("/end")),
        ("HEAD", "/streamed", "", Some(200), Some("/streamed")),
        ("HEAD", "/head", "", Some(200), Some("/head")),
        ("GET", "/fails", "body_error", Some(200), Some("/fails")),
        ("GET", "/panics", "panic", None, None),
        ("GET", "/probed", "panic", None, Some("/probed")),
        ("GET", "/api/panic/1", "panic", None, Some("/api/panic/{id}")),
        ("GET", "/panics/midway", "panic", Some(200), Some("/panics/midway")),
    ];
    for (method, path, error, status, route) in rows {
        let mut app = App::serve(app()).await;
        app.send(&ask(method, path)).await;
        assert_eq!(
            app.durations(),
            [line(error, status, method, route, "1.1")],
            "{method} {path}"
        );
        nobody_active(&app, method);
    }
}

/// The older protocol, and a body in chunks.
#[tokio::test]
async fn over_http_1_0_and_in_chunks() {
    for (request, version) in [
        ("GET /streamed HTTP/1.0\r\n\r\n", "1.0"),
        ("GET /streamed HTTP/1.0\r\nConnection: close\r\n\r\n", "1.0"),
        (
            "POST /streamed HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\none\r\n0\r\nTrailer: here\r\n\r\n",
            "1.1",
        ),
    ] {
        let routes = Route::new().at("/streamed", get(streamed).post(streamed));
        let mut app = App::serve(routes).await;
        app.send(request).await;
        let method = request.split(' ').next().unwrap();
        assert_eq!(
            app.durations(),
            [line("", Some(200), method, Some("/streamed"), version)],
            "{request}"
        );
        assert_eq!(
            app.samples("http_server_response_body_size_bytes_sum")[0]
                .rsplit(' ')
                .next(),
            Some("6")
        );
        nobody_active(&app, method);
    }
}

/// A handshake is a request with an answer; what follows on the connection is none.
#[tokio::test]
async fn a_connection_that_becomes_another_protocol() {
    let (done, mut talked) = unbounded_channel();
    let switch = make_sync(move |request: Request| {
        let (upgrade, done) = (request.take_upgrade().unwrap(), done.clone());
        tokio::spawn(async move {
            let mut stream = upgrade.await.unwrap();
            let mut said = [0; 4];
            stream.read_exact(&mut said).await.unwrap();
            let _ = done.send(said);
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .finish()
    });
    let mut app = App::serve(Route::new().at("/switch", switch)).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let request = "GET /switch HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    app.ended().await;
    assert_eq!(app.durations(), [line("", Some(101), "GET", Some("/switch"), "1.1")]);
    nobody_active(&app, "GET");
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(soon(talked.recv()).await, Some(*b"ping"));
    assert_eq!(app.durations(), [line("", Some(101), "GET", Some("/switch"), "1.1")]);
}

/// poem lets a handler of HTTP/1 run to its end, whoever has gone: it is active as long, and its end looks like success.
#[tokio::test]
async fn a_client_that_leaves_a_handler_of_http1() {
    let (started, mut starts) = unbounded_channel();
    let (go_on, released) = tokio::sync::watch::channel(false);
    let slow = make(move |_: Request| {
        let (started, mut released) = (started.clone(), released.clone());
        async move {
            let _ = started.send(());
            let _ = released.wait_for(|released| *released).await;
            Ok::<_, Error>("late")
        }
    });
    let mut app = App::serve(Route::new().at("/slow", slow)).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(ask("GET", "/slow").as_bytes()).await.unwrap();
    soon(starts.recv()).await.unwrap();
    drop(stream);
    go_on.send(true).unwrap();
    app.ended().await;
    assert_eq!(app.durations(), [line("", Some(200), "GET", Some("/slow"), "1.1")]);
    nobody_active(&app, "GET");
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_had_no_answer_yet() {
    let app = App::serve(Route::new()).await;
    let routes = Route::new().at("/probed", get(panics).with(RouteProbe::new("/probed")));
    let outside = routes.with(Instrumentation::new(&app.provider)).with(CatchPanic::new());
    let request = Request::builder().uri_str("/probed").version(Version::HTTP_11).finish();
    assert_eq!(
        outside.call(request).await.unwrap().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(app.durations(), [line("panic", None, "GET", Some("/probed"), "1.1")]);
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_is_a_500() {
    for (path, route) in [
        ("/panics", None),
        ("/probed", Some("/probed")),
        ("/api/panic/1", Some("/api/panic/{id}")),
    ] {
        let mut app = App::serve(app().with(CatchPanic::new())).await;
        let answer = app.send(&ask("GET", path)).await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert_eq!(app.durations(), [line("500", Some(500), "GET", route, "1.1")], "{path}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stream() {
    let mut app = App::serve(Route::new().at("/endless", get(make_sync(|_| endless())))).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(ask("GET", "/endless").as_bytes()).await.unwrap();
    let mut first = [0; 64];
    soon(stream.read_exact(&mut first)).await.unwrap();
    assert_eq!(
        app.samples("http_server_active_requests"),
        ["{http_request_method=\"GET\",url_scheme=\"http\"} 1"],
        "a body that is being sent is active"
    );
    drop(stream);
    app.ended().await;
    assert_eq!(
        app.durations(),
        [line("aborted", Some(200), "GET", Some("/endless"), "1.1")]
    );
    nobody_active(&app, "GET");
}

/// A layer outside drops the request; one inside answers in its place.
#[tokio::test]
async fn a_layer_that_gives_up() {
    // The time is not what is tested: a handler that never answers is dropped at the first look at the clock.
    async fn limit<E: Endpoint>(endpoint: E, request: Request) -> poem::Result<StatusCode> {
        let _ = tokio::time::timeout(Duration::ZERO, endpoint.call(request)).await;
        Ok(StatusCode::GATEWAY_TIMEOUT)
    }
    for (path, route) in [("/plain", None), ("/probed", Some("/probed"))] {
        let never = || make(|_: Request| pending::<Result<(), Error>>());
        let routes = Route::new()
            .at("/plain", never())
            .at("/probed", never().with(RouteProbe::new("/probed")));

        let mut app = App::serve(routes.around(limit)).await;
        app.send(&ask("GET", path)).await;
        assert_eq!(
            app.durations(),
            [line("504", Some(504), "GET", route, "1.1")],
            "inside, {path}"
        );

        let routes = Route::new()
            .at("/plain", never())
            .at("/probed", never().with(RouteProbe::new("/probed")));
        let app = App::serve(Route::new()).await;
        let outside = routes.with(Instrumentation::new(&app.provider)).around(limit);
        outside.call(Request::builder().uri_str(path).finish()).await.unwrap();
        assert_eq!(
            app.durations(),
            [line("cancelled", None, "GET", route, "1.1")],
            "outside, {path}"
        );
    }
}

async fn http2(app: &App, path: &str) -> (Channel, http::Request<tonic::body::Body>) {
    let uri = format!("http://{}{path}", app.address);
    let channel = Channel::from_shared(uri.clone()).unwrap().connect().await.unwrap();
    let request = http::Request::builder()
        .version(Version::HTTP_2)
        .uri(uri)
        .body(tonic::body::Body::empty());
    (channel, request.unwrap())
}

#[tokio::test]
async fn a_client_that_cancels_over_http2() {
    for (path, route) in [("/plain", None), ("/probed", Some("/probed"))] {
        let (started, mut starts) = unbounded_channel();
        let never = move || {
            let started = started.clone();
            make(move |_: Request| {
                let _ = started.send(());
                pending::<Result<(), Error>>()
            })
        };
        let routes = Route::new()
            .at("/plain", get(never()))
            .at("/probed", get(never()).with(RouteProbe::new("/probed")));
        let mut app = App::serve(routes).await;
        let (mut channel, request) = http2(&app, path).await;
        std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
        let answer = channel.call(request);
        tokio::select! {
            answer = answer => panic!("answered: {answer:?}"),
            started = soon(starts.recv()) => started.unwrap(),
        }
        app.ended().await;
        assert_eq!(app.durations(), [line("cancelled", None, "GET", route, "2")], "{path}");
        assert_eq!(
            app.samples("http_server_response_body_size_bytes_count"),
            [""; 0],
            "nothing was answered"
        );
        nobody_active(&app, "GET");
    }
}

#[tokio::test]
async fn a_client_that_resets_a_stream_over_http2() {
    let mut app = App::serve(Route::new().at("/endless", get(make_sync(|_| endless())))).await;
    let (mut channel, request) = http2(&app, "/endless").await;
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let answer = soon(channel.call(request)).await.unwrap();
    drop(answer);
    app.ended().await;
    assert_eq!(
        app.durations(),
        [line("aborted", Some(200), "GET", Some("/endless"), "2")]
    );
}
