//! What is one thing in the store and another in each format: types, heads, order, times, and families that meet only there.

use meterbridge::exposition::ExponentialForm;
use meterbridge::translate::{Advice, Rules, Strategy};

use crate::harness::*;

const WITHOUT_SUFFIXES: [Strategy; 2] = [Strategy::UnderscoreEscapingWithoutSuffixes, Strategy::NoTranslation];

fn rules(strategy: Strategy) -> Rules {
    Rules {
        strategy,
        ..Rules::default()
    }
}

fn hinted(metric: Build, hint: &str) -> Build {
    metric.meta("prometheus.type", hint)
}

/// The blocks of the page, letter by letter.
#[test]
fn g_03_k_05_r_05_f_07_the_blocks_of_openmetrics() {
    row_in(
        OM,
        hinted(gauge("build_info").is(1).attr("rev", "abc"), "info"),
        r#"# TYPE build info
        build_info{instance="i1",job="svc",rev="abc"} 1
        # EOF"#,
    );
    row_in(
        OM,
        from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([gauge("g").is(1)]),
        r#"# TYPE target info
        # HELP target Target metadata
        target_info{host_name="h",instance="i1",job="svc",service_version="1.2"} 1
        # TYPE g gauge
        g{instance="i1",job="svc"} 1
        # EOF"#,
    );
    row_in(
        OM,
        counter("http.client.request.size").unit("By").is(7),
        r#"# TYPE http_client_request_size_bytes counter
        # UNIT http_client_request_size_bytes bytes
        http_client_request_size_bytes_total{instance="i1",job="svc"} 7
        # EOF"#,
    );
    row_in(
        OM,
        [counter("foo").is(1), gauge("foo").is(2)],
        r#"# TYPE foo counter
        foo_total{instance="i1",job="svc"} 1
        # EOF"#,
    );
}

// G-03, F-08: types

#[test]
fn g_03_an_info_in_every_format() {
    let info = hinted(gauge("build_info").is(1).attr("rev", "abc"), "info");
    let text = "# TYPE build_info gauge\nbuild_info{R0,rev=\"abc\"} 1";
    forms(
        info,
        &[
            (OM, "# TYPE build info\nbuild_info{R0,rev=\"abc\"} 1\n# EOF"),
            (OM2, "# TYPE build_info info\nbuild_info{R0,rev=\"abc\"} 1\n# EOF"),
            (T4, text),
            (T1, text),
            (
                P,
                r#"name: "build_info" type: GAUGE
                metric { R0 label { name: "rev" value: "abc" } gauge { value: 1 } }"#,
            ),
        ],
    );
}

