//! The protobuf format: E, T, X and F there.

use crate::families::{decode, expand};
use crate::harness::*;
use meterbridge::exposition::{ExponentialForm, Format, Style};

const R0: &str = r#"label { name: "instance" value: "i1" } label { name: "job" value: "svc" }"#;

fn in_form(exponential: ExponentialForm) -> Format {
    let style = Style {
        exponential,
        ..Style::default()
    };
    Format { style, ..P }
}

#[test]
fn e_01_native_and_classic_buckets_side_by_side() {
    let metric = || exphist("e").exponential(|p| p.scale(0).zero(1).positive(1, &[0, 2]).sum(10.0));
    let classic = "bucket { cumulative_count: 1 upper_bound: 0 } bucket { cumulative_count: 1 upper_bound: 4 }
        bucket { cumulative_count: 3 upper_bound: 8 } bucket { cumulative_count: 3 upper_bound: inf }";
    let native =
        "schema: 0 zero_threshold: 1e-128 zero_count: 1 positive_span { offset: 3 length: 1 } positive_delta: 2";
    let start = format!(r#"name: "e" type: HISTOGRAM metric {{ {R0} histogram {{ sample_count: 3 sample_sum: 10"#);
    row_in(P, metric(), &format!("{start} {classic} {native} }} }}"));
    row_in(
        in_form(ExponentialForm::Native),
        metric(),
        &format!("{start} {native} }} }}"),
    );
    row_in(
        in_form(ExponentialForm::Classic),
        metric(),
        &format!("{start} {classic} }} }}"),
    );
}

/// Counts by Prometheus' index.
type Counts = Vec<(i64, i64)>;

/// The schema and the native buckets of the only histogram, negative and positive ones.
fn native(metric: Build) -> (i32, Counts, Counts) {
    let bridge = Bridge::new();
    bridge.send(metric).expect_plain();
    let families = decode(&bridge.scrape_as(P, 1 << 16));
    let histogram = families[0].metric[0].histogram.clone().unwrap();
    (
        histogram.schema.unwrap(),
        expand(&histogram.negative_span, &histogram.negative_delta),
        expand(&histogram.positive_span, &histogram.positive_delta),
    )
}

#[test]
fn e_02_e_03_buckets_by_index_and_downscaling_by_floor() {
    let point = |scale, offset, counts: &'static [u64]| {
        exphist("e").exponential(move |p| {
            p.scale(scale)
                .positive(offset, counts)
                .negative(offset, counts)
                .sum(1.0)
        })
    };
    for (scale, offset, counts, schema, expected) in [
        (
            3,
            3,
            &[10, 0, 0, 20, 5, 2][..],
            3,
            &[(4, 10), (7, 20), (8, 5), (9, 2)][..],
        ),
        (9, 0, &[0, 0, 3, 1], 8, &[(2, 4)]),
        (9, -4, &[0, 0, 3, 1], 8, &[(0, 4)]),
        (-4, -1, &[5], -4, &[(0, 5)]),
    ] {
        let expected = expected.to_vec();
        assert_eq!(
            native(point(scale, offset, counts)),
            (schema, expected.clone(), expected)
        );
    }
}

#[test]
fn e_05_zero_thresholds() {
    for (given, expected) in [
        (0.001, "0.001"),
        (0.0, "1e-128"),
        (-1.0, "1e-128"),
        (f64::NAN, "1e-128"),
        (f64::INFINITY, "1e-128"),
    ] {
        let metric = exphist("e").exponential(|p| p.threshold(given).positive(3, &[1]).sum(9.0));
        row_in(
            in_form(ExponentialForm::Native),
            metric,
            &format!(
                r#"name: "e" type: HISTOGRAM metric {{ {R0} histogram {{ sample_count: 1 sample_sum: 9
                schema: 0 zero_threshold: {expected} zero_count: 0 positive_span {{ offset: 4 length: 1 }} positive_delta: 1 }} }}"#
            ),
        );
    }
}

#[test]
fn e_07_an_empty_one_has_a_span_of_nothing() {
    row_in(
        P,
        exphist("e").exponential(|p| p.scale(3).sum(0.0)),
        &format!(
            r#"name: "e" type: HISTOGRAM metric {{ {R0} histogram {{ sample_count: 0 sample_sum: 0
            bucket {{ cumulative_count: 0 upper_bound: inf }}
            schema: 3 zero_threshold: 1e-128 zero_count: 0 positive_span {{ offset: 0 length: 0 }} }} }}"#
        ),
    );
}

