use std::time::Duration;

use meterbridge::api::Addresses;
use meterbridge::app::{App, Config};
use meterbridge::store;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A bridge on ports of its own.
pub struct Bridge {
    pub addresses: Addresses,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

pub fn config() -> Config {
    let any_port = || "127.0.0.1:0".to_owned();
    Config {
        http_listen: any_port(),
        otlp_http_listen: any_port(),
        otlp_grpc_listen: any_port(),
        store: store::Limits {
            series: 1000,
            ..store::Limits::default()
        },
        translate: meterbridge::translate::Rules::default(),
        negotiation: meterbridge::exposition::Negotiation::default(),
        cors_origins: Vec::new(),
        max_request_bytes: Some(1 << 20),
        drain_timeout: Duration::from_secs(5),
        settings: Vec::new(),
    }
}

impl Bridge {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let app = App::bind(config).await.unwrap();
        let addresses = app.addresses();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        Self {
            addresses,
            stop: Some(stop),
            running,
        }
    }

    /// Asks it to stop, and does not wait.
    pub fn ask_to_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub async fn ended(self) -> std::io::Result<()> {
        self.running.await.unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses.http)
    }

    pub fn otlp_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses.otlp_http)
    }

    pub async fn get(&self, path: &str) -> String {
        reqwest::get(self.url(path)).await.unwrap().text().await.unwrap()
    }

    /// The lines of a scrape that contain `what`.
    pub async fn lines(&self, path: &str, what: &str) -> Vec<String> {
        self.get(path)
            .await
            .lines()
            .filter(|line| line.contains(what))
            .map(str::to_owned)
            .collect()
    }

    /// The samples of a scrape whose name begins with `name`.
    pub async fn samples(&self, path: &str, name: &str) -> Vec<String> {
        self.get(path)
            .await
            .lines()
            .filter(|line| line.starts_with(name))
            .map(str::to_owned)
            .collect()
    }

    /// Posts to `/v1/metrics`; status and body.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> (u16, Vec<u8>) {
        self.post_to("/v1/metrics", headers, body).await
    }

    pub async fn post_to(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> (u16, Vec<u8>) {
        let mut request = reqwest::Client::new().post(self.otlp_url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }
}

pub const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub const JSON: (&str, &str) = ("content-type", "application/json");

/// A request with one gauge of one point, from the service `svc`, instance `i1`.
pub fn gauge(name: &str, value: f64) -> ExportMetricsServiceRequest {
    let point = NumberDataPoint {
        time_unix_nano: 1,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    };
    let metric = Metric {
        name: name.to_owned(),
        data: Some(metric::Data::Gauge(Gauge {
            data_points: vec![point],
        })),
        ..Metric::default()
    };
    let resource = Resource {
        attributes: vec![text("service.name", "svc"), text("service.instance.id", "i1")],
        ..Resource::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![metric],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

pub fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
        ..KeyValue::default()
    }
}
