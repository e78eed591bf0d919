//! O: OpenMetrics 2.0, as the page on it has it. Each row is a whole exposition.

use meterbridge::exposition::{Escaping, ExponentialForm, Negotiation, negotiate};
use meterbridge::store;
use meterbridge::translate::{MissingSum, Rules, Strategy};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;

use crate::harness::*;

/// The time that the page's examples begin at, in seconds.
const BEGIN: u64 = 1_700_000_000;

#[track_caller]
fn row(request: impl Into<Request>, expected: &str) {
    row_in(OM2, request, expected);
}

#[track_caller]
fn row_by(rules: Rules, request: impl Into<Request>, expected: &str) {
    forms_by(rules, request, &[(OM2, expected)]);
}

fn read(bridge: &Bridge) -> String {
    String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap()
}

/// The only line of the only family, behind its labels.
#[track_caller]
fn value_of(request: impl Into<Request>) -> String {
    let bridge = Bridge::new();
    bridge.send(request).expect_plain();
    let text = read(&bridge);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let [line] = <[&str; 1]>::try_from(lines).unwrap();
    line.strip_prefix("x_total")
        .or_else(|| line.strip_prefix('x'))
        .and_then(|line| line.strip_prefix(r#"{instance="i1",job="svc"} "#))
        .unwrap_or_else(|| panic!("{line}"))
        .to_owned()
}

fn without_translation() -> Rules {
    Rules {
        strategy: Strategy::NoTranslation,
        ..Rules::default()
    }
}

#[track_caller]
fn answers(accept: &str, on: bool, expected: &str) {
    let negotiation = Negotiation {
        openmetrics2: on,
        ..Negotiation::default()
    };
    assert_eq!(
        negotiate(Some(accept), &negotiation).content_type(),
        expected,
        "{accept}"
    );
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

#[test]
fn o_01_it_is_there_for_who_asks_for_exactly_2_0_0() {
    let asks = "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,\
                application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5";
    let first = "application/openmetrics-text; version=2.0.0; charset=utf-8; escaping=allow-utf-8";
    let second = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
    answers(asks, true, first);
    answers(asks, false, second);
    answers(
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,\
         application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.6",
        true,
        second,
    );
    answers(
        "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6",
        true,
        first,
    );
    answers("application/openmetrics-text;version=2.0.0", false, TEXT);
    answers(
        "APPLICATION/OpenMetrics-Text; Version=\"2.0.0\" ;Escaping=\"allow-utf-8\"",
        true,
        first,
    );
    answers(
        &format!(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8,{asks}"
        ),
        true,
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; \
         escaping=underscores",
    );
}

#[test]
fn o_02_never_for_anybody_else() {
    let first = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    answers("application/openmetrics-text", true, first);
    for accept in [
        "application/openmetrics-text;version=2.0",
        "application/openmetrics-text;version=2",
        "application/openmetrics-text;version=2.1.0",
        "application/openmetrics-text;version=2.0.0-rc",
        "application/openmetrics-text;version=2.0.0-rc0",
        "application/openmetrics-text;version=2.0.0;q=0",
        "application/openmetrics-text;version=",
        "text/plain;version=2.0.0",
        "*/*",
        "*/*;version=2.0.0",
        "application/*",
        "application/*;version=2.0.0",
        "",
    ] {
        answers(accept, true, TEXT);
        answers(
            &format!("{accept},application/openmetrics-text;version=1.0.0;q=0.1"),
            true,
            {
                // A range of any type takes text.
                if accept.starts_with("*/*") { TEXT } else { first }
            },
        );
    }
    let nothing = negotiate(
        None,
        &Negotiation {
            openmetrics2: true,
            ..Negotiation::default()
        },
    );
    assert_eq!(nothing.content_type(), TEXT);
}

#[test]
fn o_03_escaping_is_what_the_clause_says_and_underscores_where_it_says_nothing() {
    for (says, expected) in [
        ("", "underscores"),
        (";escaping=underscores", "underscores"),
        (";escaping=dots", "dots"),
        (";escaping=values", "values"),
        (";escaping=allow-utf-8", "allow-utf-8"),
        (";escaping=other", "underscores"),
    ] {
        answers(
            &format!("application/openmetrics-text;version=2.0.0{says}"),
            true,
            &format!("application/openmetrics-text; version=2.0.0; charset=utf-8; escaping={expected}"),
        );
    }
    let bridge = Bridge::ruled(without_translation());
    bridge
        .send(counter("foo.bar").help("Bars.").unit("By").is(1).attr("x.y", "z"))
        .expect_plain();
    for (escaping, name, label) in [
        (Escaping::Underscores, "foo_bar", "x_y"),
        (Escaping::Dots, "foo_dot_bar", "x_dot_y"),
        (Escaping::Values, "U__foo_2e_bar", "U__x_2e_y"),
    ] {
        let labels = match escaping {
            Escaping::Values => format!(r#"{label}="z",instance="i1",job="svc""#),
            _ => format!(r#"instance="i1",job="svc",{label}="z""#),
        };
        bridge.shows_in(
            escaped(OM2, escaping),
            &format!("# TYPE {name} counter\n# UNIT {name} bytes\n# HELP {name} Bars.\n{name}{{{labels}}} 1\n# EOF"),
        );
    }
}

#[test]
fn o_04_metadata_names_what_the_samples_are_named() {
    row(
        counter("http.client.request.size")
            .unit("By")
            .help("B \"sent\"")
            .is(7)
            .nanos(BEGIN * SECOND + SECOND / 4, (BEGIN + 60) * SECOND),
        r#"
        # TYPE http_client_request_size_bytes_total counter
        # UNIT http_client_request_size_bytes_total bytes
        # HELP http_client_request_size_bytes_total B \"sent\"
        http_client_request_size_bytes_total{instance="i1",job="svc"} 7 st@1700000000.25
        # EOF"#,
    );
}

#[test]
fn o_04_f_09_help_escapes_backslashes_quotes_and_line_feeds() {
    for (help, expected) in [
        ("a \"b\"\\\n", r#"a \"b\"\\\n"#),
        ("é\t{}#", "é\t{}#"),
        (" two  blanks ", " two  blanks "),
        ("# EOF", "# EOF"),
    ] {
        row(
            gauge("g").help(help).is(1),
            &format!("# TYPE g gauge\n# HELP g {expected}\ng{{instance=\"i1\",job=\"svc\"}} 1\n# EOF"),
        );
    }
}

#[test]
fn o_04_whole_numbers_are_exact_and_others_as_in_text() {
    for (value, expected) in [
        (Value::Int(9_007_199_254_740_993), "9007199254740993"),
        (Value::Int(i64::MIN), "-9223372036854775808"),
        (Value::Int(0), "0"),
        (Value::Double(6.0), "6"),
        (Value::Double(-0.0), "-0"),
        (Value::Double(0.1), "0.1"),
        (Value::Double(1e6), "1e+06"),
        (Value::Double(1e-5), "1e-05"),
        (Value::Double(f64::MAX), "1.7976931348623157e+308"),
        (Value::Double(5e-324), "5e-324"),
        (Value::Double(f64::NAN), "NaN"),
        (Value::Double(f64::INFINITY), "+Inf"),
        (Value::Double(f64::NEG_INFINITY), "-Inf"),
    ] {
        assert_eq!(value_of(gauge("x").is(value)), expected);
    }
    assert_eq!(value_of(counter("x").is(f64::INFINITY)), "+Inf");
}

#[test]
fn o_05_neither_suffix_is_needed() {
    let metric = || {
        counter("foo.bar")
            .unit("By")
            .is(1)
            .attr("x.y", "z")
            .s(BEGIN)
            .t(BEGIN + 1)
    };
    row_by(
        without_translation(),
        metric(),
        r#"
        # TYPE "foo.bar" counter
        # UNIT "foo.bar" bytes
        {"foo.bar",instance="i1",job="svc","x.y"="z"} 1 st@1700000000
        # EOF"#,
    );
    let by = |strategy| Rules {
        strategy,
        ..Rules::default()
    };
    row_by(
        by(Strategy::UnderscoreEscapingWithoutSuffixes),
        metric(),
        r#"
        # TYPE foo_bar counter
        # UNIT foo_bar bytes
        foo_bar{instance="i1",job="svc",x_y="z"} 1 st@1700000000
        # EOF"#,
    );
    row_by(
        by(Strategy::NoUtf8EscapingWithSuffixes),
        metric(),
        r#"
        # TYPE "foo.bar_bytes_total" counter
        # UNIT "foo.bar_bytes_total" bytes
        {"foo.bar_bytes_total",instance="i1",job="svc","x.y"="z"} 1 st@1700000000
        # EOF"#,
    );
    // A counter without suffix keeps its exemplar too (V-02 is of 1.0).
    row_by(
        without_translation(),
        counter("foo").is(1).exemplar(|e| e.is(1).t(1.5)),
        "# TYPE foo counter\nfoo{R0} 1 # {} 1 1.5\n# EOF",
    );
    row_by(
        without_translation(),
        hist("a \"b\"").buckets(&[1.0], &[1, 0], 1.0),
        r#"# TYPE "a \"b\"" histogram
        {"a \"b\"",R0} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}
        # EOF"#,
    );
}

#[test]
fn o_06_start_times_in_decimal_seconds() {
    for (start, end, expected) in [
        (BEGIN * SECOND, BEGIN * SECOND, "1 st@1700000000"),
        (BEGIN * SECOND + 1, BEGIN * SECOND + 1, "1 st@1700000000.000000001"),
        (123_456_789, BEGIN * SECOND, "1 st@0.123456789"),
        (1, BEGIN * SECOND, "1 st@0.000000001"),
        (10 * SECOND + 120_000_000, BEGIN * SECOND, "1 st@10.12"),
        (u64::MAX, u64::MAX, "1 st@18446744073.709551615"),
        (0, BEGIN * SECOND, "1"),
    ] {
        assert_eq!(value_of(counter("x").is(1).nanos(start, end)), expected);
    }
    for (metric, expected) in [
        (
            hist("x").buckets(&[], &[1], 1.0),
            "{count:1,sum:1,bucket:[+Inf:1]} st@10",
        ),
        (
            exphist("x").exponential(|p| p.sum(0.0)),
            "{count:0,sum:0,schema:0,zero_threshold:1e-128,zero_count:0,bucket:[+Inf:0]} st@10",
        ),
        (summary("x").quantiles(&[], 1, 1.0), "{count:1,sum:1,quantile:[]} st@10"),
        (gauge("x").is(1), "1"),
        (updown("x").is(1), "1"),
        (updown("x").is(1).delta(), "1"),
    ] {
        assert_eq!(value_of(metric.s(10).t(20)), expected);
    }
}

#[test]
fn o_06_t_03_a_start_after_the_end_is_none() {
    let bridge = Bridge::new();
    bridge.send(counter("c").is(1).s(BEGIN + 1).t(BEGIN));
    bridge.shows_in(
        OM2,
        "# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 1\n# EOF",
    );
}

#[test]
fn o_06_z_04_a_timestamp_stands_before_the_start_and_no_line_of_its_own_is_created() {
    let format = styled(OM2, |style| {
        style.created_lines = true;
        style.timestamps = true;
    });
    let bridge = Bridge::new();
    bridge
        .send([
            counter("c")
                .is(1)
                .nanos(10 * SECOND, 20 * SECOND + SECOND / 2)
                .exemplar(|e| e.is(1).t(15.0)),
            gauge("g").is(1).t(20),
            hist("h").buckets(&[], &[1], 1.0).s(10).t(20),
        ])
        .expect_plain();
    bridge.shows_in(
        format,
        r#"
        # TYPE c_total counter
        c_total{instance="i1",job="svc"} 1 20.5 st@10 # {} 1 15
        # TYPE g gauge
        g{instance="i1",job="svc"} 1 20
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:1,sum:1,bucket:[+Inf:1]} 20 st@10
        # EOF"#,
    );
}

#[test]
fn o_07_gauges_and_what_is_unknown() {
    row(
        [
            gauge("g").is(f64::NEG_INFINITY).is(1.5).attr("p", "C:\\x \"q\"\nz"),
            gauge("u").is(1).meta("prometheus.type", "unknown"),
        ],
        r#"
        # TYPE g gauge
        g{instance="i1",job="svc"} -Inf
        g{instance="i1",job="svc",p="C:\\x \"q\"\nz"} 1.5
        # TYPE u unknown
        u{instance="i1",job="svc"} 1
        # EOF"#,
    );
    // Neither start nor exemplar.
    row(
        [
            gauge("g").is(1).s(10).t(20).exemplar(|e| e.is(1).t(15.0)),
            updown("w").is(1).s(10).t(20).exemplar(|e| e.is(1).t(15.0)),
            updown("v")
                .is(1)
                .s(10)
                .t(20)
                .meta("prometheus.type", "unknown")
                .exemplar(|e| e.is(1).t(15.0)),
        ],
        r#"
        # TYPE g gauge
        g{instance="i1",job="svc"} 1
        # TYPE v unknown
        v{instance="i1",job="svc"} 1
        # TYPE w gauge
        w{instance="i1",job="svc"} 1
        # EOF"#,
    );
}

#[test]
fn o_08_a_unit_needs_no_suffix() {
    row(
        gauge("seconds.since.boot").unit("s").is(9),
        r#"
        # TYPE seconds_since_boot gauge
        # UNIT seconds_since_boot seconds
        seconds_since_boot{instance="i1",job="svc"} 9
        # EOF"#,
    );
}

#[test]
fn o_08_the_translated_word_where_the_grammar_has_it() {
    let unit_by = |rules: &Rules, metric: Build| {
        let bridge = Bridge::ruled(rules.clone());
        bridge.send(metric).expect_plain();
        let text = read(&bridge);
        let line = text.lines().find_map(|line| line.strip_prefix("# UNIT "));
        line.map(|line| line.rsplit_once(' ').unwrap().1.to_owned())
    };
    for rules in [Rules::default(), without_translation()] {
        for (unit, expected) in [
            ("By", Some("bytes")),
            ("ms", Some("milliseconds")),
            ("%", Some("percent")),
            ("By/s", Some("bytes_per_second")),
            ("{request}/s", Some("per_second")),
            ("By{heap}", Some("bytes")),
            ("", None),
            ("1", None),
            ("{request}", None),
            ("{}", None),
            (" ", None),
        ] {
            assert_eq!(
                unit_by(&rules, gauge("x").unit(unit).is(1)).as_deref(),
                expected,
                "{unit}"
            );
        }
    }
    // K-03: of two units none is left.
    let bridge = Bridge::ruled(without_translation());
    bridge.send([gauge("g").unit("s").is(1), gauge("g").unit("ms").is(2).attr("k", "v")]);
    bridge.shows_in(
        OM2,
        r#"# TYPE g gauge
        g{instance="i1",job="svc"} 1
        g{instance="i1",job="svc",k="v"} 2
        # EOF"#,
    );
}

#[test]
fn o_09_a_histogram_is_one_line() {
    row(
        hist("h")
            .unit("s")
            .buckets(&[1.0, 10.0], &[2, 1, 1], 110.2)
            .s(BEGIN)
            .t(BEGIN + 1),
        r#"
        # TYPE h_seconds histogram
        # UNIT h_seconds seconds
        h_seconds{instance="i1",job="svc"} {count:4,sum:110.2,bucket:[1.0:2,10.0:3,+Inf:4]} st@1700000000
        # EOF"#,
    );
}

#[test]
fn o_09_h_02_thresholds_are_spelt_as_in_openmetrics() {
    for (bound, expected) in [
        (1e6, "1e+06"),
        (2.5e6, "2.5e+06"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (100_000.0, "100000.0"),
        (0.0, "0.0"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(
            value_of(hist("x").buckets(&[bound], &[1, 0], 1.0)),
            format!("{{count:1,sum:1,bucket:[{expected}:1,+Inf:1]}}")
        );
    }
}

#[test]
fn o_09_h_07_infinite_bounds() {
    assert_eq!(
        value_of(hist("x").buckets(&[1.0, f64::INFINITY], &[1, 2, 0], 1.0)),
        "{count:3,sum:1,bucket:[1.0:1,+Inf:3]}"
    );
    assert_eq!(
        value_of(hist("x").buckets(&[f64::NEG_INFINITY, 1.0], &[1, 2, 0], 1.0)),
        "{count:3,sum:1,bucket:[1.0:3,+Inf:3]}"
    );
    assert_eq!(
        value_of(hist("x").buckets(&[f64::NEG_INFINITY, f64::INFINITY], &[1, 2, 4], 1.0)),
        "{count:7,sum:1,bucket:[+Inf:7]}"
    );
}

#[test]
fn o_09_h_06_the_count_is_that_of_the_last_bucket() {
    let bridge = Bridge::new();
    bridge.send(hist("h").buckets(&[1.0], &[1, 2], 1.0).count(7));
    bridge.shows_in(
        OM2,
        "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:3,sum:1,bucket:[1.0:1,+Inf:3]}\n# EOF",
    );
}

#[test]
fn o_10_count_and_sum_are_always_there() {
    row(
        [
            hist("h").buckets(&[], &[4], 2.0),
            hist("n").buckets(&[-1.0, 1.0], &[2, 0, 0], -3.0),
            hist("u").buckets(&[1.0], &[1, 0], None),
        ],
        r#"
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:4,sum:2,bucket:[+Inf:4]}
        # TYPE n histogram
        n{instance="i1",job="svc"} {count:2,sum:-3,bucket:[-1.0:2,1.0:2,+Inf:2]}
        # TYPE u histogram
        u{instance="i1",job="svc"} {count:1,sum:NaN,bucket:[1.0:1,+Inf:1]}
        # EOF"#,
    );
    for (sum, expected) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (-0.5, "-0.5"),
    ] {
        assert_eq!(
            value_of(hist("x").buckets(&[1.0], &[1, 0], sum)),
            format!("{{count:1,sum:{expected},bucket:[1.0:1,+Inf:1]}}")
        );
    }
    // Neither buckets nor count: what was sent is a count of none.
    assert_eq!(
        value_of(hist("x").buckets(&[], &[], 0.0)),
        "{count:0,sum:0,bucket:[+Inf:0]}"
    );
    assert_eq!(
        value_of(hist("x").buckets(&[], &[], 2.0).count(4)),
        "{count:4,sum:2,bucket:[+Inf:4]}"
    );
}

#[test]
fn o_11_native_fields_first_then_the_grid() {
    row(
        exphist("e")
            .exponential(|p| p.scale(0).zero(1).negative(0, &[1]).positive(0, &[1]).sum(0.5))
            .s(BEGIN)
            .t(BEGIN + 1),
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:3,sum:0.5,schema:0,zero_threshold:1e-128,zero_count:1,negative_spans:[1:1],negative_buckets:[1],positive_spans:[1:1],positive_buckets:[1],bucket:[-2.0:0,-1.0:1,0.0:2,1.0:2,2.0:3,+Inf:3]} st@1700000000
        # EOF"#,
    );
}

/// Written without the classic buckets.
#[track_caller]
fn native_of(says: impl FnOnce(ExponentialPoint) -> ExponentialPoint) -> String {
    let bridge = Bridge::new();
    bridge.send(exphist("x").exponential(says)).expect_plain();
    let text = String::from_utf8(bridge.scrape_as(native(), 1 << 16)).unwrap();
    let line = text.lines().nth(1).unwrap();
    let value = line
        .strip_prefix(r#"x{instance="i1",job="svc"} {count:"#)
        .and_then(|line| line.strip_suffix('}'));
    value.unwrap().to_owned()
}

fn native() -> meterbridge::exposition::Format {
    styled(OM2, |style| style.exponential = ExponentialForm::Native)
}

#[test]
fn o_11_e_02_spans_are_a_first_offset_and_then_gaps() {
    for (offset, counts, expected) in [
        (-1, &[1][..], "[0:1],positive_buckets:[1]"),
        (-2, &[1, 2], "[-1:2],positive_buckets:[1,2]"),
        (-5, &[1, 1, 0, 1], "[-4:2,1:1],positive_buckets:[1,1,1]"),
        (0, &[0, 0, 3, 0], "[3:1],positive_buckets:[3]"),
        (10, &[7, 0, 0, 0, 0, 0, 0, 1, 2], "[11:1,6:2],positive_buckets:[7,1,2]"),
    ] {
        let total: u64 = counts.iter().sum();
        assert_eq!(
            native_of(|p| p.positive(offset, counts).sum(1.0)),
            format!("{total},sum:1,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:{expected}")
        );
        assert_eq!(
            native_of(|p| p.negative(offset, counts).sum(-1.0)),
            format!("{total},sum:-1,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:{expected}")
                .replace("positive", "negative")
        );
    }
}

#[test]
fn o_11_e_03_e_05_schema_and_zero_threshold() {
    assert_eq!(
        native_of(|p| p.scale(20).threshold(0.25).zero(2).positive(0, &[0, 0, 3, 1]).sum(1.0)),
        "6,sum:1,schema:8,zero_threshold:0.25,zero_count:2,positive_spans:[1:1],positive_buckets:[4]"
    );
    assert_eq!(
        native_of(|p| p.scale(9).positive(-4, &[0, 0, 3, 1]).sum(1.0)),
        "4,sum:1,schema:8,zero_threshold:1e-128,zero_count:0,positive_spans:[0:1],positive_buckets:[4]"
    );
    for threshold in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            native_of(|p| p.scale(-4).threshold(threshold).positive(63, &[1]).sum(1.0)),
            "1,sum:1,schema:-4,zero_threshold:1e-128,zero_count:0,positive_spans:[64:1],positive_buckets:[1]"
        );
    }
    assert_eq!(
        native_of(|p| p.threshold(5e-324).sum(1.0)),
        "0,sum:1,schema:0,zero_threshold:5e-324,zero_count:0"
    );
}

#[test]
fn o_12_native_alone() {
    let bridge = Bridge::ruled(Rules {
        missing_sum: MissingSum::Nan,
        ..Rules::default()
    });
    bridge
        .send([
            exphist("e").exponential(|p| {
                p.scale(3)
                    .threshold(0.001)
                    .positive(3, &[10, 0, 0, 20, 5, 2])
                    .sum(100.0)
            }),
            exphist("n").exponential(|p| p.zero(1).positive(2, &[2])),
            exphist("z").exponential(|p| p.scale(3).sum(0.0)),
        ])
        .expect_plain();
    bridge.shows_in(
        native(),
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:37,sum:100,schema:3,zero_threshold:0.001,zero_count:0,positive_spans:[4:1,2:3],positive_buckets:[10,20,5,2]}
        # TYPE n histogram
        n{instance="i1",job="svc"} {count:3,sum:NaN,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[3:1],positive_buckets:[2]}
        # TYPE z histogram
        z{instance="i1",job="svc"} {count:0,sum:0,schema:3,zero_threshold:1e-128,zero_count:0}
        # EOF"#,
    );
    // And the classic half alone, as 1.0 has it.
    bridge.shows_in(
        styled(OM2, |style| style.exponential = ExponentialForm::Classic),
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:37,sum:100,bucket:[1.0:0,2.0:35,4.0:37,+Inf:37]}
        # TYPE n histogram
        n{instance="i1",job="svc"} {count:3,sum:NaN,bucket:[0.0:1,4.0:1,8.0:3,+Inf:3]}
        # TYPE z histogram
        z{instance="i1",job="svc"} {count:0,sum:0,bucket:[+Inf:0]}
        # EOF"#,
    );
}

