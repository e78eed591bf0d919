//! X: what a point with exemplars does to the rest, and how long its exemplars are shown.

use std::time::Duration;

use meterbridge::store::Limits;
use meterbridge::translate::Rules;

use crate::harness::*;

const C: &str = "# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 3";

#[test]
fn x_05_text_shows_none() {
    row(
        counter("c").is(3).exemplar(|e| {
            e.is(1)
                .t(1.5)
                .trace("5B8EFFF798038103D269B633813FC60C")
                .span("EEE19B7EC3C1B174")
                .attr("user.id", "u")
        }),
        C,
    );
    row(
        gauge("g").is(3).exemplar(|e| e.is(1.0)),
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3",
    );
}

#[test]
fn x_06_an_exemplar_that_is_nothing_costs_itself_alone() {
    for says in [
        (|e| e.is(Value::Unset)) as fn(ExemplarOf) -> ExemplarOf,
        |e| e.is(1).trace("00"),
        |e| e.is(1).trace("").span(""),
        |e| e.is(1).attr("", "v").attr("__name__", "v").attr("é", 1),
        |e| e.is(1).attr("k.k", "1").attr("k_k", "2"),
        |e| e.is(f64::NAN).t(1e9),
    ] {
        row(counter("c").is(3).exemplar(says), C);
    }
    let long = "x".repeat(1 << 20);
    row(counter("c").is(3).exemplar(|e| e.is(1).attr(&long, long.clone())), C);
    let many = (0..5000).fold(counter("c").is(3), |metric, at| {
        metric.exemplar(|e| e.is(at).t(at as f64).attr("k", 1))
    });
    row(many, C);
    let attributes = |e: ExemplarOf| (0..5000).fold(e.is(1), |e, at| e.attr(&format!("k{at}"), "v"));
    row(counter("c").is(3).exemplar(attributes), C);
}

/// All exemplars that a text format shows, each behind what its line begins with.
fn shown(bridge: &Bridge, format: meterbridge::exposition::Format) -> Vec<String> {
    let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
    text.lines()
        .filter_map(|line| {
            let (sample, exemplars) = line.split_once(" # ")?;
            let name = sample.split('{').next().unwrap();
            let bound = sample
                .split_once("le=\"")
                .map(|(_, rest)| rest.split('"').next().unwrap());
            Some(format!(
                "{name}{} {exemplars}",
                bound.map_or(String::new(), |bound| format!(" {bound}"))
            ))
        })
        .collect()
}

#[test]
fn x_07_a_counter_keeps_its_exemplars_through_pushes_without_any() {
    for is_delta in [false, true] {
        let point = |value: i64, t: u64| match is_delta {
            true => counter("c").delta().is(value).s(t - 1).t(t),
            false => counter("c").is(value).s(1).t(t),
        };
        let bridge = Bridge::new();
        bridge
            .send(point(1, 10).exemplar(|e| e.is(5).t(9.5).attr("k", "v")))
            .expect_plain();
        for t in 11..16 {
            bridge.send(point(2, t)).expect_plain();
        }
        assert_eq!(shown(&bridge, OM), ["c_total {k=\"v\"} 5 9.5"]);
        assert_eq!(shown(&bridge, OM2), ["c_total {k=\"v\"} 5 9.5"]);
        // One that is older does not take its place, though 2.0 shows both.
        bridge.send(point(3, 16).exemplar(|e| e.is(6).t(8.0))).expect_plain();
        assert_eq!(shown(&bridge, OM), ["c_total {k=\"v\"} 5 9.5"]);
        assert_eq!(shown(&bridge, OM2), ["c_total {} 6 8 # {k=\"v\"} 5 9.5"]);
        bridge.send(point(3, 17).exemplar(|e| e.is(7).t(10.0))).expect_plain();
        assert_eq!(shown(&bridge, OM), ["c_total {} 7 10"]);
        // A cumulative sender repeats what it has; that pushes nothing out.
        for t in 18..40 {
            bridge.send(point(3, t).exemplar(|e| e.is(7).t(10.0))).expect_plain();
        }
        assert_eq!(shown(&bridge, OM2), ["c_total {} 6 8 # {k=\"v\"} 5 9.5 # {} 7 10"]);
        let value = if is_delta { 1 + 10 + 6 + 66 } else { 3 };
        let (start, nanos) = if is_delta { (9, "") } else { (1, "") };
        bridge.shows_in(
            P,
            &format!(
                r#"name: "c_total" type: COUNTER metric {{ label {{ name: "instance" value: "i1" }}
                label {{ name: "job" value: "svc" }} counter {{ value: {value}
                exemplar {{ value: 7 timestamp {{ seconds: 10 {nanos} }} }} start_timestamp {{ seconds: {start} }} }} }}"#
            ),
        );
    }
}

