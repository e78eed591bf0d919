//! What one histogram of one series has seen since that was last handed to the SDK.

use super::exemplars::Kept;

/// The upper bounds of the buckets, in the unit that is counted: nanoseconds or bytes.
#[derive(Debug)]
pub(super) struct Bounds(Box<[u64]>);

impl Bounds {
    /// Of bounds in `unit`s: an observation belongs to the bucket in which the SDK puts it, which compares
    /// `observation / unit` with the bound.
    pub(super) fn new(bounds: &[f64], unit: f64) -> Self {
        let scaled = bounds.iter().map(|bound| {
            let rounded = (bound * unit).round() as u64;
            if rounded as f64 / unit <= *bound {
                rounded
            } else {
                rounded.saturating_sub(1)
            }
        });
        Self(scaled.collect())
    }

    /// Counts instead of searching: with a dozen bounds nothing is faster than having no branch.
    fn bucket(&self, value: u64) -> usize {
        self.0.iter().map(|bound| usize::from(value > *bound)).sum()
    }

    fn buckets(&self) -> usize {
        self.0.len() + 1
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    count: u64,
    sum: u64,
}

/// Observations that the SDK does not have yet.
///
/// A bucket keeps their number and sum, which is enough to tell the SDK about each of them later: as the mean of the bucket,
/// with the smallest and the largest as they were.
#[derive(Debug)]
pub(super) struct Pending {
    buckets: Box<[Bucket]>,
    count: u64,
    min: u64,
    max: u64,
    /// The latest sampled observation of each bucket; empty until there is one.
    exemplars: Vec<Option<Kept>>,
}

impl Pending {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            buckets: vec![Bucket::default(); bounds.buckets()].into(),
            count: 0,
            min: u64::MAX,
            max: 0,
            exemplars: Vec::new(),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn observe(&mut self, bounds: &Bounds, value: u64, exemplar: Option<&Kept>) {
        let at = bounds.bucket(value);
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.count += 1;
            bucket.sum = bucket.sum.saturating_add(value);
        }
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if let Some(exemplar) = exemplar {
            self.exemplars.resize_with(self.buckets.len(), || None);
            if let Some(slot) = self.exemplars.get_mut(at) {
                *slot = Some(Kept {
                    value,
                    ..exemplar.clone()
                });
            }
        }
    }

    /// Takes over what `other` has, and leaves it with nothing.
    pub(super) fn take_from(&mut self, other: &mut Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&mut other.buckets) {
            let Bucket { count, sum } = std::mem::take(theirs);
            mine.count += count;
            mine.sum = mine.sum.saturating_add(sum);
        }
        self.count += std::mem::take(&mut other.count);
        self.min = self.min.min(std::mem::replace(&mut other.min, u64::MAX));
        self.max = self.max.max(std::mem::take(&mut other.max));
        super::exemplars::keep_newest(&mut self.exemplars, &mut other.exemplars);
    }

    pub(super) fn take_exemplars(&mut self) -> Vec<Option<Kept>> {
        std::mem::take(&mut self.exemplars)
    }

    /// Calls `record` once for each observation, and has none left. Number and sum of each bucket, the smallest and the largest
    /// are those of what was observed.
    pub(super) fn replay(&mut self, mut record: impl FnMut(u64)) {
        let (min, max) = (self.min, self.max);
        let mut left = self.count;
        let nonempty = self.buckets.iter_mut().filter(|bucket| bucket.count > 0);
        for (position, bucket) in nonempty.enumerate() {
            let Bucket { mut count, mut sum } = std::mem::take(bucket);
            left -= count;
            if position == 0 {
                record(min);
                count -= 1;
                sum = sum.saturating_sub(min);
            }
            // The last bucket holds the largest, which may be the smallest as well.
            if left == 0 && count > 0 {
                record(max);
                count -= 1;
                sum = sum.saturating_sub(max);
            }
            if let (Some(mean), Some(above)) = (sum.checked_div(count), sum.checked_rem(count)) {
                (0..above).for_each(|_| record(mean + 1));
                (above..count).for_each(|_| record(mean));
            }
        }
        (self.count, self.min, self.max) = (0, u64::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NS: f64 = 1e9;

    fn pending(bounds: &Bounds, values: &[u64]) -> Pending {
        let mut pending = Pending::new(bounds);
        values.iter().for_each(|value| pending.observe(bounds, *value, None));
        pending
    }

    #[test]
    fn what_is_replayed_has_the_buckets_sum_and_extremes_of_what_was_observed() {
        let rows: &[&[u64]] = &[
            &[],
            &[7],
            &[7, 7, 7],
            &[1, 2, 4],
            &[10, 11, 12, 100, 1001, 5000],
            &[10, 10, 11, 11, 999, 1000],
            &[0, 0, u64::MAX / 4],
            &[100_000, 3, 100_001, 100_005, 100_009],
        ];
        let bounds = Bounds::new(&[10.0, 100.0, 1000.0], 1.0);
        for values in rows {
            let mut replayed = Vec::new();
            let mut pending = pending(&bounds, values);
            pending.replay(|value| replayed.push(value));
            let buckets = |values: &[u64]| {
                let mut counts = [0; 4];
                values.iter().for_each(|value| counts[bounds.bucket(*value)] += 1);
                let sum: u64 = values.iter().sum();
                (counts, sum, values.iter().min().copied(), values.iter().max().copied())
            };
            assert_eq!(buckets(&replayed), buckets(values), "{values:?} became {replayed:?}");
            assert_eq!(pending.count(), 0);
            pending.replay(|value| panic!("{value} is left of {values:?}"));
        }
    }

    #[test]
    fn bounds_are_where_the_sdk_has_them() {
        let seconds = [0.0, 0.005, 0.075, 0.1, 1e-9, 2.5, 7.5, 0.3, 1.0 / 3.0];
        for bound in seconds {
            let bounds = Bounds::new(&[bound], NS);
            let near = (bound * NS) as u64;
            for value in near.saturating_sub(2)..near + 3 {
                // As `opentelemetry_sdk` does it.
                let expected = [bound].partition_point(|bound| *bound < value as f64 / NS);
                assert_eq!(bounds.bucket(value), expected, "{value} ns beside {bound} s");
            }
        }
        assert_eq!(Bounds::new(&[], 1.0).bucket(5), 0);
    }

    #[test]
    fn two_together_are_what_both_saw() {
        let bounds = Bounds::new(&[10.0], 1.0);
        let (mut one, mut other) = (pending(&bounds, &[3, 12]), pending(&bounds, &[1, 40, 2]));
        one.take_from(&mut other);
        let mut replayed = Vec::new();
        one.replay(|value| replayed.push(value));
        replayed.sort_unstable();
        assert_eq!(replayed, [1, 2, 3, 12, 40]);
        assert_eq!(other.count(), 0);
    }
}
