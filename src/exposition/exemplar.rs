use std::borrow::Cow;

use super::Escaping;
use crate::model::{Exemplar, Labels, push_label};

/// The most characters that the names and values of an exemplar may have together, as they are written (conformance X-03).
const MOST_CHARS: usize = 128;

const SPAN_ID: &str = "span_id";
const TRACE_ID: &str = "trace_id";

/// The labels in byte order of their names. The ids win over attributes of their name (conformance X-04), and are all that is
/// left where everything together is too much.
pub(super) fn labels(exemplar: &Exemplar, escaping: Escaping) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let ids = [
        (SPAN_ID, exemplar.span_id.map(|id| hex(&id))),
        (TRACE_ID, exemplar.trace_id.map(|id| hex(&id))),
    ];
    let ids = ids.into_iter().filter_map(|(name, id)| Some((name.into(), id?.into())));
    let mut labels: Vec<(Cow<'_, str>, Cow<'_, str>)> = ids.collect();
    let named = labels.len();
    match escaping.labels(exemplar.attributes.as_str()) {
        Cow::Borrowed(text) => add(&mut labels, Labels::iter_text(text)),
        Cow::Owned(text) => {
            let pairs = Labels::iter_text(&text);
            add(
                &mut labels,
                pairs.map(|(name, value)| (name.into_owned().into(), value.into_owned().into())),
            );
        }
    }
    for (_, value) in labels.iter_mut().filter(|(_, value)| value.contains('\0')) {
        // Prometheus takes it for the end of its input, in the exemplars of OpenMetrics 1.0 alone (conformance F-12).
        *value = value.replace('\0', "\u{FFFD}").into();
    }
    let chars: usize = labels.iter().map(|(name, value)| written(name) + written(value)).sum();
    if chars > MOST_CHARS {
        labels.truncate(named);
    }
    labels.sort();
    labels
}

/// How many characters a text has as it is written: Prometheus counts the backslashes of OpenMetrics, and drops what is too
/// long with its ids.
fn written(text: &str) -> usize {
    let is_escaped = |character: &char| matches!(character, '\\' | '"' | '\n');
    text.chars().count() + text.chars().filter(is_escaped).count()
}

/// Adds what has another name than the ids that are there.
fn add<'e>(
    labels: &mut Vec<(Cow<'e, str>, Cow<'e, str>)>,
    attributes: impl Iterator<Item = (Cow<'e, str>, Cow<'e, str>)>,
) {
    let named = labels.len();
    for attribute in attributes {
        if !labels[..named].iter().any(|(name, _)| *name == attribute.0) {
            labels.push(attribute);
        }
    }
}

/// Appends them as text formats have them between the braces.
pub(super) fn write_labels(out: &mut Vec<u8>, exemplar: &Exemplar, escaping: Escaping) {
    let mut text = String::new();
    for (name, value) in labels(exemplar, escaping) {
        push_label(&mut text, &name, &value);
    }
    out.extend_from_slice(text.as_bytes());
}

