//! The span of a request.

use http::{HeaderMap, HeaderName};
use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value, global,
    propagation::Extractor,
    trace::{Status, TraceContextExt},
};
use poem::Request;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{options::Options, record::Outcome, request::OTHER_METHOD};

/// Bytes of a path, user agent or unknown method that a span takes over. The client chooses them, so there is an end.
const TEXT_LIMIT: usize = 512;

/// Values of a header that a span takes over.
const VALUES_LIMIT: usize = 8;

/// Headers whose values are not for the eyes of those who read traces.
const SECRET: [&str; 7] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
];

/// A tracing span, and the OpenTelemetry span behind it, if a layer makes one.
pub(super) struct RequestSpan {
    tracing: Span,
    otel: Context,
}

impl RequestSpan {
    pub(super) fn open(
        request: &Request,
        options: &Options,
        method: impl Fn() -> StringValue,
        scheme: &'static str,
        version: Option<&'static str>,
    ) -> Option<Self> {
        // The level of a span decides only whether a filter lets it through. At ERROR, no filter by level can take
        // the trace id from a line or the span from its trace.
        let tracing = tracing::error_span!(
            "request",
            otel.kind = "server",
            http.request.method = method().as_str(),
            url.path = clip(request.uri().path()),
            trace_id = field::Empty,
        );
        if tracing.is_disabled() {
            return None;
        }

        if options.is_public(request) {
            link_trace(&tracing, request.headers());
        } else {
            continue_trace(&tracing, request.headers());
        }
        tracing.set_attribute("url.scheme", scheme);
        if let Some(version) = version {
            tracing.set_attribute("network.protocol.version", version);
        }
        if let Some(agent) = request.header("user-agent") {
            tracing.set_attribute("user_agent.original", clip(agent).to_owned());
        }
        for (key, value) in captured("http.request.header.", request.headers(), &options.request_headers) {
            tracing.set_attribute(key, value);
        }
        if method().as_str() == OTHER_METHOD {
            tracing.set_attribute(
                "http.request.method_original",
                clip(request.method().as_str()).to_owned(),
            );
        }

        let otel = start(&tracing);
        Some(Self { tracing, otel })
    }

    pub(super) fn tracing(&self) -> &Span {
        &self.tracing
    }

    pub(super) fn is_recording(&self) -> bool {
        self.otel.span().is_recording()
    }

    /// Trace and span id, where the span is kept for others to look at.
    pub(super) fn sampled(&self) -> Option<([u8; 16], [u8; 8])> {
        let span = self.otel.span();
        let context = span.span_context();
        let is_sampled = context.is_valid() && context.is_sampled();
        is_sampled.then(|| (context.trace_id().to_bytes(), context.span_id().to_bytes()))
    }

    /// Takes over headers of the response.
    pub(super) fn answered(&self, headers: &HeaderMap, wanted: &[HeaderName]) {
        if !wanted.is_empty() && self.is_recording() {
            for (key, value) in captured("http.response.header.", headers, wanted) {
                self.otel.span().set_attribute(KeyValue::new(key, value));
            }
        }
    }

    /// Ends the OpenTelemetry span, even if a task that outlives the request still holds its tracing span.
    pub(super) fn close(&self, outcome: &Outcome<'_>) {
        let span = self.otel.span();
        if !span.is_recording() {
            return;
        }
        // The conventions name a span of an unknown method `HTTP`.
        let method = match outcome.method.as_str() {
            OTHER_METHOD => "HTTP",
            method => method,
        };
        // Once a span has started, a new `otel.name` field no longer renames it; its own API does.
        match &outcome.route {
            Some(route) => {
                span.update_name(format!("{method} {route}"));
                span.set_attribute(KeyValue::new("http.route", route.clone()));
            }
            None => span.update_name(method.to_owned()),
        }
        if let Some(id) = outcome.operation {
            span.set_attribute(KeyValue::new("openapi.operation_id", id));
        }
        for attribute in outcome.extra {
            span.set_attribute(attribute.clone());
        }
        if let Some(status) = outcome.status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        if let Some(error) = &outcome.error {
            span.set_attribute(KeyValue::new("error.type", error.clone()));
            span.set_status(Status::error(""));
        }
        match outcome.ended {
            Some(time) => span.end_with_timestamp(time),
            None => span.end(),
        }
    }
}

/// The values of the headers that are wanted, as span attributes.
fn captured(prefix: &str, headers: &HeaderMap, wanted: &[HeaderName]) -> Vec<(String, Value)> {
    let values = |name: &HeaderName| {
        let texts = headers
            .get_all(name)
            .iter()
            .take(VALUES_LIMIT)
            .map(|value| match value.to_str() {
                _ if value.is_sensitive() || SECRET.contains(&name.as_str()) => "[redacted]".into(),
                Ok(text) => clip(text).to_owned().into(),
                Err(_) => "[not text]".into(),
            });
        texts.collect::<Vec<StringValue>>()
    };
    let all = wanted.iter().map(|name| (format!("{prefix}{name}"), values(name)));
    all.filter(|(_, values)| !values.is_empty())
        .map(|(key, values)| (key, Value::Array(Array::String(values))))
        .collect()
}

/// Makes `span` a part of the caller's trace, where the headers name one. Before [`start`].
pub(crate) fn continue_trace(span: &Span, headers: &HeaderMap) {
    // An invalid or absent `traceparent` leaves the context empty, which makes the span a root. The only error is that no
    // OpenTelemetry layer listens.
    let _ = span.set_parent(global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    }));
}

/// Begins a trace of its own, which only points at that of the caller.
fn link_trace(span: &Span, headers: &HeaderMap) {
    let caller = global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    });
    let _ = span.set_parent(Context::new());
    let context = caller.span().span_context().clone();
    if context.is_valid() {
        span.add_link(context);
    }
}

/// Starts the OpenTelemetry span behind `span`, so what a sampler may look at is set before, and records its field
/// `trace_id`.
pub(crate) fn start(span: &Span) -> Context {
    let otel = span.context();
    let context = otel.span().span_context().clone();
    if context.is_valid() {
        span.record("trace_id", field::display(context.trace_id()));
    }
    otel
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT)]
}
