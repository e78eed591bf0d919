//! Where finished requests are counted, in front of the SDK.
//!
//! The SDK takes one observation at a time, under a lock that all threads share. So a request is only counted here, in the
//! shard of its thread, and the SDK is told when somebody reads it: an observable instrument that observes nothing makes it
//! call. Each reader then sees every request that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use parking_lot::Mutex;

use super::active::Active;
use super::contained;
use super::exemplars::{ExemplarTable, Kept};
use super::instruments::{Counters, Measures};
use super::series::{Key, Naming, Series};
use super::shards::{Observations, Shard, here, shard_count};

/// Requests in one shard that the SDK is not told of at most, about a tenth of a second of work for whoever reads.
const MOST_PENDING: u64 = 1 << 20;

pub(super) struct Recorder {
    pub(super) clock: quanta::Clock,
    pub(super) active: Active,
    measures: Measures,
    naming: Naming,
    shards: Box<[Shard]>,
    known: Mutex<HashTable<Arc<Series>>>,
    /// Where requests go that would be one series too many.
    overflow: Arc<Series>,
    overflowed: AtomicU64,
    max_series: usize,
    most_pending: u64,
    counters: Counters,
    told: Mutex<Told>,
    hasher: foldhash::fast::RandomState,
}

/// What the SDK knows already.
#[derive(Default)]
struct Told {
    series: Option<i64>,
    overflowed: Option<u64>,
}

/// What a recorder is made with.
pub(super) struct Settings {
    pub(super) active: Active,
    pub(super) measures: Measures,
    pub(super) naming: Naming,
    pub(super) max_series: usize,
    /// Whether the SDK is told of each observation at once, which costs time but no view loses by it.
    pub(super) is_immediate: bool,
}

impl Recorder {
    pub(super) fn new(meter: &Meter, settings: Settings) -> Arc<Self> {
        let hasher = foldhash::fast::RandomState::default();
        let nothing = Key::overflow();
        let hash = nothing.hash(&hasher);
        let attributes = [KeyValue::new("otel.metric.overflow", true)].into();
        let recorder = Arc::new(Self {
            clock: quanta::Clock::new(),
            active: settings.active,
            measures: settings.measures,
            naming: settings.naming,
            shards: (0..shard_count()).map(|_| Shard::default()).collect(),
            known: Mutex::default(),
            overflow: Arc::new(Series::new(nothing, hash, attributes)),
            overflowed: AtomicU64::new(0),
            max_series: settings.max_series,
            most_pending: if settings.is_immediate { 0 } else { MOST_PENDING },
            counters: Counters::new(meter),
            told: Mutex::default(),
            hasher,
        });
        let weak = Arc::downgrade(&recorder);
        // Called before any of the other instruments is read (opentelemetry_sdk, `Pipeline::produce`).
        let _ = meter
            .u64_observable_gauge("meterbridge.instrument.drain")
            .with_description("Never observed; its callback hands over what was counted.")
            .with_callback(move |_| contained(|| weak.upgrade().iter().for_each(|recorder| recorder.drain())))
            .build();
        recorder
    }

    pub(super) fn naming(&self) -> &Naming {
        &self.naming
    }

    /// Whether it is of interest when the head of a response was there.
    pub(super) fn times_heads(&self) -> bool {
        self.measures.all()[Measures::TIME_TO_HEAD].is_some()
    }

    /// Counts a request that has ended.
    pub(super) fn record(&self, key: &Key, observations: &Observations, exemplar: Option<&Kept>) {
        let hash = key.hash(&self.hasher);
        let Some(shard) = self.shards.get(here()) else { return };
        shard.observe(
            (key, hash),
            observations,
            exemplar,
            &self.measures,
            self.most_pending,
            || self.series(key, hash),
        );
    }

    /// The series of a key: its own, or that of all that are too many.
    fn series(&self, key: &Key, hash: u64) -> Arc<Series> {
        let mut known = self.known.lock();
        if let Some(series) = known.find(hash, |series| series.key == *key) {
            return Arc::clone(series);
        }
        if known.len() >= self.max_series {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            return Arc::clone(&self.overflow);
        }
        let attributes = self.naming.attributes(key, self.active.method(key.kind));
        let series = Arc::new(Series::new(key.clone(), hash, attributes));
        known.insert_unique(hash, Arc::clone(&series), |series| series.hash);
        series
    }

    /// Tells the SDK all that it does not know yet.
    pub(super) fn drain(&self) {
        // Held throughout, so that two readers at a time do not tell the same difference twice.
        let mut told = self.told.lock();
        let mut taken = Vec::new();
        for shard in &self.shards {
            shard.take(&mut taken);
        }
        for (series, pending) in &mut taken {
            for (number, measure) in self.measures.all().iter().enumerate() {
                if let (Some(measure), Some(pending)) = (measure, &mut pending[number]) {
                    series.tell(number, measure, pending, u64::MAX);
                }
            }
        }
        self.active.drain(&self.counters.active, &self.naming.constant);

        let series = i64::try_from(self.known.lock().len()).unwrap_or(i64::MAX);
        if told.series != Some(series) {
            self.counters
                .series
                .add(series - told.series.unwrap_or(0), &self.naming.constant);
            told.series = Some(series);
        }
        let overflowed = self.overflowed.load(Ordering::Relaxed);
        if told.overflowed != Some(overflowed) {
            let new = overflowed - told.overflowed.unwrap_or(0);
            self.counters.overflow.add(new, &self.naming.constant);
            told.overflowed = Some(overflowed);
        }
    }

    /// The exemplars as of the last time that somebody read.
    pub(super) fn exemplars(&self) -> ExemplarTable {
        let mut table = ExemplarTable::default();
        let known: Vec<_> = self.known.lock().iter().map(Arc::clone).collect();
        for series in known.iter().chain([&self.overflow]) {
            for (kept, measure) in series.exemplars.lock().iter().zip(self.measures.all()) {
                if let Some(measure) = measure {
                    table.add(measure.family, &series.attributes, kept, measure.unit());
                }
            }
        }
        table
    }
}

impl Drop for Recorder {
    /// Nobody can read any more what was not told by now, unless the provider outlives its instruments.
    fn drop(&mut self) {
        contained(|| self.drain());
    }
}
