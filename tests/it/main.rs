//! The whole service over real sockets, in one binary so that it is linked once.

#![cfg(feature = "bridge")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as expected"
)]

mod api;
mod documents;
mod grpc;
mod harness;
mod http;
mod lifecycle;
mod recordings;
mod scrape;
mod sdk;
mod tidy;
