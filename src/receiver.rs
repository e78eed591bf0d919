//! Takes OTLP over gRPC and HTTP. Both transports hand the bytes of a message to one function, and take back an
//! [`Answer`] or a [`Refusal`] that knows how it is said over either.

mod answer;
mod body;
mod budget;
mod buffers;
mod cors;
mod grpc;
mod http;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::otlp::{DecodeError, Encoding};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::telemetry::refusals::RefusalLog;
use crate::translate::{self, Arrival, Memory, Rules};

pub use answer::{Answer, Refusal};
pub use budget::Budget;
pub use cors::Cors;
pub use grpc::MetricsService;
pub use http::routes;

use buffers::Buffers;

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// gRPC.
    Grpc,
    /// HTTP.
    Http,
}

impl Transport {
    /// The label of the counters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

/// A message longer than this may take a millisecond or more, if it is JSON or has series that are new,
const LONG_MESSAGE: usize = 64 << 10;
/// and one longer than this if it is neither. A Collector's batch of 8,192 points is half as long.
const LONG_KNOWN_MESSAGE: usize = 4 << 20;

/// Does what takes long where it does not keep the requests waiting that are served by the same thread. That is not free: it wakes
/// another thread, and what is done by more threads than there are cores finds less in its caches. So nothing short is done there.
fn beside<T>(is_long: bool, work: impl FnOnce() -> T) -> T {
    if is_long {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

/// What both transports share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    rules: Rules,
    memory: Memory,
    /// The longest message, inflated; `usize::MAX` where there is no limit.
    max_request_bytes: usize,
    budget: Arc<Budget>,
    buffers: Arc<Buffers>,
    metrics: Arc<Metrics>,
    refusals: RefusalLog,
}

impl Receiver {
    /// Puts what comes into `store`. Messages of at most `max_request_bytes` are taken, as sent and inflated.
    pub fn new(
        store: Arc<Store>,
        rules: Rules,
        max_request_bytes: usize,
        budget: Arc<Budget>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let refusals = RefusalLog::default();
        Self {
            shared: Arc::new(Shared {
                store,
                rules,
                memory: Memory::default(),
                max_request_bytes,
                budget,
                buffers: Arc::default(),
                metrics,
                refusals,
            }),
        }
    }

    /// Removes the series that have expired, and what was remembered for their senders; how many series. Meant to be called every
    /// now and then.
    pub fn sweep(&self, now: Instant) -> usize {
        let Shared {
            store, memory, buffers, ..
        } = &*self.shared;
        buffers.release();
        let expired = store.sweep(now);
        if expired > 0 {
            memory.sweep(store);
        }
        expired
    }

    /// Takes one message in: decodes all of it or nothing, and counts what became of it.
    ///
    /// # Errors
    ///
    /// Where it is not an OTLP metrics request; then the store is as it was.
    fn ingest(&self, transport: Transport, encoding: Encoding, message: &[u8]) -> Result<Answer, Refusal> {
        let Shared {
            store,
            rules,
            memory,
            metrics,
            refusals,
            ..
        } = &*self.shared;
        let arrival = Arrival::at(Instant::now(), SystemTime::now());
        let is_long = message.len() >= LONG_MESSAGE;
        let may_be_familiar = is_long && message.len() < LONG_KNOWN_MESSAGE && encoding == Encoding::Protobuf;
        let familiar = may_be_familiar
            .then(|| translate::familiar(store, rules, memory, arrival, message))
            .flatten();
        let outcome = match familiar {
            Some(outcome) => outcome,
            None => beside(is_long, || {
                translate::request(store, rules, memory, arrival, encoding, message)
            })?,
        };
        metrics.took_in(transport.as_str(), encoding.as_str(), &outcome);
        if outcome.total_refused() > 0 {
            refusals.points(&outcome);
        }
        Ok(Answer::of(&outcome))
    }

    /// Counts a refused request, and says so in the log, though not as often as clients may wish.
    fn refused(&self, transport: Transport, encoding: Option<Encoding>, refusal: &Refusal) {
        let encoding = encoding.map_or("unknown", Encoding::as_str);
        self.shared
            .metrics
            .refused_request(transport.as_str(), encoding, refusal.reason);
        self.shared.refusals.request(transport.as_str(), refusal);
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self {
            reason: translate::reason_of(&error),
            detail: error.to_string(),
        }
    }
}
