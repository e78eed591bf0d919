//! The record of one request: begun when its head is parsed, written once, when it is dropped.

use std::{
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};
use opentelemetry::{KeyValue, StringValue};
use poem::{Request, Response};
use tracing::Span;

use super::{
    DurationEnd, Labeler, RequestRecord, Shared,
    body::{RequestSize, ResponseBody},
    contained,
    exemplars::Kept,
    in_flight::InFlight,
    instruments::Measures,
    labeler::fit,
    route::{self, Matched, Route},
    series::{Failure, Key},
    shards::Observations,
    span::RequestSpan,
};

/// The attributes that nobody else may set.
const OWN: [&str; 6] = [
    "http.request.method",
    "http.response.status_code",
    "http.response.status_class",
    "http.route",
    "network.protocol.version",
    "url.scheme",
];
const ERROR_TYPE: &str = "error.type";

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
pub(super) struct Outcome<'o> {
    pub(super) method: StringValue,
    pub(super) route: Option<StringValue>,
    pub(super) operation: Option<&'static str>,
    pub(super) status: Option<StatusCode>,
    pub(super) error: Option<StringValue>,
    pub(super) extra: &'o [KeyValue],
    /// When it ended, if that was not now.
    pub(super) ended: Option<SystemTime>,
}

/// When the head of the response was there.
struct HeadTime {
    clock: u64,
    /// Where the span ends with it.
    time: Option<SystemTime>,
}

/// One request. Its drop is the only event that every ending has in common: answered, failed, panicked or cancelled.
pub(super) struct Record {
    in_flight: Arc<InFlight>,
    request_size: RequestSize,
    head: Option<HeadTime>,
    status: Option<StatusCode>,
    /// What poem left in the response, for where nobody else knows.
    route: Option<Route>,
    sent: u64,
    ending: Ending,
}

impl Record {
    /// Begins with the record of `request`, and puts into it what inner layers write to.
    pub(super) fn begin(shared: &Arc<Shared>, request: &mut Request) -> Self {
        let in_flight = Arc::new(InFlight::begin(shared, request));
        let record = Self {
            in_flight: Arc::clone(&in_flight),
            request_size: RequestSize::count(request),
            head: None,
            status: None,
            route: None,
            sent: 0,
            ending: Ending::Unanswered,
        };
        request.set_data(Labeler(in_flight));
        record
    }

    /// The span in which everything for this request runs, where somebody wants one.
    pub(super) fn span(&self) -> Option<&Span> {
        self.in_flight.span.as_ref().map(RequestSpan::tracing)
    }

    /// Hands the record on to the body of the answer.
    pub(super) fn answer(mut self, mut response: Response) -> Response {
        let options = &self.in_flight.shared.options;
        let status = response.status();
        self.status = Some(status);
        if !self.in_flight.is_matched() {
            self.route = route::from_response(&response, self.in_flight.segments);
        }
        if !options.response_hooks.is_empty() {
            self.in_flight.add(options.of_response(&response));
        }
        if let Some(span) = &self.in_flight.span {
            span.answered(response.headers(), &options.response_headers);
        }
        self.ending = match self.in_flight.is_head || bodiless(status) {
            true => Ending::Complete,
            false => Ending::Sending,
        };
        let declared = content_length(response.headers());
        let body = response.take_body();
        if body.is_empty() {
            self.ending = Ending::Complete;
        }
        let body = ResponseBody::new(body, declared, self);
        response.set_body(body);
        response
    }

    /// The head is there; whether the length of the body is known decides when the time is over.
    pub(super) fn headed(&mut self, is_length_known: bool) {
        let is_over = match self.in_flight.shared.options.duration_end {
            DurationEnd::Body => false,
            DurationEnd::Head => true,
            DurationEnd::HeadOfStreams => !is_length_known,
        };
        let Shared { recorder, options } = &*self.in_flight.shared;
        if is_over || recorder.times_heads() || !options.observers.is_empty() {
            self.head = Some(HeadTime {
                clock: recorder.clock.raw(),
                time: is_over.then(SystemTime::now),
            });
        }
    }

    /// Counts what was handed to the transport, and says how much that is by now.
    pub(super) fn sent(&mut self, bytes: u64) -> u64 {
        self.sent += bytes;
        self.sent
    }

