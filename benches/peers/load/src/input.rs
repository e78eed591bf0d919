//! The reference input: resources of ten attributes, each with 20 metrics of 10 points, each point with six attributes. Ten
//! resources are replicas of one service, so that the attributes of points come again as they do where services have replicas.
//! Everything is made from a fixed seed.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use prost::encoding::encode_varint;

/// Of a resource.
pub const POINTS: usize = 200;
const POINTS_OF_METRIC: usize = 10;

const BOUNDS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 25.0,
];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const STATUS: [i64; 6] = [200, 201, 204, 400, 404, 500];
const ROUTES: [&str; 20] = [
    "/api/v1/orders",
    "/api/v1/orders/{id}",
    "/api/v1/orders/{id}/items",
    "/api/v1/customers",
    "/api/v1/customers/{id}",
    "/api/v1/customers/{id}/addresses",
    "/api/v1/products",
    "/api/v1/products/{id}",
    "/api/v1/products/{id}/reviews",
    "/api/v1/cart",
    "/api/v1/cart/{id}/items",
    "/api/v1/checkout",
    "/api/v1/payments",
    "/api/v1/payments/{id}/refund",
    "/api/v1/search",
    "/api/v1/recommendations",
    "/healthz",
    "/login",
    "/logout",
    "/static/{file}",
];
const SUMS: [&str; 12] = [
    "http.server.requests",
    "http.server.response.body.bytes",
    "rpc.client.requests",
    "db.client.operations",
    "messaging.client.published.messages",
    "process.runtime.gc.count",
    "cache.lookups",
    "orders.processed",
    "payments.amount.total",
    "queue.retries",
    "auth.failures",
    "tls.handshakes",
];
const GAUGES: [&str; 8] = [
    "http.server.active_requests",
    "process.memory.usage",
    "db.client.connections.usage",
    "queue.depth",
    "system.cpu.utilization",
    "cache.fill.ratio",
    "thread.pool.active",
    "disk.free.bytes",
];
const HISTOGRAMS: [&str; 5] = [
    "http.server.request.duration",
    "http.client.request.duration",
    "db.client.operation.duration",
    "rpc.server.call.duration",
    "messaging.process.duration",
];
const EXPONENTIAL: &str = "http.server.request.body.size";

/// Requests.
const MOST_JSON: usize = 20;

/// Stands for the time in a request, where `Input` then finds its points.
const MARK: u64 = 0x5A5A_1234_8765_A5A5;

/// How many metrics of each type a resource has.
struct Mix {
    sums: usize,
    gauges: usize,
    histograms: usize,
    exponential: usize,
}

