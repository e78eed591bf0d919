//! The service watching itself: every own metric in one place, and how logs and traces are set up.
//!
//! `docs/metrics.md` lists what is defined here, and a test holds the two together.

pub mod logs;
pub mod refusals;
pub mod traces;
mod process;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::exposition::Gathered;
use crate::instrument::{GatherError, Instrumentation};
use crate::model::{PointReason, RequestReason};
use crate::otlp::Kind;
use crate::store::Store;
use crate::translate::{Advice, Outcome};

/// Bounds in seconds for what takes from a part of a millisecond to seconds.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// The meters of the service, and the registry through which they are read.
#[derive(Debug)]
pub struct Telemetry {
    registry: prometheus::Registry,
    /// Held, since its meters end with it.
    _provider: SdkMeterProvider,
    /// Measures the endpoints.
    pub instrumentation: Instrumentation,
    /// The bridge's own instruments.
    pub metrics: Arc<Metrics>,
}

/// The instruments of the bridge.
#[derive(Debug)]
pub struct Metrics {
    points_accepted: Counter<u64>,
    points_refused: Counter<u64>,
    points_ignored: Counter<u64>,
    requests: Counter<u64>,
    requests_refused: Counter<u64>,
    request_bytes: Counter<u64>,
    request_duration: Histogram<f64>,
    last_push: Gauge<f64>,
    advice: Counter<u64>,
    collisions: Counter<u64>,
    delta_gaps: Counter<u64>,
    scrapes: Counter<u64>,
    scrape_duration: Histogram<f64>,
    scrape_bytes: Gauge<u64>,
}

impl Telemetry {
    /// Makes the meters. `store` is what some of them observe.
    ///
    /// # Errors
    ///
    /// Only where the exporter cannot be registered, which has one registry to itself here.
    pub fn new(resource: Resource, store: &Arc<Store>) -> Result<Self, opentelemetry_sdk::error::OTelSdkError> {
        let registry = prometheus::Registry::new();
        // One scope has each metric, so scope labels would only lengthen the lines.
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(|error| opentelemetry_sdk::error::OTelSdkError::InternalFailure(error.to_string()))?;
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(exporter)
            .build();
        let meter = provider.meter("meterbridge");
        observe_store(&meter, store);
        process::observe(&meter);
        let metrics = Arc::new(Metrics::new(&meter));
        Ok(Self {
            registry,
            instrumentation: Instrumentation::new(&provider),
            _provider: provider,
            metrics,
        })
    }

    /// Reads all instruments.
    ///
    /// # Errors
    ///
    /// Where nothing comes: a broken pipeline of the SDK gives an empty answer, and a scrape that succeeds with nothing in
    /// it would hide that.
    pub fn gather(&self) -> Result<Vec<Gathered>, GatherError> {
        self.instrumentation.gather(&self.registry)
    }
}

impl Metrics {
    fn new(meter: &Meter) -> Self {
        let counter = |name: &'static str, description: &'static str| {
            meter.u64_counter(name).with_description(description).build()
        };
        let seconds = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        let metrics = Self {
            points_accepted: counter("meterbridge.points.accepted", "Data points that were accepted."),
            points_refused: counter("meterbridge.points.refused", "Data points that were refused."),
            points_ignored: counter(
                "meterbridge.points.ignored",
                "Accepted data points without effect: a newer one is held, or the delta was counted before.",
            ),
            requests: counter("meterbridge.requests", "OTLP requests over both transports."),
            requests_refused: counter(
                "meterbridge.requests.refused",
                "OTLP requests that were refused as a whole.",
            ),
            request_bytes: meter
                .u64_counter("meterbridge.request")
                .with_unit("By")
                .with_description("Bytes of OTLP requests as they came, still compressed.")
                .build(),
            request_duration: seconds(
                "meterbridge.request.duration",
                "Time from the head of an OTLP request to its answer, reading it included.",
            ),
            last_push: meter
                .f64_gauge("meterbridge.last_push.timestamp")
                .with_unit("s")
                .with_description("When points were last accepted, in seconds since the Unix epoch.")
                .build(),
            advice: counter(
                "meterbridge.advice",
                "Times that there was reason for advice to a sender.",
            ),
            collisions: counter(
                "meterbridge.collisions",
                "Points that met another stream in their series, and families and series that a scrape left out beside others.",
            ),
            delta_gaps: counter(
                "meterbridge.delta.gaps",
                "Times that something was missing between a delta and those before it.",
            ),
            scrapes: counter("meterbridge.scrapes", "Scrapes, by path."),
            scrape_duration: seconds(
                "meterbridge.scrape.duration",
                "Time to write a scrape, sending it included.",
            ),
            scrape_bytes: meter
                .u64_gauge("meterbridge.scrape")
                .with_unit("By")
                .with_description("Size of the latest scrape, by path, before it is compressed.")
                .build(),
        };
        build_info(meter);
        metrics.start_at_zero();
        metrics
    }

