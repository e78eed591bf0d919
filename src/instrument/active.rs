//! How many requests are being served.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use opentelemetry::{KeyValue, StringValue, metrics::UpDownCounter};
use parking_lot::Mutex;

use super::shards::{here, shard_count};

/// Counts of one thread's share, on cache lines that no other shares.
#[repr(align(128))]
#[derive(Default)]
struct Line([AtomicI64; LINE]);

const LINE: usize = 16;

/// The requests in flight, by method and scheme, and by route where that was asked for.
pub(super) struct Active {
    /// For each shard the same number of lines. A request may end on another thread than it began, so that only the sum over
    /// the shards means something.
    lines: Box<[Line]>,
    lines_of_shard: usize,
    /// What has ever been counted, so that it is shown at zero later.
    seen: Box<[AtomicBool]>,
    by_route: Option<Mutex<Counts<Arc<str>>>>,
    methods: Box<[StringValue]>,
    told: Mutex<Counts<Option<Arc<str>>>>,
}

type Counts<R> = HashMap<(Kind, R), i64>;

/// A method by its number, and a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub(super) method: u8,
    pub(super) is_https: bool,
}

impl Kind {
    fn index(self) -> usize {
        usize::from(self.method) * 2 + usize::from(self.is_https)
    }

    pub(super) fn scheme(self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

impl Active {
    pub(super) fn new(methods: Box<[StringValue]>, by_route: bool) -> Self {
        let kinds = methods.len() * 2;
        let lines_of_shard = kinds.div_ceil(LINE);
        Self {
            lines: (0..lines_of_shard * shard_count()).map(|_| Line::default()).collect(),
            lines_of_shard,
            seen: (0..kinds).map(|_| AtomicBool::new(false)).collect(),
            by_route: by_route.then(Mutex::default),
            methods,
            told: Mutex::default(),
        }
    }

    pub(super) fn is_by_route(&self) -> bool {
        self.by_route.is_some()
    }

    pub(super) fn add(&self, kind: Kind, number: i64) {
        let index = kind.index();
        let line = here() * self.lines_of_shard + index / LINE;
        if let Some(line) = self.lines.get(line) {
            line.0[index % LINE].fetch_add(number, Ordering::Relaxed);
        }
        if let Some(seen) = self.seen.get(index).filter(|seen| !seen.load(Ordering::Relaxed)) {
            seen.store(true, Ordering::Relaxed);
        }
    }

    /// As [`Active::add`], for a request whose route is known.
    pub(super) fn add_routed(&self, kind: Kind, route: &Arc<str>, number: i64) {
        if let Some(by_route) = &self.by_route {
            *by_route.lock().entry((kind, Arc::clone(route))).or_default() += number;
        }
    }

    /// Tells the SDK what has changed. Requests that begin or end meanwhile are in this time or the next.
    pub(super) fn drain(&self, counter: &UpDownCounter<i64>, extra: &[KeyValue]) {
        let mut told = self.told.lock();
        let mut tell = |kind: Kind, route: Option<Arc<str>>, number: i64| {
            let held = told.get(&(kind, route.clone())).copied();
            if held == Some(number) {
                return;
            }
            let mut attributes = vec![KeyValue::new("http.request.method", self.method(kind))];
            attributes.extend(route.clone().map(|route| KeyValue::new("http.route", route)));
            attributes.push(KeyValue::new("url.scheme", kind.scheme()));
            attributes.extend_from_slice(extra);
            attributes.sort_by(|a, b| a.key.cmp(&b.key));
            counter.add(number - held.unwrap_or(0), &attributes);
            told.insert((kind, route), number);
        };
        for (index, _) in self
            .seen
            .iter()
            .enumerate()
            .filter(|(_, seen)| seen.load(Ordering::Relaxed))
        {
            let lines = self.lines.iter().skip(index / LINE).step_by(self.lines_of_shard);
            let number = lines.map(|line| line.0[index % LINE].load(Ordering::Relaxed)).sum();
            let method = u8::try_from(index / 2).unwrap_or(u8::MAX);
            let is_https = index % 2 == 1;
            tell(Kind { method, is_https }, None, number);
        }
        if let Some(by_route) = &self.by_route {
            for ((kind, route), number) in by_route.lock().iter() {
                tell(*kind, Some(Arc::clone(route)), *number);
            }
        }
    }

    pub(super) fn method(&self, kind: Kind) -> StringValue {
        let known = self.methods.get(usize::from(kind.method));
        known.cloned().unwrap_or_else(|| super::request::OTHER_METHOD.into())
    }
}
