//! OTLP in, text 0.0.4 out. Requests are built from the published types of OTLP; what is not said is as on the page of the
//! items: resource R0 (`service.name=svc`, `service.instance.id=i1`), unnamed scope, cumulative, end time 1 s.

use std::sync::Arc;
use std::time::{Duration, Instant};

use meterbridge::api::scrape::{Scrape, Selection};
use meterbridge::exposition::{Escaping, ExponentialForm, Format, Gathered, Style as FormatStyle, Syntax};
use meterbridge::model::{self, Exponential, Sample};
use meterbridge::otlp::{self, DecodeError, Encoding, json};
use meterbridge::store::{self, Identity, Store};
use meterbridge::translate::{self, Advice, Arrival, Memory, Outcome, Rules, Translator};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar,
    exponential_histogram_data_point::Buckets, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::families;
use crate::wire::{self, Style};

pub const SECOND: u64 = 1_000_000_000;
pub const DELTA: i32 = 1;
pub const CUMULATIVE: i32 = 2;

/// The value of an attribute.
pub fn any(value: impl Into<Any>) -> AnyValue {
    AnyValue { value: value.into().0 }
}

/// What becomes the value of an attribute.
pub struct Any(Option<any_value::Value>);

pub struct Empty;
pub struct Bytes(pub &'static [u8]);

impl From<&str> for Any {
    fn from(text: &str) -> Self {
        Self(Some(any_value::Value::StringValue(text.to_owned())))
    }
}

impl From<String> for Any {
    fn from(text: String) -> Self {
        Self(Some(any_value::Value::StringValue(text)))
    }
}

impl From<bool> for Any {
    fn from(value: bool) -> Self {
        Self(Some(any_value::Value::BoolValue(value)))
    }
}

impl From<i64> for Any {
    fn from(value: i64) -> Self {
        Self(Some(any_value::Value::IntValue(value)))
    }
}

impl From<f64> for Any {
    fn from(value: f64) -> Self {
        Self(Some(any_value::Value::DoubleValue(value)))
    }
}

impl From<Empty> for Any {
    fn from(_: Empty) -> Self {
        Self(None)
    }
}

impl From<Bytes> for Any {
    fn from(bytes: Bytes) -> Self {
        Self(Some(any_value::Value::BytesValue(bytes.0.to_vec())))
    }
}

impl From<Vec<AnyValue>> for Any {
    fn from(values: Vec<AnyValue>) -> Self {
        Self(Some(any_value::Value::ArrayValue(ArrayValue { values })))
    }
}

impl From<Vec<KeyValue>> for Any {
    fn from(values: Vec<KeyValue>) -> Self {
        Self(Some(any_value::Value::KvlistValue(KeyValueList { values })))
    }
}

impl From<Option<any_value::Value>> for Any {
    fn from(value: Option<any_value::Value>) -> Self {
        Self(value)
    }
}

pub fn pair(key: &str, value: impl Into<Any>) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(any(value)),
        ..KeyValue::default()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| pair(key, *value)).collect()
}

/// A metric that is being put together; what is said of a point is said of the last one.
#[derive(Clone, Debug)]
pub struct Build(pub Metric);

