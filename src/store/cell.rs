use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;

use super::accumulate::Taken;
use super::expiry::Lifetime;
use super::series::{Applied, Change, Point, Series};
use super::slots::Indexed;
use super::streams::Streams;
use super::unit::Unit;
use super::writer::{Known, Tally};
use super::{Collisions, Moment, Store};
use crate::model::{Family, MetricType, Refused, Sample, is_metric_name};

/// A family and its series, behind a lock of its own.
#[derive(Debug)]
pub struct FamilyCell {
    name: Arc<str>,
    metric_type: MetricType,
    /// Who sent it first, for the message of a type conflict.
    origin: String,
    birth: u64,
    /// Whether each stream has a series of its own (conformance C-05, `sum`).
    pub(super) by_stream: bool,
    pub(super) hasher: DefaultHashBuilder,
    /// How many points met another stream in their series.
    collisions: AtomicU64,
    /// How many series hold an exponential histogram.
    pub(super) exponentials: AtomicUsize,
    pub(super) are_legal: AtomicBool,
    pub(super) labels_repeat: AtomicBool,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) family: Family,
    pub(super) unit: Unit,
    /// By the hash of the labels, which alone decide (conformance C-07), and of the stream where each has its own series.
    pub(super) index: HashTable<Indexed>,
    pub(super) slots: Vec<Option<Series>>,
    pub(super) free: Vec<u32>,
    pub(super) streams: Streams,
    /// The bounds of the last histogram that came anew.
    pub(super) bounds: Option<Arc<[f64]>>,
    /// No series lives longer than until then.
    pub(super) latest: Moment,
    /// Whether `/metrics` has had to leave the family out.
    pub(super) left_out: bool,
    /// Out of the registry: whoever still holds the cell has to ask for the family again.
    pub(super) closed: bool,
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
            collisions: AtomicU64::new(0),
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
                bounds: None,
                latest: Moment(0),
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

    /// How many points met another stream in their series (conformance C-05).
    pub fn collisions(&self) -> u64 {
        self.collisions.load(Ordering::Relaxed)
    }

    /// Whether a series holds an exponential histogram.
    pub fn has_exponential(&self) -> bool {
        self.exponentials.load(Ordering::Relaxed) > 0
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

    /// Applies one point, and tells where its series is held now. `None` where the family has been taken out of the registry in
    /// the meantime.
    pub(super) fn apply(
        &self,
        store: &Store,
        point: &Point<'_>,
        now: Moment,
    ) -> Option<Result<(Applied, Option<Known>), Refused>> {
        let state = &mut *self.state.lock();
        let mut tally = Tally::new(point.source, now);
        if state.closed {
            return None;
        }
        let hash = self.hash(point.labels, point.stream);
        let slots = &state.slots;
        let is_it = |indexed: &Indexed| {
            indexed.hash == hash
                && slots[indexed.slot as usize].as_ref().is_some_and(|series| {
                    series.labels.are(point.labels) && (!self.by_stream || series.stream == point.stream)
                })
        };
        let found = state.index.find(hash.in_table(), is_it);
        let mut found = found.map(|indexed| indexed.slot);
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
        let applied = match (found, point.change) {
            (Some(slot), Change::Sample(sample)) => self
                .update(store, state, slot, point, sample, &mut tally)
                .map(|applied| (applied, Some(slot))),
            (Some(slot), Change::Stale) => Ok((self.flag(store, state, slot, point, &mut tally), None)),
            (None, Change::Stale) => Ok((Applied::default(), None)),
            (None, Change::Sample(sample)) => self
                .insert(store, state, hash, point, sample, &mut tally)
                .map(|(applied, slot)| (applied, Some(slot))),
        };
        tally.settle(&mut state.latest);
        if applied.as_ref().is_ok_and(|(applied, _)| applied.collided) {
            self.collisions.fetch_add(1, Ordering::Relaxed);
        }
        let known = |slot: u32| Some(Known::of(slot, state.slots.get(slot as usize)?.as_ref()?));
        Some(applied.map(|(applied, slot)| (applied, slot.and_then(known))))
    }

    pub(super) fn update(
        &self,
        store: &Store,
        state: &mut State,
        slot: u32,
        point: &Point<'_>,
        sample: Sample<'_>,
        tally: &mut Tally<'_>,
    ) -> Result<Applied, Refused> {
        let now = tally.now;
        let Some(series) = state.slots[slot as usize].as_mut() else {
            return Ok(Applied::default());
        };
        let (was_delta, was_exponential) = (series.windows.is_some(), series.value.is_exponential());
        let taken = series.take(point, sample);
        let Taken { ignored, gap } = taken.map_err(|refused| refused.of_metric(&self.name))?;
        if !ignored {
            if !point.exemplars.is_empty() && self.keeps_exemplars() {
                series.keep_exemplars(point.exemplars);
            }
            if std::mem::replace(&mut series.hidden, false) {
                series.source().hidden().fetch_sub(1, Ordering::Relaxed);
            }
            self.count_exponential(was_exponential, series.value.is_exponential());
            if was_delta != series.windows.is_some() {
                // The new deadline may be the earlier one.
                tally.tell();
                series.source().life().loses(series.deadline);
                series.lifetime = self.lifetime(store, series);
                series.deadline = now.plus(series.lifetime);
            }
        }
        let collided = series.stream != point.stream;
        series.renew(tally);
        series.stream = point.stream;
        Ok(Applied { ignored, collided, gap })
    }

    /// The sender has no value any more: a cumulative series goes; of a delta series the total is kept (conformance Z-01).
    fn flag(&self, store: &Store, state: &mut State, slot: u32, point: &Point<'_>, tally: &mut Tally<'_>) -> Applied {
        let Some(series) = state.slots[slot as usize].as_mut() else {
            return Applied::default();
        };
        let ignored = point.time_unix_nano < series.time_unix_nano;
        let collided = series.stream != point.stream;
        match (ignored, &series.windows) {
            (false, None) => {
                series.source().accepted(1, tally.now);
                self.remove(store, state, slot);
            }
            (false, Some(_)) => {
                if !std::mem::replace(&mut series.hidden, true) {
                    series.source().hidden().fetch_add(1, Ordering::Relaxed);
                    series.source().life().loses(series.deadline);
                }
                series.renew(tally);
                series.stream = point.stream;
            }
            (true, _) => {
                series.renew(tally);
                series.stream = point.stream;
            }
        }
        Applied {
            ignored,
            collided,
            gap: false,
        }
    }

    pub(super) fn lifetime(&self, store: &Store, series: &Series) -> Lifetime {
        let job = series.source().identity().job.as_deref();
        store.limits().lifetime(job, &self.name, series.windows.is_some())
    }

    /// Counters and histograms do, nothing else does (conformance X-05).
    pub(super) fn keeps_exemplars(&self) -> bool {
        matches!(self.metric_type, MetricType::Counter | MetricType::Histogram)
    }

    pub(super) fn count_exponential(&self, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.exponentials.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.exponentials.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}
