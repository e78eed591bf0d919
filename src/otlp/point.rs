use super::wire::{Fault, Fields, Payload};
use super::{Attributes, Exemplars, ExponentialHistogramPoint, Kind, exponential};

/// One data point of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// What tells it from the other points of its metric.
    pub attributes: Attributes<'a>,
    /// Since when it counts, in nanoseconds since the Unix epoch; 0 where unknown.
    pub start_unix_nano: u64,
    /// When the measurement ended, in nanoseconds since the Unix epoch; 0 where unknown.
    pub time_unix_nano: u64,
    /// Whether the stream says that it has no value (conformance Z-01).
    pub no_recorded_value: bool,
    /// What was measured.
    pub value: Value<'a>,
    /// What it shows for example.
    pub exemplars: Exemplars<'a>,
}

/// What a point holds, by the kind of its metric.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Gauges and sums; `None` where no value was set (conformance G-04).
    Number(Option<Number>),
    /// Explicit bounds.
    Histogram(HistogramPoint<'a>),
    /// Exponential bounds.
    ExponentialHistogram(ExponentialHistogramPoint<'a>),
    /// Quantiles.
    Summary(SummaryPoint<'a>),
}

/// A number as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// `as_int`.
    Int(i64),
    /// `as_double`.
    Double(f64),
}

/// A histogram point; counts and bounds are read when asked for.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPoint<'a> {
    /// How many observations the sender says there are.
    pub count: u64,
    /// Their sum, where the sender knows it.
    pub sum: Option<f64>,
    counts: Repeated<'a>,
    bounds: Repeated<'a>,
}

/// A summary point; quantiles are read when asked for.
#[derive(Clone, Copy, Debug)]
pub struct SummaryPoint<'a> {
    /// How many observations there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    message: &'a [u8],
}

/// One quantile of a summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// From 0 to 1, if the sender keeps to the rules.
    pub quantile: f64,
    /// The value at it.
    pub value: f64,
}

const NO_RECORDED_VALUE: u64 = 1;
const QUANTILE_VALUES: u32 = 6;

impl HistogramPoint<'_> {
    /// Appends the count of each bucket.
    pub fn bucket_counts(&self, counts: &mut Vec<u64>) {
        self.counts.for_each(|bits| counts.push(bits));
    }

    /// Appends the bounds between the buckets.
    pub fn explicit_bounds(&self, bounds: &mut Vec<f64>) {
        self.bounds.for_each(|bits| bounds.push(f64::from_bits(bits)));
    }
}

impl SummaryPoint<'_> {
    /// The quantiles, in the order of the bytes.
    pub fn quantiles(&self) -> impl Iterator<Item = Quantile> {
        Fields::of(self.message).filter_map(|field| match field.ok()? {
            (QUANTILE_VALUES, Payload::Bytes(message)) => quantile(message).ok(),
            _ => None,
        })
    }
}

/// A repeated field of 64-bit values that has been checked.
#[derive(Clone, Copy, Debug)]
enum Repeated<'a> {
    None,
    /// Packed, as senders write it.
    Packed(&'a [u8]),
    /// In several pieces (conformance P-16), which are looked for again in the message under this number.
    Pieces(&'a [u8], u32),
}

impl<'a> Repeated<'a> {
    /// Reads one more piece of it, of a field of that number in `message`.
    fn read(&mut self, payload: Payload<'a>, name: &str, message: &'a [u8], number: u32) -> Result<(), Fault> {
        payload.repeated_fixed64(name, |_| {})?;
        *self = match (&self, payload) {
            (Self::None, Payload::Bytes(bytes)) => Self::Packed(bytes),
            _ => Self::Pieces(message, number),
        };
        Ok(())
    }

    fn for_each(self, mut push: impl FnMut(u64)) {
        match self {
            Self::None => {}
            Self::Packed(bytes) => {
                let chunks = bytes.as_chunks().0.iter();
                chunks.for_each(|chunk| push(u64::from_le_bytes(*chunk)));
            }
            Self::Pieces(message, number) => {
                let fields = Fields::of(message).filter_map(Result::ok);
                for (_, payload) in fields.filter(|field| field.0 == number) {
                    let _ = payload.repeated_fixed64("", &mut push);
                }
            }
        }
    }
}

/// Reads a point of a metric of `kind`. What is repeated in it is left for later; [`super::check`] has looked at it.
pub(super) fn read(kind: Kind, message: &[u8]) -> Result<Point<'_>, Fault> {
    match kind {
        Kind::Gauge | Kind::Sum { .. } => number_point(message),
        Kind::Histogram(_) => histogram_point(message),
        Kind::ExponentialHistogram(_) => exponential::point(message),
        Kind::Summary => summary_point(message),
    }
}

