use std::sync::Arc;

use parking_lot::MutexGuard;

use super::cell::State;
use super::series::{Applied, Point, Series};
use super::windows::Window;
use super::{FamilyCell, Moment, Source, Store};
use crate::model::{Number, Refused, Sample, Value};

/// Where a series is held, so that its next point need not be looked up by its labels.
///
/// It stays good as long as the series lives and is written by the same stream; [`Writer::update`] finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    slot: u32,
    // In halves, since there is one for each series and a u64 would bring four bytes of padding.
    mark: [u32; 2],
}

impl Known {
    pub(super) fn of(slot: u32, series: &Series) -> Self {
        Self {
            slot,
            mark: halves(series.mark()),
        }
    }

    fn is(self, series: &Series) -> bool {
        self.mark == halves(series.mark())
    }
}

fn halves(mark: u64) -> [u32; 2] {
    [mark as u32, (mark >> 32) as u32]
}

impl Series {
    /// Changes with the series in its slot, and with the stream that writes it. Births are unique and streams are hashes, so
    /// that two marks of one slot are equal by a chance of one in 2^64.
    fn mark(&self) -> u64 {
        // The odd constant is 2^64 divided by the golden ratio.
        self.stream.wrapping_add(self.birth.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A family whose lock is held for a run of points.
#[derive(Debug)]
pub struct Writer<'a> {
    store: &'a Store,
    cell: &'a FamilyCell,
    // Dropped in this order: the source is told before the lock is let go.
    tally: Tally,
    state: MutexGuard<'a, State>,
}

impl FamilyCell {
    /// Takes the family's lock. Not to be held for longer than some hundred points. `None` where the family has been taken out of the
    /// registry, and where there is something to say each time about the units that have met in it (conformance K-03).
    pub fn writer<'a>(&'a self, store: &'a Store, now: Moment) -> Option<Writer<'a>> {
        let state = self.state.lock();
        (!state.closed && state.unit.is_agreed()).then(|| Writer {
            store,
            cell: self,
            tally: Tally::new(now),
            state,
        })
    }
}

impl Writer<'_> {
    /// Does with a sample of a series that is known what [`Store::apply`] does; the labels of `point` and its stream are not looked
    /// at. `None`, and nothing is changed, where it has to be found by its labels: it has gone, expired or been hidden, another
    /// stream writes it, or its temporality changes.
    pub fn update(&mut self, known: Known, point: &Point<'_>, sample: Sample<'_>) -> Option<Result<Applied, Refused>> {
        let series = self.state.slots.get(known.slot as usize)?.as_ref()?;
        if !self.tally.finds(known, series) || series.windows.is_some() != point.is_added(&sample) {
            return None;
        }
        let point = &Point {
            stream: series.stream,
            ..*point
        };
        let state = &mut *self.state;
        Some(
            self.cell
                .update(self.store, state, known.slot, point, sample, &mut self.tally),
        )
    }

    /// [`Writer::update`] for nearly all points, those of gauges and cumulative sums: whether it changed anything. `None` as well
    /// where the series is of another kind.
    #[inline]
    pub fn set_number(&mut self, known: Known, start: u64, time: u64, number: Number) -> Option<bool> {
        let State { slots, latest, .. } = &mut *self.state;
        let series = slots.get_mut(known.slot as usize)?.as_mut()?;
        if !self.tally.finds(known, series) || series.windows.is_some() {
            return None;
        }
        let Value::Number(held) = &mut series.value else {
            return None;
        };
        let is_newer = series.time_unix_nano <= time;
        if is_newer {
            *held = number;
            series.start_unix_nano = Window::new(start, time).start();
            series.time_unix_nano = time;
        }
        series.renew(latest, &mut self.tally);
        Some(is_newer)
    }
}

/// When a run of points came, and what it does to the source of their series, told to it at once: each telling costs three
/// atomic steps.
///
/// It has to be told before the lock of the family is let go, and before a series is hidden or taken out (see
/// [`super::alive::Life`]).
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) now: Moment,
    source: Option<Arc<Source>>,
    points: u64,
    deadline: Option<Moment>,
}

impl Tally {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            now,
            source: None,
            points: 0,
            deadline: None,
        }
    }

    /// Whether the series in its slot is the one that is known, and may be written without a further look.
    #[inline]
    fn finds(&self, known: Known, series: &Series) -> bool {
        known.is(series) && self.now <= series.deadline && !series.hidden
    }

    /// A point of that series was taken.
    #[inline]
    pub(super) fn count(&mut self, series: &Series) {
        if !self
            .source
            .as_ref()
            .is_some_and(|source| Arc::ptr_eq(source, series.source()))
        {
            self.tell();
            self.source = Some(Arc::clone(series.source()));
        }
        self.points += 1;
        if !series.hidden {
            self.deadline = self.deadline.max(Some(series.deadline));
        }
    }

    /// Tells the source.
    pub(super) fn tell(&mut self) {
        let Some(source) = self.source.take() else { return };
        if let Some(deadline) = self.deadline.take() {
            source.life().gains(deadline);
        }
        source.accepted(std::mem::take(&mut self.points), self.now);
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.tell();
    }
}
