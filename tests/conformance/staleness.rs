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

/// Deltas live ten times as long.
fn two_expiries(rules: &[(&str, u64)]) -> Bridge {
    let rule = |&(pattern, seconds): &(&str, u64)| store::ExpiryRule {
        pattern: pattern.to_owned(),
        expiry: (seconds > 0).then(|| Duration::from_secs(seconds)),
    };
    let caps = store::Limits {
        expiry: Some(Duration::from_secs(60)),
        delta_expiry: Some(Duration::from_secs(600)),
        expiry_rules: rules.iter().map(rule).collect(),
        ..store::Limits::default()
    };
    Bridge::with(caps, translate::Rules::default())
}

/// All that deltas can be of, each a series `x` that counted so much from when to when.
const DELTAS: [fn(i64, u64, u64) -> Build; 4] = [
    |value, s, t| counter("x").delta().is(value).s(s).t(t),
    |value, s, t| updown("x").delta().is(value).s(s).t(t),
    |value, s, t| hist("x").delta().buckets(&[1.0], &[value as u64, 0], 1.0).s(s).t(t),
    |value, s, t| {
        exphist("x")
            .delta()
            .exponential(|p| p.positive(0, &[value as u64]).sum(1.0))
            .s(s)
            .t(t)
    },
];

/// What has been counted, with the start where there is one.
fn counted(bridge: &Bridge) -> Option<String> {
    let text = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
    let line = text.lines().find(|line| line.starts_with('x'))?;
    let value = line.split_once("} ").unwrap().1;
    let (value, start) = value.split_once(" st@").unwrap_or((value, "-"));
    let value = value
        .strip_prefix("{count:")
        .map_or(value, |rest| rest.split(',').next().unwrap());
    Some(format!("{value} {start}"))
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
fn z_01_a_flag_hides_a_delta_series_and_the_next_delta_adds_to_it() {
    for delta in DELTAS {
        let bridge = Bridge::new();
        let send = |point: Build| {
            bridge
                .send(from_r0(&[("host.name", "h")]).metrics([point]))
                .expect_plain()
        };
        send(delta(5, 10, 20));
        let before = bridge.scrape();
        // Older than its last point.
        send(delta(0, 10, 19).stale()).ignores(1);
        assert_eq!(bridge.scrape(), before);
        send(delta(0, 20, 30).stale()).ignores(0).collides(0);
        // Its target_info is hidden with it (Z-06), in every format.
        assert_eq!(bridge.scrape(), "");
        bridge.shows_in(OM2, "# EOF");
        bridge.shows_in(P, "");
        // A retry is nothing new.
        send(delta(5, 10, 20)).ignores(1);
        send(delta(0, 20, 30).stale());
        assert_eq!(bridge.scrape(), "");
        send(delta(7, 30, 40));
        let shown = counted(&bridge).unwrap();
        assert!(matches!(&*shown, "12 10" | "12 -"), "{shown}");
        assert!(bridge.scrape().starts_with("# HELP target_info"));
        // It may be one that is late.
        send(delta(0, 40, 50).stale());
        send(delta(2, 1, 10));
        let shown = counted(&bridge).unwrap();
        assert!(matches!(&*shown, "14 1" | "14 -"), "{shown}");
    }
}

#[test]
fn z_01_d_09_a_hidden_total_is_kept_as_long_as_deltas_are() {
    for (later, expected) in [(600, ["12 10", "12 -"]), (601, ["7 30", "7 -"])] {
        for delta in DELTAS {
            let mut bridge = two_expiries(&[]);
            bridge.send(delta(5, 10, 20)).expect_plain();
            bridge.send(delta(0, 20, 30).stale()).expect_plain();
            bridge.at(later).sweep();
            assert_eq!(bridge.scrape(), "");
            bridge.send(delta(7, 30, 40)).expect_plain();
            let shown = counted(&bridge).unwrap();
            assert!(expected.contains(&&*shown), "{shown}");
        }
    }
}

#[test]
fn z_01_the_flag_makes_no_delta_series() {
    for delta in DELTAS {
        let bridge = Bridge::new();
        bridge.send(delta(0, 10, 20).stale()).expect_plain().ignores(0);
        assert_eq!((bridge.store.series(), bridge.store.families().len()), (0, 0));
        // Nor does it count for anything later.
        bridge.send(delta(3, 10, 20)).expect_plain().ignores(0);
        assert!(counted(&bridge).unwrap().starts_with("3 "));
    }
}

#[test]
fn z_02_flags_of_deltas_are_per_point() {
    let bridge = Bridge::new();
    let point = |metric: Build, value: i64, key: &'static str, s, t| metric.is(value).attr("a", key).s(s).t(t);
    let first = point(point(counter("c").delta(), 1, "1", 10, 20), 2, "2", 10, 20);
    bridge.send(first).expect_plain();
    let second = point(counter("c").delta(), 0, "1", 20, 30).stale();
    let second = point(point(second, 0, "2", 20, 30).stale(), 7, "3", 20, 30);
    bridge.send(second).expect_plain();
    bridge.shows("# TYPE c_total counter\nc_total{a=\"3\",instance=\"i1\",job=\"svc\"} 7");
    bridge.send(point(counter("c").delta(), 4, "2", 30, 40)).expect_plain();
    bridge.shows(
        r#"# TYPE c_total counter
        c_total{a="2",instance="i1",job="svc"} 6
        c_total{a="3",instance="i1",job="svc"} 7"#,
    );
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
fn z_03_d_09_deltas_expire_by_their_own_expiry() {
    for delta in DELTAS {
        for swept in [false, true] {
            let mut bridge = two_expiries(&[]);
            bridge.send(gauge("g").is(1)).expect_plain();
            bridge.send(delta(5, 10, 20)).expect_plain();
            let shown_at = |bridge: &mut Bridge, seconds| {
                bridge.at(seconds);
                if swept {
                    bridge.sweep();
                }
                (bridge.scrape().contains("g{"), counted(bridge).is_some())
            };
            assert_eq!(shown_at(&mut bridge, 60), (true, true));
            assert_eq!(shown_at(&mut bridge, 61), (false, true));
            assert_eq!(shown_at(&mut bridge, 500), (false, true));
            // A retry shows that it is alive, as does every delta.
            bridge.send(delta(5, 10, 20)).expect_plain().ignores(1);
            assert_eq!(shown_at(&mut bridge, 1100), (false, true));
            bridge.send(delta(1, 20, 30)).expect_plain();
            assert!(counted(&bridge).unwrap().starts_with("6 "));
            assert_eq!(shown_at(&mut bridge, 1700), (false, true));
            assert_eq!(shown_at(&mut bridge, 1701), (false, false));
            assert_eq!(bridge.scrape(), "");
        }
    }
}

#[test]
fn z_03_t_04_what_expired_begins_anew() {
    for delta in DELTAS {
        for swept in [false, true] {
            let mut bridge = two_expiries(&[]);
            bridge.send(delta(5, 10, 20)).expect_plain();
            bridge.at(601);
            if swept {
                bridge.sweep();
            }
            bridge.send(delta(7, 20, 30)).expect_plain().ignores(0);
            let shown = counted(&bridge).unwrap();
            assert!(matches!(&*shown, "7 20" | "7 -"), "{shown}");
        }
    }
}

#[test]
fn z_03_what_turns_delta_or_cumulative_expires_as_that() {
    let mut bridge = two_expiries(&[]);
    bridge.send(counter("x").is(1).t(10)).expect_plain();
    bridge
        .at(50)
        .send(counter("x").delta().is(1).s(10).t(20))
        .expect_plain();
    assert_eq!(counted(bridge.at(650)), Some("1 10".into()));
    bridge.send(counter("x").is(9).s(1).t(30)).expect_plain();
    assert_eq!(counted(bridge.at(710)), Some("9 1".into()));
    assert_eq!(counted(bridge.at(711)), None);
}

#[test]
fn z_03_the_first_rule_that_fits_the_job_or_the_family_wins() {
    let rules = [
        ("batch/*", 0),
        ("short", 10),
        ("*_seconds", 20),
        ("http*total", 30),
        ("shop", 40),
        ("batch/x", 1),
    ];
    let sources = [("batch", "x"), ("", "short"), ("", "shop"), ("", "other")];
    let metrics = || {
        [
            gauge("g").is(1),
            gauge("wait").unit("s").is(1),
            counter("http.calls").is(1),
            counter("http.errors").delta().is(1).s(1).t(2),
            counter("deltas").delta().is(1).s(1).t(2),
        ]
    };
    for swept in [false, true] {
        let mut bridge = two_expiries(&rules);
        for (namespace, name) in sources {
            let resource = from(&[("service.namespace", namespace), ("service.name", name)]);
            bridge.send(resource.metrics(metrics())).expect_plain();
        }
        // Of each job: how long each of the five is there.
        let expected = [
            ("batch/x", [u64::MAX; 5]),
            ("short", [10; 5]),
            // The rule of the family stands in front of that of the job.
            ("shop", [40, 20, 30, 30, 40]),
            ("other", [60, 20, 30, 30, 600]),
        ];
        let names = [
            "g",
            "wait_seconds",
            "http_calls_total",
            "http_errors_total",
            "deltas_total",
        ];
        for now in [0, 10, 11, 20, 21, 30, 31, 40, 41, 60, 61, 600, 601, 1_000_000] {
            bridge.at(now);
            if swept {
                bridge.sweep();
            }
            let text = bridge.scrape();
            for (job, lifetimes) in expected {
                for (name, lifetime) in names.iter().zip(lifetimes) {
                    let line = format!("{name}{{instance=\"\",job=\"{job}\"}} 1\n");
                    assert_eq!(text.contains(&line), now <= lifetime, "{line} at {now}");
                }
            }
        }
    }
}

#[test]
fn z_03_a_rule_holds_the_whole_name_and_a_source_without_a_job_has_an_empty_one() {
    for (pattern, fits) in [
        ("g", true),
        ("*", true),
        ("svc", true),
        ("s*c", true),
        ("G", false),
        ("sv", false),
        ("vc", false),
        ("", false),
        ("i1", false),
    ] {
        let mut bridge = two_expiries(&[(pattern, 5)]);
        bridge.send(gauge("g").is(1)).expect_plain();
        assert_eq!(bridge.at(6).scrape().is_empty(), fits, "{pattern}");
    }
    let mut bridge = two_expiries(&[("", 5)]);
    bridge.send(from(&[]).metrics([gauge("g").is(1)])).expect_plain();
    bridge.at(6).shows("");
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
            exphist("x").exponential(|p| p.zero(1).sum(1.0)).t(20),
            exphist("x").exponential(|p| p.zero(2).sum(2.0)).t(10),
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

#[test]
fn z_05_of_equal_times_the_last_wins_whole() {
    let bridge = Bridge::new();
    let h = |bounds: &[f64], counts: &[u64], s| hist("h").buckets(bounds, counts, 1.0).s(s).t(20);
    bridge.send(h(&[1.0], &[1, 0], 10)).expect_plain();
    bridge.send(h(&[2.0, 3.0], &[1, 0, 1], 11)).expect_plain().ignores(0);
    bridge.shows_in(
        OM2,
        "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:2,sum:1,bucket:[2.0:1,3.0:1,+Inf:2]} st@11\n# EOF",
    );
    // A counter that goes back is passed on (M-04).
    bridge
        .send([counter("c").is(9).t(20), counter("c").is(3).t(21)])
        .expect_plain();
    bridge.send(counter("c").is(2).t(21)).expect_plain();
    assert!(
        bridge
            .scrape()
            .starts_with("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 2\n")
    );
}

#[test]
fn z_06_what_is_hidden_or_expired_shows_neither_head_nor_target_info() {
    for expire in [false, true] {
        let mut bridge = two_expiries(&[]);
        let resource = || from_r0(&[("host.name", "h")]);
        let d = |value: i64, s, t| counter("d").delta().help("D.").is(value).s(s).t(t);
        bridge
            .send(resource().metrics([gauge("g").is(1).t(30), d(1, 10, 20)]))
            .expect_plain();
        if expire {
            bridge
                .at(300)
                .send(resource().metrics([gauge("g").is(1).t(30)]))
                .expect_plain();
            bridge.at(350).send(gauge("g").is(1).t(31).stale()).expect_plain();
        } else {
            bridge.send(resource().metrics([d(0, 20, 30).stale()])).expect_plain();
            bridge.shows(
                r#"# HELP target_info Target metadata
                # TYPE target_info gauge
                target_info{host_name="h",instance="i1",job="svc"} 1
                # TYPE g gauge
                g{instance="i1",job="svc"} 1"#,
            );
            bridge.send(gauge("g").is(1).t(31).stale()).expect_plain();
            bridge.shows("");
            bridge.at(600);
        }
        bridge.at(601).shows("");
        bridge.shows_in(OM, "# EOF");
        bridge.shows_in(P, "");
        bridge.sweep();
        assert_eq!((bridge.store.source_count(), bridge.store.families().len()), (0, 0));
    }
}
