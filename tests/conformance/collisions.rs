//! C: what meets in one name, one label or one series.

use meterbridge::exposition::Escaping;
use meterbridge::store::{Collisions, Limits};
use meterbridge::translate::{IdentityConflict, Rules, Strategy};

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

/// From one of several hosts of one service: streams that meet.
fn host(name: &str, metrics: impl IntoIterator<Item = Build>) -> Request {
    from(&[("service.name", "svc"), ("host.name", name)]).metrics(metrics)
}

fn summing() -> Bridge {
    summing_by(Rules::default())
}

fn summing_by(rules: Rules) -> Bridge {
    let limits = Limits {
        collisions: Collisions::Sum,
        ..Limits::default()
    };
    Bridge::with(limits, rules)
}

const TARGET: &str = r#"# HELP target_info Target metadata
    # TYPE target_info gauge
    target_info{host_name="b",instance="",job="svc"} 1
    "#;

/// In OpenMetrics 2.0 without what is in front of the first family.
#[track_caller]
fn shows_behind_target(bridge: &Bridge, expected: &str) {
    let found = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
    let rest: Vec<&str> = found.split_inclusive('\n').skip(3).collect();
    assert_eq!(rest.concat(), text(expected));
}

#[test]
fn c_05_latest_an_older_stream_changes_nothing_and_counts() {
    let bridge = Bridge::new();
    bridge
        .send(host("a", [counter("c").is(9).s(5).t(20)]))
        .expect_plain()
        .collides(0);
    bridge
        .send(host("b", [counter("c").is(5).s(1).t(10)]))
        .expect_plain()
        .collides(1)
        .ignores(1);
    shows_behind_target(
        &bridge,
        "# TYPE c_total counter\nc_total{instance=\"\",job=\"svc\"} 9 st@5\n# EOF",
    );
    // Of equal times the last one wins.
    bridge
        .send(host("b", [counter("c").is(1).s(2).t(20)]))
        .expect_plain()
        .ignores(0);
    shows_behind_target(
        &bridge,
        "# TYPE c_total counter\nc_total{instance=\"\",job=\"svc\"} 1 st@2\n# EOF",
    );
}

#[test]
fn c_05_latest_whatever_it_is() {
    for (first, second, expected) in [
        (
            gauge("x").is(1).t(10),
            gauge("x").is(2).t(20),
            "x{instance=\"\",job=\"svc\"} 2",
        ),
        (
            updown("x").is(1).t(10),
            updown("x").is(2).t(20),
            "x{instance=\"\",job=\"svc\"} 2",
        ),
        (
            hist("x").buckets(&[1.0], &[1, 0], 1.0).t(10),
            hist("x").buckets(&[2.0], &[2, 0], 2.0).t(20),
            "x{instance=\"\",job=\"svc\"} {count:2,sum:2,bucket:[2.0:2,+Inf:2]}",
        ),
        (
            exphist("x").exponential(|p| p.zero(1).sum(1.0)).t(10),
            exphist("x").exponential(|p| p.zero(2).sum(2.0)).t(20),
            "x{instance=\"\",job=\"svc\"} {count:2,sum:2,schema:0,zero_threshold:1e-128,zero_count:2,bucket:[0.0:2,+Inf:2]}",
        ),
        (
            summary("x").quantiles(&[(0.5, 1.0)], 1, 1.0).t(10),
            summary("x").quantiles(&[(0.9, 2.0)], 2, 2.0).t(20),
            "x{instance=\"\",job=\"svc\"} {count:2,sum:2,quantile:[0.9:2]}",
        ),
    ] {
        for swapped in [false, true] {
            let bridge = Bridge::new();
            let (early, late) = if swapped { (&second, &first) } else { (&first, &second) };
            bridge.send(host("a", [early.clone()])).expect_plain().collides(0);
            bridge
                .send(host("b", [late.clone()]))
                .expect_plain()
                .collides(1)
                .ignores(u64::from(swapped));
            let found = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
            assert_eq!(
                found.lines().filter(|line| line.starts_with("x{")).collect::<Vec<_>>(),
                [expected]
            );
        }
    }
}

#[test]
fn c_05_latest_deltas_of_two_streams_are_in_each_other_s_way() {
    let d = |value: i64, s, t| [counter("c").delta().is(value).s(s).t(t)];
    let bridge = Bridge::new();
    bridge.send(host("a", d(5, 10, 20))).expect_plain();
    let answer = bridge.send(host("b", d(7, 15, 25))).refuses(0, &[("out_of_order", 1)]);
    assert!(
        answer.message().contains("two writers with the same identity"),
        "{}",
        answer.message()
    );
    bridge.send(host("b", d(7, 20, 30))).expect_plain().collides(1);
    shows_behind_target(
        &bridge,
        "# TYPE c_total counter\nc_total{instance=\"\",job=\"svc\"} 12 st@10\n# EOF",
    );
}

