use std::ops::Range;
use std::sync::Arc;

use super::exemplars::KeptExemplars;
use super::expiry::Lifetime;
use super::windows::Windows;
use super::woven::Woven;
use super::writer::Tally;
use super::{Moment, Source};
use crate::model::{Exemplar, Sample, Value};

/// One series in its family.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: Woven,
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

// What each of a million series costs. Two lines of a cache at most, for whoever updates it.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Option<Series>>() <= 104);

impl Series {
    pub(super) fn source(&self) -> &Arc<Source> {
        self.labels.source()
    }

    /// Even a point that is too old shows that its series is alive.
    #[inline]
    pub(super) fn renew(&mut self, tally: &mut Tally<'_>) {
        // Requests may overtake each other on their way from the clock to here.
        self.deadline = self.deadline.max(tally.now.plus(self.lifetime));
        tally.count(self);
    }
}

/// One point on its way into a family.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Who sends it.
    pub source: &'a Arc<Source>,
    /// The text of its labels (see [`crate::model::Labels`]).
    pub labels: &'a str,
    /// Where in that text stand labels that other series of the source have too, whole ones in order: those are held once for all
    /// of them, and so are the others for all series that have them.
    pub shared: &'a [Range<usize>],
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
