use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

/// Which origins' pages may send OTLP from a browser (conformance P-08). Not poem's middleware, which refuses what comes from
/// other origins, while it is the browser that keeps their pages from reading the answer; and panics on an odd `Origin`.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<String>,
}

/// How long a browser may remember what it was told, in seconds: browsers cap it at two hours or below.
const MAX_AGE: &str = "7200";

impl Cors {
    /// `*` is every origin; none at all is none.
    pub fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    /// The value of `Access-Control-Allow-Origin` for a request, if its page may send.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        if self.origins.iter().any(|known| known == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let is_known = self
            .origins
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(origin.as_bytes()));
        is_known.then(|| origin.clone())
    }

    /// The answer to the question that a browser asks before it sends, if the request is one and its page may.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        if request.method() != Method::OPTIONS || !request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let allowed = self.allowed(request.headers())?;
        let mut response = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, "POST")
            .header(header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, content-encoding")
            .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)
            .finish();
        allow(&mut response, allowed);
        Some(response)
    }
}

/// Lets the page read the answer.
pub(super) fn allow(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    if origin != "*" {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}
