//! `/metrics` for a service of one's own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use poem::error::MethodNotAllowedError;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};
use prometheus::Registry;

use super::Instrumentation;
use crate::exposition::{Encoder, Format, Gathered, Negotiation, list_of, negotiate};

/// A family that is always there while the SDK works, but for a namespace in front.
const ALWAYS: &str = "meterbridge_instrument_series";

/// Serves what a registry holds, in the format that the scraper asks for.
///
/// Prometheus text, OpenMetrics 1.0 and 2.0 and protobuf, by `Accept`; gzip by `Accept-Encoding`; GET and HEAD. What
/// `opentelemetry-prometheus` exports into `registry` is there, and whatever else was registered. It is an endpoint like any
/// other: put it behind authentication, or on a port of its own.
///
/// It answers 500 where the registry gives nothing, since an empty answer would look like a service without metrics.
#[derive(Clone)]
pub struct MetricsEndpoint {
    registry: Registry,
    instrumentation: Option<Instrumentation>,
    negotiation: Negotiation,
}

/// Why the meters cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the service's own metrics cannot be gathered; restart it, and report this with the log")]
pub struct GatherError;

impl MetricsEndpoint {
    /// Of everything in the registry.
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            instrumentation: None,
            negotiation: Negotiation::default(),
        }
    }

    /// Adds the exemplars of an instrumentation whose meters are read here.
    #[must_use]
    pub fn exemplars(mut self, instrumentation: &Instrumentation) -> Self {
        self.instrumentation = Some(instrumentation.clone());
        self
    }

    /// The answer to a request with these headers.
    pub(super) async fn answer(&self, method: &Method, headers: &HeaderMap) -> Response {
        let format = negotiate(list_of(headers, header::ACCEPT).as_deref(), &self.negotiation);
        let encoder = Encoder::negotiate(list_of(headers, header::ACCEPT_ENCODING).as_deref());
        let encoding = encoder.name();
        let (this, is_head) = (self.clone(), method == Method::HEAD);
        // Gathering and writing take milliseconds where there are many series.
        let text = tokio::task::spawn_blocking(move || this.render(format, encoder, is_head)).await;
        let response = Response::builder()
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::VARY, "Accept, Accept-Encoding");
        match text.map_err(|error| error.to_string()).and_then(|result| result) {
            Ok(text) => {
                let mut response = response.content_type(format.content_type());
                if let Some(encoding) = encoding {
                    response = response.header(header::CONTENT_ENCODING, encoding);
                }
                response.body(text)
            }
            Err(reason) => response.status(StatusCode::INTERNAL_SERVER_ERROR).body(reason),
        }
    }

    fn render(&self, format: Format, mut encoder: Encoder, is_head: bool) -> std::result::Result<Bytes, String> {
        let families = match &self.instrumentation {
            Some(instrumentation) => instrumentation.gather(&self.registry),
            None => gather(&self.registry),
        };
        let families = families.map_err(|error| error.to_string())?;
        if is_head {
            return Ok(Bytes::new());
        }
        let mut text = Vec::new();
        format.write_all(&mut text, &families);
        let encoded = encoder
            .encode(text)
            .and_then(|piece| Ok([piece, encoder.finish()?].concat().into()));
        encoded.map_err(|error| error.to_string())
    }
}

impl Endpoint for MetricsEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(MethodNotAllowedError.into());
        }
        Ok(self.answer(request.method(), request.headers()).await)
    }
}

impl Instrumentation {
    /// Reads a registry, and gives the families their exemplars.
    pub(crate) fn gather(&self, registry: &Registry) -> std::result::Result<Vec<Gathered>, GatherError> {
        let mut families = gather(registry)?;
        if let Some(shared) = &self.0 {
            // Other collectors may be registered, and would hide that the SDK's has nothing any more.
            let is_alive = |name: &str| name == "target_info" || name.ends_with(ALWAYS);
            if !families.iter().any(|gathered| is_alive(&gathered.family.name)) {
                return Err(GatherError);
            }
            shared.recorder.exemplars().attach(&mut families);
        }
        Ok(families)
    }
}

fn gather(registry: &Registry) -> std::result::Result<Vec<Gathered>, GatherError> {
    let families = catch_unwind(AssertUnwindSafe(|| registry.gather())).map_err(|_| GatherError)?;
    if families.is_empty() {
        return Err(GatherError);
    }
    Ok(families.iter().filter_map(Gathered::of).collect())
}
