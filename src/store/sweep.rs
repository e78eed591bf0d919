use std::time::Instant;

use super::Store;

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
        self.sources.prune();
        removed
    }
}
