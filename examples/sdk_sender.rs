//! Records metrics with the Rust SDK, a round for each line on standard input, as the end-to-end tests steer it
//! (`tests/e2e/sdk_senders.py`). The standard `OTEL_*` variables say where to, as what, and in which temporality.

use std::error::Error;
use std::io::{self, BufRead, Write};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider as _, UpDownCounter};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider as _};
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::trace::SdkTracerProvider;

const EXPONENTIAL: &str = "payload.size";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    // gRPC lives on the runtime, and the blocking client of HTTP may not be made there.
    let exporter = if std::env::var("OTEL_EXPORTER_OTLP_PROTOCOL").is_ok_and(|protocol| protocol == "grpc") {
        let _guard = runtime.enter();
        MetricExporter::builder().with_tonic().build()?
    } else {
        let builder = MetricExporter::builder().with_http();
        builder.with_protocol(Protocol::HttpBinary).build()?
    };
    let provider = SdkMeterProvider::builder()
        .with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(std::time::Duration::from_hours(1))
                .build(),
        )
        .with_view(exponential)
        .build();
    let tracer = SdkTracerProvider::builder().build().tracer("sender");
    let instruments = Instruments::new(&provider.meter("sender"));

    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let trace = tracer.in_span("round", |context| {
            instruments.record();
            context.span().span_context().trace_id().to_string()
        });
        // A round that is not flushed is lost when the process is killed.
        if line?.trim() == "flush" {
            provider.force_flush()?;
        }
        writeln!(out, "{trace}")?;
        out.flush()?;
    }
    Ok(())
}

fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: 160,
        max_scale: 20,
        record_min_max: true,
    };
    let is_wanted = instrument.name() == EXPONENTIAL;
    is_wanted
        .then(|| Stream::builder().with_aggregation(aggregation).build().ok())
        .flatten()
}

struct Instruments {
    done: Counter<u64>,
    open: UpDownCounter<i64>,
    level: Gauge<f64>,
    duration: Histogram<f64>,
    size: Histogram<f64>,
}

impl Instruments {
    fn new(meter: &Meter) -> Self {
        Self {
            done: meter
                .u64_counter("jobs.done")
                .with_unit("{job}")
                .with_description("Jobs done.")
                .build(),
            open: meter
                .i64_up_down_counter("jobs.open")
                .with_unit("{job}")
                .with_description("Jobs open.")
                .build(),
            level: meter
                .f64_gauge("pool.level")
                .with_unit("1")
                .with_description("How full it is.")
                .build(),
            duration: meter
                .f64_histogram("job.duration")
                .with_unit("s")
                .with_description("Time of a job.")
                .with_boundaries(vec![0.1, 1.0])
                .build(),
            size: meter
                .f64_histogram(EXPONENTIAL)
                .with_unit("By")
                .with_description("Bytes of a payload.")
                .build(),
        }
    }

    /// The same in every round and every language.
    fn record(&self) {
        let queue = [KeyValue::new("queue.name", "mail")];
        self.done.add(2, &queue);
        self.open.add(3, &queue);
        self.open.add(-1, &queue);
        self.level.record(0.5, &[]);
        for seconds in [0.05, 0.5, 5.0] {
            self.duration.record(seconds, &queue);
        }
        for bytes in [0.0, 1.0, 3.0, 1000.0] {
            self.size.record(bytes, &queue);
        }
    }
}
