//! A to-do list, as a service with metrics, traces and a Swagger page: `cargo run --release --example todo-api`.
//!
//! What it measures can be had in two ways. It pushes to a bridge over OTLP (`OTEL_EXPORTER_OTLP_ENDPOINT`, by default
//! `http://localhost:4317`), and it answers `/metrics` by itself. `TODO_LISTEN` is where it listens, by default
//! `127.0.0.1:8000`; `TODO_DB` is its file, by default `todo.redb`.

mod api;
mod problem;
mod store;

use std::error::Error;
use std::time::Duration;

use meterbridge::instrument::{Instrumentation, Instrumented, MetricsEndpoint};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use poem::listener::TcpListener;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, Route, Server};
use poem_openapi::OpenApiService;
use prometheus::Registry;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use api::Todos;
use store::Store;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let listen = variable("TODO_LISTEN", "127.0.0.1:8000");
    let store = Store::open(variable("TODO_DB", "todo.redb"))?;

    let registry = Registry::new();
    let resource = resource(&listen);
    let meters = meters(resource.clone(), &registry)?;
    let tracers = tracers(resource)?;

    let service = OpenApiService::new(Instrumented(Todos::new(store)), "To-do", "1.0").url_prefix("/api");
    // The two lines: what measures the requests, and where the measurements can be read.
    let instrumentation = Instrumentation::new(&meters);
    let metrics = MetricsEndpoint::new(registry).exemplars(&instrumentation);
    let app = Route::new()
        .nest("/docs", service.swagger_ui())
        .at("/openapi.json", service.spec_endpoint())
        .nest("/api", service)
        .at("/metrics", metrics)
        .catch_all_error(problem::answer)
        .with(CatchPanic::new())
        .with(instrumentation);

    tracing::info!("http://{listen}/docs is where to try it");
    Server::new(TcpListener::bind(listen))
        .run_with_graceful_shutdown(app, stopped(), Some(Duration::from_secs(10)))
        .await?;

    // Both send what they still have, which blocks.
    tokio::task::spawn_blocking(move || {
        let _ = meters.shutdown();
        let _ = tracers.shutdown();
    })
    .await?;
    Ok(())
}

/// Who the service is; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` can say otherwise. The instance tells copies apart, in
/// Prometheus as the label `instance`.
fn resource(listen: &str) -> Resource {
    let own = [
        KeyValue::new("service.name", "todo-api"),
        KeyValue::new("service.instance.id", listen.to_owned()),
    ];
    // What comes later wins.
    let detectors: [Box<dyn ResourceDetector>; 2] = [
        Box::new(TelemetryResourceDetector),
        Box::new(EnvResourceDetector::new()),
    ];
    let mut resource = Resource::builder_empty()
        .with_attributes(own)
        .with_detectors(&detectors);
    if let Ok(name) = std::env::var("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name(name);
    }
    resource.build()
}

/// Read in two ways: by whoever asks `/metrics`, and every minute (`OTEL_METRIC_EXPORT_INTERVAL`) by the exporter.
fn meters(resource: Resource, registry: &Registry) -> Result<SdkMeterProvider, Box<dyn Error>> {
    // There is one scope, so that labels for it would only lengthen the lines.
    let pull = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false);
    // It asks the standard variables where to push to.
    let push = MetricExporter::builder().with_tonic();
    Ok(SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(pull.build()?)
        .with_reader(PeriodicReader::builder(push.build()?).build())
        .build())
}

/// Spans are kept by whoever `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names. Without one they only give ids to the log and to the
/// exemplars.
fn tracers(resource: Resource) -> Result<SdkTracerProvider, Box<dyn Error>> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let mut tracers = SdkTracerProvider::builder().with_resource(resource);
    if std::env::var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").is_ok() {
        tracers = tracers.with_batch_exporter(SpanExporter::builder().with_tonic().build()?);
    }
    let tracers = tracers.build();
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(tracing_subscriber::fmt::layer())
        .with(tracing_opentelemetry::layer().with_tracer(tracers.tracer("todo-api")))
        .init();
    Ok(tracers)
}

/// SIGINT, or SIGTERM where there is such a thing.
async fn stopped() {
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            return interrupted.await;
        };
        tokio::select! {
            () = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
