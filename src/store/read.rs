use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::exemplars::KeptExemplars;
use super::series::Series;
use super::{FamilyCell, Moment, Source, Store};
use crate::model::{Exemplars, Family, MetricType};

/// How far a reader has come in a family. A series that is made while the reader is on its way is not shown to it: it could
/// be one that the reader has met already, gone and come back in another place.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    slot: usize,
    births: u64,
    now: Moment,
}

/// What [`FamilyCell::read`] hands out.
pub struct Batch<'a> {
    /// Name, type, help and unit.
    pub family: &'a Family,
    /// The cell that is read. What it tells without the lock may be asked while it is held.
    pub cell: &'a FamilyCell,
    slots: std::slice::IterMut<'a, Option<Series>>,
    /// Of the series that was handed out last.
    labels: String,
    left_out: &'a mut bool,
    position: Position,
}

/// One series of a batch.
pub struct Shown<'a> {
    /// As a format writes it.
    pub series: crate::model::Series<'a>,
    /// Whose it is.
    pub source: &'a Arc<Source>,
    left_out: &'a mut bool,
}

/// Whether this is the first time that a family or a series is left out.
fn first_time(left_out: &mut bool) -> bool {
    !std::mem::replace(left_out, true)
}

impl Shown<'_> {
    /// Notes that `/metrics` leaves the series out; whether that is new.
    pub fn leave_out(&mut self) -> bool {
        first_time(self.left_out)
    }
}

impl Batch<'_> {
    /// Notes that `/metrics` leaves the family out; whether that is new.
    pub fn leave_out(&mut self) -> bool {
        first_time(self.left_out)
    }

    /// The next series that is shown, in the order in which they came.
    // No iterator, since the text of the labels is put together in the same place for each.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from the batch")]
    pub fn next(&mut self) -> Option<Shown<'_>> {
        let position = self.position;
        let series = self.slots.by_ref().flatten().find(|series| series.is_shown(position))?;
        self.labels.clear();
        series.labels.append_to(&mut self.labels);
        let counts = counts(self.family.metric_type);
        Some(Shown {
            series: crate::model::Series {
                labels: &self.labels,
                sample: series.value.sample(),
                start_unix_nano: if counts { series.start_unix_nano } else { 0 },
                time_unix_nano: series.time_unix_nano,
                exemplars: series
                    .exemplars
                    .as_deref()
                    .map_or(Exemplars::NONE, KeptExemplars::exemplars),
            },
            source: series.labels.source(),
            left_out: &mut series.left_out,
        })
    }
}

/// Whether series of this type count since a start (conformance T-03).
fn counts(metric_type: MetricType) -> bool {
    matches!(
        metric_type,
        MetricType::Counter | MetricType::Histogram | MetricType::Summary
    )
}

impl Series {
    fn is_shown(&self, position: Position) -> bool {
        !self.hidden && self.birth < position.births && position.now <= self.deadline
    }
}

impl FamilyCell {
    /// Calls `f` under the family's lock with at most `at_most` places; the position to go on from, or `None` at the end.
    pub fn read<T>(
        &self,
        position: Position,
        at_most: usize,
        f: impl FnOnce(&mut Batch<'_>) -> T,
    ) -> (T, Option<Position>) {
        let state = &mut *self.state.lock();
        let start = position.slot.min(state.slots.len());
        let end = start.saturating_add(at_most).min(state.slots.len());
        let next = (end < state.slots.len()).then_some(Position { slot: end, ..position });
        let batch = &mut Batch {
            family: &state.family,
            cell: self,
            slots: state.slots[start..end].iter_mut(),
            labels: String::new(),
            left_out: &mut state.left_out,
            position,
        };
        (f(batch), next)
    }

    /// Calls `f` with the source and the deadline of each series that is shown, among at most `at_most` places; where to go
    /// on from.
    pub(super) fn deadlines(
        &self,
        start: usize,
        at_most: usize,
        mut f: impl FnMut(&Arc<Source>, Moment),
    ) -> Option<usize> {
        let slots = &self.state.lock().slots;
        let end = start.saturating_add(at_most).min(slots.len());
        for series in slots.iter().take(end).skip(start).flatten() {
            if !series.hidden {
                f(series.source(), series.deadline);
            }
        }
        (end < slots.len()).then_some(end)
    }
}

impl Store {
    /// Where a reader starts in any family.
    pub fn start(&self, now: Instant) -> Position {
        Position {
            slot: 0,
            births: self.births.load(Ordering::Relaxed),
            now: self.moment(now),
        }
    }
}
