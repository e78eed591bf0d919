//! Refusals in the log: each reason at most once in a while, since what is refused is the senders' choice.

use std::time::{Duration, Instant};

use super::logs::Throttle;
use crate::model::{PointReason, RequestReason};
use crate::receiver::Refusal;
use crate::translate::Outcome;

/// The time between two lines of one reason.
const INTERVAL: Duration = Duration::from_secs(60);

/// Writes refusals to the log.
#[derive(Debug)]
pub struct RefusalLog {
    requests: Throttle<(&'static str, RequestReason)>,
    points: Throttle<PointReason>,
}

impl Default for RefusalLog {
    fn default() -> Self {
        Self {
            requests: Throttle::new(INTERVAL),
            points: Throttle::new(INTERVAL),
        }
    }
}

impl RefusalLog {
    /// A whole request was refused. SDKs send all signals to one endpoint, so that traces and logs that come here are
    /// everyday life (conformance P-17).
    pub fn request(&self, transport: &'static str, refusal: &Refusal) {
        if let Some(suppressed) = self.requests.pass((transport, refusal.reason), Instant::now()) {
            let Refusal { reason, detail } = refusal;
            if *reason == RequestReason::UnsupportedSignal {
                tracing::info!(transport, %reason, detail, suppressed, "refused a request");
            } else {
                tracing::warn!(transport, %reason, detail, suppressed, "refused a request");
            }
        }
    }

    /// Some points of a request were refused.
    pub fn points(&self, outcome: &Outcome) {
        let now = Instant::now();
        for (reason, count) in outcome.refused() {
            if let Some(suppressed) = self.points.pass(reason, now) {
                let start = format!("{reason}: ");
                let detail = outcome
                    .refusals()
                    .find_map(|line| line.strip_prefix(&start))
                    .unwrap_or("");
                tracing::warn!(%reason, count, detail, suppressed, "refused points");
            }
        }
    }
}
