//! H: histograms with explicit bounds.

use crate::harness::*;

const INF: f64 = f64::INFINITY;

#[test]
fn h_01_counts_become_cumulative_and_inf_closes() {
    row(
        hist("http.server.request.duration")
            .unit("s")
            .buckets(&[0.005, 1.0, 10.0], &[1, 2, 0, 1], 12.5),
        r#"# TYPE http_server_request_duration_seconds histogram
        http_server_request_duration_seconds_bucket{instance="i1",job="svc",le="0.005"} 1
        http_server_request_duration_seconds_bucket{instance="i1",job="svc",le="1"} 3
        http_server_request_duration_seconds_bucket{instance="i1",job="svc",le="10"} 3
        http_server_request_duration_seconds_bucket{instance="i1",job="svc",le="+Inf"} 4
        http_server_request_duration_seconds_sum{instance="i1",job="svc"} 12.5
        http_server_request_duration_seconds_count{instance="i1",job="svc"} 4"#,
    );
}

#[test]
fn h_01_the_newest_point_takes_the_place_of_the_last() {
    let bridge = Bridge::new();
    bridge
        .send(hist("h").buckets(&[1.0, 2.0], &[1, 1, 1], 3.0).t(1))
        .expect_plain();
    bridge
        .send(hist("h").buckets(&[1.0, 2.0], &[2, 2, 2], None).t(2))
        .expect_plain();
    bridge.shows(
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 2
        h_bucket{instance="i1",job="svc",le="2"} 4
        h_bucket{instance="i1",job="svc",le="+Inf"} 6
        h_count{instance="i1",job="svc"} 6"#,
    );
    bridge.send(hist("h").buckets(&[5.0], &[1, 0], 3.0).t(3)).expect_plain();
    bridge.shows(
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="5"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 1
        h_sum{instance="i1",job="svc"} 3
        h_count{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn h_02_bounds_are_canonical_numbers() {
    let bounds = [0.00001, 0.0001, 0.005, 1.0, 10.0, 1e5, 1e6, 2.5e6, 10_485_760.0];
    let bridge = Bridge::new();
    bridge.send(hist("h").buckets(&bounds, &[0; 10], 0.0)).expect_plain();
    let text = bridge.scrape();
    let les: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("le=\"")?.1.split_once('"'))
        .map(|(le, _)| le)
        .collect();
    assert_eq!(
        les,
        [
            "1e-05",
            "0.0001",
            "0.005",
            "1",
            "10",
            "100000",
            "1e+06",
            "2.5e+06",
            "1.048576e+07",
            "+Inf"
        ]
    );
}

#[test]
fn h_02_a_bound_of_minus_0_is_0() {
    row(
        hist("h").buckets(&[-0.0], &[1, 1], 2.0),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="0"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 2
        h_sum{instance="i1",job="svc"} 2
        h_count{instance="i1",job="svc"} 2"#,
    );
    refused(
        hist("h").buckets(&[-0.0, 0.0], &[1, 1, 1], 2.0),
        "invalid_buckets: metric \"h\": bound 0 does not come before 0",
    );
}

#[test]
fn h_03_without_buckets_there_is_only_inf() {
    let expected = r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_sum{instance="i1",job="svc"} 2
        h_count{instance="i1",job="svc"} 4"#;
    row(hist("h").buckets(&[], &[], 2.0).count(4), expected);
    row(hist("h").buckets(&[], &[4], 2.0), expected);
}

#[test]
fn h_04_no_sum_is_no_line() {
    row(
        hist("h").buckets(&[1.0], &[1, 0], None),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 1
        h_count{instance="i1",job="svc"} 1"#,
    );
    row(
        hist("h").buckets(&[], &[1], f64::NAN),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 1
        h_sum{instance="i1",job="svc"} NaN
        h_count{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn h_05_buckets_that_do_not_fit() {
    let nan = f64::NAN;
    for (bounds, counts, detail) in [
        (&[2.0, 1.0][..], &[1, 1, 1][..], "bound 2 does not come before 1"),
        (&[1.0, 1.0], &[1, 1, 1], "bound 1 does not come before 1"),
        (&[INF, INF], &[1, 1, 1], "bound inf does not come before inf"),
        (&[nan], &[1, 1], "bound NaN"),
        (&[1.0, nan], &[1, 1, 1], "bound 1 does not come before NaN"),
        (&[nan, 1.0], &[1, 1, 1], "bound NaN does not come before 1"),
        (&[1.0], &[1], "1 bucket counts do not fit 1 bounds"),
        (&[1.0], &[1, 1, 1], "3 bucket counts do not fit 1 bounds"),
        (&[], &[1, 1], "2 bucket counts do not fit 0 bounds"),
        (&[1.0], &[], "0 bucket counts do not fit 1 bounds"),
        (
            &[1.0],
            &[u64::MAX, 1],
            "the bucket counts add up to more than 64 bits hold",
        ),
    ] {
        let message = format!("invalid_buckets: metric \"h\": {detail}");
        refused(hist("h").buckets(bounds, counts, 1.0), &message);
    }
}

#[test]
fn h_06_the_total_of_the_buckets_is_the_count() {
    for count in [0, 2, 4, u64::MAX] {
        let bridge = Bridge::new();
        bridge.send(hist("h").buckets(&[1.0], &[1, 2], 5.0).count(count)).advises(
            "advice: count_mismatch: the count of histogram \"h\" is not the total of its buckets; the total was used",
        );
        bridge.shows(
            r#"# TYPE h histogram
            h_bucket{instance="i1",job="svc",le="1"} 1
            h_bucket{instance="i1",job="svc",le="+Inf"} 3
            h_sum{instance="i1",job="svc"} 5
            h_count{instance="i1",job="svc"} 3"#,
        );
    }
}

#[test]
fn h_07_an_explicit_inf_is_the_last_bucket() {
    row(
        hist("h").buckets(&[1.0, INF], &[1, 2, 0], 5.0),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 3
        h_sum{instance="i1",job="svc"} 5
        h_count{instance="i1",job="svc"} 3"#,
    );
    row(
        hist("h").buckets(&[INF], &[1, 2], 5.0),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 3
        h_sum{instance="i1",job="svc"} 5
        h_count{instance="i1",job="svc"} 3"#,
    );
}

#[test]
fn h_08_text_keeps_sum_and_count_beside_negative_bounds() {
    row(
        hist("h").buckets(&[-1.0, 0.0], &[1, 0, 1], -3.0),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="-1"} 1
        h_bucket{instance="i1",job="svc",le="0"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 2
        h_sum{instance="i1",job="svc"} -3
        h_count{instance="i1",job="svc"} 2"#,
    );
}