#[test]
fn o_12_both_kinds_of_histogram_stand_in_one_family() {
    row(
        [
            hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("k", "a"),
            exphist("h")
                .exponential(|p| p.positive(0, &[1]).sum(2.0))
                .attr("k", "b"),
        ],
        r#"
        # TYPE h histogram
        h{instance="i1",job="svc",k="a"} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}
        h{instance="i1",job="svc",k="b"} {count:1,sum:2,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[1:1],positive_buckets:[1],bucket:[1.0:0,2.0:1,+Inf:1]}
        # EOF"#,
    );
}

#[test]
fn o_13_counts_that_a_double_does_not_hold() {
    const EXACT: u64 = 1 << 53;
    let bridge = Bridge::new();
    bridge
        .send(exphist("e").exponential(|p| p.positive(2, &[EXACT + 1]).sum(10.0)))
        .expect_plain();
    bridge.shows_in(
        native(),
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:9007199254740993,sum:10,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[3:1],positive_buckets:[9007199254740993.0]}
        # EOF"#,
    );
    let head = |count: u64| format!("{count},sum:1,schema:0,zero_threshold:1e-128,zero_count:");
    assert_eq!(
        native_of(|p| p.positive(2, &[EXACT]).sum(1.0)),
        head(EXACT) + "0,positive_spans:[3:1],positive_buckets:[9007199254740992]"
    );
    // All buckets, on both sides.
    assert_eq!(
        native_of(|p| p.negative(0, &[3]).positive(2, &[EXACT, 0, 1]).sum(1.0)),
        head(EXACT + 4)
            + "0,negative_spans:[1:1],negative_buckets:[3.0],positive_spans:[3:1,1:1],\
               positive_buckets:[9007199254740992.0,1.0]"
    );
    // The total counts, wherever it comes from.
    assert_eq!(
        native_of(|p| p.zero(EXACT).positive(0, &[1]).sum(1.0)),
        head(EXACT + 1) + "9007199254740992,positive_spans:[1:1],positive_buckets:[1.0]"
    );
    let largest = u64::MAX >> 1;
    assert_eq!(
        native_of(|p| p.positive(0, &[largest]).sum(1.0)),
        head(largest) + "0,positive_spans:[1:1],positive_buckets:[9223372036854775807.0]"
    );
    // Only native buckets: those of classic histograms stay digits.
    assert_eq!(
        value_of(hist("x").buckets(&[1.0], &[EXACT + 1, 0], 1.0)),
        "{count:9007199254740993,sum:1,bucket:[1.0:9007199254740993,+Inf:9007199254740993]}"
    );
    assert_eq!(
        value_of(exphist("x").exponential(|p| p.positive(0, &[EXACT + 1]).sum(1.0))),
        "{count:9007199254740993,sum:1,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[1:1],\
         positive_buckets:[9007199254740993.0],bucket:[1.0:0,2.0:9007199254740993,+Inf:9007199254740993]}"
    );
}

