use super::{Buckets, ExponentialHistogram};

/// An exponential histogram that is being put together, added to, or kept.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Exponential {
    /// The scale of all buckets; as the sender has it until [`Exponential::fit`].
    pub scale: i32,
    /// See [`ExponentialHistogram::zero_threshold`].
    pub zero_threshold: f64,
    /// See [`ExponentialHistogram::zero_count`].
    pub zero_count: u64,
    /// Above zero.
    pub positive: Side,
    /// Below zero.
    pub negative: Side,
    /// NaN where there is none.
    pub sum: f64,
}

/// One side of an [`Exponential`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Side {
    /// See [`Buckets::offset`].
    pub offset: i32,
    /// See [`Buckets::counts`].
    pub counts: Vec<u64>,
}

/// The largest scale that Prometheus has a schema for.
const LARGEST_SCALE: i32 = 8;

impl Exponential {
    /// As the formats read it, once it fits.
    pub fn sample(&self) -> ExponentialHistogram<'_> {
        ExponentialHistogram {
            scale: self.scale as i8,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            positive: self.positive.buckets(),
            negative: self.negative.buckets(),
            sum: self.sum,
        }
    }

    /// Takes another value over, in the memory of this one.
    pub fn replace(&mut self, new: ExponentialHistogram<'_>) {
        self.scale = new.scale.into();
        self.zero_threshold = new.zero_threshold;
        self.zero_count = new.zero_count;
        self.positive.replace(new.positive);
        self.negative.replace(new.negative);
        self.sum = new.sum;
    }

    /// The most that may be counted: Prometheus has 63 bits for a bucket, and fails a scrape that needs more.
    pub const MOST_COUNTED: u64 = i64::MAX.cast_unsigned();

    /// The total of all buckets; `None` where it is more than [`Exponential::MOST_COUNTED`].
    pub fn total(&self) -> Option<u64> {
        let sides = self.positive.counts.iter().chain(&self.negative.counts);
        let total = sides
            .into_iter()
            .try_fold(self.zero_count, |total, count| total.checked_add(*count))?;
        (total <= Self::MOST_COUNTED).then_some(total)
    }

    /// Trims empty edges, then downscales until Prometheus has a schema for the scale and neither side is wider than
    /// [`Buckets::MOST`] (conformance E-03, B-03).
    pub fn fit(&mut self) {
        self.positive.trim();
        self.negative.trim();
        let too_fine = self.scale.saturating_sub(LARGEST_SCALE).max(0).unsigned_abs();
        let shift = [&self.positive, &self.negative]
            .map(|side| side.shift_to_fit(too_fine))
            .into_iter()
            .fold(too_fine, u32::max);
        self.downscale(shift);
    }

    /// Adds what another one counted: at the smaller scale, with the larger zero threshold (conformance D-07). False, and in
    /// an unspecified state, where that is more than may be counted.
    pub fn add(&mut self, other: ExponentialHistogram<'_>) -> bool {
        let mut other = Self::from(other);
        let scale = self.scale.min(other.scale);
        for histogram in [&mut *self, &mut other] {
            histogram.downscale(histogram.scale.abs_diff(scale));
        }
        let threshold = self.zero_threshold.max(other.zero_threshold);
        for histogram in [&mut *self, &mut other] {
            histogram.widen_zero(threshold);
        }
        self.zero_count = self.zero_count.saturating_add(other.zero_count);
        self.positive.add(&other.positive);
        self.negative.add(&other.negative);
        self.sum += other.sum;
        self.fit();
        // A count that was held at the limit of 64 bits makes the total pass its own.
        self.total().is_some()
    }

    /// Merges each 2^`shift` buckets by floor, for negative indexes too (conformance E-03).
    fn downscale(&mut self, shift: u32) {
        if shift > 0 {
            self.positive.downscale(shift);
            self.negative.downscale(shift);
            self.scale = self.scale.saturating_sub_unsigned(shift);
        }
    }

    /// Takes a threshold over that is not smaller, and counts the buckets that lie wholly below it as zero (conformance D-07),
    /// also where it was the own one and the sender had not.
    fn widen_zero(&mut self, threshold: f64) {
        self.zero_threshold = threshold;
        if threshold <= 0.0 {
            return;
        }
        for side in [&mut self.positive, &mut self.negative] {
            let below = (0..side.counts.len())
                .take_while(|at| bound(self.scale, i64::from(side.offset) + *at as i64 + 1) <= threshold)
                .count();
            let folded: u64 = side.counts.drain(..below).fold(0, u64::saturating_add);
            self.zero_count = self.zero_count.saturating_add(folded);
            side.offset += below as i32;
            side.trim();
        }
    }
}

