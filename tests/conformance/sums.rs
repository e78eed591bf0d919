//! C-05 where streams are summed, and X-07: what is kept until it is replaced.

use crate::families::decode;
use crate::harness::*;
use meterbridge::store::{Collisions, Limits};
use meterbridge::translate::Rules;
use std::time::Duration;

fn summing() -> Bridge {
    let limits = Limits {
        collisions: Collisions::Sum,
        expiry: Some(Duration::from_secs(60)),
        ..Limits::default()
    };
    Bridge::with(limits, Rules::default())
}

/// A process of the service `svc`, which differs from others in its host only.
fn host(name: &str) -> Request {
    from(&[("service.name", "svc"), ("host.name", name)])
}

#[track_caller]
fn samples(bridge: &Bridge, format: meterbridge::exposition::Format, expected: &[&str]) {
    let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("target_info"));
    let found: Vec<String> = lines
        .map(|line| line.replace("instance=\"\",job=\"svc\"", "S"))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn c_05_sum_adds_counters_of_streams_up_and_shows_the_newest_gauge() {
    let mut bridge = summing();
    bridge
        .send(host("a").metrics([counter("c").is(5).s(3).t(10), gauge("g").is(1).t(10)]))
        .expect_plain()
        .collides(0);
    bridge
        .send(host("b").metrics([counter("c").is(9).s(2).t(20), gauge("g").is(2).t(9)]))
        .expect_plain()
        .collides(2);
    samples(&bridge, T4, &["c_total{S} 14", "g{S} 1"]);
    samples(&bridge, OM2, &["c_total{S} 14 st@2", "g{S} 1"]);
    // A stream goes on by itself, and expires by itself.
    bridge
        .at(50)
        .send(host("b").metrics([counter("c").is(10).s(2).t(30)]))
        .expect_plain()
        .collides(0);
    samples(&bridge, T4, &["c_total{S} 15", "g{S} 1"]);
    bridge.at(61);
    samples(&bridge, T4, &["c_total{S} 10"]);
}

#[test]
fn c_05_sum_adds_histograms_of_both_kinds() {
    let bridge = summing();
    let explicit = |counts: &[u64], sum: f64| hist("h").buckets(&[1.0], counts, sum);
    let exponential =
        |scale, counts: &'static [u64]| exphist("e").exponential(move |p| p.scale(scale).positive(0, counts).sum(1.0));
    bridge
        .send(host("a").metrics([explicit(&[1, 2], 5.0), exponential(1, &[1, 1])]))
        .expect_plain();
    bridge
        .send(host("b").metrics([explicit(&[3, 4], 6.5), exponential(0, &[2])]))
        .expect_plain();
    samples(
        &bridge,
        T4,
        &[
            "e_bucket{S,le=\"1\"} 0",
            "e_bucket{S,le=\"2\"} 4",
            "e_bucket{S,le=\"+Inf\"} 4",
            "e_sum{S} 2",
            "e_count{S} 4",
            "h_bucket{S,le=\"1\"} 4",
            "h_bucket{S,le=\"+Inf\"} 10",
            "h_sum{S} 11.5",
            "h_count{S} 10",
        ],
    );
    // What cannot be added leaves the newer one.
    bridge
        .send(host("c").metrics([hist("h").buckets(&[2.0], &[7, 0], 1.0).t(99)]))
        .expect_plain();
    let text = bridge.scrape();
    assert!(text.contains("h_count{instance=\"\",job=\"svc\"} 7\n"), "{text}");
}

#[test]
fn c_05_sum_holds_the_exemplars_of_all_streams() {
    let bridge = summing();
    let observed = |value: f64, t: f64| hist("h").buckets(&[1.0], &[1, 1], 1.0).exemplar(|e| e.is(value).t(t));
    bridge
        .send(host("a").metrics([observed(0.5, 1.0), counter("c").is(1).exemplar(|e| e.is(1).t(5.0))]))
        .expect_plain();
    bridge
        .send(host("b").metrics([observed(9.0, 2.0), counter("c").is(1).exemplar(|e| e.is(2).t(4.0))]))
        .expect_plain();
    bridge.send(host("c").metrics([observed(0.7, 3.0)])).expect_plain();
    samples(
        &bridge,
        OM,
        &[
            "c_total{S} 2 # {} 1 5",
            "h_bucket{S,le=\"1.0\"} 3 # {} 0.7 3",
            "h_bucket{S,le=\"+Inf\"} 6 # {} 9 2",
            "h_count{S} 6",
            "h_sum{S} 3",
        ],
    );
}

#[test]
fn c_05_b_01_each_stream_has_a_place_under_the_caps() {
    let limits = Limits {
        collisions: Collisions::Sum,
        series: 2,
        ..Limits::default()
    };
    let bridge = Bridge::with(limits, Rules::default());
    for name in ["a", "b"] {
        bridge.send(host(name).metrics([counter("c").is(1)])).expect_plain();
    }
    bridge
        .send(host("c").metrics([counter("c").is(1)]))
        .refuses(0, &[("too_many_series", 1)]);
    samples(&bridge, T4, &["c_total{S} 2"]);
}

#[test]
fn x_07_exemplars_stay_until_others_come() {
    let bridge = Bridge::new();
    let shown = |format| {
        let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
        let lines = text.lines().filter(|line| line.contains(" # {"));
        lines
            .map(|line| line.split_once(" # {} ").unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    let observed = |t: u64| hist("h").buckets(&[1.0], &[1, 1], 1.0).t(t);
    bridge
        .send(observed(1).exemplar(|e| e.is(0.5).t(1.0)).exemplar(|e| e.is(5).t(1.0)))
        .expect_plain();
    // A push without any keeps both, one replaces its bucket's, and none before the one that is there does.
    bridge.send(observed(2)).expect_plain();
    assert_eq!(shown(OM), ["0.5 1", "5 1"]);
    bridge.send(observed(3).exemplar(|e| e.is(7).t(3.0))).expect_plain();
    bridge.send(observed(4).exemplar(|e| e.is(6).t(2.0))).expect_plain();
    assert_eq!(shown(OM), ["0.5 1", "7 3"]);
}

#[test]
fn x_07_the_newest_ten_of_a_native_histogram_and_of_equal_ones_one() {
    let bridge = Bridge::new();
    let point = |t: u64| {
        exphist("e")
            .exponential(|p| p.scale(0).positive(0, &[20; 4]).sum(1.0))
            .t(t)
    };
    for push in 0..3u32 {
        let filled = (0..5u32).fold(point(u64::from(push) + 1), |metric, at| {
            metric.exemplar(|e| {
                e.is(f64::from(at) + 1.5)
                    .t(f64::from(push * 10 + at))
                    .attr("n", i64::from(push))
            })
        });
        // The same export again, as a cumulative sender repeats it.
        bridge.send(filled.clone()).expect_plain();
        bridge.send(filled).expect_plain();
    }
    let families = decode(&bridge.scrape_as(P, 1 << 16));
    let histogram = families[0].metric[0].histogram.as_ref().unwrap();
    let times: Vec<i64> = histogram
        .exemplars
        .iter()
        .map(|e| e.timestamp.as_ref().unwrap().seconds)
        .collect();
    assert_eq!(times, [10, 11, 12, 13, 14, 20, 21, 22, 23, 24]);
}