#[test]
fn c_05_sum_counters_and_histograms_are_one_line_with_the_sum() {
    let bridge = summing();
    let metrics = |value: u64, start, end| {
        [
            counter("c").is(value as i64).s(start).t(end),
            hist("h").buckets(&[1.0], &[value, 1], value as f64).s(start).t(end),
            exphist("e")
                .exponential(|p| p.scale(value as i32 % 2).positive(0, &[value]).sum(0.5))
                .s(start)
                .t(end),
        ]
    };
    bridge.send(host("a", metrics(5, 3, 10))).expect_plain().collides(0);
    bridge.send(host("b", metrics(8, 7, 20))).expect_plain().collides(3);
    let expected = r#"# TYPE c_total counter
        c_total{instance="",job="svc"} 13
        # TYPE e histogram
        e_bucket{instance="",job="svc",le="1"} 0
        e_bucket{instance="",job="svc",le="2"} 13
        e_bucket{instance="",job="svc",le="+Inf"} 13
        e_sum{instance="",job="svc"} 1
        e_count{instance="",job="svc"} 13
        # TYPE h histogram
        h_bucket{instance="",job="svc",le="1"} 13
        h_bucket{instance="",job="svc",le="+Inf"} 15
        h_sum{instance="",job="svc"} 13
        h_count{instance="",job="svc"} 15"#;
    bridge.shows(&format!("{TARGET}{expected}"));
    // Since the first of them began.
    let whole = r#"# TYPE c_total counter
        c_total{instance="",job="svc"} 13 st@3
        # TYPE e histogram
        e{instance="",job="svc"} {count:13,sum:1,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[1:1],positive_buckets:[13],bucket:[1.0:0,2.0:13,+Inf:13]} st@3
        # TYPE h histogram
        h{instance="",job="svc"} {count:15,sum:13,bucket:[1.0:13,+Inf:15]} st@3
        # EOF"#;
    shows_behind_target(&bridge, whole);
    let labels = r#"label { name: "instance" value: "" } label { name: "job" value: "svc" }"#;
    bridge.shows_in(
        P,
        &r#"name: "target_info" help: "Target metadata" type: GAUGE
        metric { label { name: "host_name" value: "b" } LABELS gauge { value: 1 } }
        name: "c_total" type: COUNTER metric { LABELS counter { value: 13 start_timestamp { seconds: 3 } } }
        name: "e" type: HISTOGRAM metric { LABELS histogram { sample_count: 13 sample_sum: 1
        bucket { cumulative_count: 0 upper_bound: 1 } bucket { cumulative_count: 13 upper_bound: 2 }
        bucket { cumulative_count: 13 upper_bound: inf } schema: 0 zero_threshold: 1e-128 zero_count: 0
        positive_span { offset: 1 length: 1 } positive_delta: 13 start_timestamp { seconds: 3 } } }
        name: "h" type: HISTOGRAM metric { LABELS histogram { sample_count: 15 sample_sum: 13
        bucket { cumulative_count: 13 upper_bound: 1 } bucket { cumulative_count: 15 upper_bound: inf }
        start_timestamp { seconds: 3 } } }"#
            .replace("LABELS", labels),
    );
    // Each stream is met once; what it sends later takes the place of what it sent before.
    bridge.send(host("a", metrics(5, 3, 30))).expect_plain().collides(0);
    bridge.send(host("b", metrics(8, 7, 30))).expect_plain().collides(0);
    shows_behind_target(&bridge, whole);
    bridge
        .send(host("a", [counter("c").is(1).s(30).t(40)]))
        .expect_plain()
        .collides(0);
    assert!(bridge.scrape().contains("c_total{instance=\"\",job=\"svc\"} 9\n"));
}