// message NumberDataPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; oneof value { double as_double = 4;
//   sfixed64 as_int = 6; } repeated Exemplar exemplars = 5; repeated KeyValue attributes = 7; uint32 flags = 8; }
fn number_point(message: &[u8]) -> Result<Point<'_>, Fault> {
    let mut point = Point::empty(Attributes::of(message, &[7]), Value::Number(None));
    for field in Fields::of(message) {
        match field? {
            (2, payload) => point.start(payload)?,
            (3, payload) => point.time(payload)?,
            (4, payload) => point.value = Value::Number(Some(Number::Double(payload.double("as_double")?))),
            (5, _) => point.exemplars = Exemplars::of(message, &[5]),
            (6, payload) => {
                point.value = Value::Number(Some(Number::Int(payload.fixed64("as_int")?.cast_signed())));
            }
            (8, payload) => point.flags(payload)?,
            _ => {}
        }
    }
    Ok(point)
}

// message HistogramDataPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5;
//   repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated Exemplar exemplars = 8;
//   repeated KeyValue attributes = 9; uint32 flags = 10; double min = 11; double max = 12; }
fn histogram_point(message: &[u8]) -> Result<Point<'_>, Fault> {
    let mut histogram = HistogramPoint {
        count: 0,
        sum: None,
        counts: Repeated::None,
        bounds: Repeated::None,
    };
    let mut point = Point::empty(Attributes::of(message, &[9]), Value::Histogram(histogram));
    for field in Fields::of(message) {
        match field? {
            (2, payload) => point.start(payload)?,
            (3, payload) => point.time(payload)?,
            (4, payload) => histogram.count = payload.fixed64("a histogram's count")?,
            (5, payload) => histogram.sum = Some(payload.double("a histogram's sum")?),
            (number @ 6, payload) => histogram.counts.read(payload, "bucket_counts", message, number)?,
            (number @ 7, payload) => histogram.bounds.read(payload, "explicit_bounds", message, number)?,
            (8, _) => point.exemplars = Exemplars::of(message, &[8]),
            (10, payload) => point.flags(payload)?,
            _ => {}
        }
    }
    point.value = Value::Histogram(histogram);
    Ok(point)
}

// message SummaryDataPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5;
//   repeated ValueAtQuantile quantile_values = 6; repeated KeyValue attributes = 7; uint32 flags = 8; }
fn summary_point(message: &[u8]) -> Result<Point<'_>, Fault> {
    let mut summary = SummaryPoint {
        count: 0,
        sum: 0.0,
        message,
    };
    let mut point = Point::empty(Attributes::of(message, &[7]), Value::Summary(summary));
    for field in Fields::of(message) {
        match field? {
            (2, payload) => point.start(payload)?,
            (3, payload) => point.time(payload)?,
            (4, payload) => summary.count = payload.fixed64("a summary's count")?,
            (5, payload) => summary.sum = payload.double("a summary's sum")?,
            (QUANTILE_VALUES, payload) => {
                quantile(payload.message("a quantile")?)?;
            }
            (8, payload) => point.flags(payload)?,
            _ => {}
        }
    }
    point.value = Value::Summary(summary);
    Ok(point)
}

fn quantile(message: &[u8]) -> Result<Quantile, Fault> {
    let mut found = Quantile {
        quantile: 0.0,
        value: 0.0,
    };
    for field in Fields::of(message) {
        match field? {
            (1, payload) => found.quantile = payload.double("a quantile")?,
            (2, payload) => found.value = payload.double("a quantile's value")?,
            _ => {}
        }
    }
    Ok(found)
}

impl<'a> Point<'a> {
    pub(super) fn empty(attributes: Attributes<'a>, value: Value<'a>) -> Self {
        Self {
            attributes,
            start_unix_nano: 0,
            time_unix_nano: 0,
            no_recorded_value: false,
            value,
            exemplars: Exemplars::NONE,
        }
    }

    pub(super) fn start(&mut self, payload: Payload<'_>) -> Result<(), Fault> {
        self.start_unix_nano = payload.fixed64("a point's start time")?;
        Ok(())
    }

    pub(super) fn time(&mut self, payload: Payload<'_>) -> Result<(), Fault> {
        self.time_unix_nano = payload.fixed64("a point's time")?;
        Ok(())
    }

    pub(super) fn flags(&mut self, payload: Payload<'_>) -> Result<(), Fault> {
        self.no_recorded_value = payload.varint("a point's flags")? & NO_RECORDED_VALUE != 0;
        Ok(())
    }
}
