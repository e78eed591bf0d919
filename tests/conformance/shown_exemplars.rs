//! Exemplars as each format has them.

use meterbridge::exposition::{Escaping, ExponentialForm};
use meterbridge::translate::{Rules, Strategy};

use crate::harness::*;

const TRACE: &str = "5B8EFFF798038103D269B633813FC60C";
const SPAN: &str = "EEE19B7EC3C1B174";
const IDS: &str = r#"span_id="eee19b7ec3c1b174",trace_id="5b8efff798038103d269b633813fc60c""#;

fn verbatim() -> Rules {
    Rules {
        strategy: Strategy::NoTranslation,
        ..Rules::default()
    }
}

fn ids(e: ExemplarOf) -> ExemplarOf {
    e.is(1).t(1.5).trace(TRACE).span(SPAN)
}

/// The counter with this exemplar in OpenMetrics.
fn openmetrics(exemplar: &str) -> String {
    format!("# TYPE reqs counter\nreqs_total{{R0}} 3{exemplar}\n# EOF")
}

#[track_caller]
fn shows(says: impl FnOnce(ExemplarOf) -> ExemplarOf, exemplar: &str) {
    forms(counter("reqs").is(3).exemplar(says), &[(OM, &openmetrics(exemplar))]);
}

#[test]
fn x_01_ids_in_lower_case_and_seconds_on_a_counter() {
    forms(
        counter("reqs").is(3).exemplar(ids),
        &[
            (OM, &openmetrics(&format!(" # {{{IDS}}} 1 1.5"))),
            (
                OM2,
                &format!("# TYPE reqs_total counter\nreqs_total{{R0}} 3 # {{{IDS}}} 1 1.5\n# EOF"),
            ),
            (
                P,
                r#"name: "reqs_total" type: COUNTER
                metric { R0 counter { value: 3 exemplar {
                    label { name: "span_id" value: "eee19b7ec3c1b174" }
                    label { name: "trace_id" value: "5b8efff798038103d269b633813fc60c" }
                    value: 1 timestamp { seconds: 1 nanos: 500000000 } } } }"#,
            ),
        ],
    );
    shows(|e| e.is(0.25).t(1_700_000_000.0), " # {} 0.25 1700000000");
    shows(|e| e.is(-2.5), " # {} -2.5");
    shows(|e| e.is(1e6).t(0.001), " # {} 1e+06 0.001");
    shows(|e| e.is(f64::INFINITY).t(1.0), " # {} +Inf 1");
}

#[test]
fn x_01_the_latest_of_a_counter() {
    for order in [[5.0, 9.0, 7.0], [9.0, 7.0, 5.0], [7.0, 5.0, 9.0]] {
        let metric = order
            .into_iter()
            .fold(counter("reqs").is(3), |metric, at| metric.exemplar(|e| e.is(at).t(at)));
        forms(metric, &[(OM, &openmetrics(" # {} 9 9"))]);
    }
}

#[test]
fn x_02_one_for_each_bucket_the_latest_in_it() {
    let exemplars = [(0.5, 5.0), (0.7, 9.0), (10.0, 7.0), (99.0, 8.0)];
    let with = |exemplars: &[(f64, f64)]| {
        let empty = hist("h").buckets(&[1.0, 10.0], &[2, 1, 1], 110.2);
        exemplars
            .iter()
            .fold(empty, |metric, (value, at)| metric.exemplar(|e| e.is(*value).t(*at)))
    };
    let mut reversed = exemplars;
    reversed.reverse();
    let [a, b, c, d] = exemplars;
    for order in [exemplars, reversed, [b, d, a, c]] {
        forms(
            with(&order),
            &[
                (
                    OM,
                    r#"# TYPE h histogram
                    h_bucket{R0,le="1.0"} 2 # {} 0.7 9
                    h_bucket{R0,le="10.0"} 3 # {} 10 7
                    h_bucket{R0,le="+Inf"} 4 # {} 99 8
                    h_count{R0} 4
                    h_sum{R0} 110.2
                    # EOF"#,
                ),
                (
                    P,
                    r#"name: "h" type: HISTOGRAM
                    metric { R0 histogram { sample_count: 4 sample_sum: 110.2
                        bucket { cumulative_count: 2 upper_bound: 1 exemplar { value: 0.7 timestamp { seconds: 9 } } }
                        bucket { cumulative_count: 3 upper_bound: 10 exemplar { value: 10 timestamp { seconds: 7 } } }
                        bucket { cumulative_count: 4 upper_bound: inf exemplar { value: 99 timestamp { seconds: 8 } } } } }"#,
                ),
            ],
        );
    }
    // Upper bounds belong to their buckets, whole numbers are numbers, and a bucket may have none.
    let metric = hist("h")
        .buckets(&[1.0, 10.0], &[2, 1, 1], 110.2)
        .exemplar(|e| e.is(1).t(1.0))
        .exemplar(|e| e.is(11).t(2.0));
    forms(
        metric,
        &[(
            OM,
            r#"# TYPE h histogram
            h_bucket{R0,le="1.0"} 2 # {} 1 1
            h_bucket{R0,le="10.0"} 3
            h_bucket{R0,le="+Inf"} 4 # {} 11 2
            h_count{R0} 4
            h_sum{R0} 110.2
            # EOF"#,
        )],
    );
}

