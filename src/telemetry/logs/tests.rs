//! What is written, and in which form.

use std::sync::Arc;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// What is written while `events` runs.
fn written(level: LogLevel, rust_log: Option<&str>, format: LogFormat, events: impl FnOnce()) -> String {
    let lines = Lines::default();
    let filter = filter(level, rust_log.map(str::to_owned)).unwrap();
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = subscriber(filter, format, false, lines.clone(), Some(tracer));
    tracing::subscriber::with_default(subscriber, events);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

/// One event of each severity, from this crate and from another.
fn events() {
    tracing::error!("own error");
    tracing::warn!("own warn");
    tracing::info!("own info");
    tracing::debug!("own debug");
    tracing::trace!("own trace");
    tracing::error!(target: "other", "other error");
    tracing::warn!(target: "other", "other warn");
    tracing::info!(target: "other", "other info");
}

#[test]
fn levels() {
    let rows: &[(LogLevel, Option<&str>, &str)] = &[
        (LogLevel::Error, None, "own error, other error"),
        (LogLevel::Warn, None, "own error, own warn, other error, other warn"),
        (
            LogLevel::Info,
            None,
            "own error, own warn, own info, other error, other warn",
        ),
        (
            LogLevel::Info,
            Some(""),
            "own error, own warn, own info, other error, other warn",
        ),
        (
            LogLevel::Debug,
            None,
            "own error, own warn, own info, own debug, other error, other warn",
        ),
        (
            LogLevel::Trace,
            None,
            "own error, own warn, own info, own debug, own trace, other error, other warn",
        ),
        (
            LogLevel::Error,
            Some("other=info"),
            "other error, other warn, other info",
        ),
        (LogLevel::Trace, Some("off"), ""),
    ];
    for (level, rust_log, expected) in rows {
        let text = written(*level, *rust_log, LogFormat::Text, events);
        let messages: Vec<_> = text.lines().map(|line| line.rsplit_once(": ").unwrap().1).collect();
        assert_eq!(messages.join(", "), *expected, "{level:?} {rust_log:?}");
    }
}

#[test]
fn a_filter_that_cannot_be_parsed() {
    let error = filter(LogLevel::Info, Some("meterbridge=loud".to_owned()))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("RUST_LOG is 'meterbridge=loud': "), "{error}");
}

#[test]
fn the_trace_id_is_on_every_line() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let mut trace_id = String::new();
        let text = written(LogLevel::Warn, None, format, || {
            let request = tracing::error_span!("request", trace_id = tracing::field::Empty);
            trace_id = opentelemetry::trace::TraceContextExt::span(&request.context())
                .span_context()
                .trace_id()
                .to_string();
            request.record("trace_id", &trace_id);
            let _request = request.entered();
            let _inner = tracing::error_span!("inner").entered();
            tracing::warn!("within");
        });
        assert_ne!(trace_id, "0".repeat(32));
        let expected = match format {
            LogFormat::Text => format!("request{{trace_id=\"{trace_id}\"}}:inner: "),
            LogFormat::Json => format!("\"trace_id\":\"{trace_id}\""),
        };
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn json_is_one_object_a_line() {
    let text = written(LogLevel::Warn, None, LogFormat::Json, || {
        tracing::warn!(count = 3, "two\nlines \"quoted\"");
        tracing::warn!("second");
    });
    let objects: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2, "{text}");
    assert_eq!(objects[0]["message"], "two\nlines \"quoted\"");
    assert_eq!(objects[0]["count"], 3);
    assert_eq!(objects[0]["level"], "WARN");
}

#[test]
fn a_second_set_up_is_an_error() {
    // The first may be another test's, or fail for a RUST_LOG of the developer's: what counts is the second.
    let _ = init(LogLevel::Error, LogFormat::Text, None);
    let second = init(LogLevel::Error, LogFormat::Text, None);
    assert!(matches!(second, Err(LogsError::AlreadySet)), "{second:?}");
}

#[test]
fn one_event_of_each_kind_in_an_interval() {
    let throttle = Throttle::new(Duration::from_secs(10));
    let start = Instant::now();
    let rows = [
        ("a", 0, Some(0)),
        ("a", 1, None),
        ("b", 1, Some(0)),
        ("a", 9, None),
        ("a", 10, Some(2)),
        ("b", 10, None),
        ("b", 11, Some(1)),
        ("a", 30, Some(0)),
        // A clock read before the other thread's, and passed after it.
        ("a", 25, None),
        ("a", 39, None),
        ("a", 40, Some(2)),
    ];
    for (key, second, expected) in rows {
        let passed = throttle.pass(key, start + Duration::from_secs(second));
        assert_eq!(passed, expected, "{key} at {second}");
    }
}
