//! Histograms of both kinds and summaries as each format has them.

use meterbridge::exposition::ExponentialForm;
use meterbridge::translate::{MissingSum, Rules};

use crate::families::{self, Histogram};
use crate::harness::*;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// What stands between the quotes of a bound, in order.
fn bounds_in(format: meterbridge::exposition::Format, request: Build, label: &str) -> Vec<String> {
    let bridge = Bridge::new();
    bridge.send(request).expect_plain();
    let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
    let start = format!("{label}=\"");
    text.lines()
        .filter_map(|line| Some(line.split_once(&start)?.1.split_once('"')?.0.to_owned()))
        .collect()
}

// H: explicit bounds

#[test]
fn h_02_bounds_of_openmetrics_never_look_whole() {
    let rows = [
        (-10.0, "-10", "-10.0"),
        (-1e-5, "-1e-05", "-1e-05"),
        (0.0, "0", "0.0"),
        (5e-324, "5e-324", "5e-324"),
        (1e-5, "1e-05", "1e-05"),
        (9.9e-5, "9.9e-05", "9.9e-05"),
        (0.0001, "0.0001", "0.0001"),
        (0.005, "0.005", "0.005"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
        (1.0, "1", "1.0"),
        (2.5, "2.5", "2.5"),
        (10.0, "10", "10.0"),
        (100_000.0, "100000", "100000.0"),
        (999_999.0, "999999", "999999.0"),
        (999_999.5, "999999.5", "999999.5"),
        (1e6, "1e+06", "1e+06"),
        (1_234_567.0, "1.234567e+06", "1.234567e+06"),
        (2.5e6, "2.5e+06", "2.5e+06"),
        (10_485_760.0, "1.048576e+07", "1.048576e+07"),
        (1e21, "1e+21", "1e+21"),
        (1e100, "1e+100", "1e+100"),
        (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
    ];
    let bounds = rows.map(|(bound, ..)| bound);
    let histogram = || hist("h").buckets(&bounds, &[0; 23], 0.0);
    let texts = |column: fn(&(f64, &'static str, &'static str)) -> &'static str| {
        rows.iter().map(column).chain(["+Inf"]).collect::<Vec<_>>()
    };
    assert_eq!(bounds_in(T4, histogram(), "le"), texts(|(_, text, _)| text));
    assert_eq!(bounds_in(T1, histogram(), "le"), texts(|(_, text, _)| text));
    assert_eq!(bounds_in(OM, histogram(), "le"), texts(|(.., text)| text));
    let quantiles = [(0.0, 1.0), (1e-5, 1.0), (0.5, 1.0), (0.999_999, 1.0), (1.0, 1.0)];
    let summary = || summary("s").quantiles(&quantiles, 1, 1.0);
    assert_eq!(
        bounds_in(T4, summary(), "quantile"),
        ["0", "1e-05", "0.5", "0.999999", "1"]
    );
    assert_eq!(
        bounds_in(OM, summary(), "quantile"),
        ["0.0", "1e-05", "0.5", "0.999999", "1.0"]
    );
}

#[test]
fn h_02_h_07_values_have_no_point_of_their_own_in_openmetrics() {
    forms(
        hist("h").buckets(&[1.0, INF], &[1, 2, 0], 1e6),
        &[
            (
                OM,
                r#"# TYPE h histogram
                h_bucket{R0,le="1.0"} 1
                h_bucket{R0,le="+Inf"} 3
                h_count{R0} 3
                h_sum{R0} 1e+06
                # EOF"#,
            ),
            (
                T4,
                r#"# TYPE h histogram
                h_bucket{R0,le="1"} 1
                h_bucket{R0,le="+Inf"} 3
                h_sum{R0} 1e+06
                h_count{R0} 3"#,
            ),
            (
                OM2,
                "# TYPE h histogram\nh{R0} {count:3,sum:1e+06,bucket:[1.0:1,+Inf:3]}\n# EOF",
            ),
            (
                P,
                r#"name: "h" type: HISTOGRAM
                metric { R0 histogram { sample_count: 3 sample_sum: 1000000
                    bucket { cumulative_count: 1 upper_bound: 1 } bucket { cumulative_count: 3 upper_bound: inf } } }"#,
            ),
        ],
    );
    for (counts, total) in [([1, 0], 1), ([0, 2], 2), ([1, 2], 3)] {
        forms(
            hist("h").buckets(&[INF], &counts, 1.0),
            &[
                (
                    OM,
                    &format!(
                        "# TYPE h histogram\nh_bucket{{R0,le=\"+Inf\"}} {total}\nh_count{{R0}} {total}\nh_sum{{R0}} 1\n# EOF"
                    ),
                ),
                (
                    P,
                    &format!(
                        "name: \"h\" type: HISTOGRAM metric {{ R0 histogram {{ sample_count: {total} sample_sum: 1
                         bucket {{ cumulative_count: {total} upper_bound: inf }} }} }}"
                    ),
                ),
            ],
        );
    }
}

