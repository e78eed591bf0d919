use super::{Run, START, TIME, Times, delimited, fixed64};

/// A data point of a histogram with explicit bounds that has neither exemplars nor flags.
#[derive(Clone, Copy, Debug)]
pub struct PlainHistogram<'a> {
    /// From when to when it counts.
    pub times: Times,
    /// See [`HistogramPoint`](crate::otlp::HistogramPoint).
    pub count: u64,
    /// See [`HistogramPoint`](crate::otlp::HistogramPoint).
    pub sum: Option<f64>,
    /// The count of each bucket, eight bytes each, the lowest first.
    pub counts: &'a [u8],
    /// The bounds between the buckets, likewise.
    pub bounds: &'a [u8],
    /// By which it is known.
    pub attributes: Run<'a>,
}

const COUNT: u8 = 0x21;
const SUM: u8 = 0x29;
const COUNTS: u8 = 0x32;
const BOUNDS: u8 = 0x3A;
const ATTRIBUTES: u8 = 0x4A;
const MIN: u8 = 0x59;
const MAX: u8 = 0x61;

impl<'a> PlainHistogram<'a> {
    /// Takes a point apart whose attributes are `expected`, most likely. Its fields may stand in any order.
    #[inline]
    pub fn of(point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let mut found = Self {
            times: Times::default(),
            count: 0,
            sum: None,
            counts: &[],
            bounds: &[],
            attributes: Run::absent(expected),
        };
        let (mut has_counts, mut has_bounds, mut has_attributes) = (false, false, false);
        let mut rest = point;
        while let [key, behind @ ..] = rest {
            match *key {
                START => (found.times.start_unix_nano, rest) = fixed64(behind)?,
                TIME => (found.times.time_unix_nano, rest) = fixed64(behind)?,
                COUNT => (found.count, rest) = fixed64(behind)?,
                SUM => {
                    let bits;
                    (bits, rest) = fixed64(behind)?;
                    found.sum = Some(f64::from_bits(bits));
                }
                MIN | MAX => (_, rest) = fixed64(behind)?,
                // What comes in several pieces is for others to put together.
                COUNTS if !has_counts => {
                    (found.counts, rest) = delimited(behind)?;
                    has_counts = true;
                }
                BOUNDS if !has_bounds => {
                    (found.bounds, rest) = delimited(behind)?;
                    has_bounds = true;
                }
                ATTRIBUTES if !has_attributes => {
                    (found.attributes, rest) = Run::take(rest, ATTRIBUTES, expected)?;
                    has_attributes = true;
                }
                _ => return None,
            }
        }
        let is_whole = found.counts.len().is_multiple_of(8) && found.bounds.len().is_multiple_of(8);
        is_whole.then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\x11\x01\0\0\0\0\0\0\0";
    const TIME: &[u8] = b"\x19\x02\0\0\0\0\0\0\0";
    const COUNT: &[u8] = b"\x21\x03\0\0\0\0\0\0\0";
    const SUM: &[u8] = b"\x29\0\0\0\0\0\0\xf0\x3f";
    const COUNTS: &[u8] = b"\x32\x10\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0";
    const BOUNDS: &[u8] = b"\x3a\x08\0\0\0\0\0\0\xf0\x3f";
    const ATTRIBUTES: &[u8] = b"\x4a\x03abc\x4a\x01d";
    const MAX: &[u8] = b"\x61\0\0\0\0\0\0\xf0\x3f";

    #[test]
    fn a_histogram_is_the_same_in_every_order_of_its_fields() {
        let fields = [START, TIME, COUNT, SUM, COUNTS, BOUNDS, ATTRIBUTES, MAX];
        for turn in 0..fields.len() {
            let mut fields = fields;
            fields.rotate_left(turn);
            let point = fields.concat();
            let found = PlainHistogram::of(&point, ATTRIBUTES).unwrap();
            let Times {
                start_unix_nano,
                time_unix_nano,
            } = found.times;
            assert_eq!((start_unix_nano, time_unix_nano, found.count), (1, 2, 3));
            assert_eq!(
                (found.sum, found.counts, found.bounds),
                (Some(1.0), &COUNTS[2..], &BOUNDS[2..])
            );
            assert!(found.attributes.is_expected && found.attributes.bytes == ATTRIBUTES);
        }
        assert_eq!(
            PlainHistogram::of(&[START, TIME].concat(), ATTRIBUTES).unwrap().sum,
            None
        );
    }

    #[test]
    fn what_is_odd_is_for_others_to_read() {
        assert!(PlainHistogram::of(&[COUNTS, ATTRIBUTES, BOUNDS].concat(), ATTRIBUTES).is_some());
        for odd in [
            &b"\x42\x00"[..],
            b"\x50\x00",
            b"\x31\x01\0\0\0\0\0\0\0",
            b"\x68\x00",
            b"\x12\x00",
            COUNTS,
            BOUNDS,
            ATTRIBUTES,
        ] {
            let point = [COUNTS, ATTRIBUTES, BOUNDS, odd].concat();
            assert!(PlainHistogram::of(&point, ATTRIBUTES).is_none(), "{odd:?}");
        }
        assert!(PlainHistogram::of(b"\x32\x07\x01\0\0\0\0\0\0", b"").is_none());
    }
}
