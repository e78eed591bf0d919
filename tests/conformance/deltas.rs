//! D and T-04: deltas that are added up, as a scrape shows them.

use meterbridge::exposition::{ExponentialForm, Format};
use meterbridge::model::MetricType;

use crate::harness::*;
use crate::wire::Style;

/// What the sender of a delta is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Added,
    /// Added, and a gap is counted.
    Gap,
    /// Nothing, since it was counted before.
    Ignored,
    /// `out_of_order`.
    Refused,
}

use Told::{Added, Gap, Ignored, Refused};

/// A delta of so much, from when to when in seconds.
type Delta = (i64, u64, u64, Told);

/// The ways in which so much can be counted.
const KINDS: [fn(i64) -> Build; 4] = [
    |value| counter("x").is(value),
    |value| updown("x").is(value),
    |value| hist("x").buckets(&[1.0], &[value as u64, 0], value as f64),
    |value| exphist("x").exponential(|p| p.positive(0, &[value as u64]).sum(value as f64)),
];

fn delta(kind: fn(i64) -> Build, (value, start, end, _): Delta) -> Build {
    kind(value).delta().s(start).t(end)
}

#[track_caller]
fn put(bridge: &Bridge, kind: fn(i64) -> Build, row: Delta) {
    let answer = bridge.send(delta(kind, row));
    let found = match (answer.0.total_refused(), answer.0.ignored, answer.0.gaps) {
        (0, 0, 0) => Added,
        (0, 0, 1) => Gap,
        (0, 1, 0) => Ignored,
        (1, 0, 0) => Refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(found, row.3, "{row:?} {}", answer.message());
    match row.3 {
        Refused => assert!(
            answer.message().starts_with("1 point rejected: out_of_order: "),
            "{}",
            answer.message()
        ),
        _ => {
            answer.expect_plain();
        }
    }
}

fn read(bridge: &Bridge, format: Format) -> String {
    String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap()
}

/// What has been counted, and the start time as OpenMetrics 2.0 has it.
#[track_caller]
fn total(bridge: &Bridge) -> (String, String) {
    let text = read(bridge, OM2);
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap_or("} none");
    let value = line.split_once("} ").unwrap().1;
    let (value, start) = value.split_once(" st@").unwrap_or((value, ""));
    let value = value
        .strip_prefix("{count:")
        .map_or(value, |rest| rest.split_once(',').unwrap().0);
    (value.to_owned(), start.to_owned())
}

/// Deltas one after the other, whatever it is that counts; then the total and the start time that are shown, "" for none.
#[track_caller]
fn adds(rows: &[Delta], value: &str, start: &str) {
    for kind in KINDS {
        let bridge = Bridge::new();
        rows.iter().for_each(|row| put(&bridge, kind, *row));
        let is_gauge = bridge.store.families()[0].metric_type() == MetricType::Gauge;
        // Gauges have no start (T-03).
        let start = if is_gauge { "" } else { start };
        assert_eq!(total(&bridge), (value.to_owned(), start.to_owned()), "{rows:?}");
    }
}

fn c(value: impl Into<Value>, start: u64, end: u64) -> Build {
    counter("c").delta().is(value).s(start).t(end)
}

fn h(bounds: &[f64], counts: &[u64], sum: impl Into<Option<f64>>, start: u64, end: u64) -> Build {
    hist("h").delta().buckets(bounds, counts, sum).s(start).t(end)
}

fn e(start: u64, end: u64, says: impl FnOnce(ExponentialPoint) -> ExponentialPoint) -> Build {
    exphist("e").delta().exponential(says).s(start).t(end)
}

#[test]
fn d_01_deltas_add_up_from_the_start_of_the_first() {
    for style in Style::ALL {
        let bridge = Bridge::in_style(style);
        bridge.send(c(5, 10, 20)).expect_plain().ignores(0);
        bridge.send(c(7, 20, 30)).expect_plain().ignores(0);
        bridge.shows("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 12");
        bridge.shows_in(
            OM2,
            "# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 12 st@10\n# EOF",
        );
        bridge.shows_in(
            P,
            r#"name: "c_total" type: COUNTER metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
            counter { value: 12 start_timestamp { seconds: 10 } } }"#,
        );
    }
    adds(&[(5, 10, 20, Added)], "5", "10");
    adds(&[(5, 10, 20, Added), (7, 20, 30, Added)], "12", "10");
    adds(&[(0, 10, 20, Added), (0, 20, 30, Added)], "0", "10");
}

