//! A request that is being served, as the layers around and inside it share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use opentelemetry::KeyValue;
use parking_lot::Mutex;
use poem::Request;

use super::Shared;
use super::active::Kind;
use super::request::{self, Protocol};
use super::route::{self, Matched};
use super::span::RequestSpan;

/// What is known when the head of a request is parsed, and what inner layers say later.
pub(super) struct InFlight {
    pub(super) shared: Arc<Shared>,
    /// By the clock of the recorder.
    pub(super) started: u64,
    pub(super) kind: Kind,
    pub(super) protocol: Protocol,
    pub(super) is_head: bool,
    /// Of the whole path: routing rewrites it for those inside a nest.
    pub(super) segments: usize,
    /// Where somebody wants spans.
    pub(super) span: Option<RequestSpan>,
    is_matched: AtomicBool,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    matched: Option<Matched>,
    extra: Vec<KeyValue>,
}

impl InFlight {
    /// It counts as active from now on, until [`InFlight::end`].
    pub(super) fn begin(shared: &Arc<Shared>, request: &Request) -> Self {
        let Shared { recorder, options } = &**shared;
        let started = recorder.clock.raw();
        let kind = Kind {
            method: request::method_number(request.method(), &options.known_methods),
            is_https: request::is_https(request),
        };
        let protocol = Protocol::of(request.version());
        let method = || recorder.active.method(kind);
        let extra = options.of_request(request);
        recorder.active.add(kind, 1);
        Self {
            shared: Arc::clone(shared),
            started,
            kind,
            protocol,
            is_head: request.method() == Method::HEAD,
            segments: route::segments(request.uri().path()),
            span: RequestSpan::open(request, options, method, kind.scheme(), protocol.version()),
            is_matched: AtomicBool::new(false),
            said: Mutex::new(Said { matched: None, extra }),
        }
    }

    pub(super) fn is_matched(&self) -> bool {
        self.is_matched.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, attributes: impl IntoIterator<Item = KeyValue>) {
        self.said.lock().extra.extend(attributes);
    }

    pub(super) fn matched(&self, matched: Matched) {
        let active = &self.shared.recorder.active;
        let mut said = self.said.lock();
        if active.is_by_route() {
            match &said.matched {
                Some(before) => active.add_routed(self.kind, before.route.shared(), -1),
                None => active.add(self.kind, -1),
            }
            active.add_routed(self.kind, matched.route.shared(), 1);
        }
        said.matched = Some(matched);
        self.is_matched.store(true, Ordering::Relaxed);
    }

    /// It is active no more. Gives what inner layers said.
    pub(super) fn end(&self) -> (Option<Matched>, Vec<KeyValue>) {
        let Said { matched, extra } = std::mem::take(&mut *self.said.lock());
        let active = &self.shared.recorder.active;
        match &matched {
            Some(matched) if active.is_by_route() => active.add_routed(self.kind, matched.route.shared(), -1),
            _ => active.add(self.kind, -1),
        }
        (matched, extra)
    }
}
