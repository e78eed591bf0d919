use super::Rules;
use crate::model::{PointReason, Refused};
use crate::otlp::{Kind, Point};

/// From when to when a point counts, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// 0 where it is unknown, or means nothing.
    pub(super) start: u64,
    /// Not 0.
    pub(super) end: u64,
    /// Whether the sender named a start that cannot be.
    pub(super) starts_after_end: bool,
}

impl Window {
    /// Whether the start of a point of that kind means anything.
    pub(super) fn has_start(kind: Kind) -> bool {
        match kind {
            // What becomes a gauge has no start (T-03), but the windows of deltas are held against each other (D-08).
            Kind::Gauge => false,
            Kind::Sum { monotonic, .. } => monotonic || kind.is_delta(),
            Kind::Histogram(_) | Kind::ExponentialHistogram(_) | Kind::Summary => true,
        }
    }

    /// Reads the window of a point that arrived at `arrival`.
    ///
    /// # Errors
    ///
    /// Where there is no end time, and none may be made up (conformance P-15).
    pub(super) fn of(kind: Kind, point: &Point<'_>, rules: &Rules, arrival: u64) -> Result<Self, Refused> {
        let end = match point.time_unix_nano {
            0 if rules.stamp_arrival_time => arrival,
            end => end,
        };
        if end == 0 {
            return Err(Refused::new(PointReason::NoTimestamp, "the end time is 0"));
        }
        let start = if Self::has_start(kind) {
            point.start_unix_nano
        } else {
            0
        };
        let starts_after_end = start > end;
        Ok(Self {
            start: if starts_after_end { 0 } else { start },
            end,
            starts_after_end,
        })
    }
}
