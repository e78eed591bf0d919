//! Z: what leaves the scrape, and when.

use std::time::Duration;

use meterbridge::{store, translate};

use crate::harness::*;

fn expiring(seconds: u64) -> Bridge {
    let caps = store::Limits {
        expiry: Some(Duration::from_secs(seconds)),
        ..store::Limits::default()
    };
    Bridge::with(caps, translate::Rules::default())
}

const G: &str = "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1";

#[test]
fn z_01_a_flagged_point_takes_its_series_out_and_a_value_brings_it_back() {
    let points: [fn() -> Build; 5] = [
        || gauge("x").is(1),
        || counter("x").is(1),
        || updown("x").is(1),
        || hist("x").buckets(&[1.0], &[1, 0], 1.0),
        || summary("x").quantiles(&[(0.5, 1.0)], 1, 1.0),
    ];
    for point in points {
        let bridge = Bridge::new();
        let send = |point: Build| {
            bridge
                .send(from_r0(&[("host.name", "h")]).metrics([point]))
                .expect_plain()
        };
        send(point().t(1));
        let before = bridge.scrape();
        assert!(before.starts_with("# HELP target_info"), "{before}");
        send(point().t(2).stale()).collides(0).ignores(0);
        assert_eq!(bridge.scrape(), "");
        assert_eq!(bridge.store.series(), 0);
        send(point().t(3));
        assert_eq!(bridge.scrape(), before);
    }
}

#[test]
fn z_01_a_flagged_point_needs_no_value() {
    let bridge = Bridge::new();
    bridge
        .send([
            gauge("g").is(1).t(1),
            counter("c").is(1).t(1),
            hist("h").buckets(&[1.0], &[1, 0], 1.0).t(1),
        ])
        .expect_plain();
    let flagged = [
        gauge("g").is(Value::Unset).t(2).stale(),
        counter("c").is(Value::Unset).t(2).stale(),
        hist("h").buckets(&[], &[], None).t(2).stale(),
    ];
    bridge.send(flagged).expect_plain();
    bridge.shows("");
}

#[test]
fn z_01_the_flag_for_an_unknown_series_or_an_old_one_has_no_effect() {
    let bridge = Bridge::new();
    bridge.send(gauge("g").is(1).t(20)).expect_plain();
    bridge
        .send(gauge("g").is(Value::Unset).attr("k", "v").t(30).stale())
        .expect_plain()
        .refuses(1, &[]);
    bridge
        .send(gauge("other").is(Value::Unset).t(30).stale())
        .expect_plain()
        .refuses(1, &[]);
    bridge
        .send(gauge("g").is(Value::Unset).t(10).stale())
        .expect_plain()
        .ignores(1);
    bridge.shows(G);
    bridge
        .send(gauge("g").is(Value::Unset).t(20).stale())
        .expect_plain()
        .ignores(0);
    bridge.shows("");
}

#[test]
fn z_02_flags_are_per_point() {
    let bridge = Bridge::new();
    let point = |metric: Build, key: &'static str| metric.is(7).attr("a", key);
    bridge.send(point(point(gauge("g"), "1"), "2")).expect_plain();
    bridge
        .send(point(point(point(gauge("g"), "1").stale(), "2").stale(), "3"))
        .expect_plain();
    bridge.shows("# TYPE g gauge\ng{a=\"3\",instance=\"i1\",job=\"svc\"} 7");
}

#[test]
fn z_03_a_series_expires_by_the_time_of_receipt() {
    let mut bridge = expiring(60);
    bridge.send(gauge("g").is(1).t(1_000_000)).expect_plain();
    bridge.at(59).shows(G);
    bridge.at(60).shows(G);
    bridge.at(61).shows("");
    assert_eq!(bridge.sweep(), 1);
    assert_eq!(bridge.store.series(), 0);
}

