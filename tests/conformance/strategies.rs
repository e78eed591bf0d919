//! V: the translation strategies, and what the other rules of names and labels become in each.

use meterbridge::model::Family;
use meterbridge::translate::{Rules, Strategy};

use crate::harness::*;

const ALL: [Strategy; 4] = [
    Strategy::UnderscoreEscapingWithSuffixes,
    Strategy::UnderscoreEscapingWithoutSuffixes,
    Strategy::NoUtf8EscapingWithSuffixes,
    Strategy::NoTranslation,
];
const ESCAPING: [Strategy; 2] = [ALL[0], ALL[1]];
const VERBATIM: [Strategy; 2] = [ALL[2], ALL[3]];

fn rules(strategy: Strategy) -> Rules {
    Rules {
        strategy,
        ..Rules::default()
    }
}

fn g() -> Build {
    gauge("g").is(1)
}

/// The only family that a metric makes.
#[track_caller]
fn family(rules: Rules, metric: Build) -> Family {
    let bridge = Bridge::ruled(rules);
    bridge.send(metric).expect_plain();
    let [cell] = &*bridge.store.families() else {
        panic!("one family")
    };
    cell.family()
}

#[test]
fn v_01_names() {
    for (metric, names) in [
        (
            counter("foo.bar").unit("By").is(1),
            ["foo_bar_bytes_total", "foo_bar", "foo.bar_bytes_total", "foo.bar"],
        ),
        (
            counter("5xx.count").is(1),
            ["_5xx_count_total", "_5xx_count", "5xx.count_total", "5xx.count"],
        ),
        (
            gauge("cpu.load").unit("1").is(1),
            ["cpu_load_ratio", "cpu_load", "cpu.load_ratio", "cpu.load"],
        ),
        (
            updown("queue.depth").unit("1").is(1),
            ["queue_depth", "queue_depth", "queue.depth", "queue.depth"],
        ),
        (
            summary("rpc.time").unit("ms").quantiles(&[], 1, 1.0),
            ["rpc_time_milliseconds", "rpc_time", "rpc.time_milliseconds", "rpc.time"],
        ),
        (
            gauge("build").is(1).meta("prometheus.type", "info"),
            ["build_info", "build", "build_info", "build"],
        ),
        (
            counter("subtotal").is(1),
            ["subtotal_total", "subtotal", "subtotal_total", "subtotal"],
        ),
        (
            counter("orders.total").is(1),
            ["orders_total", "orders_total", "orders_total", "orders.total"],
        ),
        (
            gauge("lag-seconds").unit("s").is(1),
            ["lag_seconds", "lag_seconds", "lag-seconds", "lag-seconds"],
        ),
    ] {
        for (strategy, name) in ALL.into_iter().zip(names) {
            assert_eq!(family(rules(strategy), metric.clone()).name, name, "{strategy:?}");
        }
    }
}

#[test]
fn n_12_what_no_name_is_left_of() {
    let refused = |strategy, name: &str| {
        let bridge = Bridge::ruled(rules(strategy));
        let answer = bridge.send(gauge(name).unit("Cel").is(1));
        answer.counts().1 == [("empty_name", 1)]
    };
    for strategy in ESCAPING {
        assert!(
            ["", "温度", "____", "._."].iter().all(|name| refused(strategy, name)),
            "{strategy:?}"
        );
    }
    for strategy in VERBATIM {
        assert!(refused(strategy, ""));
        assert!(
            ["温度", "____", " "].iter().all(|name| !refused(strategy, name)),
            "{strategy:?}"
        );
    }
}

#[test]
fn k_03_f_07_the_unit_is_known_in_every_strategy_and_in_the_name_where_suffixes_are() {
    for (metric, unit, in_name) in [
        (gauge("x").unit("s").is(1), "seconds", [true, false, true, false]),
        (
            gauge("x_seconds").unit("s").is(1),
            "seconds",
            [true, false, true, false],
        ),
        (
            counter("x").unit("By/s").is(1),
            "bytes_per_second",
            [true, false, true, false],
        ),
        (gauge("x").unit("1").is(1), "", [false; 4]),
        (gauge("x").unit("{request}").is(1), "", [false; 4]),
        (
            gauge("x").unit("s").is(1).meta("prometheus.type", "info"),
            "",
            [false; 4],
        ),
        (
            gauge("x").unit("s").is(1).meta("prometheus.type", "stateset"),
            "",
            [false; 4],
        ),
        (
            gauge("x").unit("s").is(1).meta("prometheus.type", "unknown"),
            "seconds",
            [true, false, true, false],
        ),
    ] {
        for (strategy, in_name) in ALL.into_iter().zip(in_name) {
            let family = family(rules(strategy), metric.clone());
            assert_eq!(
                (&*family.unit, family.unit_in_name),
                (unit, in_name),
                "{strategy:?} {family:?}"
            );
        }
    }
}

