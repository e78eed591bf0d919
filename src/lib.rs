//! Meterbridge takes OpenTelemetry metrics that applications push, and serves them to Prometheus, which pulls.
//!
//! Data flows one way, and the modules stand in that order:
//!
//! - `receiver` takes OTLP over gRPC and HTTP
//! - `otlp` decodes it into data points
//! - `translate` gives each point its Prometheus family, labels and sample
//! - `model` is the vocabulary of families, labels and samples that the others share
//! - `store` keeps the current value of every series
//! - `exposition` writes families in the format that the scraper asked for
//! - `api` serves the scrape, and what the bridge knows, over HTTP
//! - `instrument` measures and traces the requests of a poem service
//! - `telemetry` is the service watching itself: meters, traces and logs
//! - `config`], [`app` and the commands put it together

pub mod receiver;
pub mod otlp;
pub mod translate;
pub mod model;
pub mod store;
pub mod exposition;
pub mod api;
pub mod instrument;
pub mod telemetry;
pub mod config;
pub mod app;
pub mod healthcheck;
pub mod demo;
pub mod dry_run;
