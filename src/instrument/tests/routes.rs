//! Which route is reported (`http.route`), for every way in which poem can find one or not.

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Error, PathPattern, Request, Response, Result, Route, error::NotFoundError, get, handler,
    http::StatusCode, web::Path,
};
use poem_openapi::{OpenApi, OpenApiService, param, payload::PlainText};

use super::{App, ask};
use crate::instrument::{Instrumented, RouteProbe, Unmatched, route::template};

#[handler]
fn ok() -> &'static str {
    "ok"
}

#[handler]
fn no_such_file() -> Result<()> {
    Err(NotFoundError.into())
}

#[handler]
fn missing(Path(_): Path<u64>) -> Result<()> {
    Err(NotFoundError.into())
}

struct Api;

#[OpenApi(prefix_path = "/v1")]
impl Api {
    #[oai(path = "/users/:id/posts/:post", method = "get")]
    async fn post(&self, id: param::Path<u64>, post: param::Path<u64>) -> PlainText<String> {
        PlainText(format!("{} {}", id.0, post.0))
    }

    #[oai(path = "/users/:id", method = "get")]
    async fn user(&self, id: param::Path<u64>) -> PlainText<String> {
        PlainText(id.0.to_string())
    }

    #[oai(path = "/users/:uid", method = "post")]
    async fn create(&self, uid: param::Path<u64>) -> PlainText<String> {
        PlainText(uid.0.to_string())
    }

    #[oai(path = "/hidden/:secret", method = "get", hidden = true)]
    async fn hidden(&self, secret: param::Path<u64>) -> PlainText<String> {
        PlainText(secret.0.to_string())
    }
}

struct Root;

#[OpenApi]
impl Root {
    #[oai(path = "/", method = "get")]
    async fn root(&self) -> PlainText<&'static str> {
        PlainText("root")
    }
}

fn app() -> Route {
    Route::new()
        .at("/item/:id", get(ok))
        .at("/missing/:id", get(missing))
        .at("/files/*rest", get(ok))
        .at("/lost/*rest", get(no_such_file))
        .at("/probed/:id", get(ok).with(RouteProbe::new("/probed/{name}")))
        .nest("/deep", Route::new().nest("/er", Route::new().at("/leaf/:x", get(ok))))
        .nest_no_strip("/kept", Route::new().at("/kept/leaf/:x", get(ok)))
        .nest(
            "/outer",
            OpenApiService::new(Instrumented(Api), "outer", "1").with(RouteProbe::new("/outer")),
        )
        .nest("/api", OpenApiService::new(Instrumented(Api), "api", "1"))
        .nest("/root", OpenApiService::new(Instrumented(Root), "root", "1"))
        .nest("/bare", OpenApiService::new(Api, "bare", "1"))
}

/// Method, path; status; method and route as reported.
const ROWS: &[(&str, &str, u16, &str, Option<&str>)] = &[
    ("GET", "/item/7", 200, "GET", Some("/item/{id}")),
    ("HEAD", "/item/7", 200, "HEAD", Some("/item/{id}")),
    ("POST", "/item/7", 405, "POST", Some("/item/{id}")),
    ("BREW", "/item/7", 405, "_OTHER", Some("/item/{id}")),
    ("get", "/item/7", 405, "_OTHER", Some("/item/{id}")),
    ("GET", "/missing/7", 404, "GET", Some("/missing/{id}")),
    ("GET", "/files/a/b", 200, "GET", Some("/files/{*rest}")),
    ("GET", "/lost/a/b", 404, "GET", Some("/lost/{*rest}")),
    ("GET", "/probed/7", 200, "GET", Some("/probed/{name}")),
    ("GET", "/deep/er/leaf/1", 200, "GET", Some("/deep/er/leaf/{x}")),
    ("GET", "/kept/leaf/1", 200, "GET", Some("/kept/leaf/{x}")),
    ("GET", "/nope?token=secret", 404, "GET", None),
    ("GET", "/deep/nope", 404, "GET", None),
    ("GET", "/deep/er/nope/at/all", 404, "GET", None),
    ("GET", "/api/nope", 404, "GET", None),
    ("GET", "/outer/v1/users/1", 200, "GET", Some("/outer/v1/users/{id}")),
    (
        "GET",
        "/api/v1/users/1/posts/2",
        200,
        "GET",
        Some("/api/v1/users/{id}/posts/{post}"),
    ),
    (
        "HEAD",
        "/api/v1/users/1/posts/2",
        200,
        "HEAD",
        Some("/api/v1/users/{id}/posts/{post}"),
    ),
    (
        "GET",
        "/api/v1/users/x/posts/2",
        400,
        "GET",
        Some("/api/v1/users/{id}/posts/{post}"),
    ),
    (
        "DELETE",
        "/api/v1/users/1/posts/2",
        405,
        "DELETE",
        Some("/api/v1/users/{id}/posts/{post}"),
    ),
    ("GET", "/api/v1/users/1", 200, "GET", Some("/api/v1/users/{id}")),
    ("POST", "/api/v1/users/1", 200, "POST", Some("/api/v1/users/{uid}")),
    ("PUT", "/api/v1/users/1", 405, "PUT", Some("/api/v1/users/{id}")),
    ("BREW", "/api/v1/users/1", 405, "_OTHER", Some("/api/v1/users/{param0}")),
    ("GET", "/api/v1/hidden/1", 200, "GET", Some("/api/v1/hidden/{param0}")),
    ("GET", "/root", 200, "GET", Some("/root")),
    ("GET", "/root/", 200, "GET", Some("/root")),
    ("GET", "/bare/v1/users/1", 200, "GET", Some("/bare/v1/users/{param0}")),
];