#[test]
fn o_14_summaries() {
    row(
        [
            summary("s")
                .quantiles(&[(0.5, 1.5), (1.0, 3.0)], 2, 4.0)
                .s(BEGIN)
                .t(BEGIN + 1),
            summary("t").quantiles(&[], 2, 4.0),
        ],
        r#"
        # TYPE s summary
        s{instance="i1",job="svc"} {count:2,sum:4,quantile:[0.5:1.5,1.0:3]} st@1700000000
        # TYPE t summary
        t{instance="i1",job="svc"} {count:2,sum:4,quantile:[]}
        # EOF"#,
    );
    assert_eq!(
        value_of(summary("x").quantiles(&[(1.0, f64::NAN), (0.0, 0.0), (0.5, f64::INFINITY), (0.5, 2.0)], 1, 0.0)),
        "{count:1,sum:0,quantile:[0.0:0,0.5:2,1.0:NaN]}"
    );
}

#[test]
fn o_14_a_summary_that_must_not_be_is_left_out_and_counted() {
    let good = || summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0);
    let shown = "# TYPE s summary\ns{instance=\"i1\",job=\"svc\"} {count:1,sum:1,quantile:[0.5:1.0]}\n# EOF";
    let shown = shown.replace("0.5:1.0", "0.5:1");
    for (quantile, sum) in [
        (1.0, f64::NAN),
        (1.0, -3.0),
        (1.0, f64::NEG_INFINITY),
        (-1.0, 1.0),
        (f64::NEG_INFINITY, 1.0),
    ] {
        let bridge = Bridge::new();
        let bad = summary("s").quantiles(&[(0.5, quantile)], 1, sum);
        bridge.send([good(), bad.clone().attr("k", "v")]).expect_plain();
        bridge.shows_in(OM2, &shown);
        let alone = Bridge::new();
        alone.send(bad).expect_plain();
        // Counted once.
        assert_eq!([alone.left_out(OM2), alone.left_out(OM2)], [1, 0]);
        alone.shows_in(OM2, "# EOF");
        assert!(alone.scrape().starts_with("# TYPE s summary\ns{"));
    }
    let infinite = summary("x").quantiles(&[(0.5, f64::INFINITY)], 1, f64::INFINITY);
    assert_eq!(value_of(infinite), "{count:1,sum:+Inf,quantile:[0.5:+Inf]}");
}

