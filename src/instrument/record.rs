//! The record of one request: begun when its head is parsed, written once, when it is dropped.

use std::{sync::Arc, thread, time::Instant};

use http::{HeaderMap, Method, StatusCode, header::CONTENT_LENGTH};
use opentelemetry::{KeyValue, StringValue};
use poem::{Request, Response};
use tracing::Span;

use super::{
    body::{RequestSize, ResponseBody},
    instruments::Instruments,
    request,
    route::{self, Matched, RouteSlot},
    span::RequestSpan,
};

/// How far a request came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The handler has not answered yet.
    Unanswered,
    /// There is an answer, and its body is being sent.
    Sending,
    /// The whole answer was handed to the transport.
    Complete,
    /// The body failed.
    BodyError,
}

/// What the metrics and the span say when a request has ended, so that they agree.
pub(super) struct Outcome {
    pub(super) method: StringValue,
    pub(super) matched: Option<Matched>,
    pub(super) status: Option<StatusCode>,
    pub(super) error: Option<StringValue>,
}

/// One request. Its drop is the only event that every ending has in common: answered, failed, panicked or cancelled.
pub(super) struct Record {
    instruments: Arc<Instruments>,
    started: Instant,
    method: StringValue,
    scheme: &'static str,
    version: Option<&'static str>,
    head: bool,
    slot: RouteSlot,
    request_size: RequestSize,
    span: RequestSpan,
    status: Option<StatusCode>,
    /// What poem left in the response, for where the slot stays empty.
    route: Option<Arc<str>>,
    sent: u64,
    ending: Ending,
}

impl Record {
    pub(super) fn begin(
        instruments: Arc<Instruments>,
        known_methods: &[StringValue],
        request: &mut Request,
        slot: RouteSlot,
    ) -> Self {
        let method = request::known_method(request.method(), known_methods);
        let scheme = request::scheme(request);
        let version = request::protocol_version(request.version());
        let record = Self {
            instruments,
            started: Instant::now(),
            span: RequestSpan::open(request, &method, scheme, version),
            method,
            scheme,
            version,
            head: request.method() == Method::HEAD,
            slot,
            request_size: RequestSize::count(request),
            status: None,
            route: None,
            sent: 0,
            ending: Ending::Unanswered,
        };
        record.instruments.active.add(1, &record.active_attributes());
        record
    }

    /// The span in which everything for this request runs.
    pub(super) fn span(&self) -> &Span {
        self.span.tracing()
    }

    /// Hands the record on to the body of the answer. `path` is that of the whole request.
    pub(super) fn answer(mut self, mut response: Response, path: &str) -> Response {
        let status = response.status();
        self.status = Some(status);
        self.route = route::from_response(&response, path);
        self.ending = match self.head || bodiless(status) {
            true => Ending::Complete,
            false => Ending::Sending,
        };
        let declared = content_length(response.headers());
        let body = response.take_body();
        if body.is_empty() {
            self.ending = Ending::Complete;
        }
        response.set_body(ResponseBody::new(body, declared, self));
        response
    }

    /// Counts what was handed to the transport, and says how much that is by now.
    pub(super) fn sent(&mut self, bytes: u64) -> u64 {
        self.sent += bytes;
        self.sent
    }

    /// The body has ended. A body that failed stays failed, whatever is asked of it afterwards.
    pub(super) fn end(&mut self, ending: Ending) {
        if self.ending != Ending::BodyError {
            self.ending = ending;
        }
    }

    fn outcome(&self) -> Outcome {
        let error = match self.ending {
            _ if thread::panicking() => Some("panic".into()),
            Ending::Unanswered => Some("cancelled".into()),
            Ending::Sending => Some("aborted".into()),
            Ending::BodyError => Some("body_error".into()),
            Ending::Complete => self
                .status
                .filter(StatusCode::is_server_error)
                .map(|status| status.as_str().to_owned().into()),
        };
        let route = || self.route.clone().map(|route| Matched { route, operation: None });
        Outcome {
            method: self.method.clone(),
            matched: self.slot.get().or_else(route),
            status: self.status,
            error,
        }
    }

    /// Sorted by key: the SDK keeps a second copy of every set of attributes that is not.
    fn attributes(&self, outcome: &Outcome) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(6);
        if let Some(error) = &outcome.error {
            attributes.push(KeyValue::new("error.type", error.clone()));
        }
        attributes.push(KeyValue::new("http.request.method", self.method.clone()));
        if let Some(status) = outcome.status {
            attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        if let Some(matched) = &outcome.matched {
            attributes.push(KeyValue::new("http.route", matched.route.clone()));
        }
        if let Some(version) = self.version {
            attributes.push(KeyValue::new("network.protocol.version", version));
        }
        attributes.push(KeyValue::new("url.scheme", self.scheme));
        attributes
    }

    /// The route is not known when a request begins, so it is not among these.
    fn active_attributes(&self) -> [KeyValue; 2] {
        [
            KeyValue::new("http.request.method", self.method.clone()),
            KeyValue::new("url.scheme", self.scheme),
        ]
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let outcome = self.outcome();
        let attributes = self.attributes(&outcome);
        self.instruments.active.add(-1, &self.active_attributes());
        self.instruments
            .duration
            .record(self.started.elapsed().as_secs_f64(), &attributes);
        if let Some(bytes) = self.request_size.bytes() {
            self.instruments.request_size.record(bytes, &attributes);
        }
        if outcome.status.is_some() {
            self.instruments.response_size.record(self.sent, &attributes);
        }
        self.span.close(&outcome);
    }
}

/// Answers that have no body whatever the handler gives (RFC 9110, 6.4.1).
fn bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The size that a message declares for its body.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
