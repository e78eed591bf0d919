//! The items of the conformance page that concern ingest and text 0.0.4, in the order of the page: the name of each test
//! begins with the item.

#![cfg(feature = "bridge")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as expected"
)]

mod families;
mod harness;
mod wire;
mod names;
mod strategies;
mod labels;
mod collisions;
mod resources;
mod scopes;
mod numbers;
mod histograms;
mod exponential;
mod exemplars;
mod times;
mod lossy;
mod summaries;
mod staleness;
mod metadata;
mod protocol;
mod limits;
mod openmetrics;
mod protobuf;
mod openmetrics2;
mod deltas;
mod generate;
mod generated;
mod oracle;
mod property;
mod recognition;
mod poison;
mod dump;
mod grammar;
mod formats;
mod escaping;
mod shown_exemplars;
mod buckets;