#[test]
fn d_01_points_of_one_request_add_up_too() {
    let bridge = Bridge::new();
    let metric = counter("c").delta().is(5).s(10).t(20).is(7).s(20).t(30);
    bridge.send(metric).expect_plain();
    bridge.shows("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 12");
    // Each series for itself.
    let metric = counter("c").delta().is(1).s(30).t(40).is(4).attr("k", "v").s(1).t(2);
    bridge.send(metric).expect_plain();
    bridge.shows_in(
        OM2,
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 13 st@10
        c_total{instance="i1",job="svc",k="v"} 4 st@1
        # EOF"#,
    );
}

#[test]
fn d_01_whole_numbers_stay_whole_while_all_of_them_are() {
    let total_of = |values: Vec<Value>| {
        let bridge = Bridge::new();
        for (at, value) in (10..).zip(values) {
            bridge.send(c(value, at, at + 1)).expect_plain();
        }
        total(&bridge).0
    };
    use Value::{Double, Int};
    assert_eq!(total_of(vec![Int(1 << 53), Int(1), Int(1 << 53)]), "18014398509481985");
    assert_eq!(total_of(vec![Double(0.5), Double(0.25)]), "0.75");
    assert_eq!(total_of(vec![Int(1), Double(0.5), Int(2)]), "3.5");
    assert_eq!(total_of(vec![Double(1.0), Int(2)]), "3");
    assert_eq!(total_of(vec![Int(i64::MAX), Int(0)]), "9223372036854775807");
    // More than 64 bits hold is a double, not a reset.
    assert_eq!(total_of(vec![Int(i64::MAX), Int(1)]), "9.223372036854776e+18");
}

#[test]
fn d_02_a_window_that_comes_again_counts_once() {
    let bridge = Bridge::new();
    bridge.send(c(5, 10, 20)).expect_plain();
    bridge.send(c(7, 20, 30)).expect_plain();
    for _ in 0..3 {
        bridge.send(c(7, 20, 30)).expect_plain().ignores(1);
        bridge.send(c(5, 10, 20)).expect_plain().ignores(1);
    }
    bridge.shows("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 12");

    adds(&[(5, 10, 20, Added), (5, 10, 20, Ignored)], "5", "10");
    // Behind three later ones: one of the last four.
    let rows = [
        (1, 10, 20, Added),
        (2, 20, 30, Added),
        (4, 30, 40, Added),
        (8, 40, 50, Added),
        (1, 10, 20, Ignored),
        (2, 20, 30, Ignored),
        (4, 30, 40, Ignored),
        (8, 40, 50, Ignored),
        (16, 50, 60, Added),
        (2, 20, 30, Ignored),
    ];
    adds(&rows, "31", "10");
    // Also those that came late, and with another value: the window tells.
    let rows = [
        (1, 10, 20, Added),
        (2, 30, 40, Gap),
        (4, 20, 30, Added),
        (4, 20, 30, Ignored),
        (8, 5, 10, Added),
        (9, 5, 10, Ignored),
        (3, 30, 40, Ignored),
    ];
    adds(&rows, "15", "5");
    // And those without a start.
    adds(
        &[
            (1, 0, 10, Added),
            (2, 0, 20, Added),
            (1, 0, 10, Ignored),
            (2, 0, 20, Ignored),
        ],
        "3",
        "",
    );
}

#[test]
fn d_02_a_request_that_is_sent_again_as_a_whole() {
    let bridge = Bridge::new();
    let request = || {
        from_r0(&[("host.name", "h")]).metrics([
            c(1, 10, 20),
            updown("u").delta().is(-2).s(10).t(20),
            h(&[1.0], &[1, 2], 3.0, 10, 20),
            e(10, 20, |p| p.positive(0, &[4]).sum(5.0)),
            gauge("g").is(7).t(20),
        ])
    };
    bridge.send(request()).expect_plain().ignores(0);
    let once = bridge.scrape();
    // A gauge of equal time is written again (Z-05).
    bridge.send(request()).expect_plain().ignores(4);
    assert_eq!(bridge.scrape(), once);
}

#[test]
fn d_03_a_gap_is_counted_and_adding_goes_on() {
    let rows = [(5, 10, 20, Added), (7, 20, 30, Added), (3, 40, 50, Gap)];
    adds(&rows, "15", "10");
    adds(&[rows[0], rows[1], rows[2], (3, 40, 50, Ignored)], "15", "10");
    adds(
        &[rows[0], rows[1], rows[2], (1, 50, 60, Added), (1, 61, 62, Gap)],
        "17",
        "10",
    );
}

