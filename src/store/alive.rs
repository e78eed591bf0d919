use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::sweep::BATCH;
use super::{Moment, Source, Store};

/// The latest deadline of a source's series that are shown, so that one look tells whether one of them is alive (conformance
/// Z-06). A point costs one atomic step; only when the series that has the deadline is taken out before its time, it has to
/// be looked for again, once somebody asks.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Twice the deadline, and one more where a series has it; else it is an upper bound.
    deadline: AtomicU64,
    /// How many series have been taken out before their time.
    losses: Mutex<u64>,
}

impl Life {
    fn exact(deadline: Moment) -> u64 {
        (deadline.0.min(u64::MAX >> 1) << 1) | 1
    }

    /// A series that is shown has this deadline now.
    pub(super) fn gains(&self, deadline: Moment) {
        let exact = Self::exact(deadline);
        // Nearly always another point of the request has said so already, and looking is cheaper.
        if self.deadline.load(Ordering::Relaxed) < exact {
            self.deadline.fetch_max(exact, Ordering::Relaxed);
        }
    }

    /// A series that had this deadline is not shown any more, or has an earlier one.
    pub(super) fn loses(&self, deadline: Moment) {
        let mut losses = self.losses.lock();
        *losses += 1;
        let exact = Self::exact(deadline);
        // Where it fails another series has a later one, or the search is on already.
        let _ = self
            .deadline
            .compare_exchange(exact, exact - 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is_exact(&self) -> bool {
        self.deadline.load(Ordering::Relaxed) & 1 == 1
    }

    fn deadline(&self) -> Moment {
        Moment(self.deadline.load(Ordering::Relaxed) >> 1)
    }

    /// Takes over what a search found, unless the series have changed under it.
    fn settle(&self, search: &Search<'_>) {
        let losses = self.losses.lock();
        if *losses == search.losses {
            let found = Self::exact(search.found);
            // Where it fails a point has come with a later one.
            let _ = self
                .deadline
                .compare_exchange(search.from, found, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

/// The latest deadline of one source, being looked for.
struct Search<'a> {
    life: &'a Life,
    losses: u64,
    from: u64,
    found: Moment,
}

impl Store {
    /// Whether one of the source's series is shown to a reader.
    pub fn is_alive(&self, source: &Arc<Source>, now: Instant) -> bool {
        !self.alive(vec![Arc::clone(source)], now).is_empty()
    }

    /// Those of `sources` that are alive, found with at most one look at all series.
    pub fn alive(&self, mut sources: Vec<Arc<Source>>, now: Instant) -> Vec<Arc<Source>> {
        let now = self.moment(now);
        sources.retain(|source| source.shown() > 0);
        if sources.iter().any(|source| !source.life().is_exact()) {
            self.search(&sources);
        }
        sources.retain(|source| now <= source.life().deadline());
        sources
    }

    /// Finds the latest deadlines of those sources that lack theirs, in one go through the series.
    fn search(&self, sources: &[Arc<Source>]) {
        let lacking = sources.iter().filter(|source| !source.life().is_exact());
        let mut searches: HashMap<*const Source, Search<'_>> = lacking
            .map(|source| {
                let life = source.life();
                let search = Search {
                    life,
                    losses: *life.losses.lock(),
                    from: life.deadline.load(Ordering::Relaxed),
                    found: Moment(0),
                };
                (Arc::as_ptr(source), search)
            })
            .collect();
        for cell in self.families() {
            let mut start = Some(0);
            while let Some(from) = start {
                start = cell.deadlines(from, BATCH, |source, deadline| {
                    if !source.life().is_exact()
                        && let Some(search) = searches.get_mut(&Arc::as_ptr(source))
                    {
                        search.found = search.found.max(deadline);
                    }
                });
            }
        }
        for search in searches.values() {
            search.life.settle(search);
        }
    }
}
