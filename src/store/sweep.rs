use std::sync::atomic::Ordering;
use std::time::Instant;

use super::cell::State;
use super::series::Series;
use super::{FamilyCell, Moment, Store};

/// How many places of a family are looked at under one lock.
pub(super) const BATCH: usize = 4096;

impl Store {
    /// Removes the series that have expired, and the families and sources that are empty then; how many series. Meant to be
    /// called every now and then, whether somebody scrapes or not (conformance Z-03).
    pub fn sweep(&self, now: Instant) -> usize {
        let now = self.moment(now);
        let mut removed = 0;
        let mut empty = Vec::new();
        for cell in self.families() {
            let mut start = Some(0);
            while let Some(from) = start {
                let (expired, next) = cell.expire(self, from, BATCH, now);
                removed += expired;
                start = next;
            }
            if cell.is_empty() {
                empty.push(cell);
            }
        }
        self.close_empty_families(&empty, now);
        self.weaver.prune();
        self.sources.prune();
        removed
    }
}

impl FamilyCell {
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
        if state.latest < now {
            self.expire_among(store, state, 0, state.slots.len(), now);
        } else {
            self.expire_in_front(store, state, now);
        }
        state.closed = state.index.is_empty();
        state.closed
    }

    /// Removes what has expired in front of the first series that lives, which mostly is the first of all. Of a large family
    /// the rest is left to the sweep: whoever asks for the name again and again must not have us look at it all each time.
    fn expire_in_front(&self, store: &Store, state: &mut State, now: Moment) {
        let lives = |series: &Option<Series>| series.as_ref().is_some_and(|series| now <= series.deadline);
        let front = state.slots.iter().take(BATCH);
        let end = front.clone().position(lives).unwrap_or(front.len());
        self.expire_among(store, state, 0, end, now);
    }
}