#[test]
fn x_07_a_counter_keeps_the_ten_newest_by_time() {
    let bridge = Bridge::new();
    // In an order that is not that of time, one a push.
    for (t, time) in (100..).zip([7, 3, 12, 1, 9, 5, 11, 2, 8, 4, 10, 6]) {
        bridge
            .send(counter("c").is(1).t(t).exemplar(|e| e.is(time).t(time as f64)))
            .expect_plain();
    }
    let expected: Vec<String> = (3..=12).map(|time| format!("{{}} {time} {time}")).collect();
    assert_eq!(shown(&bridge, OM2), [format!("c_total {}", expected.join(" # "))]);
    assert_eq!(shown(&bridge, OM), ["c_total {} 12 12"]);
}

#[test]
fn x_07_a_histogram_keeps_the_last_of_each_bucket() {
    for is_delta in [false, true] {
        let point = |t: u64| {
            let metric = hist("h");
            let metric = if is_delta { metric.delta() } else { metric };
            metric.buckets(&[1.0, 10.0], &[1, 1, 1], 3.0).s(t - 1).t(t)
        };
        let bridge = Bridge::new();
        bridge
            .send(point(10).exemplar(|e| e.is(0.5).t(5.0)).exemplar(|e| e.is(10).t(7.0)))
            .expect_plain();
        bridge.send(point(11).exemplar(|e| e.is(99).t(8.0))).expect_plain();
        bridge.send(point(12)).expect_plain();
        bridge
            .send(point(13).exemplar(|e| e.is(1).t(9.0)).exemplar(|e| e.is(2).t(6.0)))
            .expect_plain();
        assert_eq!(
            shown(&bridge, OM),
            ["h_bucket 1.0 {} 1 9", "h_bucket 10.0 {} 10 7", "h_bucket +Inf {} 99 8"]
        );
        assert_eq!(shown(&bridge, OM2), ["h {} 1 9 # {} 10 7 # {} 99 8"]);
        let (first, second, third, start) = if is_delta { (4, 8, 12, 9) } else { (1, 2, 3, 12) };
        let sum = if is_delta { 12 } else { 3 };
        bridge.shows_in(
            P,
            &format!(
                r#"name: "h" type: HISTOGRAM metric {{ label {{ name: "instance" value: "i1" }}
                label {{ name: "job" value: "svc" }} histogram {{ sample_count: {third} sample_sum: {sum}
                bucket {{ cumulative_count: {first} upper_bound: 1 exemplar {{ value: 1 timestamp {{ seconds: 9 }} }} }}
                bucket {{ cumulative_count: {second} upper_bound: 10 exemplar {{ value: 10 timestamp {{ seconds: 7 }} }} }}
                bucket {{ cumulative_count: {third} upper_bound: inf exemplar {{ value: 99 timestamp {{ seconds: 8 }} }} }}
                start_timestamp {{ seconds: {start} }} }} }}"#
            ),
        );
    }
}

#[test]
fn x_07_a_histogram_of_other_bounds_gives_each_its_new_place() {
    let bridge = Bridge::new();
    let point = |bounds: &[f64], t| hist("h").buckets(bounds, &vec![1; bounds.len() + 1], 3.0).t(t);
    let first = [(0.5, 5.0), (2.0, 7.0), (7.0, 6.0), (99.0, 8.0)];
    let with = |metric: Build| {
        first
            .iter()
            .fold(metric, |metric, (value, t)| metric.exemplar(|e| e.is(*value).t(*t)))
    };
    bridge.send(with(point(&[1.0, 5.0, 10.0], 10))).expect_plain();
    bridge.send(point(&[10.0], 11)).expect_plain();
    assert_eq!(shown(&bridge, OM), ["h_bucket 10.0 {} 2 7", "h_bucket +Inf {} 99 8"]);
    assert_eq!(shown(&bridge, OM2), ["h {} 2 7 # {} 99 8"]);
    // None is shown in a bucket that it does not lie in.
    bridge.send(point(&[1.0, 2.0, 1000.0], 12)).expect_plain();
    assert_eq!(shown(&bridge, OM), ["h_bucket 2.0 {} 2 7", "h_bucket 1000.0 {} 99 8"]);
}

