//! The real Rust SDK on both transports.

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};

use crate::harness::Bridge;

fn record(exporter: MetricExporter, service: &'static str) {
    let provider = SdkMeterProvider::builder()
        .with_resource(
            Resource::builder_empty()
                .with_service_name(service)
                .with_attribute(KeyValue::new("service.instance.id", "i1"))
                .with_attribute(KeyValue::new("service.version", "1.2"))
                .build(),
        )
        .with_reader(PeriodicReader::builder(exporter).build())
        .build();
    let meter = provider.meter("lib");
    meter
        .u64_counter("jobs")
        .build()
        .add(3, &[KeyValue::new("outcome", "ok")]);
    meter
        .i64_up_down_counter("queue.length")
        .with_unit("{job}")
        .build()
        .add(-2, &[]);
    meter
        .f64_gauge("room.temperature")
        .with_unit("Cel")
        .with_description("How warm it is")
        .build()
        .record(21.5, &[]);
    let histogram = meter
        .f64_histogram("job.duration")
        .with_unit("s")
        .with_boundaries(vec![0.1, 1.0])
        .build();
    for seconds in [0.05, 0.5, 0.5, 5.0] {
        histogram.record(seconds, &[]);
    }
    provider.shutdown().unwrap();
}

async fn expect(bridge: &Bridge, service: &str) {
    let labels = format!("instance=\"i1\",job=\"{service}\",otel_scope_name=\"lib\"");
    assert_eq!(
        bridge.get(&format!("/metrics/otlp?job={service}&instance=i1")).await,
        format!(
            "# HELP target_info Target metadata\n# TYPE target_info gauge\n\
             target_info{{instance=\"i1\",job=\"{service}\",service_version=\"1.2\"}} 1\n\
             # TYPE job_duration_seconds histogram\n\
             job_duration_seconds_bucket{{{labels},le=\"0.1\"}} 1\n\
             job_duration_seconds_bucket{{{labels},le=\"1\"}} 3\n\
             job_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 4\n\
             job_duration_seconds_sum{{{labels}}} 6.05\n\
             job_duration_seconds_count{{{labels}}} 4\n\
             # TYPE jobs_total counter\n\
             jobs_total{{{labels},outcome=\"ok\"}} 3\n\
             # TYPE queue_length gauge\n\
             queue_length{{{labels}}} -2\n\
             # HELP room_temperature_celsius How warm it is\n\
             # TYPE room_temperature_celsius gauge\n\
             room_temperature_celsius{{{labels}}} 21.5\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn over_grpc() {
    let bridge = Bridge::start().await;
    let endpoint = format!("http://{}", bridge.addresses.otlp_grpc);
    let exporter = MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .unwrap();
    tokio::task::spawn_blocking(move || record(exporter, "over-grpc"))
        .await
        .unwrap();
    expect(&bridge, "over-grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http() {
    let bridge = Bridge::start().await;
    let endpoint = bridge.otlp_url("/v1/metrics");
    // The blocking client may not be made on the runtime.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let exporter = MetricExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(endpoint)
                .build()
                .unwrap();
            record(exporter, "over-http");
        });
    });
    expect(&bridge, "over-http").await;
}
