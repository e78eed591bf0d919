//! Keeps the current value of every series. Pure memory: no I/O, no clock, no logging; the time is an argument and what
//! happened is a return value. Knows [`crate::model`] only.
//!
//! The contract:
//!
//! - A series is one label set in one family; a histogram or a summary is one, however many lines it becomes. It holds the
//!   sample with the newest time; of equally new ones the one that came last (conformance Z-05, C-05).
//! - Deltas are added up: by the window of time that each counts, each window once, in whatever order they come (D-01 to
//!   D-08). What was counted already is ignored; what overlaps it, or fits no gap, is refused. A series whose temporality or
//!   whose buckets change starts anew, no earlier than its last sample (T-04).
//! - Streams that meet in one label set write one series. Under [`Collisions::Sum`] each stream of a counter or a histogram
//!   has a series of its own instead, and readers see several with equal labels, to be shown as their sum (C-05).
//! - A family has one type while it has series. The first that comes decides (K-01), and which sample names the family owns
//!   goes with it (K-04). It has the help that is to be preferred (K-02), and no unit once two have met (K-03).
//! - A series goes when nothing has come for it during its expiry, by the time of receipt (Z-03): the one of the first rule
//!   that fits, else the one of deltas or of all else. A reader that says what time it is never sees an expired one, whether
//!   it has been swept yet or not; nor is it there for whatever comes later.
//! - A series whose sender says that it has no value goes at once. Where deltas are added up it is hidden instead: not shown,
//!   but held, with its total, its name and its place under the caps, until the next delta or its expiry (Z-01).
//! - Exemplars are kept until newer ones take their place, as long as their series lives. A point that is ignored
//!   brings none.
//! - The caps refuse newcomers and never touch what is there (B-01).
//! - A source lives as long as one of its series, or a request that is being taken in; it is alive ([`Store::is_alive`])
//!   exactly while one of its series is shown (Z-06).
//! - Each family has a lock of its own, held for one series on the way in and for a bounded batch on the way out. Nothing is
//!   called back under it but what the caller of [`FamilyCell::read`] passes, which must not block.

mod accumulate;
mod alive;
mod caps;
mod cell;
mod exemplars;
mod expiry;
mod interner;
mod read;
mod registry;
mod series;
mod slots;
mod source;
mod streams;
mod sweep;
mod unit;
mod windows;
mod woven;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::RwLock;

pub use cell::FamilyCell;
pub use read::{Batch, Position, Shown};
pub use registry::FamilyFound;
pub use series::{Applied, Change, Point};
pub use source::{Identity, Origin, Source};
pub use writer::{Known, Writer};

pub(crate) use interner::Interner;
use registry::Registry;
use source::Sources;
use woven::Weaver;

/// The caps on series, and how long one lives. 0 and `None` mean that there is none.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Of all families and sources together.
    pub series: usize,
    /// Of all sources of one job.
    pub series_per_job: usize,
    /// Of one family.
    pub series_per_metric: usize,
    /// Since the last point of a series.
    pub expiry: Option<Duration>,
    /// The same of a series that deltas accumulate in (conformance D-09).
    pub delta_expiry: Option<Duration>,
    /// In place of both where the pattern fits; the first that does.
    pub expiry_rules: Vec<ExpiryRule>,
    /// What becomes of streams that meet in one series.
    pub collisions: Collisions,
}

/// How long the series of some jobs or families live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryRule {
    /// Held against the job and against the family's name; `*` stands for any run of characters.
    pub pattern: String,
    /// `None` is for ever.
    pub expiry: Option<Duration>,
}

/// What becomes of OTLP streams that meet in one series (conformance C-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Collisions {
    /// The newest sample is shown.
    #[default]
    Latest,
    /// Counters and histograms are shown as the sum over their streams, each of which is kept like a series, and counts until
    /// it expires; of all else the newest sample is shown.
    Sum,
}

/// All series. Shared by reference; every method takes `&self`.
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    /// All times are kept as milliseconds since then.
    epoch: Instant,
    registry: RwLock<Registry>,
    sources: Sources,
    weaver: Weaver,
    series: AtomicUsize,
    expired: AtomicU64,
    /// Counts the series and families that were ever made, so that a scrape does not meet one twice (see [`Position`]).
    births: AtomicU64,
}

impl Store {
    /// An empty store. No time that it is told later may be before `now`.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            epoch: now,
            registry: RwLock::default(),
            sources: Sources::default(),
            weaver: Weaver::default(),
            series: AtomicUsize::new(0),
            expired: AtomicU64::new(0),
            births: AtomicU64::new(0),
        }
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many series there are, expired ones that have not been swept yet included.
    pub fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// How many series have expired and been removed.
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// How many sources there are.
    pub fn source_count(&self) -> usize {
        self.sources.len()
    }

    /// All sources, ordered by job and instance.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        self.sources.all()
    }

    /// The source of that identity, if one of its series is held.
    pub fn source(&self, identity: &Identity) -> Option<Arc<Source>> {
        self.sources.get(identity)
    }

    /// How long ago `at` was, where `at` is a time of this store, such as [`Source::last_seen`].
    pub fn age(&self, at: Moment, now: Instant) -> Duration {
        Duration::from_millis(self.moment(now).0.saturating_sub(at.0))
    }

    /// The time as this store keeps it.
    pub fn moment(&self, now: Instant) -> Moment {
        Moment(u64::try_from(now.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX))
    }
}

/// Milliseconds since the store was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

#[cfg(test)]
mod tests;
