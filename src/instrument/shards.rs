//! Which part of what is counted a thread writes to, so that threads do not meet.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use hashbrown::HashTable;
use parking_lot::Mutex;

use super::exemplars::Kept;
use super::histogram::Pending;
use super::instruments::Measures;
use super::series::{Key, Series};

/// How many shards there are: enough that the workers of an async runtime have one each.
pub(super) fn shard_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (2 * threads).next_power_of_two().clamp(4, 256)
    })
}

/// The shard of this thread. Threads get one in turn, and keep it.
pub(super) fn here() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HERE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    // A thread that is ending may have none any more.
    let here = HERE.try_with(|here| {
        if here.get() == usize::MAX {
            here.set(NEXT.fetch_add(1, Ordering::Relaxed) % shard_count());
        }
        here.get()
    });
    here.unwrap_or(0)
}

/// What one request was measured to be, by the number of the measure; nothing where it is unknown.
pub(super) type Observations = [Option<u64>; Measures::COUNT];

/// What the SDK does not have yet of one series, by the number of the measure.
pub(super) type PendingOf = [Option<Pending>; Measures::COUNT];

/// The observations of the requests of some threads.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct Shard(Mutex<HashTable<Share>>);

/// One series, as far as a shard has seen it.
struct Share {
    series: Arc<Series>,
    pending: PendingOf,
}

impl Shard {
    /// Adds the observations of one request to the series of `key`, which `find` gives where this shard has not seen it. Says
    /// which series has reached `most` observations, with all that it has.
    pub(super) fn observe(
        &self,
        (key, hash): (&Key, u64),
        observations: &Observations,
        exemplar: Option<&Kept>,
        measures: &Measures,
        most: u64,
        find: impl FnOnce() -> Arc<Series>,
    ) -> Option<(Arc<Series>, PendingOf)> {
        let mut shares = self.0.lock();
        let at = match shares.find_mut(hash, |share| share.series.key == *key) {
            Some(share) => share,
            None => {
                let series = find();
                let entry = shares.entry(
                    series.hash,
                    |share| Arc::ptr_eq(&share.series, &series),
                    |share| share.series.hash,
                );
                entry
                    .or_insert_with(|| Share {
                        series: Arc::clone(&series),
                        pending: Default::default(),
                    })
                    .into_mut()
            }
        };
        let mut is_full = false;
        for ((pending, value), measure) in at.pending.iter_mut().zip(observations).zip(measures.all()) {
            if let (Some(value), Some(measure)) = (value, measure) {
                let pending = pending.get_or_insert_with(|| Pending::new(&measure.bounds));
                pending.observe(&measure.bounds, *value, exemplar);
                is_full |= pending.count() >= most;
            }
        }
        is_full.then(|| (Arc::clone(&at.series), std::mem::take(&mut at.pending)))
    }

    /// Moves all that is pending into `taken`, which has a place for each series that was seen before.
    pub(super) fn take(&self, taken: &mut Vec<(Arc<Series>, PendingOf)>, measures: &Measures) {
        for share in self.0.lock().iter_mut() {
            if share.pending.iter().flatten().all(|pending| pending.count() == 0) {
                continue;
            }
            let mut all: PendingOf = Default::default();
            for ((mine, theirs), measure) in all.iter_mut().zip(&mut share.pending).zip(measures.all()) {
                if let (Some(theirs), Some(measure)) = (theirs, measure) {
                    mine.insert(Pending::new(&measure.bounds)).take_from(theirs);
                }
            }
            taken.push((Arc::clone(&share.series), all));
        }
    }
}