#[test]
fn z_03_expiry_is_per_series_not_per_family() {
    let mut bridge = expiring(60);
    bridge
        .send(gauge("g").is(1).attr("k", "old").is(2).attr("k", "new"))
        .expect_plain();
    bridge.at(50).send(gauge("g").is(3).attr("k", "new")).expect_plain();
    bridge
        .at(70)
        .shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k=\"new\"} 3");
    assert_eq!(bridge.sweep(), 1);
    bridge.at(111).shows("");
}

#[test]
fn z_03_never() {
    let mut bridge = Bridge::new();
    bridge.send(gauge("g").is(1)).expect_plain();
    bridge.at(u64::from(u32::MAX)).shows(G);
    assert_eq!(bridge.sweep(), 0);
}

#[test]
fn z_03_what_has_expired_is_gone_whether_swept_or_not() {
    for sweep in [true, false] {
        let mut bridge = expiring(60);
        bridge.send(gauge("g").is(1).t(100)).expect_plain();
        bridge.at(61);
        if sweep {
            bridge.sweep();
        }
        // Another stream, and an older time, as after a clock was set back: there is nothing that it could be older than.
        let late = from_r0(&[("host.name", "h")]).metrics([gauge("g").is(2).t(50)]);
        bridge.send(late).expect_plain().ignores(0).collides(0);
        bridge.shows(
            r#"# HELP target_info Target metadata
            # TYPE target_info gauge
            target_info{host_name="h",instance="i1",job="svc"} 1
            # TYPE g gauge
            g{instance="i1",job="svc"} 2"#,
        );
    }
}

#[test]
fn z_05_an_older_end_time_is_ignored_and_an_equal_one_wins() {
    let bridge = Bridge::new();
    bridge.send(gauge("g").is(5).t(20)).expect_plain().ignores(0);
    bridge
        .send(gauge("g").is(4).t(10))
        .expect_plain()
        .ignores(1)
        .refuses(1, &[]);
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 5");
    bridge.send(gauge("g").is(6).t(20)).expect_plain().ignores(0);
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 6");

    for (first, second) in [
        (counter("x").is(1).t(20), counter("x").is(2).t(10)),
        (updown("x").is(1).t(20), updown("x").is(2).t(10)),
        (
            hist("x").buckets(&[], &[1], 1.0).t(20),
            hist("x").buckets(&[], &[2], 2.0).t(10),
        ),
        (
            summary("x").quantiles(&[], 1, 1.0).t(20),
            summary("x").quantiles(&[], 2, 2.0).t(10),
        ),
    ] {
        let bridge = Bridge::new();
        bridge.send(first).expect_plain();
        let before = bridge.scrape();
        bridge.send(second).expect_plain().ignores(1);
        assert_eq!(bridge.scrape(), before);
    }
}

#[test]
fn z_06_heads_and_target_info_go_with_the_last_series() {
    let mut bridge = expiring(60);
    let resource = || from_r0(&[("host.name", "h")]);
    bridge
        .send(resource().metrics([gauge("g").help("G.").is(1), gauge("x").help("X.").is(1)]))
        .expect_plain();
    bridge
        .at(30)
        .send(resource().metrics([gauge("g").is(1)]))
        .expect_plain();
    bridge.at(61).shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="h",instance="i1",job="svc"} 1
        # HELP g G.
        # TYPE g gauge
        g{instance="i1",job="svc"} 1"#,
    );
    bridge.at(91).shows("");
}

#[test]
fn z_06_a_flag_keeps_no_target_info_of_a_source_whose_series_have_expired() {
    let mut bridge = expiring(60);
    let resource = || from_r0(&[("host.name", "h")]);
    bridge.send(resource().metrics([gauge("a").is(1)])).expect_plain();
    bridge
        .at(50)
        .send(resource().metrics([gauge("b").is(1)]))
        .expect_plain();
    bridge
        .at(59)
        .send(resource().metrics([gauge("b").is(1).t(2).stale()]))
        .expect_plain();
    bridge.at(61).sweep();
    bridge.shows("");
}
