use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;

use super::series::{Applied, Change, Point, Series, Value};
use super::{Moment, Source, Store};
use crate::model::{Family, Labels, MetricType, PointReason, Refused, Sample};

/// A family and its series, behind a lock of its own.
#[derive(Debug)]
pub struct FamilyCell {
    name: Arc<str>,
    metric_type: MetricType,
    /// Who sent it first, for the message of a type conflict.
    origin: String,
    hasher: DefaultHashBuilder,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    family: Family,
    /// By the hash of the labels, which alone decide (conformance C-07).
    index: HashTable<u32>,
    slots: Vec<Option<Series>>,
    free: Vec<u32>,
    /// When the last point of any series came.
    newest: Moment,
    /// Whether `/metrics` has had to leave the family out.
    left_out: bool,
    /// Out of the registry: whoever still holds the cell has to ask for the family again.
    closed: bool,
}

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
    slots: &'a mut [Option<Series>],
    left_out: &'a mut bool,
    store: &'a Store,
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

    /// The series that have not expired, in the order in which they came.
    pub fn series(&mut self) -> impl Iterator<Item = Shown<'_>> {
        let (store, position) = (self.store, self.position);
        self.slots
            .iter_mut()
            .flatten()
            .filter(move |series| series.is_shown(store, position))
            .map(|series| Shown {
                series: crate::model::Series {
                    labels: series.labels.as_str(),
                    sample: series.value.sample(),
                    start_unix_nano: series.start_unix_nano,
                    time_unix_nano: series.time_unix_nano,
                    exemplars: crate::model::Exemplars::NONE,
                },
                source: &series.source,
                left_out: &mut series.left_out,
            })
    }
}

impl Series {
    fn is_shown(&self, store: &Store, position: Position) -> bool {
        self.birth < position.births && !store.is_expired(self.received, position.now)
    }
}

impl FamilyCell {
    pub(super) fn new(family: Family, origin: String) -> Self {
        Self {
            name: family.name.as_str().into(),
            metric_type: family.metric_type,
            origin,
            hasher: DefaultHashBuilder::default(),
            state: Mutex::new(State {
                family,
                index: HashTable::new(),
                slots: Vec::new(),
                free: Vec::new(),
                newest: Moment(0),
                left_out: false,
                closed: false,
            }),
        }
    }

    /// The family's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The family's type.
    pub fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub fn birth(&self) -> u64 {
        0
    }
    pub fn is_shown(&self, store: &Store, position: Position) -> bool {
        !self.is_empty() && !store.is_expired(self.state.lock().newest, position.now)
    }
    pub fn are_legal(&self) -> bool {
        true
    }
    pub fn has_exponential(&self) -> bool {
        false
    }

