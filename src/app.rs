//! Puts the parts together: binds the listeners, serves, sweeps, and drains.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use poem::listener::TcpAcceptor;
use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt, IntoEndpoint, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;

use crate::api::problem::Problems;
use crate::api::{self, Addresses, Bridge, Setting};
use crate::exposition::Negotiation;
use crate::instrument::Instrumentation;
use crate::receiver::{self, Budget, Cors, MetricsService, Receiver};
use crate::store::{self, Store};
use crate::telemetry::Telemetry;
use crate::translate;

/// How many requests of the longest kind may be in hand at a time.
const REQUESTS_IN_HAND: usize = 4;
/// A connection on which nothing has moved for so long is closed; scrapers come more often.
const IDLE: Duration = Duration::from_secs(300);
/// How long what is not OTLP may take to finish, once OTLP has.
const LAST_SCRAPE: Duration = Duration::from_secs(1);

/// What the service is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host:port` of everything but OTLP.
    pub http_listen: String,
    /// `host:port` of OTLP over HTTP.
    pub otlp_http_listen: String,
    /// `host:port` of OTLP over gRPC.
    pub otlp_grpc_listen: String,
    /// Caps and expiry of series.
    pub store: store::Limits,
    /// Limits on what is translated.
    pub translate: translate::Rules,
    /// How a format is found with a scraper.
    pub negotiation: Negotiation,
    /// Origins whose pages may send OTLP over HTTP; `*` for all.
    pub cors_origins: Vec<String>,
    /// The longest message, inflated, in bytes; `None` is no limit.
    pub max_request_bytes: Option<usize>,
    /// How long requests in flight may take after a stop.
    pub drain_timeout: Duration,
    /// The options in force, to show.
    pub settings: Vec<Setting>,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address of an option cannot be listened on.
    #[error("{option} {address}: {error}")]
    Bind {
        /// The flag.
        option: &'static str,
        /// Its value.
        address: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The meters cannot be set up.
    #[error("the service's own metrics: {0}")]
    Telemetry(#[from] opentelemetry_sdk::error::OTelSdkError),
}

/// The service with its listeners bound, serving nothing yet.
pub struct App {
    bridge: Arc<Bridge>,
    receiver: Receiver,
    cors: Cors,
    instrumentation: Instrumentation,
    http: TcpListener,
    otlp_http: TcpListener,
    otlp_grpc: TcpListener,
    drain_timeout: Duration,
}

/// Who the service is in its own telemetry: `meterbridge`, unless the standard variables name it.
pub fn resource() -> Resource {
    let detected = Resource::builder().build();
    let name = detected
        .get(&Key::new("service.name"))
        .map(|name| name.to_string())
        .unwrap_or_default();
    let mut builder = Resource::builder();
    if name.is_empty() || name.starts_with("unknown_service") {
        builder = builder.with_service_name("meterbridge");
    }
    builder
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

impl App {
    /// Binds the listeners, so that addresses are known and taken before anything else is done.
    ///
    /// # Errors
    ///
    /// Where an address cannot be listened on; the error names the option.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let http = bind("--http-listen", &config.http_listen).await?;
        let otlp_http = bind("--otlp-http-listen", &config.otlp_http_listen).await?;
        let otlp_grpc = bind("--otlp-grpc-listen", &config.otlp_grpc_listen).await?;
        let address = |listener: &TcpListener, option, wanted: &str| {
            listener.local_addr().map_err(|error| StartError::Bind {
                option,
                address: wanted.to_owned(),
                error,
            })
        };
        let addresses = Addresses {
            http: address(&http, "--http-listen", &config.http_listen)?,
            otlp_http: address(&otlp_http, "--otlp-http-listen", &config.otlp_http_listen)?,
            otlp_grpc: address(&otlp_grpc, "--otlp-grpc-listen", &config.otlp_grpc_listen)?,
        };
        let store = Arc::new(Store::new(config.store, Instant::now()));
        let telemetry = Telemetry::new(resource(), &store)?;
        let instrumentation = telemetry.instrumentation.clone();
        let max_request_bytes = config.max_request_bytes.unwrap_or(usize::MAX);
        let budget = Budget::new(max_request_bytes.saturating_mul(REQUESTS_IN_HAND));
        let metrics = Arc::clone(&telemetry.metrics);
        let rules = config.translate;
        let receiver = Receiver::new(Arc::clone(&store), rules.clone(), max_request_bytes, budget, metrics);
        let bridge = Arc::new(Bridge {
            store,
            telemetry,
            addresses,
            settings: config.settings,
            negotiation: config.negotiation,
            rules,
            started: SystemTime::now(),
            ready: AtomicBool::new(false),
        });
        Ok(Self {
            bridge,
            receiver,
            cors: Cors::new(config.cors_origins),
            instrumentation,
            http,
            otlp_http,
            otlp_grpc,
            drain_timeout: config.drain_timeout,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.bridge.addresses
    }

    /// Serves until `stop` is done, then drains: readiness turns false, the OTLP listeners accept nothing more and finish
    /// what is in flight within the drain timeout, then the rest does.
    ///
    /// # Errors
    ///
    /// Where a server ends before it was asked to.
    pub async fn run(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let (stop_otlp, otlp_stopped) = watch::channel(false);
        let (stop_http, http_stopped) = watch::channel(false);
        let app = self.instrumented(api::routes(&self.bridge));
        let otlp = self.instrumented(receiver::routes(self.receiver.clone(), self.cors.clone()));
        let drain = self.drain_timeout;
        let sweeper = tokio::spawn(sweep(
            self.receiver.clone(),
            self.bridge.store.limits().shortest_expiry(),
        ));
        // The listeners hold whoever comes until they are served, and nobody is to be served who finds it not ready.
        self.bridge.set_ready(true);
        let mut http = tokio::spawn(serve(self.http, app, http_stopped, LAST_SCRAPE));
        let mut otlp_http = tokio::spawn(serve(self.otlp_http, otlp, otlp_stopped.clone(), drain));
        let mut otlp_grpc = tokio::spawn(serve_grpc(self.otlp_grpc, MetricsService(self.receiver), otlp_stopped));

        let ended = tokio::select! {
            () = stop => Ok(()),
            result = &mut http => ended(result),
            result = &mut otlp_http => ended(result),
            result = &mut otlp_grpc => ended(result),
        };
        self.bridge.set_ready(false);
        if ended.is_ok() {
            tracing::info!(timeout = ?drain, "draining");
            // Whoever listens has ended already where this fails.
            let _ = stop_otlp.send(true);
            let drained = tokio::time::timeout(drain, async { tokio::join!(&mut otlp_http, &mut otlp_grpc) }).await;
            if drained.is_err() {
                tracing::warn!("requests were still in flight at the end of the drain timeout");
            }
            let _ = stop_http.send(true);
            let _ = tokio::time::timeout(LAST_SCRAPE * 2, &mut http).await;
        }
        for task in [
            http.abort_handle(),
            otlp_http.abort_handle(),
            otlp_grpc.abort_handle(),
            sweeper.abort_handle(),
        ] {
            task.abort();
        }
        ended
    }

    /// The layers around the endpoints of a listener. The instrumentation is outermost, so that it sees every answer; a panic
    /// becomes an answer directly inside it.
    fn instrumented<E: IntoEndpoint>(&self, endpoint: E) -> impl Endpoint + 'static + use<E>
    where
        E::Endpoint: 'static,
    {
        endpoint
            .into_endpoint()
            .with(CatchPanic::new())
            .with(Problems)
            .with(self.instrumentation.clone())
    }
}

async fn bind(option: &'static str, address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Bind {
        option,
        address: address.to_owned(),
        error,
    })
}

fn ended<E: std::fmt::Display>(result: Result<Result<(), E>, tokio::task::JoinError>) -> std::io::Result<()> {
    Err(match result {
        Ok(Ok(())) => std::io::Error::other("a listener ended by itself"),
        Ok(Err(error)) => std::io::Error::other(error.to_string()),
        Err(error) => std::io::Error::other(error),
    })
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // The sender is gone only when everything is.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve(
    listener: TcpListener,
    endpoint: impl Endpoint + 'static,
    stopped: watch::Receiver<bool>,
    timeout: Duration,
) -> std::io::Result<()> {
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?)
        .idle_timeout(IDLE)
        .run_with_graceful_shutdown(endpoint, told(stopped), Some(timeout))
        .await
}

/// What a frame may have of a message. Senders keep to 16 KiB where they are not told otherwise, which is a read for each.
const LARGEST_FRAME: u32 = 256 << 10;

async fn serve_grpc(
    listener: TcpListener,
    service: MetricsService,
    stopped: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    tonic::transport::Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .max_frame_size(LARGEST_FRAME)
        .serve_with_incoming_shutdown(service, TcpListenerStream::new(listener), told(stopped))
        .await
}

/// Expires series whether somebody scrapes or not. A scrape sees none that has expired in any case; this frees their memory.
async fn sweep(receiver: Receiver, shortest_expiry: Option<Duration>) {
    let expiry = shortest_expiry.unwrap_or(Duration::MAX);
    let interval = (expiry / 20).clamp(Duration::from_millis(100), Duration::from_secs(15));
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let receiver = receiver.clone();
        if let Ok(expired) = tokio::task::spawn_blocking(move || receiver.sweep(Instant::now())).await
            && expired > 0
        {
            tracing::debug!(expired, "series expired");
        }
    }
}
