//! Where the spans of the service go: to the OTLP receiver that the standard variables name, or nowhere.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::Uri;
use opentelemetry::global;
use opentelemetry_otlp::{self as otlp, ExporterBuildError, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::runtime::Handle;

use super::logs::Throttle;

/// The time between two lines about exports that fail.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// An OTLP receiver for spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Its URL; for HTTP with the path.
    pub endpoint: String,
}

/// A transport of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`
    Grpc,
    /// `http/protobuf`
    HttpProtobuf,
}

/// Why spans cannot be exported as asked.
#[derive(thiserror::Error, Debug)]
pub enum TracesError {
    /// A variable has a value that is not supported.
    #[error("{variable} is '{value}', which is not supported; it may be {accepted}")]
    Unsupported {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        accepted: &'static str,
    },
    /// The endpoint is not a URL that can be used.
    #[error("{variable} is '{value}', which is not a URL of the form http://host:port; TLS is not built in")]
    Endpoint {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// The exporter refuses its settings.
    #[error("cannot export traces: {0}")]
    Exporter(#[from] ExporterBuildError),
}

impl Destination {
    /// Where the standard variables send spans, if anywhere. An empty variable counts as unset.
    ///
    /// Only `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` turns the export on: the default
    /// endpoint of the specification would as a rule be this very service. `OTEL_TRACES_EXPORTER=none` and
    /// `OTEL_SDK_DISABLED=true` turn it off again.
    ///
    /// # Errors
    ///
    /// When the exporter, the protocol or the endpoint is one that is not supported.
    pub fn from_env(get_env: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, TracesError> {
        let first_set = |variables: [&'static str; 2]| {
            let mut set = variables
                .into_iter()
                .filter_map(|variable| Some((variable, get_env(variable)?)));
            set.find(|(_, value)| !value.is_empty())
        };
        let disabled = get_env("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let exporter = get_env("OTEL_TRACES_EXPORTER").unwrap_or_default();
        let wanted = match exporter.as_str() {
            "" | "otlp" => !disabled,
            "none" => false,
            _ => {
                let variable = "OTEL_TRACES_EXPORTER";
                return Err(TracesError::Unsupported {
                    variable,
                    value: exporter,
                    accepted: "otlp or none",
                });
            }
        };
        let endpoint = first_set([
            otlp::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
            otlp::OTEL_EXPORTER_OTLP_ENDPOINT,
        ]);
        let Some((endpoint_variable, endpoint)) = endpoint.filter(|_| wanted) else {
            return Ok(None);
        };

        let protocol = first_set([
            otlp::OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
            otlp::OTEL_EXPORTER_OTLP_PROTOCOL,
        ]);
        let protocol = match protocol {
            None => Protocol::HttpProtobuf,
            Some((_, value)) if value == "http/protobuf" => Protocol::HttpProtobuf,
            Some((_, value)) if value == "grpc" => Protocol::Grpc,
            Some((variable, value)) => {
                return Err(TracesError::Unsupported {
                    variable,
                    value,
                    accepted: "grpc or http/protobuf",
                });
            }
        };

        let plain = |uri: &Uri| uri.scheme_str() == Some("http") && uri.authority().is_some();
        if !endpoint.parse().is_ok_and(|uri| plain(&uri)) {
            return Err(TracesError::Endpoint {
                variable: endpoint_variable,
                value: endpoint,
            });
        }
        // The endpoint of one signal is used as it stands, the common one is a base to append to (OTLP exporter
        // specification, "Endpoint URLs for OTLP/HTTP"). gRPC has no path of its own choosing.
        let append = protocol == Protocol::HttpProtobuf && endpoint_variable == otlp::OTEL_EXPORTER_OTLP_ENDPOINT;
        let endpoint = match append {
            true => format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            false => endpoint,
        };
        Ok(Some(Self { protocol, endpoint }))
    }
}

/// Makes the tracer provider of the service, and lets incoming requests continue their traces (W3C Trace Context).
///
/// Spans go in batches, from a thread of their own, to the [`Destination`] of the environment. Where there is none,
/// spans only get ids, for the log. The exporter takes headers, timeout and compression from the environment of the
/// process itself (`OTEL_EXPORTER_OTLP_…`), as the SDK does the sampler and the sizes of batches.
///
/// It may be called inside or outside the async runtime. The gRPC exporter works on `runtime`, which has to live, and
/// to have a thread that is not blocked, until the provider is shut down. Shutting down or flushing the provider
/// blocks, so an async caller does it by `spawn_blocking`.
///
/// A failing export costs the spans, never a request. It is logged once a minute at most.
///
/// # Errors
///
/// When the environment asks for an export that is not supported.
pub fn provider(
    resource: Resource,
    get_env: impl Fn(&str) -> Option<String>,
    runtime: &Handle,
) -> Result<SdkTracerProvider, TracesError> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(Destination { protocol, endpoint }) = Destination::from_env(get_env)? else {
        // Nobody will see the spans, so nothing is kept of them but their ids.
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = otlp::SpanExporter::builder();
    let exporter = match protocol {
        Protocol::Grpc => {
            // The channel spawns its worker where it is made.
            let _entered = runtime.enter();
            exporter
                .with_tonic()
                .with_endpoint(endpoint)
                .with_protocol(otlp::Protocol::Grpc)
                .build()?
        }
        Protocol::HttpProtobuf => exporter
            .with_http()
            .with_endpoint(endpoint)
            .with_protocol(otlp::Protocol::HttpBinary)
            .build()?,
    };
    Ok(builder.with_batch_exporter(Reported::new(exporter)).build())
}

/// Says so in the log when an export fails; the SDK keeps it to itself.
#[derive(Debug)]
struct Reported<E> {
    inner: E,
    throttle: Arc<Throttle<()>>,
}

impl<E> Reported<E> {
    fn new(inner: E) -> Self {
        Self {
            inner,
            throttle: Arc::new(Throttle::new(REPORT_INTERVAL)),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Reported<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        if let Err(error) = &result
            && let Some(suppressed) = self.throttle.pass((), Instant::now())
        {
            tracing::warn!(%error, spans, suppressed, "spans could not be exported, and are lost");
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