#[test]
fn c_05_sum_each_stream_has_times_of_its_own() {
    let bridge = summing();
    bridge.send(host("a", [counter("c").is(5).t(20)])).expect_plain();
    // Older than the other one, and taken.
    bridge
        .send(host("b", [counter("c").is(9).t(10)]))
        .expect_plain()
        .ignores(0)
        .collides(1);
    bridge.shows(&format!(
        "{TARGET}# TYPE c_total counter\nc_total{{instance=\"\",job=\"svc\"}} 14"
    ));
    bridge
        .send(host("b", [counter("c").is(1).t(9)]))
        .expect_plain()
        .ignores(1);
    bridge
        .send(host("b", [counter("c").is(0).t(30).stale()]))
        .expect_plain();
    bridge.shows(&format!(
        "{TARGET}# TYPE c_total counter\nc_total{{instance=\"\",job=\"svc\"}} 5"
    ));
}

#[test]
fn c_05_sum_whole_numbers_stay_whole_and_an_unknown_start_makes_it_unknown() {
    let bridge = summing();
    bridge
        .send(host("a", [counter("c").is(9_007_199_254_740_993).s(5).t(20)]))
        .expect_plain();
    bridge.send(host("b", [counter("c").is(2).t(20)])).expect_plain();
    shows_behind_target(
        &bridge,
        "# TYPE c_total counter\nc_total{instance=\"\",job=\"svc\"} 9007199254740995\n# EOF",
    );
    bridge.send(host("b", [counter("c").is(0.5).t(21)])).expect_plain();
    bridge.send(host("a", [counter("c").is(1).t(21)])).expect_plain();
    shows_behind_target(
        &bridge,
        "# TYPE c_total counter\nc_total{instance=\"\",job=\"svc\"} 1.5\n# EOF",
    );
}

#[test]
fn c_05_sum_of_all_else_the_latest_is_shown() {
    for (first, second) in [
        (gauge("x").is(1).t(20), gauge("x").is(2).t(10)),
        (updown("x").is(1).t(20), updown("x").is(2).t(10)),
        (
            summary("x").quantiles(&[], 1, 1.0).t(20),
            summary("x").quantiles(&[], 2, 2.0).t(10),
        ),
    ] {
        let bridge = summing();
        bridge.send(host("b", [first])).expect_plain();
        let before = bridge.scrape();
        bridge
            .send(host("b", [second.clone().attr("k", "")]))
            .expect_plain()
            .collides(1)
            .ignores(1);
        assert_eq!(bridge.scrape(), before);
    }
}

#[test]
fn c_05_sum_deltas_of_each_stream_add_up_for_themselves() {
    let d = |value: i64, s, t| {
        [
            counter("c").delta().is(value).s(s).t(t),
            hist("h").delta().buckets(&[], &[value as u64], 1.0).s(s).t(t),
        ]
    };
    let bridge = summing();
    for (name, value, s, t) in [("a", 5, 10, 20), ("b", 7, 10, 20), ("a", 1, 20, 30), ("b", 2, 15, 18)] {
        let answer = bridge.send(host(name, d(value, s, t)));
        if (name, value) == ("b", 2) {
            answer.refuses(0, &[("out_of_order", 2)]);
        } else {
            answer.expect_plain().ignores(0);
        }
    }
    bridge.send(host("b", d(7, 10, 20))).expect_plain().ignores(2);
    bridge.send(host("b", d(4, 20, 25))).expect_plain();
    shows_behind_target(
        &bridge,
        r#"# TYPE c_total counter
        c_total{instance="",job="svc"} 17 st@10
        # TYPE h histogram
        h{instance="",job="svc"} {count:17,sum:4,bucket:[+Inf:17]} st@10
        # EOF"#,
    );
    // One that is hidden counts for nothing meanwhile.
    bridge
        .send(host("b", [counter("c").delta().is(0).s(25).t(30).stale()]))
        .expect_plain();
    assert!(bridge.scrape().contains("c_total{instance=\"\",job=\"svc\"} 6\n"));
    bridge
        .send(host("b", [counter("c").delta().is(1).s(30).t(40)]))
        .expect_plain();
    assert!(bridge.scrape().contains("c_total{instance=\"\",job=\"svc\"} 18\n"));
}

