//! Requests like those of a fleet, the same each time: 50 resources of ten attributes, 20 metrics of 10 points each, six attributes
//! a point; ten resources are the replicas of one service. Written in the order of fields of prost, of Go and of the Collector.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

mod bridge;
mod order;
pub mod walk;

pub use bridge::Bridge;
pub use order::Order;

/// How many points a request has.
pub const POINTS: usize = RESOURCES * METRICS * POINTS_A_METRIC;

const RESOURCES: usize = 50;
const METRICS: usize = 20;
const POINTS_A_METRIC: usize = 10;
const REPLICAS: usize = 10;
const START: u64 = 1_760_000_000_000_000_000;
const INTERVAL: u64 = 10_000_000_000;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// 12 sums and 8 gauges of 20 metrics.
    Numbers,
    /// The same with deltas for sums.
    Deltas,
    /// Numbers of which no two have an attribute set in common.
    Unshared,
    /// 8 sums, 6 gauges, 5 histograms with 15 bounds and one exponential histogram with 40 buckets.
    Mixed,
}

/// Requests for so many series, `POINTS` in each; in an order that is new in each `turn`, where it is.
pub fn requests(mix: Mix, order: Order, series: usize, turn: u64) -> Vec<Vec<u8>> {
    (0..series / POINTS)
        .map(|request| order.of(&generated(mix, request, 0).encode_to_vec(), turn))
        .collect()
}

/// Where the times stand in a request that [`requests`] made.
pub fn times(request: &[u8]) -> Vec<usize> {
    let is_time = |field: &[u8]| match field {
        [0x11 | 0x19, time @ ..] => time
            .first_chunk()
            .is_some_and(|time| [START, START + INTERVAL].contains(&u64::from_le_bytes(*time))),
        _ => false,
    };
    let fields = request.windows(9).enumerate();
    fields
        .filter(|(_, field)| is_time(field))
        .map(|(at, _)| at + 1)
        .collect()
}

/// Makes a request of deltas the next one.
pub fn move_on(request: &mut [u8], times: &[usize]) {
    for at in times {
        let time = request[*at..].first_chunk_mut().expect("eight bytes are a time");
        *time = (u64::from_le_bytes(*time) + INTERVAL).to_le_bytes();
    }
}

/// One request in the generated types.
pub fn generated(mix: Mix, request: usize, interval: u64) -> ExportMetricsServiceRequest {
    let resources = request * RESOURCES..(request + 1) * RESOURCES;
    ExportMetricsServiceRequest {
        resource_metrics: resources
            .map(|resource| resource_metrics(mix, resource, interval))
            .collect(),
    }
}

fn resource_metrics(mix: Mix, number: usize, interval: u64) -> ResourceMetrics {
    let metrics = (0..METRICS)
        .map(|metric| one_metric(mix, number, metric, interval))
        .collect();
    let scope = InstrumentationScope {
        name: "example.com/instrumentation/server".into(),
        version: "2.9.0".into(),
        ..InstrumentationScope::default()
    };
    ResourceMetrics {
        resource: Some(resource(number)),
        scope_metrics: vec![ScopeMetrics {
            scope: Some(scope),
            metrics,
            ..ScopeMetrics::default()
        }],
        ..ResourceMetrics::default()
    }
}

fn resource(number: usize) -> Resource {
    let service = number / REPLICAS;
    let random = noise(number as u64);
    let attributes = vec![
        text("service.name", format!("service-{service:03}")),
        text("service.namespace", "shop"),
        text("service.instance.id", format!("{random:016x}-{number:08x}")),
        text("service.version", "2.14.3"),
        text("host.name", format!("node-{number:05}.eu-west-1.example.com")),
        text(
            "k8s.pod.name",
            format!("service-{service:03}-7d9c6b5f4-{:05x}", random & 0xF_FFFF),
        ),
        text("k8s.namespace.name", "shop-production"),
        text("deployment.environment.name", "production"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.language", "java"),
    ];
    Resource {
        attributes,
        ..Resource::default()
    }
}

const HISTOGRAMS: [usize; 5] = [14, 15, 16, 17, 18];
const BOUNDS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 25.0,
];

