use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use super::alive::Life;
use super::{Moment, Store};
use crate::model::Labels;

/// How many causes of advice are remembered for one source. Past it the memory starts anew and advice is given again.
const MAX_ADVISED: usize = 1000;

/// One `job` and `instance` that pushes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// `None` where the sender named no service (conformance R-04).
    pub job: Option<Box<str>>,
    /// Empty where the sender named none (conformance R-03).
    pub instance: Box<str>,
}

/// What is known of a source, beside its series.
#[derive(Debug)]
pub struct Source {
    identity: Identity,
    /// Shared by all sources of the job.
    job_series: Arc<AtomicUsize>,
    series: AtomicUsize,
    /// How many of them are kept without being shown.
    hidden: AtomicUsize,
    life: Life,
    points: AtomicU64,
    first_seen: Moment,
    last_seen: AtomicU64,
    /// Changes when the description does.
    version: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    target: Option<Labels>,
    origin: Origin,
    advised: HashSet<u64>,
}

/// What a sender says of its SDK; empty where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `telemetry.sdk.language`.
    pub sdk_language: String,
    /// `telemetry.sdk.version`.
    pub sdk_version: String,
}

impl Source {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many series it has, hidden ones included.
    pub fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// How many points it has had accepted.
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// When its first request came.
    pub fn first_seen(&self) -> Moment {
        self.first_seen
    }

    /// When its last point was accepted.
    pub fn last_seen(&self) -> Moment {
        Moment(self.last_seen.load(Ordering::Relaxed))
    }

    /// The labels of its `target_info`, if it has one.
    pub fn target(&self) -> Option<Labels> {
        self.state.lock().target.clone()
    }

    /// What it said of its SDK.
    pub fn origin(&self) -> Origin {
        self.state.lock().origin.clone()
    }

    /// Replaces what describes the source: at most one `target_info` for each (conformance R-07). The version of the description,
    /// see [`Source::version`].
    pub fn describe(&self, target: Option<&str>, origin: Origin) -> u64 {
        let mut state = self.state.lock();
        if state.target.as_ref().map(Labels::as_str) != target || state.origin != origin {
            state.target = target.map(Labels::from_text);
            state.origin = origin;
            self.version.fetch_add(1, Ordering::Release);
        }
        self.version()
    }

    /// As long as it is what [`Source::describe`] gave, describing the source in the same way again would change nothing.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether advice for this cause is new to the source (conformance P-02); it is not any more afterwards.
    pub fn is_new_advice(&self, cause: u64) -> bool {
        let advised = &mut self.state.lock().advised;
        if advised.len() >= MAX_ADVISED {
            advised.clear();
        }
        advised.insert(cause)
    }

    pub(super) fn accepted(&self, points: u64, now: Moment) {
        self.points.fetch_add(points, Ordering::Relaxed);
        // Nearly always this very request has said so already, and looking is cheaper.
        if self.last_seen.load(Ordering::Relaxed) < now.0 {
            self.last_seen.fetch_max(now.0, Ordering::Relaxed);
        }
    }

    /// How many series are shown, unless they have expired.
    pub(super) fn shown(&self) -> usize {
        self.series().saturating_sub(self.hidden.load(Ordering::Relaxed))
    }

    pub(super) fn hidden(&self) -> &AtomicUsize {
        &self.hidden
    }

    pub(super) fn life(&self) -> &Life {
        &self.life
    }

    pub(super) fn job_series(&self) -> &AtomicUsize {
        &self.job_series
    }

    pub(super) fn series_counter(&self) -> &AtomicUsize {
        &self.series
    }
}

/// The sources by identity. One is in the map exactly while somebody else holds it: a series, or a request.
#[derive(Debug, Default)]
pub(super) struct Sources(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    by_identity: HashMap<Identity, Arc<Source>>,
    /// How many series each job has; the sources of the job hold it.
    jobs: HashMap<Option<Box<str>>, Weak<AtomicUsize>>,
}

impl Sources {
    pub(super) fn len(&self) -> usize {
        self.0.read().by_identity.len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Source>> {
        let mut all: Vec<_> = self.0.read().by_identity.values().cloned().collect();
        all.sort_by(|a, b| a.identity.cmp(&b.identity));
        all
    }

    pub(super) fn get(&self, identity: &Identity) -> Option<Arc<Source>> {
        self.0
            .read()
            .by_identity
            .get(identity)
            .filter(|source| source.series() > 0)
            .cloned()
    }

    /// Forgets the sources that nothing holds any more.
    pub(super) fn prune(&self) {
        let mut known = self.0.write();
        known.by_identity.retain(|_, source| Arc::strong_count(source) > 1);
        known.jobs.retain(|_, series| series.strong_count() > 0);
    }
}

impl Store {
    /// The source of that identity for a request that is being taken in. Give it back with [`Store::leave`].
    pub fn enter(&self, identity: &Identity, now: Instant) -> Arc<Source> {
        if let Some(source) = self.sources.0.read().by_identity.get(identity) {
            return Arc::clone(source);
        }
        let mut known = self.sources.0.write();
        if let Some(source) = known.by_identity.get(identity) {
            return Arc::clone(source);
        }
        let job_series = known
            .jobs
            .get(&identity.job)
            .and_then(Weak::upgrade)
            .unwrap_or_default();
        known.jobs.insert(identity.job.clone(), Arc::downgrade(&job_series));
        let moment = self.moment(now);
        let source = Arc::new(Source {
            identity: identity.clone(),
            job_series,
            series: AtomicUsize::new(0),
            hidden: AtomicUsize::new(0),
            life: Life::default(),
            points: AtomicU64::new(0),
            first_seen: moment,
            last_seen: AtomicU64::new(moment.0),
            version: AtomicU64::new(0),
            state: Mutex::default(),
        });
        known.by_identity.insert(identity.clone(), Arc::clone(&source));
        source
    }

    /// Ends what [`Store::enter`] began: a source that has come to nothing is forgotten.
    pub fn leave(&self, source: Arc<Source>) {
        if source.series() > 0 {
            return;
        }
        let mut known = self.sources.0.write();
        // Held by the map and by us: nobody else can come by it while the map is locked.
        if Arc::strong_count(&source) == 2 {
            known.by_identity.remove(&source.identity);
            // Its job's entry goes with the next sweep.
        }
    }
}
