use crate::model::{self, Exponential, PointReason, Refused, Side};
use crate::otlp::{Buckets, ExponentialHistogramPoint};

use super::MissingSum;

/// The lowest scale that Prometheus has a schema for (conformance E-04).
const LOWEST_SCALE: i32 = -4;

/// Doubles reach up to 2^1024, which itself is not one of them.
const LARGEST_EXPONENT: i64 = 1024;
/// The smallest double above zero is 2^-1074.
const SMALLEST_EXPONENT: i64 = -1074;

/// Reads a point into `histogram`, in its memory, as the model wants it: at a scale and a width that Prometheus has room for.
///
/// Where several things are wrong, what is wrong with the buckets is said first: it tells most about the sender.
pub(super) fn read(
    histogram: &mut Exponential,
    point: &ExponentialHistogramPoint<'_>,
    missing_sum: MissingSum,
) -> Result<(), Refused> {
    let scale = point.scale;
    if scale < LOWEST_SCALE {
        let detail = format!("scale {scale} is below {LOWEST_SCALE}, the lowest that Prometheus has");
        return Err(Refused::new(PointReason::ScaleTooLow, detail));
    }
    let sides = [point.positive(), point.negative()];
    let extents = [
        Extent::of(&sides[0], &mut histogram.positive),
        Extent::of(&sides[1], &mut histogram.negative),
    ];
    let mut total = Some(point.zero_count);
    for extent in &extents {
        extent.check_range(scale)?;
        total = total
            .zip(extent.total)
            .and_then(|(total, side)| total.checked_add(side));
    }
    let total = total.filter(|total| *total <= Exponential::MOST_COUNTED);
    if total != Some(point.count) {
        let found = total.map_or_else(|| "more than 63 bits hold".to_owned(), |total| total.to_string());
        let detail = format!("the count is {}, the total of the buckets {found}", point.count);
        return Err(Refused::new(PointReason::InconsistentCount, detail));
    }
    histogram.sum = match (point.sum, missing_sum) {
        (Some(sum), _) => sum,
        (None, MissingSum::Nan) => f64::NAN,
        (None, MissingSum::Refuse) => {
            let detail = "an exponential histogram without a sum (--missing-sum nan keeps it)";
            return Err(Refused::new(PointReason::NoSum, detail));
        }
    };
    histogram.zero_count = point.zero_count;
    // What is not usable counts as not given (conformance E-05).
    let is_usable = point.zero_threshold.is_finite() && point.zero_threshold > 0.0;
    histogram.zero_threshold = if is_usable { point.zero_threshold } else { 0.0 };
    // A side may be millions of empty buckets wide on the wire; here it is never wider than it may stay.
    let shift = extents.iter().map(Extent::shift_to_fit).fold(0, u32::max);
    histogram.scale = scale.saturating_sub_unsigned(shift);
    extents[0].fill(&mut histogram.positive, &sides[0], shift);
    extents[1].fill(&mut histogram.negative, &sides[1], shift);
    histogram.fit();
    Ok(())
}

/// From where to where a side has buckets that are not empty, as exponents of their lower bounds, and what is in all of them.
struct Extent {
    offset: i64,
    /// Whether all counts have been read.
    is_read: bool,
    first_and_last: Option<(i64, i64)>,
    /// `None` where 64 bits do not hold it.
    total: Option<u64>,
}

impl Extent {
    /// Reads a side, and its first counts into `narrow`, which nearly always is all of them.
    fn of(buckets: &Buckets<'_>, narrow: &mut Side) -> Self {
        narrow.counts.clear();
        let mut found = 0;
        narrow.offset = buckets.for_each_count(|count| {
            if found < model::Buckets::MOST {
                narrow.counts.push(count);
            }
            found += 1;
        });
        let offset = i64::from(narrow.offset);
        if found > narrow.counts.len() {
            return Self::of_wide(buckets, offset);
        }
        let counts = &narrow.counts;
        let edges = counts
            .iter()
            .position(|count| *count != 0)
            .zip(counts.iter().rposition(|count| *count != 0));
        Self {
            offset,
            is_read: true,
            first_and_last: edges.map(|(first, last)| (offset + first as i64, offset + last as i64)),
            total: counts.iter().try_fold(0, |total: u64, count| total.checked_add(*count)),
        }
    }

    fn of_wide(buckets: &Buckets<'_>, offset: i64) -> Self {
        let mut extent = Self {
            offset,
            is_read: false,
            first_and_last: None,
            total: Some(0),
        };
        let mut index = offset;
        buckets.for_each_count(|count| {
            if count != 0 {
                let (first, _) = *extent.first_and_last.get_or_insert((index, index));
                extent.first_and_last = Some((first, index));
                extent.total = extent.total.and_then(|total| total.checked_add(count));
            }
            index += 1;
        });
        extent
    }

    /// Fails where no double lies in a bucket: the last one that passes ends at 2^1024, since it holds the largest doubles
    /// (conformance E-10), the first one at 2^-1074.
    fn check_range(&self, scale: i32) -> Result<(), Refused> {
        let Some((first, last)) = self.first_and_last else {
            return Ok(());
        };
        // Upper bounds are 2^(index * 2^-scale). Indexes have 33 bits, so that a scale above 32 leaves none out.
        let bound = |exponent: i64| match scale {
            0.. => exponent << scale.min(32),
            _ => exponent.div_euclid(1 << -scale.max(LOWEST_SCALE)),
        };
        // At the lower end the first whole step that is not below it.
        let lowest = -bound(-SMALLEST_EXPONENT);
        for (index, is_in_range) in [(first, first + 1 >= lowest), (last, last < bound(LARGEST_EXPONENT))] {
            if !is_in_range {
                let detail = format!("bucket {index} at scale {scale} is beyond what a double holds");
                return Err(Refused::new(PointReason::BucketOutOfRange, detail));
            }
        }
        Ok(())
    }

    /// By how much the side has to be downscaled to be narrow enough.
    fn shift_to_fit(&self) -> u32 {
        let Some((first, last)) = self.first_and_last else {
            return 0;
        };
        let is_narrow = |shift: &u32| (last >> shift) - (first >> shift) < model::Buckets::MOST as i64;
        (0..64).find(is_narrow).unwrap_or(0)
    }

    fn fill(&self, side: &mut Side, buckets: &Buckets<'_>, shift: u32) {
        if self.is_read && shift == 0 {
            return;
        }
        side.counts.clear();
        side.offset = 0;
        let Some((first, last)) = self.first_and_last else {
            return;
        };
        let start = first >> shift;
        // Not more than fits, as `shift` has been chosen.
        let width = usize::try_from((last >> shift) - start + 1).unwrap_or(0);
        side.counts.resize(width, 0);
        side.offset = i32::try_from(start).unwrap_or(0);
        let mut index = self.offset;
        buckets.for_each_count(|count| {
            let place = usize::try_from((index >> shift) - start).ok();
            index += 1;
            if let Some(place) = place.and_then(|place| side.counts.get_mut(place)) {
                // The total fits 64 bits.
                *place = place.saturating_add(count);
            }
        });
    }
}