#[test]
fn g_03_an_info_gets_its_suffix_where_suffixes_are_added() {
    for metric in [gauge("build").is(1), updown("build").is(1.0), gauge("build.info").is(1)] {
        forms(
            hinted(metric, "info"),
            &[
                (OM, "# TYPE build info\nbuild_info{R0} 1\n# EOF"),
                (T4, "# TYPE build_info gauge\nbuild_info{R0} 1"),
                (P, r#"name: "build_info" type: GAUGE metric { R0 gauge { value: 1 } }"#),
            ],
        );
    }
    for strategy in WITHOUT_SUFFIXES {
        forms_by(
            rules(strategy),
            hinted(gauge("build").is(1), "info"),
            &[
                (OM, "# TYPE build gauge\nbuild{R0} 1\n# EOF"),
                (T4, "# TYPE build gauge\nbuild{R0} 1"),
            ],
        );
        forms_by(
            rules(strategy),
            hinted(gauge("build_info").is(1), "info"),
            &[(OM, "# TYPE build info\nbuild_info{R0} 1\n# EOF")],
        );
    }
}

#[test]
fn g_03_unknown_has_a_word_of_its_own_in_each_format() {
    for hint in ["unknown", "unkown"] {
        for metric in [gauge("x").is(-2.5), updown("x").is(-2.5)] {
            forms(
                hinted(metric, hint),
                &[
                    (T4, "# TYPE x untyped\nx{R0} -2.5"),
                    (T1, "# TYPE x untyped\nx{R0} -2.5"),
                    (OM, "# TYPE x unknown\nx{R0} -2.5\n# EOF"),
                    (OM2, "# TYPE x unknown\nx{R0} -2.5\n# EOF"),
                    (P, r#"name: "x" type: UNTYPED metric { R0 untyped { value: -2.5 } }"#),
                ],
            );
        }
    }
}

#[test]
fn g_03_a_stateset_has_a_label_of_its_name() {
    let state = |name: &str, value: i64| gauge("phase").is(value).attr("phase", name);
    let both = || hinted(state("on", 1), "stateset").is(0).attr("phase", "off");
    forms(
        both(),
        &[
            (
                OM,
                "# TYPE phase stateset\nphase{R0,phase=\"on\"} 1\nphase{R0,phase=\"off\"} 0\n# EOF",
            ),
            (
                T4,
                "# TYPE phase gauge\nphase{R0,phase=\"on\"} 1\nphase{R0,phase=\"off\"} 0",
            ),
            (
                P,
                r#"name: "phase" type: GAUGE
                metric { R0 label { name: "phase" value: "on" } gauge { value: 1 } }
                metric { R0 label { name: "phase" value: "off" } gauge { value: 0 } }"#,
            ),
        ],
    );
    for (odd, line) in [
        (both().is(2).attr("phase", "x"), "phase{R0,phase=\"x\"} 2"),
        (both().is(0.5).attr("phase", "x"), "phase{R0,phase=\"x\"} 0.5"),
        (both().is(f64::NAN).attr("phase", "x"), "phase{R0,phase=\"x\"} NaN"),
        (both().is(1), "phase{R0} 1"),
        (both().is(1).attr("stage", "x"), "phase{R0,stage=\"x\"} 1"),
        (both().is(1).attr("phase", ""), "phase{R0} 1"),
    ] {
        let expected =
            format!("# TYPE phase gauge\nphase{{R0,phase=\"on\"}} 1\nphase{{R0,phase=\"off\"}} 0\n{line}\n# EOF");
        forms(odd, &[(OM, &expected)]);
    }
}

#[test]
fn g_03_one_value_that_is_not_1_makes_the_family_a_gauge() {
    for (value, text) in [(2.0, "2"), (0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (1.5, "1.5")] {
        let metric = hinted(gauge("build").is(1).attr("a", "1"), "info")
            .is(value)
            .attr("a", "2");
        let expected =
            format!("# TYPE build_info gauge\nbuild_info{{a=\"1\",R0}} 1\nbuild_info{{a=\"2\",R0}} {text}\n# EOF");
        forms(metric, &[(OM, &expected)]);
    }
}

#[test]
fn g_03_k_05_a_name_that_no_info_needs_is_free() {
    // As a plain gauge it takes the name build_info alone.
    let bridge = Bridge::new();
    bridge
        .send([hinted(gauge("build_info").is(2), "info"), gauge("build").is(3)])
        .expect_plain();
    bridge.shows_forms(&[(
        OM,
        "# TYPE build gauge\nbuild{R0} 3\n# TYPE build_info gauge\nbuild_info{R0} 2\n# EOF",
    )]);
    bridge
        .send(hinted(gauge("build_info").is(1).t(2), "info"))
        .expect_plain();
    bridge.shows_forms(&[(OM, "# TYPE build info\nbuild_info{R0} 1\n# EOF")]);
}

#[test]
fn g_03_other_hints_and_other_kinds_are_what_they_are() {
    for hint in ["", "gauge", "counter", "histogram", "Info", "untyped"] {
        forms(
            hinted(gauge("g").is(1), hint),
            &[
                (OM, "# TYPE g gauge\ng{R0} 1\n# EOF"),
                (P, r#"name: "g" type: GAUGE metric { R0 gauge { value: 1 } }"#),
            ],
        );
    }
    for hint in ["info", "stateset", "unknown", "gauge"] {
        forms(
            hinted(counter("c").is(1), hint),
            &[(OM, "# TYPE c counter\nc_total{R0} 1\n# EOF")],
        );
        forms(
            hinted(summary("s").quantiles(&[], 1, 1.0), hint),
            &[(OM, "# TYPE s summary\ns_count{R0} 1\ns_sum{R0} 1\n# EOF")],
        );
    }
}

#[test]
fn f_08_the_words_of_each_format() {
    let of_every_kind = [
        counter("a").is(1),
        gauge("b").is(1),
        hinted(gauge("c").is(1), "info"),
        hinted(gauge("d").is(1).attr("d", "x"), "stateset"),
        hinted(gauge("e").is(1), "unknown"),
        hist("f").buckets(&[], &[1], 1.0),
        exphist("g").exponential(|p| p.positive(0, &[1]).sum(1.0)),
        summary("h").quantiles(&[], 1, 1.0),
    ];
    let bridge = Bridge::new();
    bridge.send(of_every_kind).expect_plain();
    let words = |format| {
        let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    let text = "a_total counter, b gauge, c_info gauge, d gauge, e untyped, f histogram, g histogram, h summary";
    assert_eq!(words(T4), text);
    assert_eq!(words(T1), text);
    assert_eq!(
        words(OM),
        "a counter, b gauge, c info, d stateset, e unknown, f histogram, g histogram, h summary"
    );
    assert_eq!(
        words(OM2),
        "a_total counter, b gauge, c_info info, d stateset, e unknown, f histogram, g histogram, h summary"
    );
}

// F-07, K-03: units

#[test]
fn f_07_the_unit_where_the_name_ends_in_it() {
    forms(
        counter("http.client.request.size").unit("By").is(7),
        &[
            (
                OM,
                "# TYPE http_client_request_size_bytes counter\n# UNIT http_client_request_size_bytes bytes\n\
                 http_client_request_size_bytes_total{R0} 7\n# EOF",
            ),
            (
                T4,
                "# TYPE http_client_request_size_bytes_total counter\nhttp_client_request_size_bytes_total{R0} 7",
            ),
            (
                T1,
                "# TYPE http_client_request_size_bytes_total counter\nhttp_client_request_size_bytes_total{R0} 7",
            ),
            (
                P,
                r#"name: "http_client_request_size_bytes_total" type: COUNTER unit: "bytes"
                metric { R0 counter { value: 7 } }"#,
            ),
        ],
    );
    for (name, unit, family, word) in [
        ("x", "s", "x_seconds", "seconds"),
        ("x_seconds", "s", "x_seconds", "seconds"),
        ("x", "By/s", "x_bytes_per_second", "bytes_per_second"),
        ("x", "1/s", "x_per_second", "per_second"),
        ("x", "None", "x_None", "None"),
        ("x", "%", "x_percent", "percent"),
        ("x", "By{heap}", "x_bytes", "bytes"),
        ("seconds.x.seconds", "s", "seconds_x_seconds", "seconds"),
    ] {
        let expected = format!("# TYPE {family} gauge\n# UNIT {family} {word}\n{family}{{R0}} 1\n# EOF");
        let protobuf = format!(r#"name: "{family}" type: GAUGE unit: "{word}" metric {{ R0 gauge {{ value: 1 }} }}"#);
        forms(gauge(name).unit(unit).is(1), &[(OM, &expected), (P, &protobuf)]);
    }
}

#[test]
fn f_07_the_unit_of_histograms_and_summaries_stands_before_their_suffixes() {
    forms(
        [
            hist("h").unit("s").buckets(&[], &[1], 1.0),
            summary("s").unit("ms").quantiles(&[], 1, 1.0),
        ],
        &[(
            OM,
            "# TYPE h_seconds histogram\n# UNIT h_seconds seconds\nh_seconds_bucket{R0,le=\"+Inf\"} 1\n\
             h_seconds_count{R0} 1\nh_seconds_sum{R0} 1\n\
             # TYPE s_milliseconds summary\n# UNIT s_milliseconds milliseconds\n\
             s_milliseconds_count{R0} 1\ns_milliseconds_sum{R0} 1\n# EOF",
        )],
    );
}

#[test]
fn f_07_no_unit_where_the_name_does_not_end_in_it() {
    for (name, unit, family) in [
        ("seconds.since.boot", "s", "seconds_since_boot"),
        ("x", "[lb_av]", "x_lb_av_"),
        ("x", "1", "x_ratio"),
        ("x", "", "x"),
        ("x", "{request}", "x"),
        ("seconds", "s", "seconds"),
    ] {
        let expected = format!("# TYPE {family} gauge\n{family}{{R0}} 1\n# EOF");
        let protobuf = format!(r#"name: "{family}" type: GAUGE metric {{ R0 gauge {{ value: 1 }} }}"#);
        forms(gauge(name).unit(unit).is(1), &[(OM, &expected), (P, &protobuf)]);
    }
    for strategy in WITHOUT_SUFFIXES {
        forms_by(
            rules(strategy),
            [
                gauge("x_seconds").unit("s").is(1),
                counter("y_bytes_total").unit("By").is(1),
            ],
            &[(
                OM,
                "# TYPE x_seconds gauge\nx_seconds{R0} 1\n# TYPE y_bytes counter\ny_bytes_total{R0} 1\n# EOF",
            )],
        );
    }
    for (hint, expected) in [
        ("info", "# TYPE x_seconds info\nx_seconds_info{R0} 1\n# EOF"),
        ("stateset", "# TYPE x_seconds gauge\nx_seconds{R0} 1\n# EOF"),
    ] {
        forms(hinted(gauge("x").unit("s").is(1), hint), &[(OM, expected)]);
    }
}

#[test]
fn k_03_metrics_that_disagree_have_no_unit() {
    for strategy in WITHOUT_SUFFIXES {
        let bridge = Bridge::ruled(rules(strategy));
        bridge
            .send(from_r0(&[]).scope_named("a", [gauge("foo").unit("s").is(1)]))
            .expect_plain();
        bridge.shows_forms(&[(
            OM2,
            "# TYPE foo gauge\n# UNIT foo seconds\nfoo{R0,otel_scope_name=\"a\"} 1\n# EOF",
        )]);
        let answer = bridge.send(from_r0(&[]).scope_named("b", [gauge("foo").unit("ms").is(2)]));
        assert_eq!(answer.counts(), (1, vec![]));
        assert_eq!(answer.advised(), [(Advice::UnitConflict, 1)]);
        assert_eq!(
            answer.message(),
            "advice: unit_conflict: metric \"foo\" is in milliseconds, others of \"foo\" in seconds: they share one name, which \
             is shown without a unit; rename one of them"
        );
        let text = "# TYPE foo gauge\nfoo{R0,otel_scope_name=\"a\"} 1\nfoo{R0,otel_scope_name=\"b\"} 2";
        let openmetrics = format!("{text}\n# EOF");
        bridge.shows_forms(&[
            (T4, text),
            (OM, &openmetrics),
            (OM2, &openmetrics),
            (
                P,
                r#"name: "foo" type: GAUGE
                metric { R0 label { name: "otel_scope_name" value: "a" } gauge { value: 1 } }
                metric { R0 label { name: "otel_scope_name" value: "b" } gauge { value: 2 } }"#,
            ),
        ]);
    }
}

// F-09: help

#[test]
fn f_09_help_escapes_quotes_in_openmetrics_only() {
    forms(
        gauge("g").help("a \"b\"\\\n").is(1),
        &[
            (T4, "# HELP g a \"b\"\\\\\\n\n# TYPE g gauge\ng{R0} 1"),
            (T1, "# HELP g a \"b\"\\\\\\n\n# TYPE g gauge\ng{R0} 1"),
            (OM, "# TYPE g gauge\n# HELP g a \\\"b\\\"\\\\\\n\ng{R0} 1\n# EOF"),
            (OM2, "# TYPE g gauge\n# HELP g a \\\"b\\\"\\\\\\n\ng{R0} 1\n# EOF"),
            (
                P,
                r#"name: "g" help: "a \"b\"\\\n" type: GAUGE metric { R0 gauge { value: 1 } }"#,
            ),
        ],
    );
    forms(
        counter("c").unit("s").help("#é\t").is(1),
        &[(
            OM,
            "# TYPE c_seconds counter\n# UNIT c_seconds seconds\n# HELP c_seconds #é\t\nc_seconds_total{R0} 1\n# EOF",
        )],
    );
    forms(
        gauge("g").help("").is(1),
        &[(OM, "# TYPE g gauge\ng{R0} 1\n# EOF"), (T4, "# TYPE g gauge\ng{R0} 1")],
    );
}

#[test]
fn f_09_f_12_no_line_ends_with_a_carriage_return() {
    for (help, line) in [
        ("a\r\nb\r", "# HELP g a\r\\nb\n"),
        ("a\r\r", "# HELP g a\n"),
        ("\r", ""),
    ] {
        forms(
            gauge("g").help(help).is(1),
            &[
                (T4, &format!("{line}# TYPE g gauge\ng{{R0}} 1")),
                (OM, &format!("# TYPE g gauge\n{line}g{{R0}} 1\n# EOF")),
                (OM2, &format!("# TYPE g gauge\n{line}g{{R0}} 1\n# EOF")),
            ],
        );
    }
}

// F-10: order

#[test]
fn f_10_nothing_is_an_empty_exposition() {
    let bridge = Bridge::new();
    for served in [false, true] {
        if served {
            bridge.send(gauge("g").is(1)).expect_plain();
            bridge.send(gauge("g").is(1).stale()).expect_plain();
        }
        for (format, expected) in [(T4, ""), (T1, ""), (OM, "# EOF\n"), (OM2, "# EOF\n"), (P, "")] {
            assert_eq!(bridge.scrape_as(format, 1), expected.as_bytes());
        }
    }
}

#[test]
fn f_10_a_family_is_one_block_whoever_sends() {
    let bridge = Bridge::new();
    for (job, scope) in [("x", "a"), ("y", "a"), ("x", "b")] {
        let resource = from(&[("service.name", job), ("service.instance.id", "1")]);
        bridge
            .send(resource.scope_named(
                scope,
                [hist("h").help("H").buckets(&[1.0], &[1, 1], 3.0), counter("c").is(1)],
            ))
            .expect_plain();
    }
    for size in [1, 100, 1 << 16] {
        assert_eq!(
            String::from_utf8(bridge.scrape_as(OM, size)).unwrap(),
            text(
                r#"# TYPE c counter
                c_total{instance="1",job="x",otel_scope_name="a"} 1
                c_total{instance="1",job="y",otel_scope_name="a"} 1
                c_total{instance="1",job="x",otel_scope_name="b"} 1
                # TYPE h histogram
                # HELP h H
                h_bucket{instance="1",job="x",otel_scope_name="a",le="1.0"} 1
                h_bucket{instance="1",job="x",otel_scope_name="a",le="+Inf"} 2
                h_count{instance="1",job="x",otel_scope_name="a"} 2
                h_sum{instance="1",job="x",otel_scope_name="a"} 3
                h_bucket{instance="1",job="y",otel_scope_name="a",le="1.0"} 1
                h_bucket{instance="1",job="y",otel_scope_name="a",le="+Inf"} 2
                h_count{instance="1",job="y",otel_scope_name="a"} 2
                h_sum{instance="1",job="y",otel_scope_name="a"} 3
                h_bucket{instance="1",job="x",otel_scope_name="b",le="1.0"} 1
                h_bucket{instance="1",job="x",otel_scope_name="b",le="+Inf"} 2
                h_count{instance="1",job="x",otel_scope_name="b"} 2
                h_sum{instance="1",job="x",otel_scope_name="b"} 3
                # EOF"#
            )
        );
    }
}

#[test]
fn f_10_each_series_of_a_native_family_is_a_message() {
    let point = |p: ExponentialPoint| p.positive(0, &[1]).sum(1.0);
    let both = exphist("e")
        .help("H")
        .unit("s")
        .exponential(point)
        .attr("k", "1")
        .exponential(point)
        .attr("k", "2");
    let native = styled(P, |style| style.exponential = ExponentialForm::Native);
    let classic = styled(P, |style| style.exponential = ExponentialForm::Classic);
    let head = r#"name: "e_seconds" help: "H" type: HISTOGRAM unit: "seconds""#;
    let metric = |k: &str| {
        format!(
            r#"metric {{ R0 label {{ name: "k" value: "{k}" }} histogram {{ sample_count: 1 sample_sum: 1
            schema: 0 zero_threshold: 1e-128 zero_count: 0 positive_span {{ offset: 1 length: 1 }} positive_delta: 1 }} }}"#
        )
    };
    let with_buckets = |k: &str| {
        format!(
            r#"metric {{ R0 label {{ name: "k" value: "{k}" }} histogram {{ sample_count: 1 sample_sum: 1
            bucket {{ cumulative_count: 0 upper_bound: 1 }} bucket {{ cumulative_count: 1 upper_bound: 2 }}
            bucket {{ cumulative_count: 1 upper_bound: inf }} }} }}"#
        )
    };
    forms(
        both,
        &[
            (native, &format!("{head} {} {head} {}", metric("1"), metric("2"))),
            (classic, &format!("{head} {} {}", with_buckets("1"), with_buckets("2"))),
        ],
    );
}

