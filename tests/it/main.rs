//! The whole service over real sockets, in one binary so that it is linked once.

mod api;
mod documents;
mod grpc;
mod harness;
mod http;
mod lifecycle;
mod scrape;
mod sdk;
mod tidy;
