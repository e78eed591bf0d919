//! E: exponential histograms, as the store holds them.

use meterbridge::model::{Buckets, Exponential, Side};
use meterbridge::store;
use meterbridge::translate::{MissingSum, Rules};

use crate::harness::*;
use crate::wire::Style;

fn side(offset: i32, counts: &[u64]) -> Side {
    Side {
        offset,
        counts: counts.to_vec(),
    }
}

/// What is held of a point that is accepted without a word, the same in every style of encoding.
#[track_caller]
fn held(says: impl Fn(ExponentialPoint) -> ExponentialPoint) -> Exponential {
    let held = Style::ALL.map(|style| {
        let bridge = Bridge::in_style(style);
        bridge.send(exphist("e").exponential(&says)).expect_plain();
        bridge.exponential()
    });
    let [first, rest @ ..] = &held;
    assert!(
        rest.iter().all(|other| format!("{other:?}") == format!("{first:?}")),
        "{held:?}"
    );
    first.clone()
}

#[track_caller]
fn refused_for(says: impl FnOnce(ExponentialPoint) -> ExponentialPoint, message: &str) {
    let reason = message.split_once(": ").unwrap();
    refused(
        exphist("e").exponential(says),
        &format!("{}: metric \"e\": {}", reason.0, reason.1),
    );
}

#[test]
fn e_01_the_whole_point_is_held() {
    let held = held(|p| {
        p.scale(0)
            .zero(1)
            .positive(1, &[0, 2])
            .negative(-3, &[300, 0, 5])
            .sum(10.0)
    });
    assert_eq!(
        held,
        Exponential {
            scale: 0,
            zero_threshold: 0.0,
            zero_count: 1,
            positive: side(2, &[2]),
            negative: side(-3, &[300, 0, 5]),
            sum: 10.0,
        }
    );
}

#[test]
fn e_03_scales_above_8_are_downscaled_by_floor() {
    for (scale, offset, counts, expected) in [
        (9, 0, &[0, 0, 3, 1][..], side(1, &[4])),
        (9, -4, &[0, 0, 3, 1], side(-1, &[4])),
        (8, -4, &[0, 0, 3, 1], side(-2, &[3, 1])),
        (10, -3, &[1, 1, 1, 1], side(-1, &[3, 1])),
        (20, -1, &[1, 1], side(-1, &[1, 1])),
        (22, i32::MAX, &[7], side(i32::MAX >> 14, &[7])),
        (22, i32::MIN, &[7], side(i32::MIN >> 14, &[7])),
        (i32::MAX, i32::MAX, &[1, 1], side(0, &[2])),
        (i32::MAX, -1, &[1, 2], side(-1, &[1, 2])),
    ] {
        let held = held(|p| {
            p.scale(scale)
                .positive(offset, counts)
                .negative(offset, counts)
                .sum(0.0)
        });
        assert_eq!(
            (held.scale, &held.positive, &held.negative),
            (8, &expected, &expected),
            "{scale}"
        );
    }
}

#[test]
fn e_04_scales_below_minus_4_are_refused() {
    for scale in [-5, i32::MIN] {
        refused_for(
            |p| p.scale(scale).positive(0, &[1]).sum(1.0),
            &format!("scale_too_low: scale {scale} is below -4, the lowest that Prometheus has"),
        );
    }
    assert_eq!(held(|p| p.scale(-4).positive(0, &[1]).sum(1.0)).scale, -4);
    let bridge = Bridge::new();
    bridge
        .send([exphist("e").exponential(|p| p.scale(-5).sum(0.0)), gauge("g").is(1)])
        .refuses(1, &[("scale_too_low", 1)]);
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1");
}

#[test]
fn e_05_a_zero_threshold_that_is_no_threshold_counts_as_none() {
    for (given, expected) in [
        (0.001, 0.001),
        (5e-324, 5e-324),
        (0.0, 0.0),
        (-0.0, 0.0),
        (-1.0, 0.0),
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
    ] {
        let held = held(|p| p.threshold(given).zero(1).sum(0.0));
        assert_eq!(held.zero_threshold.to_bits(), f64::to_bits(expected), "{given}");
    }
}

#[test]
fn e_06_without_a_sum_the_point_is_refused_or_the_sum_is_nan() {
    refused_for(
        |p| p.positive(0, &[1]),
        "no_sum: an exponential histogram without a sum (--missing-sum nan keeps it)",
    );
    let rules = Rules {
        missing_sum: MissingSum::Nan,
        ..Rules::default()
    };
    let bridge = Bridge::with(store::Limits::default(), rules);
    bridge
        .send(exphist("e").exponential(|p| p.positive(0, &[1])))
        .expect_plain();
    assert!(bridge.exponential().sum.is_nan());
    bridge
        .send(exphist("e").exponential(|p| p.positive(0, &[1]).sum(3.0)))
        .expect_plain();
    assert_eq!(bridge.exponential().sum, 3.0);
    bridge
        .send(exphist("e").exponential(|p| p.positive(0, &[1]).count(2)))
        .refuses(0, &[("inconsistent_count", 1)]);
}

