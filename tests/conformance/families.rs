//! The protobuf format as its readers have it: `io.prometheus.client.MetricFamily`, and a way to write one down.

use std::fmt::Write;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub help: Option<String>,
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub r#type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub metric: Vec<Metric>,
    #[prost(string, optional, tag = "5")]
    pub unit: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
#[allow(clippy::upper_case_acronyms, reason = "the words of the schema")]
pub enum MetricType {
    COUNTER = 0,
    GAUGE = 1,
    SUMMARY = 2,
    UNTYPED = 3,
    HISTOGRAM = 4,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<Value>,
    #[prost(message, optional, tag = "3")]
    pub counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    pub summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    pub untyped: Option<Value>,
    #[prost(int64, optional, tag = "6")]
    pub timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LabelPair {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Counter {
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
    #[prost(message, optional, tag = "2")]
    pub exemplar: Option<Exemplar>,
    #[prost(message, optional, tag = "3")]
    pub start_timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub quantile: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    pub start_timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Quantile {
    #[prost(double, optional, tag = "1")]
    pub quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub bucket: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    pub schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    pub zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    pub zero_count: Option<u64>,
    #[prost(message, repeated, tag = "9")]
    pub negative_span: Vec<Span>,
    #[prost(sint64, repeated, tag = "10")]
    pub negative_delta: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    pub positive_span: Vec<Span>,
    #[prost(sint64, repeated, tag = "13")]
    pub positive_delta: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    pub start_timestamp: Option<Timestamp>,
    #[prost(message, repeated, tag = "16")]
    pub exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    pub cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub upper_bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub exemplar: Option<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Span {
    #[prost(sint32, optional, tag = "1")]
    pub offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub length: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// The messages of an exposition.
pub fn decode(mut bytes: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut bytes).unwrap());
    }
    families
}

/// The buckets that hold something, by Prometheus' index: what spans and deltas mean, however they are cut.
pub fn expand(spans: &[Span], deltas: &[i64]) -> Vec<(i64, i64)> {
    let mut deltas = deltas.iter();
    let (mut index, mut count) = (0, 0);
    let mut buckets = Vec::new();
    for span in spans {
        index += i64::from(span.offset.unwrap());
        for _ in 0..span.length.unwrap() {
            count += deltas.next().unwrap();
            buckets.push((index, count));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None, "as many deltas as the spans say");
    buckets.retain(|(_, count)| *count != 0);
    buckets
}

/// Messages as the page of the items writes them, one behind the other, fields in the order of their numbers.
pub fn prototext(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        let text = &mut text;
        string(text, "name", &family.name);
        string(text, "help", &family.help);
        let _ = write!(text, "type: {:?} ", family.r#type());
        string(text, "unit", &family.unit);
        for one in &family.metric {
            block(text, "metric", |text| metric(text, one));
        }
    }
    text.trim_end().to_owned()
}

fn string(text: &mut String, name: &str, value: &Option<String>) {
    if let Some(value) = value {
        let _ = write!(text, "{name}: {value:?} ");
    }
}

fn block(text: &mut String, name: &str, write: impl FnOnce(&mut String)) {
    let _ = write!(text, "{name} {{ ");
    write(text);
    text.push_str("} ");
}

fn scalar(text: &mut String, name: &str, value: Option<impl std::fmt::Debug>) {
    if let Some(value) = value {
        let value = format!("{value:?}").replace("NaN", "nan");
        let _ = write!(text, "{name}: {} ", value.strip_suffix(".0").unwrap_or(&value));
    }
}

fn metric(text: &mut String, metric: &Metric) {
    labels(text, &metric.label);
    for (name, value) in [("gauge", &metric.gauge), ("untyped", &metric.untyped)] {
        if let Some(value) = value {
            block(text, name, |text| scalar(text, "value", value.value));
        }
    }
    if let Some(counter) = &metric.counter {
        block(text, "counter", |text| {
            scalar(text, "value", counter.value);
            exemplars(text, "exemplar", counter.exemplar.as_slice());
            timestamp(text, "start_timestamp", &counter.start_timestamp);
        });
    }
    if let Some(summary) = &metric.summary {
        block(text, "summary", |text| {
            scalar(text, "sample_count", summary.sample_count);
            scalar(text, "sample_sum", summary.sample_sum);
            for quantile in &summary.quantile {
                block(text, "quantile", |text| {
                    scalar(text, "quantile", quantile.quantile);
                    scalar(text, "value", quantile.value);
                });
            }
            timestamp(text, "start_timestamp", &summary.start_timestamp);
        });
    }
    if let Some(one) = &metric.histogram {
        block(text, "histogram", |text| histogram(text, one));
    }
    scalar(text, "timestamp_ms", metric.timestamp_ms);
}

fn histogram(text: &mut String, histogram: &Histogram) {
    scalar(text, "sample_count", histogram.sample_count);
    scalar(text, "sample_sum", histogram.sample_sum);
    for bucket in &histogram.bucket {
        block(text, "bucket", |text| {
            scalar(text, "cumulative_count", bucket.cumulative_count);
            scalar(text, "upper_bound", bucket.upper_bound);
            exemplars(text, "exemplar", bucket.exemplar.as_slice());
        });
    }
    scalar(text, "schema", histogram.schema);
    scalar(text, "zero_threshold", histogram.zero_threshold);
    scalar(text, "zero_count", histogram.zero_count);
    for (side, spans, deltas) in [
        ("negative", &histogram.negative_span, &histogram.negative_delta),
        ("positive", &histogram.positive_span, &histogram.positive_delta),
    ] {
        for span in spans {
            block(text, &format!("{side}_span"), |text| {
                scalar(text, "offset", span.offset);
                scalar(text, "length", span.length);
            });
        }
        for delta in deltas {
            scalar(text, &format!("{side}_delta"), Some(delta));
        }
    }
    timestamp(text, "start_timestamp", &histogram.start_timestamp);
    exemplars(text, "exemplars", &histogram.exemplars);
}

fn labels(text: &mut String, labels: &[LabelPair]) {
    for label in labels {
        block(text, "label", |text| {
            string(text, "name", &label.name);
            string(text, "value", &label.value);
        });
    }
}

fn exemplars(text: &mut String, name: &str, exemplars: &[Exemplar]) {
    for exemplar in exemplars {
        block(text, name, |text| {
            labels(text, &exemplar.label);
            scalar(text, "value", exemplar.value);
            timestamp(text, "timestamp", &exemplar.timestamp);
        });
    }
}

fn timestamp(text: &mut String, name: &str, timestamp: &Option<Timestamp>) {
    if let Some(timestamp) = timestamp {
        block(text, name, |text| {
            scalar(text, "seconds", Some(timestamp.seconds));
            scalar(text, "nanos", Some(timestamp.nanos).filter(|nanos| *nanos != 0));
        });
    }
}
