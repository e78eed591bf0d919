mod underscores;
mod verbatim;

use super::unit::{self, Words};
use super::{Rules, Strategy};

/// What the type of a metric does to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    /// Counters end in `_total`.
    Total,
    /// Gauges of the unit `1` end in `_ratio`.
    Ratio,
    /// Infos end in `_info`.
    Info,
    /// Nothing is added but the unit.
    None,
}

/// A metric's name and unit as Prometheus has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// `http_request_duration_seconds`.
    pub(super) name: String,
    /// `seconds`; empty where the unit has no word. Known in every strategy (conformance K-03, O-08).
    pub(super) unit: String,
    /// Whether the strategy makes names end in their unit, and this one does (F-07).
    pub(super) unit_in_name: bool,
}

/// Translates by the strategy of the rules (conformance V-01), then puts the namespace in front (V-03). `None` where nothing
/// is left of the name (N-12).
pub(super) fn translate(name: &str, unit: &str, suffix: Suffix, rules: &Rules) -> Option<Name> {
    let unit = unit::words(unit, rules);
    let (name, namespace) = match rules.strategy {
        Strategy::UnderscoreEscapingWithSuffixes => (
            underscores::with_suffixes(name, &unit, suffix)?,
            underscores::collapsed(&rules.namespace),
        ),
        Strategy::UnderscoreEscapingWithoutSuffixes => {
            (underscores::alone(name)?, underscores::alone(&rules.namespace))
        }
        Strategy::NoUtf8EscapingWithSuffixes => (
            verbatim::with_suffixes(name, &unit, suffix)?,
            verbatim::alone(&rules.namespace),
        ),
        Strategy::NoTranslation => (verbatim::alone(name)?, verbatim::alone(&rules.namespace)),
    };
    let mut name = match namespace {
        Some(namespace) => format!("{namespace}_{name}"),
        None => name,
    };
    if !rules.strategy.allows_utf8() && name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_'); // conformance N-11
    }
    if name.contains('\0') {
        // Prometheus reads none in a name, in quotes or not, and gives up the scrape (conformance F-12).
        name = name.replace('\0', "_");
    }
    let unit = unit.joined();
    let unit_in_name = rules.strategy.adds_suffixes() && ends_in_unit(&name, &unit, suffix);
    Some(Name {
        name,
        unit,
        unit_in_name,
    })
}

/// Whether a scraper finds the unit at the end of the name, once a counter's `_total` is off (conformance F-07). A unit that
/// takes quotes is none: it would be another one after escaping.
fn ends_in_unit(name: &str, unit: &str, suffix: Suffix) -> bool {
    let stem = match suffix {
        Suffix::Total => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    !unit.is_empty()
        && unit.bytes().all(is_legal)
        && stem.strip_suffix(unit).is_some_and(|before| before.ends_with('_'))
}

impl Suffix {
    /// What stands behind the unit, if anything does.
    fn word(self, unit: &Words) -> Option<&'static str> {
        match self {
            Self::Total => Some("total"),
            Self::Ratio if unit.is_one => Some("ratio"),
            Self::Info => Some("info"),
            Self::Ratio | Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests;
