use prometheus::proto;

use crate::model::{
    Exemplar, Exemplars, Family, Histogram, Labels, MetricType, Number, Sample, Series, Value, push_label,
};

/// A family of the `prometheus` crate's registry, in the words of [`crate::model`]: this is how a service's own instruments
/// come to be written by the same writers as everything else.
#[derive(Debug)]
pub struct Gathered {
    /// Name, type and help. The registry knows no units.
    pub family: Family,
    /// Its series, in the registry's order.
    pub series: Vec<GatheredSeries>,
}

/// One series of a [`Gathered`] family.
#[derive(Debug)]
pub struct GatheredSeries {
    /// Its labels.
    pub labels: Labels,
    /// Those of its buckets, ordered by value; the registry has none.
    pub exemplars: Vec<Exemplar>,
    value: Value,
}

impl GatheredSeries {
    /// As a format writes it.
    pub fn series(&self) -> Series<'_> {
        Series {
            labels: self.labels.as_str(),
            sample: self.value.sample(),
            start_unix_nano: 0,
            time_unix_nano: 0,
            exemplars: Exemplars {
                by_bucket: &self.exemplars,
                newest: &[],
            },
        }
    }
}

impl Gathered {
    /// A series that says what it has to say in its labels.
    pub fn info(labels: Labels) -> GatheredSeries {
        GatheredSeries {
            labels,
            exemplars: Vec::new(),
            value: Value::Number(Number::Double(1.0)),
        }
    }

    /// Takes a family over. `None` for a summary, which OpenTelemetry does not have.
    pub fn of(family: &proto::MetricFamily) -> Option<Self> {
        let metric_type = match family.get_field_type() {
            proto::MetricType::COUNTER => MetricType::Counter,
            // The exporter has no other word for it.
            proto::MetricType::GAUGE if family.name() == "target_info" => MetricType::Info,
            proto::MetricType::GAUGE => MetricType::Gauge,
            proto::MetricType::HISTOGRAM => MetricType::Histogram,
            proto::MetricType::UNTYPED => MetricType::Unknown,
            _ => return None,
        };
        let series = family
            .get_metric()
            .iter()
            .map(|metric| GatheredSeries {
                labels: labels(metric),
                exemplars: Vec::new(),
                value: value(metric_type, metric),
            })
            .collect();
        let family = Family {
            name: family.name().to_owned(),
            metric_type,
            help: family.help().to_owned(),
            unit: String::new(),
            unit_in_name: false,
        };
        Some(Self { family, series })
    }
}

fn labels(metric: &proto::Metric) -> Labels {
    let mut pairs: Vec<_> = metric
        .get_label()
        .iter()
        .filter(|pair| !pair.value().is_empty())
        .collect();
    pairs.sort_by_key(|pair| pair.name());
    let mut text = String::new();
    for pair in pairs {
        push_label(&mut text, pair.name(), pair.value());
    }
    Labels::from_text(&text)
}

fn value(metric_type: MetricType, metric: &proto::Metric) -> Value {
    let double = |value: f64| Value::Number(Number::Double(value));
    match metric_type {
        MetricType::Counter => double(metric.get_counter().get_value()),
        MetricType::Histogram => {
            let histogram = metric.get_histogram();
            let finite = histogram
                .get_bucket()
                .iter()
                .filter(|bucket| bucket.upper_bound().is_finite());
            let (bounds, mut counts): (Vec<_>, Vec<_>) = finite
                .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
                .unzip();
            counts.push(histogram.get_sample_count());
            Value::from(Sample::Histogram(Histogram {
                bounds: &bounds,
                counts: &counts,
                sum: Some(histogram.get_sample_sum()),
            }))
        }
        _ => double(metric.get_gauge().get_value()),
    }
}
