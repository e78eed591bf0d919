use super::{Exemplars, Number};

/// One series as a format writes it: what the store holds of it, or what the service's own registry does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<'a> {
    /// The text of its labels (see [`super::Labels`]).
    pub labels: &'a str,
    /// Its value.
    pub sample: Sample<'a>,
    /// Since when it counts, in nanoseconds since the Unix epoch; 0 where unknown, and for what does not count (T-03).
    pub start_unix_nano: u64,
    /// When the sample was taken, likewise; 0 where unknown.
    pub time_unix_nano: u64,
    /// What it shows for example.
    pub exemplars: Exemplars<'a>,
}

/// The current value of one series, borrowed from whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample<'a> {
    /// Counters, gauges and what is like a gauge.
    Number(Number),
    /// A histogram with explicit bounds.
    Histogram(Histogram<'a>),
    /// A histogram with exponential bounds, in a family of the type histogram like the other.
    Exponential(ExponentialHistogram<'a>),
    /// A summary.
    Summary(Summary<'a>),
}

/// A histogram with explicit bounds, cumulative as all formats write it.
///
/// Invariant, held by whoever makes one: `counts` is one longer than `bounds` and never decreases; `bounds` increase
/// strictly and are neither NaN nor +Inf. The last count is that of `+Inf` and of the histogram (conformance H-06).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Histogram<'a> {
    /// Upper bounds of all buckets but the last, which is `+Inf`.
    pub bounds: &'a [f64],
    /// How many observations each bound holds, those of the bounds below included.
    pub counts: &'a [u64],
    /// The sum of all observations, where the sender knows it (conformance H-04).
    pub sum: Option<f64>,
}

impl Histogram<'_> {
    /// How many observations there are.
    pub fn count(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }
}

/// A histogram with exponential bounds, which Prometheus calls native. With base = 2^(2^-scale), place `i` of a side holds
/// what lies in (base^(offset+i), base^(offset+i+1)]; Prometheus' own index of it is `offset + i + 1` (conformance E-01).
///
/// Invariant, held by whoever makes one: `scale` is from -4 to 8; no bound of a bucket that is not empty is beyond what a
/// double holds (E-10); the total of zero count and buckets fits 64 bits, and is the count (E-07).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialHistogram<'a> {
    /// The schema, in Prometheus' words.
    pub scale: i8,
    /// Up to which absolute value an observation counts as zero; finite, 0 where the sender gives none (E-05).
    pub zero_threshold: f64,
    /// How many counted as zero.
    pub zero_count: u64,
    /// Above zero.
    pub positive: Buckets<'a>,
    /// Below zero, by absolute value.
    pub negative: Buckets<'a>,
    /// The sum of all observations; NaN where the sender knows none (E-06).
    pub sum: f64,
}

/// One side of an [`ExponentialHistogram`].
///
/// Invariant: the first and the last count are not 0, and there are at most [`Buckets::MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Buckets<'a> {
    /// The exponent of the lower bound of the first bucket.
    pub offset: i32,
    /// How many observations each bucket holds, not cumulative.
    pub counts: &'a [u64],
}

impl Buckets<'_> {
    /// How wide a side may be; what is wider is kept at a smaller scale (B-03, D-07).
    pub const MOST: usize = 160;
}

impl ExponentialHistogram<'_> {
    /// How many observations there are.
    pub fn count(&self) -> u64 {
        let side = |buckets: &Buckets<'_>| buckets.counts.iter().sum::<u64>();
        self.zero_count + side(&self.positive) + side(&self.negative)
    }

    /// base^`index`: the upper bound of Prometheus' bucket of that index, the lower bound of place `index - offset`; 0 and
    /// infinity beyond what a double holds.
    pub fn bound(scale: i8, index: i64) -> f64 {
        super::exponential::bound(scale.into(), index)
    }
}

/// Quantiles that the sender computed.
///
/// Invariant: quantiles are from 0 to 1, each once, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary<'a> {
    /// Pairs of quantile and value.
    pub quantiles: &'a [(f64, f64)],
    /// The sum of all observations.
    pub sum: f64,
    /// How many observations there are.
    pub count: u64,
}
