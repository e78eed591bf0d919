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

    /// From the front: most requests are fast and small.
    fn bucket(&self, value: u64) -> usize {
        let above = self.0.iter().position(|bound| value <= *bound);
        above.unwrap_or(self.0.len())
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
/// but for the smallest and the largest, which are told first and as they were.
#[derive(Debug)]
pub(super) struct Pending {
    buckets: Box<[Bucket]>,
    count: u64,
    min: Extreme,
    max: Extreme,
    /// The latest sampled observation of each bucket; empty until there is one.
    exemplars: Vec<Option<Kept>>,
}

/// The smallest or the largest since all was told.
#[derive(Clone, Copy, Debug)]
struct Extreme {
    value: u64,
    is_told: bool,
}

impl Extreme {
    const MIN: Self = Self {
        value: u64::MAX,
        is_told: true,
    };
    const MAX: Self = Self {
        value: 0,
        is_told: true,
    };

    fn replace(&mut self, value: u64) {
        *self = Self { value, is_told: false };
    }
}

impl Pending {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            buckets: vec![Bucket::default(); bounds.buckets()].into(),
            count: 0,
            min: Extreme::MIN,
            max: Extreme::MAX,
            exemplars: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn observe(&mut self, bounds: &Bounds, value: u64, exemplar: Option<&Kept>) {
        let at = bounds.bucket(value);
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.count += 1;
            bucket.sum = bucket.sum.saturating_add(value);
        }
        self.count += 1;
        if value < self.min.value {
            self.min.replace(value);
        }
        if value >= self.max.value && (value > self.max.value || self.max.is_told) {
            self.max.replace(value);
        }
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

    /// All that there is, which is nothing here from now on.
    pub(super) fn take(&mut self) -> Self {
        let nothing = vec![Bucket::default(); self.buckets.len()].into();
        Self {
            buckets: std::mem::replace(&mut self.buckets, nothing),
            count: std::mem::take(&mut self.count),
            min: std::mem::replace(&mut self.min, Extreme::MIN),
            max: std::mem::replace(&mut self.max, Extreme::MAX),
            exemplars: std::mem::take(&mut self.exemplars),
        }
    }

    pub(super) fn take_exemplars(&mut self) -> Vec<Option<Kept>> {
        std::mem::take(&mut self.exemplars)
    }

    /// The next observation to tell, and how often, at most `most` times. When all are told, number and sum of each bucket, the
    /// smallest and the largest are those of what was observed.
    pub(super) fn next(&mut self, bounds: &Bounds, most: u64) -> Option<(u64, u64)> {
        if self.count == 0 || most == 0 {
            return None;
        }
        let (value, times, at) = if !self.min.is_told {
            self.min.is_told = true;
            self.max.is_told |= self.max.value == self.min.value;
            (self.min.value, 1, bounds.bucket(self.min.value))
        } else if !self.max.is_told {
            self.max.is_told = true;
            (self.max.value, 1, bounds.bucket(self.max.value))
        } else {
            let at = self.buckets.iter().position(|bucket| bucket.count > 0)?;
            let Bucket { count, sum } = self.buckets[at];
            // Whole numbers around the mean, so that the sum is right: first those above, then the rest.
            match sum % count {
                0 => (sum / count, count, at),
                above => (sum / count + 1, above, at),
            }
        };
        let times = times.min(most);
        let bucket = self.buckets.get_mut(at)?;
        bucket.count = bucket.count.saturating_sub(times);
        bucket.sum = bucket.sum.saturating_sub(value.saturating_mul(times));
        self.count = self.count.saturating_sub(times);
        Some((value, times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NS: f64 = 1e9;

    fn told(pending: &mut Pending, bounds: &Bounds, mut most: u64) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some((value, times)) = pending.next(bounds, most) {
            assert!((1..=most).contains(&times));
            most -= times;
            all.extend((0..times).map(|_| value));
        }
        all
    }

    /// What a histogram shows of values.
    fn shown(bounds: &Bounds, values: &[u64]) -> ([u64; 4], u64, Option<u64>, Option<u64>) {
        let mut counts = [0; 4];
        values.iter().for_each(|value| counts[bounds.bucket(*value)] += 1);
        let sum = values.iter().sum();
        (counts, sum, values.iter().min().copied(), values.iter().max().copied())
    }

    const ROWS: &[&[u64]] = &[
        &[],
        &[7],
        &[7, 7, 7],
        &[1, 2, 4],
        &[4, 2, 1],
        &[10, 11, 12, 100, 1001, 5000],
        &[10, 10, 11, 11, 999, 1000],
        &[0, 0, u64::MAX / 4],
        &[100_000, 3, 100_001, 100_005, 100_009, 3, 2],
        &[5000, 5000, 5000, 5001, 9999, 9999, 1, 0],
    ];

    #[test]
    fn what_is_told_shows_the_same_as_what_was_observed() {
        let bounds = Bounds::new(&[10.0, 100.0, 1000.0], 1.0);
        for values in ROWS {
            let mut pending = Pending::new(&bounds);
            values.iter().for_each(|value| pending.observe(&bounds, *value, None));
            let mut taken = pending.take();
            assert!(pending.is_empty());
            let told = told(&mut taken, &bounds, u64::MAX);
            assert_eq!(
                shown(&bounds, &told),
                shown(&bounds, values),
                "{values:?} became {told:?}"
            );
            assert!(taken.is_empty());
        }
    }

    #[test]
    fn some_may_be_told_while_others_are_observed() {
        let bounds = Bounds::new(&[10.0, 100.0, 1000.0], 1.0);
        for values in ROWS {
            for at_a_time in 0..3 {
                let mut pending = Pending::new(&bounds);
                let mut all = Vec::new();
                for value in *values {
                    pending.observe(&bounds, *value, None);
                    all.extend(told(&mut pending, &bounds, at_a_time));
                }
                all.extend(told(&mut pending, &bounds, u64::MAX));
                assert_eq!(
                    shown(&bounds, &all),
                    shown(&bounds, values),
                    "{values:?} became {all:?}"
                );
            }
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
}
