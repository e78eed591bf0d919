//! What is recorded, and of what.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use opentelemetry::KeyValue;
use poem::{Request, Response};
use wildmatch::WildMatch;

use super::contained;

/// What is said in place of a route where a request matched none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untemplated {
    /// Nothing, as the conventions have it.
    #[default]
    Absent,
    /// `http.route` is this text, for boards that want one.
    Constant(Cow<'static, str>),
    /// Such a request is not recorded; its span is.
    Ignore,
}

/// When the time of a request is over. The span ends with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationEnd {
    /// With the last byte of the body, handed to the transport.
    #[default]
    Body,
    /// With the head of the response.
    Head,
    /// With the head where the length of the body is not known by then, as with server-sent events, otherwise with the body.
    HeadOfStreams,
}

/// A request that has ended, as an observer is told of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestRecord<'r> {
    /// As in the attribute `http.request.method`: a known one, or `_OTHER`.
    pub method: &'r str,
    /// `http` or `https`.
    pub scheme: &'r str,
    /// `1.1`, `2` and so on.
    pub protocol_version: Option<&'r str>,
    /// The template of the path.
    pub route: Option<&'r str>,
    /// The id of the OpenAPI operation.
    pub operation_id: Option<&'r str>,
    /// `None` where there was no answer.
    pub status: Option<StatusCode>,
    /// Why it failed, if it did.
    pub error_type: Option<&'r str>,
    /// As in the metrics.
    pub duration: Duration,
    /// Until the head of the response was there, if there is one.
    pub time_to_head: Option<Duration>,
    /// Of the body as transferred; `None` where it is unknown or where there is none.
    pub request_bytes: Option<u64>,
    /// Of the body as handed to the transport; `None` where there was no answer.
    pub response_bytes: Option<u64>,
    /// What hooks and handlers added.
    pub attributes: &'r [KeyValue],
}

type RequestHook = Box<dyn Fn(&Request) -> Vec<KeyValue> + Send + Sync>;
type ResponseHook = Box<dyn Fn(&Response) -> Vec<KeyValue> + Send + Sync>;
type Question = Box<dyn Fn(&Request) -> bool + Send + Sync>;
type Observer = Box<dyn Fn(&RequestRecord<'_>) + Send + Sync>;

/// What was chosen when the instrumentation was built, but for what the recorder has.
#[derive(Default)]
pub(super) struct Options {
    pub(super) known_methods: Vec<Method>,
    pub(super) ignores_untemplated: bool,
    pub(super) duration_end: DurationEnd,
    pub(super) excluded_paths: Vec<WildMatch>,
    pub(super) excluded: Vec<Question>,
    pub(super) excluded_statuses: Vec<StatusCode>,
    pub(super) request_hooks: Vec<RequestHook>,
    pub(super) response_hooks: Vec<ResponseHook>,
    pub(super) observers: Vec<Observer>,
    pub(super) public_endpoint: Option<Question>,
    pub(super) request_headers: Vec<HeaderName>,
    pub(super) response_headers: Vec<HeaderName>,
}

impl Options {
    /// Whether nothing is to be known of this request.
    pub(super) fn excludes(&self, request: &Request) -> bool {
        let path = request.uri().path();
        self.excluded_paths.iter().any(|pattern| pattern.matches(path))
            || self.excluded.iter().any(|is_excluded| asked(is_excluded, request))
    }

    /// Whether the caller's trace is not to be continued, but only linked.
    pub(super) fn is_public(&self, request: &Request) -> bool {
        self.public_endpoint
            .as_ref()
            .is_some_and(|is_public| asked(is_public, request))
    }

    pub(super) fn of_request(&self, request: &Request) -> Vec<KeyValue> {
        hooked(&self.request_hooks, |hook| hook(request))
    }

    pub(super) fn of_response(&self, response: &Response) -> Vec<KeyValue> {
        hooked(&self.response_hooks, |hook| hook(response))
    }

    pub(super) fn observe(&self, record: &RequestRecord<'_>) {
        for observer in &self.observers {
            contained(|| observer(record));
        }
    }
}

/// A question whose answer is a panic is answered with no.
fn asked(question: &Question, request: &Request) -> bool {
    let mut answer = false;
    contained(|| answer = question(request));
    answer
}

/// A hook that panics adds nothing.
fn hooked<H>(hooks: &[H], call: impl Fn(&H) -> Vec<KeyValue>) -> Vec<KeyValue> {
    let mut all = Vec::new();
    for hook in hooks {
        contained(|| all.extend(call(hook)));
    }
    all
}
