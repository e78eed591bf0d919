//! The generated types as the judge of the decoder: what it hands out is put together again as those types, and has to be what they
//! read from the same bytes. `fuzz/` uses this file too.

use meterbridge::otlp::{
    self, Attributes, Buckets, Exemplars, Kind, Metric, Number, Point, Resource, Scope, Sink, Temporality, Value,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::metrics::v1::{
    self as proto, AggregationTemporality, exemplar, exponential_histogram_data_point, metric::Data, number_data_point,
    summary_data_point::ValueAtQuantile,
};
use opentelemetry_proto::tonic::resource;
use prost::Message;

/// Reads the bytes both ways.
///
/// # Errors
///
/// What differs.
pub fn compare(bytes: &[u8]) -> Result<(), String> {
    let mut ours = Seen::default();
    let ours = otlp::decode(bytes, &mut ours).map(|()| ours.0);
    let theirs = ExportMetricsServiceRequest::decode(bytes).map(only_what_is_used);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            // As bytes, in which one NaN is like itself.
            if ours.encode_to_vec() == theirs.encode_to_vec() {
                Ok(())
            } else {
                Err(format!("ours: {ours:#?}\ntheirs: {theirs:#?}"))
            }
        }
        (Err(_), Err(_)) => Ok(()),
        (Err(ours), Ok(_)) if REFUSED_HERE_ALONE.iter().any(|words| ours.to_string().contains(words)) => Ok(()),
        (Ok(_), Err(theirs))
            if REFUSED_THERE_ALONE
                .iter()
                .any(|field| theirs.to_string().contains(field)) =>
        {
            Ok(())
        }
        (ours, theirs) => Err(format!("ours: {:?}\ntheirs: {:?}", ours.err(), theirs.err())),
    }
}

/// Groups have been out of protobuf since before OTLP, and the generated types stop at another depth (conformance B-04).
const REFUSED_HERE_ALONE: [&str; 3] = ["has the wire type 3", "has the wire type 4", "nested deeper than"];

/// Fields that are not used here, and so not read: only that they end where they should is seen.
const REFUSED_THERE_ALONE: [&str; 6] = [
    "Resource.entity_refs:",
    ".dropped_attributes_count:",
    ".min:",
    ".max:",
    "KeyValue.key_strindex:",
    "recursion limit",
];

/// A request, put together of what a sink is handed.
#[derive(Default)]
struct Seen(ExportMetricsServiceRequest);

impl Seen {
    fn resource_metrics(&mut self) -> &mut proto::ResourceMetrics {
        self.0.resource_metrics.last_mut().expect("a resource comes first")
    }

    fn scope_metrics(&mut self) -> &mut proto::ScopeMetrics {
        self.resource_metrics().scope_metrics.last_mut().expect("then a scope")
    }
}

impl Sink for Seen {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.0.resource_metrics.push(proto::ResourceMetrics {
            resource: Some(resource::v1::Resource {
                attributes: attributes(resource.attributes),
                ..Default::default()
            }),
            ..Default::default()
        });
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        let metrics = proto::ScopeMetrics {
            scope: Some(InstrumentationScope {
                name: scope.name.to_owned(),
                version: scope.version.to_owned(),
                attributes: attributes(scope.attributes),
                ..Default::default()
            }),
            metrics: Vec::new(),
            schema_url: scope.schema_url.to_owned(),
        };
        self.resource_metrics().scope_metrics.push(metrics);
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        let data = match metric.kind {
            Kind::Gauge => Data::Gauge(proto::Gauge::default()),
            Kind::Sum { monotonic, temporality } => Data::Sum(proto::Sum {
                data_points: Vec::new(),
                aggregation_temporality: number_of(temporality),
                is_monotonic: monotonic,
            }),
            Kind::Histogram(temporality) => Data::Histogram(proto::Histogram {
                data_points: Vec::new(),
                aggregation_temporality: number_of(temporality),
            }),
            Kind::ExponentialHistogram(temporality) => Data::ExponentialHistogram(proto::ExponentialHistogram {
                data_points: Vec::new(),
                aggregation_temporality: number_of(temporality),
            }),
            Kind::Summary => Data::Summary(proto::Summary::default()),
        };
        self.scope_metrics().metrics.push(proto::Metric {
            name: metric.name.to_owned(),
            description: metric.description.to_owned(),
            unit: metric.unit.to_owned(),
            metadata: attributes(metric.metadata),
            data: Some(data),
        });
    }

    fn point(&mut self, point: &Point<'_>) {
        let metric = self.scope_metrics().metrics.last_mut().expect("then a metric");
        match metric.data.as_mut().expect("which has data") {
            Data::Gauge(gauge) => gauge.data_points.push(number_point(point)),
            Data::Sum(sum) => sum.data_points.push(number_point(point)),
            Data::Histogram(histogram) => histogram.data_points.push(histogram_point(point)),
            Data::ExponentialHistogram(histogram) => histogram.data_points.push(exponential_point(point)),
            Data::Summary(summary) => summary.data_points.push(summary_point(point)),
        }
    }
}

