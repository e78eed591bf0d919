use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{BufMut, BytesMut};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::body::{self, Compression};
use super::{Answer, Receiver, Refusal, Transport};
use crate::instrument::span::{continue_trace, start};
use crate::model::RequestReason;
use crate::otlp::Encoding;

/// What a message may be compressed with.
const ACCEPTED: http::HeaderValue = http::HeaderValue::from_static("identity,gzip,zstd");
const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// The gRPC service, on the bytes of the messages: tonic serves HTTP/2 and says statuses; the one message of a call is
/// framed, limited and inflated here, by the functions that HTTP goes through as well.
#[derive(Clone, Debug)]
pub struct MetricsService(pub Receiver);

impl Service<http::Request<Body>> for MetricsService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let receiver = self.0.clone();
        let span = span(&request);
        let answering = async move {
            match export(&receiver, request).await {
                Ok(response) => response,
                Err(refusal) => {
                    receiver.refused(Transport::Grpc, Some(Encoding::Protobuf), &refusal);
                    let mut response = refusal.grpc_status().into_http();
                    response.headers_mut().insert("grpc-accept-encoding", ACCEPTED);
                    response
                }
            }
        };
        Box::pin(async move {
            let response = answering.instrument(span.clone()).await;
            // An error stands in the headers, since nothing else follows them.
            let status = response
                .headers()
                .get("grpc-status")
                .and_then(|status| status.to_str().ok()?.parse().ok());
            span.set_attribute("rpc.grpc.status_code", status.unwrap_or(0i64));
            Ok(response)
        })
    }
}

/// The span of a call, a part of the caller's trace, with the names of the conventions for RPC. A path that is not ours is the
/// client's choice, and so no name.
fn span(request: &http::Request<Body>) -> Span {
    let name = if request.uri().path() == EXPORT {
        &EXPORT[1..]
    } else {
        "unknown"
    };
    // At ERROR no filter by level takes the trace id from a line (see `instrument`).
    let span = tracing::error_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        rpc.system = "grpc",
        trace_id = field::Empty
    );
    continue_trace(&span, request.headers());
    start(&span);
    span
}

async fn export(receiver: &Receiver, request: http::Request<Body>) -> Result<http::Response<Body>, Refusal> {
    let start = Instant::now();
    if request.uri().path() != EXPORT {
        let path: String = request.uri().path().chars().take(128).collect();
        let detail = format!("{path} is not served here, only metrics are");
        return Err(Refusal {
            reason: RequestReason::UnsupportedSignal,
            detail,
        });
    }
    let header = request
        .headers()
        .get("grpc-encoding")
        .and_then(|value| value.to_str().ok());
    let compression = Compression::of(header)?;
    let shared = &receiver.shared;
    let limit = shared.max_request_bytes;
    let reservation = shared.budget.reserve();
    let buffers = &shared.buffers;
    let body = body::read(request.into_body(), limit.saturating_add(PREFIX), &reservation, buffers)
        .await
        // The prefix is not the sender's business.
        .map_err(|refusal| match refusal.reason {
            RequestReason::RequestTooLarge => Refusal::too_large(limit),
            _ => refusal,
        })?;
    shared
        .metrics
        .received(Transport::Grpc.as_str(), compression.as_str(), body.len());
    let (is_compressed, message) = unframe(&body)?;
    let compression = if is_compressed { compression } else { Compression::None };
    let inflated = body::inflate(compression, message, limit, &reservation, buffers)?;
    let message = inflated.as_deref().unwrap_or(message);
    let answer = receiver.ingest(Transport::Grpc, Encoding::Protobuf, message)?;
    shared.metrics.took(Transport::Grpc.as_str(), start.elapsed());
    Ok(respond(&answer))
}

/// In front of a message: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// The one message of a call, and whether it is compressed.
fn unframe(body: &[u8]) -> Result<(bool, &[u8]), Refusal> {
    let malformed = |detail: String| {
        Err(Refusal {
            reason: RequestReason::Malformed,
            detail,
        })
    };
    let Some((&[flag, a, b, c, d], message)) = body.split_first_chunk::<PREFIX>() else {
        return malformed("the call has no message".to_owned());
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    match message.len() {
        found if found < length => malformed(format!("the message says {length} bytes where {found} are left")),
        found if found > length => malformed("the call has more than one message".to_owned()),
        _ if flag > 1 => malformed(format!("the message begins with {flag}, which gRPC does not have")),
        _ => Ok((flag == 1, message)),
    }
}

fn respond(answer: &Answer) -> http::Response<Body> {
    let message = answer.encode(Encoding::Protobuf);
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    // An answer is a few kilobytes at most.
    framed.put_u32(message.len() as u32);
    framed.put_slice(&message);
    let trailers = async {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    let mut response = http::Response::new(Body::new(Full::new(framed.freeze()).with_trailers(trailers)));
    let content_type = http::HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    response
}