#[test]
fn h_04_without_a_sum_openmetrics_has_no_count_either() {
    let request = || hist("h").buckets(&[1.0], &[1, 0], None);
    let buckets = "# TYPE h histogram\nh_bucket{R0,le=\"1.0\"} 1\nh_bucket{R0,le=\"+Inf\"} 1\n# EOF";
    let text = "# TYPE h histogram\nh_bucket{R0,le=\"1\"} 1\nh_bucket{R0,le=\"+Inf\"} 1\nh_count{R0} 1";
    forms(
        request(),
        &[
            (OM, buckets),
            (T4, text),
            (T1, text),
            (
                P,
                r#"name: "h" type: HISTOGRAM
                metric { R0 histogram { sample_count: 1
                    bucket { cumulative_count: 1 upper_bound: 1 } bucket { cumulative_count: 1 upper_bound: inf } } }"#,
            ),
        ],
    );
    for (sum, in_text, in_protobuf) in [(NAN, "NaN", "nan"), (-1.0, "-1", "-1"), (-INF, "-Inf", "-inf")] {
        forms(
            hist("h").buckets(&[1.0], &[1, 0], sum),
            &[
                (OM, buckets),
                (
                    T4,
                    &format!(
                        "# TYPE h histogram\nh_bucket{{R0,le=\"1\"}} 1\nh_bucket{{R0,le=\"+Inf\"}} 1\n\
                         h_sum{{R0}} {in_text}\nh_count{{R0}} 1"
                    ),
                ),
                (
                    P,
                    &format!(
                        "name: \"h\" type: HISTOGRAM metric {{ R0 histogram {{ sample_count: 1 sample_sum: {in_protobuf}
                        bucket {{ cumulative_count: 1 upper_bound: 1 }} bucket {{ cumulative_count: 1 upper_bound: inf }} }} }}"
                    ),
                ),
            ],
        );
    }
    for (sum, shown) in [(0.0, "0"), (-0.0, "-0"), (INF, "+Inf")] {
        forms(
            hist("h").buckets(&[1.0], &[1, 0], sum),
            &[(
                OM,
                &format!(
                    "# TYPE h histogram\nh_bucket{{R0,le=\"1.0\"}} 1\nh_bucket{{R0,le=\"+Inf\"}} 1\n\
                     h_count{{R0}} 1\nh_sum{{R0}} {shown}\n# EOF"
                ),
            )],
        );
    }
}

#[test]
fn h_04_each_series_is_judged_by_itself() {
    let two = hist("h")
        .buckets(&[], &[1], None)
        .attr("k", "1")
        .buckets(&[], &[2], 3.0)
        .attr("k", "2");
    forms(
        two,
        &[(
            OM,
            r#"# TYPE h histogram
            h_bucket{R0,k="1",le="+Inf"} 1
            h_bucket{R0,k="2",le="+Inf"} 2
            h_count{R0,k="2"} 2
            h_sum{R0,k="2"} 3
            # EOF"#,
        )],
    );
}

