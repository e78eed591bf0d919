use super::{Run, START, TIME, Times, delimited, fixed64};
use crate::otlp::ExponentialHistogramPoint;
use crate::otlp::exponential::Buckets;

/// A data point of an exponential histogram that has neither exemplars nor flags.
#[derive(Clone, Copy, Debug)]
pub struct PlainExponential<'a> {
    /// From when to when it counts.
    pub times: Times,
    /// What it counted. Its buckets have been checked.
    pub histogram: ExponentialHistogramPoint<'a>,
    /// By which it is known.
    pub attributes: Run<'a>,
}

const ATTRIBUTES: u8 = 0x0A;
const COUNT: u8 = 0x21;
const SUM: u8 = 0x29;
const SCALE: u8 = 0x30;
const ZERO_COUNT: u8 = 0x39;
const POSITIVE: u8 = 0x42;
const NEGATIVE: u8 = 0x4A;
const MIN: u8 = 0x61;
const MAX: u8 = 0x69;
const ZERO_THRESHOLD: u8 = 0x71;

impl<'a> PlainExponential<'a> {
    /// Takes a point apart whose attributes are `expected`, most likely. Its fields may stand in any order.
    #[inline]
    pub fn of(point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let mut found = Self {
            times: Times::default(),
            histogram: ExponentialHistogramPoint::EMPTY,
            attributes: Run::absent(expected),
        };
        let histogram = &mut found.histogram;
        let (mut positive, mut negative, mut has_attributes) = (None, None, false);
        let mut rest = point;
        while let [key, behind @ ..] = rest {
            match *key {
                START => (found.times.start_unix_nano, rest) = fixed64(behind)?,
                TIME => (found.times.time_unix_nano, rest) = fixed64(behind)?,
                COUNT => (histogram.count, rest) = fixed64(behind)?,
                ZERO_COUNT => (histogram.zero_count, rest) = fixed64(behind)?,
                SUM => {
                    let bits;
                    (bits, rest) = fixed64(behind)?;
                    histogram.sum = Some(f64::from_bits(bits));
                }
                ZERO_THRESHOLD => {
                    let bits;
                    (bits, rest) = fixed64(behind)?;
                    histogram.zero_threshold = f64::from_bits(bits);
                }
                MIN | MAX => (_, rest) = fixed64(behind)?,
                SCALE => {
                    let [scale @ ..0x80, behind @ ..] = behind else {
                        return None;
                    };
                    histogram.scale = i32::from(scale >> 1) ^ -i32::from(scale & 1);
                    rest = behind;
                }
                // What comes in several pieces is for others to put together.
                POSITIVE if positive.is_none() => (*positive.insert(&[][..]), rest) = delimited(behind)?,
                NEGATIVE if negative.is_none() => (*negative.insert(&[][..]), rest) = delimited(behind)?,
                ATTRIBUTES if !has_attributes => {
                    (found.attributes, rest) = Run::take(rest, ATTRIBUTES, expected)?;
                    has_attributes = true;
                }
                _ => return None,
            }
        }
        histogram.positive = Buckets::of(positive.unwrap_or_default());
        histogram.negative = Buckets::of(negative.unwrap_or_default());
        histogram.check().ok()?;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\x11\x01\0\0\0\0\0\0\0";
    const TIME: &[u8] = b"\x19\x02\0\0\0\0\0\0\0";
    const COUNT: &[u8] = b"\x21\x06\0\0\0\0\0\0\0";
    const SUM: &[u8] = b"\x29\0\0\0\0\0\0\xf0\x3f";
    const SCALE: &[u8] = b"\x30\x05";
    const ZERO_COUNT: &[u8] = b"\x39\x03\0\0\0\0\0\0\0";
    const POSITIVE: &[u8] = b"\x42\x07\x08\x04\x12\x03\x01\x80\x01";
    const NEGATIVE: &[u8] = b"\x4a\x03\x12\x01\x02";
    const ATTRIBUTES: &[u8] = b"\x0a\x03abc\x0a\x01d";
    const MAX: &[u8] = b"\x69\0\0\0\0\0\0\xf0\x3f";
    const ZERO_THRESHOLD: &[u8] = b"\x71\0\0\0\0\0\0\xe0\x3f";

    fn buckets(side: Buckets<'_>) -> (i32, Vec<u64>) {
        let mut counts = Vec::new();
        let offset = side.for_each_count(|count| counts.push(count));
        (offset, counts)
    }

    #[test]
    fn an_exponential_histogram_is_the_same_in_every_order_of_its_fields() {
        let fields = [
            ATTRIBUTES,
            START,
            TIME,
            COUNT,
            SUM,
            SCALE,
            ZERO_COUNT,
            POSITIVE,
            NEGATIVE,
            MAX,
            ZERO_THRESHOLD,
        ];
        for turn in 0..fields.len() {
            let mut fields = fields;
            fields.rotate_left(turn);
            let point = fields.concat();
            let found = PlainExponential::of(&point, ATTRIBUTES).unwrap();
            let Times {
                start_unix_nano,
                time_unix_nano,
            } = found.times;
            let histogram = found.histogram;
            assert_eq!((start_unix_nano, time_unix_nano), (1, 2));
            assert_eq!((histogram.count, histogram.zero_count, histogram.scale), (6, 3, -3));
            assert_eq!((histogram.sum, histogram.zero_threshold), (Some(1.0), 0.5));
            assert_eq!(buckets(histogram.positive()), (2, vec![1, 128]));
            assert_eq!(buckets(histogram.negative()), (0, vec![2]));
            assert!(found.attributes.is_expected && found.attributes.bytes == ATTRIBUTES);
        }
        let bare = PlainExponential::of(TIME, b"").unwrap();
        assert_eq!(
            (bare.histogram.sum, buckets(bare.histogram.positive())),
            (None, (0, vec![]))
        );
    }

    #[test]
    fn what_is_odd_is_for_others_to_read() {
        assert!(PlainExponential::of(&[POSITIVE, ATTRIBUTES, NEGATIVE].concat(), ATTRIBUTES).is_some());
        for odd in [
            &b"\x5a\x00"[..],
            b"\x50\x00",
            b"\x30\x80\x01",
            b"\x12\x00",
            b"\x78\x00",
            POSITIVE,
            b"\x42\x00",
            NEGATIVE,
            ATTRIBUTES,
        ] {
            let point = [POSITIVE, ATTRIBUTES, NEGATIVE, odd].concat();
            assert!(PlainExponential::of(&point, ATTRIBUTES).is_none(), "{odd:?}");
        }
        for broken in [
            &b"\x42\x03\x12\x01\x80"[..],
            b"\x42\x02\x08\x80",
            b"\x42\x09\x12\x00",
            b"\x4a\x03\x12\x02\x01",
        ] {
            assert!(PlainExponential::of(broken, b"").is_none(), "{broken:?}");
        }
    }
}
