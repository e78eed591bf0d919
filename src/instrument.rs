//! Measures and traces the requests of a poem service, by the OpenTelemetry semantic conventions for HTTP servers.
//!
//! [`Instrumentation`] is the middleware; [`Instrumented`] and [`RouteProbe`] tell it which route served a request.
//! Nothing here knows what the service is for.
//!
//! ```no_run
//! use meterbridge::instrument::{Instrumentation, RouteProbe};
//! use poem::{EndpointExt, Route, get, handler};
//!
//! #[handler]
//! fn hello() -> &'static str {
//!     "hello"
//! }
//!
//! let instrumentation = Instrumentation::new(&opentelemetry::global::meter("my-service"));
//! let app = Route::new()
//!     .at("/hello/:name", get(hello).with(RouteProbe::new("/hello/{name}")))
//!     .with(instrumentation);
//! ```
//!
//! # What is recorded
//!
//! | instrument | unit | is |
//! |---|---|---|
//! | `http.server.request.duration` | s | from the parsed head of the request until the last byte of the answer was handed to the transport |
//! | `http.server.active_requests` | {request} | requests whose answer is not finished yet |
//! | `http.server.request.body.size` | By | as transferred; no sample where it is unknown, or where there is no body |
//! | `http.server.response.body.size` | By | as handed to the transport; no sample where no answer was given |
//!
//! `error.type` is the status code for 5xx, otherwise `panic` (the handler panicked, and nobody caught it),
//! `cancelled` (dropped before it answered: the client of an HTTP/2 stream left, or a timeout struck), `aborted`
//! (the body was dropped before its end) or `body_error` (the body itself failed). A 4xx is no error of a server.
//! poem lets an HTTP/1 handler run on when its client has gone, so that case looks like success.

mod body;
mod instruments;
mod openapi;
mod record;
mod request;
mod route;
pub(crate) mod span;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use opentelemetry::{StringValue, metrics::Meter};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, error::NotFoundError};
use tracing::Instrument;

pub use openapi::Instrumented;
pub use route::{ProbedEndpoint, RouteProbe, Unmatched};

use instruments::Instruments;
use record::Record;
use route::RouteSlot;

/// Measures and traces every request that passes through it.
///
/// Put it outermost, so that it sees the method as sent, compressed sizes, and the answers of every other layer; a
/// layer that catches panics belongs directly inside it. Clones share their instruments.
///
/// Each request runs inside a span named `request`, with its method, path and trace id as fields, so that log lines
/// carry them. Where `tracing-opentelemetry` listens, the span becomes an OpenTelemetry server span with the attributes
/// of the conventions, and `openapi.operation_id` where the operation has one. It continues the trace of the caller
/// when a propagator is set with [`opentelemetry::global::set_text_map_propagator`].
#[derive(Clone)]
pub struct Instrumentation {
    instruments: Arc<Instruments>,
    known_methods: Arc<[StringValue]>,
}

impl Instrumentation {
    /// Creates the instruments with `meter`. One application needs one, however many servers it runs.
    pub fn new(meter: &Meter) -> Self {
        Self {
            instruments: Arc::new(Instruments::new(meter)),
            known_methods: request::KNOWN_METHODS.into_iter().map(StringValue::from).collect(),
        }
    }

    /// Replaces the methods that are reported by name; any other becomes `_OTHER`.
    ///
    /// The conventions ask for such an override, and name the variable `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` for
    /// those who take it from the environment.
    #[must_use]
    pub fn with_known_methods(mut self, methods: impl IntoIterator<Item = String>) -> Self {
        self.known_methods = methods.into_iter().map(StringValue::from).collect();
        self
    }
}

impl<E: Endpoint> Middleware<E> for Instrumentation {
    type Output = MeasuredEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        MeasuredEndpoint {
            inner,
            instrumentation: self.clone(),
        }
    }
}

/// The endpoint that [`Instrumentation`] makes. It turns errors into responses, to measure those as well.
pub struct MeasuredEndpoint<E> {
    inner: E,
    instrumentation: Instrumentation,
}

impl<E: Endpoint> Endpoint for MeasuredEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let Instrumentation {
            instruments,
            known_methods,
        } = &self.instrumentation;
        let slot = RouteSlot::default();
        // Routing rewrites the path for those inside a nest, so it is read before.
        let uri = request.uri().clone();
        let record = Record::begin(instruments.clone(), known_methods, &mut request, slot.clone());
        request.set_data(slot);

        let span = record.span().clone();
        let response = match self.inner.call(request).instrument(span).await {
            Ok(output) => output.into_response(),
            Err(error) => {
                let unmatched = error.is::<NotFoundError>();
                let mut response = error.into_response();
                if unmatched {
                    response.set_data(Unmatched);
                }
                response
            }
        };
        Ok(record.answer(response, uri.path()))
    }
}