#[test]
fn h_08_negative_bounds_leave_sum_and_count_out_of_openmetrics() {
    for sum in [-3.0, 0.0, 3.0, INF] {
        forms(
            hist("h").buckets(&[-1.0, 0.0], &[1, 0, 1], sum),
            &[(
                OM,
                r#"# TYPE h histogram
                h_bucket{R0,le="-1.0"} 1
                h_bucket{R0,le="0.0"} 1
                h_bucket{R0,le="+Inf"} 2
                # EOF"#,
            )],
        );
    }
    forms(
        hist("h").buckets(&[-1.0], &[1, 1], 3.0),
        &[
            (
                T1,
                "# TYPE h histogram\nh_bucket{R0,le=\"-1\"} 1\nh_bucket{R0,le=\"+Inf\"} 2\nh_sum{R0} 3\nh_count{R0} 2",
            ),
            (
                P,
                r#"name: "h" type: HISTOGRAM
                metric { R0 histogram { sample_count: 2 sample_sum: 3
                    bucket { cumulative_count: 1 upper_bound: -1 } bucket { cumulative_count: 2 upper_bound: inf } } }"#,
            ),
        ],
    );
    // Zero is not below zero.
    for bound in [0.0, -0.0] {
        forms(
            hist("h").buckets(&[bound], &[1, 1], 3.0),
            &[(
                OM,
                "# TYPE h histogram\nh_bucket{R0,le=\"0.0\"} 1\nh_bucket{R0,le=\"+Inf\"} 2\nh_count{R0} 2\nh_sum{R0} 3\n# EOF",
            )],
        );
    }
}

// E: exponential histograms

/// The histogram of the only series in protobuf.
fn shown(says: impl FnOnce(ExponentialPoint) -> ExponentialPoint) -> Histogram {
    let bridge = Bridge::new();
    bridge.send(exphist("e").exponential(says)).expect_plain();
    let mut found = families::decode(&bridge.scrape_as(P, 1 << 16));
    found.pop().unwrap().metric.pop().unwrap().histogram.unwrap()
}

fn positive(histogram: &Histogram) -> Vec<(i64, i64)> {
    families::expand(&histogram.positive_span, &histogram.positive_delta)
}

fn negative(histogram: &Histogram) -> Vec<(i64, i64)> {
    families::expand(&histogram.negative_span, &histogram.negative_delta)
}

#[test]
fn e_01_native_and_classic_in_one_message() {
    forms(
        exphist("e").exponential(|p| p.zero(1).positive(1, &[0, 2]).sum(10.0)),
        &[(
            P,
            r#"name: "e" type: HISTOGRAM
            metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
              histogram { sample_count: 3 sample_sum: 10
                bucket { cumulative_count: 1 upper_bound: 0 } bucket { cumulative_count: 1 upper_bound: 4 }
                bucket { cumulative_count: 3 upper_bound: 8 } bucket { cumulative_count: 3 upper_bound: inf }
                schema: 0 zero_threshold: 1e-128 zero_count: 1
                positive_span { offset: 3 length: 1 } positive_delta: 2 } }"#,
        )],
    );
    for scale in -4..=8 {
        let found = shown(|p| p.scale(scale).positive(-3, &[1]).negative(5, &[2]).sum(1.0));
        assert_eq!(found.schema, Some(scale));
        assert_eq!((positive(&found), negative(&found)), (vec![(-2, 1)], vec![(6, 2)]));
        assert_eq!((found.sample_count, found.zero_count), (Some(3), Some(0)));
    }
}

