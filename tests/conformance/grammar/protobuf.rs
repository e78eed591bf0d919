//! Delimited `io.prometheus.client.MetricFamily`, by the rules of E-07, F-07, F-10 and X-06.

use std::collections::{HashMap, HashSet};

use meterbridge::exposition::{ExponentialForm, Format};

use super::family::{check_labels, derived};
use super::line::{allowed, exemplar_labels, is_legal};
use super::text::{check_buckets, check_quantiles};
use crate::families::{Exemplar, Histogram, LabelPair, Metric, MetricFamily, MetricType, Span, Timestamp, decode};

pub fn check(format: Format, exposition: &[u8], is_settled: bool) -> Result<(), String> {
    let families = decode(exposition);
    let mut owners: HashMap<String, &str> = HashMap::new();
    for same in families.chunk_by(|a, b| a.name == b.name) {
        let name = same[0].name();
        let word = word(same[0].r#type());
        for suffix in derived(word) {
            if let Some(owner) = owners.insert(format!("{name}{suffix}"), name) {
                return Err(format!("{name}{suffix} is a name of {owner} and of {name}"));
            }
        }
        family(format, same, is_settled).map_err(|what| format!("{what}, in {name:?}"))?;
    }
    Ok(())
}

fn word(metric_type: MetricType) -> &'static str {
    match metric_type {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
        MetricType::HISTOGRAM => "histogram",
    }
}

