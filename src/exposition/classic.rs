use crate::model::ExponentialHistogram;

/// The classic form of an exponential histogram (conformance E-08): upper bounds, strictly increasing, each with the count of
/// all that it holds; the last is `+Inf`.
///
/// Bounds are the edges of the buckets that hold something, on a grid of powers of two, or a coarser one where the histogram
/// is coarser: so they stay when the sender rescales. The zero bucket stands at its threshold, if it holds anything.
pub(super) fn buckets(histogram: &ExponentialHistogram<'_>) -> Vec<(f64, u64)> {
    let threshold = histogram.zero_threshold;
    let (negative, near_zero) = Cells::of(histogram, &histogram.negative, threshold);
    let (positive, near_zero_too) = Cells::of(histogram, &histogram.positive, threshold);
    let zero_count = histogram.zero_count + near_zero + near_zero_too;
    let mut buckets = Buckets::default();
    for (lower, upper, count) in negative.iter().rev() {
        buckets.edge(-upper);
        buckets.count += count;
        buckets.edge(-lower);
    }
    if zero_count > 0 {
        buckets.count += zero_count;
        buckets.edge(threshold);
    }
    for (lower, upper, count) in positive.iter() {
        buckets.edge(lower);
        buckets.count += count;
        buckets.edge(upper);
    }
    buckets.list.push((f64::INFINITY, buckets.count));
    buckets.list
}

#[derive(Default)]
struct Buckets {
    list: Vec<(f64, u64)>,
    count: u64,
}

impl Buckets {
    /// All that has been counted so far lies below `bound`. One that lies inside the zero bucket is passed over, and so is what
    /// a double does not hold: the last bucket ends at infinity anyway.
    fn edge(&mut self, bound: f64) {
        if !bound.is_finite() {
            return;
        }
        match self.list.last_mut() {
            Some((last, _)) if *last > bound => {}
            Some((last, count)) if *last == bound => *count = self.count,
            // Without the sign of -0.
            _ => self.list.push((bound + 0.0, self.count)),
        }
    }
}

/// The buckets of one side on the grid: lower exponent and count of each that holds something, in order.
struct Cells {
    scale: i8,
    cells: Vec<(i64, u64)>,
}

impl Cells {
    /// And how many observations are in buckets that reach no further than the threshold.
    fn of(histogram: &ExponentialHistogram<'_>, side: &crate::model::Buckets<'_>, threshold: f64) -> (Self, u64) {
        let shift = histogram.scale.max(0);
        let mut cells: Vec<(i64, u64)> = Vec::new();
        let mut near_zero = 0;
        for (at, count) in side.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let index = i64::from(side.offset) + at as i64;
            if ExponentialHistogram::bound(histogram.scale, index + 1) <= threshold {
                near_zero += count;
                continue;
            }
            match cells.last_mut() {
                Some((cell, total)) if *cell == index >> shift => *total += count,
                _ => cells.push((index >> shift, *count)),
            }
        }
        let scale = histogram.scale.min(0);
        (Self { scale, cells }, near_zero)
    }

    /// Lower bound, upper bound and count of each.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (f64, f64, u64)> {
        let bound = |index| ExponentialHistogram::bound(self.scale, index);
        self.cells
            .iter()
            .map(move |(index, count)| (bound(*index), bound(index + 1), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Buckets;

    fn check(
        (scale, zero_threshold, zero_count): (i8, f64, u64),
        negative: (i32, &[u64]),
        positive: (i32, &[u64]),
        expected: &[(f64, u64)],
    ) {
        let side = |(offset, counts)| Buckets { offset, counts };
        let histogram = ExponentialHistogram {
            scale,
            zero_threshold,
            zero_count,
            positive: side(positive),
            negative: side(negative),
            sum: 0.0,
        };
        assert_eq!(buckets(&histogram), expected);
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn e_08_edges_of_what_holds_something_zero_and_infinity() {
        check(
            (0, 0.0, 1),
            (0, &[1]),
            (0, &[1]),
            &[(-2.0, 0), (-1.0, 1), (0.0, 2), (1.0, 2), (2.0, 3), (INF, 3)],
        );
        check(
            (0, 0.0, 1),
            (0, &[]),
            (2, &[2]),
            &[(0.0, 1), (4.0, 1), (8.0, 3), (INF, 3)],
        );
        // Neighbours share an edge.
        check(
            (0, 0.0, 0),
            (0, &[1, 2]),
            (1, &[3, 0, 4]),
            &[
                (-4.0, 0),
                (-2.0, 2),
                (-1.0, 3),
                (2.0, 3),
                (4.0, 6),
                (8.0, 6),
                (16.0, 10),
                (INF, 10),
            ],
        );
        check((8, 0.5, 0), (0, &[]), (0, &[]), &[(INF, 0)]);
    }

    #[test]
    fn e_08_the_grid_is_of_powers_of_two_or_coarser() {
        // (1, 2^(1/4)], …, (2, 2^(5/4)]
        check(
            (2, 0.0, 0),
            (0, &[]),
            (0, &[1, 1, 0, 1, 5]),
            &[(1.0, 0), (2.0, 3), (4.0, 8), (INF, 8)],
        );
        check((-1, 0.0, 0), (0, &[]), (-1, &[7]), &[(0.25, 0), (1.0, 7), (INF, 7)]);
    }

    #[test]
    fn e_08_what_reaches_no_further_than_the_threshold_counts_there() {
        check((0, 2.0, 1), (0, &[5]), (0, &[6, 7]), &[(2.0, 12), (4.0, 19), (INF, 19)]);
        check((0, 2.0, 0), (0, &[]), (0, &[6]), &[(2.0, 6), (INF, 6)]);
        // An edge inside the zero bucket would say less than is known below it.
        check(
            (0, 3.0, 1),
            (1, &[2]),
            (1, &[5]),
            &[(-4.0, 0), (-2.0, 2), (3.0, 3), (4.0, 8), (INF, 8)],
        );
        // The fine buckets decide, not the grid.
        check((1, 1.5, 0), (0, &[]), (0, &[3, 4]), &[(1.5, 3), (2.0, 7), (INF, 7)]);
    }

    #[test]
    fn e_10_the_largest_and_the_smallest_doubles() {
        check(
            (0, 0.0, 0),
            (1023, &[1]),
            (1023, &[2]),
            &[(-2f64.powi(1023), 1), (2f64.powi(1023), 1), (INF, 3)],
        );
        let smallest = f64::from_bits(1);
        check(
            (0, 0.0, 0),
            (0, &[]),
            (-1075, &[2]),
            &[(0.0, 0), (smallest, 2), (INF, 2)],
        );
        check(
            (0, 0.0, 1),
            (-1075, &[2]),
            (0, &[]),
            &[(-smallest, 0), (0.0, 3), (INF, 3)],
        );
    }
}
