//! K: types, help and names that meet.

use std::time::Duration;

use meterbridge::{store, translate};

use crate::harness::*;

const A_TOTAL: &str = r#"# TYPE a_total counter
    a_total{instance="i1",job="svc",otel_scope_name="x"} 1"#;

#[test]
fn k_01_the_first_type_stays_and_the_other_metric_is_refused() {
    let bridge = Bridge::new();
    bridge
        .send(from_r0(&[]).scope_named("x", [counter("a_total").is(1)]))
        .expect_plain();
    bridge.send(from_r0(&[]).scope_named("y", [gauge("a_total").is(2)])).refuses_one(
        0,
        "type_conflict: \"a_total\" is a gauge from job \"svc\", instance \"i1\", scope \"y\", and already a counter from job \
         \"svc\", instance \"i1\", scope \"x\"",
    );
    bridge.shows(A_TOTAL);
    let both = from_r0(&[])
        .scope_named("x", [counter("a_total").is(1)])
        .scope_named("y", [gauge("a_total").is(2).is(3)]);
    let bridge = Bridge::new();
    bridge.send(both).refuses(1, &[("type_conflict", 2)]);
    bridge.shows(A_TOTAL);
}

#[test]
fn k_01_another_type_may_take_over_when_the_series_are_gone() {
    let caps = store::Limits {
        expiry: Some(Duration::from_secs(60)),
        ..store::Limits::default()
    };
    let mut bridge = Bridge::with(caps, translate::Rules::default());
    bridge.send(counter("a").is(1)).expect_plain();
    bridge.at(60).sweep();
    bridge.send(gauge("a_total").is(2)).refuses(0, &[("type_conflict", 1)]);
    bridge.at(61).sweep();
    bridge.send(gauge("a_total").is(2)).expect_plain();
    bridge.shows("# TYPE a_total gauge\na_total{instance=\"i1\",job=\"svc\"} 2");
    assert_eq!(bridge.store.series(), 1);
}

#[test]
fn k_01_another_type_may_take_over_behind_the_last_flag() {
    let bridge = Bridge::new();
    bridge.send(counter("a").is(1).t(1)).expect_plain();
    bridge.send(counter("a").is(1).t(2).stale()).expect_plain();
    bridge.send(gauge("a_total").is(2).t(3)).expect_plain();
    bridge.shows("# TYPE a_total gauge\na_total{instance=\"i1\",job=\"svc\"} 2");
    bridge.send(counter("a").is(1).t(4)).refuses(0, &[("type_conflict", 1)]);
}

#[test]
fn k_02_the_longest_help_then_the_one_that_sorts_first() {
    for order in [["bb", "a", "ab", ""], ["ab", "bb", "", "a"], ["", "a", "ab", "bb"]] {
        let bridge = Bridge::new();
        for (at, help) in order.into_iter().enumerate() {
            bridge
                .send(from_r0(&[]).metrics([gauge("g").help(help).is(1).t(at as u64 + 1)]))
                .expect_plain();
        }
        bridge.shows("# HELP g ab\n# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1");
    }
}

#[test]
fn k_02_f_09_help_escapes_backslash_and_line_feed() {
    let bridge = Bridge::new();
    bridge.send(gauge("g").help("a \"b\"\\\n").is(1)).expect_plain();
    assert_eq!(
        bridge.scrape(),
        "# HELP g a \"b\"\\\\\\n\n# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1\n"
    );
}

#[test]
fn k_03_units_that_differ_are_names_that_differ() {
    row(
        [gauge("foo").unit("s").is(1), gauge("foo").unit("ms").is(2)],
        r#"# TYPE foo_milliseconds gauge
        foo_milliseconds{instance="i1",job="svc"} 2
        # TYPE foo_seconds gauge
        foo_seconds{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn k_04_sample_names_that_another_family_owns() {
    let foo_hist = || hist("foo").buckets(&[], &[1], 1.0);
    let foo_summary = || summary("foo").quantiles(&[], 1, 1.0);
    let mut clashes: Vec<(Build, Build)> = Vec::new();
    for suffix in ["bucket", "sum", "count", "created"] {
        clashes.push((foo_hist(), gauge(&format!("foo_{suffix}")).is(1)));
    }
    for suffix in ["sum", "count", "created"] {
        clashes.push((foo_summary(), gauge(&format!("foo_{suffix}")).is(1)));
    }
    clashes.push((counter("foo").is(1), gauge("foo_created").is(1)));
    clashes.push((
        hist("foo_sum").buckets(&[], &[1], 1.0),
        summary("foo").quantiles(&[], 1, 1.0),
    ));
    for (one, other) in clashes {
        for (first, second) in [(one.clone(), other.clone()), (other, one)] {
            let bridge = Bridge::new();
            bridge.send(first.clone()).expect_plain();
            let before = bridge.scrape();
            bridge.send(second.clone()).refuses(0, &[("name_conflict", 1)]);
            assert_eq!(bridge.scrape(), before);
        }
    }
    let bridge = Bridge::new();
    bridge.send(foo_hist()).expect_plain();
    bridge.send(from_r0(&[]).scope_named("y", [gauge("foo_count").is(1)])).refuses_one(
        0,
        "name_conflict: \"foo_count\" from job \"svc\", instance \"i1\", scope \"y\" needs the sample name \"foo_count\" of \
         \"foo\" from job \"svc\", instance \"i1\", scope \"\"",
    );
}

#[test]
fn k_04_what_is_no_clash() {
    let bridge = Bridge::new();
    let metrics = [
        summary("foo").quantiles(&[], 1, 1.0),
        gauge("foo_bucket").is(1),
        counter("bar").is(1),
        gauge("bar").is(1),
        gauge("bar_sum").is(1),
    ];
    bridge.send(metrics).expect_plain();
}

#[test]
fn k_04_a_name_is_free_when_its_owner_is_gone() {
    let bridge = Bridge::new();
    bridge.send(hist("foo").buckets(&[], &[1], 1.0).t(1)).expect_plain();
    bridge
        .send(hist("foo").buckets(&[], &[1], 1.0).t(2).stale())
        .expect_plain();
    bridge.send(gauge("foo_count").is(1)).expect_plain();
    bridge
        .send(hist("foo").buckets(&[], &[1], 1.0).t(3))
        .refuses(0, &[("name_conflict", 1)]);
    bridge.send(gauge("foo_count").is(1).t(2).stale()).expect_plain();
    bridge.send(hist("foo").buckets(&[], &[1], 1.0).t(3)).expect_plain();
}

#[test]
fn k_04_target_info_is_not_for_metrics() {
    for metric in [
        gauge("target.info").is(1),
        gauge("target_info").is(1),
        gauge("target").is(1).meta("prometheus.type", "info"),
        hist("target_info").buckets(&[], &[1], 1.0),
        summary("target_info").quantiles(&[], 1, 1.0),
    ] {
        let name = &metric.0.name.clone();
        refused(
            metric,
            &format!("reserved_name: metric \"{name}\" becomes target_info, which describes resources; rename it"),
        );
    }
    let bridge = Bridge::new();
    bridge
        .send([counter("target_info").is(1), gauge("target").is(1)])
        .expect_plain();
}

#[test]
fn k_05_a_counter_and_a_gauge_of_one_stem_are_two_families_in_text() {
    row(
        [counter("foo").is(1), gauge("foo").is(2)],
        r#"# TYPE foo gauge
        foo{instance="i1",job="svc"} 2
        # TYPE foo_total counter
        foo_total{instance="i1",job="svc"} 1"#,
    );
}
