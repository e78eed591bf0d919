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
//! - `config`, `app` and the commands put it together
//!
//! # Features
//!
//! | feature | is |
//! |---|---|
//! | `bridge` | the service; on by default |
//! | `instrument` | the instrumentation of poem services alone, with the writers of the formats: `default-features = false, features = ["instrument"]` |
//! | `bound-instruments` | tells the SDK through its bound instruments, which are an experiment of opentelemetry 0.33, and faster; on by default |

#[cfg(feature = "bridge")]
pub mod receiver;
#[cfg(feature = "bridge")]
pub mod otlp;
#[cfg(feature = "bridge")]
pub mod translate;
#[cfg(feature = "instrument")]
pub mod model;
#[cfg(feature = "bridge")]
pub mod store;
#[cfg(feature = "instrument")]
pub mod exposition;
#[cfg(feature = "instrument")]
mod protobuf;
#[cfg(feature = "bridge")]
pub mod api;
#[cfg(feature = "instrument")]
pub mod instrument;
#[cfg(feature = "bridge")]
pub mod telemetry;
#[cfg(feature = "bridge")]
pub mod config;
#[cfg(feature = "bridge")]
pub mod app;
#[cfg(feature = "bridge")]
pub mod healthcheck;
#[cfg(feature = "bridge")]
pub mod demo;
#[cfg(feature = "bridge")]
pub mod dry_run;
