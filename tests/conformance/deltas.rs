//! D: deltas, from OTLP to the scrape.

use crate::families::decode;
use crate::harness::*;
use meterbridge::store::{ExpiryRule, Limits};
use meterbridge::translate::Rules;
use std::time::Duration;

fn c(value: impl Into<Value>, s: u64, t: u64) -> Build {
    counter("c").delta().is(value).s(s).t(t)
}

#[track_caller]
fn total(bridge: &Bridge, expected: &str) {
    bridge.shows(&format!(
        "# TYPE c_total counter\nc_total{{instance=\"i1\",job=\"svc\"}} {expected}"
    ));
}

/// The start of the only series, in seconds.
fn start(bridge: &Bridge) -> i64 {
    let families = decode(&bridge.scrape_as(P, 1 << 16));
    let metric = &families[0].metric[0];
    let counter = metric.counter.as_ref().map(|counter| &counter.start_timestamp);
    let histogram = metric.histogram.as_ref().map(|histogram| &histogram.start_timestamp);
    counter.or(histogram).unwrap().as_ref().map_or(0, |start| start.seconds)
}

/// 5 [10, 20] and 7 [20, 30].
fn twelve() -> Bridge {
    let bridge = Bridge::new();
    bridge.send(c(5, 10, 20)).expect_plain();
    bridge.send(c(7, 20, 30)).expect_plain();
    bridge
}

fn gaps(answer: &Answer) -> u64 {
    answer.0.gaps
}

#[test]
fn d_01_t_04_windows_add_up_and_keep_the_first_start() {
    let bridge = twelve();
    total(&bridge, "12");
    assert_eq!(start(&bridge), 10);
    total(&bridge, "12");
    bridge.send(c(0.5, 30, 40)).expect_plain();
    total(&bridge, "12.5");
}

#[test]
fn d_01_several_points_and_series_in_one_request() {
    let bridge = Bridge::new();
    let metric = counter("c")
        .delta()
        .is(1)
        .s(1)
        .t(2)
        .is(2)
        .s(2)
        .t(3)
        .is(5)
        .s(1)
        .t(2)
        .attr("k", "v");
    bridge.send(metric).expect_plain();
    bridge.shows(
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 3
        c_total{instance="i1",job="svc",k="v"} 5"#,
    );
}

#[test]
fn d_02_what_was_counted_is_not_counted_again() {
    let bridge = twelve();
    bridge.send(c(7, 20, 30)).expect_plain().ignores(1);
    bridge.send(c(5, 10, 20)).expect_plain().ignores(1);
    total(&bridge, "12");
    for t in 3..=6 {
        bridge.send(c(1, t * 10, t * 10 + 10)).expect_plain().ignores(0);
    }
    // Behind three later windows it is known still.
    bridge.send(c(1, 30, 40)).expect_plain().ignores(1);
    total(&bridge, "16");
}

#[test]
fn d_03_after_a_gap_it_goes_on_adding() {
    let bridge = twelve();
    let answer = bridge.send(c(3, 40, 50)).expect_plain();
    assert_eq!(gaps(&answer), 1);
    total(&bridge, "15");
    assert_eq!(start(&bridge), 10);
}

#[test]
fn d_04_late_windows_find_their_place() {
    let bridge = twelve();
    bridge.send(c(3, 40, 50)).expect_plain();
    let answer = bridge.send(c(2, 30, 40)).expect_plain();
    assert_eq!(gaps(&answer), 0);
    total(&bridge, "17");
    bridge.send(c(4, 5, 10)).expect_plain();
    total(&bridge, "21");
    assert_eq!(start(&bridge), 5);
    for (s, t) in [(25, 28), (45, 55), (4, 6), (30, 45), (1, 60), (30, 40 + 1)] {
        let answer = bridge.send(c(4, s, t)).refuses(0, &[("out_of_order", 1)]);
        assert!(answer.message().contains("two"), "{}", answer.message());
    }
    total(&bridge, "21");
}

#[test]
fn d_04_a_gap_may_be_filled_in_parts_and_in_any_order() {
    let bridge = Bridge::new();
    for (value, s, t) in [
        (1, 0, 10),
        (2, 90, 100),
        (4, 40, 50),
        (8, 20, 30),
        (16, 30, 40),
        (32, 10, 20),
        (64, 50, 90),
    ] {
        // A start of 0 says nothing, so time begins at 1000.
        bridge.send(c(value, 1000 + s, 1000 + t)).expect_plain();
    }
    total(&bridge, "127");
    bridge.send(c(1, 1055, 1060)).refuses(0, &[("out_of_order", 1)]);
}

#[test]
fn d_05_without_a_start_whatever_is_newer_is_added() {
    let bridge = Bridge::new();
    bridge.send(c(1, 0, 10)).expect_plain();
    bridge.send(c(2, 0, 20)).expect_plain();
    total(&bridge, "3");
    bridge.send(c(5, 0, 18)).refuses(0, &[("out_of_order", 1)]);
    // A start after the end counts as none (T-03).
    let answer = bridge.send(c(4, 40, 30));
    assert!(
        answer.message().starts_with("advice: start_after_end: "),
        "{}",
        answer.message()
    );
    total(&bridge, "7");
    assert_eq!(start(&bridge), 0);
    bridge.send(c(1, 0, 0)).refuses(0, &[("no_timestamp", 1)]);
}

fn h(bounds: &[f64], counts: &[u64], sum: impl Into<Option<f64>>, s: u64, t: u64) -> Build {
    hist("h").delta().buckets(bounds, counts, sum).s(s).t(t)
}

