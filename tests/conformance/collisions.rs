//! C: what meets in one name, one label or one series.

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
