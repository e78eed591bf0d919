use super::{Labels, Number};

/// A single measurement that stands for many, most often with the trace it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Label `trace_id`, where there is one.
    pub trace_id: Option<[u8; 16]>,
    /// Label `span_id`, where there is one.
    pub span_id: Option<[u8; 8]>,
    /// The further labels. None of them is named `trace_id` or `span_id` where the id itself is there (conformance X-04);
    /// how many of them a format may write is decided when it does.
    pub attributes: Labels,
    /// What was measured.
    pub value: Number,
    /// When, in nanoseconds since the Unix epoch; 0 where unknown.
    pub time_unix_nano: u64,
}

/// The exemplars of one series, as they are kept until newer ones come (conformance X-07).
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Exemplars<'a> {
    /// Of a histogram of either kind: the latest of each classic bucket, ordered by value.
    pub by_bucket: &'a [Exemplar],
    /// Of a counter or an exponential histogram: the newest by time, at most [`Exemplars::NEWEST`], oldest first; in an
    /// exponential histogram no two have the same time and value.
    pub newest: &'a [Exemplar],
}

impl Exemplars<'_> {
    /// How many of the newest are kept, and how many one line of a format carries at most (X-07, O-16).
    pub const NEWEST: usize = 10;
    /// None.
    pub const NONE: Self = Self {
        by_bucket: &[],
        newest: &[],
    };
}