#[test]
fn d_06_histograms_add_their_buckets() {
    let bridge = Bridge::new();
    bridge.send(h(&[1.0], &[1, 0], 0.5, 10, 20)).expect_plain();
    bridge.send(h(&[1.0], &[0, 2], 8.0, 20, 30)).expect_plain();
    bridge.shows(
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 3
        h_sum{instance="i1",job="svc"} 8.5
        h_count{instance="i1",job="svc"} 3"#,
    );
    assert_eq!(start(&bridge), 10);
    bridge.send(h(&[1.0], &[1, 0], None, 30, 40)).expect_plain();
    bridge.shows(
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 2
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_count{instance="i1",job="svc"} 4"#,
    );
}

#[test]
fn d_06_t_04_other_bounds_begin_anew_and_nothing_is_added_before_that() {
    let bridge = Bridge::new();
    bridge.send(h(&[1.0], &[1, 0], 0.5, 10, 20)).expect_plain();
    bridge.send(h(&[2.0], &[4, 0], 2.0, 30, 40)).expect_plain();
    let shown = r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="2"} 4
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_sum{instance="i1",job="svc"} 2
        h_count{instance="i1",job="svc"} 4"#;
    bridge.shows(shown);
    assert_eq!(start(&bridge), 30);
    for late in [h(&[1.0], &[1, 0], 0.5, 20, 30), h(&[2.0], &[1, 0], 0.5, 20, 30)] {
        bridge.send(late).refuses(0, &[("out_of_order", 1)]);
    }
    bridge.shows(shown);
}

#[test]
fn d_07_exponential_histograms_meet_at_the_smaller_scale() {
    let bridge = Bridge::new();
    let point = |scale, counts: &'static [u64], s, t| {
        exphist("e")
            .delta()
            .exponential(move |p| p.scale(scale).positive(0, counts).sum(1.0))
            .s(s)
            .t(t)
    };
    bridge.send(point(1, &[1, 1], 10, 20)).expect_plain();
    bridge.send(point(0, &[2], 20, 30)).expect_plain();
    let held = bridge.exponential();
    assert_eq!(
        (held.scale, held.positive.offset, &*held.positive.counts),
        (0, 0, &[4][..])
    );
    assert_eq!((held.total(), held.sum), (Some(4), 2.0));
    assert_eq!(start(&bridge), 10);
}

#[test]
fn d_08_what_is_not_monotonic_adds_up_to_a_gauge() {
    let bridge = Bridge::new();
    bridge.send(updown("g").delta().is(5).s(1).t(2)).expect_plain();
    bridge.send(updown("g").delta().is(-2).s(2).t(3)).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3");
    bridge.send(c(-1, 1, 2)).refuses(0, &[("invalid_counter_value", 1)]);
}

#[test]
fn d_09_totals_stay_for_their_own_longer_time() {
    let limits = Limits {
        expiry: Some(Duration::from_secs(300)),
        delta_expiry: Some(Duration::from_secs(3600)),
        expiry_rules: vec![
            ExpiryRule {
                pattern: "fo*er".into(),
                expiry: None,
            },
            ExpiryRule {
                pattern: "svc".into(),
                expiry: Some(Duration::from_secs(7200)),
            },
        ],
        ..Limits::default()
    };
    let without_rules = Limits {
        expiry_rules: Vec::new(),
        ..limits.clone()
    };
    let mut bridge = Bridge::with(without_rules, Rules::default());
    bridge.send([c(5, 10, 20), counter("cumulative").is(1)]).expect_plain();
    bridge.at(301);
    total(&bridge, "5");
    assert_eq!(bridge.sweep(), 1);
    bridge.at(3600);
    total(&bridge, "5");
    bridge.at(3601).shows("");
    // Expired, it begins anew with a start of its own.
    bridge.send(c(2, 50, 60)).expect_plain();
    total(&bridge, "2");
    assert_eq!(start(&bridge), 50);

    let mut bridge = Bridge::with(limits, Rules::default());
    let of = |job| from(&[("service.name", job)]);
    bridge
        .send_all([
            of("svc").metrics([c(5, 10, 20)]),
            of("other").metrics([c(5, 10, 20), gauge("forever").is(1)]),
        ])
        .expect_plain();
    let shown = |bridge: &Bridge| {
        bridge
            .scrape()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    bridge.at(3601);
    assert_eq!(
        shown(&bridge),
        [
            "c_total{instance=\"\",job=\"svc\"} 5",
            "forever{instance=\"\",job=\"other\"} 1"
        ]
    );
    bridge.at(1_000_000);
    bridge.sweep();
    assert_eq!(shown(&bridge), ["forever{instance=\"\",job=\"other\"} 1"]);
}

#[test]
fn z_01_a_flag_hides_a_total_until_the_next_delta_comes() {
    let bridge = twelve();
    bridge
        .send(counter("c").delta().is(Value::Unset).stale().s(30).t(40))
        .expect_plain();
    bridge.shows("");
    bridge.send(c(3, 40, 50)).expect_plain();
    total(&bridge, "15");
    // Older than its last point: without effect.
    bridge
        .send(counter("c").delta().is(Value::Unset).stale().s(30).t(35))
        .expect_plain();
    total(&bridge, "15");
}

#[test]
fn a_change_of_temporality_begins_anew() {
    let bridge = twelve();
    bridge.send(counter("c").is(100).s(5).t(40)).expect_plain();
    total(&bridge, "100");
    bridge.send(c(1, 40, 50)).expect_plain();
    total(&bridge, "1");
    assert_eq!(start(&bridge), 40);
}
