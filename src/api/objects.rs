use std::time::{Instant, SystemTime};

use poem_openapi::Object;

use super::Bridge;
use crate::store::{FamilyCell, Source as HeldSource};

/// How the bridge is.
#[derive(Debug, Object)]
pub(super) struct Status {
    /// The version of this build.
    version: String,
    /// Whether it takes requests and means to go on doing so.
    ready: bool,
    /// When it was started, RFC 3339.
    started: String,
    /// For how long it has been running.
    uptime_seconds: f64,
    /// Where it listens.
    listeners: Vec<Listener>,
    /// Sources that are held.
    sources: u64,
    /// Families that are held.
    families: u64,
    /// Series that are held.
    series: u64,
    /// The most series that are held at a time; 0 is no limit.
    series_limit: u64,
}

/// An address that is bound.
#[derive(Debug, Object)]
pub(super) struct Listener {
    /// `http`, `otlp_http` or `otlp_grpc`.
    name: String,
    /// Host and port.
    address: String,
}

/// One pair of job and instance that pushes.
#[derive(Debug, Object)]
pub(super) struct Source {
    /// The label `job`; absent where the sender names no service.
    #[oai(skip_serializing_if_is_none)]
    job: Option<String>,
    /// The label `instance`; empty where the sender names none.
    instance: String,
    /// The language of its SDK, where it says so.
    #[oai(skip_serializing_if_is_none)]
    sdk_language: Option<String>,
    /// The version of its SDK, where it says so.
    #[oai(skip_serializing_if_is_none)]
    sdk_version: Option<String>,
    /// Series that are held of it.
    series: u64,
    /// Points that were accepted of it.
    points: u64,
    /// When its first request came, RFC 3339.
    first_seen: String,
    /// When its last point was accepted, RFC 3339.
    last_seen: String,
}

/// All series of one name.
#[derive(Debug, Object)]
pub(super) struct Family {
    /// The name, as it is scraped.
    name: String,
    /// `counter`, `gauge`, `histogram`, `summary`, `unknown`, `info` or `stateset`.
    r#type: String,
    /// The unit in words; empty where there is none.
    unit: String,
    /// What the sender says of it.
    help: String,
    /// Series that are held of it.
    series: u64,
    /// Points that met another stream in their series: two senders with one identity, most likely.
    collisions: u64,
}

/// A page of a list.
#[derive(Debug, Object)]
pub(super) struct Sources {
    /// How many there are in all that fit the filter.
    pub(super) total: u64,
    /// Those of this page, ordered by job and instance.
    pub(super) items: Vec<Source>,
}

/// A page of a list.
#[derive(Debug, Object)]
pub(super) struct Families {
    /// How many there are in all that fit the filter.
    pub(super) total: u64,
    /// Those of this page, ordered by name.
    pub(super) items: Vec<Family>,
}

/// One option.
#[derive(Clone, Debug, Object)]
pub struct Setting {
    /// Its key in a configuration file.
    pub name: String,
    /// The value in force.
    pub value: String,
    /// Where the value is from: `flag`, the name of a variable, `file` or `default`.
    pub source: String,
}

/// The options in force.
#[derive(Debug, Object)]
pub(super) struct Configuration {
    /// All options, in the order of `--help`.
    pub(super) settings: Vec<Setting>,
}

/// An error (RFC 9457).
#[derive(Debug, Object)]
pub(super) struct Problem {
    /// The kind of error.
    pub(super) title: String,
    /// The status of the answer.
    pub(super) status: u16,
    /// What was wrong and what to do.
    pub(super) detail: String,
}

impl Status {
    pub(super) fn of(bridge: &Bridge) -> Self {
        let store = &bridge.store;
        let listener = |(name, address): (&str, std::net::SocketAddr)| Listener {
            name: name.to_owned(),
            address: address.to_string(),
        };
        let addresses = bridge.addresses;
        let listeners = [
            ("http", addresses.http),
            ("otlp_http", addresses.otlp_http),
            ("otlp_grpc", addresses.otlp_grpc),
        ];
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ready: bridge.is_ready(),
            started: rfc3339(bridge.started),
            uptime_seconds: bridge.started.elapsed().unwrap_or_default().as_secs_f64(),
            listeners: listeners.into_iter().map(listener).collect(),
            sources: store.source_count() as u64,
            families: store.families().len() as u64,
            series: store.series() as u64,
            series_limit: store.limits().series as u64,
        }
    }
}

impl Source {
    pub(super) fn of(bridge: &Bridge, source: &HeldSource) -> Self {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let at = |moment| rfc3339(clock.checked_sub(bridge.store.age(moment, now)).unwrap_or(clock));
        let origin = source.origin();
        Self {
            job: source.identity().job.as_deref().map(str::to_owned),
            instance: source.identity().instance.to_string(),
            sdk_language: Some(origin.sdk_language).filter(|text| !text.is_empty()),
            sdk_version: Some(origin.sdk_version).filter(|text| !text.is_empty()),
            series: source.series() as u64,
            points: source.points(),
            first_seen: at(source.first_seen()),
            last_seen: at(source.last_seen()),
        }
    }
}

impl Family {
    pub(super) fn of(cell: &FamilyCell) -> Self {
        let family = cell.family();
        Self {
            name: family.name,
            r#type: family.metric_type.as_str().to_owned(),
            unit: family.unit,
            help: family.help,
            series: cell.len() as u64,
            collisions: cell.collisions(),
        }
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
