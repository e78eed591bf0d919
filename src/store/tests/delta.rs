//! Deltas and start times: D-01 to D-09, T-03, T-04, Z-01.

use super::*;
use crate::model::{Exponential, Side, Summary};

/// A delta counter.
const D: P<'static> = P {
    metric_type: MetricType::Counter,
    is_delta: true,
    ..P
};

const fn double(value: f64) -> Change<'static> {
    Change::Sample(Sample::Number(Number::Double(value)))
}

/// A histogram with one bound and these cumulative counts.
fn hist<'a>(bounds: &'a [f64], counts: &'a [u64], sum: Option<f64>) -> Change<'a> {
    Change::Sample(Sample::Histogram(Histogram { bounds, counts, sum }))
}

const ADDED: Applied = Applied {
    ignored: false,
    collided: false,
    gap: false,
};
const GAP: Applied = Applied { gap: true, ..ADDED };
const IGNORED: Applied = Applied { ignored: true, ..ADDED };

impl Bench {
    /// A delta of a counter for the window.
    fn add(&self, change: Change<'_>, start: u64, time: u64) -> Result<Applied, PointReason> {
        self.put(P {
            change,
            start,
            time,
            ..D
        })
        .map_err(|refused| refused.reason)
    }

    fn add_hist(&self, change: Change<'_>, start: u64, time: u64) -> Result<Applied, PointReason> {
        self.put(P {
            metric_type: MetricType::Histogram,
            change,
            start,
            time,
            ..D
        })
        .map_err(|refused| refused.reason)
    }
}

#[test]
fn d_01_d_02_d_03_d_04_the_examples() {
    let bench = Bench::new(limits());
    for (value_added, start, time, applied, shown, times) in [
        (5, 10, 20, Ok(ADDED), "5", (10, 20)),
        (7, 20, 30, Ok(ADDED), "12", (10, 30)),
        (7, 20, 30, Ok(IGNORED), "12", (10, 30)),
        (3, 40, 50, Ok(GAP), "15", (10, 50)),
        (2, 30, 40, Ok(ADDED), "17", (10, 50)),
        (4, 5, 10, Ok(ADDED), "21", (5, 50)),
        (4, 25, 28, Err(PointReason::OutOfOrder), "21", (5, 50)),
        (4, 45, 55, Err(PointReason::OutOfOrder), "21", (5, 50)),
        (5, 10, 20, Ok(IGNORED), "21", (5, 50)),
    ] {
        assert_eq!(bench.add(value(value_added), start, time), applied, "{start} {time}");
        assert_eq!(bench.read(0), [format!("g{{}} {shown}")]);
        assert_eq!(bench.times(), times);
    }
    let message = bench.refused(
        P {
            start: 25,
            time: 28,
            ..D
        },
        PointReason::OutOfOrder,
    );
    assert!(message.contains("two writers with the same identity"), "{message}");
}

#[test]
fn d_01_whole_numbers_stay_whole_while_all_are_and_64_bits_hold_them() {
    let bench = Bench::new(limits());
    for (time, change, shown) in [
        (1, value(9_007_199_254_740_993), "9007199254740993"),
        (2, value(2), "9007199254740995"),
        (3, double(0.5), "9007199254740996.0"),
        (4, value(4), "9007199254741000.0"),
    ] {
        bench.add(change, time, time + 1).unwrap();
        assert_eq!(bench.read(0), [format!("g{{}} {shown}")]);
    }
    let bench = Bench::new(limits());
    bench.add(value(i64::MAX), 1, 2).unwrap();
    bench.add(value(1), 2, 3).unwrap();
    assert_eq!(bench.read(0), ["g{} 9.223372036854776e18"]);
    bench.add(value(i64::MAX), 3, 4).unwrap();
    assert_eq!(bench.read(0), ["g{} 1.8446744073709552e19"]);
    assert_eq!(bench.times(), (1, 4), "no reset");
}

#[test]
fn d_05_without_a_start_what_is_newer_is_added() {
    let bench = Bench::new(limits());
    for (start, time, applied, shown) in [
        (0, 10, Ok(ADDED), "1"),
        (0, 20, Ok(ADDED), "3"),
        (0, 18, Err(PointReason::OutOfOrder), "3"),
        (21, 20, Ok(IGNORED), "3"),
        (31, 30, Ok(ADDED), "6"),
    ] {
        assert_eq!(bench.add(value(1 + time as i64 / 15), start, time), applied, "{time}");
        assert_eq!(bench.read(0), [format!("g{{}} {shown}")]);
        assert_eq!(bench.times().0, 0);
    }
}

