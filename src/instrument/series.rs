//! What tells requests apart in the metrics, and how that is said in attributes.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use opentelemetry::{KeyValue, StringValue};
use parking_lot::Mutex;

use super::active::Kind;
use super::exemplars::{Kept, keep_newest};
use super::histogram::Pending;
use super::instruments::{Bound, Measure, Measures};
use super::request::Protocol;
use super::route::Route;

/// Why a request counts as failed, as far as the instrumentation itself can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Failure {
    None,
    /// The status says it.
    Status,
    Panic,
    Cancelled,
    Aborted,
    BodyError,
}

impl Failure {
    /// The value of `error.type`.
    pub(super) fn error_type(self, status: Option<StatusCode>) -> Option<StringValue> {
        Some(match self {
            Self::None => return None,
            Self::Status => status?.as_str().to_owned().into(),
            Self::Panic => "panic".into(),
            Self::Cancelled => "cancelled".into(),
            Self::Aborted => "aborted".into(),
            Self::BodyError => "body_error".into(),
        })
    }
}

/// Requests with the same key are one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) protocol: Protocol,
    pub(super) status: Option<StatusCode>,
    pub(super) failure: Failure,
    pub(super) route: Option<Route>,
    /// Sorted by key; none that the instrumentation sets itself.
    pub(super) extra: Vec<KeyValue>,
}

impl Key {
    /// Of no request: the one of the series for all that are too many.
    pub(super) fn overflow() -> Self {
        let kind = Kind {
            method: u8::MAX,
            is_https: false,
        };
        Self {
            kind,
            protocol: Protocol::Unknown,
            status: None,
            failure: Failure::None,
            route: None,
            extra: Vec::new(),
        }
    }

    pub(super) fn hash(&self, hasher: &foldhash::fast::RandomState) -> u64 {
        let mut state = hasher.build_hasher();
        let status = self.status.map_or(0, |status| status.as_u16());
        let kind = u16::from_le_bytes([self.kind.method, u8::from(self.kind.is_https)]);
        let fixed =
            u64::from(status) | (self.protocol as u64) << 16 | (self.failure as u64) << 24 | u64::from(kind) << 32;
        state.write_u64(fixed);
        state.write_u64(self.route.as_ref().map_or(0, Route::hash));
        if !self.extra.is_empty() {
            self.extra.hash(&mut state);
        }
        state.finish()
    }
}

/// How keys become attributes.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// What stands in front of each route.
    pub(super) route_prefix: String,
    /// What is said in place of a route where there is none.
    pub(super) untemplated: Option<StringValue>,
    pub(super) status_class: bool,
    /// On every series.
    pub(super) constant: Vec<KeyValue>,
}

impl Naming {
    pub(super) fn route(&self, route: &str) -> StringValue {
        match self.route_prefix.as_str() {
            "" => route.to_owned().into(),
            prefix => format!("{prefix}{route}").into(),
        }
    }

    /// Sorted by key: the SDK keeps a second copy of every set of attributes that is not.
    pub(super) fn attributes(&self, key: &Key, method: StringValue) -> Arc<[KeyValue]> {
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", key.kind.scheme()),
        ];
        if let Some(error) = key.failure.error_type(key.status) {
            attributes.push(KeyValue::new("error.type", error));
        }
        if let Some(status) = key.status.map(|status| status.as_u16()) {
            attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
            if self.status_class {
                attributes.push(KeyValue::new(
                    "http.response.status_class",
                    format!("{}xx", status / 100),
                ));
            }
        }
        let route = key.route.as_ref().map(|route| self.route(route.as_str()));
        if let Some(route) = route.or_else(|| self.untemplated.clone()) {
            attributes.push(KeyValue::new("http.route", route));
        }
        if let Some(version) = key.protocol.version() {
            attributes.push(KeyValue::new("network.protocol.version", version));
        }
        for more in key.extra.iter().chain(&self.constant) {
            if !attributes.iter().any(|attribute| attribute.key == more.key) {
                attributes.push(more.clone());
            }
        }
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
        attributes.into()
    }
}

/// One series, with its handles into the SDK.
pub(super) struct Series {
    pub(super) key: Key,
    pub(super) hash: u64,
    pub(super) attributes: Arc<[KeyValue]>,
    /// Made with the first observation, since the SDK shows what is bound even where nothing was recorded.
    pub(super) bound: [OnceLock<Bound>; Measures::COUNT],
    pub(super) exemplars: Mutex<[Vec<Option<Kept>>; Measures::COUNT]>,
}

impl Series {
    pub(super) fn new(key: Key, hash: u64, attributes: Arc<[KeyValue]>) -> Self {
        Self {
            key,
            hash,
            attributes,
            bound: Default::default(),
            exemplars: Mutex::default(),
        }
    }

    /// Tells the SDK of at most `most` observations of the measure with this number.
    pub(super) fn tell(&self, number: usize, measure: &Measure, pending: &mut Pending, mut most: u64) {
        let bound = self.bound[number].get_or_init(|| measure.bind(&self.attributes));
        while let Some((value, times)) = pending.next(&measure.bounds, most) {
            most -= times;
            (0..times).for_each(|_| bound.record(value));
        }
        let mut exemplars = pending.take_exemplars();
        if !exemplars.is_empty() {
            keep_newest(&mut self.exemplars.lock()[number], &mut exemplars);
        }
    }
}
