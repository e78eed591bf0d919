//! C-05, `sum`: each stream of a counter or a histogram is a series of its own.

use super::*;

fn sum() -> Limits {
    Limits {
        collisions: Collisions::Sum,
        ..limits()
    }
}

const C: P<'static> = P {
    metric_type: MetricType::Counter,
    ..P
};

fn collided(bench: &Bench, p: P<'_>) -> bool {
    bench.put(p).unwrap().collided
}

fn repeats(bench: &Bench) -> bool {
    let cell = bench.store.families().remove(0);
    cell.read(bench.store.start(bench.at(0)), 9, |batch| batch.cell.labels_repeat())
        .0
}

#[test]
fn c_05_sum_each_stream_is_kept_and_meets_the_others_once() {
    let bench = Bench::new(sum());
    let put = |stream, change, time| {
        let p = P {
            stream,
            change,
            time,
            ..C
        };
        collided(&bench, p)
    };
    assert!(!put(1, value(5), 10));
    assert!(!repeats(&bench));
    assert!(put(2, value(9), 20));
    assert!(put(3, value(1), 5));
    assert!(!put(1, value(6), 11));
    assert!(!put(2, value(8), 21));
    // Each has a time of its own.
    assert!(bench.put(P { time: 10, ..C }).unwrap().ignored);
    assert_eq!(bench.read(0), ["g{} 6", "g{} 8", "g{} 1"]);
    assert!(repeats(&bench));
    bench.adds_up();
    assert!(!put(1, Change::Stale, 30));
    assert!(!put(3, Change::Stale, 30));
    assert_eq!((bench.read(0), repeats(&bench)), (vec!["g{} 8".to_owned()], false));
    assert!(put(1, value(2), 30), "joins again");
}

#[test]
fn c_05_sum_deltas_of_each_stream_are_added_up_for_themselves() {
    let bench = Bench::new(sum());
    for (stream, change, start, time) in [(1, 5, 10, 20), (2, 7, 15, 25), (1, 1, 20, 30), (2, 1, 25, 35)] {
        bench
            .put(P {
                stream,
                change: value(change),
                start,
                time,
                is_delta: true,
                ..C
            })
            .unwrap();
    }
    assert_eq!(bench.read(0), ["g{} 6", "g{} 8"]);
    // By default they are in each other's way.
    let bench = Bench::new(limits());
    let p = P {
        is_delta: true,
        start: 10,
        time: 20,
        ..C
    };
    bench.put(p).unwrap();
    bench.refused(
        P {
            stream: 2,
            start: 15,
            time: 25,
            ..p
        },
        PointReason::OutOfOrder,
    );
}

#[test]
fn c_05_sum_is_for_counters_and_histograms_alone() {
    for (metric_type, series) in [
        (MetricType::Counter, 2),
        (MetricType::Histogram, 2),
        (MetricType::Gauge, 1),
        (MetricType::Unknown, 1),
        (MetricType::Summary, 1),
    ] {
        let bench = Bench::new(sum());
        let p = P { metric_type, ..P };
        assert!(!collided(&bench, p));
        assert!(collided(&bench, P { stream: 2, ..p }));
        assert_eq!((bench.store.series(), repeats(&bench)), (series, series == 2));
        // By default it is for none.
        let bench = Bench::new(limits());
        bench.put(p).unwrap();
        assert!(collided(&bench, P { stream: 2, ..p }));
        assert_eq!((bench.store.series(), repeats(&bench)), (1, false));
    }
}

#[test]
fn c_05_b_01_sum_streams_count_under_the_caps_and_expire_for_themselves() {
    let bench = Bench::new(Limits {
        series_per_metric: 2,
        ..sum()
    });
    bench.put(C).unwrap();
    bench.put(P { stream: 2, at: 30, ..C }).unwrap();
    bench.refused(P { stream: 3, at: 30, ..C }, PointReason::TooManySeries);
    bench.put(P { stream: 2, at: 40, ..C }).unwrap();
    assert_eq!((bench.read(60).len(), bench.read(61).len()), (2, 1));
    bench.store.sweep(bench.at(61));
    bench.adds_up();
    assert!(collided(&bench, P { stream: 3, at: 61, ..C }));
    // What has expired is met by nobody, swept or not.
    assert_eq!(bench.store.sweep(bench.at(101)), 1);
    let bench = Bench::new(sum());
    bench.put(C).unwrap();
    assert!(!collided(&bench, P { stream: 2, at: 61, ..C }));
    assert!(!collided(&bench, P { at: 122, ..C }));
    bench.adds_up();
}

#[test]
fn c_05_sum_many_streams_of_many_label_sets_come_and_go() {
    let bench = Bench::new(sum());
    let mut held = std::collections::HashSet::new();
    let mut bits = 1u64;
    for time in 1..20_000 {
        bits = bits
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        let (labels, stream) = (LABELS[(bits >> 33) as usize % 6], (bits >> 40) % 9);
        let is_flag = (bits >> 50).is_multiple_of(2);
        let meets = held.iter().any(|(other, _)| *other == labels);
        let is_new = !held.contains(&(labels, stream));
        let change = if is_flag { Change::Stale } else { value(1) };
        let p = P {
            labels,
            stream,
            change,
            time,
            ..C
        };
        assert_eq!(collided(&bench, p), !is_flag && is_new && meets);
        if is_flag {
            held.remove(&(labels, stream));
        } else {
            held.insert((labels, stream));
        }
        assert_eq!(bench.store.series(), held.len());
        if !held.is_empty() {
            let sets: std::collections::HashSet<_> = held.iter().map(|(labels, _)| labels).collect();
            assert_eq!(repeats(&bench), sets.len() < held.len());
        }
    }
    bench.adds_up();
}
