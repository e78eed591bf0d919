use super::Rules;
use super::name::{self, Suffix};
use crate::model::{Family, MetricType, PointReason, Refused};
use crate::otlp::{AnyValue, Kind, Metric, Temporality};

/// The family that the points of a metric belong to.
///
/// # Errors
///
/// What all its points are refused for.
pub(super) fn family(metric: &Metric<'_>, rules: &Rules) -> Result<Family, Refused> {
    let help_limit = rules.help_bytes;
    let metric_type = metric_type(metric)?;
    let suffix = match metric_type {
        MetricType::Counter => Suffix::Total,
        MetricType::Info => Suffix::Info,
        MetricType::Gauge if metric.kind == Kind::Gauge => Suffix::Ratio,
        _ => Suffix::None,
    };
    let Some(translated) = name::translate(metric.name, metric.unit, suffix, rules) else {
        let detail = format!(
            "nothing is left of the metric name \"{}\"; use letters, digits, `.` and `_`",
            shown(metric.name)
        );
        return Err(Refused::new(PointReason::EmptyName, detail));
    };
    if translated.name == "target_info" {
        let detail = format!(
            "metric \"{}\" becomes target_info, which describes resources; rename it",
            shown(metric.name)
        );
        return Err(Refused::new(PointReason::ReservedName, detail));
    }
    // The name is a label value of Prometheus' own, and stands on each line of the family.
    let (length, limit) = (translated.name.len(), rules.labels.value_bytes);
    if limit != 0 && length > limit {
        let name = shown(metric.name);
        let detail = format!(
            "the name of metric \"{name}…\" has {length} bytes, the limit is {limit} (--max-label-value-bytes)"
        );
        return Err(Refused::new(PointReason::LabelValueTooLong, detail));
    }
    if help_limit != 0 && metric.description.len() > help_limit {
        let (name, length) = (shown(metric.name), metric.description.len());
        let detail =
            format!("the description of \"{name}\" has {length} bytes, the limit is {help_limit} (--max-help-bytes)");
        return Err(Refused::new(PointReason::HelpTooLong, detail));
    }
    // Neither of them measures anything, so they have no unit, whatever is sent (conformance F-07).
    let has_unit = !matches!(metric_type, MetricType::Info | MetricType::StateSet);
    Ok(Family {
        name: translated.name,
        metric_type,
        help: metric.description.to_owned(),
        unit: if has_unit { translated.unit } else { String::new() },
        unit_in_name: has_unit && translated.unit_in_name,
    })
}

/// How much of a name a message shows. A name may be nearly as long as its request, and each of its points be refused.
const SHOWN_CHARS: usize = 200;

/// The beginning of a name that the sender chose.
pub(super) fn shown(name: &str) -> &str {
    let end = name.char_indices().nth(SHOWN_CHARS).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

fn metric_type(metric: &Metric<'_>) -> Result<MetricType, Refused> {
    match metric.kind {
        Kind::Sum {
            temporality: Temporality::Unknown,
            ..
        }
        | Kind::Histogram(Temporality::Unknown)
        | Kind::ExponentialHistogram(Temporality::Unknown) => {
            let detail = format!(
                "metric \"{}\" is neither cumulative (2) nor delta (1)",
                shown(metric.name)
            );
            Err(Refused::new(PointReason::UnknownTemporality, detail))
        }
        Kind::Sum { monotonic: true, .. } => Ok(MetricType::Counter),
        Kind::Sum { monotonic: false, .. } | Kind::Gauge => Ok(hint(metric)),
        Kind::Histogram(_) | Kind::ExponentialHistogram(_) => Ok(MetricType::Histogram),
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