#[test]
fn d_04_late_windows_find_their_place() {
    let rows = [
        (5, 10, 20, Added),
        (7, 20, 30, Added),
        (3, 40, 50, Gap),
        (2, 30, 40, Added),
    ];
    adds(&rows, "17", "10");
    let with = |more: &[Delta], value: &str, start: &str| adds(&[&rows, more].concat(), value, start);
    with(&[(4, 5, 10, Added)], "21", "5");
    for refused in [
        (4, 25, 28, Refused),
        (4, 45, 55, Refused),
        (4, 20, 31, Refused),
        (4, 5, 11, Refused),
        (4, 1, 99, Refused),
    ] {
        with(&[(4, 5, 10, Added), refused, (1, 50, 60, Added)], "22", "5");
    }
    // Before the first one again and again.
    with(&[(4, 5, 10, Added), (4, 3, 5, Added)], "25", "3");
}

#[test]
fn d_04_what_is_left_of_a_gap_stays() {
    let gap = [(1, 10, 20, Added), (1, 50, 60, Gap)];
    let with = |more: &[Delta], value: &str| adds(&[&gap, more].concat(), value, "10");
    with(&[(1, 20, 50, Added)], "3");
    with(&[(1, 20, 30, Added), (1, 30, 50, Added)], "4");
    with(&[(1, 40, 50, Added), (1, 20, 40, Added)], "4");
    // It splits.
    with(&[(1, 30, 40, Added), (1, 20, 30, Added), (1, 40, 50, Added)], "5");
    with(
        &[
            (1, 30, 40, Added),
            (1, 20, 30, Added),
            (1, 45, 50, Added),
            (1, 40, 45, Added),
        ],
        "6",
    );
    // What is filled is closed.
    with(&[(1, 20, 50, Added), (1, 30, 40, Refused), (1, 20, 50, Ignored)], "3");
    with(
        &[
            (1, 30, 40, Added),
            (1, 32, 38, Refused),
            (1, 35, 45, Refused),
            (1, 20, 50, Refused),
        ],
        "3",
    );
    // Not wholly inside.
    with(
        &[
            (1, 15, 25, Refused),
            (1, 45, 51, Refused),
            (1, 10, 50, Refused),
            (1, 19, 50, Refused),
        ],
        "2",
    );
}

#[test]
fn d_04_before_the_first_window_with_a_gap_between() {
    let rows = [(1, 100, 110, Added), (1, 50, 60, Gap)];
    let before = Bridge::new();
    put(&before, KINDS[0], rows[0]);
    // Whether that is a gap to count is open; that it can be filled is not.
    before.send(delta(KINDS[0], rows[1])).expect_plain().ignores(0);
    assert_eq!(total(&before), ("2".into(), "50".into()));
    put(&before, KINDS[0], (1, 60, 100, Added));
    put(&before, KINDS[0], (1, 70, 80, Refused));
    put(&before, KINDS[0], (1, 1, 50, Added));
    assert_eq!(total(&before), ("4".into(), "1".into()));
}

#[test]
fn d_04_the_eight_newest_gaps_are_remembered() {
    // Nine gaps, from 20 to 30 the oldest.
    let windows: Vec<Delta> = (0..10)
        .map(|at| (1, 10 + 20 * at, 20 + 20 * at, if at == 0 { Added } else { Gap }))
        .collect();
    adds(&[&windows[..], &[(1, 20, 30, Refused)]].concat(), "10", "10");
    let filled: Vec<Delta> = (1..9).map(|at| (1, 20 + 20 * at, 30 + 20 * at, Added)).collect();
    adds(&[&windows[..], &filled].concat(), "18", "10");
    // Eight are all there.
    adds(&[&windows[..9], &[(1, 20, 30, Added)]].concat(), "10", "10");
    // One that is filled makes room.
    adds(
        &[&windows[..9], &[(1, 60, 70, Added), windows[9], (1, 20, 30, Added)]].concat(),
        "12",
        "10",
    );
}

/// Every order of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, last);
        order
    };
    orders(last)
        .iter()
        .flat_map(|order| (0..count).map(move |at| insert(order, at)))
        .collect()
}

