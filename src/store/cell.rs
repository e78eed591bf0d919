use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;

use super::accumulate::Taken;
use super::expiry::{Latest, Lifetime};
use super::series::{Applied, Change, Point, Series, Value};
use super::streams::Streams;
use super::unit::Unit;
use super::windows::Windows;
use super::{Collisions, Moment, Store};
use crate::model::{Family, Labels, MetricType, Refused, Sample, is_metric_name};

/// A family and its series, behind a lock of its own.
#[derive(Debug)]
pub struct FamilyCell {
    name: Arc<str>,
    metric_type: MetricType,
    /// Who sent it first, for the message of a type conflict.
    origin: String,
    birth: u64,
    /// Whether each stream has a series of its own (conformance C-05, `sum`).
    by_stream: bool,
    hasher: DefaultHashBuilder,
    /// How many series hold an exponential histogram.
    exponentials: AtomicUsize,
    are_legal: AtomicBool,
    labels_repeat: AtomicBool,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) family: Family,
    pub(super) unit: Unit,
    /// By the hash of the labels, which alone decide (conformance C-07), and of the stream where each has its own series.
    pub(super) index: HashTable<u32>,
    pub(super) slots: Vec<Option<Series>>,
    free: Vec<u32>,
    streams: Streams,
    /// Of all series, the hidden ones too: they hold the name and the type.
    pub(super) latest: Latest,
    /// Whether `/metrics` has had to leave the family out.
    pub(super) left_out: bool,
    /// Out of the registry: whoever still holds the cell has to ask for the family again.
    closed: bool,
}