#[test]
fn e_02_buckets_that_hold_something_and_gaps_between_them() {
    let found = shown(|p| p.positive(3, &[10, 0, 0, 20, 5, 2]).sum(1.0));
    assert_eq!(positive(&found), [(4, 10), (7, 20), (8, 5), (9, 2)]);
    let found = shown(|p| p.negative(3, &[10, 0, 0, 20, 5, 2]).sum(1.0));
    assert_eq!(negative(&found), [(4, 10), (7, 20), (8, 5), (9, 2)]);
    let found = shown(|p| p.positive(-8, &[0, 0, 7, 0, 1, 0, 0, 0, 0, 3, 0]).sum(1.0));
    assert_eq!(positive(&found), [(-5, 7), (-3, 1), (2, 3)]);
    // No inner offset is negative, and lengths are those of the deltas: conformance E-07.
    for span in found.positive_span.iter().skip(1) {
        assert!(span.offset.unwrap() >= 0);
    }
    let large = 1 << 61;
    let found = shown(|p| p.positive(0, &[large, 1, large]).sum(1.0));
    assert_eq!(positive(&found), [(1, large as i64), (2, 1), (3, large as i64)]);
}

#[test]
fn e_03_scales_above_8_are_floored_down_to_it() {
    for (scale, offset, counts, expected) in [
        (9, 0, &[0, 0, 3, 1][..], &[(2, 4)][..]),
        (9, -4, &[0, 0, 3, 1], &[(0, 4)]),
        (9, -3, &[1, 2, 4], &[(-1, 1), (0, 6)]),
        (10, -1, &[1, 1], &[(0, 1), (1, 1)]),
        (20, 4095, &[1, 1], &[(1, 1), (2, 1)]),
        (20, -4097, &[1, 1], &[(-1, 1), (0, 1)]),
    ] {
        let found = shown(|p| p.scale(scale).positive(offset, counts).sum(1.0));
        assert_eq!(
            (found.schema, positive(&found)),
            (Some(8), expected.to_vec()),
            "{scale} {offset}"
        );
        let found = shown(|p| p.scale(scale).negative(offset, counts).sum(1.0));
        assert_eq!(
            (found.schema, negative(&found)),
            (Some(8), expected.to_vec()),
            "{scale} {offset}"
        );
    }
}

#[test]
fn e_05_the_threshold_that_is_given_or_the_one_of_prometheus() {
    for (given, expected) in [
        (0.001, 0.001),
        (5e-324, 5e-324),
        (0.0, 1e-128),
        (-1.0, 1e-128),
        (NAN, 1e-128),
        (INF, 1e-128),
    ] {
        let found = shown(|p| p.zero(1).threshold(given).positive(0, &[1]).sum(1.0));
        assert_eq!(found.zero_threshold, Some(expected), "{given}");
    }
}

#[test]
fn e_06_a_sum_that_is_missing_is_nan_in_every_format() {
    let rules = Rules {
        missing_sum: MissingSum::Nan,
        ..Rules::default()
    };
    let text = r#"# TYPE e histogram
        e_bucket{R0,le="1"} 0
        e_bucket{R0,le="2"} 1
        e_bucket{R0,le="+Inf"} 1
        e_sum{R0} NaN
        e_count{R0} 1"#;
    forms_by(
        rules,
        exphist("e").exponential(|p| p.positive(0, &[1])),
        &[
            (T4, text),
            (T1, text),
            (
                OM,
                "# TYPE e histogram\ne_bucket{R0,le=\"1.0\"} 0\ne_bucket{R0,le=\"2.0\"} 1\ne_bucket{R0,le=\"+Inf\"} 1\n# EOF",
            ),
            (
                OM2,
                "# TYPE e histogram\ne{R0} {count:1,sum:NaN,schema:0,zero_threshold:1e-128,zero_count:0,\
                 positive_spans:[1:1],positive_buckets:[1],bucket:[1.0:0,2.0:1,+Inf:1]}\n# EOF",
            ),
            (
                P,
                r#"name: "e" type: HISTOGRAM
                metric { R0 histogram { sample_count: 1 sample_sum: nan
                    bucket { cumulative_count: 0 upper_bound: 1 } bucket { cumulative_count: 1 upper_bound: 2 }
                    bucket { cumulative_count: 1 upper_bound: inf }
                    schema: 0 zero_threshold: 1e-128 zero_count: 0
                    positive_span { offset: 1 length: 1 } positive_delta: 1 } }"#,
            ),
        ],
    );
}

