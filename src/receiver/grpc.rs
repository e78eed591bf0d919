use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{Service, http};
use tonic::server::{ClientStreamingService, Grpc};
use tonic::{Code, Status, Streaming};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::body::Compression;
use super::budget::Reservation;
use super::{Answer, Encoding, Receiver, Refusal, Transport};
use crate::instrument::span::{continue_trace, start};
use crate::model::RequestReason;

const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// The gRPC service, on the bytes of the messages: tonic frames, inflates and limits them, and they go to the same
/// function as those of HTTP.
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
                    refusal.grpc_status().into_http()
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
    let reservation = Arc::new(receiver.shared.budget.reserve());
    let request = request.map(|body| Metered {
        body,
        reservation: Arc::clone(&reservation),
    });
    let mut grpc = Grpc::new(RawCodec)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(receiver.shared.max_request_bytes);
    // One message in, one out: on the wire this is what a unary call is, but here it is ours to read the message, and to
    // say what is wrong where it cannot be read.
    Ok(grpc
        .client_streaming(
            Export {
                receiver: receiver.clone(),
                compression,
                reservation,
            },
            request,
        )
        .await)
}

struct Export {
    receiver: Receiver,
    compression: Compression,
    reservation: Arc<Reservation>,
}

impl ClientStreamingService<Bytes> for Export {
    type Response = Vec<u8>;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Vec<u8>>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let receiver = self.receiver.clone();
        let reservation = Arc::clone(&self.reservation);
        let compression = self.compression;
        Box::pin(async move {
            let start = Instant::now();
            let result = take(&receiver, request.into_inner(), compression, &reservation).await;
            match result {
                Ok(answer) => {
                    receiver.shared.metrics.took(Transport::Grpc.as_str(), start.elapsed());
                    Ok(tonic::Response::new(answer.encode(Encoding::Protobuf)))
                }
                Err(refusal) => {
                    receiver.refused(Transport::Grpc, Some(Encoding::Protobuf), &refusal);
                    Err(refusal.grpc_status())
                }
            }
        })
    }
}

async fn take(
    receiver: &Receiver,
    mut messages: Streaming<Bytes>,
    compression: Compression,
    reservation: &Reservation,
) -> Result<Answer, Refusal> {
    let limit = receiver.shared.max_request_bytes;
    let message = messages.message().await.map_err(|status| unreadable(&status, limit))?;
    let message = message.ok_or_else(|| Refusal {
        reason: RequestReason::Malformed,
        detail: "the call has no message".to_owned(),
    })?;
    receiver
        .shared
        .metrics
        .received(Transport::Grpc.as_str(), compression.as_str(), reservation.taken());
    receiver.ingest_beside(Transport::Grpc, Encoding::Protobuf, &message)
}

/// What tonic says of a message that it could not read, in our words. Its OUT_OF_RANGE for a message that is too long would
/// be sent again without end (conformance P-06).
fn unreadable(status: &Status, limit: usize) -> Refusal {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Refusal::too_large(limit),
        Code::Unavailable => Refusal {
            reason: RequestReason::Overloaded,
            detail: status.message().to_owned(),
        },
        Code::Unimplemented => Refusal {
            reason: RequestReason::UnsupportedEncoding,
            detail: status.message().to_owned(),
        },
        _ => Refusal {
            reason: RequestReason::Malformed,
            detail: status.message().to_owned(),
        },
    }
}

/// A body that counts its bytes against the budget while they come.
struct Metered {
    body: Body,
    reservation: Arc<Reservation>,
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Err(refusal) = self.reservation.take(data.len())
        {
            return Poll::Ready(Some(Err(Status::unavailable(refusal.detail))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Hands messages over as they are.
#[derive(Clone, Copy, Debug)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
