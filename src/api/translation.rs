//! The dry run over HTTP: what some OTLP would become here, without touching what is held.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::Body;
use poem_openapi::payload::Binary;
use poem_openapi::{ApiRequest, Object};

use super::Bridge;
use crate::dry_run::{DryRun, FORMATS};
use crate::exposition::{Escaping, Syntax};
use crate::otlp::{DecodeError, Encoding};
use crate::store::Limits;
use crate::translate::MetricNames;

/// The longest request that is tried, in bytes.
pub(super) const MAX_BYTES: usize = 256 << 10;
/// The most series that one may make. A series may repeat labels of many kilobytes, which a request has only once.
const MAX_SERIES: usize = 1000;
/// How much of an exposition is shown.
const MAX_SHOWN: usize = 1 << 20;

/// Some OTLP, in one of its encodings.
#[derive(ApiRequest)]
pub(super) enum Otlp {
    /// An ExportMetricsServiceRequest in OTLP/JSON.
    #[oai(content_type = "application/json")]
    Json(Binary<Body>),
    /// An ExportMetricsServiceRequest in protobuf.
    #[oai(content_type = "application/x-protobuf")]
    Protobuf(Binary<Body>),
}

/// What a request would become.
#[derive(Debug, Object)]
pub(super) struct Translation {
    /// Points that would be accepted.
    accepted: u64,
    /// Points that would be refused.
    refused: u64,
    /// Why, each `reason: detail`.
    refusals: Vec<String>,
    /// What the sender should know besides, each `kind: detail`.
    advice: Vec<String>,
    /// Points that meet another stream in their series.
    collisions: u64,
    /// The metrics that they belong to, the first few of them.
    collided: Vec<String>,
    /// What a scrape would show in each format.
    expositions: Vec<Exposition>,
    /// What each metric is called under each strategy.
    names: Vec<Names>,
}

/// One format.
#[derive(Debug, Object)]
struct Exposition {
    /// `text`, `openmetrics`, `text1`, `openmetrics2` or `protobuf`.
    format: String,
    /// The scrape; protobuf in base64.
    content: String,
    /// Whether there would be more.
    truncated: bool,
    /// Families and series that this format leaves out, since they do not fit beside others.
    left_out: u64,
}

/// One metric.
#[derive(Debug, Object)]
struct Names {
    /// As the sender calls it.
    metric: String,
    /// As the sender has it.
    unit: String,
    /// `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`.
    kind: String,
    /// Strategy by strategy.
    names: Vec<Named>,
}

/// The name under one strategy.
#[derive(Debug, Object)]
struct Named {
    /// The strategy, as `--translation-strategy` has it.
    strategy: String,
    /// The name of the family.
    #[oai(skip_serializing_if_is_none)]
    name: Option<String>,
    /// Why there is none.
    #[oai(skip_serializing_if_is_none)]
    refused: Option<String>,
}

impl Otlp {
    pub(super) fn into_parts(self) -> (Encoding, Body) {
        match self {
            Self::Json(Binary(body)) => (Encoding::Json, body),
            Self::Protobuf(Binary(body)) => (Encoding::Protobuf, body),
        }
    }
}

/// Tries a request under the rules of the bridge.
pub(super) fn translate(bridge: &Bridge, encoding: Encoding, message: &[u8]) -> Result<Translation, DecodeError> {
    let limits = Limits {
        series: MAX_SERIES,
        ..bridge.store.limits().clone()
    };
    let dry_run = DryRun::new(bridge.rules.clone(), limits, bridge.negotiation.style);
    let outcome = dry_run.take(Some(encoding), message)?;
    let owned = |lines: &mut dyn Iterator<Item = &str>| lines.map(str::to_owned).collect();
    Ok(Translation {
        accepted: outcome.total_accepted(),
        refused: outcome.total_refused(),
        refusals: owned(&mut outcome.refusals()),
        advice: owned(&mut outcome.advice()),
        collisions: outcome.collisions,
        collided: owned(&mut outcome.collided()),
        expositions: FORMATS
            .into_iter()
            .map(|(word, syntax, escaping)| Exposition::of(&dry_run, word, syntax, escaping))
            .collect(),
        names: dry_run
            .names(Some(encoding), message)?
            .into_iter()
            .map(Names::of)
            .collect(),
    })
}

impl Exposition {
    fn of(dry_run: &DryRun, word: &str, syntax: Syntax, escaping: Escaping) -> Self {
        let mut scrape = dry_run.scrape(syntax, escaping);
        let mut bytes = Vec::new();
        let mut more = true;
        while more && bytes.len() < MAX_SHOWN {
            let room = MAX_SHOWN - bytes.len();
            more = scrape.next(&mut bytes, room);
        }
        let is_text = syntax != Syntax::Protobuf;
        if more && is_text {
            // Whole lines only.
            let end = bytes.iter().take(MAX_SHOWN).rposition(|byte| *byte == b'\n');
            bytes.truncate(end.map_or(0, |end| end + 1));
        }
        Self {
            format: word.to_owned(),
            content: match is_text {
                true => String::from_utf8_lossy(&bytes).into_owned(),
                false => STANDARD.encode(&bytes),
            },
            truncated: more,
            left_out: scrape.left_out(),
        }
    }
}

impl Names {
    fn of(metric: MetricNames) -> Self {
        let named = |(strategy, name): (&str, Result<String, crate::model::Refused>)| {
            let (name, refused) = match name {
                Ok(name) => (Some(name), None),
                Err(refused) => (None, Some(format!("{}: {}", refused.reason, refused.detail))),
            };
            Named {
                strategy: strategy.to_owned(),
                name,
                refused,
            }
        };
        Self {
            metric: metric.name,
            unit: metric.unit,
            kind: metric.kind.to_owned(),
            names: metric.names.into_iter().map(named).collect(),
        }
    }
}