#[test]
fn o_15_info_and_stateset() {
    let request = from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([
        gauge("build_info")
            .is(1)
            .attr("rev", "abc")
            .meta("prometheus.type", "info"),
        gauge("door_state")
            .meta("prometheus.type", "stateset")
            .is(1)
            .attr("door_state", "open")
            .is(0)
            .attr("door_state", "shut"),
    ]);
    row(
        request,
        r#"
        # TYPE target_info info
        # HELP target_info Target metadata
        target_info{host_name="h",instance="i1",job="svc",service_version="1.2"} 1
        # TYPE build_info info
        build_info{instance="i1",job="svc",rev="abc"} 1
        # TYPE door_state stateset
        door_state{door_state="open",instance="i1",job="svc"} 1
        door_state{door_state="shut",instance="i1",job="svc"} 0
        # EOF"#,
    );
}

#[test]
fn o_15_target_info_is_first_and_there_for_each_source() {
    let bridge = Bridge::new();
    for instance in ["b", "a"] {
        let resource = [
            ("service.name", "svc"),
            ("service.instance.id", instance),
            ("host.name", "h"),
        ];
        bridge
            .send(from(&resource).metrics([gauge("a").is(1), gauge("zz").is(1)]))
            .expect_plain();
    }
    bridge.shows_in(
        OM2,
        r#"
        # TYPE target_info info
        # HELP target_info Target metadata
        target_info{host_name="h",instance="a",job="svc"} 1
        target_info{host_name="h",instance="b",job="svc"} 1
        # TYPE a gauge
        a{instance="b",job="svc"} 1
        a{instance="a",job="svc"} 1
        # TYPE zz gauge
        zz{instance="b",job="svc"} 1
        zz{instance="a",job="svc"} 1
        # EOF"#,
    );
}