#[test]
fn e_07_an_empty_one_has_a_span_of_nothing() {
    for (says, zero) in [
        ((|p| p.sum(0.0)) as fn(ExponentialPoint) -> ExponentialPoint, 0),
        (|p| p.zero(2).sum(0.0), 2),
        (|p| p.positive(7, &[0, 0]).negative(7, &[]).sum(0.0), 0),
        (|p| p.zero(2).threshold(0.5).positive(0, &[0]).sum(0.0), 2),
    ] {
        let found = shown(says);
        assert_eq!(
            found.positive_span,
            [families::Span {
                offset: Some(0),
                length: Some(0)
            }]
        );
        assert!(found.positive_delta.is_empty() && found.negative_span.is_empty());
        assert_eq!((found.sample_count, found.zero_count), (Some(zero), Some(zero)));
    }
}

#[test]
fn e_08_the_classic_form_in_text() {
    let request = || exphist("e").exponential(|p| p.zero(1).negative(0, &[1]).positive(0, &[1]).sum(0.5));
    let text = r#"# TYPE e histogram
        e_bucket{R0,le="-2"} 0
        e_bucket{R0,le="-1"} 1
        e_bucket{R0,le="0"} 2
        e_bucket{R0,le="1"} 2
        e_bucket{R0,le="2"} 3
        e_bucket{R0,le="+Inf"} 3
        e_sum{R0} 0.5
        e_count{R0} 3"#;
    forms(
        request(),
        &[
            (T4, text),
            (T1, text),
            (
                OM,
                r#"# TYPE e histogram
                e_bucket{R0,le="-2.0"} 0
                e_bucket{R0,le="-1.0"} 1
                e_bucket{R0,le="0.0"} 2
                e_bucket{R0,le="1.0"} 2
                e_bucket{R0,le="2.0"} 3
                e_bucket{R0,le="+Inf"} 3
                # EOF"#,
            ),
        ],
    );
}

type Says = fn(ExponentialPoint) -> ExponentialPoint;

#[test]
fn e_08_the_classic_form_of_other_histograms() {
    let rows: [(Says, &[(&str, u64)]); 12] = [
        // Nothing, and zeros alone.
        (|p| p, &[]),
        (|p| p.zero(3), &[("0", 3)]),
        (|p| p.zero(3).threshold(0.25), &[("0.25", 3)]),
        // Of a threshold without anything there is no edge.
        (|p| p.threshold(0.25).positive(0, &[1]), &[("1", 0), ("2", 1)]),
        // Both edges of each bucket, the empty ones between left out.
        (
            |p| p.positive(-2, &[1, 0, 0, 2, 3]),
            &[("0.25", 0), ("0.5", 1), ("2", 1), ("4", 3), ("8", 6)],
        ),
        (
            |p| p.negative(-1, &[1, 0, 2]),
            &[("-4", 0), ("-2", 2), ("-1", 2), ("-0.5", 3)],
        ),
        // The grid stays when the scale changes.
        (|p| p.scale(3).positive(7, &[1, 2]), &[("1", 0), ("2", 1), ("4", 3)]),
        (|p| p.scale(20).positive(-1, &[1, 2]), &[("0.5", 0), ("1", 1), ("2", 3)]),
        (|p| p.scale(1).negative(1, &[1, 2]), &[("-4", 0), ("-2", 2), ("-1", 3)]),
        (
            |p| p.scale(-2).positive(-1, &[1, 2]),
            &[("0.0625", 0), ("1", 1), ("16", 3)],
        ),
        // What reaches no further than the threshold counts there, an edge inside it is none.
        (
            |p| p.zero(1).threshold(2.0).negative(0, &[1]).positive(0, &[1, 1]),
            &[("2", 3), ("4", 4)],
        ),
        (|p| p.zero(1).threshold(3.0).positive(1, &[1]), &[("3", 1), ("4", 2)]),
    ];
    for (says, buckets) in rows {
        let histogram = shown(|p| says(p).sum(1.0));
        let count = histogram.sample_count.unwrap();
        let line = |le: &str, count: u64| format!("e_bucket{{R0,le=\"{le}\"}} {count}\n");
        let mut text = "# TYPE e histogram\n".to_owned();
        text.extend(buckets.iter().map(|(le, count)| line(le, *count)));
        text += &line("+Inf", count);
        text += &format!("e_sum{{R0}} 1\ne_count{{R0}} {count}");
        forms(exphist("e").exponential(|p| says(p).sum(1.0)), &[(T4, &text)]);
        // The same buckets in protobuf.
        let found = histogram.bucket.iter();
        let found: Vec<_> = found
            .map(|bucket| (bucket.upper_bound.unwrap(), bucket.cumulative_count.unwrap()))
            .collect();
        let expected = buckets.iter().map(|(le, count)| (le.parse().unwrap(), *count));
        assert_eq!(found, expected.chain([(INF, count)]).collect::<Vec<(f64, u64)>>());
    }
}

