//! Serves the scrape, and what the bridge knows, over HTTP.

pub mod scrape;
