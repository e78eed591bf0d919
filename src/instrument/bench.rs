//! The parts of recording one request, for `benches/instrument.rs`, which cannot reach them otherwise. No part of the interface.

use std::sync::Arc;

use http::StatusCode;

use super::active::Kind;
use super::instruments::Measures;
use super::recorder::Recorder;
use super::request::Protocol;
use super::route::Route;
use super::series::{Failure, Key};
use super::shards::Observations;
use super::{Instrumentation, Shared};

/// A request with an answer, without all that poem makes necessary.
pub struct Request {
    shared: Arc<Shared>,
    key: Key,
}

impl Request {
    /// To a route of its own name.
    ///
    /// # Panics
    ///
    /// Where the instrumentation is disabled.
    #[expect(clippy::expect_used, reason = "nothing but a benchmark calls it")]
    pub fn new(instrumentation: &Instrumentation, route: &str) -> Self {
        Self {
            shared: Arc::clone(instrumentation.0.as_ref().expect("it is enabled")),
            key: Key {
                kind: Self::KIND,
                protocol: Protocol::Http11,
                status: Some(StatusCode::OK),
                failure: Failure::None,
                route: Some(Route::new(route.into())),
                extra: Vec::new(),
            },
        }
    }

    fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    const KIND: Kind = Kind {
        method: 0,
        is_https: false,
    };

    /// Reads the clock twice.
    pub fn clock(&self) -> u64 {
        let clock = &self.recorder().clock;
        clock.delta_as_nanos(clock.raw(), clock.raw())
    }

    /// Is in flight, and is not any more.
    pub fn active(&self) {
        self.recorder().active.add(Self::KIND, 1);
        self.recorder().active.add(Self::KIND, -1);
    }

    /// Is recorded in all histograms.
    pub fn record(&self, nanos: u64) {
        let mut observations = Observations::default();
        observations[Measures::DURATION] = Some(nanos);
        observations[Measures::REQUEST_SIZE] = Some(100);
        observations[Measures::RESPONSE_SIZE] = Some(2000);
        self.recorder().record(&self.key, &observations, None);
    }

    /// From the start of the guard to the final record.
    pub fn whole(&self) {
        let recorder = self.recorder();
        let start = recorder.clock.raw();
        recorder.active.add(Self::KIND, 1);
        let nanos = recorder.clock.delta_as_nanos(start, recorder.clock.raw());
        recorder.active.add(Self::KIND, -1);
        self.record(nanos);
    }

    /// Tells the SDK, as a reader makes it do.
    pub fn drain(&self) {
        self.recorder().drain();
    }
}