impl FamilyCell {
    pub(super) fn new(store: &Store, family: Family, origin: String) -> Self {
        let counts_up = matches!(family.metric_type, MetricType::Counter | MetricType::Histogram);
        Self {
            name: family.name.as_str().into(),
            metric_type: family.metric_type,
            origin,
            birth: store.births.fetch_add(1, Ordering::Relaxed),
            by_stream: counts_up && store.limits().collisions == Collisions::Sum,
            hasher: DefaultHashBuilder::default(),
            exponentials: AtomicUsize::new(0),
            are_legal: AtomicBool::new(is_metric_name(&family.name)),
            labels_repeat: AtomicBool::new(false),
            state: Mutex::new(State {
                family,
                unit: Unit::Agreed,
                index: HashTable::new(),
                slots: Vec::new(),
                free: Vec::new(),
                streams: Streams::default(),
                latest: Latest::NONE,
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

    /// Families are numbered in the order in which they were made (conformance K-05); not without gaps.
    pub fn birth(&self) -> u64 {
        self.birth
    }

    /// Whether a series holds an exponential histogram.
    pub fn has_exponential(&self) -> bool {
        self.exponentials.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(super) fn exponentials(&self) -> usize {
        self.exponentials.load(Ordering::Relaxed)
    }

    /// Whether the family's name and all label names are legal without quotes. Once they are not, it says so until the family
    /// is empty.
    pub fn are_legal(&self) -> bool {
        self.are_legal.load(Ordering::Relaxed)
    }

    /// Whether series have equal labels, which are to be shown as one: their sum (conformance C-05).
    pub fn labels_repeat(&self) -> bool {
        self.labels_repeat.load(Ordering::Relaxed)
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// How many series it has, hidden ones included.
    pub fn len(&self) -> usize {
        self.state.lock().index.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of what stands in front of the series.
    pub fn family(&self) -> Family {
        self.state.lock().family.clone()
    }

    /// Takes over what is to be preferred of `other`'s help and unit; a unit of somebody else that conflicts with its own.
    pub(super) fn prefer(&self, other: &Family) -> Option<String> {
        let State { family, unit, .. } = &mut *self.state.lock();
        if family.prefers_help(&other.help) {
            family.help.clone_from(&other.help);
        }
        unit.meets(family, other)
    }

    /// Applies one point. `None` where the family has been taken out of the registry in the meantime.
    pub(super) fn apply(&self, store: &Store, point: &Point<'_>, now: Moment) -> Option<Result<Applied, Refused>> {
        let state = &mut *self.state.lock();
        if state.closed {
            return None;
        }
        let hash = self.hash(point.labels, point.stream);
        let slots = &state.slots;
        let is_it = |&slot: &u32| {
            slots[slot as usize].as_ref().is_some_and(|series| {
                series.labels.as_str() == point.labels && (!self.by_stream || series.stream == point.stream)
            })
        };
        let mut found = state.index.find(hash, is_it).copied();
        if let Some(slot) = found
            && state.slots[slot as usize]
                .as_ref()
                .is_some_and(|series| series.deadline < now)
        {
            // What has expired is gone, whether it has been swept yet or not.
            self.remove(store, state, slot);
            store.expired.fetch_add(1, Ordering::Relaxed);
            found = None;
        }
        Some(match (found, point.change) {
            (Some(slot), Change::Sample(sample)) => self.update(store, state, slot, point, sample, now),
            (Some(slot), Change::Stale) => Ok(self.flag(store, state, slot, point, now)),
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
        sample: Sample<'_>,
        now: Moment,
    ) -> Result<Applied, Refused> {
        let Some(series) = state.slots[slot as usize].as_mut() else {
            return Ok(Applied::default());
        };
        let (was_delta, was_exponential) = (series.windows.is_some(), series.value.is_exponential());
        let Taken { ignored, gap } = series.take(point, sample)?;
        if !ignored {
            if !point.exemplars.is_empty() && self.keeps_exemplars() {
                series.keep_exemplars(point.exemplars);
            }
            if std::mem::replace(&mut series.hidden, false) {
                series.source.hidden().fetch_sub(1, Ordering::Relaxed);
            }
            self.count_exponential(was_exponential, series.value.is_exponential());
            if was_delta != series.windows.is_some() {
                // The new deadline may be the earlier one.
                series.source.life().loses(series.deadline);
                state.latest.loses(series.deadline);
                series.lifetime = self.lifetime(store, series);
                series.deadline = now.plus(series.lifetime);
            }
        }
        let collided = self.renew(series, &mut state.latest, point, now);
        Ok(Applied { ignored, collided, gap })
    }

    /// The sender has no value any more: a cumulative series goes; of a delta series the total is kept (conformance Z-01).
    fn flag(&self, store: &Store, state: &mut State, slot: u32, point: &Point<'_>, now: Moment) -> Applied {
        let Some(series) = state.slots[slot as usize].as_mut() else {
            return Applied::default();
        };
        let ignored = point.time_unix_nano < series.time_unix_nano;
        if !ignored && series.windows.is_some() && !std::mem::replace(&mut series.hidden, true) {
            series.source.hidden().fetch_add(1, Ordering::Relaxed);
            series.source.life().loses(series.deadline);
        }
        let collided = self.renew(series, &mut state.latest, point, now);
        if !ignored && series.windows.is_none() {
            self.remove(store, state, slot);
        }
        Applied {
            ignored,
            collided,
            gap: false,
        }
    }

    /// Even a point that is too old shows that its series is alive; whether it comes from another stream than the last one.
    fn renew(&self, series: &mut Series, latest: &mut Latest, point: &Point<'_>, now: Moment) -> bool {
        // Requests may overtake each other on their way from the clock to here.
        series.deadline = series.deadline.max(now.plus(series.lifetime));
        latest.gains(series.deadline);
        if !series.hidden {
            series.source.life().gains(series.deadline);
        }
        series.source.accepted(now);
        std::mem::replace(&mut series.stream, point.stream) != point.stream
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
        let window = point.window();
        let mut series = Series {
            labels: Labels::from_text(point.labels),
            source: Arc::clone(point.source),
            value: Value::of(sample),
            start_unix_nano: window.start(),
            time_unix_nano: point.time_unix_nano,
            deadline: now,
            lifetime: Lifetime::default(),
            birth: store.births.fetch_add(1, Ordering::Relaxed),
            stream: point.stream,
            windows: point.is_added(&sample).then(|| Box::new(Windows::begin(window))),
            exemplars: None,
            hidden: false,
            left_out: false,
        };
        series.lifetime = self.lifetime(store, &series);
        if self.keeps_exemplars() {
            series.keep_exemplars(point.exemplars);
        }
        if !series.labels.are_legal() {
            self.are_legal.store(false, Ordering::Relaxed);
        }
        self.count_exponential(false, series.value.is_exponential());
        self.renew(&mut series, &mut state.latest, point, now);
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
        state.index.insert_unique(hash, slot, |&slot| self.hash_of(slots, slot));
        Ok(Applied {
            collided: self.by_stream && self.join(state, slot, point.labels, now),
            ..Applied::default()
        })
    }

    /// Puts a new stream beside those with its labels; whether it meets one that is held.
    fn join(&self, state: &mut State, slot: u32, labels: &str, now: Moment) -> bool {
        let slots = &state.slots;
        let is = |slot: u32, what: &dyn Fn(&Series) -> bool| slots[slot as usize].as_ref().is_some_and(what);
        let meets = state.streams.join(
            slot,
            |slot| self.hasher.hash_one(labels_of(slots, slot)),
            |other| labels_of(slots, other) == labels,
            |other| is(other, &|series| now <= series.deadline),
        );
        self.labels_repeat
            .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        meets
    }

    pub(super) fn remove(&self, store: &Store, state: &mut State, slot: u32) {
        let hash = self.hash_of(&state.slots, slot);
        let Some(series) = state.slots[slot as usize].take() else {
            return;
        };
        if let Ok(entry) = state.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        state.free.push(slot);
        if self.by_stream {
            let hash = self.hasher.hash_one(series.labels.as_str());
            state.streams.leave(slot, hash);
            self.labels_repeat
                .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        }
        self.count_exponential(series.value.is_exponential(), false);
        state.latest.loses(series.deadline);
        series.leave(store);
        if state.index.is_empty() {
            // The memory of a family that was large once goes with its last series.
            (state.slots, state.free, state.index) = Default::default();
            (state.streams, state.latest) = (Streams::default(), Latest::NONE);
            self.are_legal.store(is_metric_name(&self.name), Ordering::Relaxed);
        }
    }

    /// Removes what has expired among at most `at_most` places from `start`; how many, and where to go on.
    pub(super) fn expire(&self, store: &Store, start: usize, at_most: usize, now: Moment) -> (usize, Option<usize>) {
        let state = &mut *self.state.lock();
        let end = start.saturating_add(at_most).min(state.slots.len());
        let expired = self.expire_among(store, state, start, end, now);
        (expired, (end < state.slots.len()).then_some(end))
    }

    fn expire_among(&self, store: &Store, state: &mut State, start: usize, end: usize, now: Moment) -> usize {
        let mut expired = 0;
        for slot in start..end {
            // Removing the last series empties the slots.
            let series = state.slots.get(slot).and_then(Option::as_ref);
            if series.is_some_and(|series| series.deadline < now) {
                self.remove(store, state, slot as u32);
                expired += 1;
            }
        }
        store.expired.fetch_add(expired as u64, Ordering::Relaxed);
        expired
    }

    /// Closes the cell if nothing in it lives any more; what has expired goes with it.
    pub(super) fn close_if_empty(&self, store: &Store, now: Moment) -> bool {
        let state = &mut *self.state.lock();
        // The latest deadline tells of all, so that a family that is alive costs no look at each.
        if state.latest.deadline < now || !state.latest.is_exact {
            self.expire_among(store, state, 0, state.slots.len(), now);
            let deadlines = state.slots.iter().flatten().map(|series| series.deadline);
            state.latest = Latest {
                deadline: deadlines.max().unwrap_or(Latest::NONE.deadline),
                is_exact: true,
            };
        }
        state.closed = state.index.is_empty();
        state.closed
    }

    fn lifetime(&self, store: &Store, series: &Series) -> Lifetime {
        let job = series.source.identity().job.as_deref();
        store.limits().lifetime(job, &self.name, series.windows.is_some())
    }

    fn hash(&self, labels: &str, stream: u64) -> u64 {
        if self.by_stream {
            self.hasher.hash_one((labels, stream))
        } else {
            self.hasher.hash_one(labels)
        }
    }

    fn hash_of(&self, slots: &[Option<Series>], slot: u32) -> u64 {
        slots[slot as usize]
            .as_ref()
            .map_or(0, |series| self.hash(series.labels.as_str(), series.stream))
    }

    /// Counters and histograms do, nothing else does (conformance X-05).
    fn keeps_exemplars(&self) -> bool {
        matches!(self.metric_type, MetricType::Counter | MetricType::Histogram)
    }

    fn count_exponential(&self, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.exponentials.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.exponentials.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

fn labels_of(slots: &[Option<Series>], slot: u32) -> &str {
    slots[slot as usize]
        .as_ref()
        .map_or("", |series| series.labels.as_str())
}