    /// How many series it has.
    pub fn len(&self) -> usize {
        self.state.lock().index.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over the help of `other` where it is to be preferred.
    pub(super) fn prefer(&self, other: &Family) {
        let family = &mut self.state.lock().family;
        if family.prefers_help(&other.help) {
            family.help.clone_from(&other.help);
        }
    }

    /// A copy of what stands in front of the series.
    pub fn family(&self) -> Family {
        self.state.lock().family.clone()
    }

    /// Calls `f` under the family's lock with at most `at_most` places; the position to go on from, or `None` at the end.
    pub fn read<T>(
        &self,
        store: &Store,
        position: Position,
        at_most: usize,
        f: impl FnOnce(&mut Batch<'_>) -> T,
    ) -> (T, Option<Position>) {
        let state = &mut *self.state.lock();
        let start = position.slot.min(state.slots.len());
        let end = start.saturating_add(at_most).min(state.slots.len());
        let next = (end < state.slots.len()).then_some(Position { slot: end, ..position });
        let slots = &mut state.slots[start..end];
        let batch = &mut Batch {
            family: &state.family,
            slots,
            left_out: &mut state.left_out,
            store,
            position,
        };
        (f(batch), next)
    }

    /// Applies one point. `None` where the family has been taken out of the registry in the meantime.
    pub(super) fn apply(&self, store: &Store, point: &Point<'_>, now: Moment) -> Option<Result<Applied, Refused>> {
        let state = &mut *self.state.lock();
        if state.closed {
            return None;
        }
        let hash = self.hasher.hash_one(point.labels);
        let slots = &state.slots;
        let found = state
            .index
            .find(hash, |&slot| labels_of(slots, slot) == point.labels)
            .copied();
        Some(match (found, point.change) {
            (Some(slot), change) => Ok(self.update(store, state, slot, point, change, now)),
            (None, Change::Stale) => Ok(Applied::default()),
            (None, Change::Sample(sample)) => self.insert(store, state, hash, point, sample, now),
        })
    }

    fn update(
        &self,
        store: &Store,
        state: &mut State,
        slot: u32,
        point: &Point<'_>,
        change: Change<'_>,
        now: Moment,
    ) -> Applied {
        let Some(series) = state.slots[slot as usize].as_mut() else {
            return Applied::default();
        };
        // What has expired is gone, whether it has been swept yet or not: nothing is older than it, or meets it.
        let is_held = !store.is_expired(series.received, now);
        let is_other_stream = std::mem::replace(&mut series.stream, point.stream) != point.stream;
        let applied = Applied {
            ignored: is_held && point.time_unix_nano < series.time_unix_nano,
            collided: is_held && is_other_stream,
            gap: false,
        };
        // Even a point that is too old shows that the series is alive.
        series.received = now;
        state.newest = state.newest.max(now);
        series.source.accepted(now);
        if !applied.ignored {
            series.time_unix_nano = point.time_unix_nano;
            series.start_unix_nano = point.start_unix_nano;
            match change {
                Change::Sample(sample) => series.value.replace(sample),
                Change::Stale => self.remove(store, state, slot),
            }
        }
        applied
    }

    fn insert(
        &self,
        store: &Store,
        state: &mut State,
        hash: u64,
        point: &Point<'_>,
        sample: Sample<'_>,
        now: Moment,
    ) -> Result<Applied, Refused> {
        self.admit(store, state, point.source)?;
        let series = Series {
            labels: Labels::from_text(point.labels),
            source: Arc::clone(point.source),
            value: Value::of(sample),
            start_unix_nano: point.start_unix_nano,
            time_unix_nano: point.time_unix_nano,
            received: now,
            birth: store.births.fetch_add(1, Ordering::Relaxed),
            stream: point.stream,
            left_out: false,
        };
        series.source.accepted(now);
        state.newest = state.newest.max(now);
        let slot = match state.free.pop() {
            Some(slot) => {
                state.slots[slot as usize] = Some(series);
                slot
            }
            None => {
                state.slots.push(Some(series));
                (state.slots.len() - 1) as u32
            }
        };
        let slots = &state.slots;
        state
            .index
            .insert_unique(hash, slot, |&slot| self.hasher.hash_one(labels_of(slots, slot)));
        Ok(Applied::default())
    }

    /// Takes a place under each cap, or none.
    fn admit(&self, store: &Store, state: &State, source: &Source) -> Result<(), Refused> {
        let limits = store.limits();
        let refused = |of: &str, limit: usize, option: &str| {
            let detail = format!("{of} has reached the limit of {limit} series ({option}); series that are held stay");
            Err(Refused::new(PointReason::TooManySeries, detail))
        };
        if limits.series_per_metric != 0 && state.index.len() >= limits.series_per_metric {
            return refused(
                &format!("metric \"{}\"", self.name),
                limits.series_per_metric,
                "--max-series-per-metric",
            );
        }
        if !take(source.job_series(), limits.series_per_job) {
            let job = source.identity().job.as_deref().unwrap_or("");
            return refused(&format!("job \"{job}\""), limits.series_per_job, "--max-series-per-job");
        }
        // Slots are numbered in 32 bits, which no memory is large enough to use up.
        if state.slots.len() >= u32::MAX as usize || !take(&store.series, limits.series) {
            source.job_series().fetch_sub(1, Ordering::Relaxed);
            return refused("the bridge", limits.series, "--max-series");
        }
        source.series_counter().fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn remove(&self, store: &Store, state: &mut State, slot: u32) {
        let Some(series) = state.slots[slot as usize].take() else {
            return;
        };
        let hash = self.hasher.hash_one(series.labels.as_str());
        if let Ok(entry) = state.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        state.free.push(slot);
        series.source.job_series().fetch_sub(1, Ordering::Relaxed);
        series.source.series_counter().fetch_sub(1, Ordering::Relaxed);
        store.series.fetch_sub(1, Ordering::Relaxed);
        if state.index.is_empty() {
            // The memory of a family that was large once goes with its last series.
            (state.slots, state.free, state.index) = Default::default();
        }
    }

    /// Removes what has expired among at most `at_most` places from `start`; how many, and where to go on.
    pub(super) fn expire(&self, store: &Store, start: usize, at_most: usize, now: Moment) -> (usize, Option<usize>) {
        let state = &mut *self.state.lock();
        let end = start.saturating_add(at_most).min(state.slots.len());
        let mut expired = 0;
        for slot in start..end {
            // Removing the last series empties the slots.
            let series = state.slots.get(slot).and_then(Option::as_ref);
            if series.is_some_and(|series| store.is_expired(series.received, now)) {
                self.remove(store, state, slot as u32);
                expired += 1;
            }
        }
        store.expired.fetch_add(expired as u64, Ordering::Relaxed);
        (expired, (end < state.slots.len()).then_some(end))
    }

    /// Closes the cell if nothing in it is shown any more; what has expired goes with it.
    pub(super) fn close_if_empty(&self, store: &Store, now: Moment) -> bool {
        // The newest series tells of all, so that a family that is alive costs no look at each.
        if store.is_expired(self.state.lock().newest, now) {
            self.expire(store, 0, usize::MAX, now);
        }
        let state = &mut *self.state.lock();
        state.closed = state.index.is_empty();
        state.closed
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

    /// Whether one of the source's series is shown to a reader.
    pub fn is_alive(&self, source: &Source, now: Instant) -> bool {
        source.series() > 0 && !self.is_expired(source.last_seen(), self.moment(now))
    }
}

fn labels_of(slots: &[Option<Series>], slot: u32) -> &str {
    slots[slot as usize]
        .as_ref()
        .map_or("", |series| series.labels.as_str())
}

/// Counts one up unless that passes the limit; 0 is no limit.
fn take(counter: &AtomicUsize, limit: usize) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (limit == 0 || count < limit).then_some(count + 1)
        })
        .is_ok()
}