#[test]
fn d_04_windows_in_whatever_order_and_twice_give_the_same() {
    let windows: Vec<(i64, u64, u64)> = (0..6).map(|at| (1 << at, 10 + 10 * at, 20 + 10 * at)).collect();
    for order in orders(windows.len()) {
        let bridge = Bridge::new();
        for at in &order {
            let (value, start, end) = windows[*at];
            bridge.send(c(value, start, end)).expect_plain().ignores(0);
        }
        for at in order.iter().rev() {
            let (value, start, end) = windows[*at];
            bridge.send(c(value, start, end)).expect_plain().ignores(1);
        }
        let found = bridge.held(|_, series| {
            (
                format!("{:?}", series.sample),
                series.start_unix_nano,
                series.time_unix_nano,
            )
        });
        assert_eq!(
            found,
            [("Number(Int(63))".to_owned(), 10 * SECOND, 70 * SECOND)],
            "{order:?}"
        );
    }
    for order in orders(4) {
        let rows = |told: &dyn Fn(usize) -> Told| -> Vec<Delta> {
            order
                .iter()
                .map(|at| (1 << at, 10 + 10 * *at as u64, 20 + 10 * *at as u64, told(*at)))
                .collect()
        };
        for kind in KINDS {
            let bridge = Bridge::new();
            for row in rows(&|_| Added) {
                bridge.send(delta(kind, row)).expect_plain().ignores(0);
            }
            for row in rows(&|_| Ignored) {
                put(&bridge, kind, row);
            }
            assert_eq!(total(&bridge).0, "15", "{order:?}");
        }
    }
}

#[test]
fn d_04_two_writers_are_named_as_what_it_may_be() {
    let bridge = Bridge::new();
    bridge.send(c(5, 10, 20)).expect_plain();
    bridge.send(c(7, 20, 30)).expect_plain();
    for kind in [c(4, 25, 35), c(4, 12, 18)] {
        let message = bridge.send(kind).refuses(0, &[("out_of_order", 1)]).message();
        assert!(
            message.contains("\"c_total\"") || message.contains("\"c\""),
            "{message}"
        );
        assert!(message.contains("two writers with the same identity"), "{message}");
    }
    // The others of the request are taken (P-03).
    let metric = counter("c").delta().is(4).s(25).t(35).is(1).attr("k", "v").s(25).t(35);
    bridge.send(metric).refuses(1, &[("out_of_order", 1)]);
    bridge.shows(
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 12
        c_total{instance="i1",job="svc",k="v"} 1"#,
    );
}

#[test]
fn d_05_without_a_start_what_is_newer_is_added() {
    adds(&[(1, 0, 10, Added), (2, 0, 20, Added)], "3", "");
    adds(
        &[
            (1, 0, 10, Added),
            (2, 0, 20, Added),
            (5, 0, 18, Refused),
            (1, 0, 30, Added),
        ],
        "4",
        "",
    );
    // Of a start, no gap and none filled.
    adds(&[(1, 0, 10, Added), (2, 20, 30, Gap), (3, 10, 20, Added)], "6", "");
    adds(
        &[
            (1, 10, 20, Added),
            (2, 0, 40, Added),
            (3, 20, 30, Refused),
            (4, 40, 50, Added),
        ],
        "7",
        "10",
    );
    adds(
        &[
            (1, 10, 20, Added),
            (2, 40, 50, Gap),
            (3, 0, 35, Refused),
            (4, 20, 40, Added),
        ],
        "7",
        "10",
    );
    // Nothing lies before a first one.
    adds(&[(1, 0, 10, Added), (2, 1, 5, Refused), (2, 5, 10, Refused)], "1", "");
}

#[test]
fn d_05_t_03_a_start_after_the_end_counts_as_none() {
    for kind in KINDS {
        let bridge = Bridge::new();
        bridge.send(delta(kind, (1, 99, 10, Added)));
        // The advice is given once.
        put(&bridge, kind, (2, 50, 20, Added));
        put(&bridge, kind, (5, 99, 18, Refused));
        put(&bridge, kind, (2, 77, 20, Ignored));
        assert_eq!(total(&bridge), ("3".into(), String::new()));
    }
}

#[test]
fn d_05_p_15_both_0_are_refused() {
    for kind in KINDS {
        refused(
            delta(kind, (1, 0, 0, Refused)),
            "no_timestamp: metric \"x\": the end time is 0",
        );
    }
}

#[test]
fn d_04_windows_at_the_edges_of_time() {
    let bridge = Bridge::new();
    let nanos = |value: i64, start, end| counter("c").delta().is(value).nanos(start, end);
    bridge.send(nanos(1, 1, 2)).expect_plain();
    bridge.send(nanos(2, 2, u64::MAX)).expect_plain().ignores(0);
    bridge.send(nanos(2, 2, u64::MAX)).expect_plain().ignores(1);
    bridge
        .send(nanos(4, u64::MAX - 1, u64::MAX))
        .refuses(0, &[("out_of_order", 1)]);
    assert_eq!(total(&bridge), ("3".into(), "0.000000001".into()));
    // Windows without length.
    let rows = [
        (1, 10, 10, Added),
        (1, 10, 10, Ignored),
        (2, 10, 20, Added),
        (4, 20, 20, Added),
        (4, 20, 20, Ignored),
    ];
    adds(&rows, "7", "10");
}