/// The messages of one family: one, or with native histograms one for each series.
fn family(format: Format, same: &[MetricFamily], is_settled: bool) -> Result<(), String> {
    let head = |family: &MetricFamily| MetricFamily {
        metric: Vec::new(),
        ..family.clone()
    };
    let first = head(&same[0]);
    allowed(first.name(), true, format)?;
    if same.iter().any(|family| head(family) != first) {
        return Err("messages that do not agree".into());
    }
    if first.help.as_deref() == Some("") {
        return Err("a help of nothing".into());
    }
    if let Some(unit) = &first.unit {
        let name = first.name();
        let name = name
            .strip_suffix("_total")
            .filter(|_| first.r#type() == MetricType::COUNTER)
            .unwrap_or(name);
        if unit.is_empty() || !is_legal(&format!("_{unit}"), true) || !name.ends_with(&format!("_{unit}")) {
            return Err("a unit that is no suffix".into());
        }
    }
    let metrics: Vec<&Metric> = same.iter().flat_map(|family| &family.metric).collect();
    let has_native = metrics.iter().any(|metric| {
        let histogram = metric.histogram.as_ref();
        histogram.is_some_and(|histogram| histogram.schema.is_some())
    });
    let may_change = first.r#type() == MetricType::HISTOGRAM && !is_settled;
    if same.iter().any(|family| family.metric.is_empty()) || (same.len() > 1 && !has_native && !may_change) {
        return Err("a message of nothing, or several without native histograms".into());
    }
    if has_native && !may_change && same.iter().any(|family| family.metric.len() != 1) {
        return Err("several series in a message beside native histograms".into());
    }
    let mut seen = HashSet::new();
    for metric in metrics {
        let labels = labels(&metric.label, format)?;
        check_labels(&labels, word(first.r#type()))?;
        if !seen.insert(labels.clone()) {
            return Err(format!("a series twice: {labels:?}"));
        }
        if metric.timestamp_ms.is_some() && !format.style.timestamps {
            return Err("a timestamp".into());
        }
        self::metric(format, first.r#type(), metric).map_err(|what| format!("{what}, in {metric:?}"))?;
    }
    Ok(())
}

fn labels(pairs: &[LabelPair], format: Format) -> Result<Vec<(String, String)>, String> {
    let mut labels = Vec::new();
    for pair in pairs {
        allowed(pair.name(), false, format)?;
        labels.push((pair.name().to_owned(), pair.value().to_owned()));
    }
    Ok(labels)
}

fn metric(format: Format, metric_type: MetricType, metric: &Metric) -> Result<(), String> {
    let there = [
        metric.counter.is_some(),
        metric.gauge.is_some(),
        metric.summary.is_some(),
        metric.untyped.is_some(),
        metric.histogram.is_some(),
    ];
    if there
        .iter()
        .enumerate()
        .any(|(at, is_there)| *is_there != (at == metric_type as usize))
    {
        return Err("a value of another type".into());
    }
    if let Some(counter) = &metric.counter {
        if !counter.value.is_some_and(|value| value >= 0.0) {
            return Err("no value of a counter".into());
        }
        time(&counter.start_timestamp)?;
        if let Some(found) = &counter.exemplar {
            exemplar(format, found)?;
        }
    }
    for value in [&metric.gauge, &metric.untyped].into_iter().flatten() {
        value.value.ok_or("no value")?;
    }
    if let Some(summary) = &metric.summary {
        summary.sample_count.ok_or("no count")?;
        summary.sample_sum.ok_or("no sum")?;
        time(&summary.start_timestamp)?;
        let quantiles: Vec<f64> = summary
            .quantile
            .iter()
            .filter_map(|quantile| quantile.quantile)
            .collect();
        if summary
            .quantile
            .iter()
            .any(|quantile| quantile.quantile.is_none() || quantile.value.is_none())
        {
            return Err("half a quantile".into());
        }
        check_quantiles(&quantiles)?;
    }
    metric
        .histogram
        .as_ref()
        .map_or(Ok(()), |found| histogram(format, found))
}

fn histogram(format: Format, histogram: &Histogram) -> Result<(), String> {
    let count = histogram.sample_count.ok_or("no count")?;
    time(&histogram.start_timestamp)?;
    let is_native = histogram.schema.is_some();
    let form = format.style.exponential;
    if is_native && form == ExponentialForm::Classic {
        return Err("native buckets".into());
    }
    if !is_native || form == ExponentialForm::Both {
        let mut lower = f64::NEG_INFINITY;
        let mut buckets = Vec::new();
        for bucket in &histogram.bucket {
            let upper = bucket.upper_bound.ok_or("no bound")?;
            buckets.push((upper, bucket.cumulative_count.ok_or("no count of a bucket")?));
            if let Some(found) = &bucket.exemplar {
                exemplar(format, found)?;
                let value = found.value();
                if !(value <= upper && (value > lower || lower == f64::NEG_INFINITY)) {
                    return Err("an exemplar of another bucket".into());
                }
            }
            lower = upper;
        }
        check_buckets(&buckets, count)?;
    } else if !histogram.bucket.is_empty() {
        return Err("classic buckets".into());
    }
    if !is_native {
        let sides = (&histogram.positive_span, &histogram.negative_span);
        let none = sides.0.is_empty() && sides.1.is_empty() && histogram.exemplars.is_empty();
        return if none {
            Ok(())
        } else {
            Err("spans without a schema".into())
        };
    }
    native(format, histogram, count)
}

fn native(format: Format, histogram: &Histogram, count: u64) -> Result<(), String> {
    let threshold = histogram.zero_threshold.ok_or("no threshold")?;
    if !histogram.schema.is_some_and(|schema| (-4..=8).contains(&schema)) || !(0.0..f64::INFINITY).contains(&threshold)
    {
        return Err("no schema, or no threshold".into());
    }
    if histogram.positive_span.is_empty() && histogram.negative_span.is_empty() {
        return Err("no span at all".into());
    }
    let positive = side(&histogram.positive_span, &histogram.positive_delta)?;
    let negative = side(&histogram.negative_span, &histogram.negative_delta)?;
    let total = u128::from(histogram.zero_count.ok_or("no zero count")?) + positive + negative;
    if total != u128::from(count) {
        return Err(format!("a count of {count}, but {total} in all"));
    }
    if histogram.exemplars.len() > 10 {
        return Err("too many exemplars".into());
    }
    for found in &histogram.exemplars {
        exemplar(format, found)?;
        found.timestamp.as_ref().ok_or("an exemplar without a time")?;
    }
    Ok(())
}

fn side(spans: &[Span], deltas: &[i64]) -> Result<u128, String> {
    let mut places = 0;
    for (at, span) in spans.iter().enumerate() {
        let (offset, length) = (span.offset.ok_or("no offset")?, span.length.ok_or("no length")?);
        if at > 0 && (offset < 1 || length == 0) {
            return Err("a span of nothing, or that goes back".into());
        }
        places += length as usize;
    }
    if places != deltas.len() {
        return Err("as many buckets as the spans do not say".into());
    }
    // As Prometheus adds them up.
    let (mut before, mut total) = (0i64, 0u128);
    for delta in deltas {
        before = before.wrapping_add(*delta);
        total += u128::try_from(before).map_err(|_| "a count below 0")?;
    }
    Ok(total)
}

fn exemplar(format: Format, exemplar: &Exemplar) -> Result<(), String> {
    let labels = labels(&exemplar.label, format)?;
    exemplar.value.ok_or("an exemplar without a value")?;
    time(&exemplar.timestamp)?;
    exemplar_labels(&labels)
}

fn time(time: &Option<Timestamp>) -> Result<(), String> {
    match time {
        Some(Timestamp { seconds, nanos }) if *seconds < 0 || !(0..1_000_000_000).contains(nanos) => {
            Err("no time".into())
        }
        _ => Ok(()),
    }
}
