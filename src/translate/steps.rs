use std::ops::Range;
use std::sync::{Arc, Weak};

use super::memory::Remembered;
use super::sequence::Cursor;
use crate::model::Number;
use crate::otlp::frame::{PlainExponential, PlainHistogram, PlainNumber, Times};
use crate::otlp::{self, Buckets, ExponentialHistogramPoint, Kind};
use crate::store::{FamilyCell, Known, Source};

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
    Exponentials,
    Others,
}

/// A number with its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberStep {
    pub(super) known: Known,
    pub(super) message: Message,
    pub(super) times: Times,
    pub(super) number: Number,
}

/// A histogram with explicit bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct HistogramStep {
    pub(super) known: Known,
    pub(super) message: Message,
    pub(super) times: Times,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) counts: Message,
    pub(super) bounds: Message,
}

/// A histogram with exponential bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExponentialStep {
    pub(super) known: Known,
    pub(super) message: Message,
    pub(super) times: Times,
    count: u64,
    sum: Option<f64>,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Message,
    negative: Message,
}

/// Anything else: it is read when it is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherStep {
    pub(super) known: Known,
    pub(super) message: Message,
}

// They are written once and read once for each point of a request.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<NumberStep>() <= 56);
    assert!(size_of::<HistogramStep>() <= 80 && size_of::<ExponentialStep>() <= 96);
};

impl NumberStep {
    #[inline]
    pub(super) fn of(request: &[u8], known: Known, point: &[u8], number: PlainNumber) -> Self {
        Self {
            known,
            message: Message::of(request, point),
            times: number.times,
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
            times: histogram.times,
            count: histogram.count,
            sum: histogram.sum,
            counts: Message::of(request, histogram.counts),
            bounds: Message::of(request, histogram.bounds),
        }
    }
}

impl ExponentialStep {
    #[inline]
    pub(super) fn of(request: &[u8], known: Known, point: &[u8], plain: &PlainExponential<'_>) -> Self {
        let ExponentialHistogramPoint {
            count,
            sum,
            scale,
            zero_count,
            zero_threshold,
            positive,
            negative,
        } = plain.histogram;
        Self {
            known,
            message: Message::of(request, point),
            times: plain.times,
            count,
            sum,
            scale,
            zero_count,
            zero_threshold,
            positive: Message::of(request, positive.message()),
            negative: Message::of(request, negative.message()),
        }
    }

    /// What it was made of.
    pub(super) fn histogram<'a>(&self, request: &'a [u8]) -> ExponentialHistogramPoint<'a> {
        ExponentialHistogramPoint {
            count: self.count,
            sum: self.sum,
            scale: self.scale,
            zero_count: self.zero_count,
            zero_threshold: self.zero_threshold,
            positive: Buckets::of(self.positive.in_(request)),
            negative: Buckets::of(self.negative.in_(request)),
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

/// A place in the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    start: u32,
    length: u32,
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