fn number_of(temporality: Temporality) -> i32 {
    match temporality {
        Temporality::Unknown => AggregationTemporality::Unspecified as i32,
        Temporality::Delta => AggregationTemporality::Delta as i32,
        Temporality::Cumulative => AggregationTemporality::Cumulative as i32,
    }
}

fn number_point(point: &Point<'_>) -> proto::NumberDataPoint {
    let Value::Number(number) = point.value else {
        panic!("a number");
    };
    proto::NumberDataPoint {
        attributes: attributes(point.attributes),
        start_time_unix_nano: point.start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        exemplars: exemplars(point.exemplars),
        flags: point.no_recorded_value.into(),
        value: number.map(|number| match number {
            Number::Int(value) => number_data_point::Value::AsInt(value),
            Number::Double(value) => number_data_point::Value::AsDouble(value),
        }),
    }
}

fn histogram_point(point: &Point<'_>) -> proto::HistogramDataPoint {
    let Value::Histogram(histogram) = point.value else {
        panic!("a histogram");
    };
    let (mut bucket_counts, mut explicit_bounds) = (Vec::new(), Vec::new());
    histogram.bucket_counts(&mut bucket_counts);
    histogram.explicit_bounds(&mut explicit_bounds);
    proto::HistogramDataPoint {
        attributes: attributes(point.attributes),
        start_time_unix_nano: point.start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        count: histogram.count,
        sum: histogram.sum,
        bucket_counts,
        explicit_bounds,
        exemplars: exemplars(point.exemplars),
        flags: point.no_recorded_value.into(),
        ..Default::default()
    }
}

fn exponential_point(point: &Point<'_>) -> proto::ExponentialHistogramDataPoint {
    let Value::ExponentialHistogram(histogram) = point.value else {
        panic!("an exponential histogram");
    };
    proto::ExponentialHistogramDataPoint {
        attributes: attributes(point.attributes),
        start_time_unix_nano: point.start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        count: histogram.count,
        sum: histogram.sum,
        scale: histogram.scale,
        zero_count: histogram.zero_count,
        positive: Some(buckets(histogram.positive())),
        negative: Some(buckets(histogram.negative())),
        flags: point.no_recorded_value.into(),
        exemplars: exemplars(point.exemplars),
        zero_threshold: histogram.zero_threshold,
        ..Default::default()
    }
}

fn summary_point(point: &Point<'_>) -> proto::SummaryDataPoint {
    let Value::Summary(summary) = point.value else {
        panic!("a summary");
    };
    let quantiles = summary.quantiles().map(|at| ValueAtQuantile {
        quantile: at.quantile,
        value: at.value,
    });
    proto::SummaryDataPoint {
        attributes: attributes(point.attributes),
        start_time_unix_nano: point.start_unix_nano,
        time_unix_nano: point.time_unix_nano,
        count: summary.count,
        sum: summary.sum,
        quantile_values: quantiles.collect(),
        flags: point.no_recorded_value.into(),
    }
}

fn buckets(buckets: Buckets<'_>) -> exponential_histogram_data_point::Buckets {
    let mut bucket_counts = Vec::new();
    let offset = buckets.for_each_count(|count| bucket_counts.push(count));
    exponential_histogram_data_point::Buckets { offset, bucket_counts }
}

fn exemplars(exemplars: Exemplars<'_>) -> Vec<proto::Exemplar> {
    let made = exemplars.iter().map(|found| proto::Exemplar {
        filtered_attributes: attributes(found.filtered_attributes),
        time_unix_nano: found.time_unix_nano,
        span_id: found.span_id.to_vec(),
        trace_id: found.trace_id.to_vec(),
        value: found.value.map(|number| match number {
            Number::Int(value) => exemplar::Value::AsInt(value),
            Number::Double(value) => exemplar::Value::AsDouble(value),
        }),
    });
    made.collect()
}

