use std::time::Instant;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, Request, Response, Route};

use super::body::{self, Compression};
use super::cors::{self, Cors};
use super::{Answer, Receiver, Refusal, Transport};
use crate::instrument::RouteProbe;
use crate::model::RequestReason;
use crate::otlp::Encoding;

/// The endpoints of OTLP/HTTP: `/v1/metrics`, opened to pages by `cors`, and a clear answer where other signals are sent
/// (conformance P-08, P-17).
pub fn routes(receiver: Receiver, cors: Cors) -> Route {
    let mut route = Route::new();
    for path in ["/v1/metrics", "/v1/metrics/"] {
        let endpoint = Metrics {
            receiver: receiver.clone(),
            cors: cors.clone(),
        };
        route = route.at(path, endpoint.with(RouteProbe::new("/v1/metrics")));
    }
    for (path, signal) in [("/v1/traces", "traces"), ("/v1/logs", "logs")] {
        for slash in ["", "/"] {
            let endpoint = OtherSignal {
                receiver: receiver.clone(),
                signal,
            };
            route = route.at(format!("{path}{slash}"), endpoint.with(RouteProbe::new(path)));
        }
    }
    route
}

struct Metrics {
    receiver: Receiver,
    cors: Cors,
}

struct OtherSignal {
    receiver: Receiver,
    signal: &'static str,
}

impl Endpoint for Metrics {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(response) = self.cors.preflight(&request) {
            return Ok(response);
        }
        let allowed = self.cors.allowed(request.headers());
        let mut response = self.answer(request).await;
        if let Some(origin) = allowed {
            cors::allow(&mut response, origin);
        }
        Ok(response)
    }
}

impl Metrics {
    async fn answer(&self, request: Request) -> Response {
        if request.method() != Method::POST {
            return method_not_allowed();
        }
        let encoding = encoding(&request);
        let result = match encoding {
            Ok(encoding) => self.take(request, encoding).await.map(|answer| (encoding, answer)),
            Err(ref refusal) => Err(refusal.clone()),
        };
        match result {
            Ok((encoding, answer)) => respond(StatusCode::OK, encoding, answer.encode(encoding)),
            Err(refusal) => refuse(&self.receiver, encoding.ok(), &refusal),
        }
    }

    async fn take(&self, mut request: Request, encoding: Encoding) -> Result<Answer, Refusal> {
        let start = Instant::now();
        let shared = &self.receiver.shared;
        let compression = Compression::of(header(&request, header::CONTENT_ENCODING))?;
        let limit = shared.max_request_bytes;
        let announced = header(&request, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if announced.is_some_and(|length: usize| length > limit) {
            return Err(Refusal::too_large(limit));
        }
        let reservation = shared.budget.reserve();
        let body: BoxBody<Bytes, std::io::Error> = request.take_body().into();
        let buffers = &shared.buffers;
        let body = body::read(body, limit, &reservation, buffers).await?;
        shared
            .metrics
            .received(Transport::Http.as_str(), compression.as_str(), body.len());
        let inflated = body::inflate(compression, &body, limit, &reservation, buffers)?;
        let message = inflated.as_deref().unwrap_or(&body);
        let answer = self.receiver.ingest(Transport::Http, encoding, message)?;
        shared.metrics.took(Transport::Http.as_str(), start.elapsed());
        Ok(answer)
    }
}

impl Endpoint for OtherSignal {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.method() != Method::POST {
            return Ok(method_not_allowed());
        }
        let signal = self.signal;
        let detail = format!(
            "{signal} are not taken here, only metrics; point OTEL_EXPORTER_OTLP_{}_ENDPOINT elsewhere",
            signal.to_uppercase()
        );
        let refusal = Refusal {
            reason: RequestReason::UnsupportedSignal,
            detail,
        };
        Ok(refuse(&self.receiver, encoding(&request).ok(), &refusal))
    }
}

/// The encoding by content type; parameters such as `charset=utf-8` do not matter (conformance P-08).
fn encoding(request: &Request) -> Result<Encoding, Refusal> {
    let content_type = header(request, header::CONTENT_TYPE).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/x-protobuf") {
        return Ok(Encoding::Protobuf);
    }
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(Encoding::Json);
    }
    let shown: String = essence.chars().take(64).collect();
    let detail = format!("the content type \"{shown}\" is not known; send application/x-protobuf or application/json");
    Err(Refusal {
        reason: RequestReason::UnsupportedMediaType,
        detail,
    })
}

/// A header that is text; one that is not is as good as none.
fn header(request: &Request, name: header::HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

/// The error goes back in the request's encoding; who sent neither gets JSON, which a person can read.
fn refuse(receiver: &Receiver, encoding: Option<Encoding>, refusal: &Refusal) -> Response {
    receiver.refused(Transport::Http, encoding, refusal);
    let encoding = encoding.unwrap_or(Encoding::Json);
    let mut response = respond(refusal.http_status(), encoding, refusal.encode(encoding));
    if let Some(seconds) = refusal.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn respond(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response {
    Response::builder()
        .status(status)
        .content_type(encoding.content_type())
        .body(body)
}

fn method_not_allowed() -> Response {
    Response::builder()
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .header(header::ALLOW, "POST")
        .content_type("text/plain; charset=utf-8")
        .body("OTLP is sent with POST\n")
}