#[test]
fn o_15_what_is_no_info_or_stateset_is_a_gauge() {
    let info = |name: &str| gauge(name).meta("prometheus.type", "info");
    let states = |name: &str| gauge(name).meta("prometheus.type", "stateset");
    let by = |rules: Rules, metric: Build| {
        let bridge = Bridge::ruled(rules);
        bridge.send(metric).expect_plain();
        let text = read(&bridge);
        let head = text.lines().next().unwrap();
        // No unit, whatever it is written as (F-07).
        assert!(!text.contains("# UNIT"), "{text}");
        head.rsplit_once(' ').unwrap().1.to_owned()
    };
    for (metric, expected) in [
        (info("i").is(1), "info"),
        (info("i").is(1.0).unit("s"), "info"),
        (info("i").is(2), "gauge"),
        (info("i").is(0), "gauge"),
        (info("i").is(f64::NAN), "gauge"),
        (info("i").is(1).attr("k", "a").is(0).attr("k", "b"), "gauge"),
        (states("s").is(1).attr("s", "a"), "stateset"),
        (states("s").unit("s").is(1).attr("s_seconds", "a"), "stateset"),
        (states("s").is(1), "gauge"),
        (states("s").is(1).attr("s", ""), "gauge"),
        (states("s").is(1).attr("other", "a"), "gauge"),
        (states("s").is(2).attr("s", "a"), "gauge"),
        (states("s").is(f64::NAN).attr("s", "a"), "gauge"),
        (states("s").is(-1).attr("s", "a"), "gauge"),
        (states("s").is(1).attr("s", "a").is(0).attr("k", "b"), "gauge"),
    ] {
        assert_eq!(by(Rules::default(), metric.clone()), expected, "{metric:?}");
    }
    for (metric, expected) in [
        (info("i").is(1), "gauge"),
        (info("i_info").is(1), "info"),
        (info("_info").is(1), "info"),
        (info("i.info").is(1), "gauge"),
        (states("s.s").is(1).attr("s.s", "a"), "stateset"),
        (states("s.s").is(1).attr("s_s", "a"), "gauge"),
    ] {
        assert_eq!(by(without_translation(), metric.clone()), expected, "{metric:?}");
    }
}

