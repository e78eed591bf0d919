use super::*;

fn rules(strategy: Strategy) -> Rules {
    Rules {
        strategy,
        ..Rules::default()
    }
}

/// The name in that strategy; empty where there is none.
#[track_caller]
fn check_in(strategy: Strategy, suffix: Suffix, name: &str, unit: &str, expected: &str) {
    let translated = super::translate(name, unit, suffix, &rules(strategy));
    assert_eq!(
        translated.map(|name| name.name).unwrap_or_default(),
        expected,
        "{strategy:?} {name} {unit}"
    );
}

/// The same in the default strategy.
#[track_caller]
fn check(suffix: Suffix, name: &str, unit: &str, expected: &str) {
    check_in(Strategy::default(), suffix, name, unit, expected);
}

fn translate(name: &str, unit: &str, suffix: Suffix) -> Option<Name> {
    super::translate(name, unit, suffix, &Rules::default())
}

#[test]
fn n_01_unit_then_total() {
    check(
        Suffix::Total,
        "http.client.request.size",
        "By",
        "http_client_request_size_bytes_total",
    );
}

#[test]
fn n_02_units() {
    for (unit, word) in [
        ("d", "days"),
        ("h", "hours"),
        ("min", "minutes"),
        ("s", "seconds"),
        ("ms", "milliseconds"),
        ("us", "microseconds"),
        ("ns", "nanoseconds"),
        ("By", "bytes"),
        ("KiBy", "kibibytes"),
        ("MiBy", "mebibytes"),
        ("GiBy", "gibibytes"),
        ("TiBy", "tebibytes"),
        ("kBy", "kilobytes"),
        ("KBy", "kilobytes"),
        ("MBy", "megabytes"),
        ("GBy", "gigabytes"),
        ("TBy", "terabytes"),
        ("m", "meters"),
        ("V", "volts"),
        ("A", "amperes"),
        ("J", "joules"),
        ("W", "watts"),
        ("g", "grams"),
        ("Cel", "celsius"),
        ("Hz", "hertz"),
        ("%", "percent"),
    ] {
        check(Suffix::Ratio, "x", unit, &format!("x_{word}"));
        assert_eq!(translate("x", unit, Suffix::None).unwrap().unit, word);
    }
}

#[test]
fn n_03_rates() {
    for (unit, expected) in [
        ("By/s", "x_bytes_per_second"),
        ("m/s", "x_meters_per_second"),
        ("1/s", "x_per_second"),
        ("{request}/s", "x_per_second"),
        ("/s", "x_per_second"),
        ("By/m", "x_bytes_per_minute"),
        ("1/min", "x_per_min"),
        ("By/s/s", "x_bytes_per_s_s"),
        (" By / s ", "x_bytes_per_second"),
        ("By/", "x_bytes"),
    ] {
        check(Suffix::Ratio, "x", unit, expected);
    }
    check(Suffix::Ratio, "frames_per_second", "1/s", "frames_per_second");
    check(Suffix::Ratio, "io.bytes_per_second", "By/s", "io_bytes_per_second");
    assert_eq!(translate("x", "By/s", Suffix::None).unwrap().unit, "bytes_per_second");
}

#[test]
fn n_04_annotations_go() {
    check(
        Suffix::None,
        "http.server.active_requests",
        "{request}",
        "http_server_active_requests",
    );
    check(Suffix::None, "heap", "By{heap}", "heap_bytes");
    check(Suffix::None, "odd", "{a{b}c}s}", "odd_seconds");
}

#[test]
fn n_05_no_second_unit() {
    check(
        Suffix::Ratio,
        "request.duration.seconds",
        "s",
        "request_duration_seconds",
    );
    check(Suffix::Ratio, "seconds.since.boot", "s", "seconds_since_boot");
}

#[test]
fn n_06_n_07_total_comes_last_and_once() {
    check(
        Suffix::Total,
        "jvm.gc.duration_total",
        "s",
        "jvm_gc_duration_seconds_total",
    );
    check(Suffix::Total, "requests_total", "", "requests_total");
    check(Suffix::Total, "total.requests.failed", "", "requests_failed_total");
    check(Suffix::Total, "total", "", "total");
}

