//! The instruments of the semantic conventions for HTTP servers, and what they are recorded with.

use std::sync::Arc;

use opentelemetry::KeyValue;
#[cfg(feature = "bound-instruments")]
use opentelemetry::metrics::BoundHistogram;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

use super::histogram::Bounds;

/// The bounds that the semantic conventions advise, in seconds.
pub(super) const DURATION_BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The conventions leave these open, and the SDK's own end at 10 kB: powers of four, 256 B to 16 MiB.
pub(super) const SIZE_BOUNDS: [f64; 9] = [
    256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
];

/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// One histogram of the SDK.
pub(super) struct Measure {
    histogram: Unit,
    pub(super) bounds: Bounds,
    /// The name that `opentelemetry-prometheus` gives to it.
    pub(super) family: &'static str,
}

enum Unit {
    Seconds(Histogram<f64>),
    Bytes(Histogram<u64>),
}

impl Measure {
    fn seconds(meter: &Meter, name: &'static str, family: &'static str, help: &'static str, bounds: &[f64]) -> Self {
        let builder = meter.f64_histogram(name).with_unit("s").with_description(help);
        Self {
            histogram: Unit::Seconds(builder.with_boundaries(bounds.to_vec()).build()),
            bounds: Bounds::new(bounds, NANOS),
            family,
        }
    }

    fn bytes(meter: &Meter, name: &'static str, family: &'static str, help: &'static str, bounds: &[f64]) -> Self {
        let builder = meter.u64_histogram(name).with_unit("By").with_description(help);
        Self {
            histogram: Unit::Bytes(builder.with_boundaries(bounds.to_vec()).build()),
            bounds: Bounds::new(bounds, 1.0),
            family,
        }
    }

    /// How many of what is counted make one of what is shown.
    pub(super) fn unit(&self) -> f64 {
        match self.histogram {
            Unit::Seconds(_) => NANOS,
            Unit::Bytes(_) => 1.0,
        }
    }

    #[cfg(feature = "bound-instruments")]
    pub(super) fn bind(&self, attributes: &Arc<[KeyValue]>) -> Bound {
        match &self.histogram {
            Unit::Seconds(histogram) => Bound::Seconds(histogram.bind(attributes)),
            Unit::Bytes(histogram) => Bound::Bytes(histogram.bind(attributes)),
        }
    }

    #[cfg(not(feature = "bound-instruments"))]
    pub(super) fn bind(&self, attributes: &Arc<[KeyValue]>) -> Bound {
        let attributes = Arc::clone(attributes);
        match &self.histogram {
            Unit::Seconds(histogram) => Bound::Seconds(histogram.clone(), attributes),
            Unit::Bytes(histogram) => Bound::Bytes(histogram.clone(), attributes),
        }
    }
}

/// A histogram with the attributes of a series.
#[cfg(feature = "bound-instruments")]
pub(super) enum Bound {
    Seconds(BoundHistogram<f64>),
    Bytes(BoundHistogram<u64>),
}

/// A histogram and the attributes of a series, which the SDK looks up each time.
#[cfg(not(feature = "bound-instruments"))]
pub(super) enum Bound {
    Seconds(Histogram<f64>, Arc<[KeyValue]>),
    Bytes(Histogram<u64>, Arc<[KeyValue]>),
}

impl Bound {
    #[cfg(feature = "bound-instruments")]
    pub(super) fn record(&self, value: u64) {
        match self {
            Self::Seconds(histogram) => histogram.record(value as f64 / NANOS),
            Self::Bytes(histogram) => histogram.record(value),
        }
    }

    #[cfg(not(feature = "bound-instruments"))]
    pub(super) fn record(&self, value: u64) {
        match self {
            Self::Seconds(histogram, attributes) => histogram.record(value as f64 / NANOS, attributes),
            Self::Bytes(histogram, attributes) => histogram.record(value, attributes),
        }
    }
}

/// The histograms that a request is recorded in.
pub(super) struct Measures([Option<Measure>; Self::COUNT]);

impl Measures {
    pub(super) const COUNT: usize = 4;
    pub(super) const DURATION: usize = 0;
    pub(super) const REQUEST_SIZE: usize = 1;
    pub(super) const RESPONSE_SIZE: usize = 2;
    pub(super) const TIME_TO_HEAD: usize = 3;

    /// Those that are wanted; the duration always is.
    pub(super) fn new(meter: &Meter, durations: &[f64], sizes: Option<&[f64]>, time_to_head: bool) -> Self {
        let size = |name, family, help| sizes.map(|bounds| Measure::bytes(meter, name, family, help, bounds));
        Self([
            Some(Measure::seconds(
                meter,
                "http.server.request.duration",
                "http_server_request_duration_seconds",
                "Duration of HTTP server requests.",
                durations,
            )),
            size(
                "http.server.request.body.size",
                "http_server_request_body_size_bytes",
                "Size of HTTP server request bodies.",
            ),
            size(
                "http.server.response.body.size",
                "http_server_response_body_size_bytes",
                "Size of HTTP server response bodies.",
            ),
            time_to_head.then(|| {
                Measure::seconds(
                    meter,
                    "http.server.response.head.duration",
                    "http_server_response_head_duration_seconds",
                    "Time until the head of an HTTP server response was there.",
                    durations,
                )
            }),
        ])
    }

    pub(super) fn all(&self) -> &[Option<Measure>; Self::COUNT] {
        &self.0
    }
}

/// The instruments that are counters.
pub(super) struct Counters {
    pub(super) active: UpDownCounter<i64>,
    pub(super) series: UpDownCounter<i64>,
    pub(super) overflow: Counter<u64>,
}

impl Counters {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            active: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Number of active HTTP server requests.")
                .build(),
            series: meter
                .i64_up_down_counter("meterbridge.instrument.series")
                .with_unit("{series}")
                .with_description("Series of HTTP server requests that the instrumentation keeps apart.")
                .build(),
            overflow: meter
                .u64_counter("meterbridge.instrument.overflow")
                .with_unit("{request}")
                .with_description(
                    "HTTP server requests that were recorded without their attributes, beyond the most series.",
                )
                .build(),
        }
    }
}