#[test]
fn v_03_a_namespace_is_sanitised_where_names_are() {
    for (strategy, name) in ALL
        .into_iter()
        .zip(["my_ns_foo_total", "my_ns_foo", "my.ns_foo_total", "my.ns_foo"])
    {
        let rules = Rules {
            namespace: "my.ns".into(),
            ..rules(strategy)
        };
        assert_eq!(family(rules, counter("foo").is(1)).name, name);
    }
}

#[test]
fn v_03_target_info_has_no_namespace() {
    let bridge = Bridge::ruled(Rules {
        namespace: "ns".into(),
        ..Rules::default()
    });
    bridge
        .send(from_r0(&[("host.name", "h")]).metrics([g(), gauge("target_info").is(2)]))
        .expect_plain();
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="h",instance="i1",job="svc"} 1
        # TYPE ns_g gauge
        ns_g{instance="i1",job="svc"} 1
        # TYPE ns_target_info gauge
        ns_target_info{instance="i1",job="svc"} 2"#,
    );
}

#[test]
fn k_04_target_info_is_reserved_as_a_final_name() {
    let answer = |strategy, namespace: &str, metric: Build| {
        let bridge = Bridge::ruled(Rules {
            namespace: namespace.into(),
            ..rules(strategy)
        });
        bridge.send(metric)
    };
    for strategy in ALL {
        for (namespace, name) in [("", "target_info"), ("target", "info")] {
            answer(strategy, namespace, gauge(name).is(1)).refuses(0, &[("reserved_name", 1)]);
        }
        answer(strategy, "ns", gauge("target_info").is(1)).expect_plain();
    }
    for strategy in ESCAPING {
        answer(strategy, "", gauge("target.info").is(1)).refuses(0, &[("reserved_name", 1)]);
    }
    for strategy in VERBATIM {
        answer(strategy, "", gauge("target.info").is(1)).expect_plain();
    }
    let info = || gauge("target").is(1).meta("prometheus.type", "info");
    answer(ALL[0], "", info()).refuses(0, &[("reserved_name", 1)]);
    answer(ALL[2], "", info()).refuses(0, &[("reserved_name", 1)]);
    answer(ALL[3], "", info()).expect_plain();
}

#[test]
fn v_01_labels_stay_in_the_utf_8_strategies() {
    let metric = g()
        .attr("http.method", "GET")
        .attr("温度", 1)
        .attr("5xx", 2)
        .attr("a_b", 3)
        .attr("x:y", 4);
    for strategy in ESCAPING {
        assert_eq!(
            labels_by(&rules(strategy), metric.clone()),
            r#"a_b="3",http_method="GET",instance="i1",job="svc",key_5xx="2",x_y="4""#
        );
    }
    for strategy in VERBATIM {
        assert_eq!(
            labels_by(&rules(strategy), metric.clone()),
            r#""5xx"="2",a_b="3","http.method"="GET",instance="i1",job="svc","x:y"="4","温度"="1""#
        );
    }
}

