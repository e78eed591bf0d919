use super::name::{self, Suffix};
use crate::model::{Family, MetricType, PointReason, Refused};
use crate::otlp::{AnyValue, Kind, Metric, Temporality};

/// The family that the points of a metric belong to.
///
/// # Errors
///
/// What all its points are refused for.
pub(super) fn family(metric: &Metric<'_>, help_limit: usize) -> Result<Family, Refused> {
    let metric_type = metric_type(metric)?;
    let suffix = match metric_type {
        MetricType::Counter => Suffix::Total,
        MetricType::Info => Suffix::Info,
        MetricType::Gauge if metric.kind == Kind::Gauge => Suffix::Ratio,
        _ => Suffix::None,
    };
    let Some(translated) = name::translate(metric.name, metric.unit, suffix) else {
        let detail = format!(
            "nothing is left of the metric name \"{}\"; use letters, digits, `.` and `_`",
            metric.name
        );
        return Err(Refused::new(PointReason::EmptyName, detail));
    };
    if translated.name == "target_info" {
        let detail = format!(
            "metric \"{}\" becomes target_info, which describes resources; rename it",
            metric.name
        );
        return Err(Refused::new(PointReason::ReservedName, detail));
    }
    if help_limit != 0 && metric.description.len() > help_limit {
        let (name, length) = (metric.name, metric.description.len());
        let detail =
            format!("the description of \"{name}\" has {length} bytes, the limit is {help_limit} (--max-help-bytes)");
        return Err(Refused::new(PointReason::HelpTooLong, detail));
    }
    Ok(Family {
        name: translated.name,
        metric_type,
        help: metric.description.to_owned(),
        unit: translated.unit,
    })
}

fn metric_type(metric: &Metric<'_>) -> Result<MetricType, Refused> {
    let not_yet = |what: &str| {
        let detail = format!(
            "metric \"{}\" has {what}, which this version does not translate yet",
            metric.name
        );
        Err(Refused::new(PointReason::NotImplemented, detail))
    };
    match metric.kind {
        Kind::Sum {
            temporality: Temporality::Unknown,
            ..
        }
        | Kind::Histogram(Temporality::Unknown)
        | Kind::ExponentialHistogram(Temporality::Unknown) => {
            let detail = format!("metric \"{}\" is neither cumulative (2) nor delta (1)", metric.name);
            Err(Refused::new(PointReason::UnknownTemporality, detail))
        }
        Kind::ExponentialHistogram(_) => not_yet("exponential histograms"),
        Kind::Sum {
            temporality: Temporality::Delta,
            ..
        }
        | Kind::Histogram(Temporality::Delta) => not_yet("delta temporality"),
        Kind::Sum { monotonic: true, .. } => Ok(MetricType::Counter),
        Kind::Sum { monotonic: false, .. } | Kind::Gauge => Ok(hint(metric)),
        Kind::Histogram(_) => Ok(MetricType::Histogram),
        Kind::Summary => Ok(MetricType::Summary),
    }
}

/// The metadata `prometheus.type` says what a gauge was before it went through OpenTelemetry (conformance G-03).
fn hint(metric: &Metric<'_>) -> MetricType {
    match metric
        .metadata
        .iter()
        .filter(|attribute| attribute.key == "prometheus.type")
        .last()
        .map(|last| last.value)
    {
        // The specification writes `unkown` as well.
        Some(AnyValue::String("unknown" | "unkown")) => MetricType::Unknown,
        Some(AnyValue::String("info")) => MetricType::Info,
        Some(AnyValue::String("stateset")) => MetricType::StateSet,
        _ => MetricType::Gauge,
    }
}
