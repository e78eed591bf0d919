use std::hash::BuildHasher;
use std::sync::{Arc, Weak};

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::{Mutex, RwLock};

use super::Translator;
use super::batch::{Batch, Recognised};
use super::recognise::recognise;
use super::sequence::Sequence;
use super::taking::Taking;
use crate::otlp::Kind;
use crate::store::{FamilyCell, Interner, Known, Source, Store};

/// What the senders' requests looked like last time: resources, scopes, metrics and points by the bytes that they are written in.
/// Who sends the same bytes again means the same series, so nothing of it has to be read, checked, translated or looked up again.
///
/// It is a cache. It remembers only what was taken without a refusal and without advice, so that all that there is to say is said
/// each time by the plain way; and where a series is held ([`Known`]) is asked again for each point. It is bounded: by what each
/// source has in the store, and by how many sources there are.
#[derive(Debug, Default)]
pub struct Memory {
    resources: RwLock<HashTable<Arc<Remembered>>>,
    /// Attributes that many resources have in common, such as the replicas of a service, are held once.
    attributes: Interner<Arc<[u8]>>,
    pub(super) hasher: DefaultHashBuilder,
    /// Those that are not in use.
    batches: Mutex<Vec<Batch>>,
    recognised: Mutex<Recognised>,
}

/// A resource that has been seen.
#[derive(Debug)]
pub(super) struct Remembered {
    key: Box<[u8]>,
    pub(super) state: Mutex<ResourceMemory>,
}

/// What is known of a resource.
#[derive(Debug, Default)]
pub(super) struct ResourceMemory {
    /// Changes when all is forgotten.
    pub(super) generation: u64,
    /// The source, and the version of its description that the resource made, if there was nothing else to say about it.
    pub(super) settled: Option<(Weak<Source>, u64)>,
    pub(super) scopes: Sequence<ScopeMemory>,
    /// What all of it takes, in bytes, about.
    size: usize,
}

/// What is known of a scope.
#[derive(Debug, Default)]
pub(super) struct ScopeMemory {
    /// Whether there was nothing to say about it.
    pub(super) settled: bool,
    pub(super) metrics: Sequence<MetricMemory>,
}

/// What is known of a metric.
#[derive(Debug)]
pub(super) struct MetricMemory {
    pub(super) kind: Kind,
    /// What stands in its data beside the points.
    pub(super) other: Box<[u8]>,
    /// Its family, once a point has been taken.
    pub(super) cell: Option<Arc<FamilyCell>>,
    /// Its points by their attributes.
    pub(super) points: Sequence<Known>,
}

/// Longer keys are not remembered: nobody sends such again and again.
pub(super) const LONGEST_KEY: usize = 16 << 10;
/// What a resource may take of memory however few series it has, and for each series that it has.
const SIZE: usize = 64 << 10;
const SIZE_OF_SERIES: usize = 1 << 10;
/// How many resources may be remembered beside two for each source.
const RESOURCES: usize = 1 << 10;

/// How many batches are kept for later.
const BATCHES: usize = 16;

impl Memory {
    /// Takes a request in as [`otlp::decode`] does with a translator as the sink; `false`, and nothing is changed, where only that can
    /// do it, or can say what is wrong, and where more than `most_new` of it is new.
    pub(super) fn take(&self, translator: &mut Translator<'_>, request: &[u8], most_new: Option<u32>) -> bool {
        let mut batch = self.batches.lock().pop().unwrap_or_default();
        let recognised = recognise(&mut batch, self, translator.store, request, most_new).is_some();
        if recognised {
            self.count(batch.recognised);
            Taking::new(translator, self, &batch, request).take_all();
        }
        batch.clear();
        let mut batches = self.batches.lock();
        if batches.len() < BATCHES {
            batches.push(batch);
        }
        recognised
    }

    fn count(&self, more: Recognised) {
        let mut total = self.recognised.lock();
        total.expected += more.expected;
        total.looked_up += more.looked_up;
        total.unknown += more.unknown;
    }

    /// How the points of all requests were recognised.
    pub fn recognised(&self) -> Recognised {
        *self.recognised.lock()
    }

    /// The memory of a resource that is written so; `None` where there is none and `is_sound` says that there is to be none.
    pub(super) fn resource(&self, key: &[u8], is_sound: impl FnOnce() -> bool) -> Option<Arc<Remembered>> {
        let hash = self.hasher.hash_one(key);
        let is_it = |other: &Arc<Remembered>| *other.key == *key;
        if let Some(found) = self.resources.read().find(hash, is_it) {
            return Some(Arc::clone(found));
        }
        if key.len() > LONGEST_KEY || !is_sound() {
            return None;
        }
        let mut resources = self.resources.write();
        let entry = resources.entry(hash, is_it, |other| self.hasher.hash_one(&*other.key));
        let remembered = entry.or_insert_with(|| {
            Arc::new(Remembered {
                key: key.into(),
                state: Mutex::default(),
            })
        });
        Some(Arc::clone(remembered.get()))
    }

    /// The same bytes, held once for all who have them; whether they are new.
    pub(super) fn shared(&self, bytes: &[u8]) -> (Arc<[u8]>, bool) {
        self.attributes.intern(bytes)
    }

