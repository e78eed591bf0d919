//! `peer-poem serve plain|ours|poem PORT` serves `/items/{id}` and, for `ours`, `/metrics`, on one thread of 127.0.0.1.
//! `peer-poem call` prints what a call of the endpoint takes in each of the three ways.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use meterbridge::instrument::{Instrumentation, MetricsEndpoint, RouteProbe};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use poem::endpoint::BoxEndpoint;
use poem::listener::TcpListener;
use poem::middleware::OpenTelemetryMetrics;
use poem::web::Path;
use poem::{Endpoint, EndpointExt, Request, Response, Route, Server, get, handler};
use poem_opentelemetry_sdk::metrics as old;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WAYS: [&str; 3] = ["plain", "ours", "poem"];

#[handler]
fn item(Path(id): Path<u32>) -> String {
    format!("item {id}")
}

fn routes() -> Route {
    Route::new().at("/items/:id", get(item).with(RouteProbe::new("/items/{id}")))
}

fn app(way: &str) -> Result<BoxEndpoint<'static, Response>> {
    Ok(match way {
        "plain" => routes().map_to_response().boxed(),
        "ours" => {
            let registry = prometheus::Registry::new();
            let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
            let provider = SdkMeterProvider::builder().with_reader(exporter).build();
            let instrumentation = Instrumentation::new(&provider);
            // The service lives as long as the process.
            std::mem::forget(provider);
            let metrics = MetricsEndpoint::new(registry).exemplars(&instrumentation);
            routes().at("/metrics", metrics).with(instrumentation).boxed()
        }
        "poem" => {
            // There is no exporter for Prometheus that goes with the version that poem 3.1.12 asks for, so nobody reads.
            let reader = old::PeriodicReader::builder(old::InMemoryMetricExporter::default()).build();
            let provider = old::SdkMeterProvider::builder().with_reader(reader).build();
            poem_opentelemetry::global::set_meter_provider(provider.clone());
            std::mem::forget(provider);
            routes().with(OpenTelemetryMetrics::new()).map_to_response().boxed()
        }
        other => return Err(format!("'{other}' is none of {WAYS:?}").into()),
    })
}

/// Median nanoseconds of a call, the ways in turn, so that what disturbs one disturbs all.
fn call(runtime: &tokio::runtime::Runtime) -> Result<()> {
    const ROUNDS: usize = 15;
    const CALLS: u32 = 100_000;
    let apps = WAYS.map(app).into_iter().collect::<Result<Vec<_>>>()?;
    let mut taken = vec![Vec::new(); apps.len()];
    for _ in 0..ROUNDS {
        for (app, taken) in apps.iter().zip(&mut taken) {
            let start = Instant::now();
            runtime.block_on(async {
                for _ in 0..CALLS {
                    let request = Request::builder().uri_str("/items/42").finish();
                    let _ = black_box(app.call(request).await);
                }
            });
            taken.push(start.elapsed().as_nanos() / u128::from(CALLS));
        }
    }
    let mut plain = None;
    for (way, mut taken) in WAYS.into_iter().zip(taken) {
        taken.sort_unstable();
        let median = taken[taken.len() / 2];
        println!("{way:6} {median:6} ns a call, {:+} ns", median as i128 - *plain.get_or_insert(median) as i128);
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match arguments.as_slice() {
        ["call"] => call(&runtime),
        ["serve", way, port] => {
            let listener = TcpListener::bind(format!("127.0.0.1:{port}"));
            Ok(runtime.block_on(Server::new(listener).run(app(way)?))?)
        }
        _ => Err("usage: peer-poem call | serve plain|ours|poem PORT".into()),
    }
}