#[test]
fn n_08_only_gauges_of_unit_1_are_ratios() {
    check(
        Suffix::Ratio,
        "system.cpu.utilization",
        "1",
        "system_cpu_utilization_ratio",
    );
    check(Suffix::Ratio, "ratio.of.x", "1", "of_x_ratio");
    check(Suffix::None, "queue.depth", "1", "queue_depth");
    check(Suffix::Total, "items", "1", "items_total");
    assert_eq!(translate("x", "1", Suffix::Ratio).unwrap().unit, "");
}

#[test]
fn n_09_unknown_units_are_appended() {
    for (unit, expected) in [
        ("None", "x_None"),
        ("°C", "x_C"),
        ("[lb_av]", "x_lb_av_"),
        ("week", "x_week"),
    ] {
        check(Suffix::Ratio, "x", unit, expected);
    }
    check(Suffix::Total, "x", "[lb_av]", "x_lb_av_total");
    check(Suffix::None, "x", "[lb_av]/s", "x_lb_av_per_second");
}

#[test]
fn n_10_n_11_characters() {
    for (name, expected) in [
        ("a@@b..c", "a_b_c"),
        ("rpc:client.x", "rpc:client_x"),
        (".foo.bar.", "foo_bar"),
        ("_foo__bar_", "foo_bar"),
        ("5xx.count", "_5xx_count"),
    ] {
        check(Suffix::None, name, "", expected);
    }
    check(Suffix::Total, "5xx.count", "", "_5xx_count_total");
}

#[test]
fn n_12_nothing_left_is_no_name() {
    for (name, unit) in [("", ""), ("温度", ""), ("温度", "Cel"), ("____", "")] {
        assert_eq!(translate(name, unit, Suffix::Ratio), None, "{name}");
    }
}

#[test]
fn g_03_infos_end_in_info() {
    check(Suffix::Info, "build_info", "", "build_info");
    check(Suffix::Info, "build", "", "build_info");
    check(Suffix::Info, "info.of.build", "", "info_of_build_info");
    check(Suffix::Info, "build_info", "s", "build_seconds_info");
    check(Suffix::Info, "info", "1", "info");
}

use Strategy::{
    NoTranslation, NoUtf8EscapingWithSuffixes as Verbatim, UnderscoreEscapingWithSuffixes as Escaped,
    UnderscoreEscapingWithoutSuffixes as Bare,
};

#[test]
fn n_03_a_rate_that_the_name_ends_in_comes_once() {
    for (suffix, name, unit, escaped, verbatim) in [
        (
            Suffix::Ratio,
            "frames.per.second",
            "1/s",
            "frames_per_second",
            "frames_per_second",
        ),
        (Suffix::Ratio, "per_second", "1/s", "per_second", "per_second"),
        (
            Suffix::Ratio,
            "io.per_second",
            "By/s",
            "io_bytes_per_second",
            "io_bytes_per_second",
        ),
        (
            Suffix::Ratio,
            "io.bytes_per_second",
            "By/s",
            "io_bytes_per_second",
            "io.bytes_per_second",
        ),
        (
            Suffix::Total,
            "req.per.second.total",
            "1/s",
            "req_per_second_total",
            "req_per_second_total",
        ),
        (
            Suffix::Ratio,
            "x.second",
            "1/s",
            "x_second_per_second",
            "x.second_per_second",
        ),
        (
            Suffix::Ratio,
            "per.second.x",
            "1/s",
            "per_second_x_per_second",
            "per.second.x_per_second",
        ),
        (
            Suffix::Ratio,
            "super_second",
            "1/s",
            "super_second_per_second",
            "super_second_per_second",
        ),
    ] {
        check_in(Escaped, suffix, name, unit, escaped);
        check_in(Verbatim, suffix, name, unit, verbatim);
    }
    check(Suffix::Ratio, "x_per_s_s", "By/s/s", "x_bytes_per_s_s");
}