#[test]
fn d_06_histograms_add_count_sum_and_buckets() {
    let bench = Bench::new(limits());
    let sum = |bench: &Bench| {
        bench.first(|series| match series.sample {
            Sample::Histogram(histogram) => histogram.sum,
            _ => None,
        })
    };
    bench.add_hist(hist(&[1.0], &[1, 1], Some(0.5)), 10, 20).unwrap();
    bench.add_hist(hist(&[1.0], &[0, 2], Some(8.0)), 20, 30).unwrap();
    assert_eq!(bench.read(0), ["g{} [1.0] [1, 3]"]);
    assert_eq!((sum(&bench), bench.times()), (Some(8.5), (10, 30)));
    // Late and repeated, as any other.
    assert_eq!(bench.add_hist(hist(&[1.0], &[4, 4], Some(1.0)), 1, 5), Ok(GAP));
    assert_eq!(bench.add_hist(hist(&[1.0], &[4, 4], Some(1.0)), 1, 5), Ok(IGNORED));
    assert_eq!(
        (bench.read(0)[0].as_str(), sum(&bench)),
        ("g{} [1.0] [5, 7]", Some(9.5))
    );
    assert_eq!(bench.times(), (1, 30));
    // A part without a sum leaves none, for good.
    bench.add_hist(hist(&[1.0], &[1, 1], None), 30, 40).unwrap();
    bench.add_hist(hist(&[1.0], &[1, 1], Some(1.0)), 40, 50).unwrap();
    assert_eq!((bench.read(0)[0].as_str(), sum(&bench)), ("g{} [1.0] [7, 9]", None));
}

#[test]
fn d_06_t_04_other_bounds_start_anew() {
    for (start, time, new_start) in [(30, 40, 30), (35, 40, 35), (0, 40, 30)] {
        let bench = Bench::new(limits());
        bench.add_hist(hist(&[1.0], &[1, 2], Some(3.0)), 10, 20).unwrap();
        bench.add_hist(hist(&[1.0], &[1, 2], Some(3.0)), 25, 30).unwrap();
        assert_eq!(bench.add_hist(hist(&[2.0], &[4, 5], None), start, time), Ok(ADDED));
        assert_eq!(bench.read(0), ["g{} [2.0] [4, 5]"]);
        assert_eq!(bench.times(), (new_start, 40));
        // What is from before the change is refused, whatever its bounds are, but a retry is a retry.
        for bounds in [&[1.0], &[2.0]] {
            for window in [(20, 25), (1, 10), (30, 35)] {
                let late = bench.add_hist(hist(bounds, &[1, 1], None), window.0, window.1);
                assert_eq!(late, Err(PointReason::OutOfOrder), "{window:?}");
            }
            assert_eq!(bench.add_hist(hist(bounds, &[1, 2], None), 10, 20), Ok(IGNORED));
        }
        assert_eq!(bench.add_hist(hist(&[2.0], &[1, 1], None), 40, 50), Ok(ADDED));
        assert_eq!(
            (bench.read(0)[0].as_str(), bench.times()),
            ("g{} [2.0] [5, 6]", (new_start, 50))
        );
    }
}

#[test]
fn d_06_a_late_window_of_other_bounds_is_refused_and_its_gap_stays() {
    let bench = Bench::new(limits());
    bench.add_hist(hist(&[1.0], &[1, 2], None), 10, 20).unwrap();
    bench.add_hist(hist(&[1.0], &[1, 2], None), 30, 40).unwrap();
    for (start, time) in [(20, 30), (5, 10)] {
        for bounds in [&[2.0][..], &[1.0, 2.0], &[]] {
            let counts = &[1, 1, 1][..=bounds.len()];
            let late = bench.add_hist(hist(bounds, counts, None), start, time);
            assert_eq!(late, Err(PointReason::OutOfOrder));
        }
    }
    assert_eq!(
        (bench.read(0)[0].as_str(), bench.times()),
        ("g{} [1.0] [2, 4]", (10, 40))
    );
    assert_eq!(bench.add_hist(hist(&[1.0], &[1, 1], None), 20, 30), Ok(ADDED));
}

