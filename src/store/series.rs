use std::sync::Arc;

use super::{Moment, Source};
use crate::model::{Histogram, Labels, Number, Sample, Summary};

/// One series in its family.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) source: Arc<Source>,
    pub(super) value: Value,
    /// When the sample was taken, by the sender's clock, in nanoseconds since the Unix epoch.
    pub(super) time_unix_nano: u64,
    /// When the last point came, by ours.
    pub(super) received: Moment,
    /// The how-manieth series of the store it is.
    pub(super) birth: u64,
    /// The stream that it was written from last.
    pub(super) stream: u64,
    /// Whether `/metrics` has had to leave it out.
    pub(super) left_out: bool,
}

/// A sample that is kept.
#[derive(Debug)]
pub(super) enum Value {
    Number(Number),
    Histogram(Box<KeptHistogram>),
    Summary(Box<KeptSummary>),
}

#[derive(Debug)]
pub(super) struct KeptHistogram {
    bounds: Box<[f64]>,
    counts: Box<[u64]>,
    sum: Option<f64>,
}

#[derive(Debug)]
pub(super) struct KeptSummary {
    quantiles: Box<[(f64, f64)]>,
    sum: f64,
    count: u64,
}

/// What one point changes.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// The series has this value now.
    Sample(Sample<'a>),
    /// The sender says that it has none any more (conformance Z-01).
    Stale,
}

/// What became of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// It is older than what is held, and had no effect (conformance Z-05).
    pub ignored: bool,
    /// Another stream had written the series before: two streams meet in one line (conformance C-05).
    pub collided: bool,
}

impl Value {
    pub(super) fn of(sample: Sample<'_>) -> Self {
        match sample {
            Sample::Number(number) => Self::Number(number),
            Sample::Histogram(histogram) => Self::Histogram(Box::new(KeptHistogram {
                bounds: histogram.bounds.into(),
                counts: histogram.counts.into(),
                sum: histogram.sum,
            })),
            Sample::Summary(summary) => Self::Summary(Box::new(KeptSummary {
                quantiles: summary.quantiles.into(),
                sum: summary.sum,
                count: summary.count,
            })),
        }
    }

    pub(super) fn sample(&self) -> Sample<'_> {
        match self {
            Self::Number(number) => Sample::Number(*number),
            Self::Histogram(kept) => Sample::Histogram(Histogram {
                bounds: &kept.bounds,
                counts: &kept.counts,
                sum: kept.sum,
            }),
            Self::Summary(kept) => Sample::Summary(Summary {
                quantiles: &kept.quantiles,
                sum: kept.sum,
                count: kept.count,
            }),
        }
    }

    /// Takes the sample over, in place where the shape is the same, which it nearly always is.
    pub(super) fn replace(&mut self, sample: Sample<'_>) {
        match (self, sample) {
            (Self::Number(kept), Sample::Number(number)) => *kept = number,
            (Self::Histogram(kept), Sample::Histogram(new)) if *kept.bounds == *new.bounds => {
                kept.counts.copy_from_slice(new.counts);
                kept.sum = new.sum;
            }
            (kept, sample) => *kept = Self::of(sample),
        }
    }
}
