//! What went wrong, as RFC 9457 has it.

use poem::error::NotFoundError;
use poem::http::StatusCode;
use poem::{PathPattern, Response};
use poem_openapi::Object;
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;

use meterbridge::instrument::Unmatched;

/// What went wrong (RFC 9457).
#[derive(Object)]
pub struct Problem {
    title: String,
    status: u16,
    detail: String,
}

pub fn problem(status: StatusCode, detail: String) -> Json<Problem> {
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    let status = status.as_u16();
    Json(Problem { title, status, detail })
}

/// The answer to what failed outside of the operations: there is no such path, not with this method, the body is too long.
///
/// A response of one's own has lost what poem knows about the route, so it is handed on to the instrumentation.
pub async fn answer(error: poem::Error) -> Response {
    let mut response = Response::builder()
        .status(error.status())
        .content_type("application/problem+json")
        .body(problem(error.status(), error.to_string()).0.to_json_string());
    if let Some(PathPattern(pattern)) = error.data() {
        response.set_data(PathPattern(pattern.clone()));
    }
    if error.is::<NotFoundError>() {
        response.set_data(Unmatched);
    }
    response
}