#[test]
fn d_06_histograms_add_count_sum_and_buckets() {
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
    bridge.shows_in(
        P,
        r#"name: "h" type: HISTOGRAM metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
        histogram { sample_count: 3 sample_sum: 8.5 bucket { cumulative_count: 1 upper_bound: 1 }
        bucket { cumulative_count: 3 upper_bound: inf } start_timestamp { seconds: 10 } } }"#,
    );
    // Late ones as well.
    bridge.send(h(&[1.0], &[1, 1], 2.0, 1, 10)).expect_plain();
    bridge.shows_in(
        OM2,
        "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:5,sum:10.5,bucket:[1.0:2,+Inf:5]} st@1\n# EOF",
    );
}

#[test]
fn d_06_a_sum_that_one_lacks_the_total_lacks() {
    for sums in [[Some(1.0), None, Some(2.0)], [None, Some(1.0), Some(2.0)]] {
        let bridge = Bridge::new();
        for (at, sum) in (1..).zip(sums) {
            bridge
                .send(h(&[1.0], &[1, 0], sum, 10 * at, 10 * at + 10))
                .expect_plain();
        }
        bridge.shows(
            r#"# TYPE h histogram
            h_bucket{instance="i1",job="svc",le="1"} 3
            h_bucket{instance="i1",job="svc",le="+Inf"} 3
            h_count{instance="i1",job="svc"} 3"#,
        );
    }
}

#[test]
fn d_06_t_04_other_bounds_start_anew() {
    for (bounds, counts, buckets) in [
        (&[2.0][..], &[3, 1][..], "2.0:3,+Inf:4"),
        (&[1.0, 2.0], &[1, 1, 2], "1.0:1,2.0:2,+Inf:4"),
        (&[], &[4], "+Inf:4"),
    ] {
        // From the end of the last one, behind a gap, without a start.
        for (start, end, shown) in [(30, 40, "30"), (35, 40, "35"), (0, 40, "30")] {
            let bridge = Bridge::new();
            bridge.send(h(&[1.0], &[1, 0], 0.5, 10, 20)).expect_plain();
            bridge.send(h(&[1.0], &[0, 2], 8.0, 20, 30)).expect_plain();
            let new = h(bounds, counts, 6.0, start, end);
            bridge.send(new.clone()).expect_plain().ignores(0);
            let shows = |value: &str| {
                bridge.shows_in(
                    OM2,
                    &format!("# TYPE h histogram\nh{{instance=\"i1\",job=\"svc\"}} {value} st@{shown}\n# EOF"),
                );
            };
            let once = format!("{{count:4,sum:6,bucket:[{buckets}]}}");
            shows(&once);
            // A retry of it, and of those from before, counts nothing.
            bridge.send(new).expect_plain().ignores(1);
            bridge.send(h(&[1.0], &[0, 2], 8.0, 20, 30)).expect_plain().ignores(1);
            shows(&once);
            // A late one from before the change, of whichever bounds, is refused.
            for late in [
                h(&[1.0], &[1, 0], 1.0, 5, 10),
                h(bounds, counts, 6.0, 5, 10),
                h(bounds, counts, 6.0, 25, 35),
            ] {
                bridge.send(late).refuses(0, &[("out_of_order", 1)]);
            }
            shows(&once);
            bridge
                .send(h(bounds, &vec![0; counts.len()], 1.0, 40, 50))
                .expect_plain();
            shows(&format!("{{count:4,sum:7,bucket:[{buckets}]}}"));
        }
    }
}

#[test]
fn d_06_a_late_window_of_other_bounds_is_refused_and_its_gap_stays() {
    let bridge = Bridge::new();
    bridge.send(h(&[1.0], &[1, 0], 0.5, 10, 20)).expect_plain();
    bridge.send(h(&[1.0], &[1, 0], 0.5, 30, 40)).expect_plain();
    bridge
        .send(h(&[2.0], &[1, 0], 0.5, 20, 30))
        .refuses(0, &[("out_of_order", 1)]);
    bridge
        .send(h(&[2.0], &[1, 0], 0.5, 1, 10))
        .refuses(0, &[("out_of_order", 1)]);
    bridge.send(h(&[1.0], &[1, 0], 0.5, 20, 30)).expect_plain();
    bridge.send(h(&[1.0], &[1, 0], 0.5, 1, 10)).expect_plain();
    bridge.shows_in(
        OM2,
        "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:4,sum:2,bucket:[1.0:4,+Inf:4]} st@1\n# EOF",
    );
}