#[test]
fn x_02_below_the_first_bound_and_without_any() {
    let metric = hist("h")
        .buckets(&[-1.0], &[1, 1], 1.0)
        .exemplar(|e| e.is(-5.0).t(1.0))
        .exemplar(|e| e.is(-1.0).t(2.0));
    forms(
        metric,
        &[(
            OM,
            "# TYPE h histogram\nh_bucket{R0,le=\"-1.0\"} 1 # {} -1 2\nh_bucket{R0,le=\"+Inf\"} 2\n# EOF",
        )],
    );
    forms(
        hist("h").buckets(&[], &[1], 1.0).exemplar(|e| e.is(-5.0).t(1.0)),
        &[(
            OM,
            "# TYPE h histogram\nh_bucket{R0,le=\"+Inf\"} 1 # {} -5 1\nh_count{R0} 1\nh_sum{R0} 1\n# EOF",
        )],
    );
    forms(
        hist("h")
            .buckets(&[1.0, f64::INFINITY], &[1, 1, 0], 1.0)
            .exemplar(|e| e.is(5.0).t(1.0)),
        &[(
            OM,
            "# TYPE h histogram\nh_bucket{R0,le=\"1.0\"} 1\nh_bucket{R0,le=\"+Inf\"} 2 # {} 5 1\nh_count{R0} 2\nh_sum{R0} 1\n# EOF",
        )],
    );
}

#[test]
fn x_02_e_08_those_of_an_exponential_histogram_stand_on_its_classic_buckets() {
    let metric = exphist("e")
        .exponential(|p| p.scale(1).zero(1).negative(0, &[1]).positive(0, &[1, 1]).sum(3.0))
        .exemplar(|e| e.is(1.1).t(1.0))
        .exemplar(|e| e.is(2.0).t(2.0))
        .exemplar(|e| e.is(0.0).t(3.0))
        .exemplar(|e| e.is(-1.0).t(4.0))
        .exemplar(|e| e.is(100.0).t(5.0));
    forms(
        metric,
        &[(
            OM,
            r#"# TYPE e histogram
            e_bucket{R0,le="-2.0"} 0
            e_bucket{R0,le="-1.0"} 1 # {} -1 4
            e_bucket{R0,le="0.0"} 2 # {} 0 3
            e_bucket{R0,le="1.0"} 2
            e_bucket{R0,le="2.0"} 4 # {} 2 2
            e_bucket{R0,le="+Inf"} 4 # {} 100 5
            # EOF"#,
        )],
    );
}

