//! L: label names and values.

use meterbridge::translate::Rules;

use crate::harness::*;
use crate::wire::{field, write};

fn g() -> Build {
    gauge("g").is(1)
}

#[test]
fn l_01_illegal_characters_and_colons_become_underscores() {
    row(
        g().attr("http.request.method", "GET").attr("a-b", 1).attr("x:y", 2),
        r#"# TYPE g gauge
        g{a_b="1",http_request_method="GET",instance="i1",job="svc",x_y="2"} 1"#,
    );
}

#[test]
fn l_02_a_leading_digit_gets_key() {
    assert_eq!(
        labels_of(g().attr("5xx", 1)),
        r#"{instance="i1",job="svc",key_5xx="1"}"#
    );
}

#[test]
fn l_03_a_leading_underscore_stays_and_runs_collapse() {
    row(
        g().attr("_foo", 1).attr("a..b", 2),
        r#"# TYPE g gauge
        g{_foo="1",a_b="2",instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn l_03_the_switches_of_the_prometheus_server() {
    for (sanitization, preserve, expected) in [
        (false, false, r#"_foo="1",_x_="3",a_b="2""#),
        (true, false, r#"_x_="3",a_b="2",instance="i1",job="svc",key_foo="1""#),
        (false, true, r#"_foo="1",_x__="3",a__b="2""#),
        (true, true, r#"_x__="3",a__b="2",instance="i1",job="svc",key_foo="1""#),
    ] {
        let rules = Rules {
            label_name_underscore_sanitization: sanitization,
            label_name_preserve_multiple_underscores: preserve,
            ..Rules::default()
        };
        let labels = labels_by(&rules, g().attr("_foo", 1).attr("a..b", 2).attr("__x__", 3));
        assert!(labels.starts_with(expected), "{labels}");
        assert!(labels.contains(r#"instance="i1",job="svc""#));
    }
}

#[test]
fn l_04_a_key_of_which_nothing_is_left_is_dropped_with_advice() {
    for key in ["ключ", "é", "", "___"] {
        let bridge = Bridge::new();
        bridge.send(g().attr(key, "v")).advises(&format!(
            "advice: dropped_attribute: attribute \"{key}\" of metric \"g\" leaves no label name and was dropped; \
             use a-z, 0-9 and `_`"
        ));
        bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1");
    }
}

#[test]
fn l_05_values_that_are_no_text() {
    let list = vec![any("a"), any(1), any(Empty)];
    let map = vec![pair("b", 2), pair("a", "<")];
    row(
        g().attr("b", true)
            .attr("d", 1.0)
            .attr("n", f64::NAN)
            .attr("x", Bytes(b"hello world"))
            .attr("l", list)
            .attr("m", map),
        r#"# TYPE g gauge
        g{b="true",d="1",instance="i1",job="svc",l="[\"a\",1,null]",m="{\"a\":\"<\",\"b\":2}",n="NaN",x="aGVsbG8gd29ybGQ="} 1"#,
    );
    let value = |value: Any| {
        let labels = labels_of(g().attr("k", value));
        labels
            .split_once("k=\"")
            .map_or(String::new(), |(_, rest)| rest.trim_end_matches("\"}").to_owned())
    };
    for (given, expected) in [
        (Any::from(false), "false"),
        (Any::from(-42), "-42"),
        (Any::from(i64::MIN), "-9223372036854775808"),
        (Any::from(0.1), "0.1"),
        (Any::from(1e6), "1000000"),
        (Any::from(1e20), "100000000000000000000"),
        (Any::from(1e21), "1e+21"),
        (Any::from(1e-6), "0.000001"),
        (Any::from(1.5e-7), "1.5e-7"),
        (Any::from(f64::INFINITY), "Infinity"),
        (Any::from(f64::NEG_INFINITY), "-Infinity"),
        (
            Any::from(vec![any(f64::NAN), any(f64::INFINITY), any(0.5)]),
            r#"[\"NaN\",\"Infinity\",0.5]"#,
        ),
        (
            Any::from(vec![any(Bytes(b"hi")), any(true), any(vec![any(1)])]),
            r#"[\"aGk=\",true,[1]]"#,
        ),
        (Any::from(vec![any("\"\\\n\u{1}é")]), r#"[\"\\\"\\\\\\n\\u0001é\"]"#),
        (
            Any::from(vec![pair("z", Empty), pair("a", vec![pair("y", 1), pair("x", 2)])]),
            r#"{\"a\":{\"x\":2,\"y\":1},\"z\":null}"#,
        ),
    ] {
        assert_eq!(value(given), expected);
    }
}

#[test]
fn l_06_an_empty_value_is_an_absent_label() {
    for empty in [Any::from(""), Any::from(Empty), Any::from(Bytes(b""))] {
        assert_eq!(labels_of(g().attr("k", empty)), r#"{instance="i1",job="svc"}"#);
    }
    let bridge = Bridge::new();
    bridge.send(g().attr("k", "")).expect_plain().collides(0);
    bridge.send(gauge("g").is(2)).expect_plain().collides(1);
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 2");
}

#[test]
fn l_07_values_escape_backslash_quote_and_line_feed() {
    row(
        g().attr("p", "C:\\x \"q\"\nz"),
        r#"# TYPE g gauge
        g{instance="i1",job="svc",p="C:\\x \"q\"\nz"} 1"#,
    );
    assert_eq!(
        labels_of(g().attr("p", "\t\r\u{0}é{},=")),
        "{instance=\"i1\",job=\"svc\",p=\"\t\r\u{0}é{},=\"}"
    );
}

/// A request of one gauge: the metric's fields, and those of its point, behind what is needed.
fn request(metric: &[u8], point: &[u8]) -> Vec<u8> {
    let time = write(&[(3, 1, 1u64.to_le_bytes().to_vec()), (6, 1, 1u64.to_le_bytes().to_vec())]);
    let gauge = field(5, &field(1, &[&time, point].concat()));
    let metric = field(2, &[&field(1, b"g"), metric, &gauge].concat());
    field(1, &field(2, &metric))
}

#[test]
fn l_08_what_is_not_utf_8_is_refused_and_the_field_named() {
    let bad = b"a\xFFb";
    let attribute = |key: &[u8], value: &[u8]| [field(1, key), field(2, &field(1, value))].concat();
    let resource = |content: &[u8]| field(1, &[field(1, content), field(2, &[])].concat());
    let scope = |content: &[u8]| field(1, &field(2, content));
    for (bytes, expected) in [
        (request(&field(1, bad), &[]), "a metric's name"),
        (request(&field(2, bad), &[]), "a metric's description"),
        (request(&field(3, bad), &[]), "a metric's unit"),
        (request(&[], &field(7, &attribute(bad, b"v"))), "an attribute's key"),
        (request(&[], &field(7, &attribute(b"k", bad))), "an attribute's value"),
        (request(&field(12, &attribute(b"k", bad)), &[]), "an attribute's value"),
        (resource(&field(1, &attribute(b"k", bad))), "an attribute's value"),
        (scope(&field(1, &field(1, bad))), "a scope's name"),
        (scope(&field(1, &field(2, bad))), "a scope's version"),
        (scope(&field(1, &field(3, &attribute(bad, b"v")))), "an attribute's key"),
        (scope(&field(3, bad)), "a scope's schema_url"),
    ] {
        let bridge = Bridge::new();
        let error = bridge.take(&bytes).err().unwrap();
        let detail = format!("{expected} is not UTF-8; send text as UTF-8, or as bytes");
        assert_eq!(error, meterbridge::otlp::DecodeError::InvalidUtf8(detail));
        assert_eq!((bridge.store.series(), bridge.store.source_count()), (0, 0));
    }
    // Deep inside a value too.
    let nested = field(5, &field(1, &field(6, &field(1, &attribute(b"k", bad)))));
    let bytes = request(&[], &field(7, &[field(1, b"k"), field(2, &nested)].concat()));
    assert!(matches!(
        Bridge::new().take(&bytes),
        Err(meterbridge::otlp::DecodeError::InvalidUtf8(_))
    ));
}

#[test]
fn l_09_reserved_names_shrink_and_the_metric_name_is_no_attribute() {
    row(
        g().attr("__name__", "evil").attr("__x__", 1),
        r#"# TYPE g gauge
        g{_x_="1",instance="i1",job="svc"} 1"#,
    );
    assert_eq!(
        labels_of(from_r0(&[("__name__", "evil")]).metrics([g()])),
        r#"{instance="i1",job="svc"}"#
    );
}
