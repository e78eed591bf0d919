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
pub(super) struct Shard(Mutex<Shares>);

#[derive(Default)]
struct Shares {
    table: HashTable<Share>,
    /// How many requests the SDK has not been told of.
    pending: u64,
}

/// One series, as far as a shard has seen it.
struct Share {
    series: Arc<Series>,
    pending: PendingOf,
}

impl Shard {
    /// Adds the observations of one request to the series of `key`, which `find` gives where this shard has not seen it.
    ///
    /// Where more than `most` requests are pending, two observations of this series are told to the SDK: nobody reads, and when
    /// somebody does, that must not take minutes.
    pub(super) fn observe(
        &self,
        (key, hash): (&Key, u64),
        observations: &Observations,
        exemplar: Option<&Kept>,
        measures: &Measures,
        most: u64,
        find: impl FnOnce() -> Arc<Series>,
    ) {
        let Shares { table, pending } = &mut *self.0.lock();
        let share = match table.find_mut(hash, |share| share.series.key == *key) {
            Some(share) => share,
            None => {
                let series = find();
                let is_same = |share: &Share| Arc::ptr_eq(&share.series, &series);
                let entry = table.entry(series.hash, is_same, |share| share.series.hash);
                let new = || Share {
                    series: Arc::clone(&series),
                    pending: Default::default(),
                };
                entry.or_insert_with(new).into_mut()
            }
        };
        *pending += 1;
        let is_too_much = *pending > most;
        for (number, measure) in measures.all().iter().enumerate() {
            let (Some(measure), Some(value)) = (measure, observations[number]) else {
                continue;
            };
            let pending = share.pending[number].get_or_insert_with(|| Pending::new(&measure.bounds));
            pending.observe(&measure.bounds, value, exemplar);
            if is_too_much {
                share.series.tell(number, measure, pending, 2);
            }
        }
    }

    /// Moves all that is pending into `taken`.
    pub(super) fn take(&self, taken: &mut Vec<(Arc<Series>, PendingOf)>) {
        let Shares { table, pending } = &mut *self.0.lock();
        if std::mem::take(pending) == 0 {
            return;
        }
        for share in table.iter_mut() {
            let mut all = PendingOf::default();
            let mut is_empty = true;
            for (all, pending) in all.iter_mut().zip(&mut share.pending) {
                if let Some(pending) = pending.as_mut().filter(|pending| !pending.is_empty()) {
                    *all = Some(pending.take());
                    is_empty = false;
                }
            }
            if !is_empty {
                taken.push((Arc::clone(&share.series), all));
            }
        }
    }
}