#[test]
fn x_03_no_more_than_128_characters_as_written() {
    // Both ids with their names have 63.
    let with_ids = |length: usize| move |e: ExemplarOf| ids(e).attr("k", "é".repeat(length));
    shows(with_ids(64), &format!(" # {{k=\"{}\",{IDS}}} 1 1.5", "é".repeat(64)));
    shows(with_ids(65), &format!(" # {{{IDS}}} 1 1.5"));
    let alone = |length: usize| move |e: ExemplarOf| e.is(1).attr("k", "😀".repeat(length));
    shows(alone(127), &format!(" # {{k=\"{}\"}} 1", "😀".repeat(127)));
    shows(alone(128), " # {} 1");
    // All or none of the attributes.
    shows(
        |e| ids(e).attr("a", "1").attr("k", "x".repeat(64)),
        &format!(" # {{{IDS}}} 1 1.5"),
    );
    // What is escaped in a value counts as it is written: Prometheus does not undo it before it counts.
    shows(
        |e| e.is(1).attr("k", "\"".repeat(63)),
        &format!(" # {{k=\"{}\"}} 1", "\\\"".repeat(63)),
    );
    shows(|e| e.is(1).attr("k", "\"".repeat(64)), " # {} 1");
    // An attribute that gives way to an id does not count.
    shows(
        |e| ids(e).attr("trace_id", "x".repeat(100)).attr("k", "v"),
        &format!(" # {{k=\"v\",{IDS}}} 1 1.5"),
    );
    // Names count as they are written.
    let metric = || {
        counter("reqs_total")
            .is(3)
            .exemplar(|e| e.is(1).attr("a.b", "x".repeat(125)))
    };
    let value = "x".repeat(125);
    forms_by(
        verbatim(),
        metric(),
        &[
            (OM, &openmetrics(&format!(" # {{\"a.b\"=\"{value}\"}} 1"))),
            (
                escaped(OM, Escaping::Underscores),
                &openmetrics(&format!(" # {{a_b=\"{value}\"}} 1")),
            ),
            (escaped(OM, Escaping::Dots), &openmetrics(" # {} 1")),
            (escaped(OM, Escaping::Values), &openmetrics(" # {} 1")),
            (
                escaped(P, Escaping::Values),
                r#"name: "reqs_total" type: COUNTER metric { R0 counter { value: 3 exemplar { value: 1 } } }"#,
            ),
        ],
    );
}

#[test]
fn x_04_o_16_names_of_attributes_are_escaped_as_the_scraper_asks_whatever_the_strategy() {
    shows(
        |e| ids(e).attr("user.id", "u"),
        &format!(" # {{{IDS},\"user.id\"=\"u\"}} 1 1.5"),
    );
    shows(
        |e| {
            e.is(1)
                .attr("a.b", "x")
                .attr("a_b", "y")
                .attr("5", "z")
                .attr("__q", true)
                .attr("__name__", "n")
                .attr("é", "e")
                .attr("empty", "")
        },
        " # {\"5\"=\"z\",_q=\"true\",\"a.b\"=\"x\",a_b=\"y\",\"é\"=\"e\"} 1",
    );
    forms_by(
        verbatim(),
        counter("reqs_total")
            .is(3)
            .exemplar(|e| e.is(1).attr("user.id", "u").attr("user_id", "v").attr("x:y", "w")),
        &[
            (OM, &openmetrics(" # {\"user.id\"=\"u\",user_id=\"v\",\"x:y\"=\"w\"} 1")),
            (
                escaped(OM, Escaping::Underscores),
                &openmetrics(" # {user_id=\"u;v\",x_y=\"w\"} 1"),
            ),
            (
                escaped(OM, Escaping::Dots),
                &openmetrics(" # {user_dot_id=\"u\",user_id=\"v\",x__y=\"w\"} 1"),
            ),
        ],
    );
}

#[test]
fn x_04_the_ids_win_over_attributes_of_their_name() {
    let attributes = |e: ExemplarOf| e.attr("trace_id", "t").attr("span.id", "s");
    shows(|e| attributes(ids(e)), &format!(" # {{\"span.id\"=\"s\",{IDS}}} 1 1.5"));
    shows(|e| attributes(e.is(1)), " # {\"span.id\"=\"s\",trace_id=\"t\"} 1");
    shows(
        |e| attributes(e.is(1).span(SPAN)),
        " # {\"span.id\"=\"s\",span_id=\"eee19b7ec3c1b174\",trace_id=\"t\"} 1",
    );
    forms_by(
        verbatim(),
        counter("reqs_total").is(3).exemplar(|e| attributes(ids(e))),
        &[
            (OM, &openmetrics(&format!(" # {{\"span.id\"=\"s\",{IDS}}} 1 1.5"))),
            (
                escaped(OM, Escaping::Underscores),
                &openmetrics(&format!(" # {{{IDS}}} 1 1.5")),
            ),
        ],
    );
}

