//! N: names and units.

use meterbridge::translate::Rules;

use crate::harness::*;

#[track_caller]
fn names(rows: &[(Build, &str)]) {
    for (metric, expected) in rows {
        assert_eq!(
            family_of(metric.clone()),
            *expected,
            "{} {}",
            metric.0.name,
            metric.0.unit
        );
    }
}

fn x(unit: &str) -> Build {
    gauge("x").unit(unit).is(1)
}

#[test]
fn n_01_characters_then_unit_then_total() {
    row(
        counter("http.client.request.size").unit("By").is(7),
        r#"# TYPE http_client_request_size_bytes_total counter
        http_client_request_size_bytes_total{instance="i1",job="svc"} 7"#,
    );
}

#[test]
fn n_02_ucum_units_become_words() {
    row(
        gauge("net.io").unit("kBy").is(2),
        r#"# TYPE net_io_kilobytes gauge
        net_io_kilobytes{instance="i1",job="svc"} 2"#,
    );
    for (units, words) in [
        (
            "d h min s ms us ns",
            "days hours minutes seconds milliseconds microseconds nanoseconds",
        ),
        (
            "By KiBy MiBy GiBy TiBy",
            "bytes kibibytes mebibytes gibibytes tebibytes",
        ),
        (
            "kBy KBy MBy GBy TBy",
            "kilobytes kilobytes megabytes gigabytes terabytes",
        ),
        (
            "m V A J W g Cel Hz %",
            "meters volts amperes joules watts grams celsius hertz percent",
        ),
    ] {
        for (unit, word) in units.split(' ').zip(words.split(' ')) {
            assert_eq!(family_of(x(unit)), format!("x_{word}"));
        }
    }
}

#[test]
fn n_03_rates() {
    names(&[
        (x("By/s"), "x_bytes_per_second"),
        (x("m/s"), "x_meters_per_second"),
        (x("1/s"), "x_per_second"),
        (x("{request}/s"), "x_per_second"),
        (x("/s"), "x_per_second"),
        (x("By/m"), "x_bytes_per_minute"),
        (x("By/h"), "x_bytes_per_hour"),
        (x("By/d"), "x_bytes_per_day"),
        (x("By/w"), "x_bytes_per_week"),
        (x("By/mo"), "x_bytes_per_month"),
        (x("By/y"), "x_bytes_per_year"),
        (x("1/min"), "x_per_min"),
        (x("By/s/s"), "x_bytes_per_s_s"),
        (x(" By / s "), "x_bytes_per_second"),
        (x("By/"), "x_bytes"),
        (gauge("frames_per_second").unit("1/s").is(1), "frames_per_second"),
        (counter("io").unit("By/s").is(1), "io_bytes_per_second_total"),
    ]);
}

#[test]
fn n_04_annotations_are_dropped() {
    row(
        updown("http.server.active_requests").unit("{request}").is(3),
        r#"# TYPE http_server_active_requests gauge
        http_server_active_requests{instance="i1",job="svc"} 3"#,
    );
    names(&[(x("By{heap}"), "x_bytes"), (x("{heap}By"), "x_bytes"), (x("{}"), "x")]);
}

#[test]
fn n_05_no_second_unit() {
    row(
        gauge("seconds.since.boot").unit("s").is(9),
        r#"# TYPE seconds_since_boot gauge
        seconds_since_boot{instance="i1",job="svc"} 9"#,
    );
    names(&[
        (
            gauge("request.duration.seconds").unit("s").is(1),
            "request_duration_seconds",
        ),
        (gauge("milliseconds").unit("s").is(1), "milliseconds_seconds"),
    ]);
}

#[test]
fn n_06_the_unit_stands_before_total() {
    row(
        counter("jvm.gc.duration_total").unit("s").is(1),
        r#"# TYPE jvm_gc_duration_seconds_total counter
        jvm_gc_duration_seconds_total{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn n_07_total_once_and_last() {
    row(
        counter("total.requests.failed").is(4),
        r#"# TYPE requests_failed_total counter
        requests_failed_total{instance="i1",job="svc"} 4"#,
    );
    names(&[
        (counter("requests_total").is(1), "requests_total"),
        (counter("total").is(1), "total"),
        (gauge("requests_total").is(1), "requests_total"),
        (updown("total.x").is(1), "total_x"),
    ]);
}

#[test]
fn n_08_only_gauges_of_unit_1_are_ratios() {
    names(&[
        (
            gauge("system.cpu.utilization").unit("1").is(1),
            "system_cpu_utilization_ratio",
        ),
        (updown("queue.depth").unit("1").is(1), "queue_depth"),
        (counter("items").unit("1").is(1), "items_total"),
        (hist("x").unit("1").buckets(&[], &[1], 1.0), "x"),
        (summary("x").unit("1").quantiles(&[], 1, 1.0), "x"),
        (gauge("ratio.of.x").unit("1").is(1), "of_x_ratio"),
    ]);
    let bridge = Bridge::new();
    bridge.send(gauge("x").unit("1").is(1));
    assert_eq!(bridge.store.families()[0].family().unit, "");
}

#[test]
fn n_09_unknown_units_are_appended() {
    names(&[
        (x("None"), "x_None"),
        (x("°C"), "x_C"),
        (x("[lb_av]"), "x_lb_av_"),
        (x("week"), "x_week"),
        (counter("x").unit("[lb_av]").is(1), "x_lb_av_total"),
    ]);
}

#[test]
fn n_10_runs_collapse_and_colons_stay() {
    let named = |name| gauge(name).is(1);
    names(&[
        (named("a@@b..c"), "a_b_c"),
        (named("rpc:client.x"), "rpc:client_x"),
        (named(".foo.bar."), "foo_bar"),
        (named("_foo__bar_"), "foo_bar"),
    ]);
}

#[test]
fn n_11_a_leading_digit_gets_an_underscore() {
    row(
        counter("5xx.count").is(1),
        r#"# TYPE _5xx_count_total counter
        _5xx_count_total{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn n_12_nothing_left_of_the_name_is_refused() {
    let bridge = Bridge::new();
    let metrics = [
        gauge("").is(1),
        gauge("温度").is(1),
        gauge("温度").unit("Cel").is(1),
        counter("___").is(1),
    ];
    bridge.send(metrics).refuses(0, &[("empty_name", 4)]);
    bridge.shows("");
    refused(
        gauge("温度").is(1),
        "empty_name: nothing is left of the metric name \"温度\"; use letters, digits, `.` and `_`",
    );
}

#[test]
fn n_13_a_suffix_inside_a_word_is_none() {
    names(&[
        (counter("subtotal").is(1), "subtotal_total"),
        (
            hist("milliseconds").unit("s").buckets(&[], &[1], 1.0),
            "milliseconds_seconds",
        ),
        (counter("orders.total").is(1), "orders_total"),
        (gauge("lag-seconds").unit("s").is(1), "lag_seconds"),
    ]);
}

#[test]
fn n_09_unit_aliases() {
    let rules = Rules {
        unit_aliases: vec![("None".into(), String::new()), ("foo".into(), "bar".into())],
        ..Rules::default()
    };
    for (unit, expected) in [
        ("None", "x"),
        ("None/s", "x_per_second"),
        ("foo", "x_bar"),
        ("By/foo", "x_bytes_per_bar"),
        ("foo{annotated}", "x_bar"),
        ("fool", "x_fool"),
    ] {
        let bridge = Bridge::ruled(rules.clone());
        bridge.send(x(unit)).expect_plain();
        assert_eq!(bridge.store.families()[0].name(), expected, "{unit}");
    }
}
