use std::ops::Range;
use std::sync::{Arc, Weak};

use super::memory::Remembered;
use super::sequence::Cursor;
use crate::model::Number;
use crate::otlp::frame::{PlainHistogram, PlainNumber};
use crate::otlp::{self, Kind};
use crate::store::{FamilyCell, Known, Source};

/// What a request is going to do, gathered before any of it is done: a request may turn out to be broken at its last byte. Kept from
/// request to request. Messages are places in the request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) steps: Vec<Step>,
    // Points of series that are known, apart from the other steps, since nearly all of a request is these.
    pub(super) numbers: Vec<NumberStep>,
    pub(super) histograms: Vec<HistogramStep>,
    pub(super) others: Vec<OtherStep>,
    pub(super) resources: Vec<ResourceStep>,
    pub(super) scopes: Vec<ScopeStep>,
    pub(super) metrics: Vec<MetricStep>,
    pub(super) recognised: Recognised,
}

/// How points were recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Where they were expected.
    pub expected: u64,
    /// By their hash.
    pub looked_up: u64,
    /// Not at all: they are new, or there is something to say about them each time.
    pub unknown: u64,
}

/// One thing to do, in the order of the request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Take a ResourceMetrics in the plain way.
    Plain(Message),
    /// The number belongs to what follows.
    Resource(u32),
    Scope(u32),
    Metric(u32),
    /// So many points of series that are known, which are next in that list.
    Known(List, u32),
    /// A point that is not known, and how far the sequence of its metric had been gone through in front of it.
    Unknown {
        message: Message,
        behind: Cursor,
    },
}

/// One of the lists of points whose series are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Numbers,
    Histograms,
    Others,
}

/// A number with its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberStep {
    pub(super) known: Known,
    pub(super) message: Message,
    pub(super) start_unix_nano: u64,
    pub(super) time_unix_nano: u64,
    pub(super) number: Number,
}

/// A histogram with explicit bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct HistogramStep {
    pub(super) known: Known,
    pub(super) message: Message,
    pub(super) start_unix_nano: u64,
    pub(super) time_unix_nano: u64,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) counts: Message,
    pub(super) bounds: Message,
}

/// Anything else: it is read when it is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherStep {
    pub(super) known: Known,
    pub(super) message: Message,
}

impl NumberStep {
    #[inline]
    pub(super) fn of(request: &[u8], known: Known, point: &[u8], number: PlainNumber) -> Self {
        Self {
            known,
            message: Message::of(request, point),
            start_unix_nano: number.start_unix_nano,
            time_unix_nano: number.time_unix_nano,
            number: match number.value {
                otlp::Number::Int(value) => Number::Int(value),
                otlp::Number::Double(value) => Number::Double(value),
            },
        }
    }
}

impl HistogramStep {
    #[inline]
    pub(super) fn of(request: &[u8], known: Known, point: &[u8], histogram: &PlainHistogram<'_>) -> Self {
        Self {
            known,
            message: Message::of(request, point),
            start_unix_nano: histogram.start_unix_nano,
            time_unix_nano: histogram.time_unix_nano,
            count: histogram.count,
            sum: histogram.sum,
            counts: Message::of(request, histogram.counts),
            bounds: Message::of(request, histogram.bounds),
        }
    }
}

#[derive(Debug)]
pub(super) struct ResourceStep {
    pub(super) message: Message,
    pub(super) memory: Arc<Remembered>,
    pub(super) generation: u64,
    pub(super) settled: Option<(Weak<Source>, u64)>,
}

#[derive(Debug)]
pub(super) struct ScopeStep {
    pub(super) message: Message,
    pub(super) place: u32,
    pub(super) settled: bool,
}

#[derive(Debug)]
pub(super) struct MetricStep {
    pub(super) message: Message,
    pub(super) place: u32,
    pub(super) kind: Kind,
    pub(super) cell: Option<Arc<FamilyCell>>,
}

#[derive(Clone, Copy)]
pub(super) struct Mark {
    steps: usize,
    numbers: usize,
    histograms: usize,
    others: usize,
}

/// A place in the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    start: u32,
    length: u32,
}

/// So many steps are kept room for; a request may have many times more.
const KEPT: usize = 1 << 15;

impl Batch {
    /// Adds a number to those that the steps end with.
    pub(super) fn push_number(&mut self, step: NumberStep) {
        self.numbers.push(step);
        self.pushed(List::Numbers, 1);
    }

    /// The same of a histogram.
    pub(super) fn push_histogram(&mut self, step: HistogramStep) {
        self.histograms.push(step);
        self.pushed(List::Histograms, 1);
    }

    /// The same of anything else.
    pub(super) fn push_other(&mut self, step: OtherStep) {
        self.others.push(step);
        self.pushed(List::Others, 1);
    }

    /// So many more have been added to a list.
    pub(super) fn pushed(&mut self, list: List, more: u32) {
        match self.steps.last_mut() {
            Some(Step::Known(last, count)) if *last == list => *count += more,
            _ => self.steps.push(Step::Known(list, more)),
        }
    }

    /// How far it has come, to go back there.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            steps: self.steps.len(),
            numbers: self.numbers.len(),
            histograms: self.histograms.len(),
            others: self.others.len(),
        }
    }

    /// Forgets the steps since then, which does not lie within a run of points.
    pub(super) fn cut_back(&mut self, mark: Mark) {
        self.steps.truncate(mark.steps);
        self.numbers.truncate(mark.numbers);
        self.histograms.truncate(mark.histograms);
        self.others.truncate(mark.others);
    }

    pub(super) fn clear(&mut self) {
        self.recognised = Recognised::default();
        self.steps.clear();
        self.steps.shrink_to(KEPT);
        self.numbers.clear();
        self.numbers.shrink_to(KEPT);
        self.histograms.clear();
        self.histograms.shrink_to(KEPT);
        self.others.clear();
        self.others.shrink_to(KEPT);
        self.resources.clear();
        self.resources.shrink_to(KEPT);
        self.scopes.clear();
        self.scopes.shrink_to(KEPT);
        self.metrics.clear();
        self.metrics.shrink_to(KEPT);
    }
}

impl Message {
    /// Where `part`, which is a part of `request`, stands in it.
    #[inline]
    pub(super) fn of(request: &[u8], part: &[u8]) -> Self {
        // A request has at most 4 GiB, and `part` lies in it, so nothing is cut off.
        Self {
            start: (part.as_ptr().addr().wrapping_sub(request.as_ptr().addr())) as u32,
            length: part.len() as u32,
        }
    }

    /// The message.
    pub(super) fn in_(self, request: &[u8]) -> &[u8] {
        let start = self.start as usize;
        let range: Range<usize> = start..start + self.length as usize;
        request.get(range).unwrap_or_default()
    }
}