/// The native half and the start.
#[track_caller]
fn native(bridge: &Bridge) -> String {
    let text = read(bridge, styled(OM2, |style| style.exponential = ExponentialForm::Native));
    let line = text.lines().nth(1).unwrap();
    line.split_once("} {")
        .unwrap()
        .1
        .replace("zero_threshold:", "zt:")
        .replace("positive_", "")
        .replace("zero_count:", "zc:")
}

#[test]
fn d_07_exponential_histograms_add_up_at_the_smaller_scale() {
    let first = || e(10, 20, |p| p.scale(1).positive(0, &[1, 1]).sum(3.0));
    let second = || e(20, 30, |p| p.scale(0).positive(0, &[2]).sum(3.0));
    for deltas in [[first(), second()], [second(), first()]] {
        let bridge = Bridge::new();
        for delta in deltas {
            bridge.send(delta).expect_plain().ignores(0);
        }
        assert_eq!(
            native(&bridge),
            "count:4,sum:6,schema:0,zt:1e-128,zc:0,spans:[1:1],buckets:[4]} st@10"
        );
        bridge.shows_in(
            P,
            r#"name: "e" type: HISTOGRAM metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
            histogram { sample_count: 4 sample_sum: 6 bucket { cumulative_count: 0 upper_bound: 1 }
            bucket { cumulative_count: 4 upper_bound: 2 } bucket { cumulative_count: 4 upper_bound: inf }
            schema: 0 zero_threshold: 1e-128 zero_count: 0 positive_span { offset: 1 length: 1 } positive_delta: 4
            start_timestamp { seconds: 10 } } }"#,
        );
    }
    // By floor, below 1 as well; both sides.
    let bridge = Bridge::new();
    bridge
        .send(e(10, 20, |p| {
            p.scale(1).positive(-3, &[1, 1, 1]).negative(-1, &[1, 1]).sum(0.0)
        }))
        .expect_plain();
    bridge
        .send(e(20, 30, |p| p.scale(0).positive(5, &[7]).zero(2).sum(0.0)))
        .expect_plain();
    assert_eq!(
        native(&bridge),
        "count:14,sum:0,schema:0,zt:1e-128,zc:2,negative_spans:[0:2],negative_buckets:[1,1],\
         spans:[-1:2,5:1],buckets:[1,2,7]} st@10"
    );
}

#[test]
fn d_07_the_larger_threshold_takes_the_buckets_wholly_below_it() {
    // (1/4, 1/2], (1/2, 1], (1, 2]
    let buckets = |s, t| {
        e(s, t, |p| {
            p.scale(0).positive(-2, &[1, 2, 4]).negative(-2, &[8, 16]).sum(0.0)
        })
    };
    for (threshold, expected) in [
        (
            0.5,
            "zt:0.5,zc:10,negative_spans:[0:1],negative_buckets:[16],spans:[0:2],buckets:[2,4]} st@10",
        ),
        // One that it falls into stays.
        (
            0.75,
            "zt:0.75,zc:10,negative_spans:[0:1],negative_buckets:[16],spans:[0:2],buckets:[2,4]} st@10",
        ),
        (1.0, "zt:1,zc:28,spans:[1:1],buckets:[4]} st@10"),
        (2.0, "zt:2,zc:32} st@10"),
        (
            0.1,
            "zt:0.1,zc:1,negative_spans:[-1:2],negative_buckets:[8,16],spans:[-1:3],buckets:[1,2,4]} st@10",
        ),
    ] {
        let zero = |s, t| e(s, t, |p| p.scale(0).threshold(threshold).zero(1).sum(0.0));
        for deltas in [[buckets(10, 20), zero(20, 30)], [zero(10, 20), buckets(20, 30)]] {
            let bridge = Bridge::new();
            for delta in deltas {
                bridge.send(delta).expect_plain();
            }
            assert_eq!(native(&bridge), format!("count:32,sum:0,schema:0,{expected}"));
        }
    }
}

