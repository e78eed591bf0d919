//! C: what meets in one name, one label or one series.

use meterbridge::translate::{IdentityConflict, Rules};

use crate::harness::*;

fn g() -> Build {
    gauge("g").is(1)
}

#[test]
fn c_01_keys_that_become_one_label_are_joined_in_order_of_the_keys() {
    for order in [["a_b=z", "a.b=y", "a-b=x"], ["a-b=x", "a_b=z", "a.b=y"]] {
        let metric = order.iter().fold(g(), |metric, attribute| {
            let (key, value) = attribute.split_once('=').unwrap();
            metric.attr(key, value)
        });
        let bridge = Bridge::new();
        bridge.send(metric).advises(
            "advice: joined_attributes: attributes \"a-b\" and \"a.b\" and \"a_b\" of metric \"g\" become one label, \
             \"a_b\"; their values were joined",
        );
        bridge.shows(
            r#"# TYPE g gauge
            g{a_b="x;y;z",instance="i1",job="svc"} 1"#,
        );
    }
}

#[test]
fn c_01_an_empty_part_is_kept_and_nothing_but_empty_parts_is_no_label() {
    assert_eq!(
        labels_of(g().attr("a.b", "").attr("a_b", 2)),
        r#"{a_b=";2",instance="i1",job="svc"}"#
    );
    assert_eq!(
        labels_of(g().attr("a.b", "").attr("a_b", "")),
        r#"{instance="i1",job="svc"}"#
    );
}

#[test]
fn c_01_labels_of_our_own_stand_behind_those_of_the_point() {
    let request = from_r0(&[]).scope_named("lib", [g().attr("otel_scope_name", "x")]);
    assert_eq!(
        labels_of(request),
        r#"{instance="i1",job="svc",otel_scope_name="x;lib"}"#
    );
    let request = from_r0(&[]).scope_named("lib", [g().attr("otel.scope.name", "z")]);
    assert_eq!(
        labels_of(request),
        r#"{instance="i1",job="svc",otel_scope_name="z;lib"}"#
    );
}

