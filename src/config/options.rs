use std::path::PathBuf;

use clap::ArgAction::Set;

use super::choice::{Choice, Collisions, ExpiryRule, OnRequest, Origin, ReplaceUtf8, UnitAlias};
use super::{Period, Size};
use crate::exposition::{Escaping, ExponentialForm};
use crate::telemetry::logs::{LogFormat, LogLevel};
use crate::translate::{IdentityConflict, MissingSum, Strategy};

/// What can be set. The comment of a field is its help; `docs/options.md` has an example for each that changes what is scraped.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options by flag, variable or file")]
pub struct Options {
    /// Where everything but OTLP is served: /metrics, /docs, the API.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9464")]
    pub http_listen: String,
    /// Where OTLP over HTTP is taken.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4318")]
    pub otlp_http_listen: String,
    /// Where OTLP over gRPC is taken.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4317")]
    pub otlp_grpc_listen: String,
    /// What becomes of names.
    #[arg(long, value_name = "STRATEGY", value_parser = Strategy::parser(), default_value = "UnderscoreEscapingWithSuffixes")]
    pub translation_strategy: Strategy,
    /// In front of every metric's name, with an underscore between; target_info stays.
    #[arg(long, value_name = "TEXT")]
    pub namespace: Option<String>,
    /// A word for a unit, before those of the specification; empty for none. A list.
    #[arg(long, value_name = "UNIT=WORD", value_delimiter = ',')]
    pub unit_alias: Vec<UnitAlias>,
    /// A label name that begins with an underscore gets `key` in front, as in Prometheus' own OTLP receiver.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub label_name_underscore_sanitization: bool,
    /// Several underscores in a row stay in label names, as in Prometheus' own OTLP receiver.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub label_name_preserve_multiple_underscores: bool,
    /// A point's own job or instance: renamed to exported_…, joined with the resource's, or in its place.
    #[arg(long, value_name = "WAY", value_parser = IdentityConflict::parser(), default_value = "exported")]
    pub identity_conflict: IdentityConflict,
    /// Streams that meet in one series: the newest sample, the sum of counters and histograms, or a label that keeps them
    /// apart.
    #[arg(long, value_name = "WAY", value_parser = Collisions::parser(), default_value = "latest")]
    pub collisions: Collisions,
    /// The label instance is empty where the resource names none; without it Prometheus puts the bridge's own.
    #[arg(long, value_name = "SWITCH", default_value = "true", action = Set)]
    pub empty_instance: bool,
    /// The attributes that become job and instance stand in target_info as well.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub keep_identifying_resource_attributes: bool,
    /// Resource attributes that are copied to every series, `*` for any characters. A list.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub promote_resource_attributes: Vec<String>,
    /// Labels otel_scope_… from the instrumentation scope.
    #[arg(long, value_name = "SWITCH", default_value = "true", action = Set)]
    pub scope_labels: bool,
    /// An exponential histogram without a sum: refused, or kept with the sum NaN.
    #[arg(long, value_name = "WAY", value_parser = MissingSum::parser(), default_value = "refuse")]
    pub missing_sum: MissingSum,
    /// Exponential histograms in protobuf and OpenMetrics 2.0: native and classic buckets, or one of the two.
    #[arg(long, value_name = "FORM", value_parser = ExponentialForm::parser(), default_value = "both")]
    pub exponential_histograms: ExponentialForm,
    /// Lines _created with start times in OpenMetrics 1.0.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub created_lines: bool,
    /// Samples carry the time at which they were taken. Prometheus then keeps dead series for five minutes.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub timestamps: bool,
    /// How names are escaped in protobuf where the scraper does not say.
    #[arg(long, value_name = "SCHEME", value_parser = Escaping::parser(), default_value = "underscores")]
    pub protobuf_escaping: Escaping,
    /// Where the strategy adds no suffixes: OpenMetrics 1.0, which then calls counters unknown, only if nothing else is asked for.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub prefer_text_without_suffixes: bool,
    /// OpenMetrics 2.0 (experimental) for scrapers that ask for exactly that, or never.
    #[arg(long, value_name = "WHEN", value_parser = OnRequest::parser(), default_value = "auto")]
    pub openmetrics2: OnRequest,
    /// How long a series is shown after its last point; 0 is for ever.
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub expiry: Period,
    /// The same for series that deltas add up in; 0 is for ever.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub delta_expiry: Period,
    /// In place of both where the pattern, `*` for any characters, fits the job or the family's name; the first that does. A list.
    #[arg(long, value_name = "PATTERN=DURATION", value_delimiter = ',')]
    pub expiry_rule: Vec<ExpiryRule>,
    /// A point whose end time is 0 is taken, with the time of its arrival.
    #[arg(long, value_name = "SWITCH", default_value = "false", action = Set)]
    pub stamp_arrival_time: bool,
    /// Text that is not UTF-8: the request is refused, or the bytes are replaced.
    #[arg(long, value_name = "WAY", value_parser = ReplaceUtf8::parser(), default_value = "refuse")]
    pub invalid_utf8: ReplaceUtf8,
    /// Origins whose pages may send OTLP over HTTP from a browser; `*` for all. A list.
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// The longest request, inflated; 0 is no limit.
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub max_request_bytes: Size,
    /// The most series that are held at a time; 0 is no limit. New ones above it are refused, those that are held stay.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    pub max_series: usize,
    /// The same for each job.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub max_series_per_job: usize,
    /// The same for each metric.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub max_series_per_metric: usize,
    /// The most labels of a series, job and instance included; 0 is no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    pub max_labels: usize,
    /// The longest name of a label; 0 is no limit.
    #[arg(long, value_name = "SIZE", default_value = "1024")]
    pub max_label_name_bytes: Size,
    /// The longest value of a label; 0 is no limit.
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    pub max_label_value_bytes: Size,
    /// The longest description of a metric; 0 is no limit.
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    pub max_help_bytes: Size,
    /// How long requests in flight may take after SIGTERM.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub drain_timeout: Period,
    /// The least severe lines that are logged.
    #[arg(long, value_enum, default_value = "info")]
    pub log_level: LogLevel,
    /// The form of the log on standard error.
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// A YAML file with the same options, dashes written as underscores.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
