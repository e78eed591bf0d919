use super::Point;
use super::point::Value;
use super::wire::{Fault, Fields, Nested, Payload};
use super::{Attributes, Exemplars};

/// An exponential histogram point; the buckets are read when asked for.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialHistogramPoint<'a> {
    /// How many observations the sender says there are.
    pub count: u64,
    /// Their sum, where the sender knows it.
    pub sum: Option<f64>,
    /// The base of the buckets is 2^(2^-scale). Any number may come.
    pub scale: i32,
    /// How many observations counted as zero.
    pub zero_count: u64,
    /// Up to which absolute value they did; 0 where it was not sent.
    pub zero_threshold: f64,
    pub(crate) positive: Buckets<'a>,
    pub(crate) negative: Buckets<'a>,
}

/// One side of an exponential histogram point.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// The one piece, or where `path` leads to them.
    message: &'a [u8],
    path: &'static [u32],
}

impl<'a> ExponentialHistogramPoint<'a> {
    /// One that nothing has been said of.
    pub(super) const EMPTY: Self = Self {
        count: 0,
        sum: None,
        scale: 0,
        zero_count: 0,
        zero_threshold: 0.0,
        positive: Buckets::of(&[]),
        negative: Buckets::of(&[]),
    };

    /// The buckets above zero.
    pub fn positive(&self) -> Buckets<'a> {
        self.positive
    }

    /// The buckets below zero, by absolute value.
    pub fn negative(&self) -> Buckets<'a> {
        self.negative
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        self.positive.check()?;
        self.negative.check()
    }
}

impl<'a> Buckets<'a> {
    /// Those of a message in one piece.
    pub(crate) const fn of(message: &'a [u8]) -> Self {
        Self { message, path: &[] }
    }

    /// What [`Buckets::of`] was given.
    pub(crate) fn message(&self) -> &'a [u8] {
        self.message
    }

    /// Reads one more piece of them: where there are several, all are looked for again at the end of `path` in the point.
    fn found(&mut self, payload: Payload<'a>, point: &'a [u8], path: &'static [u32]) -> Result<(), Fault> {
        let piece = payload.message("buckets")?;
        *self = if self.message.is_empty() {
            Self::of(piece)
        } else {
            Self { message: point, path }
        };
        Ok(())
    }

    fn check(&self) -> Result<(), Fault> {
        let is_sound = |field| match field {
            Ok((1, Payload::Varint(_))) => true,
            Ok((2, counts)) => Payload::is_repeated_varint(counts),
            _ => false,
        };
        // Nearly always it can be told at a glance.
        if self.path.is_empty() && Fields::of(self.message).all(is_sound) {
            return Ok(());
        }
        self.read(|_| {}).map(|_| ())
    }

    /// Calls `count` with the count of each bucket in order, and gives the exponent of the lower bound of the first.
    pub fn for_each_count(&self, count: impl FnMut(u64)) -> i32 {
        // `decode` has checked the bytes.
        self.read(count).unwrap_or(0)
    }

    // message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
    fn read(&self, mut count: impl FnMut(u64)) -> Result<i32, Fault> {
        let mut offset = 0;
        let mut read = |piece| -> Result<(), Fault> {
            for field in Fields::of(piece) {
                match field? {
                    (1, payload) => offset = payload.zigzag("offset")?,
                    (2, payload) => payload.repeated_varint("bucket_counts", &mut count)?,
                    _ => {}
                }
            }
            Ok(())
        };
        if self.path.is_empty() {
            read(self.message)?;
        } else {
            Nested::of(self.message, self.path, "buckets").try_for_each(|piece| read(piece?))?;
        }
        Ok(offset)
    }
}

// message ExponentialHistogramDataPoint { repeated KeyValue attributes = 1; fixed64 start_time_unix_nano = 2;
//   fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5; sint32 scale = 6; fixed64 zero_count = 7;
//   Buckets positive = 8; Buckets negative = 9; uint32 flags = 10; repeated Exemplar exemplars = 11; double min = 12;
//   double max = 13; double zero_threshold = 14; }
pub(super) fn point(message: &[u8]) -> Result<Point<'_>, Fault> {
    let mut histogram = ExponentialHistogramPoint::EMPTY;
    let mut point = Point::empty(Attributes::of(message, &[1]), Value::ExponentialHistogram(histogram));
    for field in Fields::of(message) {
        match field? {
            (2, payload) => point.start(payload)?,
            (3, payload) => point.time(payload)?,
            (4, payload) => histogram.count = payload.fixed64("a histogram's count")?,
            (5, payload) => histogram.sum = Some(payload.double("a histogram's sum")?),
            (6, payload) => histogram.scale = payload.zigzag("scale")?,
            (7, payload) => histogram.zero_count = payload.fixed64("zero_count")?,
            (8, payload) => histogram.positive.found(payload, message, &[8])?,
            (9, payload) => histogram.negative.found(payload, message, &[9])?,
            (10, payload) => point.flags(payload)?,
            (11, _) => point.exemplars = Exemplars::of(message, &[11]),
            (14, payload) => histogram.zero_threshold = payload.double("zero_threshold")?,
            _ => {}
        }
    }
    point.value = Value::ExponentialHistogram(histogram);
    Ok(point)
}