#[test]
fn c_02_a_point_s_own_job_and_instance_are_exported() {
    row(
        g().attr("job", "x"),
        r#"# TYPE g gauge
        g{exported_job="x",instance="i1",job="svc"} 1"#,
    );
    row(
        g().attr("instance", "x"),
        r#"# TYPE g gauge
        g{exported_instance="x",instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn c_02_is_a_conflict_only_where_the_resource_gives_that_label() {
    let labels = labels_of(from(&[]).metrics([g().attr("job", "x").attr("instance", "y")]));
    assert_eq!(labels, r#"{exported_instance="y",instance="",job="x"}"#);
}

#[test]
fn c_02_an_exported_job_that_is_there_already_is_joined() {
    let labels = labels_of(g().attr("job", "x").attr("exported_job", "y"));
    assert_eq!(labels, r#"{exported_job="y;x",instance="i1",job="svc"}"#);
}

#[test]
fn c_02_the_other_ways_out() {
    use IdentityConflict::{Point, Spec};
    let from_cart = || from(&[("service.name", "cart")]);
    for (conflict, request, expected) in [
        (
            Spec,
            from_r0(&[]).metrics([g().attr("job", "x")]),
            r#"instance="i1",job="x;svc""#,
        ),
        (
            Spec,
            from_r0(&[]).metrics([g().attr("job", "")]),
            r#"instance="i1",job=";svc""#,
        ),
        (
            Spec,
            from_cart().metrics([g().attr("instance", "x")]),
            r#"instance="x;",job="cart""#,
        ),
        (
            Spec,
            from_cart().metrics([g().attr("instance", "")]),
            r#"instance="",job="cart""#,
        ),
        (
            Spec,
            from(&[]).metrics([g().attr("job", "x")]),
            r#"instance="",job="x""#,
        ),
        (
            Point,
            from_r0(&[]).metrics([g().attr("job", "x")]),
            r#"instance="i1",job="x""#,
        ),
        (
            Point,
            from_r0(&[]).metrics([g().attr("job", "")]),
            r#"instance="i1",job="svc""#,
        ),
        (
            Point,
            from_cart().metrics([g().attr("instance", "x")]),
            r#"instance="x",job="cart""#,
        ),
        (
            Point,
            from_cart().metrics([g().attr("instance", "")]),
            r#"instance="",job="cart""#,
        ),
        (Point, from_cart().metrics([g()]), r#"instance="",job="cart""#),
    ] {
        let rules = Rules {
            identity_conflict: conflict,
            ..Rules::default()
        };
        assert_eq!(labels_by(&rules, request), expected, "{conflict:?}");
    }
}

#[test]
fn c_02_an_instance_that_is_not_given_is_no_conflict() {
    let rules = Rules {
        empty_instance: false,
        ..Rules::default()
    };
    let labels = labels_by(&rules, from(&[]).metrics([g().attr("instance", "x")]));
    assert_eq!(labels, r#"instance="x""#);
}

#[test]
fn c_04_a_promoted_attribute_never_overrides_the_point_s() {
    let rules = |names: &[&str]| Rules {
        promote_resource_attributes: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Rules::default()
    };
    let env = || from_r0(&[("env", "prod")]);
    for (point, expected) in [
        (g().attr("env", "dev"), r#"env="dev",instance="i1",job="svc""#),
        (g(), r#"env="prod",instance="i1",job="svc""#),
        // An empty label is none (L-06).
        (g().attr("env", ""), r#"env="prod",instance="i1",job="svc""#),
    ] {
        assert_eq!(labels_by(&rules(&["env"]), env().metrics([point])), expected);
    }
    // By the name of the label, not of the attribute; and nothing is joined, so nothing is told.
    let bridge = Bridge::ruled(rules(&["deploy.env"]));
    bridge
        .send(from_r0(&[("deploy.env", "prod")]).metrics([g().attr("deploy_env", "dev")]))
        .expect_plain();
    assert_eq!(bridge.labels_in("g"), [r#"deploy_env="dev",instance="i1",job="svc""#]);
    // Two that are promoted are joined.
    let two = from_r0(&[("a.b", "y"), ("a-b", "x")]);
    assert_eq!(
        labels_by(&rules(&["a*"]), two.metrics([g()])),
        r#"a_b="x;y",instance="i1",job="svc""#
    );
    let two = from_r0(&[("a.b", "y"), ("a-b", "x")]);
    let labels = labels_by(&rules(&["a*"]), two.metrics([g().attr("a_b", "z")]));
    assert_eq!(labels, r#"a_b="z",instance="i1",job="svc""#);
}

#[test]
fn c_03_a_promoted_attribute_is_no_bound() {
    let bridge = Bridge::ruled(Rules {
        promote_resource_attributes: vec!["*".into()],
        ..Rules::default()
    });
    let metrics = [hist("h").buckets(&[1.0], &[1, 0], 1.0), g()];
    bridge.send(from_r0(&[("le", "x")]).metrics(metrics)).expect_plain();
    let name = r#"instance="i1",job="svc""#;
    let service = r#"service_instance_id="i1",service_name="svc""#;
    assert_eq!(bridge.labels_in("h"), [format!(r#"exported_le="x",{name},{service}"#)]);
    assert_eq!(bridge.labels_in("g"), [format!(r#"{name},le="x",{service}"#)]);
}

#[test]
fn c_03_le_on_a_histogram_and_quantile_on_a_summary_are_exported() {
    row(
        hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("le", "x"),
        r#"# TYPE h histogram
        h_bucket{exported_le="x",instance="i1",job="svc",le="1"} 1
        h_bucket{exported_le="x",instance="i1",job="svc",le="+Inf"} 1
        h_sum{exported_le="x",instance="i1",job="svc"} 1
        h_count{exported_le="x",instance="i1",job="svc"} 1"#,
    );
    row(
        summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0).attr("quantile", "x"),
        r#"# TYPE s summary
        s{exported_quantile="x",instance="i1",job="svc",quantile="0.5"} 1
        s_sum{exported_quantile="x",instance="i1",job="svc"} 1
        s_count{exported_quantile="x",instance="i1",job="svc"} 1"#,
    );
    assert_eq!(
        labels_of(g().attr("le", "x").attr("quantile", "y")),
        r#"{instance="i1",job="svc",le="x",quantile="y"}"#
    );
}

#[test]
fn c_05_two_streams_give_one_line_and_the_newest_end_time_wins() {
    let stream = |host, value: i64, t| {
        from(&[("service.name", "svc"), ("host.name", host)]).metrics([counter("c").is(value).t(t)])
    };
    let expected = r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="b",instance="",job="svc"} 1
        # TYPE c_total counter
        c_total{instance="",job="svc"} 9"#;

    let bridge = Bridge::new();
    bridge.send(stream("a", 5, 10)).expect_plain().collides(0);
    bridge.send(stream("b", 9, 20)).expect_plain().collides(1);
    bridge.shows(expected);

    let bridge = Bridge::new();
    bridge
        .send_all([stream("a", 5, 10), stream("b", 9, 20)])
        .expect_plain()
        .collides(1);
    bridge.shows(expected);
}

#[test]
fn c_05_with_label_streams_of_different_resources_never_meet() {
    let rules = Rules {
        label_resource: true,
        ..Rules::default()
    };
    let bridge = Bridge::ruled(rules.clone());
    for host in ["a", "b"] {
        let resource = from(&[("service.name", "svc"), ("host.name", host)]);
        bridge
            .send(resource.metrics([counter("c").is(1)]))
            .expect_plain()
            .collides(0);
    }
    assert_eq!(bridge.store.series(), 2);
    assert_eq!(
        bridge.target().as_deref(),
        Some(r#"host_name="b",instance="",job="svc""#)
    );

    // The hash keeps its value: it is the same whatever the order, in every process and version.
    let label = |attributes| labels_by(&rules, from_pairs(attributes).metrics([g()]));
    assert_eq!(label(vec![]), r#"instance="",otel_resource="0d8e2e0575bfce58""#);
    let pairs = || {
        vec![
            pair("a", "1"),
            pair("b", 2),
            pair("c", vec![pair("y", 1.5), pair("x", Empty)]),
        ]
    };
    let mut reversed = pairs();
    reversed.reverse();
    let mut inside = pairs();
    inside[2] = pair("c", vec![pair("x", Empty), pair("y", 1.5)]);
    for attributes in [pairs(), reversed, inside, [vec![pair("a", 0)], pairs()].concat()] {
        assert_eq!(label(attributes), r#"instance="",otel_resource="67cfa8cb4a46d7bd""#);
    }
    let mut others: Vec<String> = [
        vec![],
        vec![pair("a", "1")],
        vec![pair("a", 1)],
        vec![pair("a", 1.0)],
        vec![pair("a", Bytes(b"1"))],
        vec![pair("a", Empty)],
        vec![pair("a", "")],
        vec![pair("a", vec![any(1)])],
        vec![pair("a", vec![pair("1", "")])],
        vec![pair("a", true)],
        vec![pair("a", false)],
        vec![pair("1", "a")],
        vec![pair("a", "1"), pair("b", "")],
        vec![pair("service.namespace", "x")],
    ]
    .into_iter()
    .map(label)
    .collect();
    let all = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), all);
}

#[test]
fn c_05_a_stream_does_not_collide_with_itself() {
    let bridge = Bridge::new();
    for t in 1..4 {
        let point = |value: &str| counter("c").is(1).t(t).attr("k", value).attr("l", "1");
        let swapped = counter("c").is(1).t(t).attr("l", "1").attr("k", "b");
        bridge
            .send_all([from_r0(&[("x", "1"), ("y", "2")]).metrics([point("a"), point("b")])])
            .collides(0);
        bridge
            .send_all([from_r0(&[("y", "2"), ("x", "1")]).metrics([point("a"), swapped])])
            .collides(0);
    }
    assert_eq!(bridge.store.series(), 2);
}

#[test]
fn c_05_what_tells_streams_apart() {
    for (other, times) in [
        (from_r0(&[]).metrics([gauge("a_b").is(1).attr("k", "v")]), 1),
        (from_r0(&[]).metrics([gauge("a.b").is(1).attr("k", "")]), 0),
        (from_r0(&[("x", "y")]).metrics([gauge("a.b").is(1).attr("k", "v")]), 1),
        (from_r0(&[]).metrics([gauge("a.b").is(1).attr("k.", "v")]), 0),
    ] {
        let bridge = Bridge::new();
        bridge.send(gauge("a.b").is(1).attr("k", "v")).collides(0);
        bridge.send(other).collides(times);
    }
}

#[test]
fn c_07_values_cannot_be_mistaken_for_labels() {
    row(
        gauge("g").is(1).attr("a", "1*b*2").is(2).attr("a", "1").attr("b", "2"),
        r#"# TYPE g gauge
        g{a="1*b*2",instance="i1",job="svc"} 1
        g{a="1",b="2",instance="i1",job="svc"} 2"#,
    );
    let bridge = Bridge::new();
    bridge
        .send([
            gauge("g").is(1).attr("a", "1\",b=\"2"),
            gauge("g").is(2).attr("a", "1").attr("b", "2"),
        ])
        .expect_plain();
    assert_eq!(bridge.store.series(), 2);
}

#[test]
fn c_08_neither_order_nor_the_type_of_a_number_is_identity() {
    let bridge = Bridge::new();
    bridge
        .send(gauge("g").is(1).attr("a", "x").attr("b", "y"))
        .expect_plain();
    bridge
        .send(gauge("g").is(2.5).attr("b", "y").attr("a", "x"))
        .expect_plain()
        .collides(0);
    bridge.shows(
        r#"# TYPE g gauge
        g{a="x",b="y",instance="i1",job="svc"} 2.5"#,
    );
}

#[test]
fn c_08_the_type_of_an_attribute_is_lost() {
    let bridge = Bridge::new();
    bridge.send(gauge("g").is(1).attr("k", 1)).expect_plain();
    bridge.send(gauge("g").is(2).attr("k", "1")).expect_plain().collides(1);
    bridge.shows(
        r#"# TYPE g gauge
        g{instance="i1",job="svc",k="1"} 2"#,
    );
}