fn one_metric(mix: Mix, resource: usize, metric: usize, interval: u64) -> Metric {
    let seed = (resource * METRICS + metric) as u64 * POINTS_A_METRIC as u64;
    let (sums, temporality) = match mix {
        Mix::Numbers | Mix::Unshared => (12, 2),
        Mix::Deltas => (12, 1),
        Mix::Mixed => (8, 2),
    };
    let time = START + (interval + 1) * INTERVAL;
    let start = if temporality == 1 { time - INTERVAL } else { START };
    let points = 0..POINTS_A_METRIC;
    let attributes = |point| {
        let mut attributes = attributes(resource, metric, point);
        if mix == Mix::Unshared {
            attributes.push(text("series", (seed + point as u64).to_string()));
        }
        attributes
    };
    let number = |point: usize| {
        let random = noise(seed + point as u64 + interval);
        // Two of three values are whole numbers.
        let value = match metric % 3 {
            0 => number_data_point::Value::AsDouble((random >> 40) as f64 / 1e3 + 1e4),
            1 => number_data_point::Value::AsDouble((random >> 48) as f64),
            _ => number_data_point::Value::AsInt((random >> 44) as i64),
        };
        NumberDataPoint {
            attributes: attributes(point),
            start_time_unix_nano: start,
            time_unix_nano: time,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    };
    let (data, unit) = if metric < sums {
        let data_points = points.map(number).collect();
        let sum = Sum {
            data_points,
            aggregation_temporality: temporality,
            is_monotonic: true,
        };
        (Data::Sum(sum), "By")
    } else if mix != Mix::Mixed || metric < HISTOGRAMS[0] {
        let data_points = points.map(number).collect();
        (Data::Gauge(Gauge { data_points }), "By")
    } else if HISTOGRAMS.contains(&metric) {
        let point = |point: usize| {
            let counts = counts(seed + point as u64, 16, interval);
            let count = counts.iter().sum();
            HistogramDataPoint {
                attributes: attributes(point),
                start_time_unix_nano: start,
                time_unix_nano: time,
                count,
                sum: Some(count as f64 * 0.173),
                bucket_counts: counts,
                explicit_bounds: BOUNDS.into(),
                min: Some(0.0012),
                max: Some(13.2),
                ..HistogramDataPoint::default()
            }
        };
        let histogram = Histogram {
            data_points: points.map(point).collect(),
            aggregation_temporality: 2,
        };
        (Data::Histogram(histogram), "s")
    } else {
        let point = |point: usize| {
            let counts = counts(seed + point as u64, 40, interval);
            let count: u64 = counts.iter().sum();
            ExponentialHistogramDataPoint {
                attributes: attributes(point),
                start_time_unix_nano: start,
                time_unix_nano: time,
                count: count + 3,
                sum: Some(count as f64 * 911.5),
                scale: 3,
                zero_count: 3,
                positive: Some(Buckets {
                    offset: 40,
                    bucket_counts: counts,
                }),
                ..ExponentialHistogramDataPoint::default()
            }
        };
        let histogram = ExponentialHistogram {
            data_points: points.map(point).collect(),
            aggregation_temporality: 2,
        };
        (Data::ExponentialHistogram(histogram), "By")
    };
    Metric {
        name: format!("shop.component.measured.{metric:02}"),
        description: "What this part of the shop has been up to".into(),
        unit: unit.into(),
        data: Some(data),
        ..Metric::default()
    }
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const STATUS: [i64; 6] = [200, 201, 204, 400, 404, 500];
const ROUTES: [&str; 5] = ["orders", "customers", "products", "payments", "search"];

fn attributes(resource: usize, metric: usize, point: usize) -> Vec<KeyValue> {
    let route = (metric * 7 + point) % 20;
    let status = any_value::Value::IntValue(STATUS[(point * 5 + metric) % 6]);
    vec![
        text("http.request.method", METHODS[(metric + point) % 4]),
        KeyValue {
            key: "http.response.status_code".into(),
            value: Some(AnyValue { value: Some(status) }),
            ..KeyValue::default()
        },
        text(
            "http.route",
            format!("/api/v{}/{}/{{id}}", route / 5, ROUTES[route % 5]),
        ),
        text(
            "network.protocol.version",
            if point.is_multiple_of(2) { "1.1" } else { "2" },
        ),
        text(
            "server.address",
            format!("service-{:03}.shop.internal.example.com", resource / REPLICAS),
        ),
        text("url.scheme", "https"),
    ]
}

fn counts(seed: u64, buckets: u64, interval: u64) -> Vec<u64> {
    (0..buckets)
        .map(|bucket| noise(seed * 64 + bucket) % 500 / (1 + bucket.abs_diff(buckets / 2)) + interval)
        .collect()
}

/// The same for the same seed, and as good as random.
pub fn noise(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    let value = any_value::Value::StringValue(value.into());
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