#[test]
fn e_08_sum_and_count_in_openmetrics_as_those_of_any_histogram() {
    let rows: [(Says, bool); 7] = [
        (|p| p.positive(0, &[1]).sum(1.5), true),
        (|p| p.zero(1).sum(0.0), true),
        (|p| p.positive(0, &[1]).sum(-1.5), false),
        (|p| p.positive(0, &[1]).sum(NAN), false),
        (|p| p.negative(0, &[1]).positive(0, &[1]).sum(1.0), false),
        (|p| p.negative(0, &[1]).sum(-1.0), false),
        // The negative bucket is part of the zero bucket.
        (|p| p.zero(1).threshold(4.0).negative(0, &[1]).sum(1.0), true),
    ];
    for (says, has_both) in rows {
        let bridge = Bridge::new();
        bridge.send(exphist("e").exponential(says)).expect_plain();
        let text = String::from_utf8(bridge.scrape_as(OM, 1 << 16)).unwrap();
        assert_eq!(
            (text.contains("\ne_sum{"), text.contains("\ne_count{")),
            (has_both, has_both),
            "{text}"
        );
    }
}

#[test]
fn e_09_the_form_in_protobuf_is_the_operators_choice_and_text_is_classic_in_any_case() {
    let form = |format, form| styled(format, |style| style.exponential = form);
    let classic = r#"bucket { cumulative_count: 0 upper_bound: 1 } bucket { cumulative_count: 1 upper_bound: 2 }
        bucket { cumulative_count: 1 upper_bound: inf }"#;
    let native = r#"schema: 0 zero_threshold: 1e-128 zero_count: 0
        positive_span { offset: 1 length: 1 } positive_delta: 1"#;
    let text = "# TYPE e histogram\ne_bucket{R0,le=\"1\"} 0\ne_bucket{R0,le=\"2\"} 1\ne_bucket{R0,le=\"+Inf\"} 1\n\
                e_sum{R0} 1.5\ne_count{R0} 1";
    for (chosen, buckets) in [
        (ExponentialForm::Both, format!("{classic} {native}")),
        (ExponentialForm::Native, native.to_owned()),
        (ExponentialForm::Classic, classic.to_owned()),
    ] {
        forms(
            exphist("e").exponential(|p| p.positive(0, &[1]).sum(1.5)),
            &[
                (
                    form(P, chosen),
                    &format!(
                        "name: \"e\" type: HISTOGRAM metric {{ R0 histogram {{ sample_count: 1 sample_sum: 1.5 {buckets} }} }}"
                    ),
                ),
                (form(T4, chosen), text),
                (form(T1, chosen), text),
            ],
        );
    }
}

// Q: summaries

