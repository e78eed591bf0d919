use std::sync::Arc;

use parking_lot::MutexGuard;

use super::cell::State;
use super::series::{Applied, Point, Series};
use super::windows::Window;
use super::{FamilyCell, Moment, Source, Store};
use crate::model::{KeptHistogram, Number, Refused, Sample, Value};

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
    tally: Tally<'a>,
    state: MutexGuard<'a, State>,
}

impl FamilyCell {
    /// Takes the family's lock for points that `source` sends. Not to be held for longer than some hundred points. `None` where the
    /// family has been taken out of the registry, and where there is something to say each time about the units that have met in it
    /// (conformance K-03).
    pub fn writer<'a>(&'a self, store: &'a Store, source: &'a Arc<Source>, now: Moment) -> Option<Writer<'a>> {
        let state = self.state.lock();
        (!state.closed && state.unit.is_agreed()).then(|| Writer {
            store,
            cell: self,
            tally: Tally::new(source, now),
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

    /// [`Writer::update`] for nearly all points, those of gauges and cumulative sums; whether it did it. It does not where the series
    /// is of another kind, or has a newer point.
    #[inline]
    pub fn set_number(&mut self, known: Known, start: u64, time: u64, number: Number) -> bool {
        self.set(known, start, time, |value| match value {
            Value::Number(held) => {
                *held = number;
                true
            }
            _ => false,
        })
    }

    /// The same for cumulative histograms with explicit bounds, whose value `replace` replaces, or does not.
    #[inline]
    pub fn set_histogram(
        &mut self,
        known: Known,
        start: u64,
        time: u64,
        replace: impl FnOnce(&mut KeptHistogram) -> bool,
    ) -> bool {
        self.set(known, start, time, |value| match value {
            Value::Histogram(held) => replace(held),
            _ => false,
        })
    }

    #[inline]
    fn set(&mut self, known: Known, start: u64, time: u64, replace: impl FnOnce(&mut Value) -> bool) -> bool {
        let Some(Some(series)) = self.state.slots.get_mut(known.slot as usize) else {
            return false;
        };
        if !self.tally.finds(known, series)
            || series.windows.is_some()
            || series.time_unix_nano > time
            || !replace(&mut series.value)
        {
            return false;
        }
        series.start_unix_nano = Window::new(start, time).start();
        series.time_unix_nano = time;
        series.renew(&mut self.tally);
        true
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.tally.settle(&mut self.state.latest);
    }
}

/// When a run of points came, and what it does to their source and to the family, told to them at once: telling the source costs an
/// atomic step.
///
/// It has to be told before the lock of the family is let go, and before a series is hidden or taken out (see
/// [`super::alive::Life`]).
#[derive(Debug)]
pub(super) struct Tally<'a> {
    pub(super) now: Moment,
    /// Who sends the points. Nearly always the series are that source's.
    source: &'a Source,
    points: u64,
    /// The latest deadline of those that are shown,
    shown: Moment,
    /// and of all.
    latest: Moment,
}

impl<'a> Tally<'a> {
    pub(super) fn new(source: &'a Source, now: Moment) -> Self {
        Self {
            now,
            source,
            points: 0,
            shown: Moment(0),
            latest: Moment(0),
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
        self.latest = self.latest.max(series.deadline);
        let source: &Source = series.source();
        if std::ptr::eq(self.source, source) {
            self.points += 1;
            if !series.hidden {
                self.shown = self.shown.max(series.deadline);
            }
        } else {
            if !series.hidden {
                source.life().gains(series.deadline);
            }
            source.accepted(1, self.now);
        }
    }

    /// Tells the source.
    pub(super) fn tell(&mut self) {
        if self.shown > Moment(0) {
            self.source.life().gains(std::mem::replace(&mut self.shown, Moment(0)));
        }
        if self.points > 0 {
            self.source.accepted(std::mem::take(&mut self.points), self.now);
        }
    }

    /// Tells the source, and the family through its `latest` deadline.
    pub(super) fn settle(&mut self, latest: &mut Moment) {
        self.tell();
        *latest = (*latest).max(self.latest);
    }
}
