//! Measures and traces the requests of a poem service, by the OpenTelemetry semantic conventions for HTTP servers.
//!
//! [`Instrumentation`] is the middleware; [`Instrumented`] and [`RouteProbe`] tell it which route served a request.
//! Nothing here knows what the service is for.
//!
//! ```
//! use meterbridge::instrument::{Instrumentation, MetricsEndpoint};
//! use opentelemetry_sdk::metrics::SdkMeterProvider;
//! use poem::{EndpointExt, Route, get, handler};
//!
//! #[handler]
//! fn hello() -> &'static str {
//!     "hello"
//! }
//!
//! let registry = prometheus::Registry::new();
//! let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
//! let provider = SdkMeterProvider::builder().with_reader(exporter).build();
//!
//! let instrumentation = Instrumentation::new(&provider);
//! let metrics = MetricsEndpoint::new(registry).exemplars(&instrumentation);
//! let app = Route::new()
//!     .at("/hello/:name", get(hello))
//!     .at("/metrics", metrics)
//!     .with(instrumentation);
//! # let _ = app;
//! # Ok::<(), opentelemetry_sdk::error::OTelSdkError>(())
//! ```
//!
//! What is recorded, every option, and what it costs is told in `docs/instrumentation.md`.

mod active;
#[doc(hidden)]
pub mod bench;
mod body;
mod builder;
mod exemplars;
mod histogram;
mod in_flight;
mod instruments;
mod labeler;
mod metrics_api;
mod metrics_endpoint;
mod openapi;
mod options;
mod record;
mod recorder;
mod request;
mod route;
mod series;
mod shards;
pub(crate) mod span;
#[cfg(test)]
mod tests;

/// The examples of the page, so that they are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/instrumentation.md")]
struct Page;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::metrics::MeterProvider;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, error::NotFoundError};
use tracing::Instrument;

pub use builder::InstrumentationBuilder;
pub use labeler::Labeler;
pub use metrics_api::MetricsApi;
pub use metrics_endpoint::{GatherError, MetricsEndpoint};
pub use openapi::Instrumented;
pub use options::{DurationEnd, RequestRecord, Untemplated};
pub use route::{ProbedEndpoint, RouteProbe, Unmatched};

use options::Options;
use record::Record;
use recorder::Recorder;

/// Measures and traces every request that passes through it.
///
/// Put it outermost, so that it sees the method as sent, compressed sizes, and the answers of every other layer; a
/// layer that catches panics belongs directly inside it. Clones share what they have counted.
///
/// Each request runs inside a span named `request`, with its method, path and trace id as fields, so that log lines
/// carry them. Where `tracing-opentelemetry` listens, the span becomes an OpenTelemetry server span with the attributes
/// of the conventions, and `openapi.operation_id` where the operation has one. It continues the trace of the caller
/// when a propagator is set with [`opentelemetry::global::set_text_map_propagator`].
#[derive(Clone)]
pub struct Instrumentation(Option<Arc<Shared>>);

/// What all clones share.
struct Shared {
    recorder: Arc<Recorder>,
    options: Options,
}

impl Instrumentation {
    /// With the instruments of `provider`, and every option as the conventions have it. One application needs one, however
    /// many servers it runs.
    ///
    /// The environment is asked as [`Instrumentation::builder`] says.
    pub fn new(provider: &(impl MeterProvider + ?Sized)) -> Self {
        Self::builder(provider).build()
    }

    /// With options.
    ///
    /// `OTEL_SDK_DISABLED=true` leaves everything out, and `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` is a list of methods that
    /// replaces the known ones.
    pub fn builder(provider: &(impl MeterProvider + ?Sized)) -> InstrumentationBuilder {
        InstrumentationBuilder::new(provider, |name| std::env::var(name).ok())
    }
}

impl fmt::Debug for Instrumentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumentation")
            .field("enabled", &self.0.is_some())
            .finish_non_exhaustive()
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
        let shared = self.instrumentation.0.as_ref();
        let Some(shared) = shared.filter(|shared| !shared.options.excludes(&request)) else {
            return Ok(answer(self.inner.call(request).await));
        };
        let record = Record::begin(shared, &mut request);
        let result = match record.span().cloned() {
            Some(span) => self.inner.call(request).instrument(span).await,
            None => self.inner.call(request).await,
        };
        Ok(record.answer(answer(result)))
    }
}

fn answer(result: Result<impl IntoResponse>) -> Response {
    match result {
        Ok(output) => output.into_response(),
        Err(error) => {
            let unmatched = error.is::<NotFoundError>();
            let mut response = error.into_response();
            if unmatched {
                response.set_data(Unmatched);
            }
            response
        }
    }
}

/// Runs what must not fail a request, nor the reading of the meters: a panic in a callback of the SDK would end all metrics for
/// the life of the process (opentelemetry-rust issue 3640).
fn contained(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        tracing::error!("a panic in what observes requests was caught; the request is not affected");
    }
}