#[test]
fn o_15_the_label_of_a_stateset_is_that_of_the_name_as_it_is_written() {
    let bridge = Bridge::ruled(without_translation());
    bridge
        .send(gauge("s.s").meta("prometheus.type", "stateset").is(1).attr("s.s", "a"))
        .expect_plain();
    bridge.shows_in(
        OM2,
        r#"# TYPE "s.s" stateset
        {"s.s",instance="i1",job="svc","s.s"="a"} 1
        # EOF"#,
    );
    bridge.shows_in(
        escaped(OM2, Escaping::Underscores),
        r#"# TYPE s_s stateset
        s_s{instance="i1",job="svc",s_s="a"} 1
        # EOF"#,
    );
}

const TRACE: &str = "5B8EFFF798038103D269B633813FC60C";
const SPAN: &str = "EEE19B7EC3C1B174";

fn at(seconds: f64) -> f64 {
    BEGIN as f64 + seconds
}

#[test]
fn o_16_exemplars() {
    let request = [
        counter("reqs")
            .is(3)
            .s(BEGIN)
            .t(BEGIN + 60)
            .exemplar(|e| e.is(1).t(at(2.0)).trace(TRACE).span(SPAN))
            .exemplar(|e| e.is(1).t(at(1.5)).attr("trace_id", "a")),
        hist("h")
            .buckets(&[1.0, 10.0], &[2, 1, 1], 110.2)
            .exemplar(|e| e.is(99).t(at(8.0)).attr("user.id", "7"))
            .exemplar(|e| e.is(0.5).t(at(5.0)))
            .exemplar(|e| e.is(0.7).t(at(9.0)).attr("trace_id", "b"))
            .exemplar(|e| e.is(10).t(at(7.0))),
        exphist("e")
            .exponential(|p| p.zero(1).positive(2, &[2]).sum(10.0))
            .exemplar(|e| e.is(7.5).nanos(BEGIN * SECOND + 10_123_000_000).attr("trace_id", "c"))
            .exemplar(|e| e.is(5).t(at(9.0)).attr("trace_id", "a")),
    ];
    let bridge = Bridge::ruled(Rules {
        strategy: Strategy::NoUtf8EscapingWithSuffixes,
        ..Rules::default()
    });
    bridge.send(request).expect_plain();
    bridge.shows_in(
        OM2,
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:3,sum:10,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[3:1],positive_buckets:[2],bucket:[0.0:1,4.0:1,8.0:3,+Inf:3]} # {trace_id="a"} 5 1700000009 # {trace_id="c"} 7.5 1700000010.123
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:4,sum:110.2,bucket:[1.0:2,10.0:3,+Inf:4]} # {trace_id="b"} 0.7 1700000009 # {} 10 1700000007 # {"user.id"="7"} 99 1700000008
        # TYPE reqs_total counter
        reqs_total{instance="i1",job="svc"} 3 st@1700000000 # {trace_id="a"} 1 1700000001.5 # {span_id="eee19b7ec3c1b174",trace_id="5b8efff798038103d269b633813fc60c"} 1 1700000002
        # EOF"#,
    );
}

/// What stands behind the value of a counter `x`.
#[track_caller]
fn exemplars_of(metric: Build) -> String {
    let value = value_of(metric);
    value.split_once(" # ").map_or("", |(_, rest)| rest).to_owned()
}

#[test]
fn o_16_o_21_a_counter_has_the_newest_10_oldest_first() {
    let of = |times: &[u64]| {
        times.iter().fold(counter("x").is(3), |metric, time| {
            metric.exemplar(|e| e.is(1).t(*time as f64))
        })
    };
    assert_eq!(exemplars_of(of(&[3, 1, 2])), "{} 1 1 # {} 1 2 # {} 1 3");
    let ten: Vec<String> = (5..15).map(|time| format!("{{}} 1 {time}")).collect();
    assert_eq!(
        exemplars_of(of(&[14, 1, 13, 2, 12, 3, 11, 4, 10, 5, 9, 6, 8, 7])),
        ten.join(" # ")
    );
    assert_eq!(exemplars_of(of(&[])), "");
}