    pub(super) fn end(&mut self, ending: Ending) {
        self.ending = ending;
    }

    fn failure(&self) -> Failure {
        match self.ending {
            _ if thread::panicking() => Failure::Panic,
            Ending::Unanswered => Failure::Cancelled,
            Ending::Sending => Failure::Aborted,
            Ending::BodyError => Failure::BodyError,
            Ending::Complete if self.status.is_some_and(|status| status.is_server_error()) => Failure::Status,
            Ending::Complete => Failure::None,
        }
    }

    fn nanos(&self, until: u64) -> u64 {
        self.in_flight
            .shared
            .recorder
            .clock
            .delta_as_nanos(self.in_flight.started, until)
    }

    /// Writes it. `matched` and `extra` are what hooks and inner layers said.
    fn finish(&mut self, ended: u64, matched: Option<Matched>, extra: Vec<KeyValue>) {
        let in_flight = Arc::clone(&self.in_flight);
        let Shared { recorder, options } = &*in_flight.shared;
        let failure = self.failure();
        let mut extra = fit(extra);
        extra.retain(|attribute| {
            let key = attribute.key.as_str();
            !OWN.contains(&key) && (key != ERROR_TYPE || failure == Failure::None)
        });
        let operation = matched.as_ref().and_then(|matched| matched.operation);
        let key = Key {
            kind: in_flight.kind,
            protocol: in_flight.protocol,
            status: self.status,
            failure,
            route: matched.map(|matched| matched.route).or_else(|| self.route.take()),
            extra,
        };
        let over = self.head.as_ref().filter(|head| head.time.is_some());
        let duration = self.nanos(over.map_or(ended, |head| head.clock));
        let mut observations = Observations::default();
        observations[Measures::DURATION] = Some(duration);
        observations[Measures::REQUEST_SIZE] = self.request_size.bytes();
        observations[Measures::RESPONSE_SIZE] = self.status.map(|_| self.sent);
        observations[Measures::TIME_TO_HEAD] = self.head.as_ref().map(|head| self.nanos(head.clock));

        let is_left_out = (options.ignores_untemplated && key.route.is_none())
            || self
                .status
                .is_some_and(|status| options.excluded_statuses.contains(&status));
        if !is_left_out {
            recorder.record(&key, &observations, self.exemplar().as_ref());
        }
        let span = in_flight.span.as_ref().filter(|span| span.is_recording());
        if options.observers.is_empty() && span.is_none() {
            return;
        }
        let custom = || key.extra.iter().find(|attribute| attribute.key.as_str() == ERROR_TYPE);
        let outcome = Outcome {
            method: recorder.active.method(in_flight.kind),
            route: key.route.as_ref().map(|route| recorder.naming().route(route.as_str())),
            operation,
            status: self.status,
            error: failure
                .error_type(self.status)
                .or_else(|| Some(custom()?.value.as_str().into_owned().into())),
            extra: &key.extra,
            ended: over.and_then(|head| head.time),
        };
        if let Some(span) = span {
            span.close(&outcome);
        }
        options.observe(&RequestRecord {
            method: outcome.method.as_str(),
            scheme: in_flight.kind.scheme(),
            protocol_version: in_flight.protocol.version(),
            route: outcome.route.as_ref().map(StringValue::as_str),
            operation_id: operation,
            status: self.status,
            error_type: outcome.error.as_ref().map(StringValue::as_str),
            duration: Duration::from_nanos(duration),
            time_to_head: observations[Measures::TIME_TO_HEAD].map(Duration::from_nanos),
            request_bytes: observations[Measures::REQUEST_SIZE],
            response_bytes: observations[Measures::RESPONSE_SIZE],
            attributes: &key.extra,
        });
    }

    fn exemplar(&self) -> Option<Kept> {
        let (trace_id, span_id) = self.in_flight.span.as_ref()?.sampled()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Kept {
            trace_id,
            span_id,
            value: 0,
            time_unix_nano: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
        })
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let ended = self.in_flight.shared.recorder.clock.raw();
        let (matched, extra) = self.in_flight.end();
        contained(|| self.finish(ended, matched, extra));
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