#[test]
fn e_06_a_sum_may_be_any_number() {
    for sum in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0] {
        let held = held(|p| p.positive(0, &[1]).sum(sum)).sum;
        assert!(held == sum || (held.is_nan() && sum.is_nan()), "{sum}");
    }
}

#[test]
fn e_07_a_count_that_is_not_the_total_is_refused() {
    for sum in [1.0, f64::NAN] {
        for (count, total) in [(4, 3), (2, 3), (0, 3), (u64::MAX, 3)] {
            refused_for(
                |p| p.zero(1).positive(0, &[1]).negative(0, &[1]).sum(sum).count(count),
                &format!("inconsistent_count: the count is {count}, the total of the buckets {total}"),
            );
        }
        refused_for(
            |p| p.sum(sum).count(1),
            "inconsistent_count: the count is 1, the total of the buckets 0",
        );
        // Wraps around to the count that is sent.
        for says in [
            (|p| p.zero(u64::MAX).positive(0, &[2])) as fn(ExponentialPoint) -> ExponentialPoint,
            |p| p.positive(0, &[u64::MAX, 2]),
            |p| p.positive(0, &[u64::MAX]).negative(0, &[2]),
        ] {
            refused_for(
                |p| says(p).sum(sum),
                "inconsistent_count: the count is 1, the total of the buckets more than 63 bits hold",
            );
        }
    }
    // Prometheus has 63 bits for a bucket, and fails the whole scrape that needs more.
    let most = Exponential::MOST_COUNTED;
    let largest = held(|p| p.zero(1).positive(0, &[most - 1]).sum(1.0));
    assert_eq!(largest.total(), Some(most));
    refused_for(
        |p| p.zero(1).positive(0, &[i64::MAX as u64]).sum(1.0),
        "inconsistent_count: the count is 9223372036854775808, the total of the buckets more than 63 bits hold",
    );
}

#[test]
fn e_07_an_empty_histogram_is_one() {
    let empty = held(|p| p.sum(0.0));
    assert_eq!(empty, Exponential::default());
    assert_eq!(
        held(|p| p.positive(5, &[0, 0]).negative(i32::MIN, &[0]).sum(0.0)),
        Exponential::default()
    );
}

#[test]
fn e_10_the_last_bucket_that_passes_ends_at_2_to_the_1024() {
    let out = |scale: i32, index: i32| {
        let expected = format!("bucket_out_of_range: bucket {index} at scale {scale} is beyond what a double holds");
        refused_for(|p| p.scale(scale).positive(index, &[1]).sum(1.0), &expected);
        refused_for(|p| p.scale(scale).negative(index - 1, &[0, 1, 0]).sum(1.0), &expected);
    };
    for (scale, last) in [
        (-4, 63),
        (-3, 127),
        (-1, 511),
        (0, 1023),
        (1, 2047),
        (8, 262_143),
        (20, 1_073_741_823),
    ] {
        let held = held(|p| p.scale(scale).positive(last, &[1]).sum(1.0));
        assert_eq!(held.positive.counts, [1]);
        out(scale, last + 1);
    }
    out(-4, 100);
    out(0, i32::MAX);
}

#[test]
fn e_10_the_first_bucket_that_passes_holds_the_smallest_double() {
    for (scale, first) in [
        (-4, -68),
        (-3, -135),
        (-1, -538),
        (0, -1075),
        (1, -2149),
        (8, -274_945),
        (20, -1_126_170_625),
    ] {
        assert_eq!(
            held(|p| p.scale(scale).positive(first, &[1]).sum(1.0)).positive.counts,
            [1]
        );
        let below = first - 1;
        refused_for(
            |p| p.scale(scale).positive(below, &[1]).sum(1.0),
            &format!("bucket_out_of_range: bucket {below} at scale {scale} is beyond what a double holds"),
        );
    }
}

#[test]
fn e_10_empty_buckets_may_lie_anywhere() {
    let wide = held(|p| {
        p.scale(-4)
            .positive(60, &[1, 0, 0, 0, 0, 0])
            .negative(-100, &[0; 101])
            .sum(1.0)
    });
    assert_eq!((wide.positive, wide.negative), (side(60, &[1]), side(0, &[])));
}

