mod alive;
mod delta;
mod exemplars;
mod expiry;
mod family;
mod streams;

use std::time::Duration;

use super::*;
use crate::model::{Exemplar, Family, Histogram, MetricType, Number, PointReason, Refused, Sample};

struct Bench {
    store: Store,
    start: Instant,
}

/// One gauge point of value 1 in family `g`, at 0 s, of job `j` and instance `i`; what differs is said.
#[derive(Clone, Copy)]
struct P<'a> {
    family: &'a str,
    metric_type: MetricType,
    labels: &'a str,
    job: &'a str,
    at: u64,
    time: u64,
    stream: u64,
    change: Change<'a>,
    is_delta: bool,
    start: u64,
    exemplars: &'a [Exemplar],
}

const P: P<'static> = P {
    family: "g",
    metric_type: MetricType::Gauge,
    labels: "",
    job: "j",
    at: 0,
    time: 1,
    stream: 1,
    change: value(1),
    is_delta: false,
    start: 0,
    exemplars: &[],
};

const fn value(value: i64) -> Change<'static> {
    Change::Sample(Sample::Number(Number::Int(value)))
}

fn limits() -> Limits {
    Limits {
        expiry: Some(Duration::from_secs(60)),
        ..Limits::default()
    }
}

impl<'a> P<'a> {
    fn point(self, source: &'a Arc<Source>) -> Point<'a> {
        Point {
            source,
            labels: self.labels,
            shared: &[],
            change: self.change,
            is_delta: self.is_delta,
            start_unix_nano: self.start,
            time_unix_nano: self.time,
            exemplars: self.exemplars,
            stream: self.stream,
        }
    }
}

impl Bench {
    fn new(limits: Limits) -> Self {
        let start = Instant::now();
        Self {
            store: Store::new(limits, start),
            start,
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn family(&self, p: P<'_>) -> Result<Arc<FamilyCell>, Refused> {
        let family = Family {
            name: p.family.into(),
            metric_type: p.metric_type,
            help: String::new(),
            unit: String::new(),
            unit_in_name: false,
        };
        self.store.family(&family, p.job, self.at(p.at)).map(|found| found.cell)
    }

    fn put(&self, p: P<'_>) -> Result<Applied, Refused> {
        let identity = Identity {
            job: Some(p.job.into()),
            instance: "i".into(),
        };
        let source = self.store.enter(&identity, self.at(p.at));
        let applied = self
            .family(p)
            .and_then(|mut cell| self.store.apply(&mut cell, &p.point(&source), self.at(p.at)));
        self.store.leave(source);
        applied
    }

    #[track_caller]
    fn refused(&self, p: P<'_>, reason: PointReason) -> String {
        let refused = self.put(p).unwrap_err();
        assert_eq!(refused.reason, reason);
        refused.detail
    }

    /// What a reader sees at that time, as `family{labels} value`, in order of family and series.
    fn read(&self, seconds: u64) -> Vec<String> {
        let start = self.store.start(self.at(seconds));
        self.store
            .families()
            .iter()
            .flat_map(|cell| self.read_on(cell, start, usize::MAX).0)
            .collect()
    }

    fn read_on(&self, cell: &FamilyCell, from: Position, at_most: usize) -> (Vec<String>, Option<Position>) {
        cell.read(from, at_most, |batch| {
            let name = batch.family.name.clone();
            let mut lines = Vec::new();
            while let Some(shown) = batch.next() {
                let series = shown.series;
                let value = match series.sample {
                    Sample::Number(Number::Int(value)) => value.to_string(),
                    Sample::Number(Number::Double(value)) => format!("{value:?}"),
                    Sample::Histogram(histogram) => format!("{:?} {:?}", histogram.bounds, histogram.counts),
                    other => format!("{other:?}"),
                };
                lines.push(format!("{name}{{{}}} {value}", series.labels));
            }
            lines
        })
    }

    /// What a reader is told of the times of the first series that it sees at 0 s.
    fn times(&self) -> (u64, u64) {
        self.first(|series| (series.start_unix_nano, series.time_unix_nano))
    }

    fn first<T>(&self, f: impl Fn(&crate::model::Series<'_>) -> T) -> T {
        let cell = &self.store.families()[0];
        let start = self.store.start(self.at(0));
        let (first, _) = cell.read(start, usize::MAX, |batch| batch.next().map(|shown| f(&shown.series)));
        first.expect("a series is shown")
    }

    fn sources(&self) -> Vec<String> {
        self.store
            .sources()
            .iter()
            .map(|source| source.identity().job.as_deref().unwrap_or("").to_owned())
            .collect()
    }

    /// What the counters say is what is there.
    #[track_caller]
    fn adds_up(&self) {
        let cells = self.store.families();
        assert_eq!(cells.iter().map(|cell| cell.len()).sum::<usize>(), self.store.series());
        let sources = self.store.sources();
        assert_eq!(
            sources.iter().map(|source| source.series()).sum::<usize>(),
            self.store.series()
        );
        for source in &sources {
            let job = &source.identity().job;
            let of_job = sources
                .iter()
                .filter(|other| other.identity().job == *job)
                .map(|other| other.series());
            assert_eq!(source.job_series().load(Ordering::Relaxed), of_job.sum::<usize>());
        }
        let hidden: usize = sources
            .iter()
            .map(|source| source.hidden().load(Ordering::Relaxed))
            .sum();
        let states: Vec<_> = cells.iter().map(|cell| cell.state.lock()).collect();
        let held = || states.iter().flat_map(|state| state.slots.iter().flatten());
        assert_eq!(held().filter(|series| series.hidden).count(), hidden);
        let exponentials = held().filter(|series| series.value.is_exponential()).count();
        assert_eq!(
            cells
                .iter()
                .map(|cell| cell.exponentials.load(Ordering::Relaxed))
                .sum::<usize>(),
            exponentials
        );
    }
}

const LABELS: [&str; 6] = ["a=\"0\"", "a=\"1\"", "a=\"2\"", "a=\"3\"", "a=\"4\"", "a=\"5\""];

#[test]
fn b_01_each_cap_refuses_newcomers_and_keeps_incumbents() {
    for (limits, newcomer, stranger, option) in [
        (
            Limits { series: 2, ..limits() },
            P {
                family: "h",
                job: "k",
                ..P
            },
            None,
            "--max-series)",
        ),
        (
            Limits {
                series_per_job: 2,
                ..limits()
            },
            P { family: "h", ..P },
            Some(P {
                job: "k",
                labels: "a=\"9\"",
                ..P
            }),
            "--max-series-per-job)",
        ),
        (
            Limits {
                series_per_metric: 2,
                ..limits()
            },
            P {
                job: "k",
                labels: "a=\"9\"",
                ..P
            },
            Some(P { family: "h", ..P }),
            "--max-series-per-metric)",
        ),
    ] {
        let bench = Bench::new(limits);
        for labels in &LABELS[..2] {
            bench.put(P { labels, ..P }).unwrap();
        }
        let before = bench.read(0);
        for _ in 0..3 {
            let detail = bench.refused(newcomer, PointReason::TooManySeries);
            assert!(
                detail.contains("the limit of 2 series") && detail.contains(option),
                "{detail}"
            );
        }
        assert_eq!(bench.read(0), before);
        bench
            .put(P {
                labels: LABELS[0],
                time: 2,
                change: value(7),
                ..P
            })
            .unwrap();
        assert_eq!(bench.read(0)[0], "g{a=\"0\"} 7");
        if let Some(stranger) = stranger {
            bench.put(stranger).unwrap();
        }
        bench.adds_up();
        // One goes, one may come.
        bench
            .put(P {
                labels: LABELS[1],
                time: 2,
                change: Change::Stale,
                ..P
            })
            .unwrap();
        bench.put(newcomer).unwrap();
        bench.refused(
            P {
                labels: "a=\"10\"",
                ..newcomer
            },
            PointReason::TooManySeries,
        );
        bench.adds_up();
    }
}

#[test]
fn b_01_a_newcomer_that_is_refused_takes_no_place_under_any_cap() {
    let bench = Bench::new(Limits {
        series: 2,
        series_per_job: 2,
        series_per_metric: 1,
        ..limits()
    });
    bench.put(P).unwrap();
    for _ in 0..5 {
        bench.refused(P { labels: LABELS[0], ..P }, PointReason::TooManySeries);
    }
    bench.put(P { family: "h", ..P }).unwrap();
    for job in ["j", "k"] {
        bench.refused(P { family: "i", job, ..P }, PointReason::TooManySeries);
    }
    bench
        .put(P {
            family: "h",
            time: 2,
            change: Change::Stale,
            ..P
        })
        .unwrap();
    bench
        .put(P {
            family: "i",
            job: "k",
            ..P
        })
        .unwrap();
    bench.adds_up();
    assert_eq!((bench.store.series(), bench.store.families().len()), (2, 2));
}

#[test]
fn z_03_each_series_expires_for_itself_and_no_reader_sees_it() {
    let bench = Bench::new(limits());
    for (labels, at) in LABELS.iter().zip([0, 10, 20]) {
        bench.put(P { labels, at, ..P }).unwrap();
    }
    bench
        .put(P {
            labels: LABELS[0],
            at: 30,
            time: 2,
            change: value(2),
            ..P
        })
        .unwrap();
    for swept in [false, true] {
        for (now, shown) in [
            (70, &LABELS[..3]),
            (71, &[LABELS[0], LABELS[2]][..]),
            (81, &LABELS[..1]),
            (91, &[]),
        ] {
            if swept {
                bench.store.sweep(bench.at(now));
                assert_eq!(bench.store.series(), shown.len());
            }
            let expected: Vec<_> = shown
                .iter()
                .map(|labels| format!("g{{{labels}}} {}", if *labels == LABELS[0] { 2 } else { 1 }))
                .collect();
            assert_eq!(bench.read(now), expected, "at {now}");
        }
    }
}

#[test]
fn z_03_a_late_point_shows_that_its_series_is_alive() {
    let bench = Bench::new(limits());
    bench.put(P { time: 9, ..P }).unwrap();
    let applied = bench
        .put(P {
            time: 5,
            at: 50,
            change: value(5),
            ..P
        })
        .unwrap();
    assert_eq!(
        applied,
        Applied {
            ignored: true,
            ..Applied::default()
        }
    );
    assert_eq!(bench.read(110), ["g{} 1"]);
    assert_eq!(bench.read(111), [""; 0]);
}

#[test]
fn z_03_a_sweep_says_how_many_and_removes_what_is_empty() {
    let bench = Bench::new(limits());
    bench
        .put(P {
            job: "a",
            labels: LABELS[0],
            ..P
        })
        .unwrap();
    bench
        .put(P {
            job: "a",
            family: "h",
            ..P
        })
        .unwrap();
    bench
        .put(P {
            job: "b",
            labels: LABELS[1],
            at: 30,
            ..P
        })
        .unwrap();
    assert_eq!(
        (bench.sources(), bench.store.families().len()),
        (vec!["a".into(), "b".into()], 2)
    );
    assert_eq!(bench.store.sweep(bench.at(60)), 0);
    assert_eq!(bench.store.sweep(bench.at(61)), 2);
    assert_eq!(bench.sources(), ["b"]);
    assert_eq!(
        bench
            .store
            .families()
            .iter()
            .map(|cell| cell.name().to_owned())
            .collect::<Vec<_>>(),
        ["g"]
    );
    bench.adds_up();
    assert_eq!(bench.store.sweep(bench.at(91)), 1);
    assert_eq!(
        (
            bench.store.series(),
            bench.store.source_count(),
            bench.store.families().len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn z_03_a_sweep_reaches_every_place_of_a_large_family() {
    let bench = Bench::new(limits());
    let labels: Vec<String> = (0..10_000).map(|at| format!("a=\"{at}\"")).collect();
    for (at, labels) in labels.iter().enumerate() {
        bench
            .put(P {
                labels,
                at: if at % 3 == 0 { 30 } else { 0 },
                ..P
            })
            .unwrap();
    }
    assert_eq!(bench.store.sweep(bench.at(61)), 6666);
    assert_eq!(bench.read(61).len(), 3334);
    bench.adds_up();
    assert_eq!(bench.store.sweep(bench.at(91)), 3334);
    bench.adds_up();
}

#[test]
fn k_01_k_04_names_are_free_after_a_sweep() {
    let bench = Bench::new(limits());
    let histogram = Change::Sample(Sample::Histogram(Histogram {
        bounds: &[],
        counts: &[1],
        sum: None,
    }));
    let foo = P {
        family: "foo",
        metric_type: MetricType::Histogram,
        change: histogram,
        ..P
    };
    let foo_count = P {
        family: "foo_count",
        job: "k",
        at: 61,
        ..P
    };
    bench.put(foo).unwrap();
    bench.refused(
        P {
            metric_type: MetricType::Gauge,
            change: value(1),
            ..foo
        },
        PointReason::TypeConflict,
    );
    bench.refused(P { at: 60, ..foo_count }, PointReason::NameConflict);
    assert_eq!(bench.sources(), ["j"]);
    bench.store.sweep(bench.at(61));
    bench.put(foo_count).unwrap();
    bench
        .put(P {
            metric_type: MetricType::Gauge,
            change: value(1),
            at: 61,
            ..foo
        })
        .unwrap();
    bench.refused(
        P {
            family: "foo_count",
            metric_type: MetricType::Counter,
            at: 61,
            ..P
        },
        PointReason::TypeConflict,
    );
    assert_eq!(bench.read(61), ["foo{} 1", "foo_count{} 1"]);
}

#[test]
fn k_01_a_family_that_has_expired_stands_in_nobodys_way_before_the_sweep() {
    let bench = Bench::new(limits());
    bench.put(P).unwrap();
    let counter = P {
        metric_type: MetricType::Counter,
        ..P
    };
    let refused = bench.put(P { at: 60, ..counter }).unwrap_err();
    assert_eq!(refused.reason, PointReason::TypeConflict);
    bench.put(P { at: 61, ..counter }).unwrap();
    assert_eq!((bench.store.series(), bench.store.expired()), (1, 1));
}

#[test]
fn a_cell_that_has_been_taken_out_is_replaced() {
    let bench = Bench::new(limits());
    let source = bench.store.enter(
        &Identity {
            job: None,
            instance: "".into(),
        },
        bench.at(0),
    );
    let mut cell = bench.family(P).unwrap();
    let taken_out = Arc::clone(&cell);
    bench.store.sweep(bench.at(0));
    bench.store.apply(&mut cell, &P.point(&source), bench.at(0)).unwrap();
    assert!(!Arc::ptr_eq(&cell, &taken_out));
    assert_eq!(bench.read(0), ["g{} 1"]);
    assert!(taken_out.is_empty());

    // By another type, if that came first.
    let mut cell = bench.family(P { family: "h", ..P }).unwrap();
    bench.store.sweep(bench.at(0));
    bench
        .put(P {
            family: "h",
            metric_type: MetricType::Counter,
            ..P
        })
        .unwrap();
    let refused = bench
        .store
        .apply(&mut cell, &P.point(&source), bench.at(0))
        .unwrap_err();
    assert_eq!(refused.reason, PointReason::TypeConflict);
}

#[test]
fn a_source_lives_as_long_as_a_series_or_a_request() {
    let bench = Bench::new(limits());
    let identity = Identity {
        job: Some("j".into()),
        instance: "i".into(),
    };
    let source = bench.store.enter(&identity, bench.at(0));
    bench.store.sweep(bench.at(0));
    assert_eq!(
        (bench.sources(), bench.store.source(&identity).is_none()),
        (vec!["j".into()], true)
    );
    let again = bench.store.enter(&identity, bench.at(5));
    assert!(Arc::ptr_eq(&source, &again));
    bench.store.leave(again);
    assert_eq!(bench.store.source_count(), 1, "the other request is still there");
    bench.store.leave(source);
    assert_eq!(bench.store.source_count(), 0);

    bench.put(P { at: 10, ..P }).unwrap();
    bench
        .put(P {
            family: "h",
            at: 20,
            ..P
        })
        .unwrap();
    let source = bench.store.source(&identity).unwrap();
    assert_eq!((source.series(), source.points()), (2, 2));
    assert_eq!(
        bench.store.age(source.first_seen(), bench.at(25)),
        Duration::from_secs(15)
    );
    assert_eq!(
        bench.store.age(source.last_seen(), bench.at(25)),
        Duration::from_secs(5)
    );
    for (seconds, alive) in [(20, true), (80, true), (81, false)] {
        assert_eq!(bench.store.is_alive(&source, bench.at(seconds)), alive, "at {seconds}");
    }
    bench
        .put(P {
            at: 20,
            time: 2,
            change: Change::Stale,
            ..P
        })
        .unwrap();
    assert!(bench.store.source(&identity).is_some());
    bench
        .put(P {
            family: "h",
            at: 20,
            time: 2,
            change: Change::Stale,
            ..P
        })
        .unwrap();
    assert!(bench.store.source(&identity).is_none());
    assert!(!bench.store.is_alive(&source, bench.at(20)));
}

#[test]
fn p_02_advice_is_new_once_for_each_cause() {
    let bench = Bench::new(limits());
    let source = bench.store.enter(
        &Identity {
            job: None,
            instance: "".into(),
        },
        bench.at(0),
    );
    assert_eq!(
        [1, 2, 1, 2].map(|cause| source.is_new_advice(cause)),
        [true, true, false, false]
    );
}

#[test]
fn z_05_c_05_the_newest_time_wins_and_other_streams_are_told() {
    let bench = Bench::new(limits());
    let put = |time, stream, new| {
        bench
            .put(P {
                time,
                stream,
                change: value(new),
                ..P
            })
            .unwrap()
    };
    let applied = |ignored, collided| Applied {
        ignored,
        collided,
        gap: false,
    };
    assert_eq!(put(5, 1, 1), applied(false, false));
    assert_eq!(put(6, 1, 2), applied(false, false));
    assert_eq!(put(6, 1, 3), applied(false, false));
    assert_eq!(bench.read(0), ["g{} 3"]);
    assert_eq!(put(5, 1, 4), applied(true, false));
    assert_eq!(put(7, 2, 5), applied(false, true));
    assert_eq!(put(8, 2, 6), applied(false, false));
    assert_eq!(put(7, 1, 7), applied(true, true));
    assert_eq!(bench.read(0), ["g{} 6"]);
}

#[test]
fn h_01_a_histogram_may_change_its_shape() {
    let bench = Bench::new(limits());
    let put = |time, bounds: &[f64], counts: &[u64]| {
        let change = Change::Sample(Sample::Histogram(Histogram {
            bounds,
            counts,
            sum: None,
        }));
        bench
            .put(P {
                metric_type: MetricType::Histogram,
                time,
                change,
                ..P
            })
            .unwrap();
    };
    put(1, &[1.0], &[1, 2]);
    put(2, &[1.0], &[3, 4]);
    assert_eq!(bench.read(0), ["g{} [1.0] [3, 4]"]);
    put(3, &[1.0, 2.0], &[3, 4, 5]);
    assert_eq!(bench.read(0), ["g{} [1.0, 2.0] [3, 4, 5]"]);
    put(4, &[], &[9]);
    assert_eq!(bench.read(0), ["g{} [] [9]"]);
}

#[test]
fn a_reader_meets_each_series_at_most_once() {
    let bench = Bench::new(limits());
    for labels in &LABELS[..4] {
        bench.put(P { labels, ..P }).unwrap();
    }
    let cell = bench.family(P).unwrap();
    let (first, next) = bench.read_on(&cell, bench.store.start(bench.at(0)), 2);
    assert_eq!(first, ["g{a=\"0\"} 1", "g{a=\"1\"} 1"]);
    // The place of the third is taken by the first, which went and came back, and the fourth is written again.
    for (labels, change) in [
        (LABELS[2], Change::Stale),
        (LABELS[0], Change::Stale),
        (LABELS[5], value(5)),
        (LABELS[0], value(2)),
        (LABELS[3], value(3)),
        (LABELS[4], value(4)),
    ] {
        bench
            .put(P {
                labels,
                time: 2,
                change,
                ..P
            })
            .unwrap();
    }
    let (second, end) = bench.read_on(&cell, next.unwrap(), 100);
    assert_eq!(second, ["g{a=\"3\"} 3"]);
    assert!(end.is_none());
    let mut all = bench.read(0);
    all.sort();
    assert_eq!(
        all,
        [
            "g{a=\"0\"} 2",
            "g{a=\"1\"} 1",
            "g{a=\"3\"} 3",
            "g{a=\"4\"} 4",
            "g{a=\"5\"} 5"
        ]
    );
}

#[test]
fn a_reader_on_its_way_through_a_family_that_is_emptied_comes_to_its_end() {
    let bench = Bench::new(limits());
    for labels in LABELS {
        bench.put(P { labels, ..P }).unwrap();
    }
    let cell = bench.family(P).unwrap();
    let (_, next) = bench.read_on(&cell, bench.store.start(bench.at(0)), 4);
    for labels in LABELS {
        bench
            .put(P {
                labels,
                time: 2,
                change: Change::Stale,
                ..P
            })
            .unwrap();
    }
    assert!(matches!(bench.read_on(&cell, next.unwrap(), 4), (none, None) if none.is_empty()));
}

#[test]
fn a_batch_is_bounded_and_all_batches_are_everything() {
    let bench = Bench::new(limits());
    for labels in LABELS {
        bench.put(P { labels, ..P }).unwrap();
    }
    let cell = bench.family(P).unwrap();
    for at_most in 1..=7 {
        let (mut seen, mut position) = (Vec::new(), Some(bench.store.start(bench.at(0))));
        while let Some(from) = position {
            let (batch, next) = bench.read_on(&cell, from, at_most);
            assert!(batch.len() <= at_most);
            seen.extend(batch);
            position = next;
        }
        assert_eq!(seen, bench.read(0));
    }
}

#[test]
fn a_series_is_left_out_for_the_first_time_once() {
    let bench = Bench::new(limits());
    bench.put(P).unwrap();
    let cell = bench.family(P).unwrap();
    let leave_out = || {
        cell.read(bench.store.start(bench.at(0)), 9, |batch| {
            let series = std::iter::from_fn(|| Some(batch.next()?.leave_out())).collect::<Vec<_>>();
            (series, batch.leave_out())
        })
    };
    assert_eq!(leave_out().0, (vec![true], true));
    assert_eq!(leave_out().0, (vec![false], false));
}

#[test]
fn nothing_leaks_from_many_comings_and_goings() {
    let bench = Bench::new(Limits {
        series: 40,
        series_per_job: 25,
        series_per_metric: 15,
        ..limits()
    });
    // A fixed walk over families, labels, jobs and changes; time stands still but for a sweep now and then.
    let mut bits = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: u64| {
        bits = bits
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (bits >> 33) % below
    };
    let (mut refused, mut now) = (0, 0);
    for step in 1..20_000 {
        let (family, labels) = (format!("f{}", random(6)), format!("a=\"{}\"", random(10)));
        // The labels say whose they are, as they do behind the translation.
        let job = ["j", "k", "l"][random(3) as usize];
        let labels = format!("{labels},job=\"{job}\"");
        let change = if random(3) == 0 { Change::Stale } else { value(1) };
        let metric_type = if random(20) == 0 {
            MetricType::Counter
        } else {
            MetricType::Gauge
        };
        let p = P {
            family: &family,
            labels: &labels,
            job,
            change,
            metric_type,
            time: step,
            at: now,
            ..P
        };
        refused += u64::from(bench.put(p).is_err());
        if step % 97 == 0 {
            now += 50;
            bench.store.sweep(bench.at(now));
        }
        if step % 10 == 0 {
            bench.adds_up();
            assert!(bench.store.series() <= 40);
            assert!(bench.store.families().iter().all(|cell| cell.len() <= 15));
        }
    }
    assert!(refused > 1000, "{refused}");
    bench.store.sweep(bench.at(now + 61));
    assert_eq!(
        (
            bench.store.series(),
            bench.store.source_count(),
            bench.store.families().len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn many_threads_at_once() {
    const WRITERS: u64 = 4;
    const ROUNDS: u64 = 1500;
    let bench = &Bench::new(Limits {
        series: 60,
        series_per_job: 25,
        series_per_metric: 20,
        ..limits()
    });
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let family = format!("f{}", round % 5);
                    let job = ["a", "b", "c"][((round + writer) % 3) as usize];
                    let labels = format!("a=\"{}\",job=\"{job}\"", (round * 7 + writer) % 8);
                    let change = if round % 4 == 0 { Change::Stale } else { value(1) };
                    // Times go on, so that series expire while others come.
                    let _ = bench.put(P {
                        family: &family,
                        labels: &labels,
                        job,
                        change,
                        time: round,
                        at: round,
                        ..P
                    });
                }
            });
        }
        scope.spawn(|| {
            for round in 0..ROUNDS {
                bench.store.sweep(bench.at(round));
            }
        });
        scope.spawn(|| {
            for round in 0..ROUNDS / 5 {
                let start = bench.store.start(bench.at(round));
                for cell in bench.store.families() {
                    let (mut seen, mut position) = (Vec::new(), Some(start));
                    while let Some(from) = position {
                        let (batch, next) = bench.read_on(&cell, from, 3);
                        seen.extend(batch);
                        position = next;
                    }
                    let shown = seen.len();
                    seen.sort();
                    seen.dedup();
                    assert_eq!(seen.len(), shown, "a series was shown twice");
                }
                assert!(bench.store.series() <= 60);
            }
        });
    });
    bench.adds_up();
    bench.store.sweep(bench.at(ROUNDS + 61));
    assert_eq!(
        (
            bench.store.series(),
            bench.store.source_count(),
            bench.store.families().len()
        ),
        (0, 0, 0)
    );
}
