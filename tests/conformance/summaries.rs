//! Q: summaries.

use crate::harness::*;

#[test]
fn q_01_quantiles_are_sorted_and_in_text() {
    row(
        summary("s").quantiles(&[(1.0, 3.0), (0.5, 1.5)], 2, 4.0),
        r#"# TYPE s summary
        s{instance="i1",job="svc",quantile="0.5"} 1.5
        s{instance="i1",job="svc",quantile="1"} 3
        s_sum{instance="i1",job="svc"} 4
        s_count{instance="i1",job="svc"} 2"#,
    );
    row(
        summary("s").unit("s").quantiles(&[(0.0, 1e6)], 2, 4.0),
        r#"# TYPE s_seconds summary
        s_seconds{instance="i1",job="svc",quantile="0"} 1e+06
        s_seconds_sum{instance="i1",job="svc"} 4
        s_seconds_count{instance="i1",job="svc"} 2"#,
    );
}

#[test]
fn q_01_quantiles_outside_0_to_1_are_refused() {
    for (quantile, word) in [(-0.1, "-0.1"), (1.5, "1.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        refused(
            summary("s").quantiles(&[(0.5, 1.0), (quantile, 2.0)], 1, 1.0),
            &format!("invalid_quantile: metric \"s\": quantile {word} is not from 0 to 1"),
        );
    }
}

#[test]
fn q_01_the_last_of_equal_quantiles_wins() {
    row(
        summary("s").quantiles(&[(0.5, 1.0), (-0.0, 7.0), (0.5, 2.0), (0.0, 8.0), (0.5, 3.0)], 1, 1.0),
        r#"# TYPE s summary
        s{instance="i1",job="svc",quantile="0"} 8
        s{instance="i1",job="svc",quantile="0.5"} 3
        s_sum{instance="i1",job="svc"} 1
        s_count{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn q_02_text_keeps_nan_negative_values_and_no_quantiles() {
    row(
        summary("s").quantiles(&[(0.5, -1.0), (0.9, f64::NAN)], 2, -3.0),
        r#"# TYPE s summary
        s{instance="i1",job="svc",quantile="0.5"} -1
        s{instance="i1",job="svc",quantile="0.9"} NaN
        s_sum{instance="i1",job="svc"} -3
        s_count{instance="i1",job="svc"} 2"#,
    );
    row(
        summary("s").quantiles(&[], 2, 4.0),
        r#"# TYPE s summary
        s_sum{instance="i1",job="svc"} 4
        s_count{instance="i1",job="svc"} 2"#,
    );
}
