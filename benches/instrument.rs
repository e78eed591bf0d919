//! What it costs to instrument one request: `cargo bench --bench instrument`.
//!
//! `parts` is the recording alone, from the start of the guard to the final record, and what it consists of. `request` is a call
//! of an endpoint with and without, so with all that poem makes necessary: what inner layers write to, and the bodies that
//! count. `sdk` and `prometheus` are what the same observations cost without this crate.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use std::sync::LazyLock;

use divan::{Bencher, black_box};
use meterbridge::instrument::bench::Request as Recorded;
use meterbridge::instrument::{Instrumentation, RouteProbe};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider as _, UpDownCounter};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use poem::endpoint::make_sync;
use poem::{Endpoint, EndpointExt, Request, Response, Route};

/// One thread, and more than there are cores here.
const THREADS: [usize; 2] = [1, 4];

fn main() {
    divan::main();
}

struct Fixture {
    _provider: SdkMeterProvider,
    instrumentation: Instrumentation,
    recorded: Recorded,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let exporter = opentelemetry_prometheus::exporter().with_registry(prometheus::Registry::new());
    let provider = SdkMeterProvider::builder()
        .with_reader(exporter.build().expect("the registry is new"))
        .build();
    let instrumentation = Instrumentation::new(&provider);
    // Others are held as well, as in a service.
    for number in 0..200 {
        Recorded::new(&instrumentation, &format!("/api/v1/resource-{number}/{{id}}")).whole();
    }
    let recorded = Recorded::new(&instrumentation, "/items/{id}");
    Fixture {
        _provider: provider,
        instrumentation,
        recorded,
    }
});

mod parts {
    use super::*;

    /// A request like those that somebody reads now and then: nothing is pending from what was measured before.
    fn read() -> &'static Recorded {
        FIXTURE.recorded.drain();
        &FIXTURE.recorded
    }

    #[divan::bench(threads = THREADS, sample_size = 5000)]
    fn whole(bencher: Bencher) {
        let recorded = read();
        bencher.bench(|| recorded.whole());
    }

    #[divan::bench(threads = THREADS, sample_size = 5000)]
    fn clock_twice(bencher: Bencher) {
        let recorded = read();
        bencher.bench(|| recorded.clock());
    }

    #[divan::bench(threads = THREADS, sample_size = 5000)]
    fn in_flight(bencher: Bencher) {
        let recorded = read();
        bencher.bench(|| recorded.active());
    }

    #[divan::bench(threads = THREADS, sample_size = 5000)]
    fn three_histograms(bencher: Bencher) {
        let recorded = read();
        bencher.bench(|| recorded.record(black_box(1_234_567)));
    }

    /// What a reader pays later for each request, three histograms of the SDK.
    #[divan::bench(sample_size = 1)]
    fn telling_the_sdk_of_10000(bencher: Bencher) {
        let recorded = &FIXTURE.recorded;
        bencher
            .with_inputs(|| (0..10000).for_each(|nanos| recorded.record(nanos * 1000)))
            .bench_values(|()| recorded.drain());
    }
}

mod request {
    use super::*;

    fn hello(_: Request) -> Response {
        Response::builder().body("hello")
    }

    fn bare() -> Route {
        Route::new().at("/items/:id", make_sync(hello).with(RouteProbe::new("/items/{id}")))
    }

    fn call(runtime: &tokio::runtime::Runtime, endpoint: &impl Endpoint<Output = Response>) {
        let request = Request::builder().uri_str("/items/42").finish();
        let response = runtime.block_on(endpoint.call(request));
        let _ = black_box(response);
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
    }

    #[divan::bench(sample_size = 1000)]
    fn without(bencher: Bencher) {
        let (runtime, endpoint) = (runtime(), bare().map_to_response());
        bencher.bench_local(|| call(&runtime, &endpoint));
    }

    #[divan::bench(sample_size = 1000)]
    fn with(bencher: Bencher) {
        let endpoint = bare().with(FIXTURE.instrumentation.clone());
        let runtime = runtime();
        bencher.bench_local(|| call(&runtime, &endpoint));
    }
}

mod sdk {
    use super::*;

    struct Instruments {
        _provider: SdkMeterProvider,
        active: UpDownCounter<i64>,
        duration: Histogram<f64>,
        sizes: [Histogram<u64>; 2],
    }

    /// Straight into the instruments of the SDK, with sorted attributes.
    #[divan::bench(threads = THREADS, sample_size = 1000)]
    fn unbound_instruments(bencher: Bencher) {
        static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
            let exporter = opentelemetry_prometheus::exporter().with_registry(prometheus::Registry::new());
            let provider = SdkMeterProvider::builder()
                .with_reader(exporter.build().expect("the registry is new"))
                .build();
            let meter = provider.meter("bench");
            Instruments {
                active: meter.i64_up_down_counter("active").build(),
                duration: meter.f64_histogram("duration").build(),
                sizes: ["request", "response"].map(|name| meter.u64_histogram(name).build()),
                _provider: provider,
            }
        });
        let instruments = &*INSTRUMENTS;
        bencher.bench(|| {
            let start = std::time::Instant::now();
            let active = [
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("url.scheme", "http"),
            ];
            instruments.active.add(1, &active);
            let attributes = [
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("http.response.status_code", 200),
                KeyValue::new("http.route", "/items/{id}"),
                KeyValue::new("network.protocol.version", "1.1"),
                KeyValue::new("url.scheme", "http"),
            ];
            instruments.duration.record(start.elapsed().as_secs_f64(), &attributes);
            instruments.sizes.iter().for_each(|size| size.record(100, &attributes));
            instruments.active.add(-1, &active);
        });
    }
}

mod prometheus_crate {
    use super::*;
    use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};

    /// One counter and one histogram, looked up by their labels.
    #[divan::bench(threads = THREADS, sample_size = 1000)]
    fn with_label_values(bencher: Bencher) {
        const LABELS: [&str; 3] = ["method", "route", "status"];
        static VECS: LazyLock<(IntCounterVec, HistogramVec)> = LazyLock::new(|| {
            (
                IntCounterVec::new(Opts::new("requests", "Requests"), &LABELS).expect("it is legal"),
                HistogramVec::new(HistogramOpts::new("duration", "Duration"), &LABELS).expect("it is legal"),
            )
        });
        let (requests, duration) = &*VECS;
        bencher.bench(|| {
            let start = std::time::Instant::now();
            let values = ["GET", "/items/{id}", "200"];
            requests.with_label_values(&values).inc();
            duration
                .with_label_values(&values)
                .observe(start.elapsed().as_secs_f64());
        });
    }
}