#[test]
fn d_07_the_total_is_at_most_160_wide() {
    let bridge = Bridge::new();
    bridge
        .send(e(10, 20, |p| p.scale(0).positive(0, &[1]).sum(0.0)))
        .expect_plain();
    bridge
        .send(e(20, 30, |p| p.scale(0).positive(159, &[1]).sum(0.0)))
        .expect_plain();
    assert_eq!(
        native(&bridge),
        "count:2,sum:0,schema:0,zt:1e-128,zc:0,spans:[1:1,158:1],buckets:[1,1]} st@10"
    );
    bridge
        .send(e(30, 40, |p| {
            p.scale(0).positive(160, &[1]).negative(-1, &[1]).sum(0.0)
        }))
        .expect_plain();
    assert_eq!(
        native(&bridge),
        "count:4,sum:0,schema:-1,zt:1e-128,zc:0,negative_spans:[0:1],negative_buckets:[1],\
         spans:[1:1,78:2],buckets:[1,1,1]} st@10"
    );
    // Of two sides the one that needs the lower scale decides.
    let bridge = Bridge::new();
    bridge
        .send(e(10, 20, |p| p.scale(0).positive(0, &[1]).negative(0, &[1]).sum(0.0)))
        .expect_plain();
    bridge
        .send(e(20, 30, |p| {
            p.scale(0).positive(320, &[1]).negative(160, &[1]).sum(0.0)
        }))
        .expect_plain();
    assert_eq!(
        native(&bridge),
        "count:4,sum:0,schema:-2,zt:1e-128,zc:0,negative_spans:[1:1,39:1],negative_buckets:[1,1],\
         spans:[1:1,79:1],buckets:[1,1]} st@10"
    );
}

#[test]
fn d_06_d_07_the_other_kind_of_histogram_starts_anew() {
    let bridge = Bridge::new();
    let classic = |s, t| hist("e").delta().buckets(&[1.0], &[1, 0], 1.0).s(s).t(t);
    let exponential = |s, t| e(s, t, |p| p.positive(0, &[2]).sum(2.0));
    bridge.send(classic(10, 20)).expect_plain();
    bridge.send(exponential(20, 30)).expect_plain();
    assert_eq!(total(&bridge), ("2".into(), "20".into()));
    bridge.send(classic(1, 10)).refuses(0, &[("out_of_order", 1)]);
    bridge.send(exponential(25, 27)).refuses(0, &[("out_of_order", 1)]);
    bridge.send(classic(30, 40)).expect_plain();
    assert_eq!(total(&bridge), ("1".into(), "30".into()));
    bridge.send(classic(40, 50)).expect_plain();
    assert_eq!(total(&bridge), ("2".into(), "30".into()));
}

#[test]
fn d_06_d_07_h_05_e_06_what_is_refused_counts_nothing() {
    let bridge = Bridge::new();
    bridge
        .send([
            h(&[1.0], &[1, 0], 1.0, 10, 20),
            e(10, 20, |p| p.positive(0, &[1]).sum(1.0)),
        ])
        .expect_plain();
    let before = bridge.scrape_as(OM2, 1 << 16);
    bridge
        .send([
            h(&[1.0], &[1, 0, 0], 1.0, 20, 30),
            e(20, 30, |p| p.positive(0, &[1])),
            e(20, 30, |p| p.positive(0, &[1]).count(7).sum(1.0)),
        ])
        .refuses(0, &[("invalid_buckets", 1), ("no_sum", 1), ("inconsistent_count", 1)]);
    assert_eq!(bridge.scrape_as(OM2, 1 << 16), before);
    // Nor is its window taken.
    bridge
        .send([
            h(&[1.0], &[1, 0], 1.0, 20, 30),
            e(20, 30, |p| p.positive(0, &[1]).sum(1.0)),
        ])
        .expect_plain()
        .ignores(0);
}

#[test]
fn d_08_deltas_that_go_up_and_down_add_up_to_a_gauge() {
    let bridge = Bridge::new();
    let g = |value: i64, s, t| updown("g").delta().is(value).s(s).t(t);
    bridge.send(g(5, 10, 20)).expect_plain();
    bridge.send(g(-2, 20, 30)).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3");
    bridge.shows_in(OM2, "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3\n# EOF");
    bridge.shows_in(
        P,
        r#"name: "g" type: GAUGE metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
        gauge { value: 3 } }"#,
    );
    bridge.send(g(-2, 20, 30)).expect_plain().ignores(1);
    bridge.send(g(9, 25, 28)).refuses(0, &[("out_of_order", 1)]);
    bridge.send(g(-10, 40, 50)).expect_plain();
    bridge.send(g(1, 30, 40)).expect_plain();
    bridge.send(g(100, 1, 10)).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 94");
    bridge.send(updown("g").delta().is(-0.5).s(50).t(60)).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 93.5");
}

#[test]
fn d_08_m_04_a_negative_delta_of_a_counter_is_refused() {
    let bridge = Bridge::new();
    bridge.send(c(5, 10, 20)).expect_plain();
    for value in [
        Value::Int(-1),
        Value::Double(-0.5),
        Value::Double(f64::NAN),
        Value::Double(f64::NEG_INFINITY),
    ] {
        bridge
            .send(c(value, 20, 30))
            .refuses(0, &[("invalid_counter_value", 1)]);
    }
    bridge.send(c(1, 20, 30)).expect_plain().ignores(0);
    assert_eq!(total(&bridge), ("6".into(), "10".into()));
}