    /// A counter that appears with its first event hides that event from `rate()`; these are there from the start.
    fn start_at_zero(&self) {
        for kind in Kind::WORDS {
            self.points_accepted.add(0, &[KeyValue::new("kind", kind)]);
        }
        for reason in PointReason::ALL {
            self.points_refused.add(0, &[KeyValue::new("reason", reason.as_str())]);
        }
        for reason in RequestReason::ALL {
            self.requests_refused
                .add(0, &[KeyValue::new("reason", reason.as_str())]);
        }
        for advice in Advice::ALL {
            self.advice.add(0, &[KeyValue::new("kind", advice.as_str())]);
        }
        for counter in [&self.points_ignored, &self.collisions, &self.delta_gaps] {
            counter.add(0, &[]);
        }
    }

    /// Counts a request that was decoded, and its points.
    pub fn took_in(&self, transport: &'static str, encoding: &'static str, outcome: &Outcome) {
        let word = if outcome.total_refused() == 0 {
            "accepted"
        } else {
            "partial"
        };
        self.count_request(transport, encoding, word);
        for (kind, count) in outcome.accepted().filter(|(_, count)| *count > 0) {
            self.points_accepted.add(count, &[KeyValue::new("kind", kind)]);
        }
        for (reason, count) in outcome.refused() {
            self.points_refused
                .add(count, &[KeyValue::new("reason", reason.as_str())]);
        }
        for (advice, count) in outcome.advised() {
            self.advice.add(count, &[KeyValue::new("kind", advice.as_str())]);
        }
        self.points_ignored.add(outcome.ignored, &[]);
        self.collisions.add(outcome.collisions, &[]);
        self.delta_gaps.add(outcome.gaps, &[]);
        if outcome.total_accepted() > 0 {
            let now = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            self.last_push.record(now.as_secs_f64(), &[]);
        }
    }

    /// Counts a request that was refused as a whole.
    pub fn refused_request(&self, transport: &'static str, encoding: &'static str, reason: RequestReason) {
        self.count_request(transport, encoding, "refused");
        self.requests_refused
            .add(1, &[KeyValue::new("reason", reason.as_str())]);
    }

    fn count_request(&self, transport: &'static str, encoding: &'static str, outcome: &'static str) {
        let attributes = [
            KeyValue::new("encoding", encoding),
            KeyValue::new("outcome", outcome),
            KeyValue::new("transport", transport),
        ];
        self.requests.add(1, &attributes);
    }

    /// Counts the bytes of a request as they came.
    pub fn received(&self, transport: &'static str, compression: &'static str, bytes: usize) {
        let attributes = [
            KeyValue::new("compression", compression),
            KeyValue::new("transport", transport),
        ];
        self.request_bytes.add(bytes as u64, &attributes);
    }

    /// Records how long a request took that was not refused.
    pub fn took(&self, transport: &'static str, duration: Duration) {
        self.request_duration
            .record(duration.as_secs_f64(), &[KeyValue::new("transport", transport)]);
    }

    /// Counts a scrape that was written to its end, or as far as the scraper wanted it.
    pub fn scraped(&self, path: &'static str, bytes: u64, duration: Duration, left_out: u64) {
        let path = [KeyValue::new("path", path)];
        self.scrapes.add(1, &path);
        self.scrape_duration.record(duration.as_secs_f64(), &path);
        self.scrape_bytes.record(bytes, &path);
        self.collisions.add(left_out, &[]);
    }
}

fn build_info(meter: &Meter) {
    let version = [KeyValue::new("version", env!("CARGO_PKG_VERSION"))];
    meter
        .u64_gauge("meterbridge.build_info")
        .with_description("1, with the version of this build.")
        .build()
        .record(1, &version);
}

fn observe_store(meter: &Meter, store: &Arc<Store>) {
    let gauge = |name: &'static str, description: &'static str, read: fn(&Store) -> usize| {
        let store = Arc::clone(store);
        meter
            .u64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |observer| contained(|| observer.observe(read(&store) as u64, &[])))
            .build();
    };
    let expired = Arc::clone(store);
    meter
        .u64_observable_counter("meterbridge.series.expired")
        .with_description("Series that expired.")
        .with_callback(move |observer| contained(|| observer.observe(expired.expired(), &[])))
        .build();
    gauge("meterbridge.series", "Series that are held.", Store::series);
    gauge(
        "meterbridge.series.limit",
        "The most series that are held at a time; 0 is no limit.",
        |store| store.limits().series,
    );
    gauge(
        "meterbridge.sources",
        "Sources (pairs of job and instance) that are held.",
        Store::source_count,
    );
}

/// Runs what is called while meters are read: a panic in there would end all metrics for the life of the process
/// (opentelemetry-rust issue 3640).
fn contained(observe: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(observe)).is_err() {
        tracing::error!("an own metric could not be read");
    }
}
