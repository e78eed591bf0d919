//! Errors as RFC 9457 has them: `application/problem+json`.

use poem::error::NotFoundError;
use poem::http::{StatusCode, header};
use poem::{Endpoint, IntoResponse, Middleware, PathPattern, Request, Response, Result};

use crate::instrument::Unmatched;

/// Turns every error of the endpoints behind it into a problem. It sits inside the instrumentation, and leaves that what it
/// wants to know of the route.
#[derive(Clone, Copy, Debug)]
pub struct Problems;

/// The endpoint that [`Problems`] makes.
#[derive(Debug)]
pub struct ProblemEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for Problems {
    type Output = ProblemEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        ProblemEndpoint(endpoint)
    }
}

impl<E: Endpoint> Endpoint for ProblemEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let what = format!("{} {}", request.method(), request.uri().path());
        match self.0.call(request).await {
            Ok(output) => Ok(output.into_response()),
            Err(error) => Ok(of_error(error, &what)),
        }
    }
}

/// A problem with a title that goes with the status and a detail that says what to do.
pub fn response(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .body(body.to_string())
}

fn of_error(error: poem::Error, what: &str) -> Response {
    let status = error.status();
    let unmatched = error.is::<NotFoundError>();
    let detail = if unmatched {
        format!("there is no {}; /docs lists what there is", shorten(what))
    } else if status == StatusCode::METHOD_NOT_ALLOWED {
        format!("{} is not possible; /docs lists what is", shorten(what))
    } else {
        error.to_string()
    };
    let pattern = error
        .data::<PathPattern>()
        .map(|pattern| PathPattern(pattern.0.clone()));
    let original = error.into_response();
    let mut response = response(status, &detail);
    if let Some(allow) = original.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if let Some(pattern) = pattern {
        response.set_data(pattern);
    }
    if unmatched {
        response.set_data(Unmatched);
    }
    response
}

fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}