/// A native one that gives way to a newer classic one is none of the family's, nor is one of somebody hidden.
#[test]
fn f_10_c_06_native_ones_that_are_not_shown_leave_one_message() {
    let shown = |request: Vec<Build>, last: Option<Build>| {
        let bridge = Bridge::ruled(rules(Strategy::NoTranslation));
        bridge.send(from_r0(&[]).metrics(request)).expect_plain();
        if let Some(last) = last {
            bridge.send(last).expect_plain();
        }
        let found = crate::families::decode(&bridge.scrape_as(P, 1 << 16));
        found.iter().map(|family| family.metric.len()).collect::<Vec<_>>()
    };
    let native = |key: &str| {
        exphist("h")
            .exponential(|p| p.positive(0, &[1]).sum(1.0))
            .attr(key, "x")
    };
    let classic = |key: &str| hist("h").buckets(&[1.0], &[1, 0], 1.0).attr(key, "x");
    let newer = [native("k.l").t(1), classic("k_l").t(2), classic("m")];
    assert_eq!(shown(newer.to_vec(), None), [2]);
    let older = [native("k.l").t(2), classic("k_l").t(1), classic("m")];
    assert_eq!(shown(older.to_vec(), None), [1, 1]);
    let hidden = [native("k").delta().s(1).t(2), classic("l"), classic("m")];
    assert_eq!(shown(hidden.to_vec(), None), [1, 1, 1]);
    let flag = native("k").delta().s(2).t(3).stale();
    assert_eq!(shown(hidden.to_vec(), Some(flag)), [2]);
}

