use std::sync::Arc;

use super::exemplars::KeptExemplars;
use super::expiry::Lifetime;
use super::windows::Windows;
use super::{Moment, Source};
use crate::model::{Exemplar, Labels, Sample, Value};

/// One series in its family.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) source: Arc<Source>,
    pub(super) value: Value,
    /// Since when it counts, by the sender's clock; 0 where unknown.
    pub(super) start_unix_nano: u64,
    /// When the sample was taken, by the sender's clock, in nanoseconds since the Unix epoch.
    pub(super) time_unix_nano: u64,
    /// The last moment at which it is there, unless a point comes.
    pub(super) deadline: Moment,
    pub(super) lifetime: Lifetime,
    /// The how-manieth series of the store it is.
    pub(super) birth: u64,
    /// The stream that it was written from last.
    pub(super) stream: u64,
    /// What deltas have been counted; only where they are.
    pub(super) windows: Option<Box<Windows>>,
    /// Only where there are some.
    pub(super) exemplars: Option<Box<KeptExemplars>>,
    /// Whether it is kept without being shown (conformance Z-01).
    pub(super) hidden: bool,
    /// Whether `/metrics` has had to leave it out.
    pub(super) left_out: bool,
}

/// One point on its way into a family.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Who sends it.
    pub source: &'a Arc<Source>,
    /// The text of its labels (see [`Labels`]).
    pub labels: &'a str,
    /// What it changes.
    pub change: Change<'a>,
    /// Whether its value is what was counted since the last one, not since the start.
    pub is_delta: bool,
    /// Since when it counts, in nanoseconds since the Unix epoch; 0 where unknown, and for what does not count.
    pub start_unix_nano: u64,
    /// When it was taken, likewise; not 0.
    pub time_unix_nano: u64,
    /// What it shows for example, in whatever order.
    pub exemplars: &'a [Exemplar],
    /// Tells the OTLP streams apart that may meet in one series.
    pub stream: u64,
}

/// What one point changes.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// The series has this value now.
    Sample(Sample<'a>),
    /// The sender says that it has none any more (conformance Z-01).
    Stale,
}

/// What became of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// It is older than what is held (conformance Z-05) or was counted already (D-02), and had no effect.
    pub ignored: bool,
    /// Another stream had written the series before, or has begun one beside it: two streams meet in one line (C-05).
    pub collided: bool,
    /// Between this delta and those before it something is missing that was not known to be (D-03).
    pub gap: bool,
}