#[test]
fn v_01_the_four_strategies() {
    for (suffix, name, unit, names) in [
        (
            Suffix::Total,
            "foo.bar",
            "By",
            ["foo_bar_bytes_total", "foo_bar", "foo.bar_bytes_total", "foo.bar"],
        ),
        (
            Suffix::Total,
            "5xx.count",
            "",
            ["_5xx_count_total", "_5xx_count", "5xx.count_total", "5xx.count"],
        ),
        (Suffix::Ratio, "cpu", "1", ["cpu_ratio", "cpu", "cpu_ratio", "cpu"]),
        (
            Suffix::Info,
            "build",
            "",
            ["build_info", "build", "build_info", "build"],
        ),
        (Suffix::Total, "温度", "", ["", "", "温度_total", "温度"]),
        (Suffix::None, "____", "", ["", "", "____", "____"]),
        (Suffix::Total, "", "s", ["", "", "", ""]),
    ] {
        for (strategy, expected) in [Escaped, Bare, Verbatim, NoTranslation].into_iter().zip(names) {
            check_in(strategy, suffix, name, unit, expected);
        }
    }
}

#[test]
fn n_10_without_suffixes_underscores_stay() {
    for (name, expected) in [
        ("_foo__bar_", "_foo__bar_"),
        ("foo._bar", "foo__bar"),
        ("a@@b..c", "a_b_c"),
        (".foo.bar.", "foo_bar"),
        ("rpc:client.x", "rpc:client_x"),
        ("requests_total", "requests_total"),
        ("_.é_", ""),
        (":", ":"),
    ] {
        check_in(Bare, Suffix::Total, name, "s", expected);
    }
}

#[test]
fn n_13_suffixes_behind_names_that_stay() {
    for (suffix, name, unit, expected) in [
        (Suffix::Total, "subtotal", "", "subtotal_total"),
        (Suffix::Total, "orders.total", "", "orders_total"),
        (Suffix::Total, "orders..total", "", "orders._total"),
        (Suffix::Total, "orders:total", "", "orders:total_total"),
        (Suffix::Total, "5total", "", "5total_total"),
        (Suffix::Total, "温total", "", "温total_total"),
        (Suffix::Total, "total", "", "total"),
        (Suffix::Total, "_total", "", "_total"),
        (Suffix::Total, "total", "s", "seconds_total"),
        (
            Suffix::Total,
            "total.requests.failed",
            "",
            "total.requests.failed_total",
        ),
        (Suffix::Total, "gc.duration.total", "s", "gc.duration_seconds_total"),
        (Suffix::Total, "gc.seconds.total", "s", "gc.seconds_total"),
        (Suffix::None, "lag-seconds", "s", "lag-seconds"),
        (Suffix::None, "seconds", "s", "seconds"),
        (Suffix::None, "milliseconds", "s", "milliseconds_seconds"),
        (Suffix::None, "seconds.since.boot", "s", "seconds.since.boot_seconds"),
        (Suffix::Ratio, "hit-ratio", "1", "hit_ratio"),
        (Suffix::Ratio, "ratio.of.x", "1", "ratio.of.x_ratio"),
        (Suffix::Ratio, "ratio", "1", "ratio"),
        (Suffix::Info, "build.info", "", "build_info"),
        (Suffix::None, "x", "°C", "x_°C"),
        (Suffix::Total, "x", "[lb_av]", "x_[lb_av]_total"),
        (Suffix::None, "heap", "By{used}", "heap_bytes"),
        (Suffix::None, "net", "kBy", "net_kilobytes"),
    ] {
        check_in(Verbatim, suffix, name, unit, expected);
    }
}

#[test]
fn n_09_aliases() {
    let aliases = [
        "None=",
        "foo=b.r",
        "{request}=requests",
        "By/h=hourly",
        "s=sec",
        "s=second",
        "1=one",
        "m=",
    ];
    let unit_aliases = aliases.map(|alias| {
        let (unit, word) = alias.split_once('=').unwrap();
        (unit.to_owned(), word.to_owned())
    });
    let mut rules = Rules {
        unit_aliases: unit_aliases.to_vec(),
        ..Rules::default()
    };
    for (unit, expected) in [
        ("None", "x"),
        (" None ", "x"),
        ("None{of them}", "x"),
        ("none", "x_none"),
        ("foo", "x_b_r"),
        ("foo/foo", "x_b_r_per_b_r"),
        ("By/foo", "x_bytes_per_b_r"),
        ("None/s", "x_per_sec"),
        ("By/None", "x_bytes"),
        ("{request}", "x_requests"),
        ("{request} / h", "x_requests_per_hour"),
        ("{other}/s", "x_per_sec"),
        ("By/h", "x_hourly"),
        ("By{a/b}/h", "x_hourly"),
        ("MBy/h", "x_megabytes_per_hour"),
        ("s", "x_sec"),
        ("1", "x_one"),
        ("m", "x"),
    ] {
        let translated = super::translate("x", unit, Suffix::Ratio, &rules).unwrap();
        assert_eq!(translated.name, expected, "{unit}");
        assert_eq!(
            translated.unit,
            expected.trim_start_matches("x").trim_start_matches('_'),
            "{unit}"
        );
    }
    rules.strategy = Verbatim;
    let translated = super::translate("x", "foo", Suffix::None, &rules).unwrap();
    assert_eq!((&*translated.name, &*translated.unit), ("x_b.r", "b.r"));
}

