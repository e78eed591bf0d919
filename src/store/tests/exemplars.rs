//! X-07 through the store: what is kept, of what, for how long.

use super::*;
use crate::model::{Exponential, Labels};

fn exemplar(value: f64, time: u64) -> Exemplar {
    Exemplar {
        trace_id: None,
        span_id: None,
        attributes: Labels::default(),
        value: Number::Double(value),
        time_unix_nano: time,
    }
}

const C: P<'static> = P {
    metric_type: MetricType::Counter,
    ..P
};

/// The newest, by value.
fn newest(bench: &Bench) -> Vec<f64> {
    bench.first(|series| series.exemplars.newest.iter().map(value_of).collect())
}

fn value_of(exemplar: &Exemplar) -> f64 {
    match exemplar.value {
        Number::Int(value) => value as f64,
        Number::Double(value) => value,
    }
}

#[test]
fn x_07_exemplars_stay_until_newer_ones_come() {
    let bench = Bench::new(limits());
    bench
        .put(P {
            exemplars: &[exemplar(2.0, 2), exemplar(1.0, 1)],
            ..C
        })
        .unwrap();
    assert_eq!(newest(&bench), [1.0, 2.0]);
    bench.put(P { time: 2, ..C }).unwrap();
    assert_eq!(newest(&bench), [1.0, 2.0], "a point without any");
    bench
        .put(P {
            time: 3,
            exemplars: &[exemplar(3.0, 3)],
            ..C
        })
        .unwrap();
    assert_eq!(newest(&bench), [1.0, 2.0, 3.0]);
}

#[test]
fn x_07_points_that_are_ignored_or_refused_bring_none() {
    let bench = Bench::new(limits());
    let late = [exemplar(9.0, 9)];
    bench.put(P { time: 5, ..C }).unwrap();
    bench
        .put(P {
            time: 4,
            exemplars: &late,
            ..C
        })
        .unwrap();
    assert_eq!(newest(&bench), [0.0; 0]);

    let delta = P {
        is_delta: true,
        start: 10,
        time: 20,
        ..C
    };
    bench.put(delta).unwrap();
    bench
        .put(P {
            exemplars: &late,
            ..delta
        })
        .unwrap();
    bench
        .put(P {
            exemplars: &late,
            start: 15,
            ..delta
        })
        .unwrap_err();
    assert_eq!(newest(&bench), [0.0; 0]);
    // One that is late and counted does.
    bench
        .put(P {
            start: 30,
            time: 40,
            ..delta
        })
        .unwrap();
    bench
        .put(P {
            exemplars: &late,
            start: 20,
            time: 30,
            ..delta
        })
        .unwrap();
    assert_eq!(newest(&bench), [9.0]);
}

#[test]
fn x_05_nothing_but_counters_and_histograms_keeps_any() {
    for metric_type in [
        MetricType::Gauge,
        MetricType::Unknown,
        MetricType::Info,
        MetricType::StateSet,
    ] {
        let bench = Bench::new(limits());
        for time in 1..3 {
            bench
                .put(P {
                    metric_type,
                    time,
                    exemplars: &[exemplar(1.0, 1)],
                    ..P
                })
                .unwrap();
        }
        assert_eq!(newest(&bench), [0.0; 0]);
    }
}

#[test]
fn x_07_exemplars_live_as_long_as_their_series() {
    let bench = Bench::new(limits());
    let with = [exemplar(1.0, 1)];
    bench.put(P { exemplars: &with, ..C }).unwrap();
    bench
        .put(P {
            time: 2,
            change: Change::Stale,
            ..C
        })
        .unwrap();
    bench.put(P { time: 3, ..C }).unwrap();
    assert_eq!(newest(&bench), [0.0; 0]);
    // A hidden one lives.
    let delta = P {
        is_delta: true,
        start: 3,
        time: 4,
        exemplars: &with,
        ..C
    };
    bench.put(delta).unwrap();
    bench
        .put(P {
            change: Change::Stale,
            ..delta
        })
        .unwrap();
    bench
        .put(P {
            start: 4,
            time: 5,
            exemplars: &[],
            ..delta
        })
        .unwrap();
    assert_eq!(newest(&bench), [1.0]);
}

#[test]
fn x_07_a_histogram_that_changes_its_bounds_keeps_one_for_each_bucket() {
    let bench = Bench::new(limits());
    let put = |bounds: &[f64], time, exemplars: &[Exemplar]| {
        let counts = vec![1; bounds.len() + 1];
        bench
            .put(P {
                metric_type: MetricType::Histogram,
                change: Change::Sample(Sample::Histogram(Histogram {
                    bounds,
                    counts: &counts,
                    sum: None,
                })),
                time,
                exemplars,
                ..P
            })
            .unwrap();
        bench.first(|series| series.exemplars.by_bucket.iter().map(value_of).collect::<Vec<_>>())
    };
    let four = [exemplar(0.5, 5), exemplar(0.7, 9), exemplar(10.0, 7), exemplar(99.0, 8)];
    assert_eq!(put(&[1.0, 10.0], 1, &four), [0.7, 10.0, 99.0]);
    assert_eq!(put(&[1.0, 20.0], 2, &[]), [0.7, 10.0, 99.0]);
    assert_eq!(put(&[100.0], 3, &[]), [0.7]);
    assert_eq!(put(&[0.6], 4, &[exemplar(0.6, 1)]), [0.6, 0.7]);
}

#[test]
fn x_07_an_exponential_histogram_that_becomes_coarser_keeps_one_for_each_bucket() {
    for is_delta in [false, true] {
        let bench = Bench::new(limits());
        let put = |scale, time, exemplars: &[Exemplar]| {
            let histogram = Exponential {
                scale,
                ..Exponential::default()
            };
            bench
                .put(P {
                    metric_type: MetricType::Histogram,
                    change: Change::Sample(Sample::Exponential(histogram.sample())),
                    is_delta,
                    start: time - 1,
                    time,
                    exemplars,
                    ..P
                })
                .unwrap();
            bench.first(|series| series.exemplars.by_bucket.iter().map(value_of).collect::<Vec<_>>())
        };
        let three = [exemplar(1.5, 1), exemplar(3.0, 3), exemplar(1.7, 2)];
        assert_eq!(put(3, 1, &three), [1.7, 3.0]);
        assert_eq!(put(0, 2, &[]), [1.7, 3.0]);
        assert_eq!(put(-1, 3, &[]), [3.0]);
        assert_eq!(newest(&bench), [1.5, 1.7, 3.0]);
    }
}
