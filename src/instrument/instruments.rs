//! The instruments of the semantic conventions for HTTP servers.

use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};

/// The bounds that the semantic conventions advise, in seconds.
const DURATION_BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The conventions leave these open, and the SDK's own end at 10 kB: powers of four, 256 B to 16 MiB.
const SIZE_BOUNDS: [f64; 9] = [
    256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
];

/// What every request is recorded with.
pub(super) struct Instruments {
    pub(super) duration: Histogram<f64>,
    pub(super) active: UpDownCounter<i64>,
    pub(super) request_size: Histogram<u64>,
    pub(super) response_size: Histogram<u64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let size = |name: &'static str, description: &'static str| {
            let histogram = meter.u64_histogram(name).with_unit("By").with_description(description);
            histogram.with_boundaries(SIZE_BOUNDS.to_vec()).build()
        };
        Self {
            duration: meter
                .f64_histogram("http.server.request.duration")
                .with_unit("s")
                .with_description("Duration of HTTP server requests.")
                .with_boundaries(DURATION_BOUNDS.to_vec())
                .build(),
            active: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Number of active HTTP server requests.")
                .build(),
            request_size: size("http.server.request.body.size", "Size of HTTP server request bodies."),
            response_size: size("http.server.response.body.size", "Size of HTTP server response bodies."),
        }
    }
}