#[test]
fn x_05_no_exemplars_in_text_and_none_of_gauges() {
    let metrics = [
        counter("c").is(3).exemplar(ids),
        gauge("g").is(3).exemplar(ids),
        hist("h").buckets(&[], &[1], 1.0).exemplar(ids),
    ];
    let text = "# TYPE c_total counter\nc_total{R0} 3\n# TYPE g gauge\ng{R0} 3\n\
                # TYPE h histogram\nh_bucket{R0,le=\"+Inf\"} 1\nh_sum{R0} 1\nh_count{R0} 1";
    forms(metrics, &[(T4, text), (T1, text)]);
    for metric in [
        gauge("g").is(3),
        updown("g").is(3),
        gauge("g").is(3).meta("prometheus.type", "unknown"),
    ] {
        let bridge = Bridge::new();
        bridge.send(metric.exemplar(ids)).expect_plain();
        for format in [T4, T1, OM, OM2] {
            let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
            assert!(!text.contains(" # "), "{text}");
        }
        let text = crate::families::prototext(&crate::families::decode(&bridge.scrape_as(P, 1 << 16)));
        assert!(!text.contains("exemplar"), "{text}");
    }
    forms(
        gauge("build_info").is(1).meta("prometheus.type", "info").exemplar(ids),
        &[(OM, "# TYPE build info\nbuild_info{R0} 1\n# EOF")],
    );
}

#[test]
fn x_05_v_02_a_counter_that_is_unknown_loses_it_there_and_keeps_it_in_protobuf() {
    forms_by(
        verbatim(),
        counter("c").is(3).exemplar(|e| e.is(1).t(1.0)),
        &[
            (OM, "# TYPE c unknown\nc{R0} 3\n# EOF"),
            (
                P,
                r#"name: "c" type: COUNTER
                metric { R0 counter { value: 3 exemplar { value: 1 timestamp { seconds: 1 } } } }"#,
            ),
            (OM2, "# TYPE c counter\nc{R0} 3 # {} 1 1\n# EOF"),
        ],
    );
}

#[test]
fn x_06_native_ones_are_a_list_with_times_beside_those_of_the_buckets() {
    let metric = || {
        exphist("e")
            .exponential(|p| p.positive(0, &[2, 1]).sum(5.0))
            .exemplar(|e| e.is(3.0).t(9.0))
            .exemplar(|e| e.is(1.5).t(7.0).span(SPAN))
            .exemplar(|e| e.is(1.25).t(8.0))
            .exemplar(|e| e.is(2.5))
    };
    let head = "name: \"e\" type: HISTOGRAM metric { R0 histogram { sample_count: 3 sample_sum: 5 ";
    let classic = r#"bucket { cumulative_count: 0 upper_bound: 1 }
        bucket { cumulative_count: 2 upper_bound: 2 exemplar { value: 1.25 timestamp { seconds: 8 } } }
        bucket { cumulative_count: 3 upper_bound: 4 exemplar { value: 3 timestamp { seconds: 9 } } }
        bucket { cumulative_count: 3 upper_bound: inf }"#;
    let native = r#"schema: 0 zero_threshold: 1e-128 zero_count: 0
        positive_span { offset: 1 length: 2 } positive_delta: 2 positive_delta: -1
        exemplars { label { name: "span_id" value: "eee19b7ec3c1b174" } value: 1.5 timestamp { seconds: 7 } }
        exemplars { value: 1.25 timestamp { seconds: 8 } }
        exemplars { value: 3 timestamp { seconds: 9 } }"#;
    let form = |form| styled(P, |style| style.exponential = form);
    forms(
        metric(),
        &[
            (P, &format!("{head} {classic} {native} }} }}")),
            (form(ExponentialForm::Native), &format!("{head} {native} }} }}")),
            (form(ExponentialForm::Classic), &format!("{head} {classic} }} }}")),
        ],
    );
}

#[test]
fn x_06_ids_that_are_none_are_no_labels() {
    shows(
        |e| {
            e.is(1)
                .trace("00000000000000000000000000000000")
                .span("0000000000000000")
        },
        " # {} 1",
    );
    shows(
        |e| e.is(1).trace(TRACE).span("0000000000000000"),
        " # {trace_id=\"5b8efff798038103d269b633813fc60c\"} 1",
    );
    shows(|e| e.is(1), " # {} 1");
    // Without a value there is none, and the point stays; the others too.
    shows(|e| e.is(Value::Unset).t(9.0).trace(TRACE), "");
    forms(
        counter("reqs")
            .is(3)
            .exemplar(|e| e.is(1).t(1.0))
            .exemplar(|e| e.is(Value::Unset).t(9.0)),
        &[
            (OM, &openmetrics(" # {} 1 1")),
            (
                P,
                r#"name: "reqs_total" type: COUNTER
                metric { R0 counter { value: 3 exemplar { value: 1 timestamp { seconds: 1 } } } }"#,
            ),
        ],
    );
}