#[test]
fn c_05_sum_histograms_that_do_not_add_up_leave_the_latest() {
    for swapped in [false, true] {
        let bridge = summing();
        let mut requests = [
            host("b", [hist("h").buckets(&[1.0], &[1, 0], 1.0).t(10)]),
            host("b", [hist("h").buckets(&[2.0], &[2, 0], 2.0).t(20).attr("k", "")]),
        ];
        if swapped {
            requests.reverse();
        }
        for request in requests {
            bridge.send(request).expect_plain();
        }
        bridge.shows(&format!(
            "{TARGET}{}",
            r#"# TYPE h histogram
            h_bucket{instance="",job="svc",le="2"} 2
            h_bucket{instance="",job="svc",le="+Inf"} 2
            h_sum{instance="",job="svc"} 2
            h_count{instance="",job="svc"} 2"#
        ));
    }
    // Nor do the two kinds.
    let bridge = summing();
    bridge
        .send(host("a", [hist("h").buckets(&[1.0], &[1, 0], 1.0).t(20)]))
        .expect_plain();
    bridge
        .send(host("b", [exphist("h").exponential(|p| p.zero(3).sum(2.0)).t(10)]))
        .expect_plain();
    shows_behind_target(
        &bridge,
        "# TYPE h histogram\nh{instance=\"\",job=\"svc\"} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}\n# EOF",
    );
    // A sum that one lacks, the total lacks too (D-06).
    let bridge = summing();
    bridge
        .send(host("a", [hist("h").buckets(&[], &[1], 1.0)]))
        .expect_plain();
    bridge
        .send(host("b", [hist("h").buckets(&[], &[2], None)]))
        .expect_plain();
    bridge.shows(&format!(
        "{TARGET}{}",
        r#"# TYPE h histogram
        h_bucket{instance="",job="svc",le="+Inf"} 3
        h_count{instance="",job="svc"} 3"#
    ));
}

#[test]
fn c_05_sum_exemplars_of_all_streams_are_one_set() {
    let metrics = |first: f64, second: f64| {
        [
            counter("c")
                .is(3)
                .exemplar(|e| e.is(1.0).t(first))
                .exemplar(|e| e.is(2.0).t(second)),
            exphist("e")
                .exponential(|p| p.positive(0, &[3]).sum(4.0))
                .exemplar(|e| e.is(1.5).t(first))
                .exemplar(|e| e.is(2.0).t(second)),
            hist("h")
                .buckets(&[1.0], &[2, 1], 3.0)
                .exemplar(|e| e.is(0.5).t(first))
                .exemplar(|e| e.is(5.0).t(second)),
        ]
    };
    let bridge = summing();
    bridge.send(host("a", metrics(10.0, 40.0))).expect_plain();
    bridge.send(host("b", metrics(20.0, 30.0))).expect_plain();
    shows_behind_target(
        &bridge,
        r#"# TYPE c_total counter
        c_total{instance="",job="svc"} 6 # {} 1 10 # {} 1 20 # {} 2 30 # {} 2 40
        # TYPE e histogram
        e{instance="",job="svc"} {count:6,sum:8,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[1:1],positive_buckets:[6],bucket:[1.0:0,2.0:6,+Inf:6]} # {} 1.5 10 # {} 1.5 20 # {} 2 30 # {} 2 40
        # TYPE h histogram
        h{instance="",job="svc"} {count:6,sum:6,bucket:[1.0:4,+Inf:6]} # {} 0.5 20 # {} 5 40
        # EOF"#,
    );
    bridge.shows_in(
        OM,
        r#"# TYPE target info
        # HELP target Target metadata
        target_info{host_name="b",instance="",job="svc"} 1
        # TYPE c counter
        c_total{instance="",job="svc"} 6 # {} 2 40
        # TYPE e histogram
        e_bucket{instance="",job="svc",le="1.0"} 0
        e_bucket{instance="",job="svc",le="2.0"} 6 # {} 2 40
        e_bucket{instance="",job="svc",le="+Inf"} 6
        e_count{instance="",job="svc"} 6
        e_sum{instance="",job="svc"} 8
        # TYPE h histogram
        h_bucket{instance="",job="svc",le="1.0"} 4 # {} 0.5 20
        h_bucket{instance="",job="svc",le="+Inf"} 6 # {} 5 40
        h_count{instance="",job="svc"} 6
        h_sum{instance="",job="svc"} 6
        # EOF"#,
    );
    // Ten at most, of equal time and value one.
    let bridge = summing();
    let many = |from: u32| {
        (from..from + 8).fold(
            exphist("e").exponential(|p| p.positive(0, &[8]).sum(8.0)),
            |metric, at| metric.exemplar(|e| e.is(f64::from(at)).t(f64::from(at))),
        )
    };
    bridge.send(host("a", [many(1)])).expect_plain();
    bridge.send(host("b", [many(5)])).expect_plain();
    let found = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
    let shown: Vec<String> = (3..13).map(|at| format!("{{}} {at} {at}")).collect();
    let (_, exemplars) = found.split_once(" # {} ").unwrap();
    assert_eq!(format!("{{}} {}", exemplars.lines().next().unwrap()), shown.join(" # "));
}