#[test]
fn t_01_start_times() {
    let started = |mut metric: Build| {
        use opentelemetry_proto::tonic::metrics::v1::metric::Data;
        let nanos = 1_700_000_000_250_000_000;
        match metric.0.data.as_mut().unwrap() {
            Data::Sum(data) => data.data_points[0].start_time_unix_nano = nanos,
            Data::Gauge(data) => data.data_points[0].start_time_unix_nano = nanos,
            Data::Summary(data) => data.data_points[0].start_time_unix_nano = nanos,
            Data::Histogram(data) => data.data_points[0].start_time_unix_nano = nanos,
            Data::ExponentialHistogram(_) => panic!("not here"),
        }
        metric.t(1_700_000_001)
    };
    let start = "start_timestamp { seconds: 1700000000 nanos: 250000000 }";
    let metric = |kind: &str, value: &str| format!("metric {{ {R0} {kind} {{ {value} }} }}");
    row_in(
        P,
        started(counter("c").is(5)),
        &format!(
            "name: \"c_total\" type: COUNTER {}",
            metric("counter", &format!("value: 5 {start}"))
        ),
    );
    row_in(
        P,
        started(gauge("g").is(5)),
        &format!("name: \"g\" type: GAUGE {}", metric("gauge", "value: 5")),
    );
    row_in(
        P,
        started(summary("s").quantiles(&[(0.5, 1.5)], 2, 4.0)),
        &format!(
            "name: \"s\" type: SUMMARY {}",
            metric(
                "summary",
                &format!("sample_count: 2 sample_sum: 4 quantile {{ quantile: 0.5 value: 1.5 }} {start}")
            )
        ),
    );
    row_in(
        P,
        started(hist("h").unit("s").help("H").buckets(&[1.0], &[1, 2], None)),
        &format!(
            "name: \"h_seconds\" help: \"H\" type: HISTOGRAM unit: \"seconds\" {}",
            metric(
                "histogram",
                &format!(
                    "sample_count: 3 bucket {{ cumulative_count: 1 upper_bound: 1 }} \
                     bucket {{ cumulative_count: 3 upper_bound: inf }} {start}"
                )
            )
        ),
    );
}

#[test]
fn t_03_a_start_of_0_or_after_the_end_is_none() {
    let none = format!("name: \"c_total\" type: COUNTER metric {{ {R0} counter {{ value: 5 }} }}");
    row_in(P, counter("c").is(5).s(0).t(9), &none);
    let bridge = Bridge::new();
    bridge
        .send(counter("c").is(5).s(10).t(9))
        .advises("advice: start_after_end: a point of metric \"c\" starts after it ends; the start was ignored");
    bridge.shows_in(P, &none);
}

#[test]
fn x_06_exemplars_on_classic_buckets_and_as_a_list_of_those_that_have_a_time() {
    let metric = exphist("e")
        .exponential(|p| p.scale(0).zero(1).positive(1, &[0, 2]).sum(10.0))
        .exemplar(|e| e.is(5).t(9.0).trace("5B8EFFF798038103D269B633813FC60C"))
        .exemplar(|e| e.is(7.5).t(10.5).attr("user.id", "7"))
        .exemplar(|e| e.is(6));
    let traced =
        r#"label { name: "trace_id" value: "5b8efff798038103d269b633813fc60c" } value: 5 timestamp { seconds: 9 }"#;
    let user = r#"label { name: "user_id" value: "7" } value: 7.5 timestamp { seconds: 10 nanos: 500000000 }"#;
    row_in(
        P,
        metric,
        &format!(
            r#"name: "e" type: HISTOGRAM metric {{ {R0} histogram {{ sample_count: 3 sample_sum: 10
            bucket {{ cumulative_count: 1 upper_bound: 0 }} bucket {{ cumulative_count: 1 upper_bound: 4 }}
            bucket {{ cumulative_count: 3 upper_bound: 8 exemplar {{ {user} }} }} bucket {{ cumulative_count: 3 upper_bound: inf }}
            schema: 0 zero_threshold: 1e-128 zero_count: 1 positive_span {{ offset: 3 length: 1 }} positive_delta: 2
            exemplars {{ {traced} }} exemplars {{ {user} }} }} }}"#
        ),
    );
}

#[test]
fn f_10_one_message_a_family_but_where_there_are_native_histograms() {
    let bridge = Bridge::new();
    bridge
        .send([
            hist("mixed").help("M").buckets(&[], &[1], 1.0).attr("a", "1"),
            exphist("mixed")
                .help("M")
                .exponential(|p| p.sum(0.0))
                .attr("a", "2")
                .exponential(|p| p.sum(0.0))
                .attr("a", "3"),
            hist("classic")
                .buckets(&[], &[1], 1.0)
                .attr("a", "1")
                .buckets(&[], &[1], 1.0)
                .attr("a", "2"),
            counter("many").is(1).attr("a", "1").is(2).attr("a", "2"),
        ])
        .expect_plain();
    for piece in [1, 1 << 16] {
        let families = decode(&bridge.scrape_as(P, piece));
        let shape: Vec<_> = families
            .iter()
            .map(|family| (family.name.clone().unwrap(), family.help.clone(), family.metric.len()))
            .collect();
        let row = |name: &str, help: Option<&str>, metrics| (name.to_owned(), help.map(str::to_owned), metrics);
        assert_eq!(
            shape,
            [
                row("classic", None, 2),
                row("many_total", None, 2),
                row("mixed", Some("M"), 1),
                row("mixed", Some("M"), 1),
                row("mixed", Some("M"), 1)
            ]
        );
    }
    let families = decode(&bridge.scrape_as(in_form(ExponentialForm::Classic), 1 << 16));
    assert_eq!(families.len(), 3);
}