#[test]
fn d_06_counts_that_64_bits_do_not_hold_start_anew() {
    let bench = Bench::new(limits());
    bench.add_hist(hist(&[1.0], &[1, u64::MAX], None), 10, 20).unwrap();
    bench.add_hist(hist(&[1.0], &[0, 0], None), 20, 30).unwrap();
    assert_eq!(bench.times(), (10, 30));
    assert_eq!(
        bench.add_hist(hist(&[1.0], &[0, 1], None), 5, 10),
        Err(PointReason::OutOfOrder)
    );
    bench.add_hist(hist(&[1.0], &[0, 1], None), 30, 40).unwrap();
    assert_eq!(
        (bench.read(0)[0].as_str(), bench.times()),
        ("g{} [1.0] [0, 1]", (30, 40))
    );
}

fn exponential(scale: i32, counts: &[u64], sum: f64) -> Exponential {
    Exponential {
        scale,
        positive: Side {
            offset: 0,
            counts: counts.to_vec(),
        },
        sum,
        ..Exponential::default()
    }
}

fn exp(histogram: &Exponential) -> Change<'_> {
    Change::Sample(Sample::Exponential(histogram.sample()))
}

fn shown(bench: &Bench) -> (i8, Vec<u64>, f64) {
    bench.first(|series| match series.sample {
        Sample::Exponential(shown) => (shown.scale, shown.positive.counts.to_vec(), shown.sum),
        other => panic!("{other:?}"),
    })
}

#[test]
fn d_07_exponential_histograms_are_added_at_the_smaller_scale() {
    let bench = Bench::new(limits());
    bench.add_hist(exp(&exponential(1, &[1, 1], 2.0)), 10, 20).unwrap();
    bench.add_hist(exp(&exponential(0, &[2], 3.0)), 20, 30).unwrap();
    assert_eq!((shown(&bench), bench.times()), ((0, vec![4], 5.0), (10, 30)));
    // The finer one that comes later, or late, does not start anew.
    assert_eq!(bench.add_hist(exp(&exponential(1, &[0, 5], 1.0)), 40, 50), Ok(GAP));
    assert_eq!(bench.add_hist(exp(&exponential(1, &[0, 5], 1.0)), 5, 10), Ok(ADDED));
    assert_eq!((shown(&bench), bench.times()), ((0, vec![14], 7.0), (5, 50)));
    assert_eq!(bench.add_hist(exp(&exponential(1, &[0, 5], 1.0)), 5, 10), Ok(IGNORED));
    bench.add_hist(exp(&exponential(0, &[1], f64::NAN)), 50, 60).unwrap();
    bench.add_hist(exp(&exponential(0, &[1], 1.0)), 60, 70).unwrap();
    assert!(shown(&bench).2.is_nan(), "a part without a sum leaves none");
}

#[test]
fn d_07_counts_that_64_bits_do_not_hold_start_anew() {
    let bench = Bench::new(limits());
    bench
        .add_hist(exp(&exponential(0, &[u64::MAX - 2], 1.0)), 10, 20)
        .unwrap();
    assert_eq!(
        bench.add_hist(exp(&exponential(0, &[9], 1.0)), 5, 10),
        Err(PointReason::OutOfOrder)
    );
    assert_eq!(shown(&bench), (0, vec![u64::MAX - 2], 1.0));
    bench.add_hist(exp(&exponential(0, &[9], 4.0)), 20, 30).unwrap();
    assert_eq!((shown(&bench), bench.times()), ((0, vec![9], 4.0), (20, 30)));
}