#[test]
fn f_10_a_family_of_both_kinds_is_a_message_for_each_series() {
    let bridge = Bridge::new();
    let kinds = [
        hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("k", "1"),
        exphist("h").exponential(|p| p.zero(1).sum(0.0)).attr("k", "2"),
        hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("k", "3"),
        hist("i").buckets(&[], &[1], 1.0).attr("k", "1"),
        hist("i").buckets(&[], &[1], 1.0).attr("k", "2"),
    ];
    for kind in kinds {
        bridge.send(kind).expect_plain();
    }
    let families = crate::families::decode(&bridge.scrape_as(P, 1));
    let shape: Vec<_> = families
        .iter()
        .map(|family| (family.name.as_deref().unwrap(), family.metric.len()))
        .collect();
    assert_eq!(shape, [("h", 1), ("h", 1), ("h", 1), ("i", 2)]);
}

// R-03, R-05: the resource

#[test]
fn r_03_the_empty_instance_in_every_format() {
    let request = || from(&[("service.name", "svc")]).metrics([gauge("g").is(1)]);
    let line = "# TYPE g gauge\ng{instance=\"\",job=\"svc\"} 1";
    let openmetrics = format!("{line}\n# EOF");
    forms(
        request(),
        &[
            (T4, line),
            (T1, line),
            (OM, &openmetrics),
            (OM2, &openmetrics),
            (
                P,
                r#"name: "g" type: GAUGE
                metric { label { name: "instance" value: "" } label { name: "job" value: "svc" } gauge { value: 1 } }"#,
            ),
        ],
    );
    let without = Rules {
        empty_instance: false,
        ..Rules::default()
    };
    forms_by(
        without,
        request(),
        &[
            (T4, "# TYPE g gauge\ng{job=\"svc\"} 1"),
            (OM, "# TYPE g gauge\ng{job=\"svc\"} 1\n# EOF"),
            (
                P,
                r#"name: "g" type: GAUGE metric { label { name: "job" value: "svc" } gauge { value: 1 } }"#,
            ),
        ],
    );
}

