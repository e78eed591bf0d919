//! Serves the scrape, and what the bridge knows, over HTTP.
//!
//! | path | is |
//! |---|---|
//! | `GET,HEAD /metrics`, `/metrics/self`, `/metrics/otlp` | what Prometheus scrapes ([`metrics`]) |
//! | `GET /`, `/api/v1/…`, `/-/healthy`, `/-/ready` | the operations of the OpenAPI document ([`operations`]); `/` is a page to start from |
//! | `GET /docs`, `/openapi.json`, `/openapi.yaml` | Swagger UI and the document |
//!
//! Errors are `application/problem+json` ([`problem`]), unknown paths included.

pub mod metrics;
mod objects;
pub mod operations;
mod page;
pub mod problem;
pub mod scrape;
mod translation;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use poem::{Endpoint, EndpointExt, Route, get};
use poem_openapi::OpenApiService;

use crate::exposition::Negotiation;
use crate::instrument::{Instrumented, RouteProbe};
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::translate::Rules;

pub use objects::Setting;

/// What the endpoints show, and what they show it of.
#[derive(Debug)]
pub struct Bridge {
    /// The series.
    pub store: Arc<Store>,
    /// The service's own metrics.
    pub telemetry: Telemetry,
    /// Where it listens.
    pub addresses: Addresses,
    /// The options in force.
    pub settings: Vec<Setting>,
    /// How a format is found with a scraper.
    pub negotiation: Negotiation,
    /// The rules of the translation, for the dry run.
    pub rules: Rules,
    /// Since when it runs.
    pub started: SystemTime,
    /// See [`Bridge::set_ready`]; false at first.
    pub ready: AtomicBool,
}

/// The addresses that are bound.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Everything but OTLP.
    pub http: SocketAddr,
    /// OTLP over HTTP.
    pub otlp_http: SocketAddr,
    /// OTLP over gRPC.
    pub otlp_grpc: SocketAddr,
}

impl Bridge {
    /// Whether it takes requests and means to go on doing so.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says that it is ready, or, when it is about to stop, that it is not any more.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }
}

/// The OpenAPI service, from which the document comes as well.
pub fn service(bridge: Option<Arc<Bridge>>) -> OpenApiService<Instrumented<operations::Operations>, ()> {
    OpenApiService::new(
        Instrumented(operations::Operations(bridge)),
        "Meterbridge",
        env!("CARGO_PKG_VERSION"),
    )
    .description("What the bridge holds and how it is set up. The metrics themselves are on `/metrics`.")
    .server("/")
}

/// All endpoints of `--http-listen`.
pub fn routes(bridge: &Arc<Bridge>) -> impl Endpoint + use<> {
    let service = service(Some(Arc::clone(bridge)));
    let mut route = Route::new()
        .at(
            "/openapi.json",
            get(service.spec_endpoint()).with(RouteProbe::new("/openapi.json")),
        )
        .at(
            "/openapi.yaml",
            get(service.spec_endpoint_yaml()).with(RouteProbe::new("/openapi.yaml")),
        )
        .nest("/docs", service.swagger_ui().with(RouteProbe::new("/docs")));
    for (path, part) in metrics::PATHS {
        let endpoint = metrics::Exposition {
            bridge: Arc::clone(bridge),
            part,
            path,
        };
        // Not by `get`, which would answer HEAD by writing a scrape for nobody.
        route = route.at(path, endpoint.with(RouteProbe::new(path)));
    }
    route.nest("/", service)
}