#[test]
fn q_01_quantiles_in_every_format() {
    let request = || summary("s").unit("s").quantiles(&[(1.0, 3.0), (0.5, 1.5)], 2, 4.0);
    let text = r#"# TYPE s_seconds summary
        s_seconds{R0,quantile="0.5"} 1.5
        s_seconds{R0,quantile="1"} 3
        s_seconds_sum{R0} 4
        s_seconds_count{R0} 2"#;
    forms(
        request(),
        &[
            (T4, text),
            (T1, text),
            (
                OM,
                r#"# TYPE s_seconds summary
                # UNIT s_seconds seconds
                s_seconds{R0,quantile="0.5"} 1.5
                s_seconds{R0,quantile="1.0"} 3
                s_seconds_count{R0} 2
                s_seconds_sum{R0} 4
                # EOF"#,
            ),
            (
                P,
                r#"name: "s_seconds" type: SUMMARY unit: "seconds"
                metric { R0 summary { sample_count: 2 sample_sum: 4
                    quantile { quantile: 0.5 value: 1.5 } quantile { quantile: 1 value: 3 } } }"#,
            ),
        ],
    );
    forms(
        summary("s").quantiles(&[(0.5, 1.0), (0.9, 2.0), (0.5, 3.0)], 2, 4.0),
        &[(
            OM,
            "# TYPE s summary\ns{R0,quantile=\"0.5\"} 3\ns{R0,quantile=\"0.9\"} 2\ns_count{R0} 2\ns_sum{R0} 4\n# EOF",
        )],
    );
    for quantile in [-0.1, 1.000_000_1, NAN, INF] {
        refused(
            summary("s").quantiles(&[(0.5, 1.0), (quantile, 2.0)], 2, 4.0),
            &format!("invalid_quantile: metric \"s\": quantile {quantile} is not from 0 to 1"),
        );
    }
}

#[test]
fn q_02_openmetrics_leaves_out_what_is_negative_and_sums_that_are_none() {
    let text = "# TYPE s summary\ns{R0,quantile=\"0.5\"} -1\ns_sum{R0} -3\ns_count{R0} 2";
    forms(
        summary("s").quantiles(&[(0.5, -1.0)], 2, -3.0),
        &[
            (OM, "# TYPE s summary\ns_count{R0} 2\n# EOF"),
            (T4, text),
            (T1, text),
            (
                P,
                r#"name: "s" type: SUMMARY
                metric { R0 summary { sample_count: 2 sample_sum: -3 quantile { quantile: 0.5 value: -1 } } }"#,
            ),
        ],
    );
    for (value, shown) in [(NAN, "NaN"), (0.0, "0"), (INF, "+Inf")] {
        forms(
            summary("s").quantiles(&[(0.1, -1.0), (0.5, value), (0.9, -INF)], 2, 3.0),
            &[(
                OM,
                &format!("# TYPE s summary\ns{{R0,quantile=\"0.5\"}} {shown}\ns_count{{R0}} 2\ns_sum{{R0}} 3\n# EOF"),
            )],
        );
    }
    for (sum, shown) in [
        (NAN, ""),
        (-INF, ""),
        (-1e-300, ""),
        (0.0, "s_sum{R0} 0\n"),
        (INF, "s_sum{R0} +Inf\n"),
    ] {
        forms(
            summary("s").quantiles(&[], 2, sum),
            &[(OM, &format!("# TYPE s summary\ns_count{{R0}} 2\n{shown}# EOF"))],
        );
    }
    forms(
        summary("s").quantiles(&[], 2, 3.0),
        &[
            (T4, "# TYPE s summary\ns_sum{R0} 3\ns_count{R0} 2"),
            (
                P,
                r#"name: "s" type: SUMMARY metric { R0 summary { sample_count: 2 sample_sum: 3 } }"#,
            ),
        ],
    );
    forms(
        summary("s").quantiles(&[(0.5, NAN)], 0, NAN),
        &[
            (
                T4,
                "# TYPE s summary\ns{R0,quantile=\"0.5\"} NaN\ns_sum{R0} NaN\ns_count{R0} 0",
            ),
            (
                P,
                r#"name: "s" type: SUMMARY
                metric { R0 summary { sample_count: 0 sample_sum: nan quantile { quantile: 0.5 value: nan } } }"#,
            ),
        ],
    );
}
