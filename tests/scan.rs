//! Somebody tries a million paths and ten thousand methods: neither series nor memory grow. A binary of its own, since it looks at
//! the memory of the whole process. Where `CI` is not `true` it is a tenth of that, so that nobody waits.
#![cfg(all(feature = "bridge", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as expected"
)]

use meterbridge::instrument::{Instrumentation, Instrumented};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Response, Route, get, handler};
use poem_openapi::{OpenApi, OpenApiService, param::Path, payload::PlainText};
use procfs::WithCurrentSystemInfo;
use procfs::process::Process;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const PATHS: usize = 1_000_000;
/// Paths for each method.
const PATHS_OF_A_METHOD: usize = 100;
/// Bytes that the resident memory may differ by from the first tenth to the end.
const SLACK: u64 = 1 << 20;

#[handler]
fn hello() -> &'static str {
    "hello"
}

struct Api;

#[OpenApi]
impl Api {
    #[oai(path = "/users/:id", method = "get")]
    async fn user(&self, id: Path<String>) -> PlainText<String> {
        PlainText(id.0)
    }
}

fn resident() -> u64 {
    Process::myself().unwrap().stat().unwrap().rss_bytes().get()
}

fn series(registry: &prometheus::Registry) -> usize {
    registry.gather().iter().map(|family| family.get_metric().len()).sum()
}

async fn ask(app: &impl Endpoint<Output = Response>, method: Method, path: &str) {
    let request = Request::builder().method(method).uri_str(path).finish();
    let response = app.call(request).await.unwrap();
    let _ = response.into_body().into_bytes().await;
}

#[tokio::test]
async fn a_scan_leaves_nothing_behind() {
    let registry = prometheus::Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
    let provider = SdkMeterProvider::builder()
        .with_reader(exporter.build().unwrap())
        .build();
    let app = Route::new()
        .at("/hello/:name", get(hello))
        .nest("/api", OpenApiService::new(Instrumented(Api), "scanned", "1"))
        .with(Instrumentation::new(&provider));
    let mut random = SmallRng::seed_from_u64(9);
    let (mut first, mut first_series) = (0, 0);
    let is_whole = std::env::var("CI").is_ok_and(|value| value == "true");
    let paths = if is_whole { PATHS } else { PATHS / 10 };
    for number in 1..=paths {
        let prefix = ["", "/hello", "/api", "/api/users"][number % 4];
        let path = format!("{prefix}/{:x}", random.random::<u128>());
        ask(&app, Method::GET, &path).await;
        if number % PATHS_OF_A_METHOD == 0 {
            let method = format!("M{:X}", random.random::<u64>());
            ask(&app, Method::from_bytes(method.as_bytes()).unwrap(), &path).await;
        }
        if number == paths / 10 {
            // Reading costs memory of its own, once.
            first_series = series(&registry);
            first = resident();
        }
    }
    assert_eq!(series(&registry), first_series);
    let grown = resident().saturating_sub(first);
    assert!(grown <= SLACK, "{grown} bytes more than after a tenth");
    let methods = paths / PATHS_OF_A_METHOD;
    println!("{first_series} series; {grown} bytes more after {paths} paths and {methods} methods than after a tenth");
}
