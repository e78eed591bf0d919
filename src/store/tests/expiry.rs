//! Z-03 with different expiries side by side.

use super::*;

fn rule(pattern: &str, seconds: u64) -> ExpiryRule {
    ExpiryRule {
        pattern: pattern.into(),
        expiry: (seconds > 0).then(|| Duration::from_secs(seconds)),
    }
}

fn ruled() -> Limits {
    Limits {
        expiry: Some(Duration::from_secs(60)),
        delta_expiry: Some(Duration::from_secs(600)),
        expiry_rules: vec![rule("for_ever*", 0), rule("short", 10)],
        ..Limits::default()
    }
}

#[test]
fn z_03_each_series_expires_by_its_rule() {
    for swept in [false, true] {
        let bench = Bench::new(ruled());
        let c = P {
            metric_type: MetricType::Counter,
            ..P
        };
        for p in [
            c,
            P {
                labels: LABELS[0],
                is_delta: true,
                ..c
            },
            P {
                labels: LABELS[1],
                job: "short",
                ..c
            },
            P {
                labels: LABELS[2],
                job: "short",
                is_delta: true,
                ..c
            },
            P {
                labels: LABELS[3],
                job: "for_ever/x",
                ..c
            },
            P { family: "short", ..P },
            P {
                family: "for_ever",
                job: "short",
                ..P
            },
        ] {
            bench.put(p).unwrap();
        }
        for (now, held) in [(10, 7), (11, 4), (60, 4), (61, 3), (600, 3), (601, 2), (1_000_000, 2)] {
            if swept {
                bench.store.sweep(bench.at(now));
                assert_eq!(bench.store.series(), held, "at {now}");
                bench.adds_up();
            }
            assert_eq!(bench.read(now).len(), held, "at {now}");
        }
    }
}

#[test]
fn z_03_k_01_a_family_stands_in_the_way_exactly_as_long_as_a_series_lives() {
    // The last to come is not the last to go.
    let bench = Bench::new(ruled());
    let counter = P {
        metric_type: MetricType::Counter,
        labels: LABELS[5],
        ..P
    };
    bench
        .put(P {
            labels: LABELS[0],
            job: "j",
            ..P
        })
        .unwrap();
    bench
        .put(P {
            labels: LABELS[1],
            job: "short",
            at: 5,
            ..P
        })
        .unwrap();
    bench.refused(P { at: 60, ..counter }, PointReason::TypeConflict);
    bench.put(P { at: 61, ..counter }).unwrap();
    bench.adds_up();

    // Nor does one that has gone before its time hold the name.
    let bench = Bench::new(ruled());
    bench
        .put(P {
            labels: LABELS[0],
            job: "j",
            ..P
        })
        .unwrap();
    bench
        .put(P {
            labels: LABELS[1],
            job: "for_ever",
            ..P
        })
        .unwrap();
    bench
        .put(P {
            labels: LABELS[1],
            job: "for_ever",
            time: 2,
            change: Change::Stale,
            ..P
        })
        .unwrap();
    bench.refused(P { at: 60, ..counter }, PointReason::TypeConflict);
    bench.put(P { at: 61, ..counter }).unwrap();
    bench.adds_up();

    // Nor one that lives shorter than it did: what was delta is cumulative.
    let bench = Bench::new(ruled());
    bench.put(P { is_delta: true, ..P }).unwrap();
    bench.put(P { time: 2, ..P }).unwrap();
    assert_eq!((bench.read(60).len(), bench.read(61).len()), (1, 0));
    bench.put(P { at: 61, ..counter }).unwrap();
}

#[test]
fn k_01_of_a_large_family_what_nothing_tells_of_is_left_to_the_sweep() {
    let bench = Bench::new(ruled());
    let labels: Vec<String> = (0..10_000).map(|at| format!("a=\"{at}\"")).collect();
    for labels in &labels {
        bench.put(P { labels, ..P }).unwrap();
    }
    // The one that would live longest goes before its time.
    let last = P {
        labels: "a=\"last\"",
        at: 30,
        ..P
    };
    bench.put(last).unwrap();
    bench
        .put(P {
            time: 2,
            change: Change::Stale,
            ..last
        })
        .unwrap();
    let counter = P {
        metric_type: MetricType::Counter,
        at: 61,
        ..P
    };
    for _ in 0..2 {
        bench.refused(counter, PointReason::TypeConflict);
    }
    bench.store.sweep(bench.at(61));
    bench.put(counter).unwrap();
    bench.adds_up();
    assert_eq!(bench.store.expired(), 10_000);
}

#[test]
fn z_03_what_turns_delta_lives_longer() {
    let bench = Bench::new(ruled());
    bench.put(P).unwrap();
    bench
        .put(P {
            is_delta: true,
            time: 2,
            ..P
        })
        .unwrap();
    assert_eq!((bench.read(600).len(), bench.read(601).len()), (1, 0));
}

#[test]
fn z_03_a_request_that_was_overtaken_takes_no_time_away() {
    let bench = Bench::new(limits());
    bench.put(P { at: 10, ..P }).unwrap();
    bench.put(P { at: 5, time: 2, ..P }).unwrap();
    assert_eq!((bench.read(70).len(), bench.read(71).len()), (1, 0));
}

#[test]
fn z_03_what_expired_is_not_there_for_what_comes_later() {
    let bench = Bench::new(limits());
    bench.put(P { time: 50, ..P }).unwrap();
    let applied = bench
        .put(P {
            time: 5,
            stream: 2,
            at: 61,
            change: value(7),
            ..P
        })
        .unwrap();
    assert_eq!(applied, Applied::default());
    assert_eq!(bench.read(61), ["g{} 7"]);
    assert_eq!((bench.store.series(), bench.store.expired()), (1, 1));
    let flag = P {
        change: Change::Stale,
        at: 200,
        time: 99,
        ..P
    };
    assert_eq!(bench.put(flag).unwrap(), Applied::default());
    assert_eq!((bench.store.series(), bench.store.expired()), (0, 2));
    assert_eq!((bench.store.families().len(), bench.sources().len()), (0, 0));
}