#[test]
fn r_05_target_is_an_info_and_comes_first() {
    let request = from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([
        gauge("g").is(1),
        gauge("a").is(1),
        counter("target").is(1),
    ]);
    let labels = r#"host_name="h",R0,service_version="1.2""#;
    let rest = "# TYPE a gauge\na{R0} 1\n# TYPE g gauge\ng{R0} 1";
    let bridge = Bridge::new();
    bridge.send(request).expect_plain();
    bridge.shows_forms(&[
        (
            OM,
            // The counter would be another family `target`.
            &format!("# TYPE target info\n# HELP target Target metadata\ntarget_info{{{labels}}} 1\n{rest}\n# EOF"),
        ),
        (
            OM2,
            &format!(
                "# TYPE target_info info\n# HELP target_info Target metadata\ntarget_info{{{labels}}} 1\n{rest}\n\
                 # TYPE target_total counter\ntarget_total{{R0}} 1\n# EOF"
            ),
        ),
        (
            T1,
            &format!(
                "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{{{labels}}} 1\n{rest}\n\
                 # TYPE target_total counter\ntarget_total{{R0}} 1"
            ),
        ),
        (
            P,
            r#"name: "target_info" help: "Target metadata" type: GAUGE
            metric { label { name: "host_name" value: "h" } R0 label { name: "service_version" value: "1.2" }
                gauge { value: 1 } }
            name: "a" type: GAUGE metric { R0 gauge { value: 1 } }
            name: "g" type: GAUGE metric { R0 gauge { value: 1 } }
            name: "target_total" type: COUNTER metric { R0 counter { value: 1 } }"#,
        ),
    ]);
}

