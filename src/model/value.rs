use super::{Exponential, Histogram, Number, Sample, Summary};

/// A [`Sample`] that is kept.
#[derive(Clone, Debug)]
pub enum Value {
    /// See [`Sample::Number`].
    Number(Number),
    /// See [`Sample::Histogram`].
    Histogram(Box<KeptHistogram>),
    /// See [`Sample::Exponential`].
    Exponential(Box<Exponential>),
    /// See [`Sample::Summary`].
    Summary(Box<KeptSummary>),
}

/// A [`Histogram`] that is kept.
#[derive(Clone, Debug)]
pub struct KeptHistogram {
    /// See [`Histogram::bounds`].
    pub bounds: Box<[f64]>,
    /// See [`Histogram::counts`].
    pub counts: Box<[u64]>,
    /// See [`Histogram::sum`].
    pub sum: Option<f64>,
}

/// A [`Summary`] that is kept.
#[derive(Clone, Debug)]
pub struct KeptSummary {
    quantiles: Box<[(f64, f64)]>,
    sum: f64,
    count: u64,
}

impl From<Sample<'_>> for Value {
    fn from(sample: Sample<'_>) -> Self {
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
}

impl Value {
    /// As the formats read it.
    pub fn sample(&self) -> Sample<'_> {
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

    /// Takes the sample over, in place where the shape is the same, which it nearly always is.
    pub fn replace(&mut self, sample: Sample<'_>) {
        match (self, sample) {
            (Self::Number(kept), Sample::Number(number)) => *kept = number,
            (Self::Histogram(kept), Sample::Histogram(new)) if *kept.bounds == *new.bounds => {
                kept.counts.copy_from_slice(new.counts);
                kept.sum = new.sum;
            }
            (Self::Exponential(kept), Sample::Exponential(new)) => kept.replace(new),
            (kept, sample) => *kept = sample.into(),
        }
    }

    /// Adds what another one counted. False, and in an unspecified state, where the two are not of one shape, or 64 bits do
    /// not hold a count; a whole number goes on as a double then. A sum that one of them lacks, the total lacks too.
    pub fn add(&mut self, sample: Sample<'_>) -> bool {
        match (self, sample) {
            (Self::Number(kept), Sample::Number(number)) => *kept = kept.plus(number),
            (Self::Histogram(kept), Sample::Histogram(new)) if *kept.bounds == *new.bounds => {
                for (count, more) in kept.counts.iter_mut().zip(new.counts) {
                    let Some(total) = count.checked_add(*more) else {
                        return false;
                    };
                    *count = total;
                }
                kept.sum = kept.sum.zip(new.sum).map(|(kept, new)| kept + new);
            }
            (Self::Exponential(kept), Sample::Exponential(new)) => return kept.add(new),
            _ => return false,
        }
        true
    }
}
