//! P: the protocol, as far as it is not a matter of sockets.

use meterbridge::otlp::DecodeError;
use meterbridge::otlp::json::transcode;
use meterbridge::translate::Advice;

use crate::harness::*;
use crate::wire::{field, write};

const G: &str = "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1";

/// OTLP/JSON of R0 with these metrics.
fn r0(metrics: &str) -> String {
    let attribute = |key, value| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let (name, id) = (attribute("service.name", "svc"), attribute("service.instance.id", "i1"));
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{name},{id}]}},"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#
    )
}

fn gauge_json(point: &str) -> String {
    r0(&format!(
        r#"{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":"1",{point}}}]}}}}"#
    ))
}

/// What a scrape shows of a JSON request that is accepted without a word.
#[track_caller]
fn json(request: &str) -> String {
    let bridge = Bridge::new();
    bridge.json(request).unwrap().expect_plain();
    bridge.scrape()
}

#[track_caller]
fn json_error(request: &str) -> String {
    let bridge = Bridge::new();
    let Err(DecodeError::Malformed(message)) = bridge.json(request) else {
        panic!("{request} was taken")
    };
    assert_eq!((bridge.store.series(), bridge.store.source_count()), (0, 0));
    message
}

#[test]
fn p_01_full_success_has_nothing_to_tell() {
    let bridge = Bridge::new();
    assert_eq!(bridge.send(gauge("g").is(1)).0.message(), None);
}

#[test]
fn p_02_points_are_counted_and_their_reasons_told() {
    let bridge = Bridge::new();
    let metrics = [
        gauge("g").is(Value::Unset).is(Value::Unset).attr("k", "v").is(1),
        counter("c").is(-1),
        gauge("").is(1),
    ];
    let answer = bridge
        .send(metrics)
        .refuses(1, &[("no_value", 2), ("invalid_counter_value", 1), ("empty_name", 1)]);
    assert_eq!(
        answer.message(),
        "4 points rejected: no_value: metric \"g\": neither as_double nor as_int is set; invalid_counter_value: metric \"c\": \
         a monotonic sum cannot be -1; empty_name: nothing is left of the metric name \"\"; use letters, digits, `.` and `_`"
    );
}

#[test]
fn p_02_advice_stands_behind_refusals() {
    let bridge = Bridge::new();
    let answer = bridge.send([gauge("g").is(1).attr("é", 1), counter("c").is(-1)]);
    assert_eq!(
        answer.message(),
        "1 point rejected: invalid_counter_value: metric \"c\": a monotonic sum cannot be -1; advice: dropped_attribute: \
         attribute \"é\" of metric \"g\" leaves no label name and was dropped; use a-z, 0-9 and `_`"
    );
}

#[test]
fn p_02_advice_is_given_once_for_each_source_and_cause_and_counted_every_time() {
    let bridge = Bridge::new();
    let point = |key: &str, t| gauge("g").is(1).t(t).attr(key, 1);
    let dropped = |count| vec![(Advice::DroppedAttribute, count)];
    let first = bridge.send(point("é", 1));
    assert!(!first.message().is_empty());
    assert_eq!(first.advised(), dropped(1));
    let again = bridge.send([point("é", 2), point("é", 3)]);
    assert_eq!((again.message(), again.advised()), (String::new(), dropped(2)));
    assert!(bridge.send(point("ö", 4)).message().contains("\"ö\""), "another cause");
    let other = from(&[("service.name", "other")]).metrics([point("é", 5)]);
    assert!(!bridge.send(other).message().is_empty(), "another source");
    bridge.send(point("é", 6).stale());
    bridge.sweep();
    assert!(
        !bridge.send(point("é", 7)).message().is_empty(),
        "the source had no series in between"
    );
}

#[test]
fn p_02_numbers_are_no_cause_and_refusals_are_told_every_time() {
    let bridge = Bridge::new();
    let point = |count, t| hist("h").buckets(&[1.0], &[1, 1], 1.0).count(count).t(t);
    assert!(!bridge.send(point(5, 1)).message().is_empty());
    assert!(bridge.send(point(6, 2)).message().is_empty());
    for _ in 0..2 {
        bridge
            .send(counter("c").is(-1))
            .refuses_one(0, "invalid_counter_value: metric \"c\": a monotonic sum cannot be -1");
    }
}

#[test]
fn p_02_p_06_a_message_is_bounded() {
    let bridge = Bridge::new();
    let name = "x".repeat(10_000);
    let metrics = (0..1000).map(|at| counter(&format!("{at}{name}")).is(-1).attr(&"é".repeat(1000 + at), 1));
    let answer = bridge
        .send(from_r0(&[]).metrics(metrics))
        .refuses(0, &[("invalid_counter_value", 1000)]);
    assert!(answer.message().len() < 64 << 10, "{}", answer.message().len());
}