// T: start times; Z-04: timestamps

const START: u64 = 1_700_000_000_250_000_000;
const END: u64 = 1_700_000_060_123_456_789;

fn counting() -> [Build; 4] {
    [
        counter("c").is(5).nanos(START, END),
        exphist("e").exponential(|p| p.zero(1).sum(0.0)).nanos(START, END),
        hist("h").buckets(&[1.0], &[1, 0], 1.0).nanos(START, END),
        summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0).nanos(START, END),
    ]
}

#[test]
fn t_01_what_counts_has_its_start_in_protobuf() {
    forms(
        counting(),
        &[(
            P,
            r#"name: "c_total" type: COUNTER
            metric { R0 counter { value: 5 start_timestamp { seconds: 1700000000 nanos: 250000000 } } }
            name: "e" type: HISTOGRAM
            metric { R0 histogram { sample_count: 1 sample_sum: 0
                bucket { cumulative_count: 1 upper_bound: 0 } bucket { cumulative_count: 1 upper_bound: inf }
                schema: 0 zero_threshold: 1e-128 zero_count: 1 positive_span { offset: 0 length: 0 }
                start_timestamp { seconds: 1700000000 nanos: 250000000 } } }
            name: "h" type: HISTOGRAM
            metric { R0 histogram { sample_count: 1 sample_sum: 1
                bucket { cumulative_count: 1 upper_bound: 1 } bucket { cumulative_count: 1 upper_bound: inf }
                start_timestamp { seconds: 1700000000 nanos: 250000000 } } }
            name: "s" type: SUMMARY
            metric { R0 summary { sample_count: 1 sample_sum: 1 quantile { quantile: 0.5 value: 1 }
                start_timestamp { seconds: 1700000000 nanos: 250000000 } } }"#,
        )],
    );
    forms(
        counter("c").is(5).nanos(1_700_000_000_000_000_000, END),
        &[(
            P,
            r#"name: "c_total" type: COUNTER
            metric { R0 counter { value: 5 start_timestamp { seconds: 1700000000 } } }"#,
        )],
    );
}