#[test]
fn c_01_what_is_joined_only_where_it_meets() {
    let metric = g().attr("k.l", "x").attr("k_l", "y");
    for strategy in ESCAPING {
        assert_eq!(
            labels_by(&rules(strategy), metric.clone()),
            r#"instance="i1",job="svc",k_l="x;y""#
        );
    }
    for strategy in VERBATIM {
        let bridge = Bridge::ruled(rules(strategy));
        bridge.send(metric.clone()).expect_plain();
        assert_eq!(bridge.labels_in("g"), [r#"instance="i1",job="svc","k.l"="x",k_l="y""#]);
    }
}

#[test]
fn l_04_only_an_empty_key_and_underscores_are_dropped_in_the_utf_8_strategies() {
    for strategy in VERBATIM {
        for key in ["", "_", "___"] {
            let bridge = Bridge::ruled(rules(strategy));
            let answer = bridge.send(g().attr(key, "v"));
            assert!(answer.message().starts_with("advice: dropped_attribute: "), "{key}");
            assert_eq!(bridge.labels_in("g"), [r#"instance="i1",job="svc""#]);
        }
        assert_eq!(
            labels_by(&rules(strategy), g().attr("é", "v")),
            r#"instance="i1",job="svc","é"="v""#
        );
    }
}

#[test]
fn l_09_reserved_names_in_every_strategy() {
    for (strategy, name) in ALL.into_iter().zip(["_x_", "_x_", "_x__", "_x__"]) {
        let rules = Rules {
            promote_resource_attributes: vec!["__*".into()],
            ..rules(strategy)
        };
        assert_eq!(
            labels_by(&rules, g().attr("__name__", "evil").attr("__x__", 1)),
            format!(r#"{name}="1",instance="i1",job="svc""#)
        );
        let resource = || from_r0(&[("__name__", "evil"), ("__x__", "1")]).metrics([g()]);
        let expected = format!(r#"{name}="1",instance="i1",job="svc""#);
        assert_eq!(labels_by(&rules, resource()), expected);
        let bridge = Bridge::ruled(rules);
        bridge.send(resource());
        assert_eq!(bridge.target().as_deref(), Some(&*expected));
    }
    // Two that meet are joined, here too.
    let labels = labels_by(&rules(Strategy::NoTranslation), g().attr("__x", "a").attr("_x", "b"));
    assert_eq!(labels, r#"_x="a;b",instance="i1",job="svc""#);
}

#[test]
fn c_02_c_03_identity_and_bounds_are_ours_in_every_strategy() {
    for strategy in ALL {
        let bridge = Bridge::ruled(rules(strategy));
        bridge
            .send(hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("le", "x").attr("job", "y"))
            .expect_plain();
        assert_eq!(
            bridge.labels_in("h"),
            [r#"exported_job="y",exported_le="x",instance="i1",job="svc""#]
        );
    }
}

#[test]
fn r_09_labels_of_target_info_follow_the_strategy() {
    let attributes = [("host.name", "h"), ("job", "j"), ("a.b", "x"), ("a_b", "y")];
    for (strategy, expected) in [
        (
            ALL[1],
            r#"a_b="x;y",exported_job="j",host_name="h",instance="i1",job="svc""#,
        ),
        (
            ALL[2],
            r#""a.b"="x",a_b="y",exported_job="j","host.name"="h",instance="i1",job="svc""#,
        ),
        (
            ALL[3],
            r#""a.b"="x",a_b="y",exported_job="j","host.name"="h",instance="i1",job="svc""#,
        ),
    ] {
        let bridge = Bridge::ruled(rules(strategy));
        bridge.send(from_r0(&attributes).metrics([g()]));
        assert_eq!(bridge.target().as_deref(), Some(expected), "{strategy:?}");
    }
}

#[test]
fn s_01_s_02_scope_attributes_follow_the_strategy() {
    let request = || {
        let attributes = vec![
            pair("a.b", 1),
            pair("name", 2),
            pair("schema.url", 3),
            pair("__x", 4),
            pair("", 5),
        ];
        let scope = opentelemetry_proto::tonic::common::v1::InstrumentationScope {
            name: "lib".into(),
            attributes,
            ..Default::default()
        };
        from_r0(&[]).scope(scope, "", [g()])
    };
    for strategy in ESCAPING {
        assert_eq!(
            labels_by(&rules(strategy), request()),
            r#"instance="i1",job="svc",otel_scope_a_b="1",otel_scope_name="lib",otel_scope_x="4""#
        );
    }
    for strategy in VERBATIM {
        assert_eq!(
            labels_by(&rules(strategy), request()),
            r#"instance="i1",job="svc",otel_scope___x="4","otel_scope_a.b"="1",otel_scope_name="lib","otel_scope_schema.url"="3""#
        );
    }
}

#[test]
fn b_03_limits_hold_in_every_strategy() {
    for strategy in ALL {
        let mut rules = rules(strategy);
        rules.labels.name_bytes = 10;
        let bridge = Bridge::ruled(rules);
        bridge
            .send(g().attr("a.long.name", 1))
            .refuses(0, &[("label_name_too_long", 1)]);
    }
}