#[test]
fn p_03_one_bad_metric_never_sinks_the_rest() {
    for good_first in [true, false] {
        let mut metrics = vec![gauge("g").is(1), counter("c").is(1).temporality(0)];
        if !good_first {
            metrics.reverse();
        }
        let bridge = Bridge::new();
        bridge
            .send(from_r0(&[]).metrics(metrics))
            .refuses(1, &[("unknown_temporality", 1)]);
        bridge.shows(G);
    }
}

#[test]
fn p_04_what_cannot_be_decoded_leaves_no_trace() {
    let good = encode([gauge("g").is(1).attr("k", "v").into()]);
    let bridge = Bridge::new();
    for end in 1..good.len() {
        assert!(
            matches!(bridge.take(&good[..end]), Err(DecodeError::Malformed(_))),
            "{end} of {} bytes",
            good.len()
        );
    }
    let tail = |wire_type: u8, payload: &[u8]| [&good[..], &write(&[(1, wire_type, payload.to_vec())])].concat();
    for bad in [
        tail(0, &[1]),                              // resource_metrics as a number
        tail(1, &[0; 8]),                           // likewise
        [&good[..], &[0x0A]].concat(),              // no length
        [&good[..], &[0x0A, 0xFF, 0xFF]].concat(),  // half a length
        [&good[..], &[0x0A, 0x05, 0x00]].concat(),  // a length past the end
        [&good[..], &[0x00, 0x00]].concat(),        // field number 0
        [&good[..], &[0x0F, 0x00]].concat(),        // wire type 7
        [&good[..], &[0x80; 10], &[0x01]].concat(), // a number of more than 64 bits
        [
            &good[..],
            &field(1, &field(2, &field(2, &field(5, &field(1, &[0x18, 0x01]))))),
        ]
        .concat(), // a time as a number
        [
            &good[..],
            &field(1, &field(2, &field(2, &field(9, &field(1, &field(6, &[0; 7])))))),
        ]
        .concat(), // 7 bytes of counts
    ] {
        let Err(DecodeError::Malformed(message)) = bridge.take(&bad) else {
            panic!("{bad:x?} was taken")
        };
        assert!(
            message.starts_with("not an OTLP metrics request in protobuf: "),
            "{message}"
        );
    }
    assert!(bridge.take(b"{\"resourceMetrics\":[]}").is_err());
    assert_eq!((bridge.store.series(), bridge.store.source_count()), (0, 0));
}

#[test]
fn p_09_empty_envelopes_are_a_success() {
    let bridge = Bridge::new();
    let without_data = Build(opentelemetry_proto::tonic::metrics::v1::Metric {
        name: "m".into(),
        ..Default::default()
    });
    let empty_resource = Request(Default::default());
    bridge.take(&[]).unwrap().expect_plain();
    bridge.send_all([empty_resource]).expect_plain();
    bridge.send(from_r0(&[]).metrics([])).expect_plain();
    bridge
        .send([
            gauge("g"),
            counter("c"),
            hist("h"),
            exphist("e"),
            summary("s"),
            without_data,
        ])
        .expect_plain();
    bridge.send(sum("", true, 0)).expect_plain();
    bridge.shows("");
    assert_eq!(bridge.store.source_count(), 0);
}

