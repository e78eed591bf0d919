//! The span of a request.

use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue, StringValue, global,
    propagation::Extractor,
    trace::{Status, TraceContextExt},
};
use poem::Request;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{record::Outcome, request::OTHER_METHOD};

/// Bytes of a path, user agent or unknown method that a span takes over. The client chooses them, so there is an end.
const TEXT_LIMIT: usize = 512;

/// A tracing span, and the OpenTelemetry span behind it, if a layer makes one.
pub(super) struct RequestSpan {
    tracing: Span,
    otel: Context,
}

impl RequestSpan {
    pub(super) fn open(
        request: &Request,
        method: &StringValue,
        scheme: &'static str,
        version: Option<&'static str>,
    ) -> Self {
        // The level of a span decides only whether a filter lets it through. At ERROR, no filter by level can take
        // the trace id from a line or the span from its trace.
        let tracing = tracing::error_span!(
            "request",
            otel.kind = "server",
            http.request.method = method.as_str(),
            url.path = clip(request.uri().path()),
            trace_id = field::Empty,
        );
        if tracing.is_disabled() {
            return Self {
                tracing,
                otel: Context::new(),
            };
        }

        continue_trace(&tracing, request.headers());
        tracing.set_attribute("url.scheme", scheme);
        if let Some(version) = version {
            tracing.set_attribute("network.protocol.version", version);
        }
        if let Some(agent) = request.header("user-agent") {
            tracing.set_attribute("user_agent.original", clip(agent).to_owned());
        }
        if method.as_str() == OTHER_METHOD {
            tracing.set_attribute(
                "http.request.method_original",
                clip(request.method().as_str()).to_owned(),
            );
        }

        let otel = start(&tracing);
        Self { tracing, otel }
    }

    pub(super) fn tracing(&self) -> &Span {
        &self.tracing
    }

    /// Ends the OpenTelemetry span now, even if a task that outlives the request still holds its tracing span.
    pub(super) fn close(&self, outcome: &Outcome) {
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
        match &outcome.matched {
            Some(matched) => {
                span.update_name(format!("{method} {}", matched.route));
                span.set_attribute(KeyValue::new("http.route", matched.route.clone()));
                if let Some(id) = matched.operation {
                    span.set_attribute(KeyValue::new("openapi.operation_id", id));
                }
            }
            None => span.update_name(method.to_owned()),
        }
        if let Some(status) = outcome.status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        if let Some(error) = &outcome.error {
            span.set_attribute(KeyValue::new("error.type", error.clone()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Makes `span` a part of the caller's trace, where the headers name one. Before [`start`].
pub(crate) fn continue_trace(span: &Span, headers: &HeaderMap) {
    // An invalid or absent `traceparent` leaves the context empty, which makes the span a root. The only error is that no
    // OpenTelemetry layer listens.
    let _ = span.set_parent(global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    }));
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
