//! Z-06: a source is alive exactly while one of its series is shown, whatever happens to the others.

use super::*;

fn is_alive(bench: &Bench, job: &str, seconds: u64) -> bool {
    let identity = Identity {
        job: Some(job.into()),
        instance: "i".into(),
    };
    let source = bench.store.source(&identity);
    source.is_some_and(|source| bench.store.is_alive(&source, bench.at(seconds)))
}

#[test]
fn z_06_the_last_point_of_a_source_may_be_of_a_series_that_is_gone() {
    let bench = Bench::new(limits());
    bench.put(P { labels: LABELS[0], ..P }).unwrap();
    let other = P {
        labels: LABELS[1],
        family: "h",
        at: 50,
        ..P
    };
    bench.put(other).unwrap();
    assert!(is_alive(&bench, "j", 110));
    bench
        .put(P {
            change: Change::Stale,
            time: 2,
            at: 55,
            ..other
        })
        .unwrap();
    assert!(is_alive(&bench, "j", 60));
    assert!(!is_alive(&bench, "j", 61));
    // A point brings it back.
    bench
        .put(P {
            at: 100,
            time: 2,
            labels: LABELS[0],
            ..P
        })
        .unwrap();
    assert!(is_alive(&bench, "j", 160));
    assert!(!is_alive(&bench, "j", 161));
}

#[test]
fn z_06_a_source_is_alive_exactly_while_a_series_of_it_is_shown() {
    const JOBS: [&str; 4] = ["a", "b", "short", "c"];
    let bench = Bench::new(Limits {
        expiry: Some(Duration::from_secs(30)),
        delta_expiry: Some(Duration::from_secs(90)),
        expiry_rules: vec![ExpiryRule {
            pattern: "short".into(),
            expiry: Some(Duration::from_secs(7)),
        }],
        ..Limits::default()
    });
    let mut bits = 7u64;
    let mut random = |below: u64| {
        bits = bits
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (bits >> 33) % below
    };
    let (mut now, mut alive, mut hidden, mut dead) = (0, 0, 0, 0);
    for step in 1..15_000 {
        let job = JOBS[random(4) as usize];
        let labels = format!("a=\"{}\",job=\"{job}\"", random(3));
        let family = ["f", "g"][random(2) as usize];
        // Long silences, in which sources die, among bursts.
        now += [0, 0, 0, 1, 3, 20][random(6) as usize];
        let p = P {
            family,
            labels: &labels,
            job,
            metric_type: MetricType::Counter,
            change: if random(3) == 0 { Change::Stale } else { value(1) },
            is_delta: random(2) == 0,
            start: step - random(3),
            time: step,
            at: now,
            ..P
        };
        let _ = bench.put(p);
        if random(50) == 0 {
            bench.store.sweep(bench.at(now));
        }
        let alive_now: Vec<_> = bench.store.alive(bench.store.sources(), bench.at(now));
        let apart = |source: &Arc<Source>| bench.store.is_alive(source, bench.at(now));
        assert!(alive_now.iter().all(apart));
        for later in [0, random(40), random(100)] {
            let shown = bench.read(now + later);
            for job in JOBS {
                let is_shown = shown.iter().any(|line| line.contains(&format!("job=\"{job}\"")));
                assert_eq!(
                    is_alive(&bench, job, now + later),
                    is_shown,
                    "{job} at {now} + {later}, step {step}"
                );
                alive += u64::from(is_shown);
                dead += u64::from(!is_shown);
            }
        }
        hidden += bench
            .store
            .sources()
            .iter()
            .map(|source| source.hidden().load(Ordering::Relaxed))
            .sum::<usize>();
        if step % 50 == 0 {
            bench.adds_up();
        }
    }
    assert!(alive > 1000 && dead > 1000 && hidden > 1000, "{alive} {dead} {hidden}");
}

#[test]
fn z_06_sources_stay_exact_while_many_write() {
    let bench = &Bench::new(limits());
    std::thread::scope(|scope| {
        for writer in 0..3u64 {
            scope.spawn(move || {
                for round in 0..2000u64 {
                    let labels = format!("a=\"{}\"", (round * 7 + writer) % 5);
                    let _ = bench.put(P {
                        family: ["f", "g"][(round % 2) as usize],
                        labels: &labels,
                        metric_type: MetricType::Counter,
                        is_delta: writer == 0,
                        change: if round % 3 == 0 { Change::Stale } else { value(1) },
                        start: round,
                        time: round + 1,
                        at: round / 20,
                        ..P
                    });
                }
            });
        }
        scope.spawn(|| {
            for round in 0..2000 {
                is_alive(bench, "j", round / 20);
            }
        });
    });
    bench.adds_up();
    for seconds in 95..170 {
        assert_eq!(
            is_alive(bench, "j", seconds),
            !bench.read(seconds).is_empty(),
            "at {seconds}"
        );
    }
}
