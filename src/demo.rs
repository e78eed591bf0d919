//! `meterbridge demo`: a few plausible services that send metrics through the real OpenTelemetry SDK.

mod export;
mod instruments;
mod service;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::metrics::SdkMeterProvider;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::config::Demo;
use export::Tally;
use instruments::Instruments;
use service::Service;

/// How often the services do something.
const TICK: Duration = Duration::from_millis(100);
/// How often there is a new line where it cannot be rewritten.
const LINE: Duration = Duration::from_secs(10);
/// How long the last export may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// One service and what it sends through.
struct Player {
    service: Service,
    instruments: Instruments,
    provider: SdkMeterProvider,
}

/// Plays until the time is up, or until SIGINT or SIGTERM. Success where at least one export went through.
pub fn run(demo: &Demo) -> ExitCode {
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| error.to_string());
    let result = result.and_then(|runtime| {
        let tally = Arc::new(Tally::default());
        let players = {
            // The gRPC channel wants a runtime where it is made.
            let _entered = runtime.enter();
            players(&demo.endpoint, &tally)?
        };
        runtime.block_on(play(demo, players, &tally));
        Ok(tally)
    });
    let mut notes = std::io::stderr();
    match result {
        Ok(tally) if tally.succeeded() > 0 => ExitCode::SUCCESS,
        Ok(tally) => {
            let why = tally.last_error().unwrap_or_else(|| "nothing was sent".to_owned());
            let _ = writeln!(notes, "meterbridge: no export to {} went through: {why}", demo.endpoint);
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(notes, "meterbridge: --endpoint {}: {error}", demo.endpoint);
            ExitCode::from(2)
        }
    }
}

fn players(endpoint: &str, tally: &Arc<Tally>) -> Result<Vec<Player>, String> {
    service::all()
        .into_iter()
        .map(|service| {
            let provider = export::provider(&service, endpoint, tally)?;
            let instruments = Instruments::new(&provider);
            Ok(Player {
                service,
                instruments,
                provider,
            })
        })
        .collect()
}

async fn play(demo: &Demo, mut players: Vec<Player>, tally: &Tally) {
    let start = Instant::now();
    let end = demo
        .duration
        .and_then(|period| period.limit())
        .map(|limit| start + limit);
    let mut random = SmallRng::from_os_rng();
    let mut ticks = tokio::time::interval(TICK);
    let mut progress = Progress::new(&demo.endpoint);
    let stop = stopped();
    tokio::pin!(stop);
    let mut requests = 0;
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = ticks.tick() => {}
        }
        for player in &mut players {
            let moment = player
                .service
                .tick(start.elapsed().as_secs_f64(), TICK.as_secs_f64(), &mut random);
            requests += moment.requests.len();
            player.instruments.record(&player.service, &moment);
        }
        progress.show(start.elapsed(), requests, tally);
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
    }
    // Shutting down sends what is left, and blocks while it does.
    let farewell = tokio::task::spawn_blocking(move || {
        for player in &players {
            // The tally knows whether it went through.
            let _ = player.provider.shutdown_with_timeout(FAREWELL);
        }
    });
    let _ = farewell.await;
    progress.finish(start.elapsed(), requests, tally);
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    if let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    } else {
        std::future::pending().await
    }
}

/// The progress line: rewritten in place on a terminal, else a new one now and then.
struct Progress<'a> {
    endpoint: &'a str,
    interval: Duration,
    shown: Option<Duration>,
    in_place: bool,
}

impl<'a> Progress<'a> {
    fn new(endpoint: &'a str) -> Self {
        let in_place = std::io::stderr().is_terminal();
        Self {
            endpoint,
            interval: if in_place { Duration::from_secs(1) } else { LINE },
            shown: None,
            in_place,
        }
    }

    fn show(&mut self, elapsed: Duration, requests: usize, tally: &Tally) {
        if self.shown.is_some_and(|shown| elapsed - shown < self.interval) {
            return;
        }
        self.shown = Some(elapsed);
        let (start, end) = if self.in_place { ("\r\x1b[2K", "") } else { ("", "\n") };
        let line = self.line(elapsed, requests, tally);
        let mut notes = std::io::stderr();
        let _ = write!(notes, "{start}{line}{end}");
        let _ = notes.flush();
    }

    fn finish(&mut self, elapsed: Duration, requests: usize, tally: &Tally) {
        self.shown = None;
        self.show(elapsed, requests, tally);
        if self.in_place {
            let _ = writeln!(std::io::stderr());
        }
    }

    fn line(&self, elapsed: Duration, requests: usize, tally: &Tally) -> String {
        let (seconds, sent, failed) = (elapsed.as_secs(), tally.succeeded(), tally.failed());
        let trouble = match tally.last_error() {
            Some(error) if failed > 0 => format!("; {failed} failed, the last: {error}"),
            _ => String::new(),
        };
        format!(
            "{seconds:>4} s  {requests} requests played, {sent} exports to {}{trouble}",
            self.endpoint
        )
    }
}
