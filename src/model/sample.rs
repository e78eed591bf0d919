use super::Number;

/// The current value of one series, borrowed from whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample<'a> {
    /// Counters, gauges and what is like a gauge.
    Number(Number),
    /// A histogram with explicit bounds.
    Histogram(Histogram<'a>),
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