/// The latest whose value is above `lower` and not above `upper`, of equally late ones the last (conformance X-02). Nothing
/// lies below a first bucket, whose `lower` is -Inf. `by_bucket` is ordered by value.
pub(super) fn in_bucket(by_bucket: &[Exemplar], lower: f64, upper: f64) -> Option<&Exemplar> {
    let value = |exemplar: &Exemplar| exemplar.value.as_f64();
    let start = by_bucket.partition_point(|exemplar| value(exemplar) <= lower && lower > f64::NEG_INFINITY);
    let end = by_bucket.partition_point(|exemplar| value(exemplar) <= upper);
    by_bucket
        .get(start..end)?
        .iter()
        .max_by_key(|exemplar| exemplar.time_unix_nano)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Number;

    fn exemplar(value: f64, time_unix_nano: u64) -> Exemplar {
        Exemplar {
            trace_id: None,
            span_id: None,
            attributes: Labels::default(),
            value: Number::Double(value),
            time_unix_nano,
        }
    }

    #[track_caller]
    fn writes(ids: bool, attributes: &[(&str, &str)], escaping: Escaping, expected: &str) {
        let mut text = String::new();
        for (name, value) in attributes {
            push_label(&mut text, name, value);
        }
        let mut exemplar = exemplar(1.0, 0);
        exemplar.attributes = Labels::from_text(&text);
        if ids {
            (exemplar.trace_id, exemplar.span_id) = (Some([0x5B; 16]), Some([0xEE; 8]));
        }
        let mut out = Vec::new();
        write_labels(&mut out, &exemplar, escaping);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    const SPAN: &str = "span_id=\"eeeeeeeeeeeeeeee\"";
    const TRACE: &str = "trace_id=\"5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b\"";

    #[test]
    fn x_01_x_04_ids_and_attributes_in_order() {
        use Escaping::{AllowUtf8, Underscores};
        writes(false, &[], AllowUtf8, "");
        writes(true, &[], AllowUtf8, &format!("{SPAN},{TRACE}"));
        writes(
            true,
            &[("a", "1"), ("t.b", "2"), ("zz", "3")],
            AllowUtf8,
            &format!("a=\"1\",{SPAN},\"t.b\"=\"2\",{TRACE},zz=\"3\""),
        );
        writes(
            true,
            &[("a.b", "x"), ("a_b", "y"), ("trace.id", "z")],
            Underscores,
            &format!("a_b=\"x;y\",{SPAN},{TRACE}"),
        );
        writes(false, &[("trace.id", "z")], Underscores, "trace_id=\"z\"");
    }

    #[test]
    fn f_12_no_value_has_a_nul() {
        writes(false, &[("a", "x\0y")], Escaping::AllowUtf8, "a=\"x\u{FFFD}y\"");
        writes(false, &[("a.b", "\0")], Escaping::Underscores, "a_b=\"\u{FFFD}\"");
    }

    #[test]
    fn x_03_more_than_128_characters_as_written_leave_the_ids() {
        let long = "é".repeat(64);
        writes(
            true,
            &[("a", &long)],
            Escaping::AllowUtf8,
            &format!("a=\"{long}\",{SPAN},{TRACE}"),
        );
        writes(true, &[("ab", &long)], Escaping::AllowUtf8, &format!("{SPAN},{TRACE}"));
        writes(true, &[("a.", &long[2..])], Escaping::Dots, &format!("{SPAN},{TRACE}"));
        let (fits, long) = ("x".repeat(127), "x".repeat(128));
        // Each quote has a backslash in front.
        let (quotes, most) = ("\"".repeat(32), "x".repeat(63));
        let found = format!("a=\"{}\",b=\"{most}\"", "\\\"".repeat(32));
        writes(
            false,
            &[("a", &quotes), ("b", &most[1..])],
            Escaping::AllowUtf8,
            &found.replace("xx\"", "x\""),
        );
        writes(false, &[("a", &quotes), ("b", &most)], Escaping::AllowUtf8, "");
        writes(false, &[("a", &fits)], Escaping::AllowUtf8, &format!("a=\"{fits}\""));
        writes(false, &[("a", &long)], Escaping::AllowUtf8, "");
    }

    #[test]
    fn x_02_the_latest_above_the_lower_and_up_to_the_upper_bound() {
        let kept = [
            exemplar(f64::NEG_INFINITY, 1),
            exemplar(0.5, 5),
            exemplar(0.7, 9),
            exemplar(1.0, 9),
            exemplar(10.0, 7),
            exemplar(99.0, 8),
        ];
        let value = |lower, upper| in_bucket(&kept, lower, upper).map(|found| found.value.as_f64());
        assert_eq!(value(f64::NEG_INFINITY, 0.0), Some(f64::NEG_INFINITY));
        assert_eq!(value(f64::NEG_INFINITY, 1.0), Some(1.0));
        assert_eq!(value(1.0, 10.0), Some(10.0));
        assert_eq!(value(10.0, f64::INFINITY), Some(99.0));
        assert_eq!(value(10.0, 20.0), None);
        assert_eq!(in_bucket(&[], 0.0, 1.0), None);
    }
}