const NUMBERS: Mix = Mix {
    sums: 12,
    gauges: 8,
    histograms: 0,
    exponential: 0,
};
const MIXED: Mix = Mix {
    sums: 8,
    gauges: 6,
    histograms: 5,
    exponential: 1,
};

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From 0 to 1.
    fn float(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// In nanoseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_nanos() as u64)
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn text_attribute(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attributes_of_point(metric: usize, point: usize, resource: usize) -> Vec<KeyValue> {
    vec![
        text_attribute("http.request.method", METHODS[(metric + point) % METHODS.len()]),
        attribute(
            "http.response.status_code",
            Value::IntValue(STATUS[(point * 5 + metric) % STATUS.len()]),
        ),
        text_attribute("http.route", ROUTES[(metric * 7 + point) % ROUTES.len()]),
        text_attribute(
            "network.protocol.version",
            if point.is_multiple_of(2) { "1.1" } else { "2" },
        ),
        text_attribute(
            "server.address",
            format!("svc-{:03}.shop.internal.example.com", resource / 10),
        ),
        text_attribute("url.scheme", "https"),
    ]
}

fn resource(number: usize) -> Resource {
    let mut random = Random(number as u64 * 977 + 5);
    let (high, low) = (random.next(), random.next());
    let instance = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high as u16,
        low & 0xfff,
        (low >> 12) & 0xfff,
        low >> 16
    );
    let service = number / 10;
    let host = format!(
        "ip-10-{}-{}-{}.eu-west-1.compute.internal",
        number / 62_500,
        number / 250 % 250,
        number % 250
    );
    let attributes = vec![
        text_attribute("service.name", format!("svc-{service:03}")),
        text_attribute("service.namespace", "shop"),
        text_attribute("service.instance.id", instance),
        text_attribute("service.version", "2.14.3"),
        text_attribute("host.name", host),
        text_attribute(
            "k8s.pod.name",
            format!("svc-{service:03}-7d9c6b5f4-{:05x}", high & 0xfffff),
        ),
        text_attribute("k8s.namespace.name", "shop-prod"),
        text_attribute("deployment.environment.name", "production"),
        text_attribute("telemetry.sdk.name", "opentelemetry"),
        text_attribute("telemetry.sdk.language", "java"),
    ];
    Resource {
        attributes,
        ..Default::default()
    }
}

fn metric(name: &str, description: &str, unit: &str, data: Data) -> Metric {
    let description = format!("{description} {name}");
    Metric {
        name: name.into(),
        description,
        unit: unit.into(),
        data: Some(data),
        ..Default::default()
    }
}

fn numbers(
    metric: usize,
    number: usize,
    (start, time): (u64, u64),
    mut value: impl FnMut(usize) -> number_data_point::Value,
) -> Vec<NumberDataPoint> {
    let point = |point| NumberDataPoint {
        attributes: attributes_of_point(metric, point, number),
        start_time_unix_nano: start,
        time_unix_nano: time,
        value: Some(value(point)),
        ..Default::default()
    };
    (0..POINTS_OF_METRIC).map(point).collect()
}

/// Counts that are largest in the middle, and their sum.
fn counts(random: &mut Random, buckets: u64, most: u64) -> (Vec<u64>, u64) {
    let middle = buckets as i64 / 2;
    let counts: Vec<_> = (0..buckets)
        .map(|bucket| 1 + random.next() % most / (1 + (bucket as i64 - middle).unsigned_abs()))
        .collect();
    let total = counts.iter().sum();
    (counts, total)
}

fn resource_metrics(number: usize, mix: &Mix, start: u64, time: u64) -> ResourceMetrics {
    use number_data_point::Value::{AsDouble, AsInt};
    let mut random = Random(number as u64 * 1_000_003 + 17);
    let mut metrics = Vec::new();
    for (index, name) in SUMS.iter().enumerate().take(mix.sums) {
        let data_points = numbers(index, number, (start, time), |point| match index % 2 {
            0 => AsInt((number * 31 + index * 1009 + point * 77) as i64 % 100_000 * (1 + point as i64)),
            _ => AsDouble(random.float() * 1e6),
        });
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let data = Data::Sum(Sum {
            data_points,
            aggregation_temporality,
            is_monotonic: true,
        });
        metrics.push(metric(name, "Total number of", "1", data));
    }
    for (index, name) in GAUGES.iter().enumerate().take(mix.gauges) {
        let data_points = numbers(index, number, (start, time), |_| match index % 2 {
            0 => AsDouble(random.float()),
            _ => AsDouble((random.float() * 1000.0).round() / 8.0),
        });
        metrics.push(metric(name, "Current", "1", Data::Gauge(Gauge { data_points })));
    }
    for (index, name) in HISTOGRAMS.iter().enumerate().take(mix.histograms) {
        let mut point = |point| {
            let (bucket_counts, count) = counts(&mut random, 16, 500);
            HistogramDataPoint {
                attributes: attributes_of_point(index, point, number),
                start_time_unix_nano: start,
                time_unix_nano: time,
                count,
                sum: Some(count as f64 * random.float()),
                bucket_counts,
                explicit_bounds: BOUNDS.to_vec(),
                min: Some(0.0012),
                max: Some(13.2),
                ..Default::default()
            }
        };
        let data_points = (0..POINTS_OF_METRIC).map(&mut point).collect();
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let data = Data::Histogram(Histogram {
            data_points,
            aggregation_temporality,
        });
        metrics.push(metric(name, "Duration of", "s", data));
    }
    for index in 0..mix.exponential {
        let mut point = |point| {
            let (bucket_counts, count) = counts(&mut random, 40, 300);
            ExponentialHistogramDataPoint {
                attributes: attributes_of_point(index, point, number),
                start_time_unix_nano: start,
                time_unix_nano: time,
                count: count + 3,
                sum: Some(count as f64 * 900.0 * random.float()),
                scale: 3,
                zero_count: 3,
                positive: Some(Buckets {
                    offset: 40,
                    bucket_counts,
                }),
                ..Default::default()
            }
        };
        let data_points = (0..POINTS_OF_METRIC).map(&mut point).collect();
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let data = Data::ExponentialHistogram(ExponentialHistogram {
            data_points,
            aggregation_temporality,
        });
        metrics.push(metric(EXPONENTIAL, "Size of", "By", data));
    }
    let scope = InstrumentationScope {
        name: "io.opentelemetry.spring-webmvc-6.0".into(),
        version: "2.9.0-alpha".into(),
        ..Default::default()
    };
    ResourceMetrics {
        resource: Some(resource(number)),
        scope_metrics: vec![ScopeMetrics {
            scope: Some(scope),
            metrics,
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Otlp,
    Json,
    RemoteWrite,
}

/// A request that is encoded, and where its points are.
pub struct Request {
    /// Shared, since gRPC holds it while it is being sent.
    pub body: Arc<Vec<u8>>,
    times: Vec<usize>,
    kind: Kind,
    pub points: u64,
    /// When it was sent last, in nanoseconds since 1970.
    sent: u64,
}

impl Request {
    fn otlp(message: &ExportMetricsServiceRequest) -> Self {
        Self::marked(Kind::Otlp, message.encode_to_vec(), &MARK.to_le_bytes(), message)
    }

    fn json(message: &ExportMetricsServiceRequest) -> crate::Result<Self> {
        let mut value = serde_json::to_value(message)?;
        leave_out_defaults(&mut value);
        let body = serde_json::to_vec(&value)?;
        Ok(Self::marked(Kind::Json, body, MARK.to_string().as_bytes(), message))
    }

    fn marked(kind: Kind, body: Vec<u8>, mark: &[u8], message: &ExportMetricsServiceRequest) -> Self {
        let times: Vec<_> = memchr::memmem::find_iter(&body, mark).collect();
        let points = message.resource_metrics.len() * POINTS;
        assert_eq!(times.len(), points, "each point has one time");
        Self {
            body: Arc::new(body),
            times,
            kind,
            points: points as u64,
            sent: 0,
        }
    }

    /// Sets the time, a millisecond later than before at least, and lets every value go on: each number by one, each histogram
    /// by one observation. In JSON the time alone goes on, since a value's text may get longer.
    pub fn advance(&mut self) {
        self.sent = now().max(self.sent + 1_000_000);
        let nanoseconds = self.sent;
        let body = Arc::make_mut(&mut self.body);
        match self.kind {
            Kind::Otlp => advance_otlp(body, &self.times, nanoseconds),
            Kind::Json => {
                let time = nanoseconds.to_string();
                for &at in &self.times {
                    body[at..at + time.len()].copy_from_slice(time.as_bytes());
                }
            }
            Kind::RemoteWrite => {
                let mut time = Vec::with_capacity(6);
                encode_varint(nanoseconds / 1_000_000, &mut time);
                for &at in &self.times {
                    body[at..at + 6].copy_from_slice(&time);
                    // Behind the tag of the value and before that of the time.
                    add_float(body, at - 9);
                }
            }
        }
    }
}

fn advance_otlp(body: &mut [u8], times: &[usize], nanoseconds: u64) {
    for &at in times {
        body[at..at + 8].copy_from_slice(&nanoseconds.to_le_bytes());
        // Behind the time is the value of a number or the count of a histogram. Fields are in order of their numbers.
        match (body[at + 8], body.get(at + 17)) {
            // The integer of a number; else a double, behind which a histogram would have its sum.
            (0x31, _) => add_integer(body, at + 9),
            (0x21, Some(0x29)) => {
                add_integer(body, at + 9);
                add_float(body, at + 18);
                // The first bucket of bounds that are explicit behind a length of 128 bytes; else the count of zeroes
                // behind the scale.
                add_integer(body, at + 29);
            }
            (0x21, _) => add_float(body, at + 9),
            (tag, _) => panic!("a point has field {tag:#x} behind its time"),
        }
    }
}

/// Senders leave out what is not set; the types of the crate write all of it.
fn leave_out_defaults(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(leave_out_defaults);
            fields.retain(|name, value| match value {
                serde_json::Value::Null => false,
                serde_json::Value::Number(number) => name.starts_with("as") || number.as_f64() != Some(0.0),
                serde_json::Value::String(text) => !text.is_empty(),
                serde_json::Value::Array(items) => !items.is_empty(),
                _ => true,
            });
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(leave_out_defaults),
        _ => {}
    }
}

fn add_integer(body: &mut [u8], at: usize) {
    let word = word(body, at).wrapping_add(1);
    body[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

fn add_float(body: &mut [u8], at: usize) {
    let float = f64::from_bits(word(body, at)) + 1.0;
    body[at..at + 8].copy_from_slice(&float.to_le_bytes());
}

fn word(body: &[u8], at: usize) -> u64 {
    body[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
}

/// All requests of a round.
pub struct Input {
    pub otlp: Vec<Request>,
    /// The same, made when they are first asked for.
    remote_write: Vec<Request>,
    json: Vec<Request>,
    mixed: bool,
    series: usize,
    resources: usize,
    start: u64,
}

impl Input {
    pub fn new(mixed: bool, series: usize, resources: usize, start: u64) -> Self {
        let mut input = Self {
            otlp: Vec::new(),
            remote_write: Vec::new(),
            json: Vec::new(),
            mixed,
            series,
            resources,
            start,
        };
        input.otlp = input
            .firsts()
            .map(|first| Request::otlp(&input.message(first)))
            .collect();
        input
    }

    /// The first resource of each request.
    fn firsts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.series / POINTS).step_by(self.resources)
    }

    fn message(&self, first: usize) -> ExportMetricsServiceRequest {
        let mix = if self.mixed { MIXED } else { NUMBERS };
        let resource_metrics = (first..first + self.resources)
            .map(|number| resource_metrics(number, &mix, self.start, MARK))
            .collect();
        ExportMetricsServiceRequest { resource_metrics }
    }

    pub fn bytes(&self) -> usize {
        self.otlp.iter().map(|request| request.body.len()).sum()
    }

    /// Remote write 1.0, without its compression.
    pub fn remote_write(&mut self) -> crate::Result<&mut Vec<Request>> {
        if self.mixed {
            return Err("only numbers go over remote write".into());
        }
        if self.remote_write.is_empty() {
            self.remote_write = self.firsts().map(|first| remote_write(first, self.resources)).collect();
        }
        Ok(&mut self.remote_write)
    }

    /// The first requests in JSON, as many as memory is spent on gladly.
    pub fn json(&mut self) -> crate::Result<&mut Vec<Request>> {
        if self.json.is_empty() {
            let firsts = self.firsts().take(MOST_JSON);
            self.json = firsts
                .map(|first| Request::json(&self.message(first)))
                .collect::<crate::Result<_>>()?;
        }
        Ok(&mut self.json)
    }
}

/// A series as Prometheus has it.
struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

fn name_of(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect()
}

fn text_of(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn series_of(number: usize) -> Vec<Series> {
    let message = resource_metrics(number, &NUMBERS, 0, 0);
    let resource = message.resource.unwrap_or_default().attributes;
    let (job, instance) = (format!("shop/{}", text_of(&resource[0])), text_of(&resource[2]));
    let mut all = Vec::with_capacity(POINTS);
    for metric in &message.scope_metrics[0].metrics {
        let (points, suffix) = match &metric.data {
            Some(Data::Sum(sum)) => (&sum.data_points, "_total"),
            Some(Data::Gauge(gauge)) => (&gauge.data_points, ""),
            _ => continue,
        };
        for point in points {
            let mut labels: Vec<_> = point
                .attributes
                .iter()
                .map(|each| (name_of(&each.key), text_of(each)))
                .collect();
            labels.extend([("job".into(), job.clone()), ("instance".into(), instance.clone())]);
            labels.sort();
            let value = match point.value {
                Some(number_data_point::Value::AsInt(integer)) => integer as f64,
                Some(number_data_point::Value::AsDouble(float)) => float,
                None => f64::NAN,
            };
            let name = format!("{}{suffix}", name_of(metric.name.trim_end_matches(".total")));
            all.push(Series { name, labels, value });
        }
    }
    all
}

fn delimited(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn remote_write(first: usize, resources: usize) -> Request {
    // As long as the milliseconds of our days are.
    const TIME: u64 = 1_777_777_777_777;
    let (mut body, mut times) = (Vec::new(), Vec::new());
    for series in (first..first + resources).flat_map(series_of) {
        let mut message = Vec::new();
        let mut label = |name: &str, value: &str| {
            let mut pair = Vec::new();
            delimited(&mut pair, 0x0a, name.as_bytes());
            delimited(&mut pair, 0x12, value.as_bytes());
            delimited(&mut message, 0x0a, &pair);
        };
        label("__name__", &series.name);
        series.labels.iter().for_each(|(name, value)| label(name, value));
        let mut sample = vec![0x09];
        sample.extend_from_slice(&series.value.to_le_bytes());
        sample.push(0x10);
        encode_varint(TIME, &mut sample);
        delimited(&mut message, 0x12, &sample);
        delimited(&mut body, 0x0a, &message);
        times.push(body.len() - 6);
    }
    let points = times.len() as u64;
    Request {
        body: Arc::new(body),
        times,
        kind: Kind::RemoteWrite,
        points,
        sent: 0,
    }
}

/// The numbers as an exposition in text, family by family.
pub fn text(series: usize) -> Vec<u8> {
    let mut families: Vec<String> = Vec::new();
    for number in 0..series / POINTS {
        for (index, series) in series_of(number).into_iter().enumerate() {
            let family = index / POINTS_OF_METRIC;
            if families.len() <= family {
                let kind = if family < NUMBERS.sums { "counter" } else { "gauge" };
                families.push(format!("# TYPE {} {kind}\n", series.name));
            }
            let labels: Vec<_> = series
                .labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{value}\""))
                .collect();
            families[family] += &format!("{}{{{}}} {}\n", series.name, labels.join(","), series.value);
        }
    }
    families.concat().into_bytes()
}
