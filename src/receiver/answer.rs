use std::time::Duration;

use poem::http::StatusCode;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::model::RequestReason;
use crate::otlp::Encoding;
use crate::translate::Outcome;

/// After how long a sender may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What a peer reads of a message at least, and enough for a person.
const MAX_MESSAGE_BYTES: usize = 8 << 10;

/// The answer to a request that was decoded: full or partial success (conformance P-01, P-02).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    rejected: u64,
    message: Option<String>,
}

/// The refusal of a whole request. HTTP status and gRPC code are chosen here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The word that is counted.
    pub reason: RequestReason,
    /// What was wrong and what to do, without the reason in front.
    pub detail: String,
}

// message ExportMetricsServiceResponse { ExportMetricsPartialSuccess partial_success = 1; }
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

// message ExportMetricsPartialSuccess { int64 rejected_data_points = 1; string error_message = 2; }
#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_data_points: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

// message google.rpc.Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl Answer {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let message = outcome.message().map(|message| shorten(&message).to_owned());
        Self {
            rejected: outcome.total_refused(),
            message,
        }
    }

    /// The body of the answer.
    pub(super) fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => {
                let partial_success = self.message.as_ref().map(|message| PartialSuccess {
                    rejected_data_points: i64::try_from(self.rejected).unwrap_or(i64::MAX),
                    error_message: message.clone(),
                });
                Response { partial_success }.encode_to_vec()
            }
            Encoding::Json => match &self.message {
                // 64-bit numbers are text in JSON.
                Some(message) => serde_json::json!({
                    "partialSuccess": { "rejectedDataPoints": self.rejected.to_string(), "errorMessage": message }
                })
                .to_string()
                .into_bytes(),
                None => b"{}".to_vec(),
            },
        }
    }
}

impl Refusal {
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the message has more than {limit} bytes (--max-request-bytes); send smaller batches");
        Self {
            reason: RequestReason::RequestTooLarge,
            detail,
        }
    }

    /// Both numbers for one reason, as the table *Reasons* of the conformance page has them.
    fn codes(&self) -> (StatusCode, Code) {
        match self.reason {
            RequestReason::Malformed | RequestReason::InvalidUtf8 => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
            RequestReason::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted),
            RequestReason::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented),
            RequestReason::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument),
            RequestReason::UnsupportedSignal => (StatusCode::NOT_FOUND, Code::Unimplemented),
            RequestReason::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        }
    }

    fn message(&self) -> String {
        shorten(&format!("{}: {}", self.reason, self.detail)).to_owned()
    }

    pub(super) fn http_status(&self) -> StatusCode {
        self.codes().0
    }

    /// Seconds for the header `Retry-After`; only what passes by itself may be sent again (conformance P-05).
    pub(super) fn retry_after(&self) -> Option<u64> {
        (self.reason == RequestReason::Overloaded).then_some(RETRY_AFTER.as_secs())
    }

    /// A `google.rpc.Status`, which is what the body of an error is (conformance P-04).
    pub(super) fn encode(&self, encoding: Encoding) -> Vec<u8> {
        let status = RpcStatus {
            code: self.codes().1.into(),
            message: self.message(),
        };
        match encoding {
            Encoding::Protobuf => status.encode_to_vec(),
            Encoding::Json => serde_json::json!({ "code": status.code, "message": status.message })
                .to_string()
                .into_bytes(),
        }
    }

    pub(super) fn grpc_status(&self) -> Status {
        let code = self.codes().1;
        match self.retry_after() {
            // Without it clients do not send again (conformance P-05).
            Some(_) => {
                let details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
                Status::with_error_details(code, self.message(), details)
            }
            None => Status::new(code, self.message()),
        }
    }
}

fn shorten(message: &str) -> &str {
    &message[..message.floor_char_boundary(MAX_MESSAGE_BYTES)]
}