#[test]
fn o_16_o_21_a_histogram_has_10_at_most_in_bucket_order() {
    let bounds: Vec<f64> = (1..=12).map(f64::from).collect();
    // The first two are the oldest.
    let times = [1, 2, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3];
    let metric = times
        .iter()
        .enumerate()
        .fold(hist("x").buckets(&bounds, &[1; 13], 1.0), |metric, (value, time)| {
            metric.exemplar(|e| e.is(value as f64 + 0.5).t(f64::from(*time)))
        });
    let expected: Vec<String> = times
        .iter()
        .enumerate()
        .filter(|(_, time)| **time > 3)
        .map(|(value, time)| format!("{{}} {value}.5 {time}"))
        .collect();
    assert_eq!(exemplars_of(metric), expected.join(" # "));
    let exponential = (1..=12).fold(
        exphist("x").exponential(|p| p.positive(0, &[12]).sum(12.0)),
        |metric, at| metric.exemplar(|e| e.is(-f64::from(at)).t(f64::from(at))),
    );
    let expected: Vec<String> = (3..=12).rev().map(|at| format!("{{}} -{at} {at}")).collect();
    assert_eq!(exemplars_of(exponential), expected.join(" # "));
}

#[test]
fn o_16_x_02_classic_buckets_have_the_latest_of_each() {
    let bridge = Bridge::new();
    bridge
        .send([
            exphist("e")
                .exponential(|p| p.positive(0, &[2, 1]).sum(5.0))
                .exemplar(|e| e.is(1.5).t(5.0))
                .exemplar(|e| e.is(2).t(4.0))
                .exemplar(|e| e.is(3).t(3.0)),
            // What lies in the bucket that is not written lies in the next one.
            hist("h")
                .buckets(&[f64::NEG_INFINITY, 1.0], &[1, 1, 0], 1.0)
                .exemplar(|e| e.is(f64::NEG_INFINITY).t(5.0))
                .exemplar(|e| e.is(0.5).t(6.0)),
        ])
        .expect_plain();
    bridge.shows_in(
        styled(OM2, |style| style.exponential = ExponentialForm::Classic),
        r#"
        # TYPE e histogram
        e{instance="i1",job="svc"} {count:3,sum:5,bucket:[1.0:0,2.0:2,4.0:3,+Inf:3]} # {} 1.5 5 # {} 3 3
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:2,sum:1,bucket:[1.0:2,+Inf:2]} # {} 0.5 6
        # EOF"#,
    );
}

#[test]
fn o_17_an_exemplar_without_a_time_is_dropped() {
    for metric in [
        counter("x").is(3),
        hist("x").buckets(&[1.0], &[1, 0], 1.0),
        exphist("x").exponential(|p| p.positive(0, &[1]).sum(1.0)),
    ] {
        assert_eq!(exemplars_of(metric.clone().exemplar(|e| e.is(1))), "");
        assert_eq!(
            exemplars_of(
                metric
                    .exemplar(|e| e.is(1))
                    .exemplar(|e| e.is(0.5).t(1.5).attr("k", "v"))
            ),
            "{k=\"v\"} 0.5 1.5"
        );
    }
    assert_eq!(
        exemplars_of(counter("x").is(3).exemplar(|e| e.is(1).nanos(1))),
        "{} 1 0.000000001"
    );
}

#[test]
fn o_17_x_03_x_04_labels_are_quoted_joined_and_128_characters_at_most() {
    let utf8 = |says: fn(ExemplarOf) -> ExemplarOf| {
        let bridge = Bridge::ruled(without_translation());
        bridge
            .send(counter("x").is(3).exemplar(|e| says(e.is(1).t(1.5))))
            .expect_plain();
        let text = read(&bridge);
        let escaped_text = bridge.scrape_as(escaped(OM2, Escaping::Underscores), 1 << 16);
        let rest = |text: &str| text.split_once(" # ").unwrap().1.split_once('}').unwrap().0.to_owned() + "}";
        (rest(&text), rest(&String::from_utf8(escaped_text).unwrap()))
    };
    let expect = |found: (String, String), utf8: &str, underscores: &str| {
        assert_eq!((&*found.0, &*found.1), (utf8, underscores));
    };
    expect(
        utf8(|e| e.attr("user.id", "7")),
        r#"{"user.id"="7"}"#,
        r#"{user_id="7"}"#,
    );
    expect(
        utf8(|e| e.attr("a.b", "x").attr("a_b", "y")),
        r#"{"a.b"="x",a_b="y"}"#,
        r#"{a_b="x;y"}"#,
    );
    expect(utf8(|e| e.attr("k", "a\\\"\n")), r#"{k="a\\\"\n"}"#, r#"{k="a\\\"\n"}"#);
    for (length, is_there) in [(127, true), (128, false)] {
        let value = "é".repeat(length);
        let metric = counter("x").is(3).exemplar(|e| e.is(1).t(1.5).attr("k", value.clone()));
        let expected = if is_there {
            format!("{{k=\"{value}\"}} 1 1.5")
        } else {
            "{} 1 1.5".to_owned()
        };
        assert_eq!(exemplars_of(metric), expected);
    }
}

#[test]
fn o_18_no_label_le_or_quantile() {
    row(
        [
            hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("le", "x"),
            exphist("i").exponential(|p| p.sum(1.0)).attr("le", "x"),
            summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0).attr("quantile", "x"),
            gauge("w").is(1).attr("le", "x").attr("quantile", "y"),
        ],
        r#"
        # TYPE h histogram
        h{exported_le="x",instance="i1",job="svc"} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}
        # TYPE i histogram
        i{exported_le="x",instance="i1",job="svc"} {count:0,sum:1,schema:0,zero_threshold:1e-128,zero_count:0,bucket:[+Inf:0]}
        # TYPE s summary
        s{exported_quantile="x",instance="i1",job="svc"} {count:1,sum:1,quantile:[0.5:1]}
        # TYPE w gauge
        w{instance="i1",job="svc",le="x",quantile="y"} 1
        # EOF"#,
    );
}

