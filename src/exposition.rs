//! Writes families in the formats that Prometheus reads. Knows [`crate::model`] only.
//!
//! Writing is appending bytes to a buffer and cannot fail; whether something may be written at all was decided when it came
//! in.

mod gathered;
mod text;

pub use gathered::{Gathered, GatheredSeries};

use crate::model::{Family, Series};

/// The five formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Syntax {
    /// Text 0.0.4, which every Prometheus reads.
    #[default]
    Text,
    /// Text 1.0.0: the same, with names in UTF-8.
    Text1,
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// OpenMetrics 2.0, a release candidate.
    OpenMetrics2,
    /// Length-delimited `io.prometheus.client.MetricFamily`.
    Protobuf,
}

/// What becomes of names that are not legal without quotes (conformance F-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Escaping {
    /// Each illegal character becomes `_`.
    #[default]
    Underscores,
    /// `.` becomes `_dot_`, each other illegal character `__`.
    Dots,
    /// `U__` and the code points in hexadecimal, which can be undone.
    Values,
    /// They stay, in quotes.
    AllowUtf8,
}

/// What a scraper and the operator agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Format {
    /// The syntax.
    pub syntax: Syntax,
    /// How names are escaped.
    pub escaping: Escaping,
    /// What the operator chose.
    pub style: Style,
}

/// What of a series is written, where a format leaves the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style {
    /// `_created` lines in OpenMetrics 1.0 (conformance T-02).
    pub created_lines: bool,
    /// Explicit timestamps of samples (Z-04).
    pub timestamps: bool,
    /// Exponential histograms, where a format has both forms (E-09, O-12).
    pub exponential: ExponentialForm,
}

/// The form of exponential histograms in protobuf and OpenMetrics 2.0. The other formats have the classic one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExponentialForm {
    /// Native and classic buckets.
    #[default]
    Both,
    /// Native buckets.
    Native,
    /// Classic buckets.
    Classic,
}

impl Format {
    /// The value of the header `Content-Type`. Prometheus 3 fails a scrape where it is blank or odd (conformance F-01).
    pub fn content_type(self) -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    }

    /// Appends what stands in front of the series of a family. Names that are not legal are in it only where they may stay.
    pub fn write_head(self, out: &mut Vec<u8>, family: &Family) {
        text::write_head(out, family);
    }

    /// Appends one series, with all lines that it becomes.
    pub fn write_series(self, out: &mut Vec<u8>, family: &Family, series: &Series<'_>) {
        text::write_series(out, family, series);
    }

    /// Appends what stands behind the last family.
    pub fn write_end(self, _out: &mut Vec<u8>) {}

    pub fn is_framed(self) -> bool {
        false
    }
    pub fn write_framed(self, out: &mut Vec<u8>, body: &[u8]) {
        out.extend_from_slice(body);
    }
    pub fn writes_native(self, _sample: &crate::model::Sample<'_>) -> bool {
        false
    }
    pub fn family_name(self, family: &Family) -> &str {
        &family.name
    }
    pub fn sample_names(self, family: &Family) -> impl Iterator<Item = String> {
        family.sample_names()
    }
    pub fn keeps_type<'s>(self, _family: &Family, _series: impl Iterator<Item = Series<'s>>) -> bool {
        true
    }
    pub fn can_write(self, _family: &Family, _series: &Series<'_>) -> bool {
        true
    }
}

/// What the operator says about formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Negotiation {
    /// How names are escaped in protobuf where the scraper does not say (conformance F-06).
    pub protobuf_escaping: Escaping,
    /// Whether OpenMetrics 2.0 is there for who asks for it (O-01).
    pub openmetrics2: bool,
    /// Whether OpenMetrics 1.0 is the last choice; true only where the strategy adds no suffixes (V-02).
    pub prefer_text_without_suffixes: bool,
    /// What the formats write.
    pub style: Style,
}

impl Escaping {
    pub fn metric_name(self, name: &str) -> std::borrow::Cow<'_, str> {
        name.into()
    }
    pub fn labels<'t>(self, text: &'t str, _of: crate::model::MetricType) -> std::borrow::Cow<'t, str> {
        text.into()
    }
}

pub fn negotiate(_accept: Option<&str>, negotiation: &Negotiation) -> Format {
    Format {
        style: negotiation.style,
        ..Format::default()
    }
}