/// base^`index`, the upper bound of the bucket in front of it; 0 and infinity beyond what a double holds.
pub(super) fn bound(scale: i32, index: i64) -> f64 {
    (index as f64 * f64::from(-scale).exp2()).exp2()
}

impl From<ExponentialHistogram<'_>> for Exponential {
    fn from(histogram: ExponentialHistogram<'_>) -> Self {
        let mut kept = Self::default();
        kept.replace(histogram);
        kept
    }
}

impl Side {
    fn buckets(&self) -> Buckets<'_> {
        Buckets {
            offset: self.offset,
            counts: &self.counts,
        }
    }

    fn replace(&mut self, new: Buckets<'_>) {
        self.offset = new.offset;
        self.counts.clear();
        self.counts.extend_from_slice(new.counts);
    }

    fn trim(&mut self) {
        let end = self
            .counts
            .iter()
            .rposition(|count| *count != 0)
            .map_or(0, |last| last + 1);
        self.counts.truncate(end);
        let start = self.counts.iter().position(|count| *count != 0).unwrap_or(0);
        self.counts.drain(..start);
        self.offset = if self.counts.is_empty() {
            0
        } else {
            self.offset.saturating_add(start as i32)
        };
    }

    /// The exponent of the last bucket's lower bound.
    fn last(&self) -> i64 {
        i64::from(self.offset) + self.counts.len() as i64 - 1
    }

    /// By how much a trimmed side has to be downscaled, at least by `least`, to be narrow enough.
    fn shift_to_fit(&self, least: u32) -> u32 {
        let width = |shift: u32| (self.last() >> shift.min(63)) - (i64::from(self.offset) >> shift.min(63)) + 1;
        let mut shift = least;
        while !self.counts.is_empty() && width(shift) > Buckets::MOST as i64 {
            shift += 1;
        }
        shift
    }

    fn downscale(&mut self, shift: u32) {
        if self.counts.is_empty() {
            return;
        }
        let first = i64::from(self.offset);
        let shift = shift.min(63);
        let offset = first >> shift;
        let mut end = 0;
        for at in 0..self.counts.len() {
            let to = (((first + at as i64) >> shift) - offset) as usize;
            let count = self.counts[at];
            // `to` never passes `at`, and grows by at most one.
            if to < end {
                self.counts[to] = self.counts[to].saturating_add(count);
            } else {
                self.counts[to] = count;
                end = to + 1;
            }
        }
        self.counts.truncate(end);
        self.offset = offset as i32;
    }

    /// Adds the counts of a side of the same scale. Both are narrow, but may be far apart.
    fn add(&mut self, other: &Self) {
        if other.counts.is_empty() {
            return;
        }
        if self.counts.is_empty() {
            return self.replace(other.buckets());
        }
        let first = self.offset.min(other.offset);
        let before = (self.offset - first) as usize;
        self.counts.splice(..0, std::iter::repeat_n(0, before));
        self.offset = first;
        let at = (other.offset - first) as usize;
        if self.counts.len() < at + other.counts.len() {
            self.counts.resize(at + other.counts.len(), 0);
        }
        for (count, more) in self.counts[at..].iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(offset: i32, counts: &[u64]) -> Side {
        Side {
            offset,
            counts: counts.to_vec(),
        }
    }

    fn positive(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
        Exponential {
            scale,
            positive: side(offset, counts),
            ..Exponential::default()
        }
    }

    #[track_caller]
    fn fits(mut histogram: Exponential, scale: i32, offset: i32, counts: &[u64]) {
        histogram.fit();
        assert_eq!((histogram.scale, &histogram.positive), (scale, &side(offset, counts)));
    }

    #[test]
    fn e_03_scales_above_8_are_downscaled_by_floor() {
        // Prometheus' own index is one more.
        fits(positive(9, 0, &[0, 0, 3, 1]), 8, 1, &[4]);
        fits(positive(9, -4, &[0, 0, 3, 1]), 8, -1, &[4]);
        fits(positive(9, -3, &[1, 0, 1]), 8, -2, &[1, 1]);
        fits(positive(20, i32::MAX - 1, &[1, 1]), 8, i32::MAX >> 12, &[2]);
        fits(positive(20, i32::MIN, &[1]), 8, i32::MIN >> 12, &[1]);
        fits(positive(i32::MAX, 5, &[1]), 8, 0, &[1]);
        fits(positive(3, 7, &[0, 0]), 3, 0, &[]);
    }

    #[test]
    fn d_07_b_03_a_side_is_at_most_160_wide_without_its_empty_edges() {
        let mut counts = vec![0; 300];
        (counts[70], counts[229]) = (1, 1);
        let fitted = {
            let mut histogram = positive(8, 0, &counts);
            histogram.fit();
            histogram
        };
        assert_eq!((fitted.scale, fitted.positive.counts.len()), (8, 160));
        counts[230] = 1;
        let mut histogram = positive(8, 0, &counts);
        histogram.negative = side(3, &[1, 1]);
        histogram.fit();
        assert_eq!((histogram.scale, histogram.positive.counts.len()), (7, 81));
        assert_eq!(histogram.negative, side(1, &[1, 1]), "both sides together");
    }

    #[test]
    fn d_07_adding_takes_the_smaller_scale_and_the_larger_threshold() {
        let mut total = positive(1, 0, &[1, 1]);
        assert!(total.add(positive(0, 0, &[2]).sample()));
        assert_eq!((total.scale, &total.positive), (0, &side(0, &[4])));

        let mut total = positive(0, 0, &[5, 6, 7]);
        total.zero_count = 1;
        let threshold = Exponential {
            zero_threshold: 3.0,
            zero_count: 2,
            negative: side(1, &[9]),
            ..Exponential::default()
        };
        assert!(total.add(threshold.sample()));
        // (1, 2] lies below 3; (2, 4] does not, wholly.
        assert_eq!((total.zero_count, total.zero_threshold), (8, 3.0));
        assert_eq!((&total.positive, &total.negative), (&side(1, &[6, 7]), &side(1, &[9])));
    }

    #[test]
    fn d_07_buckets_below_the_threshold_count_as_zero_whoever_had_them() {
        let with = |zero_threshold, counts: &[u64]| Exponential {
            zero_threshold,
            zero_count: 1,
            ..positive(0, 0, counts)
        };
        for (total, more, zero_count, rest) in [
            (with(3.0, &[5]), with(0.0, &[7, 9]), 14, side(1, &[9])),
            (with(0.0, &[7, 9]), with(3.0, &[5]), 14, side(1, &[9])),
            (with(2.0, &[5]), with(2.0, &[1, 1]), 8, side(1, &[1])),
            (with(0.0, &[5]), with(0.0, &[1]), 2, side(0, &[6])),
            (with(8.0, &[]), with(0.0, &[1, 1, 1]), 5, Side::default()),
        ] {
            let mut sum = total.clone();
            assert!(sum.add(more.sample()));
            assert_eq!(
                (sum.zero_count, &sum.positive),
                (zero_count, &rest),
                "{total:?} {more:?}"
            );
        }
    }

    #[test]
    fn d_07_sides_that_are_far_apart_are_downscaled_until_they_fit() {
        let mut total = positive(8, -1000, &[1]);
        assert!(total.add(positive(8, 1000, &[1]).sample()));
        assert!(total.positive.counts.len() <= 160, "{}", total.positive.counts.len());
        assert_eq!((total.scale, total.total()), (4, Some(2)));
    }

    #[test]
    fn e_07_counts_that_pass_63_bits_are_told() {
        let most = Exponential::MOST_COUNTED;
        for (held, more, fits) in [
            (most - 1, 1, true),
            (most, 1, false),
            (u64::MAX, 1, false),
            (u64::MAX, u64::MAX, false),
        ] {
            let mut total = positive(0, 0, &[held]);
            assert_eq!(total.add(positive(0, 0, &[more]).sample()), fits, "{held} {more}");
        }
    }
}