#[test]
fn o_19_a_counter_and_a_gauge_of_its_stem_both_stay() {
    let bridge = Bridge::new();
    bridge.send([counter("foo").is(1), gauge("foo").is(2)]).expect_plain();
    bridge.shows_in(
        OM2,
        r#"
        # TYPE foo gauge
        foo{instance="i1",job="svc"} 2
        # TYPE foo_total counter
        foo_total{instance="i1",job="svc"} 1
        # EOF"#,
    );
    assert_eq!((bridge.left_out(OM2), bridge.left_out(OM)), (0, 1));
}

#[test]
fn o_19_k_04_names_of_derived_samples_stay_taken() {
    for name in ["h_count", "h_sum", "h_bucket", "h_created"] {
        let bridge = Bridge::new();
        bridge
            .send([hist("h").buckets(&[1.0], &[1, 0], 1.0), gauge(name).is(1)])
            .refuses(1, &[("name_conflict", 1)]);
        bridge.shows_in(
            OM2,
            "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}\n# EOF",
        );
    }
    // Those that meet only by escaping: the later one is left out.
    let bridge = Bridge::ruled(without_translation());
    bridge
        .send([hist("h").buckets(&[1.0], &[1, 0], 1.0), gauge("h.count").is(1)])
        .expect_plain();
    bridge.shows_in(
        escaped(OM2, Escaping::Underscores),
        "# TYPE h histogram\nh{instance=\"i1\",job=\"svc\"} {count:1,sum:1,bucket:[1.0:1,+Inf:1]}\n# EOF",
    );
    assert_eq!(bridge.left_out(OM2), 0);
}

#[test]
fn o_19_c_06_what_meets_by_escaping_is_one_line() {
    let bridge = Bridge::ruled(without_translation());
    bridge
        .send([
            gauge("a.b").is(1).t(1),
            gauge("a_b").is(2).t(2),
            gauge("g").is(1).attr("k.l", "x").attr("k_l", "y"),
            counter("c.d").is(1).s(5).t(10),
            counter("c_d").is(2).s(6).t(9),
        ])
        .expect_plain();
    bridge.shows_in(
        escaped(OM2, Escaping::Underscores),
        r#"
        # TYPE a_b gauge
        a_b{instance="i1",job="svc"} 2
        # TYPE c_d counter
        c_d{instance="i1",job="svc"} 1 st@5
        # TYPE g gauge
        g{instance="i1",job="svc",k_l="x;y"} 1
        # EOF"#,
    );
}

#[test]
fn o_20_no_series_is_the_end_alone() {
    let bridge = Bridge::new();
    bridge.shows_in(OM2, "# EOF");
    assert_eq!(bridge.scrape_as(OM2, 1 << 16), b"# EOF\n");
    bridge.send(gauge("g").is(1)).expect_plain();
    bridge.send(gauge("g").is(1).t(2).stale()).expect_plain();
    bridge.shows_in(OM2, "# EOF");
}

#[test]
fn o_20_one_block_of_each_family_whoever_sends_it() {
    let bridge = Bridge::new();
    for (service, scope) in [("a", "x"), ("b", "y"), ("a", "y"), ("b", "x")] {
        let scope = InstrumentationScope {
            name: scope.to_owned(),
            ..InstrumentationScope::default()
        };
        bridge
            .send(from(&[("service.name", service)]).scope(
                scope,
                "",
                [
                    hist("h").buckets(&[1.0], &[1, 0], 1.0),
                    summary("s").quantiles(&[], 1, 1.0),
                    gauge("g").is(1),
                ],
            ))
            .expect_plain();
    }
    for size in [1, 100, 1 << 16] {
        let text = String::from_utf8(bridge.scrape_as(OM2, size)).unwrap();
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(
            heads,
            ["# TYPE g gauge", "# TYPE h histogram", "# TYPE s summary", "# EOF"]
        );
        let blocks: Vec<usize> = text.split("# TYPE").map(|block| block.lines().count()).collect();
        assert_eq!(blocks, [0, 5, 5, 6]);
    }
}

#[test]
fn o_20_nothing_that_is_sent_breaks_the_frame() {
    let rules = Rules {
        strategy: Strategy::NoTranslation,
        ..Rules::default()
    };
    let request = from_r0(&[("host\r\nname", "a\r\nb")]).metrics([gauge("a\r\nb")
        .unit("\n")
        .help("one\r\ntwo")
        .is(1)
        .attr("k\n", "v\r")
        .attr("l", "\n# EOF\n")]);
    let bridge = Bridge::ruled(rules);
    bridge.send(request).expect_plain();
    let text = read(&bridge);
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines.last(), Some(&""));
    assert_eq!(lines.iter().filter(|line| line.is_empty()).count(), 1, "{text}");
    assert_eq!(lines.len(), 8, "{text}");
    assert!(!lines.iter().any(|line| line.ends_with('\r')), "{text:?}");
}

#[test]
fn o_21_no_more_than_160_native_buckets_on_a_side() {
    let counts = [1; 161];
    let found = native_of(|p| p.scale(3).positive(7, &counts).negative(5, &[1]).sum(1.0));
    let (head, rest) = found.split_once(",negative_spans").unwrap();
    assert_eq!(head, "162,sum:1,schema:2,zero_threshold:1e-128,zero_count:0");
    // By pairs from index 7 on, of which the first stands alone.
    assert!(
        rest.starts_with(":[3:1],negative_buckets:[1],positive_spans:[4:81],positive_buckets:[1,2,2,"),
        "{rest}"
    );
    let bridge = Bridge::with(store::Limits::default(), Rules::default());
    bridge
        .send(exphist("x").exponential(|p| p.scale(3).positive(7, &counts[1..]).sum(1.0)))
        .expect_plain();
    let text = read(&bridge);
    assert!(
        text.contains("schema:3,") && text.contains("positive_spans:[8:160]"),
        "{text}"
    );
}