fn expected(method: &str, status: u16, route: Option<&str>) -> String {
    let route = route
        .map(|route| format!("http_route=\"{route}\","))
        .unwrap_or_default();
    format!(
        "{{http_request_method=\"{method}\",http_response_status_code=\"{status}\",{route}\
         network_protocol_version=\"1.1\",url_scheme=\"http\"}} 1"
    )
}

#[tokio::test]
async fn errors_reach_the_instrumentation() {
    for &(method, path, status, reported, route) in ROWS {
        let mut app = App::serve(app()).await;
        app.send(&ask(method, path)).await;
        assert_eq!(app.durations(), [expected(reported, status, route)], "{method} {path}");
    }
}

/// Does what the product does: turns errors into responses inside the instrumentation.
async fn problem<E: Endpoint<Output = Response>>(endpoint: Arc<E>, request: Request) -> Result<Response> {
    let answer = |error: Error| {
        let mut response = Response::builder().status(error.status()).body("{}");
        if let Some(pattern) = error.data::<PathPattern>() {
            response.set_data(pattern.clone());
        }
        if error.is::<NotFoundError>() {
            response.set_data(Unmatched);
        }
        response
    };
    Ok(endpoint.call(request).await.unwrap_or_else(answer))
}

#[tokio::test]
async fn errors_become_responses_inside() {
    for &(method, path, status, reported, route) in ROWS {
        let mut app = App::serve(app().around(problem)).await;
        app.send(&ask(method, path)).await;
        assert_eq!(app.durations(), [expected(reported, status, route)], "{method} {path}");
    }
}

/// A layer that answers with a response of its own loses poem's pattern, but not what was said inside routing.
#[tokio::test]
async fn a_fresh_response_keeps_the_route_of_those_who_said_it() {
    let fresh = |_: Error| async { StatusCode::IM_A_TEAPOT };
    for (path, route) in [
        ("/api/v1/users/x", Some("/api/v1/users/{id}")),
        ("/probed/x", Some("/probed/{name}")),
        ("/missing/7", None),
    ] {
        let inner = Route::new()
            .at("/missing/:id", get(missing))
            .at("/probed/:id", get(missing).with(RouteProbe::new("/probed/{name}")))
            .nest("/api", OpenApiService::new(Instrumented(Api), "api", "1"));
        let mut app = App::serve(inner.catch_all_error(fresh)).await;
        app.send(&ask("GET", path)).await;
        assert_eq!(app.durations(), [expected("GET", 418, route)], "{path}");
    }
}

#[tokio::test]
async fn methods_that_are_known_by_choice() {
    for (method, reported) in [("BREW", "BREW"), ("GET", "_OTHER")] {
        let known = ["BREW".to_owned()];
        let mut app = App::serve_with(app(), |builder| builder.known_methods(known)).await;
        app.send(&ask(method, "/nope")).await;
        assert_eq!(app.durations(), [expected(reported, 404, None)], "{method}");
    }
}

/// Two APIs may share a path: neither takes the other's method for missing, in either order.
#[tokio::test]
async fn apis_that_share_a_path() {
    struct Read;
    #[OpenApi]
    impl Read {
        #[oai(path = "/things/:id", method = "get")]
        async fn read(&self, id: param::Path<u64>) -> PlainText<String> {
            PlainText(id.0.to_string())
        }
    }
    struct Write;
    #[OpenApi]
    impl Write {
        #[oai(path = "/things/:key", method = "put")]
        async fn write(&self, key: param::Path<u64>) -> PlainText<String> {
            PlainText(key.0.to_string())
        }
    }
    for order in ["read first", "write first"] {
        for (method, route) in [("GET", "/things/{id}"), ("PUT", "/things/{key}")] {
            let app = match order {
                "read first" => Route::new().nest(
                    "/",
                    OpenApiService::new((Instrumented(Read), Instrumented(Write)), "", ""),
                ),
                _ => Route::new().nest(
                    "/",
                    OpenApiService::new((Instrumented(Write), Instrumented(Read)), "", ""),
                ),
            };
            let mut app = App::serve(app).await;
            app.send(&ask(method, "/things/1")).await;
            assert_eq!(
                app.durations(),
                [expected(method, 200, Some(route))],
                "{order}, {method}"
            );
        }
    }
}

#[test]
fn templates() {
    for (pattern, route) in [
        ("/", "/"),
        ("/plain/path", "/plain/path"),
        ("/item/:id", "/item/{id}"),
        ("/item/:id/part/:part", "/item/{id}/part/{part}"),
        ("/item/:id<\\d+>/part", "/item/{id}/part"),
        ("/item/<\\d+>/part", "/item/{}/part"),
        ("/v:major", "/v{major}"),
        ("/files/*rest", "/files/{*rest}"),
        ("/files/*", "/files/{*}"),
        ("/:dir/*rest", "/{dir}/{*rest}"),
    ] {
        assert_eq!(template(pattern), route, "{pattern}");
    }
}