#[test]
fn x_07_an_exponential_histogram_keeps_one_for_each_classic_bucket_and_the_ten_newest() {
    let bridge = Bridge::new();
    let point = |t: u64| {
        exphist("e")
            .exponential(|p| {
                p.scale(1)
                    .zero(1)
                    .threshold(0.5)
                    .positive(0, &[1, 1, 1])
                    .negative(0, &[1])
                    .sum(10.0)
            })
            .t(t)
    };
    // (1, 2] twice, (2, 4], zero, below zero, and where nothing was counted.
    let pushes = [
        (1.5, 11.0),
        (1.2, 12.0),
        (3.0, 13.0),
        (0.0, 14.0),
        (-1.5, 15.0),
        (0.5, 16.0),
        (100.0, 17.0),
    ];
    for (t, (value, time)) in (20..).zip(pushes) {
        bridge.send(point(t).exemplar(|e| e.is(value).t(time))).expect_plain();
    }
    bridge.send(point(40)).expect_plain();
    assert_eq!(
        shown(&bridge, OM),
        [
            "e_bucket -1.0 {} -1.5 15",
            "e_bucket 0.5 {} 0.5 16",
            "e_bucket 2.0 {} 1.2 12",
            "e_bucket 4.0 {} 3 13",
            "e_bucket +Inf {} 100 17",
        ]
    );
    assert_eq!(
        shown(&bridge, OM2),
        ["e {} -1.5 15 # {} 0 14 # {} 0.5 16 # {} 1.2 12 # {} 1.5 11 # {} 3 13 # {} 100 17"]
    );
    let ex =
        |name: &str, value: &str, time: u64| format!("{name} {{ value: {value} timestamp {{ seconds: {time} }} }}");
    let bucket = |count: u64, bound: &str, exemplar: String| {
        format!("bucket {{ cumulative_count: {count} upper_bound: {bound} {exemplar} }}")
    };
    let expected = [
        r#"name: "e" type: HISTOGRAM metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
        histogram { sample_count: 5 sample_sum: 10"#
            .to_owned(),
        bucket(0, "-2", String::new()),
        bucket(1, "-1", ex("exemplar", "-1.5", 15)),
        bucket(2, "0.5", ex("exemplar", "0.5", 16)),
        bucket(2, "1", String::new()),
        bucket(4, "2", ex("exemplar", "1.2", 12)),
        bucket(5, "4", ex("exemplar", "3", 13)),
        bucket(5, "inf", ex("exemplar", "100", 17)),
        "schema: 1 zero_threshold: 0.5 zero_count: 1 negative_span { offset: 1 length: 1 } negative_delta: 1
        positive_span { offset: 1 length: 3 } positive_delta: 1 positive_delta: 0 positive_delta: 0"
            .to_owned(),
        ex("exemplars", "1.5", 11),
        ex("exemplars", "1.2", 12),
        ex("exemplars", "3", 13),
        ex("exemplars", "0", 14),
        ex("exemplars", "-1.5", 15),
        ex("exemplars", "0.5", 16),
        ex("exemplars", "100", 17),
        "} }".to_owned(),
    ];
    bridge.shows_in(P, &expected.join(" "));
}

#[test]
fn x_07_x_06_the_native_list_has_ten_each_with_a_time_and_of_equal_time_and_value_one() {
    let bridge = Bridge::new();
    let point = |t: u64| exphist("e").exponential(|p| p.positive(0, &[20]).sum(10.0)).t(t);
    for (t, time) in (20..).zip([3, 14, 1, 12, 5, 10, 7, 8, 2, 13, 4, 11, 6, 9]) {
        let metric = point(t)
            .exemplar(|e| e.is(1.5).t(f64::from(time)))
            .exemplar(|e| e.is(1.5));
        bridge.send(metric).expect_plain();
    }
    // Of those one each, the last; another value at the same time stays beside it.
    bridge
        .send(
            point(50)
                .exemplar(|e| e.is(1.5).t(14.0).attr("k", "v"))
                .exemplar(|e| e.is(1.25).t(14.0)),
        )
        .expect_plain();
    let found = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
    let mut expected = vec!["{} 1.25 14".to_owned()];
    expected.extend((6..14).map(|time| format!("{{}} 1.5 {time}")));
    expected.push("{k=\"v\"} 1.5 14".to_owned());
    assert_eq!(
        found.lines().nth(1).unwrap().split(" # ").skip(1).collect::<Vec<_>>(),
        expected
    );

    let families = crate::families::decode(&bridge.scrape_as(P, 1 << 16));
    let histogram = families[0].metric[0].histogram.as_ref().unwrap();
    let times: Vec<i64> = histogram
        .exemplars
        .iter()
        .map(|e| e.timestamp.as_ref().unwrap().seconds)
        .collect();
    assert_eq!(times, [6, 7, 8, 9, 10, 11, 12, 13, 14, 14]);
}

#[test]
fn x_07_exemplars_live_as_long_as_their_series() {
    let limits = Limits {
        expiry: Some(Duration::from_secs(60)),
        ..Limits::default()
    };
    let with = |metric: Build| metric.exemplar(|e| e.is(0.5).t(5.0));
    let kinds: [fn() -> Build; 3] = [
        || counter("x").is(1),
        || hist("x").buckets(&[1.0], &[1, 0], 1.0),
        || exphist("x").exponential(|p| p.positive(0, &[1]).sum(1.0)),
    ];
    for kind in kinds {
        for format in [OM, OM2] {
            let mut bridge = Bridge::with(limits.clone(), Rules::default());
            let sees = |bridge: &Bridge| shown(bridge, format).len();
            bridge.send(with(kind().t(10))).expect_plain();
            bridge.at(50).send(kind().t(11)).expect_plain();
            assert_eq!(sees(bridge.at(110)), 1);
            assert_eq!(sees(bridge.at(111)), 0);
            // Another series of the same name begins without any.
            bridge.send(kind().t(12)).expect_plain();
            assert_eq!(sees(&bridge), 0);
            bridge.send(with(kind().t(13))).expect_plain();
            assert_eq!(sees(&bridge), 1);
            bridge.send(kind().t(14).stale()).expect_plain();
            bridge.send(kind().t(15)).expect_plain();
            assert_eq!(sees(&bridge), 0);
            // A delta series is only hidden meanwhile (Z-01).
            bridge.send(with(kind().delta().s(20).t(30))).expect_plain();
            bridge.send(kind().delta().s(30).t(40).stale()).expect_plain();
            assert_eq!(sees(&bridge), 0);
            bridge.send(kind().delta().s(40).t(50)).expect_plain();
            assert_eq!(sees(&bridge), 1);
        }
    }
}

#[test]
fn x_07_z_05_d_02_what_is_ignored_or_refused_brings_none() {
    let bridge = Bridge::new();
    let with = |metric: Build| metric.exemplar(|e| e.is(0.5).t(5.0));
    bridge
        .send([counter("c").is(1).t(20), counter("d").delta().is(1).s(10).t(20)])
        .expect_plain();
    bridge.send(with(counter("c").is(1).t(19))).expect_plain().ignores(1);
    bridge
        .send(with(counter("d").delta().is(1).s(10).t(20)))
        .expect_plain()
        .ignores(1);
    bridge
        .send(with(counter("d").delta().is(1).s(15).t(25)))
        .refuses(0, &[("out_of_order", 1)]);
    bridge
        .send(with(counter("c").is(-1).t(30)))
        .refuses(0, &[("invalid_counter_value", 1)]);
    assert_eq!(shown(&bridge, OM2), [""; 0]);
    // Each series has its own.
    bridge
        .send(with(counter("c").is(1).t(30).attr("k", "v")))
        .expect_plain();
    bridge.shows_in(
        OM,
        r#"# TYPE c counter
        c_total{instance="i1",job="svc"} 1
        c_total{instance="i1",job="svc",k="v"} 1 # {} 0.5 5
        # TYPE d counter
        d_total{instance="i1",job="svc"} 1
        # EOF"#,
    );
}
