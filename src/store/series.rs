use std::sync::Arc;

use super::exemplars::KeptExemplars;
use super::expiry::Lifetime;
use super::windows::Windows;
use super::{Moment, Source};
use crate::model::{Exemplar, Exponential, Histogram, Labels, Number, Sample, Summary};

/// One series in its family.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) source: Arc<Source>,
    pub(super) value: Value,
    /// Since when it counts, by the sender's clock; 0 where unknown.
    pub(super) start_unix_nano: u64,
    /// When the sample was taken, by the sender's clock, in nanoseconds since the Unix epoch.
    pub(super) time_unix_nano: u64,
    /// The last moment at which it is there, unless a point comes.
    pub(super) deadline: Moment,
    pub(super) lifetime: Lifetime,
    /// The how-manieth series of the store it is.
    pub(super) birth: u64,
    /// The stream that it was written from last.
    pub(super) stream: u64,
    /// What deltas have been counted; only where they are.
    pub(super) windows: Option<Box<Windows>>,
    /// Only where there are some.
    pub(super) exemplars: Option<Box<KeptExemplars>>,
    /// Whether it is kept without being shown (conformance Z-01).
    pub(super) hidden: bool,
    /// Whether `/metrics` has had to leave it out.
    pub(super) left_out: bool,
}

/// A sample that is kept.
#[derive(Debug)]
pub(super) enum Value {
    Number(Number),
    Histogram(Box<KeptHistogram>),
    Exponential(Box<Exponential>),
    Summary(Box<KeptSummary>),
}

#[derive(Debug)]
pub(super) struct KeptHistogram {
    pub(super) bounds: Box<[f64]>,
    pub(super) counts: Box<[u64]>,
    pub(super) sum: Option<f64>,
}

#[derive(Debug)]
pub(super) struct KeptSummary {
    quantiles: Box<[(f64, f64)]>,
    sum: f64,
    count: u64,
}

/// One point on its way into a family.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Who sends it.
    pub source: &'a Arc<Source>,
    /// The text of its labels (see [`Labels`]).
    pub labels: &'a str,
    /// What it changes.
    pub change: Change<'a>,
    /// Whether its value is what was counted since the last one, not since the start.
    pub is_delta: bool,
    /// Since when it counts, in nanoseconds since the Unix epoch; 0 where unknown, and for what does not count.
    pub start_unix_nano: u64,
    /// When it was taken, likewise; not 0.
    pub time_unix_nano: u64,
    /// What it shows for example, in whatever order.
    pub exemplars: &'a [Exemplar],
    /// Tells the OTLP streams apart that may meet in one series.
    pub stream: u64,
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
    /// It is older than what is held (conformance Z-05) or was counted already (D-02), and had no effect.
    pub ignored: bool,
    /// Another stream had written the series before, or has begun one beside it: two streams meet in one line (C-05).
    pub collided: bool,
    /// Between this delta and those before it something is missing that was not known to be (D-03).
    pub gap: bool,
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
            Sample::Exponential(histogram) => Self::Exponential(Box::new(histogram.into())),
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
            Self::Exponential(kept) => Sample::Exponential(kept.sample()),
            Self::Summary(kept) => Sample::Summary(Summary {
                quantiles: &kept.quantiles,
                sum: kept.sum,
                count: kept.count,
            }),
        }
    }

    pub(super) fn is_exponential(&self) -> bool {
        matches!(self, Self::Exponential(_))
    }

    /// Takes the sample over, in place where the shape is the same, which it nearly always is; whether it is another.
    pub(super) fn replace(&mut self, sample: Sample<'_>) -> bool {
        match (self, sample) {
            (Self::Number(kept), Sample::Number(number)) => {
                *kept = number;
                false
            }
            (Self::Histogram(kept), Sample::Histogram(new)) if *kept.bounds == *new.bounds => {
                kept.counts.copy_from_slice(new.counts);
                kept.sum = new.sum;
                false
            }
            (Self::Exponential(kept), Sample::Exponential(new)) => {
                let before = classic_form(kept);
                kept.replace(new);
                classic_form(kept) != before
            }
            (kept, sample) => {
                *kept = Self::of(sample);
                true
            }
        }
    }
}

/// What the buckets of the classic form depend on: how coarse they are, and where zero ends (conformance E-08).
pub(super) fn classic_form(histogram: &Exponential) -> (i32, f64) {
    (histogram.scale.min(0), histogram.zero_threshold)
}

/// The number as a double.
pub(super) fn double(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Double(value) => value,
    }
}