fn build(name: &str, data: metric::Data) -> Build {
    Build(Metric {
        name: name.to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

pub fn gauge(name: &str) -> Build {
    build(name, metric::Data::Gauge(Gauge::default()))
}

pub fn sum(name: &str, is_monotonic: bool, aggregation_temporality: i32) -> Build {
    build(
        name,
        metric::Data::Sum(Sum {
            is_monotonic,
            aggregation_temporality,
            ..Sum::default()
        }),
    )
}

pub fn counter(name: &str) -> Build {
    sum(name, true, CUMULATIVE)
}

pub fn updown(name: &str) -> Build {
    sum(name, false, CUMULATIVE)
}

pub fn hist(name: &str) -> Build {
    let aggregation_temporality = CUMULATIVE;
    build(
        name,
        metric::Data::Histogram(Histogram {
            aggregation_temporality,
            ..Histogram::default()
        }),
    )
}

pub fn exphist(name: &str) -> Build {
    let aggregation_temporality = CUMULATIVE;
    let empty = ExponentialHistogram {
        aggregation_temporality,
        ..ExponentialHistogram::default()
    };
    build(name, metric::Data::ExponentialHistogram(empty))
}

pub fn summary(name: &str) -> Build {
    build(name, metric::Data::Summary(Summary::default()))
}

/// The value of a number point.
pub enum Value {
    Int(i64),
    Double(f64),
    Unset,
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl Build {
    pub fn unit(mut self, unit: &str) -> Self {
        self.0.unit = unit.to_owned();
        self
    }

    pub fn help(mut self, help: &str) -> Self {
        self.0.description = help.to_owned();
        self
    }

    pub fn meta(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.push(pair(key, value));
        self
    }

    pub fn temporality(mut self, temporality: i32) -> Self {
        match self.0.data.as_mut().unwrap() {
            metric::Data::Sum(sum) => sum.aggregation_temporality = temporality,
            metric::Data::Histogram(histogram) => histogram.aggregation_temporality = temporality,
            metric::Data::ExponentialHistogram(histogram) => histogram.aggregation_temporality = temporality,
            metric::Data::Gauge(_) | metric::Data::Summary(_) => panic!("no temporality"),
        }
        self
    }

    /// A number point.
    pub fn is(mut self, value: impl Into<Value>) -> Self {
        let value = match value.into() {
            Value::Int(value) => Some(number_data_point::Value::AsInt(value)),
            Value::Double(value) => Some(number_data_point::Value::AsDouble(value)),
            Value::Unset => None,
        };
        let point = NumberDataPoint {
            value,
            time_unix_nano: SECOND,
            ..NumberDataPoint::default()
        };
        match self.0.data.as_mut().unwrap() {
            metric::Data::Gauge(gauge) => gauge.data_points.push(point),
            metric::Data::Sum(sum) => sum.data_points.push(point),
            _ => panic!("no number"),
        }
        self
    }

    /// A histogram point whose count is the total of its buckets.
    pub fn buckets(mut self, bounds: &[f64], counts: &[u64], sum: impl Into<Option<f64>>) -> Self {
        let metric::Data::Histogram(histogram) = self.0.data.as_mut().unwrap() else {
            panic!("no histogram")
        };
        histogram.data_points.push(HistogramDataPoint {
            explicit_bounds: bounds.to_vec(),
            bucket_counts: counts.to_vec(),
            count: counts.iter().fold(0, |total, count| total.wrapping_add(*count)),
            sum: sum.into(),
            time_unix_nano: SECOND,
            ..HistogramDataPoint::default()
        });
        self
    }

    /// Of the last histogram point.
    pub fn count(mut self, count: u64) -> Self {
        let metric::Data::Histogram(histogram) = self.0.data.as_mut().unwrap() else {
            panic!("no histogram")
        };
        histogram.data_points.last_mut().unwrap().count = count;
        self
    }

    /// A summary point.
    pub fn quantiles(mut self, quantiles: &[(f64, f64)], count: u64, sum: f64) -> Self {
        let metric::Data::Summary(summary) = self.0.data.as_mut().unwrap() else {
            panic!("no summary")
        };
        let quantile_values = quantiles.iter().map(|(quantile, value)| ValueAtQuantile {
            quantile: *quantile,
            value: *value,
        });
        summary.data_points.push(SummaryDataPoint {
            quantile_values: quantile_values.collect(),
            count,
            sum,
            time_unix_nano: SECOND,
            ..SummaryDataPoint::default()
        });
        self
    }

    /// An exponential histogram point: `exphist("e").exponential(|p| p.scale(0).zero(1).positive(1, &[0, 2]).sum(10.0))`. Its
    /// count is the total of its buckets unless another is said.
    pub fn exponential(mut self, says: impl FnOnce(ExponentialPoint) -> ExponentialPoint) -> Self {
        let metric::Data::ExponentialHistogram(histogram) = self.0.data.as_mut().unwrap() else {
            panic!("no histogram")
        };
        histogram.data_points.push(says(ExponentialPoint::default()).finish());
        self
    }

    pub fn delta(self) -> Self {
        self.temporality(DELTA)
    }

    /// An exemplar of the last point: `.exemplar(|e| e.is(1.0).t(1.5).trace("5b8e…").attr("k", "v"))`.
    pub fn exemplar(mut self, says: impl FnOnce(ExemplarOf) -> ExemplarOf) -> Self {
        let exemplar = says(ExemplarOf::default()).0;
        match self.0.data.as_mut().unwrap() {
            metric::Data::Gauge(data) => data.data_points.last_mut().unwrap().exemplars.push(exemplar),
            metric::Data::Sum(data) => data.data_points.last_mut().unwrap().exemplars.push(exemplar),
            metric::Data::Histogram(data) => data.data_points.last_mut().unwrap().exemplars.push(exemplar),
            metric::Data::ExponentialHistogram(data) => data.data_points.last_mut().unwrap().exemplars.push(exemplar),
            metric::Data::Summary(_) => panic!("no exemplars"),
        }
        self
    }

    pub fn attr(mut self, key: &str, value: impl Into<Any>) -> Self {
        self.last().attributes.push(pair(key, value));
        self
    }

    /// The start time in seconds.
    pub fn s(mut self, seconds: u64) -> Self {
        *self.last().start = seconds * SECOND;
        self
    }

    /// The end time in seconds.
    pub fn t(mut self, seconds: u64) -> Self {
        *self.last().time = seconds * SECOND;
        self
    }

    /// Start and end in nanoseconds.
    pub fn nanos(mut self, start: u64, time: u64) -> Self {
        let point = self.last();
        (*point.start, *point.time) = (start, time);
        self
    }

    /// Flags the point as one without a recorded value.
    pub fn stale(mut self) -> Self {
        *self.last().flags = 1;
        self
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        match self.0.data.as_ref().unwrap() {
            metric::Data::Gauge(data) => data.data_points.len(),
            metric::Data::Sum(data) => data.data_points.len(),
            metric::Data::Histogram(data) => data.data_points.len(),
            metric::Data::ExponentialHistogram(data) => data.data_points.len(),
            metric::Data::Summary(data) => data.data_points.len(),
        }
    }

    fn last(&mut self) -> LastPoint<'_> {
        macro_rules! last {
            ($($kind:ident),*) => {
                match self.0.data.as_mut().unwrap() {
                    $(metric::Data::$kind(data) => {
                        let point = data.data_points.last_mut().unwrap();
                        LastPoint {
                            attributes: &mut point.attributes,
                            start: &mut point.start_time_unix_nano,
                            time: &mut point.time_unix_nano,
                            flags: &mut point.flags,
                        }
                    })*
                }
            };
        }
        last!(Gauge, Sum, Histogram, ExponentialHistogram, Summary)
    }
}

/// What points of all kinds have.
struct LastPoint<'a> {
    attributes: &'a mut Vec<KeyValue>,
    start: &'a mut u64,
    time: &'a mut u64,
    flags: &'a mut u32,
}

/// An exponential histogram point that is being put together.
#[derive(Default)]
pub struct ExponentialPoint {
    point: ExponentialHistogramDataPoint,
    count: Option<u64>,
}

impl ExponentialPoint {
    pub fn scale(mut self, scale: i32) -> Self {
        self.point.scale = scale;
        self
    }

    pub fn zero(mut self, count: u64) -> Self {
        self.point.zero_count = count;
        self
    }

    pub fn threshold(mut self, threshold: f64) -> Self {
        self.point.zero_threshold = threshold;
        self
    }

    pub fn positive(mut self, offset: i32, counts: &[u64]) -> Self {
        let bucket_counts = counts.to_vec();
        self.point.positive = Some(Buckets { offset, bucket_counts });
        self
    }

    pub fn negative(mut self, offset: i32, counts: &[u64]) -> Self {
        let bucket_counts = counts.to_vec();
        self.point.negative = Some(Buckets { offset, bucket_counts });
        self
    }

    pub fn sum(mut self, sum: f64) -> Self {
        self.point.sum = Some(sum);
        self
    }

    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    fn finish(mut self) -> ExponentialHistogramDataPoint {
        let sides = [&self.point.positive, &self.point.negative].into_iter().flatten();
        let total = sides
            .flat_map(|side| &side.bucket_counts)
            .fold(self.point.zero_count, |total, count| total.wrapping_add(*count));
        self.point.count = self.count.unwrap_or(total);
        self.point.time_unix_nano = SECOND;
        self.point
    }
}

/// An exemplar that is being put together.
#[derive(Default)]
pub struct ExemplarOf(Exemplar);

impl ExemplarOf {
    pub fn is(mut self, value: impl Into<Value>) -> Self {
        self.0.value = match value.into() {
            Value::Int(value) => Some(exemplar::Value::AsInt(value)),
            Value::Double(value) => Some(exemplar::Value::AsDouble(value)),
            Value::Unset => None,
        };
        self
    }

    /// In seconds.
    pub fn t(mut self, seconds: f64) -> Self {
        self.0.time_unix_nano = (seconds * SECOND as f64) as u64;
        self
    }

    /// In nanoseconds.
    pub fn nanos(mut self, time: u64) -> Self {
        self.0.time_unix_nano = time;
        self
    }

    /// In hexadecimal.
    pub fn trace(mut self, id: &str) -> Self {
        self.0.trace_id = unhex(id);
        self
    }

    /// In hexadecimal.
    pub fn span(mut self, id: &str) -> Self {
        self.0.span_id = unhex(id);
        self
    }

    pub fn attr(mut self, key: &str, value: impl Into<Any>) -> Self {
        self.0.filtered_attributes.push(pair(key, value));
        self
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A request of one resource.
#[derive(Clone, Debug)]
pub struct Request(pub ResourceMetrics);

/// From a resource of these attributes.
pub fn from(attributes: &[(&str, &str)]) -> Request {
    from_pairs(pairs(attributes))
}

pub fn from_pairs(attributes: Vec<KeyValue>) -> Request {
    let resource = Some(Resource {
        attributes,
        ..Resource::default()
    });
    Request(ResourceMetrics {
        resource,
        ..ResourceMetrics::default()
    })
}

/// From R0 and these attributes beside.
pub fn from_r0(beside: &[(&str, &str)]) -> Request {
    let mut attributes = pairs(&[("service.name", "svc"), ("service.instance.id", "i1")]);
    attributes.extend(pairs(beside));
    from_pairs(attributes)
}

impl Request {
    pub fn metrics(self, metrics: impl IntoIterator<Item = Build>) -> Self {
        self.scope(InstrumentationScope::default(), "", metrics)
    }

    /// In a scope of that name.
    pub fn scope_named(self, name: &str, metrics: impl IntoIterator<Item = Build>) -> Self {
        self.scope(
            InstrumentationScope {
                name: name.to_owned(),
                ..InstrumentationScope::default()
            },
            "",
            metrics,
        )
    }

    pub fn scope(
        mut self,
        scope: InstrumentationScope,
        schema_url: &str,
        metrics: impl IntoIterator<Item = Build>,
    ) -> Self {
        self.0.scope_metrics.push(ScopeMetrics {
            scope: Some(scope),
            metrics: metrics.into_iter().map(|metric| metric.0).collect(),
            schema_url: schema_url.to_owned(),
        });
        self
    }
}

pub fn encode(requests: impl IntoIterator<Item = Request>) -> Vec<u8> {
    let resource_metrics = requests.into_iter().map(|request| request.0).collect();
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

impl From<Build> for Request {
    fn from(metric: Build) -> Self {
        from_r0(&[]).metrics([metric])
    }
}

impl<const N: usize> From<[Build; N]> for Request {
    fn from(metrics: [Build; N]) -> Self {
        from_r0(&[]).metrics(metrics)
    }
}

/// A store with what stands around it, and a time of its own.
pub struct Bridge {
    pub store: Arc<Store>,
    rules: Rules,
    start: Instant,
    now: Instant,
    /// What the clock on the wall shows when a request comes, in seconds since the Unix epoch.
    pub arrival: u64,
    style: Style,
}

impl Bridge {
    pub fn new() -> Self {
        Self::with(store::Limits::default(), Rules::default())
    }

    pub fn ruled(rules: Rules) -> Self {
        Self::with(store::Limits::default(), rules)
    }

    pub fn with(caps: store::Limits, rules: Rules) -> Self {
        let start = Instant::now();
        Self {
            store: Arc::new(Store::new(caps, start)),
            rules,
            start,
            now: start,
            arrival: 0,
            style: Style::Plain,
        }
    }

    /// From now on requests are encoded in this style.
    pub fn in_style(style: Style) -> Self {
        Self { style, ..Self::new() }
    }

    /// From now on it is so late.
    pub fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = self.start + Duration::from_secs(seconds);
        self
    }

    pub fn sweep(&self) -> usize {
        self.store.sweep(self.now)
    }

    pub fn send(&self, request: impl Into<Request>) -> Answer {
        self.send_all([request.into()])
    }

    /// Several resources in one request.
    pub fn send_all(&self, requests: impl IntoIterator<Item = Request>) -> Answer {
        self.take(&wire::restyle(self.style, &encode(requests))).unwrap()
    }

    /// A request as bytes.
    pub fn take(&self, protobuf: &[u8]) -> Result<Answer, DecodeError> {
        let mut translator = self.translator();
        otlp::decode(protobuf, &mut translator)?;
        Ok(Answer(translator.finish()))
    }

    /// A request as bytes, recognised by what the memory holds of those before.
    pub fn remember(&self, memory: &Memory, protobuf: &[u8]) -> Result<Answer, DecodeError> {
        translate::request(
            &self.store,
            &self.rules,
            memory,
            self.arrival(),
            Encoding::Protobuf,
            protobuf,
        )
        .map(Answer)
    }

    /// A request as bytes, where U+FFFD takes the place of what is not UTF-8.
    pub fn take_lossy(&self, protobuf: &[u8]) -> Result<Answer, DecodeError> {
        let mut translator = self.translator();
        let replaced = otlp::decode_lossy(protobuf, &mut translator)?;
        translator.replaced_utf8(replaced);
        Ok(Answer(translator.finish()))
    }

    /// The same as OTLP/JSON.
    pub fn json_lossy(&self, text: &[u8]) -> Result<Answer, DecodeError> {
        let transcoded = json::transcode_lossy(text)?;
        let mut translator = self.translator();
        otlp::decode(&transcoded.protobuf, &mut translator)?;
        translator.replaced_utf8(transcoded.replaced);
        Ok(Answer(translator.finish()))
    }

    fn translator(&self) -> Translator<'_> {
        Translator::new(&self.store, &self.rules, self.arrival())
    }

    fn arrival(&self) -> Arrival {
        Arrival {
            instant: self.now,
            unix_nano: self.arrival * SECOND,
        }
    }

    /// A request as OTLP/JSON.
    pub fn json(&self, text: &str) -> Result<Answer, DecodeError> {
        self.take(&json::transcode(text.as_bytes())?.protobuf)
    }

    /// What `/metrics/otlp` shows.
    pub fn scrape(&self) -> String {
        self.scrape_in_pieces_of(1 << 16)
    }

    pub fn scrape_in_pieces_of(&self, size: usize) -> String {
        String::from_utf8(self.scrape_as(T4, size)).unwrap()
    }

    /// The same in another format, in pieces of about that size.
    pub fn scrape_as(&self, format: Format, size: usize) -> Vec<u8> {
        let mut scrape = self.begin(format, Vec::new(), None);
        let mut out = Vec::new();
        while scrape.next(&mut out, size) {}
        out
    }

    /// How many families and series a format leaves out for the first time.
    pub fn left_out(&self, format: Format) -> u64 {
        let mut scrape = self.begin(format, Vec::new(), None);
        while scrape.next(&mut Vec::new(), 1 << 16) {}
        scrape.left_out()
    }

    /// A scrape of what is held now, or of one source alone, beside these families of the service's own.
    pub fn begin(&self, format: Format, own: Vec<Gathered>, source: Option<Arc<store::Source>>) -> Scrape {
        let selection = Selection {
            own,
            bridged: true,
            source,
        };
        Scrape::new(Arc::clone(&self.store), format, selection, self.now)
    }

    #[track_caller]
    pub fn shows_in(&self, format: Format, expected: &str) {
        let found = self.scrape_as(format, 1 << 16);
        match format.syntax {
            Syntax::Protobuf => {
                let expected: Vec<&str> = expected.split_whitespace().collect();
                assert_eq!(families::prototext(&families::decode(&found)), expected.join(" "));
            }
            _ => assert_eq!(String::from_utf8(found).unwrap(), text(expected)),
        }
    }

    /// What `read` makes of each series that is held, by the name of its family; families in no order.
    pub fn held<T>(&self, mut read: impl FnMut(&str, model::Series<'_>) -> T) -> Vec<T> {
        let mut found = Vec::new();
        for cell in self.store.families() {
            cell.read(self.store.start(self.now), usize::MAX, |batch| {
                let name = batch.family.name.clone();
                while let Some(shown) = batch.next() {
                    found.push(read(&name, shown.series));
                }
            });
        }
        found
    }

    /// The only series, which is an exponential histogram.
    #[track_caller]
    pub fn exponential(&self) -> Exponential {
        let held = self.held(|_, series| match series.sample {
            Sample::Exponential(histogram) => Exponential::from(histogram),
            other => panic!("{other:?}"),
        });
        let [histogram] = <[_; 1]>::try_from(held).unwrap();
        histogram
    }

    #[track_caller]
    pub fn shows(&self, expected: &str) {
        assert_eq!(self.scrape(), text(expected));
    }

    /// The labels of all series of a family, as the store has them: before anything is escaped.
    pub fn labels_in(&self, family: &str) -> Vec<String> {
        let cells = self.store.families();
        let cell = cells.iter().find(|cell| cell.name() == family).unwrap();
        let start = self.store.start(self.now);
        let labels = |batch: &mut store::Batch<'_>| Some(batch.next()?.series.labels.to_owned());
        cell.read(start, usize::MAX, |batch| {
            std::iter::from_fn(|| labels(batch)).collect()
        })
        .0
    }

    /// The labels of `target_info` of the only source, likewise.
    pub fn target(&self) -> Option<String> {
        let [source] = &*self.store.sources() else {
            panic!("one source")
        };
        source.target().map(|labels| labels.as_str().to_owned())
    }

    pub fn holds(&self, job: &str, instance: &str) -> bool {
        self.store
            .source(&Identity {
                job: Some(job.into()),
                instance: instance.into(),
            })
            .is_some()
    }
}

const fn format(syntax: Syntax, escaping: Escaping) -> Format {
    let style = FormatStyle {
        created_lines: false,
        timestamps: false,
        exponential: ExponentialForm::Both,
    };
    Format {
        syntax,
        escaping,
        style,
    }
}

/// Text 0.0.4.
pub const T4: Format = format(Syntax::Text, Escaping::Underscores);
/// Text 1.0.0 with names in UTF-8.
pub const T1: Format = format(Syntax::Text1, Escaping::AllowUtf8);
/// OpenMetrics 1.0, likewise.
pub const OM: Format = format(Syntax::OpenMetrics, Escaping::AllowUtf8);
/// OpenMetrics 2.0, likewise.
pub const OM2: Format = format(Syntax::OpenMetrics2, Escaping::AllowUtf8);
/// Protobuf.
pub const P: Format = format(Syntax::Protobuf, Escaping::Underscores);

/// With what an operator may choose.
pub fn styled(mut format: Format, choose: impl FnOnce(&mut FormatStyle)) -> Format {
    choose(&mut format.style);
    format
}

/// With another scheme for names.
pub fn escaped(mut format: Format, escaping: Escaping) -> Format {
    format.escaping = escaping;
    format
}

/// Expected text may be indented and begin on a line of its own; no line of the format begins with a blank.
pub fn text(expected: &str) -> String {
    expected
        .trim_start()
        .lines()
        .map(|line| format!("{}\n", line.trim_start()))
        .collect()
}

/// What the sender is told.
pub struct Answer(pub Outcome);

impl Answer {
    pub fn message(&self) -> String {
        self.0.message().unwrap_or_default()
    }

    /// How many points were accepted; the rest by reason.
    pub fn counts(&self) -> (u64, Vec<(&'static str, u64)>) {
        let refused = self.0.refused().map(|(reason, count)| (reason.as_str(), count));
        (self.0.total_accepted(), refused.collect())
    }

    /// All points were accepted, and there is nothing to tell.
    #[track_caller]
    pub fn expect_plain(self) -> Self {
        assert_eq!((self.0.total_refused(), self.0.message()), (0, None));
        self
    }

    /// All points were accepted, with exactly this to tell.
    #[track_caller]
    pub fn advises(self, message: &str) -> Self {
        assert_eq!((self.0.total_refused(), &*self.message()), (0, message));
        self
    }

    /// So many were accepted and one was refused, with exactly this message behind the count.
    #[track_caller]
    pub fn refuses_one(self, accepted: u64, message: &str) -> Self {
        let reason = message.split(": ").next().unwrap();
        assert_eq!(self.message(), format!("1 point rejected: {message}"));
        let (found, refused) = self.counts();
        assert_eq!((found, &*refused), (accepted, &[(reason, 1)][..]));
        self
    }

    /// So many were accepted, and these refused.
    #[track_caller]
    pub fn refuses(self, accepted: u64, refused: &[(&str, u64)]) -> Self {
        let (found, by_reason) = self.counts();
        assert_eq!((found, &*by_reason), (accepted, refused), "{}", self.message());
        self
    }

    #[track_caller]
    pub fn collides(self, times: u64) -> Self {
        assert_eq!(self.0.collisions, times);
        self
    }

    #[track_caller]
    pub fn ignores(self, points: u64) -> Self {
        assert_eq!(self.0.ignored, points);
        self
    }

    pub fn advised(&self) -> Vec<(Advice, u64)> {
        self.0.advised().collect()
    }
}

/// One request, one scrape: accepted without a word in every style of encoding, and shown so.
#[track_caller]
pub fn row(request: impl Into<Request>, expected: &str) {
    let request = request.into();
    for style in Style::ALL {
        let bridge = Bridge::in_style(style);
        bridge.send(request.clone()).expect_plain();
        assert_eq!(bridge.scrape(), text(expected), "{style:?}");
    }
}

/// A request of one point that is refused with this message, and leaves nothing behind.
#[track_caller]
pub fn refused(request: impl Into<Request>, message: &str) {
    let request = request.into();
    for style in Style::ALL {
        let bridge = Bridge::in_style(style);
        bridge.send(request.clone()).refuses_one(0, message);
        assert_eq!(bridge.scrape(), "");
        assert_eq!((bridge.store.series(), bridge.store.source_count()), (0, 0));
    }
}

/// The name of the only family of a metric.
#[track_caller]
pub fn family_of(metric: Build) -> String {
    let bridge = Bridge::new();
    bridge.send(metric).expect_plain();
    let [cell] = &*bridge.store.families() else {
        panic!("one family")
    };
    cell.name().to_owned()
}

/// The line of the only series of a gauge `g` of value 1, without `g` and the value.
#[track_caller]
pub fn labels_of(request: impl Into<Request>) -> String {
    let bridge = Bridge::new();
    bridge.send(request);
    let text = bridge.scrape();
    let line = text.lines().find(|line| line.starts_with("g{")).unwrap();
    line.strip_prefix('g')
        .and_then(|line| line.strip_suffix(" 1"))
        .unwrap()
        .to_owned()
}

/// The same by these rules, and without the braces: the only series of a gauge `g`.
#[track_caller]
pub fn labels_by(rules: &Rules, request: impl Into<Request>) -> String {
    let bridge = Bridge::ruled(rules.clone());
    bridge.send(request);
    let [labels] = &*bridge.labels_in("g") else {
        panic!("one series")
    };
    labels.clone()
}

/// One request, one scrape in that format: accepted without a word, and shown so.
#[track_caller]
pub fn row_in(format: Format, request: impl Into<Request>, expected: &str) {
    let bridge = Bridge::new();
    bridge.send(request).expect_plain();
    bridge.shows_in(format, expected);
}

/// One request as it shows in several formats. `R0` stands for the labels of R0.
#[track_caller]
pub fn forms(request: impl Into<Request>, expected: &[(Format, &str)]) {
    forms_by(Rules::default(), request, expected);
}

/// The same by other rules.
#[track_caller]
pub fn forms_by(rules: Rules, request: impl Into<Request>, expected: &[(Format, &str)]) {
    let bridge = Bridge::ruled(rules);
    bridge.send(request).expect_plain();
    bridge.shows_forms(expected);
}

impl Bridge {
    /// `R0` stands for the labels of R0.
    #[track_caller]
    pub fn shows_forms(&self, expected: &[(Format, &str)]) {
        for (format, expected) in expected {
            let labels = match format.syntax {
                Syntax::Protobuf => r#"label { name: "instance" value: "i1" } label { name: "job" value: "svc" }"#,
                _ => r#"instance="i1",job="svc""#,
            };
            self.shows_in(*format, &expected.replace("R0", labels));
        }
    }
}