#[test]
fn c_05_sum_c_06_what_meets_by_escaping_adds_up() {
    let bridge = summing_by(Rules {
        strategy: Strategy::NoTranslation,
        ..Rules::default()
    });
    bridge
        .send([
            counter("a.b").is(1).t(10),
            counter("a_b").is(2).t(5),
            counter("c").is(1).attr("k.l", "v").is(4).attr("k_l", "v"),
            gauge("g.h").is(1).t(10),
            gauge("g_h").is(2).t(5),
        ])
        .expect_plain();
    bridge.shows(
        r#"# TYPE a_b counter
        a_b{instance="i1",job="svc"} 3
        # TYPE c counter
        c{instance="i1",job="svc",k_l="v"} 5
        # TYPE g_h gauge
        g_h{instance="i1",job="svc"} 1"#,
    );
    // Where nothing is escaped nothing meets.
    bridge.shows_in(
        escaped(T1, Escaping::AllowUtf8),
        r#"# TYPE "a.b" counter
        {"a.b",instance="i1",job="svc"} 1
        # TYPE a_b counter
        a_b{instance="i1",job="svc"} 2
        # TYPE c counter
        c{instance="i1",job="svc","k.l"="v"} 1
        c{instance="i1",job="svc",k_l="v"} 4
        # TYPE "g.h" gauge
        {"g.h",instance="i1",job="svc"} 1
        # TYPE g_h gauge
        g_h{instance="i1",job="svc"} 2"#,
    );
}

#[test]
fn c_05_s_04_scopes_without_labels_meet() {
    let rules = Rules {
        scope_labels: false,
        ..Rules::default()
    };
    let send = |bridge: &Bridge, scope, value: i64, t| {
        bridge
            .send(from_r0(&[]).scope_named(scope, [counter("c").is(value).t(t)]))
            .expect_plain()
    };
    for (bridge, expected) in [(Bridge::ruled(rules.clone()), 2), (summing_by(rules.clone()), 3)] {
        send(&bridge, "a", 1, 10).collides(0);
        send(&bridge, "b", 2, 20).collides(1);
        bridge.shows(&format!(
            "# TYPE c_total counter\nc_total{{instance=\"i1\",job=\"svc\"}} {expected}"
        ));
    }
    // The label tells resources apart, nothing else.
    let bridge = Bridge::ruled(Rules {
        label_resource: true,
        ..rules
    });
    send(&bridge, "a", 1, 10).collides(0);
    send(&bridge, "b", 2, 20).collides(1);
    assert_eq!(bridge.store.series(), 1);
}

#[test]
fn c_05_label_each_resource_has_its_lines_whatever_they_are() {
    let bridge = Bridge::ruled(Rules {
        label_resource: true,
        ..Rules::default()
    });
    for (name, value) in [("a", 1), ("b", 2)] {
        bridge
            .send(host(
                name,
                [
                    gauge("g").is(i64::from(value)),
                    counter("d").delta().is(i64::from(value)).s(1).t(2),
                    hist("h").buckets(&[], &[1], 1.0),
                    exphist("e").exponential(|p| p.zero(1).sum(0.0)),
                    summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0),
                ],
            ))
            .expect_plain()
            .collides(0)
            .ignores(0);
    }
    let text = bridge.scrape();
    let values = |prefix: &str, value: &str| {
        let lines = text
            .lines()
            .filter(|line| line.starts_with(prefix) && line.ends_with(value));
        let labels = lines.map(|line| {
            line.split("otel_resource=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
        });
        let found: Vec<&str> = labels.collect();
        assert!(
            found
                .iter()
                .all(|hash| hash.len() == 16 && hash.bytes().all(|byte| b"0123456789abcdef".contains(&byte)))
        );
        found
    };
    // Every line of every kind, under one hash for each resource.
    let [a, b] = [values("g{", " 1"), values("g{", " 2")];
    assert_eq!((a.len(), b.len()), (1, 1));
    assert_ne!(a, b);
    assert_eq!(
        (values("d_total{", " 1"), values("d_total{", " 2")),
        (a.clone(), b.clone())
    );
    for prefix in [
        "h_bucket{",
        "h_sum{",
        "h_count{",
        "e_count{",
        "s{",
        "s_sum{",
        "s_count{",
    ] {
        let mut found = values(prefix, "");
        found.sort_unstable();
        let mut both = [a.clone(), b.clone()].concat();
        both.sort_unstable();
        assert_eq!(found, both, "{prefix}");
    }
    // One target_info still (R-07).
    assert_eq!(text.matches("target_info{").count(), 1);
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
