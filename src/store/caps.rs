use std::sync::atomic::{AtomicUsize, Ordering};

use super::cell::State;
use super::series::Series;
use super::{FamilyCell, Source, Store};
use crate::model::{PointReason, Refused};

impl FamilyCell {
    /// Takes a place under each cap, or none (conformance B-01).
    pub(super) fn admit(&self, store: &Store, state: &State, source: &Source) -> Result<(), Refused> {
        let limits = store.limits();
        let refused = |of: &str, limit: usize, option: &str| {
            let detail = format!("{of} has reached the limit of {limit} series ({option}); series that are held stay");
            Err(Refused::new(PointReason::TooManySeries, detail))
        };
        if limits.series_per_metric != 0 && state.index.len() >= limits.series_per_metric {
            return refused(
                &format!("metric \"{}\"", self.name()),
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
}

impl Series {
    /// Gives its places back.
    pub(super) fn leave(self, store: &Store) {
        let source = self.source();
        source.life().loses(self.deadline);
        source.job_series().fetch_sub(1, Ordering::Relaxed);
        source.series_counter().fetch_sub(1, Ordering::Relaxed);
        if self.hidden {
            source.hidden().fetch_sub(1, Ordering::Relaxed);
        }
        store.series.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts one up unless that passes the limit; 0 is no limit.
fn take(counter: &AtomicUsize, limit: usize) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (limit == 0 || count < limit).then_some(count + 1)
        })
        .is_ok()
}