#[test]
fn p_10_ids_in_json_are_hexadecimal() {
    for id in [
        "5B8EFFF798038103D269B633813FC60C",
        "5b8efff798038103d269b633813fc60c",
        "",
    ] {
        let exemplar = format!(r#""exemplars":[{{"traceId":"{id}","spanId":"EEE19B7EC3C1B174","asDouble":1}}]"#);
        assert_eq!(json(&gauge_json(&format!(r#""asInt":1,{exemplar}"#))), text(G));
    }
    let message = json_error(&gauge_json(r#""asInt":1,"exemplars":[{"traceId":"xy"}]"#));
    assert!(
        message.contains("traceId is \"xy\", it has to be bytes in hexadecimal"),
        "{message}"
    );
}

#[test]
fn p_11_whole_numbers_in_json_are_text_or_numbers() {
    for (point, value) in [
        (r#""asInt":"42""#, "42"),
        (r#""asInt":42"#, "42"),
        (r#""asInt":"-42""#, "-42"),
        (r#""asInt":"9007199254740993""#, "9007199254740993"),
        (r#""asInt":9007199254740993"#, "9007199254740993"),
    ] {
        assert_eq!(
            json(&gauge_json(point)),
            text(&format!("# TYPE g gauge\ng{{instance=\"i1\",job=\"svc\"}} {value}"))
        );
    }
    let histogram = r0(
        r#"{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1544712660300000000",
        "count":"4","sum":2,"bucketCounts":["1",3],"explicitBounds":[1]}]}}"#,
    );
    let expected = r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_sum{instance="i1",job="svc"} 2
        h_count{instance="i1",job="svc"} 4"#;
    assert_eq!(json(&histogram), text(expected));
}

#[test]
fn p_11_times_in_json_do_not_pass_through_a_double() {
    let bridge = Bridge::new();
    let at = |time: &str, value| {
        r0(&format!(
            r#"{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":{time},"asInt":{value}}}]}}}}"#
        ))
    };
    bridge
        .json(&at("\"1544712660300000001\"", 1))
        .unwrap()
        .expect_plain()
        .ignores(0);
    bridge
        .json(&at("1544712660300000000", 2))
        .unwrap()
        .expect_plain()
        .ignores(1);
    bridge
        .json(&at("1544712660300000002", 3))
        .unwrap()
        .expect_plain()
        .ignores(0);
}

#[test]
fn p_12_enumerations_in_json_are_numbers() {
    let sum = |temporality: &str| {
        r0(&format!(
            r#"{{"name":"c","sum":{{"aggregationTemporality":{temporality},"isMonotonic":true,"dataPoints":[{{"timeUnixNano":1,"asInt":1}}]}}}}"#
        ))
    };
    assert_eq!(
        json(&sum("2")),
        text("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 1")
    );
    for name in ["AGGREGATION_TEMPORALITY_CUMULATIVE", "2"] {
        let message = json_error(&sum(&format!("\"{name}\"")));
        let expected = format!(
            "aggregationTemporality is \"{name}\", it has to be the number of the enumeration's value, not its name"
        );
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn p_13_unknown_fields_are_ignored_and_an_object_of_nothing_else_is_told() {
    assert_eq!(
        json(&gauge_json(r#""asInt":1,"as_int":5,"new":{"deep":[{"x":null}]}"#)),
        text(G)
    );
    for (request, told) in [
        (
            r#"{"resource_metrics":[{}]}"#,
            Some("no field of the request is known, the first is \"resource_metrics\""),
        ),
        (
            r#"{"resourceMetrics":[{"scope_metrics":[]}]}"#,
            Some("no field of resourceMetrics is known, the first is \"scope_metrics\""),
        ),
        (r#"{"resourceMetrics":[{"scopeMetrics":[],"x":1}],"y":2}"#, None),
        (r#"{"resourceMetrics":[{}]}"#, None),
        ("{}", None),
    ] {
        assert_eq!(transcode(request.as_bytes()).unwrap().unknown.as_deref(), told);
        assert_eq!(json(request), "");
    }
}

#[test]
fn p_14_doubles_in_json() {
    for (double, value) in [
        (r#""NaN""#, "NaN"),
        (r#""Infinity""#, "+Inf"),
        (r#""-Infinity""#, "-Inf"),
        (r#""1.5""#, "1.5"),
        (r#""1e3""#, "1000"),
        ("2", "2"),
        ("-0.0", "-0"),
    ] {
        let shown = json(&gauge_json(&format!(r#""asDouble":{double}"#)));
        assert_eq!(
            shown,
            text(&format!("# TYPE g gauge\ng{{instance=\"i1\",job=\"svc\"}} {value}"))
        );
    }
    for double in [
        r#""inf""#,
        r#""nan""#,
        r#""+1""#,
        r#""""#,
        r#"" 1""#,
        "true",
        "[]",
        "1e999",
        r#""1e999""#,
    ] {
        json_error(&gauge_json(&format!(r#""asDouble":{double}"#)));
    }
}

#[test]
fn p_14_a_double_in_json_is_the_nearest_one() {
    // Shortest texts of doubles that a parser with one rounding too many gets wrong, and a fixed walk over the others.
    let mut bits = 0x9E37_79B9_7F4A_7C15u64;
    for at in 0..2000 {
        bits = bits
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        let double = if at == 0 { 1.1e23 } else { f64::from_bits(bits) };
        if double.is_finite() {
            let shown = json(&gauge_json(&format!(r#""asDouble":{double:e}"#)));
            let value: f64 = shown.trim_end().rsplit_once(' ').unwrap().1.parse().unwrap();
            assert_eq!(value, double);
        }
    }
}

#[test]
fn p_14_null_is_not_there() {
    let refused = |point: &str| {
        let bridge = Bridge::new();
        bridge.json(&gauge_json(point)).unwrap().refuses(0, &[("no_value", 1)]);
    };
    refused(r#""asDouble":null"#);
    refused(r#""asInt":null"#);
    assert_eq!(
        json(&gauge_json(
            r#""asInt":1,"asDouble":null,"attributes":null,"exemplars":null,"flags":null"#
        )),
        text(G)
    );
    let metric = |rest: &str| {
        r0(&format!(
            r#"{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":1,"asInt":1}}]}},{rest}}}"#
        ))
    };
    assert_eq!(
        json(&metric(r#""description":null,"unit":null,"metadata":null"#)),
        text(G)
    );
    assert_eq!(
        json(&metric(
            r#""sum":null,"histogram":null,"exponentialHistogram":null,"summary":null"#
        )),
        text(G)
    );
    let value = |value: &str| {
        json(&gauge_json(&format!(
            r#""asInt":1,"attributes":[{{"key":"k","value":{value}}}]"#
        )))
    };
    assert_eq!(value("null"), text(G));
    let labelled = text("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k=\"v\"} 1");
    assert_eq!(
        value(r#"{"stringValue":"v","arrayValue":null,"kvlistValue":null,"intValue":null}"#),
        labelled
    );
}

#[test]
fn p_14_missing_arrays_are_empty() {
    let value = |value: &str| {
        json(&gauge_json(&format!(
            r#""asInt":1,"attributes":[{{"key":"k","value":{value}}}]"#
        )))
    };
    assert_eq!(
        value(r#"{"arrayValue":{}}"#),
        text("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k=\"[]\"} 1")
    );
    assert_eq!(
        value(r#"{"kvlistValue":{"values":null}}"#),
        text("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k=\"{}\"} 1")
    );
    let histogram = r0(
        r#"{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":1,"count":2,"sum":"NaN"}]}}"#,
    );
    let expected = r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 2
        h_sum{instance="i1",job="svc"} NaN
        h_count{instance="i1",job="svc"} 2"#;
    assert_eq!(json(&histogram), text(expected));
}

#[test]
fn p_15_no_end_time_is_refused() {
    for metric in [
        gauge("x").is(1).t(0),
        counter("x").is(1).t(0),
        hist("x").buckets(&[], &[1], 1.0).t(0),
        summary("x").quantiles(&[], 1, 1.0).t(0),
        gauge("x").is(1).t(0).stale(),
    ] {
        refused(metric, "no_timestamp: metric \"x\": the end time is 0");
    }
}

#[test]
fn p_16_fields_that_another_message_knows_are_unknown_here() {
    // Temporality and monotonicity have numbers that a gauge and a summary do not use.
    let point = write(&[(3, 1, 1u64.to_le_bytes().to_vec()), (6, 1, 1u64.to_le_bytes().to_vec())]);
    let data = [field(1, &point), field(2, b"new"), field(3, b"new")].concat();
    let metric = field(2, &[field(1, b"g"), field(5, &data)].concat());
    let bridge = Bridge::new();
    bridge.take(&field(1, &field(2, &metric))).unwrap().expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"\"} 1");
}

#[test]
fn p_16_indexes_into_a_string_table_are_empty_with_a_warning() {
    let attribute = |key: &[u8], value: &[u8]| field(7, &[key, value].concat());
    let index = |number: u32| write(&[(number, 0, vec![3])]);
    let request = |attribute: &[u8]| {
        let point = write(&[(3, 1, 1u64.to_le_bytes().to_vec()), (6, 1, 1u64.to_le_bytes().to_vec())]);
        let data = field(5, &field(1, &[&point, attribute].concat()));
        field(1, &field(2, &field(2, &[&field(1, b"g"), &data[..]].concat())))
    };
    for (bytes, advice) in [
        (
            request(&attribute(&field(1, b"k"), &field(2, &index(8)))),
            "string_index: the value of attribute \"k\" of metric \"g\" is an index into a table that metrics do not have, and counts \
             as empty",
        ),
        (
            request(&attribute(&index(3), &field(2, &field(1, b"v")))),
            "dropped_attribute: attribute \"\" of metric \"g\" leaves no label name and was dropped; use a-z, 0-9 and `_`",
        ),
    ] {
        let bridge = Bridge::new();
        bridge.take(&bytes).unwrap().advises(&format!("advice: {advice}"));
        bridge.shows("# TYPE g gauge\ng{instance=\"\"} 1");
    }
}