#[test]
fn d_06_d_07_the_other_kind_of_histogram_starts_anew() {
    let bench = Bench::new(limits());
    let cell = || bench.store.families().remove(0);
    bench.add_hist(hist(&[1.0], &[1, 2], None), 10, 20).unwrap();
    assert!(!cell().has_exponential());
    let late = bench.add_hist(exp(&exponential(0, &[1], 1.0)), 5, 10);
    assert_eq!(late, Err(PointReason::OutOfOrder));
    bench.add_hist(exp(&exponential(0, &[1], 1.0)), 20, 30).unwrap();
    assert!(cell().has_exponential());
    assert_eq!((shown(&bench), bench.times()), ((0, vec![1], 1.0), (20, 30)));
    bench.add_hist(hist(&[1.0], &[3, 4], None), 30, 40).unwrap();
    assert!(!cell().has_exponential());
    assert_eq!(
        (bench.read(0)[0].as_str(), bench.times()),
        ("g{} [1.0] [3, 4]", (30, 40))
    );
    bench.adds_up();
}

#[test]
fn d_08_deltas_that_go_up_and_down_add_up_to_a_gauge() {
    let bench = Bench::new(limits());
    for (change, start, time, shown) in [
        (5, 10, 20, "5"),
        (-2, 20, 30, "3"),
        (-9, 30, 40, "-6"),
        (1, 5, 10, "-5"),
    ] {
        bench
            .put(P {
                metric_type: MetricType::Gauge,
                change: value(change),
                start,
                time,
                ..D
            })
            .unwrap();
        assert_eq!(bench.read(0), [format!("g{{}} {shown}")]);
        // Gauges never have a start (T-03).
        assert_eq!(bench.times().0, 0);
    }
}

#[test]
fn a_summary_is_never_added() {
    let bench = Bench::new(limits());
    let put = |count, start, time| {
        let summary = Summary {
            quantiles: &[],
            sum: 1.0,
            count,
        };
        bench.put(P {
            metric_type: MetricType::Summary,
            change: Change::Sample(Sample::Summary(summary)),
            start,
            time,
            ..D
        })
    };
    put(1, 10, 20).unwrap();
    put(2, 20, 30).unwrap();
    assert_eq!(put(3, 1, 10).unwrap(), IGNORED);
    let count = bench.first(|series| match series.sample {
        Sample::Summary(summary) => summary.count,
        _ => 0,
    });
    assert_eq!((count, bench.times()), (2, (20, 30)));
}

#[test]
fn t_03_start_times_of_what_is_cumulative() {
    for (metric_type, has_start) in [
        (MetricType::Counter, true),
        (MetricType::Gauge, false),
        (MetricType::Unknown, false),
        (MetricType::Info, false),
        (MetricType::StateSet, false),
    ] {
        let bench = Bench::new(limits());
        for (start, time, expected) in [
            (3, 5, 3),
            (4, 6, 4),
            (6, 6, 6),
            (7, 6, 0),
            (0, 7, 0),
            (2, 3, 0),
            (9, 9, 9),
        ] {
            bench
                .put(P {
                    metric_type,
                    start,
                    time,
                    ..P
                })
                .unwrap();
            assert_eq!(
                bench.times().0,
                if has_start { expected } else { 0 },
                "{metric_type:?} {time}"
            );
        }
    }
}

#[test]
fn z_05_of_equal_times_the_last_one_wins_with_its_start() {
    let bench = Bench::new(limits());
    let put = |change, start| {
        let p = P {
            metric_type: MetricType::Counter,
            change,
            start,
            time: 9,
            ..P
        };
        bench.put(p).unwrap()
    };
    put(value(5), 3);
    assert_eq!(put(value(4), 2), ADDED);
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 4", (2, 9)));
}

#[test]
fn d_09_t_04_a_series_that_expired_begins_anew_with_its_own_start() {
    for swept in [false, true] {
        let bench = Bench::new(Limits {
            delta_expiry: Some(Duration::from_secs(600)),
            ..limits()
        });
        bench.add(value(5), 10, 20).unwrap();
        assert_eq!(bench.read(600), ["g{} 5"]);
        assert_eq!(bench.read(601), [""; 0]);
        if swept {
            bench.store.sweep(bench.at(601));
        }
        let put = |start, time| {
            bench.put(P {
                at: 601,
                start,
                time,
                ..D
            })
        };
        // Not even a retry is known any more.
        assert_eq!(put(20, 30).unwrap(), ADDED);
        assert_eq!((bench.read(601)[0].as_str(), bench.times()), ("g{} 1", (20, 30)));
        assert_eq!(put(10, 20).unwrap(), ADDED);
        assert_eq!((bench.store.series(), bench.store.expired()), (1, 1));
    }
}

