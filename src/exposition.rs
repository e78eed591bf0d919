//! Writes families in the formats that Prometheus reads. Knows [`crate::model`] only.
//!
//! Writing is appending bytes to a buffer and cannot fail; whether something may be written at all was decided when it came
//! in. What only one format cannot have, [`Format::can_write`] and [`Format::keeps_type`] tell.

mod classic;
mod compression;
mod deflate;
mod escape;
mod exemplar;
mod gathered;
mod line;
mod native;
mod negotiate;
mod openmetrics;
mod openmetrics2;
mod protobuf;
mod text;
mod writer;

pub use compression::Encoder;
pub use gathered::{Gathered, GatheredSeries};
pub use negotiate::{Negotiation, list_of, negotiate};
pub use writer::FamilyWriter;

use crate::model::{Family, Labels, MetricType, Number, Sample, Series, is_metric_name};

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

/// A content type for each escaping scheme.
macro_rules! content_type {
    ($escaping:expr, $start:literal) => {
        match $escaping {
            Escaping::Underscores => concat!($start, "; escaping=underscores"),
            Escaping::Dots => concat!($start, "; escaping=dots"),
            Escaping::Values => concat!($start, "; escaping=values"),
            Escaping::AllowUtf8 => concat!($start, "; escaping=allow-utf-8"),
        }
    };
}

impl Format {
    /// The value of the header `Content-Type`. Prometheus 3 fails a scrape where it is blank or odd (conformance F-01).
    pub fn content_type(self) -> &'static str {
        let escaping = self.escaping;
        match self.syntax {
            Syntax::Text => content_type!(escaping, "text/plain; version=0.0.4; charset=utf-8"),
            Syntax::Text1 => content_type!(escaping, "text/plain; version=1.0.0; charset=utf-8"),
            Syntax::OpenMetrics => {
                content_type!(escaping, "application/openmetrics-text; version=1.0.0; charset=utf-8")
            }
            Syntax::OpenMetrics2 => {
                content_type!(escaping, "application/openmetrics-text; version=2.0.0; charset=utf-8")
            }
            Syntax::Protobuf => content_type!(
                escaping,
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            ),
        }
    }

    /// Appends what stands behind the last family.
    pub fn write_end(self, out: &mut Vec<u8>) {
        if matches!(self.syntax, Syntax::OpenMetrics | Syntax::OpenMetrics2) {
            out.extend_from_slice(b"# EOF\n");
        }
    }

    /// Appends families that nobody else has series for, with what stands behind the last.
    pub fn write_all(self, out: &mut Vec<u8>, families: &[Gathered]) {
        let mut message = Vec::new();
        for Gathered { family, series } in families.iter().filter(|gathered| !gathered.series.is_empty()) {
            let target = if self.is_framed() { &mut message } else { &mut *out };
            let writer = self.writer(family);
            writer.write_head(target);
            for series in series {
                writer.write_series(target, &series.series());
            }
            if self.is_framed() {
                self.write_length(out, message.len());
                out.append(&mut message);
            }
        }
        self.write_end(out);
    }

    /// Whether a family is a message with its length in front: head and series make its body, and [`Format::write_length`] writes
    /// what stands in front of that.
    pub fn is_framed(self) -> bool {
        self.syntax == Syntax::Protobuf
    }

    /// Appends what stands in front of a message whose body is so long.
    pub fn write_length(self, out: &mut Vec<u8>, body: usize) {
        protobuf::write_length(out, body);
    }

    /// Whether the sample is written with native buckets. In protobuf each series of a family that has some is a message of
    /// its own (conformance F-10).
    pub fn writes_native(self, sample: &Sample<'_>) -> bool {
        matches!(self.syntax, Syntax::Protobuf | Syntax::OpenMetrics2)
            && matches!(sample, Sample::Exponential(_))
            && self.style.exponential != ExponentialForm::Classic
    }

    /// All names that the family and its samples take in this format; no other family may have one of them (conformance K-04,
    /// K-05).
    pub fn sample_names(self, family: &Family) -> Vec<String> {
        if self.syntax != Syntax::OpenMetrics {
            return family.sample_names().collect();
        }
        let name = openmetrics::family_name(family);
        let samples = openmetrics::suffixes(family).iter().filter(|suffix| !suffix.is_empty());
        std::iter::once(name.to_owned())
            .chain(samples.map(|suffix| format!("{name}{suffix}")))
            .collect()
    }

    /// Whether the family is what its type says, by the rules of the format. It is to be written as a gauge if not (conformance
    /// G-03, O-15).
    pub fn keeps_type<'s>(self, family: &Family, mut series: impl Iterator<Item = Series<'s>>) -> bool {
        if !matches!(self.syntax, Syntax::OpenMetrics | Syntax::OpenMetrics2) {
            return true;
        }
        match family.metric_type {
            MetricType::Info => {
                // The family of 1.0 has the name without it, which must not be empty.
                let stem = family.name.strip_suffix("_info");
                let has_suffix = stem.is_some_and(|stem| self.syntax == Syntax::OpenMetrics2 || !stem.is_empty());
                has_suffix && series.all(|series| value(&series) == Some(1.0))
            }
            MetricType::StateSet => series.all(|series| {
                let mut names = Labels::iter_text(series.labels);
                matches!(value(&series), Some(0.0 | 1.0)) && names.any(|(name, _)| name == family.name.as_str())
            }),
            _ => true,
        }
    }

    /// Whether the format can have this series at all: OpenMetrics 2.0 has no summaries with a sum or a value that it forbids
    /// (conformance O-14).
    pub fn can_write(self, series: &Series<'_>) -> bool {
        let Sample::Summary(summary) = series.sample else {
            return true;
        };
        self.syntax != Syntax::OpenMetrics2
            || (summary.sum >= 0.0 && !summary.quantiles.iter().any(|(_, value)| *value < 0.0))
    }
}

fn value(series: &Series<'_>) -> Option<f64> {
    match series.sample {
        Sample::Number(Number::Int(value)) => Some(value as f64),
        Sample::Number(Number::Double(value)) => Some(value),
        _ => None,
    }
}

/// The unit of a family that a format calls `name`, where that ends in it (conformance F-07). Infos and statesets have none.
fn unit_of<'f>(family: &'f Family, name: &str) -> Option<&'f str> {
    let unit = family.unit.as_str();
    let has_one = family.unit_in_name
        && !matches!(family.metric_type, MetricType::Info | MetricType::StateSet)
        && is_metric_name(&format!("_{unit}"))
        && name
            .strip_suffix(unit)
            .is_some_and(|stem| stem.len() > 1 && stem.ends_with('_'));
    has_one.then_some(unit)
}