    /// Forgets what belongs to nobody in the store any more. Meant to be called beside [`Store::sweep`].
    pub fn sweep(&self, store: &Store) {
        let mut resources = self.resources.write();
        resources.retain(|remembered| {
            remembered
                .state
                .lock()
                .source()
                .is_some_and(|source| source.series() > 0)
        });
        if resources.len() > RESOURCES + 2 * store.source_count() {
            resources.clear();
        }
        resources.shrink_to(0, |other| self.hasher.hash_one(&*other.key));
        drop(resources);
        self.attributes.prune();
    }

    /// Keeps the number of resources within bounds between two sweeps.
    pub(super) fn bound(&self, store: &Store) {
        if self.resources.read().len() > RESOURCES + 2 * store.source_count() {
            self.sweep(store);
        }
    }
}

impl ResourceMemory {
    pub(super) fn source(&self) -> Option<Arc<Source>> {
        self.settled.as_ref()?.0.upgrade()
    }

    /// Notes that so many bytes more are remembered; forgets all where that is too much for what the source has in the store.
    pub(super) fn grow(&mut self, bytes: usize) {
        self.size += bytes;
        let series = self.source().map_or(0, |source| source.series());
        if self.size > SIZE + SIZE_OF_SERIES * series {
            *self = Self {
                generation: self.generation + 1,
                ..Self::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::otlp::Encoding;
    use crate::store::Limits;
    use crate::translate::{self, Arrival, Rules};

    struct Bridge {
        store: Store,
        memory: Memory,
        start: Instant,
    }

    impl Bridge {
        fn new(limits: Limits) -> Self {
            let start = Instant::now();
            Self {
                store: Store::new(limits, start),
                memory: Memory::default(),
                start,
            }
        }

        /// One gauge with an attribute `a`, of a resource with a `host.name`.
        fn take(&self, seconds: u64, host: &str, a: &str) {
            self.take_flagged(seconds, host, a, 0);
        }

        /// The same with flags: 1 says that there is no value any more.
        fn take_flagged(&self, seconds: u64, host: &str, a: &str, flags: u32) {
            let text = format!(
                r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"host.name","value":{{"stringValue":"{host}"}}}}]}},
                "scopeMetrics":[{{"metrics":[{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":1,"asInt":1,"flags":{flags},
                "attributes":[{{"key":"a","value":{{"stringValue":"{a}"}}}}]}}]}}}}]}}]}}]}}"#
            );
            let arrival = Arrival {
                instant: self.start + Duration::from_secs(seconds),
                unix_nano: 0,
            };
            let rules = &Rules::default();
            translate::request(
                &self.store,
                rules,
                &self.memory,
                arrival,
                Encoding::Json,
                text.as_bytes(),
            )
            .unwrap();
        }

        fn resources(&self) -> usize {
            self.memory.resources.read().len()
        }

        /// What is held of attributes and keys beside the resources.
        fn shared(&self) -> usize {
            self.memory.attributes.lengths(<[u8]>::len).iter().sum()
        }
    }

    #[test]
    fn resources_are_as_many_as_the_sources_allow() {
        let bridge = Bridge::new(Limits::default());
        for host in 0..3 * RESOURCES {
            bridge.take(0, &host.to_string(), "x");
            assert!(bridge.resources() <= RESOURCES + 2 + 1);
        }
        assert_eq!(bridge.store.source_count(), 1);
    }

    #[test]
    fn series_that_come_and_go_leave_nothing_for_good() {
        let bridge = Bridge::new(Limits {
            expiry: Some(Duration::from_secs(10)),
            ..Limits::default()
        });
        let mut most = 0;
        for turn in 0..3_000 {
            bridge.take(turn / 20, "h", &format!("{turn:0100}"));
            if turn % 500 == 0 {
                let now = bridge.start + Duration::from_secs(turn / 20);
                bridge.store.sweep(now);
                bridge.memory.sweep(&bridge.store);
            }
            most = most.max(bridge.shared());
        }
        let held = bridge.store.series();
        assert!(held < 800, "{held}");
        assert!(most < SIZE + 800 * SIZE_OF_SERIES, "{most}");
        bridge.store.sweep(bridge.start + Duration::from_secs(1000));
        bridge.memory.sweep(&bridge.store);
        assert_eq!((bridge.resources(), bridge.shared()), (0, 0));
    }

    #[test]
    fn series_that_are_taken_back_at_once_leave_nothing_to_wait_for_a_sweep() {
        let bridge = Bridge::new(Limits::default());
        for turn in 0..6_000 {
            let a = format!("{turn:0100}");
            bridge.take(0, "h", &a);
            bridge.take_flagged(0, "h", &a, 1);
        }
        assert_eq!(bridge.store.series(), 0);
        let held = bridge.shared() + bridge.store.bytes_of_labels();
        assert!(held < 6_000 * 100, "{held}");
    }

    #[test]
    fn what_is_refused_is_not_remembered() {
        let bridge = Bridge::new(Limits {
            series: 3,
            ..Limits::default()
        });
        (0..500).for_each(|turn| bridge.take(0, "h", &format!("{turn:0100}")));
        let lengths = bridge.memory.attributes.lengths(<[u8]>::len);
        let attributes = lengths.iter().filter(|length| **length > 100).count();
        assert_eq!(attributes, 3);
    }

    #[test]
    fn what_is_long_is_not_remembered() {
        let bridge = Bridge::new(Limits::default());
        bridge.take(0, &"h".repeat(LONGEST_KEY), "x");
        assert_eq!(bridge.resources(), 0);
        bridge.take(0, "h", &"x".repeat(9 << 10));
        assert_eq!(bridge.store.series(), 2);
        assert!(bridge.shared() < 1000);
    }
}
