use std::path::PathBuf;

use super::{Period, Size};
use crate::telemetry::logs::{LogFormat, LogLevel};
use crate::{app, store, translate};

/// What can be set. The comment of a field is its help.
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
    /// How long a series is shown after its last point; 0 is for ever.
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub expiry: Period,
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

impl Options {
    /// The rules of the translation.
    pub fn translate_rules(&self) -> translate::Rules {
        let labels = translate::LabelLimits {
            labels: self.max_labels,
            name_bytes: self.max_label_name_bytes.bytes(),
            value_bytes: self.max_label_value_bytes.bytes(),
        };
        translate::Rules {
            labels,
            help_bytes: self.max_help_bytes.bytes(),
            ..translate::Rules::default()
        }
    }

    /// What the service is made from.
    pub fn app(&self, settings: Vec<crate::api::Setting>) -> app::Config {
        app::Config {
            http_listen: self.http_listen.clone(),
            otlp_http_listen: self.otlp_http_listen.clone(),
            otlp_grpc_listen: self.otlp_grpc_listen.clone(),
            store: store::Limits {
                series: self.max_series,
                series_per_job: self.max_series_per_job,
                series_per_metric: self.max_series_per_metric,
                expiry: self.expiry.limit(),
                ..store::Limits::default()
            },
            translate: self.translate_rules(),
            max_request_bytes: Some(self.max_request_bytes.bytes()).filter(|bytes| *bytes > 0),
            drain_timeout: self.drain_timeout.duration(),
            settings,
        }
    }
}