#[test]
fn t_02_created_lines_are_asked_for_and_stand_behind_their_series() {
    let created = styled(OM, |style| style.created_lines = true);
    forms(
        counter("c").is(5).nanos(START, END),
        &[
            (
                created,
                "# TYPE c counter\nc_total{R0} 5\nc_created{R0} 1700000000.25\n# EOF",
            ),
            (OM, "# TYPE c counter\nc_total{R0} 5\n# EOF"),
            (
                styled(T4, |style| style.created_lines = true),
                "# TYPE c_total counter\nc_total{R0} 5",
            ),
        ],
    );
    let two = counter("c")
        .is(5)
        .nanos(START, END)
        .attr("b", "1")
        .attr("a", "1")
        .is(6)
        .nanos(START + 1, END)
        .attr("a", "2")
        .is(7)
        .attr("a", "3");
    forms(
        two,
        &[(
            created,
            r#"# TYPE c counter
            c_total{a="1",b="1",R0} 5
            c_created{a="1",b="1",R0} 1700000000.25
            c_total{a="2",R0} 6
            c_created{a="2",R0} 1700000000.250000001
            c_total{a="3",R0} 7
            # EOF"#,
        )],
    );
    forms(
        counting(),
        &[(
            created,
            r#"# TYPE c counter
            c_total{R0} 5
            c_created{R0} 1700000000.25
            # TYPE e histogram
            e_bucket{R0,le="0.0"} 1
            e_bucket{R0,le="+Inf"} 1
            e_count{R0} 1
            e_sum{R0} 0
            e_created{R0} 1700000000.25
            # TYPE h histogram
            h_bucket{R0,le="1.0"} 1
            h_bucket{R0,le="+Inf"} 1
            h_count{R0} 1
            h_sum{R0} 1
            h_created{R0} 1700000000.25
            # TYPE s summary
            s{R0,quantile="0.5"} 1
            s_count{R0} 1
            s_sum{R0} 1
            s_created{R0} 1700000000.25
            # EOF"#,
        )],
    );
    // A counter that is unknown there has none.
    forms_by(
        rules(Strategy::NoTranslation),
        counter("c").is(5).nanos(START, END),
        &[(created, "# TYPE c unknown\nc{R0} 5\n# EOF")],
    );
}

