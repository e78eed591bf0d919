//! T and P-15: when a point begins and ends.

use meterbridge::store;
use meterbridge::translate::{Advice, Rules};

use crate::harness::*;

/// Start and end of the only series, in seconds.
#[track_caller]
fn window(bridge: &Bridge) -> (u64, u64) {
    let held = bridge.held(|_, series| (series.start_unix_nano / SECOND, series.time_unix_nano / SECOND));
    let [window] = <[_; 1]>::try_from(held).unwrap();
    window
}

fn counting() -> [Build; 4] {
    [
        counter("x").is(1),
        hist("x").buckets(&[], &[1], 1.0),
        exphist("x").exponential(|p| p.sum(0.0)),
        summary("x").quantiles(&[], 1, 1.0),
    ]
}

#[test]
fn t_01_t_03_what_counts_has_a_start_and_gauges_have_none() {
    for metric in counting() {
        for (start, expected) in [(10, 10), (0, 0), (20, 20)] {
            let bridge = Bridge::new();
            bridge.send(metric.clone().s(start).t(20)).expect_plain();
            assert_eq!(window(&bridge), (expected, 20));
        }
    }
    for metric in [gauge("x").is(1), updown("x").is(1)] {
        for start in [10, 30] {
            let bridge = Bridge::new();
            bridge.send(metric.clone().s(start).t(20)).expect_plain();
            assert_eq!(window(&bridge), (0, 20));
        }
    }
}

#[test]
fn t_03_d_05_a_start_after_the_end_counts_as_none_with_a_warning() {
    for metric in counting() {
        let bridge = Bridge::new();
        let told = "advice: start_after_end: a point of metric \"x\" starts after it ends; the start was ignored";
        let answer = bridge.send(metric.clone().s(21).t(20)).advises(told);
        assert_eq!(answer.advised(), [(Advice::StartAfterEnd, 1)]);
        assert_eq!(window(&bridge), (0, 20));
        // Counted every time, told once.
        let again = bridge.send(metric.s(99).t(21));
        assert_eq!(
            (again.message(), again.advised()),
            (String::new(), vec![(Advice::StartAfterEnd, 1)])
        );
    }
    // The windows of deltas are held against each other, whatever they become.
    let answer = Bridge::new().send(updown("x").is(1).delta().s(21).t(20));
    assert_eq!(answer.advised(), [(Advice::StartAfterEnd, 1)]);
}

#[test]
fn p_15_no_end_time_is_refused_whatever_the_kind() {
    for metric in counting().into_iter().chain([gauge("x").is(1), updown("x").is(1)]) {
        refused(metric.clone().t(0), "no_timestamp: metric \"x\": the end time is 0");
        refused(metric.s(5).t(0), "no_timestamp: metric \"x\": the end time is 0");
    }
    refused(
        counter("x").is(1).delta().t(0),
        "no_timestamp: metric \"x\": the end time is 0",
    );
}

#[test]
fn p_15_the_time_of_arrival_stands_in_where_that_is_asked_for() {
    let rules = Rules {
        stamp_arrival_time: true,
        ..Rules::default()
    };
    let bridge = |arrival| {
        let mut bridge = Bridge::with(store::Limits::default(), rules.clone());
        bridge.arrival = arrival;
        bridge
    };
    for metric in counting() {
        let bridge = bridge(100);
        bridge.send(metric.clone().s(40).t(0)).expect_plain();
        assert_eq!(window(&bridge), (40, 100));
        bridge.send(metric.t(101)).expect_plain().ignores(0);
        assert_eq!(window(&bridge), (0, 101), "a time that is given stays");
    }
    let ahead = bridge(100);
    assert_eq!(
        ahead.send(counter("x").is(1).s(101).t(0)).advised(),
        [(Advice::StartAfterEnd, 1)]
    );
    assert_eq!(window(&ahead), (0, 100));
    let flagged = bridge(100);
    flagged.send(gauge("x").is(1).t(0)).expect_plain();
    flagged.send(gauge("x").is(1).t(0).stale()).expect_plain();
    assert_eq!(flagged.store.series(), 0);
    // A clock that shows nothing has nothing to put in its place.
    bridge(0).send(gauge("x").is(1).t(0)).refuses(0, &[("no_timestamp", 1)]);
}