#[test]
fn t_04_a_series_that_changes_its_temporality_starts_anew() {
    let bench = Bench::new(limits());
    let cumulative = |change, start, time| {
        let p = P {
            metric_type: MetricType::Counter,
            change,
            start,
            time,
            ..P
        };
        bench.put(p).unwrap()
    };
    cumulative(value(100), 1, 20);
    // Not added to what it does not count, and not before what was shown.
    assert_eq!(bench.add(value(3), 10, 30), Ok(ADDED));
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 3", (20, 30)));
    assert_eq!(bench.add(value(3), 30, 40), Ok(ADDED));
    assert_eq!(bench.add(value(3), 1, 10), Err(PointReason::OutOfOrder));
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 6", (20, 40)));
    assert_eq!(cumulative(value(50), 1, 39), IGNORED);
    assert_eq!(cumulative(value(50), 1, 40), ADDED);
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 50", (1, 40)));
    assert_eq!(bench.add(value(3), 20, 39), Ok(IGNORED));
    assert_eq!(bench.add(value(3), 0, 50), Ok(ADDED));
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 3", (40, 50)));
}

#[test]
fn z_01_a_flag_hides_what_was_added_up_until_the_next_delta() {
    let bench = Bench::new(Limits {
        delta_expiry: Some(Duration::from_secs(600)),
        series_per_metric: 1,
        ..limits()
    });
    let identity = Identity {
        job: Some("j".into()),
        instance: "i".into(),
    };
    let is_alive = |seconds| {
        let source = bench.store.source(&identity).expect("it holds a series");
        bench.store.is_alive(&source, bench.at(seconds))
    };
    bench.add(value(5), 10, 20).unwrap();
    let flag = |time, at| {
        let p = P {
            change: Change::Stale,
            time,
            at,
            ..D
        };
        bench.put(p).unwrap()
    };
    assert_eq!(flag(19, 0), IGNORED);
    assert_eq!((bench.read(0).len(), is_alive(0)), (1, true));
    for time in [20, 30, 30] {
        assert_eq!(flag(time, 0), ADDED);
        assert_eq!((bench.read(0), is_alive(0)), (vec![], false));
        bench.adds_up();
    }
    // It holds its place, and its family's type.
    assert_eq!(bench.store.series(), 1);
    bench.refused(P { labels: LABELS[0], ..D }, PointReason::TooManySeries);
    bench.refused(P, PointReason::TypeConflict);
    // A retry says nothing new.
    assert_eq!(bench.add(value(5), 10, 20), Ok(IGNORED));
    assert_eq!((bench.read(0), is_alive(0)), (vec![], false));
    assert_eq!(bench.add(value(2), 20, 30), Ok(ADDED));
    assert_eq!((bench.read(0)[0].as_str(), bench.times()), ("g{} 7", (10, 30)));
    assert!(is_alive(0));
    bench.adds_up();
    // Until its expiry.
    flag(40, 100);
    bench.store.sweep(bench.at(700));
    assert_eq!(bench.store.series(), 1);
    bench.put(P { at: 701, time: 1, ..P }).expect("the name is free again");
    assert_eq!((bench.store.series(), bench.store.expired()), (1, 1));
    bench.adds_up();
}

#[test]
fn z_01_a_late_delta_shows_a_hidden_series_and_a_flag_alone_makes_none() {
    let bench = Bench::new(limits());
    let flag = P {
        change: Change::Stale,
        time: 50,
        ..D
    };
    bench.put(flag).unwrap();
    assert_eq!((bench.store.series(), bench.store.families().len()), (0, 0));
    bench.add(value(5), 10, 20).unwrap();
    bench.put(flag).unwrap();
    bench.add(value(1), 1, 10).unwrap();
    assert_eq!(bench.read(0), ["g{} 6"]);
    // What turns cumulative while it is hidden is shown as well, and goes with the next flag.
    bench.put(flag).unwrap();
    let cumulative = P {
        is_delta: false,
        time: 60,
        change: value(9),
        ..D
    };
    bench.put(cumulative).unwrap();
    assert_eq!(bench.read(0), ["g{} 9"]);
    bench.adds_up();
    bench.put(P { time: 60, ..flag }).unwrap();
    assert_eq!(bench.store.series(), 0);
    bench.adds_up();
}