#[test]
fn t_03_no_start_no_line() {
    let created = styled(OM, |style| style.created_lines = true);
    let shown: &[_] = &[
        (created, "# TYPE c counter\nc_total{R0} 5\n# EOF"),
        (OM2, "# TYPE c_total counter\nc_total{R0} 5\n# EOF"),
        (P, r#"name: "c_total" type: COUNTER metric { R0 counter { value: 5 } }"#),
    ];
    forms(counter("c").is(5).t(2), shown);
    let bridge = Bridge::new();
    let answer = bridge.send(counter("c").is(5).s(3).t(2));
    assert_eq!(answer.advised(), [(Advice::StartAfterEnd, 1)]);
    bridge.shows_forms(shown);
    // One that starts as it ends has a start.
    forms(
        counter("c").is(5).s(2).t(2),
        &[(created, "# TYPE c counter\nc_total{R0} 5\nc_created{R0} 2\n# EOF")],
    );
    for metric in [gauge("g").is(5), updown("g").is(5)] {
        forms(
            metric.s(1).t(2),
            &[
                (created, "# TYPE g gauge\ng{R0} 5\n# EOF"),
                (OM2, "# TYPE g gauge\ng{R0} 5\n# EOF"),
                (P, r#"name: "g" type: GAUGE metric { R0 gauge { value: 5 } }"#),
            ],
        );
    }
}

#[test]
fn z_04_timestamps_are_asked_for() {
    let [c, _, h, s] = counting();
    let request = from_r0(&[("a", "1")]).metrics([c, gauge("g").is(1).nanos(0, 2_000_000_000), h, s]);
    let with = |format| styled(format, |style| style.timestamps = true);
    let text = r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{a="1",R0} 1
        # TYPE c_total counter
        c_total{R0} 5 1700000060123
        # TYPE g gauge
        g{R0} 1 2000
        # TYPE h histogram
        h_bucket{R0,le="1"} 1 1700000060123
        h_bucket{R0,le="+Inf"} 1 1700000060123
        h_sum{R0} 1 1700000060123
        h_count{R0} 1 1700000060123
        # TYPE s summary
        s{R0,quantile="0.5"} 1 1700000060123
        s_sum{R0} 1 1700000060123
        s_count{R0} 1 1700000060123"#;
    forms(
        request,
        &[
            (with(T4), text),
            (with(T1), text),
            (
                with(OM),
                r#"# TYPE target info
                # HELP target Target metadata
                target_info{a="1",R0} 1
                # TYPE c counter
                c_total{R0} 5 1700000060.123456789
                # TYPE g gauge
                g{R0} 1 2
                # TYPE h histogram
                h_bucket{R0,le="1.0"} 1 1700000060.123456789
                h_bucket{R0,le="+Inf"} 1 1700000060.123456789
                h_count{R0} 1 1700000060.123456789
                h_sum{R0} 1 1700000060.123456789
                # TYPE s summary
                s{R0,quantile="0.5"} 1 1700000060.123456789
                s_count{R0} 1 1700000060.123456789
                s_sum{R0} 1 1700000060.123456789
                # EOF"#,
            ),
        ],
    );
    let exemplar = |e: ExemplarOf| e.is(1).t(1.5);
    forms(
        counter("c").is(5).nanos(START, END).exemplar(exemplar),
        &[
            (
                with(OM),
                "# TYPE c counter\nc_total{R0} 5 1700000060.123456789 # {} 1 1.5\n# EOF",
            ),
            (
                with(P),
                r#"name: "c_total" type: COUNTER
                metric { R0 counter { value: 5 exemplar { value: 1 timestamp { seconds: 1 nanos: 500000000 } }
                    start_timestamp { seconds: 1700000000 nanos: 250000000 } } timestamp_ms: 1700000060123 }"#,
            ),
        ],
    );
    // Neither is there by default.
    forms(
        gauge("g").is(1).t(2),
        &[
            (T4, "# TYPE g gauge\ng{R0} 1"),
            (OM, "# TYPE g gauge\ng{R0} 1\n# EOF"),
            (P, r#"name: "g" type: GAUGE metric { R0 gauge { value: 1 } }"#),
        ],
    );
}

// K-04, K-05: families that meet in one format only

#[test]
fn k_05_a_counter_and_a_gauge_of_one_stem_are_one_family_in_openmetrics() {
    let (c, g) = (|| counter("foo").is(1), || gauge("foo").is(2));
    let c_text = "# TYPE foo_total counter\nfoo_total{R0} 1";
    let g_text = "# TYPE foo gauge\nfoo{R0} 2";
    for (metrics, shown) in [
        ([c(), g()], "# TYPE foo counter\nfoo_total{R0} 1\n# EOF"),
        ([g(), c()], "# TYPE foo gauge\nfoo{R0} 2\n# EOF"),
    ] {
        let bridge = Bridge::new();
        bridge.send(metrics).expect_plain();
        bridge.shows_forms(&[
            (T4, &format!("{g_text}\n{c_text}")),
            (T1, &format!("{g_text}\n{c_text}")),
            (OM2, &format!("{g_text}\n{c_text}\n# EOF")),
            (
                P,
                r#"name: "foo" type: GAUGE metric { R0 gauge { value: 2 } }
                name: "foo_total" type: COUNTER metric { R0 counter { value: 1 } }"#,
            ),
            (OM, shown),
        ]);
    }
}

#[test]
fn k_05_the_first_is_the_one_that_lives() {
    let bridge = Bridge::new();
    bridge.send([gauge("foo").is(2), counter("foo").is(1)]).expect_plain();
    assert_eq!([OM, OM, T4, P].map(|format| bridge.left_out(format)), [1, 0, 0, 0]);
    bridge.send(gauge("foo").is(2).t(2).stale()).expect_plain();
    bridge.shows_forms(&[(OM, "# TYPE foo counter\nfoo_total{R0} 1\n# EOF")]);
    bridge.send(gauge("foo").is(2).t(3)).expect_plain();
    bridge.shows_forms(&[
        (OM, "# TYPE foo counter\nfoo_total{R0} 1\n# EOF"),
        (
            T4,
            "# TYPE foo gauge\nfoo{R0} 2\n# TYPE foo_total counter\nfoo_total{R0} 1",
        ),
    ]);
}

#[test]
fn k_05_an_info_and_what_has_its_stem() {
    forms(
        [hinted(gauge("build").is(1), "info"), gauge("build").is(2)],
        &[
            (OM, "# TYPE build info\nbuild_info{R0} 1\n# EOF"),
            (
                T4,
                "# TYPE build gauge\nbuild{R0} 2\n# TYPE build_info gauge\nbuild_info{R0} 1",
            ),
        ],
    );
    // A family `foo_total` of another type has a name of its own, and no sample of it.
    forms_by(
        rules(Strategy::NoTranslation),
        [counter("foo").is(1), gauge("foo_total").is(2)],
        &[(
            OM,
            "# TYPE foo unknown\nfoo{R0} 1\n# TYPE foo_total gauge\nfoo_total{R0} 2\n# EOF",
        )],
    );
}

#[test]
fn k_04_a_sample_name_that_a_family_owns_in_openmetrics() {
    for (first, second) in [
        (counter("foo_total").is(1), gauge("foo_created").is(1)),
        (hist("foo").buckets(&[], &[1], 1.0), gauge("foo_created").is(1)),
        (hist("foo").buckets(&[], &[1], 1.0), gauge("foo_bucket").is(1)),
        (summary("foo").quantiles(&[], 1, 1.0), counter("foo_sum").is(1)),
    ] {
        let bridge = Bridge::new();
        bridge.send(first).expect_plain();
        let before = bridge.scrape_as(OM, 1 << 16);
        let clash = !matches!(&second.0.name[..], "foo_sum");
        let answer = bridge.send(second);
        assert_eq!(answer.counts().1.len(), usize::from(clash));
        if clash {
            assert_eq!(bridge.scrape_as(OM, 1 << 16), before);
        } else {
            // In text there is no clash, and in OpenMetrics the counter's family would be `foo_sum`.
            bridge.shows_forms(&[
                (OM, "# TYPE foo summary\nfoo_count{R0} 1\nfoo_sum{R0} 1\n# EOF"),
                (
                    T4,
                    "# TYPE foo summary\nfoo_sum{R0} 1\nfoo_count{R0} 1\n# TYPE foo_sum_total counter\nfoo_sum_total{R0} 1",
                ),
            ]);
        }
    }
}