fn attributes(attributes: Attributes<'_>) -> Vec<KeyValue> {
    let made = attributes.iter().map(|attribute| KeyValue {
        key: attribute.key.to_owned(),
        value: Some(any_value(attribute.value)),
        ..Default::default()
    });
    made.collect()
}

fn any_value(value: otlp::AnyValue<'_>) -> AnyValue {
    use any_value::Value as To;
    use otlp::AnyValue as From;
    let value = match value {
        From::Empty => None,
        From::StringIndex => Some(To::StringValueStrindex(0)),
        From::String(value) => Some(To::StringValue(value.to_owned())),
        From::Bool(value) => Some(To::BoolValue(value)),
        From::Int(value) => Some(To::IntValue(value)),
        From::Double(value) => Some(To::DoubleValue(value)),
        From::Bytes(value) => Some(To::BytesValue(value.to_vec())),
        From::Array(values) => Some(To::ArrayValue(ArrayValue {
            values: values.iter().map(any_value).collect(),
        })),
        From::Map(values) => Some(To::KvlistValue(KeyValueList {
            values: attributes(values),
        })),
    };
    AnyValue { value }
}

/// The request without what a sink is not told, and with the empty messages that it cannot tell from none.
fn only_what_is_used(mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
    for resource in &mut request.resource_metrics {
        resource.schema_url.clear();
        let from = resource.resource.get_or_insert_default();
        from.dropped_attributes_count = 0;
        from.entity_refs.clear();
        from.attributes.iter_mut().for_each(only_used_attribute);
        for scope in &mut resource.scope_metrics {
            let from = scope.scope.get_or_insert_default();
            from.dropped_attributes_count = 0;
            from.attributes.iter_mut().for_each(only_used_attribute);
            // Without data there is no metric (conformance P-09).
            scope.metrics.retain(|metric| metric.data.is_some());
            for metric in &mut scope.metrics {
                metric.metadata.iter_mut().for_each(only_used_attribute);
                metric.data.iter_mut().for_each(only_used_data);
            }
        }
    }
    request
}

fn only_used_data(data: &mut Data) {
    let known = |temporality: &mut i32| {
        if AggregationTemporality::try_from(*temporality).is_err() {
            *temporality = 0;
        }
    };
    match data {
        Data::Gauge(gauge) => gauge.data_points.iter_mut().for_each(only_used_number),
        Data::Sum(sum) => {
            known(&mut sum.aggregation_temporality);
            sum.data_points.iter_mut().for_each(only_used_number);
        }
        Data::Histogram(histogram) => {
            known(&mut histogram.aggregation_temporality);
            for point in &mut histogram.data_points {
                (point.min, point.max) = (None, None);
                only_used_parts(&mut point.attributes, &mut point.exemplars, &mut point.flags);
            }
        }
        Data::ExponentialHistogram(histogram) => {
            known(&mut histogram.aggregation_temporality);
            for point in &mut histogram.data_points {
                (point.min, point.max) = (None, None);
                point.positive.get_or_insert_default();
                point.negative.get_or_insert_default();
                only_used_parts(&mut point.attributes, &mut point.exemplars, &mut point.flags);
            }
        }
        Data::Summary(summary) => {
            for point in &mut summary.data_points {
                only_used_parts(&mut point.attributes, &mut [], &mut point.flags);
            }
        }
    }
}

fn only_used_number(point: &mut proto::NumberDataPoint) {
    only_used_parts(&mut point.attributes, &mut point.exemplars, &mut point.flags);
}

fn only_used_parts(attributes: &mut [KeyValue], exemplars: &mut [proto::Exemplar], flags: &mut u32) {
    attributes.iter_mut().for_each(only_used_attribute);
    let filtered = exemplars
        .iter_mut()
        .flat_map(|exemplar| &mut exemplar.filtered_attributes);
    filtered.for_each(only_used_attribute);
    // Whether there is no value; nothing else is known of them.
    *flags &= 1;
}

fn only_used_attribute(attribute: &mut KeyValue) {
    attribute.key_strindex = 0;
    only_used_value(attribute.value.get_or_insert_default());
}

fn only_used_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(any_value::Value::StringValueStrindex(index)) => *index = 0,
        Some(any_value::Value::ArrayValue(array)) => array.values.iter_mut().for_each(only_used_value),
        Some(any_value::Value::KvlistValue(map)) => map.values.iter_mut().for_each(only_used_attribute),
        _ => {}
    }
}
