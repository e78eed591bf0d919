//! G and M: gauges and sums.

use crate::harness::*;

fn value(value: impl Into<Value>) -> String {
    let bridge = Bridge::new();
    bridge.send(gauge("g").is(value)).expect_plain();
    bridge.scrape().trim_end().rsplit_once(' ').unwrap().1.to_owned()
}

#[test]
fn g_01_whole_numbers_and_doubles() {
    row(
        [gauge("g").is(3), gauge("h").is(2.5)],
        r#"# TYPE g gauge
        g{instance="i1",job="svc"} 3
        # TYPE h gauge
        h{instance="i1",job="svc"} 2.5"#,
    );
}

#[test]
fn g_02_special_values() {
    row(
        gauge("g").is(f64::NEG_INFINITY),
        r#"# TYPE g gauge
        g{instance="i1",job="svc"} -Inf"#,
    );
    assert_eq!(value(f64::INFINITY), "+Inf");
    assert_eq!(value(f64::NAN), "NaN");
    assert_eq!(value(-f64::NAN), "NaN");
}

#[test]
fn g_03_the_type_that_the_metadata_names() {
    row(
        gauge("build_info")
            .is(1)
            .attr("rev", "abc")
            .meta("prometheus.type", "info"),
        r#"# TYPE build_info gauge
        build_info{instance="i1",job="svc",rev="abc"} 1"#,
    );
    for (hint, name, word) in [
        ("gauge", "x_ratio", "gauge"),
        ("unknown", "x", "untyped"),
        ("unkown", "x", "untyped"),
        ("stateset", "x", "gauge"),
        ("info", "x_info", "gauge"),
        ("counter", "x_ratio", "gauge"),
    ] {
        row(
            gauge("x").unit("1").is(1).meta("prometheus.type", hint),
            &format!("# TYPE {name} {word}\n{name}{{instance=\"i1\",job=\"svc\"}} 1"),
        );
    }
    for (hint, name, word) in [
        ("unknown", "x", "untyped"),
        ("info", "x_info", "gauge"),
        ("other", "x", "gauge"),
    ] {
        row(
            updown("x").unit("1").is(1).meta("prometheus.type", hint),
            &format!("# TYPE {name} {word}\n{name}{{instance=\"i1\",job=\"svc\"}} 1"),
        );
    }
}

#[test]
fn g_03_types_that_text_does_not_tell_apart_are_apart() {
    let bridge = Bridge::new();
    bridge.send(gauge("x").is(1)).expect_plain();
    bridge
        .send(gauge("x").is(1).meta("prometheus.type", "stateset"))
        .refuses(0, &[("type_conflict", 1)]);
}

#[test]
fn g_04_a_point_without_a_value_is_refused() {
    refused(
        gauge("g").is(Value::Unset),
        "no_value: metric \"g\": neither as_double nor as_int is set",
    );
    refused(
        counter("c").is(Value::Unset),
        "no_value: metric \"c\": neither as_double nor as_int is set",
    );
}

#[test]
fn m_01_m_02_monotonic_sums_are_counters_and_others_gauges() {
    row(
        [updown("queue.size").unit("By").is(-2), counter("c").is(2.5)],
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 2.5
        # TYPE queue_size_bytes gauge
        queue_size_bytes{instance="i1",job="svc"} -2"#,
    );
}

#[test]
fn m_03_temporality_that_is_none() {
    for temporality in [0, 3, -1, i32::MAX] {
        let message = "unknown_temporality: metric \"x\" is neither cumulative (2) nor delta (1)";
        refused(counter("x").is(1).temporality(temporality), message);
        refused(updown("x").is(1).temporality(temporality), message);
        refused(hist("x").buckets(&[], &[1], 1.0).temporality(temporality), message);
        refused(
            exphist("x").exponential(|p| p.sum(0.0)).temporality(temporality),
            message,
        );
    }
}

#[test]
fn m_04_counters_are_neither_nan_nor_negative() {
    for (value, word) in [
        (Value::Double(f64::NAN), "NaN"),
        (Value::Int(-1), "-1"),
        (Value::Double(-0.5), "-0.5"),
        (Value::Double(f64::NEG_INFINITY), "-Inf"),
    ] {
        let message = format!("invalid_counter_value: metric \"c\": a monotonic sum cannot be {word}");
        refused(counter("c").is(value), &message);
    }
    let bridge = Bridge::new();
    bridge.send(counter("c").is(9).t(1)).expect_plain();
    bridge.send(counter("c").is(4).t(2)).expect_plain();
    bridge.shows("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 4");
    bridge.send(counter("c").is(f64::INFINITY).t(3)).expect_plain();
    bridge.shows("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} +Inf");
}

#[test]
fn m_05_numbers_in_text() {
    row(
        counter("c").is(9_007_199_254_740_993),
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 9007199254740993"#,
    );
    for (double, expected) in [
        (6.0, "6"),
        (0.1, "0.1"),
        (1e6, "1e+06"),
        (1e-5, "1e-05"),
        (-0.0, "-0"),
        (999_999.0, "999999"),
        (123_456_789.0, "1.23456789e+08"),
        (0.1 + 0.2, "0.30000000000000004"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(value(double), expected);
    }
    assert_eq!(value(i64::MIN), "-9223372036854775808");
    assert_eq!(value(1_000_000), "1000000");
}

#[test]
fn m_04_d_08_a_delta_of_a_counter_is_not_negative_and_one_of_another_sum_may_be() {
    for (value, word) in [(Value::Int(-2), "-2"), (Value::Double(f64::NAN), "NaN")] {
        let message = format!("invalid_counter_value: metric \"c\": a monotonic sum cannot be {word}");
        refused(counter("c").is(value).delta(), &message);
    }
    Bridge::new().send(updown("u").is(-2).delta()).expect_plain();
}

#[test]
fn d_01_d_06_d_07_d_08_every_kind_of_delta_is_taken() {
    for metric in [
        counter("x").is(1),
        updown("x").is(1),
        hist("x").buckets(&[], &[1], 1.0),
        exphist("x").exponential(|p| p.positive(0, &[1]).sum(1.0)),
    ] {
        let bridge = Bridge::new();
        bridge.send(metric.delta().s(1).t(2)).expect_plain().refuses(1, &[]);
        assert_eq!(bridge.store.series(), 1);
    }
}
