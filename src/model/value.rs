use std::sync::Arc;

use super::{Exponential, ExponentialHistogram, Histogram, Number, Sample, Summary};

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
    /// See [`Histogram::bounds`]. Nearly always those of all other series of its family (see [`Value::share_bounds`]).
    pub bounds: Arc<[f64]>,
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

    /// Holds the bounds that are `known`, if it has the same, or makes its own known.
    pub fn share_bounds(&mut self, known: &mut Option<Arc<[f64]>>) {
        if let Self::Histogram(kept) = self {
            match known {
                Some(known) if *known == kept.bounds => kept.bounds = Arc::clone(known),
                _ => *known = Some(Arc::clone(&kept.bounds)),
            }
        }
    }

    /// Whether it is an exponential histogram.
    pub fn is_exponential(&self) -> bool {
        matches!(self, Self::Exponential(_))
    }

    /// Takes the sample over, in place where the shape is the same, which it nearly always is; whether it is another.
    pub fn replace(&mut self, sample: Sample<'_>) -> bool {
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
                *kept = sample.into();
                true
            }
        }
    }

    /// Adds what another one counted; whether its buckets are others now. `None`, and nothing is changed, where the two do not
    /// fit together, or 64 bits do not hold the counts of a histogram. A sum that one of them lacks, the total lacks too
    /// (conformance D-06).
    pub fn add(&mut self, more: Sample<'_>) -> Option<bool> {
        match (self, more) {
            (Self::Number(total), Sample::Number(more)) => {
                *total = total.plus(more);
                Some(false)
            }
            (Self::Histogram(total), Sample::Histogram(more)) => total.add(more).then_some(false),
            (Self::Exponential(total), Sample::Exponential(more)) => add(total, more),
            _ => None,
        }
    }
}

impl KeptHistogram {
    /// Takes the counts of the buckets over where the bounds are exactly those that it has, and the counts add up to `count`; else
    /// nothing is changed. Whether it did.
    #[inline]
    pub fn replace(
        &mut self,
        bounds: impl ExactSizeIterator<Item = f64>,
        counts: impl ExactSizeIterator<Item = u64> + Clone,
        count: u64,
        sum: Option<f64>,
    ) -> bool {
        let has_bounds = self.bounds.len() == bounds.len()
            && self.counts.len() == counts.len()
            && self
                .bounds
                .iter()
                .zip(bounds)
                .all(|(held, new)| held.to_bits() == new.to_bits());
        if !has_bounds || counts.clone().try_fold(0, u64::checked_add) != Some(count) {
            return false;
        }
        let mut total = 0;
        for (held, count) in self.counts.iter_mut().zip(counts) {
            total += count;
            *held = total;
        }
        self.sum = sum;
        true
    }

    fn add(&mut self, more: Histogram<'_>) -> bool {
        let last = self.counts.last().copied().unwrap_or(0);
        if *self.bounds != *more.bounds || last.checked_add(more.count()).is_none() {
            return false;
        }
        // Both are cumulative over the bounds, so the sum is, and its last count is the largest.
        for (total, more) in self.counts.iter_mut().zip(more.counts) {
            *total = total.saturating_add(*more);
        }
        self.sum = self.sum.zip(more.sum).map(|(total, more)| total + more);
        true
    }
}

fn add(total: &mut Exponential, more: ExponentialHistogram<'_>) -> Option<bool> {
    // Asked first, since a sum that fails leaves nothing to go on with.
    let count = total.total()?.checked_add(more.count())?;
    let before = classic_form(total);
    (count <= Exponential::MOST_COUNTED && total.add(more)).then(|| classic_form(total) != before)
}

/// What the buckets of the classic form depend on: how coarse they are, and where zero ends (conformance E-08).
fn classic_form(histogram: &Exponential) -> (i32, f64) {
    (histogram.scale.min(0), histogram.zero_threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bounds: &[f64], counts: &[u64]) -> Value {
        Sample::Histogram(Histogram {
            bounds,
            counts,
            sum: None,
        })
        .into()
    }

    fn bounds(value: &Value) -> &Arc<[f64]> {
        match value {
            Value::Histogram(kept) => &kept.bounds,
            _ => panic!("it is a histogram"),
        }
    }

    #[test]
    fn bounds_that_are_equal_are_held_once() {
        let mut known = None;
        let mut values = [&[1.0, 2.0][..], &[1.0, 2.0], &[1.0], &[1.0, 2.0], &[], &[]]
            .map(|bounds| histogram(bounds, &vec![0; bounds.len() + 1]));
        values.iter_mut().for_each(|value| value.share_bounds(&mut known));
        let same = |a: usize, b: usize| Arc::ptr_eq(bounds(&values[a]), bounds(&values[b]));
        assert!(same(0, 1) && !same(1, 2) && !same(0, 3) && same(4, 5));
        assert_eq!(**bounds(&values[3]), [1.0, 2.0]);
        Value::Number(Number::Int(1)).share_bounds(&mut known);
        assert_eq!(known.as_deref(), Some(&[][..]));
    }

    #[test]
    fn h_06_counts_are_taken_over_where_bounds_and_total_are_what_they_were() {
        for (bounds, counts, count, expected) in [
            (&[1.0, 2.0][..], &[1, 2, 3][..], 6, Some([1, 3, 6])),
            (&[1.0, 2.0], &[0, 0, 0], 0, Some([0, 0, 0])),
            (&[1.0, 2.0], &[1, 2, 3], 7, None),
            (&[1.0, 3.0], &[1, 2, 3], 6, None),
            (&[1.0], &[1, 2, 3], 6, None),
            (&[1.0, 2.0], &[1, 2], 3, None),
            (&[1.0, 2.0], &[u64::MAX, 1, 0], 0, None),
        ] {
            let Value::Histogram(mut kept) = histogram(&[1.0, 2.0], &[7, 8, 9]) else {
                panic!("it is a histogram");
            };
            let took = kept.replace(bounds.iter().copied(), counts.iter().copied(), count, Some(1.5));
            assert_eq!(took, expected.is_some(), "{bounds:?} {counts:?}");
            assert_eq!(*kept.counts, expected.unwrap_or([7, 8, 9]), "{bounds:?} {counts:?}");
            assert_eq!(kept.sum, took.then_some(1.5));
        }
    }
}
