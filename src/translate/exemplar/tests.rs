use super::*;
use crate::otlp::{Metric, Point, Resource, Scope, Sink, json};
use crate::translate::{Rules, stream_hasher};

/// Reads the exemplars of every point.
struct Reader {
    labels: LabelSet,
    found: Vec<model::Exemplar>,
}

impl Sink for Reader {
    fn resource(&mut self, _: &Resource<'_>) {}
    fn scope(&mut self, _: &Scope<'_>) {}
    fn metric(&mut self, _: &Metric<'_>) {}
    fn point(&mut self, point: &Point<'_>) {
        read(MetricType::Counter, &point.exemplars, &mut self.labels, &mut self.found);
    }
}

/// What becomes of these exemplars, in JSON.
fn found(exemplars: &str) -> Vec<model::Exemplar> {
    let json = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"c","sum":{{"dataPoints":[
            {{"exemplars":[{exemplars}]}}]}}}}]}}]}}]}}"#
    );
    let mut reader = Reader {
        labels: LabelSet::of_exemplars(&Rules::default(), stream_hasher()),
        found: Vec::new(),
    };
    otlp::decode(&json::transcode(json.as_bytes()).unwrap().protobuf, &mut reader).unwrap();
    reader.found
}

/// The labels of an exemplar with the ids and these attributes.
#[track_caller]
fn labels(ids: &str, attributes: &[(&str, &str)]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
        .collect();
    let exemplar = format!(r#"{{"asInt":1,{ids}"filteredAttributes":[{}]}}"#, attributes.join(","));
    let [exemplar] = <[_; 1]>::try_from(found(&exemplar)).unwrap();
    exemplar.attributes.as_str().to_owned()
}

const TRACE: &str = r#""traceId":"5B8EFFF798038103D269B633813FC60C","#;
const SPAN: &str = r#""spanId":"EEE19B7EC3C1B174","#;

#[test]
fn x_01_value_time_and_ids() {
    let [exemplar] = <[_; 1]>::try_from(found(&format!(
        r#"{{{TRACE}{SPAN}"asDouble":1,"timeUnixNano":"1500000000"}}"#
    )))
    .unwrap();
    assert_eq!(
        exemplar,
        model::Exemplar {
            trace_id: Some(0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes()),
            span_id: Some(0xeee1_9b7e_c3c1_b174_u64.to_be_bytes()),
            attributes: Labels::default(),
            value: Number::Double(1.0),
            time_unix_nano: 1_500_000_000,
        }
    );
    assert_eq!(
        found(r#"{"asInt":"9007199254740993"}"#)[0].value,
        Number::Int(9_007_199_254_740_993)
    );
}

#[test]
fn x_06_ids_of_another_length_or_all_zero_are_absent() {
    for (trace, span) in [
        ("", ""),
        ("00000000000000000000000000000000", "0000000000000000"),
        ("5b8efff798038103d269b633813fc6", "eee19b7ec3c1b1"),
        ("5b8efff798038103d269b633813fc60c00", "eee19b7ec3c1b17400"),
        ("eee19b7ec3c1b174", "5b8efff798038103d269b633813fc60c"),
    ] {
        let exemplar = &found(&format!(r#"{{"asInt":1,"traceId":"{trace}","spanId":"{span}"}}"#))[0];
        assert_eq!((exemplar.trace_id, exemplar.span_id), (None, None), "{trace} {span}");
    }
    let one = &found(&format!(r#"{{"asInt":1,{SPAN}"traceId":"00"}}"#))[0];
    assert!(one.trace_id.is_none() && one.span_id.is_some());
}

#[test]
fn x_06_without_a_value_it_is_dropped() {
    assert!(found("{}").is_empty());
    assert!(found(&format!(r#"{{{TRACE}"timeUnixNano":1,"asDouble":null}}"#)).is_empty());
    let values: Vec<_> = found(r#"{"asInt":1},{},{"asInt":2}"#)
        .iter()
        .map(|exemplar| exemplar.value)
        .collect();
    assert_eq!(values, [Number::Int(1), Number::Int(2)]);
}

#[test]
fn x_04_o_16_attributes_keep_their_names_for_the_formats_to_escape() {
    for (attributes, expected) in [
        (&[("user.id", "u")][..], r#""user.id"="u""#),
        (&[("b", "2"), ("a", "1")], r#"a="1",b="2""#),
        (
            &[("a_b", "z"), ("a.b", "y"), ("a-b", "x")],
            r#""a-b"="x","a.b"="y",a_b="z""#,
        ),
        (&[("__name__", "x"), ("__x__", "1")], r#"_x__="1""#),
        (&[("empty", ""), ("é", "x")], r#""é"="x""#),
        // Nothing is reserved here.
        (&[("job", "j"), ("le", "1")], r#"job="j",le="1""#),
    ] {
        assert_eq!(labels("", attributes), expected);
    }
}

#[test]
fn x_04_the_ids_win_over_attributes_that_are_or_become_their_names() {
    let attributes = [("trace.id", "1"), ("trace_id", "2"), ("span-id", "3"), ("z", "q\\\"")];
    // Those that become their names only by escaping are looked at when they do.
    let rest = r#"z="q\"""#;
    let start = r#""span-id"="3","trace.id"="1","#;
    for (ids, expected) in [
        ("", format!("{start}trace_id=\"2\",{rest}")),
        (TRACE, format!("{start}{rest}")),
        (SPAN, format!("{start}trace_id=\"2\",{rest}")),
        (&format!("{TRACE}{SPAN}"), format!("{start}{rest}")),
        (
            r#""traceId":"00000000000000000000000000000000","#,
            format!("{start}trace_id=\"2\",{rest}"),
        ),
    ] {
        assert_eq!(labels(ids, &attributes), expected, "{ids}");
    }
}

#[test]
fn x_03_attributes_that_no_format_could_write_are_dropped_at_once() {
    let value = |bytes: usize| "x".repeat(bytes);
    assert_eq!(labels("", &[("k", &value(511))]), format!("k=\"{}\"", value(511)));
    assert_eq!(labels("", &[("k", &value(512)), ("l", "1")]), "");
    assert_eq!(labels("", &[(&value(600), "1")]), "");
    assert_eq!(
        labels("", &[("k", &value(20 << 10))]),
        "",
        "also past the limits of labels"
    );
    // What the id replaces does not count.
    assert_eq!(labels(TRACE, &[("trace_id", &value(600)), ("l", "1")]), "l=\"1\"");
    // 128 characters of four bytes.
    let emoji = "\u{1F600}".repeat(127);
    assert_eq!(labels("", &[("abcd", &emoji)]), format!("abcd=\"{emoji}\""));
}

#[test]
fn b_04_of_many_the_newest_are_looked_at() {
    let many: Vec<String> = (0..4321)
        .map(|at| format!(r#"{{"asInt":{at},"timeUnixNano":{}}}"#, at * 7919 % 4321))
        .collect();
    let mut times: Vec<_> = found(&many.join(","))
        .iter()
        .map(|exemplar| exemplar.time_unix_nano)
        .collect();
    times.sort_unstable();
    assert_eq!(times, (3321..4321).collect::<Vec<_>>());
    let few: Vec<String> = (0..1000).map(|at| format!(r#"{{"asInt":{at}}}"#)).collect();
    let values: Vec<_> = found(&few.join(",")).iter().map(|exemplar| exemplar.value).collect();
    assert_eq!(
        values,
        (0..1000).map(Number::Int).collect::<Vec<_>>(),
        "in the order of the bytes"
    );
}
