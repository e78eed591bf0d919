//! The dry run: what a bridge would make of some OTLP, into a store of its own. `meterbridge translate` and
//! `POST /api/v1/translate` show it.

mod command;

pub use command::{Request, Verdict, run};

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::api::scrape::{Scrape, Selection};
use crate::exposition::{Escaping, Format, Style, Syntax};
use crate::otlp::{DecodeError, Encoding};
use crate::store::{Limits, Store};
use crate::translate::{self, Arrival, Memory, MetricNames, Outcome, Rules};

/// The formats by their words, each with the scheme that its scrapers ask for.
pub const FORMATS: [(&str, Syntax, Escaping); 5] = [
    ("text", Syntax::Text, Escaping::Underscores),
    ("openmetrics", Syntax::OpenMetrics, Escaping::AllowUtf8),
    ("text1", Syntax::Text1, Escaping::AllowUtf8),
    ("openmetrics2", Syntax::OpenMetrics2, Escaping::AllowUtf8),
    ("protobuf", Syntax::Protobuf, Escaping::AllowUtf8),
];

/// An empty bridge that requests are put into.
#[derive(Debug)]
pub struct DryRun {
    store: Arc<Store>,
    rules: Rules,
    memory: Memory,
    style: Style,
    now: Instant,
}

impl DryRun {
    /// By the rules, limits and style of a bridge.
    pub fn new(rules: Rules, limits: Limits, style: Style) -> Self {
        let now = Instant::now();
        Self {
            store: Arc::new(Store::new(limits, now)),
            rules,
            memory: Memory::default(),
            style,
            now,
        }
    }

    /// Takes one request in; its encoding is told by its content where it is not given.
    ///
    /// # Errors
    ///
    /// Where it is not an OTLP metrics request.
    pub fn take(&self, encoding: Option<Encoding>, message: &[u8]) -> Result<Outcome, DecodeError> {
        let encoding = encoding.unwrap_or_else(|| encoding_of(message));
        let arrival = Arrival::at(self.now, SystemTime::now());
        translate::request(&self.store, &self.rules, &self.memory, arrival, encoding, message)
    }

    /// The name of each metric of a request under each strategy.
    ///
    /// # Errors
    ///
    /// Where it is not an OTLP metrics request.
    pub fn names(&self, encoding: Option<Encoding>, message: &[u8]) -> Result<Vec<MetricNames>, DecodeError> {
        translate::names(&self.rules, encoding.unwrap_or_else(|| encoding_of(message)), message)
    }

    /// What a scrape would show.
    pub fn scrape(&self, syntax: Syntax, escaping: Escaping) -> Scrape {
        let selection = Selection {
            own: Vec::new(),
            bridged: true,
            source: None,
        };
        let format = Format {
            syntax,
            escaping,
            style: self.style,
        };
        Scrape::new(Arc::clone(&self.store), format, selection, self.now)
    }
}

/// JSON begins with a brace and parses as JSON. A protobuf request begins with the byte 0x0A, which is white space in JSON, so
/// the brace alone does not decide.
fn encoding_of(message: &[u8]) -> Encoding {
    let looks_like_json = message.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(message).is_ok();
    if looks_like_json {
        Encoding::Json
    } else {
        Encoding::Protobuf
    }
}
