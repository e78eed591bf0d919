//! The `meterbridge` command: the life of the process.

use std::io::Write;
use std::process::ExitCode;

use meterbridge::app::{self, App};
use meterbridge::config::{self, Command, Config, Exit, Options, Translate};
use meterbridge::dry_run::{self, DryRun, Verdict};
use meterbridge::telemetry::{logs, traces};
use meterbridge::{api, demo, healthcheck};
use opentelemetry::trace::TracerProvider as _;
use tokio::signal::unix::{SignalKind, signal};

/// A bad option, an unreadable file or a port in use; also an input that cannot be decoded.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    let Config {
        command,
        options,
        settings,
    } = match config::parse(std::env::args_os(), |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(Exit::Shown(text)) => return print(&text),
        Err(Exit::Wrong(line)) => return wrong(&line),
    };
    match command {
        Command::Serve => serve(&options, settings),
        Command::Translate(translate) => show(&translate, &options),
        Command::Healthcheck => healthcheck::run(&options.http_listen),
        Command::Openapi => print(&format!("{}\n", api::service(None).spec())),
        Command::Demo(demo) => demo::run(&demo),
    }
}

fn serve(options: &Options, settings: Vec<api::Setting>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("the runtime cannot be started: {error}")),
    };
    let variable = |name: &str| std::env::var(name).ok();
    let tracers = match traces::provider(app::resource(), variable, runtime.handle()) {
        Ok(tracers) => tracers,
        Err(error) => return wrong(&error.to_string()),
    };
    if let Err(error) = logs::init(
        options.log_level,
        options.log_format,
        Some(tracers.tracer("meterbridge")),
    ) {
        return wrong(&error.to_string());
    }
    let code = runtime.block_on(async {
        let app = match App::bind(options.app(settings)).await {
            Ok(app) => app,
            Err(error) => return wrong(&error.to_string()),
        };
        // Before anybody is told that it runs, and may stop it.
        let stop = stop_signal();
        announce(&app);
        match app.run(stop).await {
            Ok(()) => {
                tracing::info!("stopped");
                ExitCode::SUCCESS
            }
            Err(error) => {
                tracing::error!(%error, "the service ended");
                ExitCode::FAILURE
            }
        }
    });
    // The last spans go out while there is a runtime to send them; a receiver that does not answer may not hold us up.
    let _ = tracers.shutdown_with_timeout(options.drain_timeout.duration());
    code
}

fn announce(app: &App) {
    let addresses = app.addresses();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "meterbridge starts");
    tracing::info!(listener = "otlp_grpc", address = %addresses.otlp_grpc, "takes OTLP over gRPC");
    tracing::info!(listener = "otlp_http", address = %addresses.otlp_http, "takes OTLP over HTTP");
    tracing::info!(listener = "http", address = %addresses.http, "serves /metrics and the API");
    tracing::info!(
        "Swagger UI is on http://{}/docs, a page to start from on http://{0}/",
        addresses.http
    );
}

/// Listens from now on, not from when it is first polled.
fn stop_signal() -> impl Future<Output = ()> {
    let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        match both {
            (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Then the system's default ends the process.
            _ => std::future::pending().await,
        }
    }
}

fn show(translate: &Translate, options: &Options) -> ExitCode {
    let mut output = std::io::stdout().lock();
    let mut notes = std::io::stderr().lock();
    let dry_run = DryRun::new(options.translate_rules(), options.store_limits(), options.style());
    let (_, _, by_default) = dry_run::FORMATS
        .into_iter()
        .find(|(_, syntax, _)| *syntax == translate.format)
        .unwrap_or(dry_run::FORMATS[0]);
    let request = dry_run::Request {
        inputs: &translate.files,
        encoding: translate.input_format,
        syntax: translate.format,
        escaping: translate.escaping.unwrap_or(by_default),
        names: translate.names,
    };
    match dry_run::run(&dry_run, &request, &mut output, &mut notes) {
        Ok(Verdict::Accepted) => ExitCode::SUCCESS,
        Ok(Verdict::Refused) => ExitCode::FAILURE,
        Ok(Verdict::Undecodable) => ExitCode::from(WRONG),
        Err(error) => wrong(&format!("standard output: {error}")),
    }
}

fn print(text: &str) -> ExitCode {
    // Whoever closed standard output has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn wrong(line: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "meterbridge: {line}");
    ExitCode::from(WRONG)
}
