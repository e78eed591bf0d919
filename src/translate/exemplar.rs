use super::label::{LabelSet, Reserved};
use crate::model::{self, Labels, MetricType, Number, push_label};
use crate::otlp;

/// How many exemplars of one point are looked at, the newest of them. A series keeps one for each bucket at most, and no SDK
/// sends more than a few.
const MOST: usize = 1000;

/// The formats allow 128 characters (conformance X-03), none of which has more than four bytes: what is longer is never
/// written.
const MAX_ATTRIBUTE_BYTES: usize = 512;

/// Appends the exemplars of a point to `found`, in the order of the bytes. Those without a value are dropped (conformance
/// X-06), as are those of gauges and summaries, which no format shows. `labels` is used for their attributes.
pub(super) fn read(
    metric_type: MetricType,
    exemplars: &otlp::Exemplars<'_>,
    labels: &mut LabelSet,
    found: &mut Vec<model::Exemplar>,
) {
    if exemplars.is_empty() || !matches!(metric_type, MetricType::Counter | MetricType::Histogram) {
        return;
    }
    found.extend(newest(exemplars).iter().filter_map(|exemplar| {
        let value = match exemplar.value? {
            otlp::Number::Int(value) => Number::Int(value),
            otlp::Number::Double(value) => Number::Double(value),
        };
        let trace_id = id(exemplar.trace_id);
        let span_id = id(exemplar.span_id);
        Some(model::Exemplar {
            trace_id,
            span_id,
            attributes: attributes(exemplar, trace_id.is_some(), span_id.is_some(), labels),
            value,
            time_unix_nano: exemplar.time_unix_nano,
        })
    }));
}

/// All of them where they are few, else the newest by time.
fn newest<'a>(exemplars: &otlp::Exemplars<'a>) -> Vec<otlp::Exemplar<'a>> {
    let mut newest = Vec::new();
    let keep = |newest: &mut Vec<otlp::Exemplar<'a>>| {
        if newest.len() > MOST {
            newest.select_nth_unstable_by_key(MOST, |exemplar| std::cmp::Reverse(exemplar.time_unix_nano));
            newest.truncate(MOST);
        }
    };
    for exemplar in exemplars.iter() {
        newest.push(exemplar);
        if newest.len() >= 2 * MOST {
            keep(&mut newest);
        }
    }
    keep(&mut newest);
    newest
}

/// An id of the right length that is not all zero, which stands for none.
fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok().filter(|id| *id != [0; N])
}

/// The labels that the attributes become, their names left for the formats to escape; none where they are too long, or pass a limit of labels.
fn attributes(exemplar: &otlp::Exemplar<'_>, has_trace: bool, has_span: bool, labels: &mut LabelSet) -> Labels {
    labels.clear();
    let pushed = labels.push_attributes(&exemplar.filtered_attributes, Reserved::default());
    let Ok(text) = pushed.and_then(|()| labels.render()) else {
        return Labels::default();
    };
    // The ids win over attributes that are or become their names (conformance X-04).
    let is_id = |name: &str| (has_trace && name == "trace_id") || (has_span && name == "span_id");
    let (mut bytes, mut meets_id) = (0, false);
    for (name, value) in Labels::iter_text(text) {
        if is_id(&name) {
            meets_id = true;
        } else {
            bytes += name.len() + value.len();
        }
    }
    if bytes > MAX_ATTRIBUTE_BYTES {
        return Labels::default();
    }
    if !meets_id {
        return Labels::from_text(text);
    }
    let mut rest = String::new();
    for (name, value) in Labels::iter_text(text).filter(|(name, _)| !is_id(name)) {
        push_label(&mut rest, &name, &value);
    }
    Labels::from_text(&rest)
}

#[cfg(test)]
mod tests;
