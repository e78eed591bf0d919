//! Writes families in the formats that Prometheus reads. Knows [`crate::model`] only.
//!
//! Writing is appending bytes to a buffer and cannot fail; whether something may be written at all was decided when it came
//! in.

mod gathered;
mod text;

pub use gathered::{Gathered, GatheredSeries};

use crate::model::{Family, Sample};

/// A format, and how label and metric names are escaped in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4, which every Prometheus reads.
    Text,
}

impl Format {
    /// The value of the header `Content-Type`. Prometheus 3 fails a scrape where it is blank or odd (conformance F-01).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        }
    }

    /// Appends what stands in front of the series of a family.
    pub fn write_head(self, out: &mut Vec<u8>, family: &Family) {
        match self {
            Self::Text => text::write_head(out, family),
        }
    }

    /// Appends one series, with all lines that it becomes.
    pub fn write_series(self, out: &mut Vec<u8>, family: &Family, labels: &str, sample: Sample<'_>) {
        match self {
            Self::Text => text::write_series(out, family, labels, sample),
        }
    }
}