#[test]
fn n_08_an_alias_takes_the_ratio_away() {
    let rules = Rules {
        unit_aliases: vec![("1".into(), String::new())],
        ..Rules::default()
    };
    assert_eq!(super::translate("x", "1", Suffix::Ratio, &rules).unwrap().name, "x");
}

#[test]
fn v_03_namespaces() {
    for (strategy, namespace, name, expected) in [
        (Escaped, "my.ns", "foo", "my_ns_foo_total"),
        (Escaped, "_test-space_", "foo", "test_space_foo_total"),
        (Escaped, "5ns", "foo", "_5ns_foo_total"),
        (Escaped, "ns", "5xx", "ns_5xx_total"),
        (Escaped, "total", "total", "total_total"),
        (Escaped, "..", "foo", "foo_total"),
        (Escaped, "ns", "é", ""),
        (Bare, "my.ns", "foo", "my_ns_foo"),
        (Bare, "_ns_", "foo", "_ns__foo"),
        (Bare, "5ns", "foo", "_5ns_foo"),
        (Bare, "ns", "_", ""),
        (Verbatim, "my.ns", "foo", "my.ns_foo_total"),
        (Verbatim, "my.ns", "", ""),
        (NoTranslation, "my.ns", "foo", "my.ns_foo"),
        (NoTranslation, "", "foo", "foo"),
    ] {
        let rules = Rules {
            namespace: namespace.into(),
            ..rules(strategy)
        };
        let translated = super::translate(name, "", Suffix::Total, &rules);
        assert_eq!(
            translated.map(|name| name.name).unwrap_or_default(),
            expected,
            "{strategy:?} {namespace} {name}"
        );
    }
}

#[test]
fn f_07_k_03_the_unit_and_whether_the_name_ends_in_it() {
    for (strategy, suffix, name, given, unit, in_name) in [
        (Escaped, Suffix::Total, "x", "By", "bytes", true),
        (Escaped, Suffix::None, "x", "By/s", "bytes_per_second", true),
        (Escaped, Suffix::None, "seconds.since.boot", "s", "seconds", false),
        (Escaped, Suffix::None, "seconds", "s", "seconds", false),
        (Escaped, Suffix::None, "bytes.x", "By/s", "bytes_per_second", false),
        (Escaped, Suffix::None, "x", "[lb_av]", "lb_av", false),
        (Escaped, Suffix::Total, "x", "[lb_av]", "lb_av", true),
        (Escaped, Suffix::Ratio, "x", "1", "", false),
        (Escaped, Suffix::None, "x", "1/s", "per_second", true),
        (Bare, Suffix::None, "x_seconds", "s", "seconds", false),
        (NoTranslation, Suffix::None, "x_seconds", "s", "seconds", false),
        (NoTranslation, Suffix::None, "x", "[lb_av]", "[lb_av]", false),
        (Verbatim, Suffix::Total, "a.b", "s", "seconds", true),
        (Verbatim, Suffix::None, "lag-seconds", "s", "seconds", false),
        (Verbatim, Suffix::None, "x", "°C", "°C", false),
    ] {
        let translated = super::translate(name, given, suffix, &rules(strategy)).unwrap();
        assert_eq!(
            (&*translated.unit, translated.unit_in_name),
            (unit, in_name),
            "{strategy:?} {name} {given}"
        );
    }
}
