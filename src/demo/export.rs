use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use parking_lot::Mutex;

use super::service::Service;

/// How often each service sends.
const INTERVAL: Duration = Duration::from_secs(5);

/// How the exports of all services went.
#[derive(Debug, Default)]
pub(super) struct Tally {
    succeeded: AtomicU64,
    failed: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Tally {
    pub(super) fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Why the latest failed export failed; none while they go through.
    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    fn count(&self, result: &OTelSdkResult) {
        match result {
            Ok(()) => {
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                *self.last_error.lock() = None;
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                *self.last_error.lock() = Some(
                    error
                        .to_string()
                        .lines()
                        .next()
                        .unwrap_or("")
                        .chars()
                        .take(160)
                        .collect(),
                );
            }
        }
    }
}

/// An exporter whose exports are counted.
struct Counted {
    exporter: MetricExporter,
    tally: Arc<Tally>,
}

impl PushMetricExporter for Counted {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = self.exporter.export(metrics).await;
        self.tally.count(&result);
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// The SDK of one service, sending to `endpoint`.
pub(super) fn provider(service: &Service, endpoint: &str, tally: &Arc<Tally>) -> Result<SdkMeterProvider, String> {
    let exporter = Counted {
        exporter: exporter(endpoint)?,
        tally: Arc::clone(tally),
    };
    let mut attributes = vec![
        KeyValue::new("service.instance.id", service.instance),
        KeyValue::new("service.version", service.version),
        KeyValue::new("deployment.environment.name", "demo"),
        KeyValue::new("host.name", format!("{}.demo.example", service.instance)),
    ];
    if !service.namespace.is_empty() {
        attributes.push(KeyValue::new("service.namespace", service.namespace));
    }
    let resource = Resource::builder()
        .with_service_name(service.name)
        .with_attributes(attributes)
        .build();
    let reader = PeriodicReader::builder(exporter).with_interval(INTERVAL).build();
    Ok(SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(reader)
        .build())
}

/// HTTP where the port or the path says so, else gRPC.
fn exporter(endpoint: &str) -> Result<MetricExporter, String> {
    let url: http::Uri = endpoint.parse().map_err(|error| format!("{error}"))?;
    if url.scheme_str() != Some("http") || url.authority().is_none() {
        return Err("it has to be http://HOST:PORT".to_owned());
    }
    let is_http = url.port_u16() == Some(4318) || url.path().ends_with("/v1/metrics");
    let exporter = if is_http {
        let base = endpoint.trim_end_matches('/');
        let url = if base.ends_with("/v1/metrics") {
            base.to_owned()
        } else {
            format!("{base}/v1/metrics")
        };
        MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .build()
    } else {
        MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()
    };
    exporter.map_err(|error| error.to_string())
}
