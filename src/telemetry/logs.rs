//! The log: lines on standard error, for people or for machines, each with the trace id of its request.

use std::{
    env,
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

/// The least severe lines of this crate that are written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What may need one soon.
    Warn,
    /// The life of the process.
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// The form of a line.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; with colours on a terminal, unless `NO_COLOR` is set.
    Text,
    /// One JSON object a line; the spans a line belongs to are in `spans`, from the outermost in.
    Json,
}

/// Why the log could not be set up.
#[derive(thiserror::Error, Debug)]
pub enum LogsError {
    /// `RUST_LOG` cannot be parsed.
    #[error("RUST_LOG is '{value}': {reason}")]
    Filter {
        /// What the variable holds.
        value: String,
        /// What is wrong with it.
        reason: filter::ParseError,
    },
    /// There is one subscriber for the whole process, and somebody else has set it.
    #[error("the log is already set up")]
    AlreadySet,
}

/// Sets up the log of the process, and sends spans to `tracer` if there is one.
///
/// Lines of this crate are written from `level` on, those of other crates from `warn` on (only errors if `level` is
/// that). The variable `RUST_LOG` replaces both.
///
/// # Errors
///
/// When `RUST_LOG` cannot be parsed, or a subscriber is set already.
pub fn init(level: LogLevel, format: LogFormat, tracer: Option<SdkTracer>) -> Result<(), LogsError> {
    let filter = filter(level, env::var("RUST_LOG").ok())?;
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = io::stderr().is_terminal() && !plain;
    let subscriber = subscriber(filter, format, colours, io::stderr, tracer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogsError::AlreadySet)
}

/// Lets one event of each kind through in an interval, and counts the others, so that what a client chooses to do
/// cannot flood the log.
///
/// `K` is a small closed set, as a rule an enum: each key that was ever seen is kept.
#[derive(Debug)]
pub struct Throttle<K> {
    interval: Duration,
    seen: Mutex<Vec<Seen<K>>>,
}

#[derive(Debug)]
struct Seen<K> {
    key: K,
    passed: Instant,
    suppressed: u64,
}

impl<K: Copy + Eq> Throttle<K> {
    /// Lets one event of a kind through in each `interval`.
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            seen: Mutex::new(Vec::new()),
        }
    }

    /// Whether an event of the kind `key` may be logged at `now`; if so, how many were not since the last one that
    /// was. A `now` from before that one is taken for the same moment.
    pub fn pass(&self, key: K, now: Instant) -> Option<u64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = seen.iter_mut().find(|seen| seen.key == key) else {
            seen.push(Seen {
                key,
                passed: now,
                suppressed: 0,
            });
            return Some(0);
        };
        if now.saturating_duration_since(seen.passed) < self.interval {
            seen.suppressed += 1;
            return None;
        }
        seen.passed = now;
        Some(std::mem::take(&mut seen.suppressed))
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

fn filter(level: LogLevel, rust_log: Option<String>) -> Result<EnvFilter, LogsError> {
    let own = LevelFilter::from(level);
    let directives = match rust_log.filter(|value| !value.is_empty()) {
        Some(value) => value,
        None => format!(
            "{others},{this}={own}",
            others = own.min(LevelFilter::WARN),
            this = env!("CARGO_CRATE_NAME")
        ),
    };
    EnvFilter::try_new(&directives).map_err(|reason| LogsError::Filter {
        value: directives,
        reason,
    })
}

fn subscriber<W>(
    filter: EnvFilter,
    format: LogFormat,
    colours: bool,
    writer: W,
    tracer: Option<SdkTracer>,
) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer::<Registry>().with_writer(writer).with_ansi(colours);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        // The list has the trace id even where the innermost span is not that of the request.
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .boxed(),
    };
    // A filter for each layer, so that a quiet log leaves the traces whole.
    let spans = tracer.map(|tracer| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let layer = layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        layer.with_filter(LevelFilter::INFO)
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans)
}

#[cfg(test)]
mod tests;