#[test]
fn t_04_d_09_who_begins_anew_has_a_new_start() {
    // Another process that knows nothing of the first one.
    for kind in KINDS {
        let bridge = Bridge::new();
        put(&bridge, kind, (3, 30, 40, Added));
        let (value, start) = total(&bridge);
        assert_eq!(value, "3");
        assert!(matches!(&*start, "30" | ""), "{start}");
    }
}

#[test]
fn t_04_a_change_of_temporality_starts_anew() {
    let cumulative = |kind: fn(i64) -> Build, value, s, t| kind(value).s(s).t(t);
    for kind in KINDS {
        let bridge = Bridge::new();
        let is_gauge = kind(1)
            .0
            .data
            .is_some_and(|data| format!("{data:?}").contains("is_monotonic: false"));
        let shows = |value: &str, start: &str| {
            let start = if is_gauge { "" } else { start };
            assert_eq!(total(&bridge), (value.to_owned(), start.to_owned()));
        };
        bridge.send(cumulative(kind, 50, 10, 20)).expect_plain();
        shows("50", "10");
        // Not before what was shown last.
        put(&bridge, kind, (3, 15, 30, Added));
        shows("3", "20");
        put(&bridge, kind, (3, 15, 30, Ignored));
        put(&bridge, kind, (2, 30, 40, Added));
        shows("5", "20");
        // What is older than the change cannot be told apart from what the other counted.
        put(&bridge, kind, (2, 5, 10, Refused));
        bridge.send(cumulative(kind, 99, 10, 35)).expect_plain().ignores(1);
        shows("5", "20");
        bridge.send(cumulative(kind, 70, 41, 50)).expect_plain().ignores(0);
        shows("70", "41");
        bridge.send(delta(kind, (1, 30, 45, Added))).expect_plain().ignores(1);
        shows("70", "41");
        put(&bridge, kind, (1, 60, 70, Added));
        shows("1", "60");
    }
}

#[test]
fn t_04_start_times_of_all_that_counts_in_every_format() {
    let bridge = Bridge::new();
    bridge
        .send([
            counter("c").delta().is(5).nanos(10 * SECOND + SECOND / 4, 20 * SECOND),
            h(&[], &[1], 1.0, 10, 20),
            e(10, 20, |p| p.zero(1).sum(0.0)),
        ])
        .expect_plain();
    bridge
        .send([
            c(7, 20, 30),
            h(&[], &[1], 1.0, 20, 30),
            e(20, 30, |p| p.zero(1).sum(0.0)),
        ])
        .expect_plain();
    bridge.shows_in(
        OM2,
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 12 st@10.25
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:2,sum:0,schema:0,zero_threshold:1e-128,zero_count:2,bucket:[0.0:2,+Inf:2]} st@10
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:2,sum:2,bucket:[+Inf:2]} st@10
        # EOF"#,
    );
    bridge.shows_in(
        styled(OM, |style| style.created_lines = true),
        r#"# TYPE c counter
        c_total{instance="i1",job="svc"} 12
        c_created{instance="i1",job="svc"} 10.25
        # TYPE e histogram
        e_bucket{instance="i1",job="svc",le="0.0"} 2
        e_bucket{instance="i1",job="svc",le="+Inf"} 2
        e_count{instance="i1",job="svc"} 2
        e_sum{instance="i1",job="svc"} 0
        e_created{instance="i1",job="svc"} 10
        # TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 2
        h_count{instance="i1",job="svc"} 2
        h_sum{instance="i1",job="svc"} 2
        h_created{instance="i1",job="svc"} 10
        # EOF"#,
    );
    let r0 = r#"label { name: "instance" value: "i1" } label { name: "job" value: "svc" }"#;
    bridge.shows_in(
        P,
        &r#"name: "c_total" type: COUNTER metric { R0
            counter { value: 12 start_timestamp { seconds: 10 nanos: 250000000 } } }
        name: "e" type: HISTOGRAM metric { R0 histogram { sample_count: 2 sample_sum: 0
            bucket { cumulative_count: 2 upper_bound: 0 } bucket { cumulative_count: 2 upper_bound: inf }
            schema: 0 zero_threshold: 1e-128 zero_count: 2 positive_span { offset: 0 length: 0 }
            start_timestamp { seconds: 10 } } }
        name: "h" type: HISTOGRAM metric { R0 histogram { sample_count: 2 sample_sum: 2
            bucket { cumulative_count: 2 upper_bound: inf } start_timestamp { seconds: 10 } } }"#
            .replace("R0", r0),
    );
}