#[test]
fn e_04_e_10_e_07_e_06_what_is_wrong_with_the_buckets_is_said_first() {
    let bridge = Bridge::new();
    for (says, reason) in [
        (
            (|p| p.scale(-5).positive(i32::MAX, &[1]).count(2)) as fn(ExponentialPoint) -> ExponentialPoint,
            "scale_too_low",
        ),
        (|p| p.scale(-4).positive(100, &[1]).count(0), "bucket_out_of_range"),
        (|p| p.positive(0, &[1]).count(2), "inconsistent_count"),
        (|p| p.positive(0, &[1]), "no_sum"),
    ] {
        bridge.send(exphist("e").exponential(says)).refuses(0, &[(reason, 1)]);
    }
}

#[test]
fn b_03_d_07_what_is_wider_than_160_is_downscaled_both_sides_together() {
    let mut counts = vec![1; 160];
    let narrow = held(|p| p.scale(3).positive(7, &counts).sum(1.0));
    assert_eq!(
        (narrow.scale, narrow.positive.offset, narrow.positive.counts.len()),
        (3, 7, 160)
    );
    counts.push(1);
    let wide = held(|p| p.scale(3).positive(7, &counts).negative(5, &[1]).sum(1.0));
    assert_eq!((wide.scale, wide.positive.offset, wide.negative), (2, 3, side(2, &[1])));
    assert_eq!((wide.positive.counts[0], wide.positive.counts[1]), (1, 2));
    assert_eq!(wide.positive.counts.iter().sum::<u64>(), 161);

    // From the smallest to the largest double.
    let edges = held(|p| {
        p.scale(0)
            .positive(-1075, &[&[1][..], &[0; 2097], &[2]].concat())
            .sum(1.0)
    });
    assert_eq!(edges.scale, -4);
    assert_eq!((edges.positive.offset, edges.positive.counts.len()), (-68, 132));
    assert!(edges.positive.counts.len() <= Buckets::MOST);
    assert_eq!(edges.total(), Some(3));
}

#[test]
fn b_04_millions_of_empty_buckets_cost_no_more_than_their_bytes() {
    let mut counts = vec![0; 4_000_000];
    (counts[0], counts[3_999_999]) = (1, 1);
    let bridge = Bridge::new();
    bridge
        .send(exphist("e").exponential(|p| p.scale(20).positive(-2_000_000, &counts).sum(1.0)))
        .expect_plain();
    let held = bridge.exponential();
    assert_eq!((held.scale, held.total()), (5, Some(2)));
    assert_eq!(held.positive, side(-62, &[&[1][..], &[0; 122], &[1]].concat()));
}

#[test]
fn z_01_a_flagged_point_takes_it_out_whatever_is_in_it() {
    let bridge = Bridge::new();
    bridge
        .send(exphist("e").exponential(|p| p.positive(0, &[1]).sum(1.0)))
        .expect_plain();
    bridge
        .send(exphist("e").exponential(|p| p.scale(-9).count(7)).t(2).stale())
        .expect_plain();
    assert_eq!(bridge.store.series(), 0);
    bridge
        .send(exphist("e").exponential(|p| p.positive(0, &[2]).sum(1.0)).t(3))
        .expect_plain();
    assert_eq!(bridge.exponential().total(), Some(2));
}

#[test]
fn k_01_both_kinds_of_histogram_are_one_type() {
    let bridge = Bridge::new();
    bridge
        .send(exphist("h").exponential(|p| p.sum(0.0)).t(1))
        .expect_plain();
    bridge.send(hist("h").buckets(&[], &[1], 1.0).t(2)).expect_plain();
    bridge.shows(
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 1
        h_sum{instance="i1",job="svc"} 1
        h_count{instance="i1",job="svc"} 1"#,
    );
    bridge.send(gauge("h").is(1)).refuses(0, &[("type_conflict", 1)]);
}

#[test]
fn p_11_p_14_exponential_histograms_in_json() {
    let request = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"e","exponentialHistogram":{
        "aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1","count":"6","sum":"NaN","scale":-1,"zeroCount":"1",
        "zeroThreshold":0.5,"positive":{"offset":-3,"bucketCounts":["2",3]},"negative":null,"min":null}]}}]}]}]}"#;
    let bridge = Bridge::new();
    bridge.json(request).unwrap().expect_plain();
    let held = bridge.exponential();
    assert_eq!((held.scale, held.zero_count, held.zero_threshold), (-1, 1, 0.5));
    assert_eq!((held.positive, held.negative), (side(-3, &[2, 3]), side(0, &[])));
    assert!(held.sum.is_nan());
}
