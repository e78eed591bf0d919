//! Names that are not legal without quotes: the strategy first, then the scheme that the scraper asked for.

use meterbridge::exposition::{Escaping, Format, Negotiation, negotiate};
use meterbridge::store::{Collisions, Limits};
use meterbridge::translate::{Rules, Strategy};

use crate::families;
use crate::harness::*;

const NONE: Strategy = Strategy::NoTranslation;
const SUFFIXES: Strategy = Strategy::NoUtf8EscapingWithSuffixes;

fn rules(strategy: Strategy) -> Rules {
    Rules {
        strategy,
        ..Rules::default()
    }
}

/// As it came, by the strategy that changes nothing.
#[track_caller]
fn verbatim(request: impl Into<Request>, expected: &[(Format, &str)]) {
    forms_by(rules(NONE), request, expected);
}

fn plain_om() -> Format {
    escaped(OM, Escaping::Underscores)
}

fn utf8_p() -> Format {
    escaped(P, Escaping::AllowUtf8)
}

// F-04: quotes

#[test]
fn f_04_a_name_that_is_not_legal_stands_in_quotes_among_the_labels() {
    let line = "# TYPE \"foo.bar\" counter\n{\"foo.bar\",R0,\"x.y\"=\"z\"} 1";
    verbatim(
        counter("foo.bar").unit("By").is(1).attr("x.y", "z"),
        &[
            (T1, line),
            (escaped(T4, Escaping::AllowUtf8), line),
            (T4, "# TYPE foo_bar counter\nfoo_bar{R0,x_y=\"z\"} 1"),
            (
                utf8_p(),
                r#"name: "foo.bar" type: COUNTER
                metric { R0 label { name: "x.y" value: "z" } counter { value: 1 } }"#,
            ),
        ],
    );
    // What is legal is not quoted, whatever stands beside it.
    verbatim(
        [
            gauge("a:b").is(1).attr("x.y", "z").attr("k", "v"),
            gauge("c.d").is(1).attr("k", "v"),
        ],
        &[(
            T1,
            r#"# TYPE a:b gauge
            a:b{R0,k="v","x.y"="z"} 1
            # TYPE "c.d" gauge
            {"c.d",R0,k="v"} 1"#,
        )],
    );
}

#[test]
fn f_04_suffixes_stand_inside_the_quotes_and_bounds_behind_the_labels() {
    let metrics = [
        hist("h.x").help("H").buckets(&[1.0], &[1, 0], 0.5),
        summary("s-x").quantiles(&[(0.5, 1.0)], 1, 1.0),
    ];
    verbatim(
        metrics,
        &[
            (
                T1,
                r#"# HELP "h.x" H
                # TYPE "h.x" histogram
                {"h.x_bucket",R0,le="1"} 1
                {"h.x_bucket",R0,le="+Inf"} 1
                {"h.x_sum",R0} 0.5
                {"h.x_count",R0} 1
                # TYPE "s-x" summary
                {"s-x",R0,quantile="0.5"} 1
                {"s-x_sum",R0} 1
                {"s-x_count",R0} 1"#,
            ),
            (
                OM,
                r#"# TYPE "h.x" histogram
                # HELP "h.x" H
                {"h.x_bucket",R0,le="1.0"} 1
                {"h.x_bucket",R0,le="+Inf"} 1
                {"h.x_count",R0} 1
                {"h.x_sum",R0} 0.5
                # TYPE "s-x" summary
                {"s-x",R0,quantile="0.5"} 1
                {"s-x_count",R0} 1
                {"s-x_sum",R0} 1
                # EOF"#,
            ),
        ],
    );
}

#[test]
fn f_04_names_are_escaped_inside_their_quotes() {
    let metric = gauge("a \"b\"\\\n{}").is(1).attr("k\"\\\n=,", "v");
    let line = "# TYPE \"a \\\"b\\\"\\\\\\n{}\" gauge\n{\"a \\\"b\\\"\\\\\\n{}\",R0,\"k\\\"\\\\\\n=,\"=\"v\"} 1";
    verbatim(
        metric,
        &[
            (T1, line),
            (OM, &format!("{line}\n# EOF")),
            (
                utf8_p(),
                // Of this notation; the bytes are those that came.
                r#"name: "a \"b\"\\\n{}" type: GAUGE
                metric { R0 label { name: "k\"\\\n=," value: "v" } gauge { value: 1 } }"#,
            ),
        ],
    );
    let bare = from_pairs(Vec::new()).metrics([gauge("g.x").is(1)]);
    let by = Rules {
        empty_instance: false,
        ..rules(NONE)
    };
    forms_by(by, bare, &[(T1, "# TYPE \"g.x\" gauge\n{\"g.x\"} 1")]);
}

#[test]
fn f_04_f_12_no_name_has_a_nul() {
    // Prometheus takes it for the end of its input.
    let request = from_r0(&[("h\0", "1")]).metrics([gauge("a\0.b")
        .is(1)
        .attr("k\0l", "x\0")
        .attr("k_l", "y")
        .attr("x.\0", "z")]);
    let bridge = Bridge::ruled(rules(NONE));
    bridge.send(request).refuses(1, &[]);
    bridge.shows_forms(&[(
        T1,
        "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{h_=\"1\",R0} 1\n\
         # TYPE \"a_.b\" gauge\n{\"a_.b\",R0,k_l=\"x\0;y\",\"x._\"=\"z\"} 1",
    )]);
}

// F-05: schemes

#[test]
fn f_05_metric_names_in_each_scheme() {
    for (name, underscores, dots, values) in [
        (
            "foo.bar_baz/é",
            "foo_bar_baz__",
            "foo_dot_bar__baz____",
            "U__foo_2e_bar__baz_2f__e9_",
        ),
        ("legal__name:x_", "legal__name:x_", "legal__name:x_", "legal__name:x_"),
        ("U__x", "U__x", "U__x", "U__x"),
        ("a:b.c", "a:b_c", "a:b_dot_c", "U__a:b_2e_c"),
        ("5xx.count", "_xx_count", "__xx_dot_count", "U___35_xx_2e_count"),
        ("5", "_", "__", "U___35_"),
        ("a5.6", "a5_6", "a5_dot_6", "U__a5_2e_6"),
        ("..", "__", "_dot__dot_", "U___2e__2e_"),
        ("a b\n", "a_b_", "a__b__", "U__a_20_b_a_"),
        ("温度", "__", "____", "U___6e29__5ea6_"),
        ("x😀", "x_", "x__", "U__x_1f600_"),
    ] {
        for (scheme, written) in [
            (Escaping::Underscores, underscores),
            (Escaping::Dots, dots),
            (Escaping::Values, values),
        ] {
            let text = format!("# TYPE {written} gauge\n{written}{{R0}} 1");
            let openmetrics = format!("{text}\n# EOF");
            verbatim(
                gauge(name).is(1),
                &[
                    (escaped(T4, scheme), &text),
                    (escaped(T1, scheme), &text),
                    (escaped(OM, scheme), &openmetrics),
                    (escaped(OM2, scheme), &openmetrics),
                    (
                        escaped(P, scheme),
                        &format!("name: \"{written}\" type: GAUGE metric {{ R0 gauge {{ value: 1 }} }}"),
                    ),
                ],
            );
        }
    }
}

#[test]
fn f_05_label_names_in_each_scheme() {
    for (name, quoted, underscores, dots, values) in [
        ("x:y", "\"x:y\"", "x_y", "x__y", "U__x_3a_y"),
        ("x.y_z", "\"x.y_z\"", "x_y_z", "x_dot_y__z", "U__x_2e_y__z"),
        ("legal__", "legal__", "legal__", "legal__", "legal__"),
        ("5xx", "\"5xx\"", "_xx", "_xx", "U___35_xx"),
        ("/x", "\"/x\"", "_x", "_x", "U___2f_x"),
        ("..x", "\"..x\"", "_x", "_dot__dot_x", "U___2e__2e_x"),
        ("é", "\"é\"", "_", "_", "U___e9_"),
    ] {
        for (format, written) in [
            (T1, quoted),
            (T4, underscores),
            (escaped(T4, Escaping::Dots), dots),
            (escaped(T4, Escaping::Values), values),
        ] {
            let bridge = Bridge::ruled(rules(NONE));
            bridge.send(gauge("g").is(1).attr(name, "v")).expect_plain();
            let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
            assert!(text.contains(&format!("{written}=\"v\"")), "{written} in {text}");
        }
    }
}

#[test]
fn f_05_labels_are_in_order_once_they_are_escaped() {
    verbatim(
        gauge("g").is(1).attr("j.z", "1").attr("j_a", "2").attr("B-", "3"),
        &[
            (
                T4,
                r#"# TYPE g gauge
            g{B_="3",instance="i1",j_a="2",j_z="1",job="svc"} 1"#,
            ),
            (
                T1,
                r#"# TYPE g gauge
            g{"B-"="3",instance="i1","j.z"="1",j_a="2",job="svc"} 1"#,
            ),
            (
                escaped(T4, Escaping::Values),
                r#"# TYPE g gauge
                g{U__B_2d_="3",U__j_2e_z="1",instance="i1",j_a="2",job="svc"} 1"#,
            ),
        ],
    );
}

#[test]
fn f_05_suffixes_come_behind_the_escaped_name() {
    verbatim(
        hist("h.x").buckets(&[], &[1], 1.0),
        &[
            (
                escaped(OM, Escaping::Values),
                r#"# TYPE U__h_2e_x histogram
                U__h_2e_x_bucket{R0,le="+Inf"} 1
                U__h_2e_x_count{R0} 1
                U__h_2e_x_sum{R0} 1
                # EOF"#,
            ),
            (
                escaped(T4, Escaping::Dots),
                r#"# TYPE h_dot_x histogram
                h_dot_x_bucket{R0,le="+Inf"} 1
                h_dot_x_sum{R0} 1
                h_dot_x_count{R0} 1"#,
            ),
        ],
    );
    // That of a counter is part of the name, where the strategy made it so.
    for (scheme, stem) in [
        (Escaping::Underscores, "c_x"),
        (Escaping::Dots, "c_dot_x_"),
        (Escaping::Values, "U__c_2e_x_"),
    ] {
        forms_by(
            rules(SUFFIXES),
            counter("c.x").is(1),
            &[
                (
                    escaped(OM, scheme),
                    &format!("# TYPE {stem} counter\n{stem}_total{{R0}} 1\n# EOF"),
                ),
                (
                    escaped(T4, scheme),
                    &format!("# TYPE {stem}_total counter\n{stem}_total{{R0}} 1"),
                ),
            ],
        );
    }
}

#[test]
fn f_05_l_09_no_label_begins_with_two_underscores() {
    verbatim(
        gauge("g").is(1).attr("//x", "1").attr("__y", "2").attr(".é_z", "3"),
        &[(
            T4,
            r#"# TYPE g gauge
            g{_x="1",_y="2",_z="3",R0} 1"#,
        )],
    );
}

// F-06: which scheme

#[test]
fn f_06_the_chosen_clause_names_the_scheme_and_protobuf_has_one_of_its_own() {
    const ASKS_P: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let bridge = Bridge::ruled(rules(NONE));
    bridge.send(gauge("foo.bar").is(1)).expect_plain();
    let utf8 = Negotiation {
        protobuf_escaping: Escaping::AllowUtf8,
        ..Negotiation::default()
    };
    let (dotted, plain) = ("{\"foo.bar\"", "foo_bar{");
    for (accept, by, name) in [
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
            Negotiation::default(),
            dotted,
        ),
        (
            "application/openmetrics-text;version=1.0.0",
            Negotiation::default(),
            plain,
        ),
        ("application/openmetrics-text;version=1.0.0", utf8, plain),
        ("text/plain;version=1.0.0", utf8, plain),
        (
            "text/plain;version=0.0.4;escaping=allow-utf-8",
            Negotiation::default(),
            dotted,
        ),
        (
            "text/plain;version=0.0.4;escaping=dots",
            Negotiation::default(),
            "foo_dot_bar{",
        ),
        (
            "text/plain;version=1.0.0;escaping=values",
            Negotiation::default(),
            "U__foo_2e_bar{",
        ),
        ("text/plain;version=1.0.0;escaping=other", Negotiation::default(), plain),
        (
            "text/plain;escaping=allow-utf-8;q=0.1,text/plain;q=0.2",
            Negotiation::default(),
            plain,
        ),
        ("*/*", utf8, plain),
    ] {
        let text = String::from_utf8(bridge.scrape_as(negotiate(Some(accept), &by), 1 << 16)).unwrap();
        assert!(text.contains(&format!("\n{name}")), "{accept}: {text}");
    }
    for (accept, by, name) in [
        (ASKS_P.to_owned(), Negotiation::default(), "foo_bar"),
        (ASKS_P.to_owned(), utf8, "foo.bar"),
        (
            format!("{ASKS_P};escaping=allow-utf-8"),
            Negotiation::default(),
            "foo.bar",
        ),
        (format!("{ASKS_P};escaping=underscores"), utf8, "foo_bar"),
        (format!("{ASKS_P};escaping=values"), utf8, "U__foo_2e_bar"),
        (format!("{ASKS_P};escaping=odd"), utf8, "foo.bar"),
    ] {
        let families = families::decode(&bridge.scrape_as(negotiate(Some(&accept), &by), 1 << 16));
        assert_eq!(families[0].name.as_deref(), Some(name), "{accept}");
    }
}

// F-07: units

#[test]
fn f_07_the_unit_of_a_name_in_quotes() {
    forms_by(
        rules(SUFFIXES),
        counter("foo.bar").unit("By").is(1),
        &[
            (
                OM,
                "# TYPE \"foo.bar_bytes\" counter\n# UNIT \"foo.bar_bytes\" bytes\n{\"foo.bar_bytes_total\",R0} 1\n# EOF",
            ),
            (
                plain_om(),
                "# TYPE foo_bar_bytes counter\n# UNIT foo_bar_bytes bytes\nfoo_bar_bytes_total{R0} 1\n# EOF",
            ),
            (
                escaped(OM, Escaping::Dots),
                "# TYPE foo_dot_bar__bytes_ counter\nfoo_dot_bar__bytes__total{R0} 1\n# EOF",
            ),
            (
                utf8_p(),
                r#"name: "foo.bar_bytes_total" type: COUNTER unit: "bytes" metric { R0 counter { value: 1 } }"#,
            ),
        ],
    );
    // A unit that is not legal is no unit.
    forms_by(
        rules(SUFFIXES),
        gauge("x").unit("°C").is(1),
        &[
            (OM, "# TYPE \"x_°C\" gauge\n{\"x_°C\",R0} 1\n# EOF"),
            (plain_om(), "# TYPE x__C gauge\nx__C{R0} 1\n# EOF"),
        ],
    );
}

// C-06: what meets only now

#[test]
fn c_06_families_that_meet_are_one_with_one_line() {
    let shown = "# TYPE a_b gauge\na_b{R0} 2";
    verbatim(
        [gauge("a.b").is(1), gauge("a_b").is(2)],
        &[
            (T4, shown),
            (plain_om(), &format!("{shown}\n# EOF")),
            (P, r#"name: "a_b" type: GAUGE metric { R0 gauge { value: 2 } }"#),
            (T1, "# TYPE \"a.b\" gauge\n{\"a.b\",R0} 1\n# TYPE a_b gauge\na_b{R0} 2"),
            (
                escaped(T4, Escaping::Dots),
                "# TYPE a_b gauge\na_b{R0} 2\n# TYPE a_dot_b gauge\na_dot_b{R0} 1",
            ),
        ],
    );
}

#[test]
fn c_06_the_newest_is_shown_whichever_family_came_first() {
    for (first, second) in [("a.b", "a_b"), ("a_b", "a.b"), ("a.b", "a-b")] {
        let bridge = Bridge::ruled(rules(NONE));
        bridge.send(gauge(first).is(1).t(20).attr("k", "v")).expect_plain();
        bridge.send(gauge(second).is(2).t(10).attr("k", "v")).expect_plain();
        bridge.send(gauge(second).is(3).t(10)).expect_plain();
        assert_eq!(
            (bridge.left_out(T4), bridge.left_out(T4)),
            (1, 0),
            "a collision, counted once"
        );
        bridge.shows_forms(&[(T4, "# TYPE a_b gauge\na_b{R0,k=\"v\"} 1\na_b{R0} 3")]);
        bridge.send(gauge(second).is(4).t(30).attr("k", "v")).expect_plain();
        bridge.shows_forms(&[(T4, "# TYPE a_b gauge\na_b{R0,k=\"v\"} 4\na_b{R0} 3")]);
    }
}

#[test]
fn c_06_one_help_the_longest_and_a_unit_only_where_they_agree() {
    let (a, b) = (gauge("a.b").help("short").unit("s"), gauge("a_b").help("longer"));
    verbatim(
        [a.clone().is(1).attr("k", "1"), b.clone().unit("s").is(2).attr("k", "2")],
        &[(
            escaped(OM2, Escaping::Underscores),
            "# TYPE a_b gauge\n# UNIT a_b seconds\n# HELP a_b longer\na_b{R0,k=\"1\"} 1\na_b{R0,k=\"2\"} 2\n# EOF",
        )],
    );
    verbatim(
        [a.is(1).attr("k", "1"), b.unit("ms").is(2).attr("k", "2")],
        &[
            (
                escaped(OM2, Escaping::Underscores),
                "# TYPE a_b gauge\n# HELP a_b longer\na_b{R0,k=\"1\"} 1\na_b{R0,k=\"2\"} 2\n# EOF",
            ),
            (
                T4,
                "# HELP a_b longer\n# TYPE a_b gauge\na_b{R0,k=\"1\"} 1\na_b{R0,k=\"2\"} 2",
            ),
        ],
    );
}

#[test]
fn c_06_c_05_sums_are_added_where_the_operator_says_so() {
    let limits = Limits {
        collisions: Collisions::Sum,
        ..Limits::default()
    };
    let bridge = Bridge::with(limits, rules(NONE));
    let metrics = [
        counter("a.b").is(1).t(20),
        counter("a_b").is(2).t(10),
        hist("h.x").buckets(&[1.0], &[1, 0], 0.5),
        hist("h_x").buckets(&[1.0], &[0, 1], 5.0),
        gauge("g.x").is(1).t(20),
        gauge("g_x").is(2).t(10),
    ];
    for metric in metrics {
        bridge.send(metric).expect_plain();
    }
    bridge.shows_forms(&[(
        T4,
        r#"# TYPE a_b counter
        a_b{R0} 3
        # TYPE g_x gauge
        g_x{R0} 1
        # TYPE h_x histogram
        h_x_bucket{R0,le="1"} 1
        h_x_bucket{R0,le="+Inf"} 2
        h_x_sum{R0} 5.5
        h_x_count{R0} 2"#,
    )]);
}

#[test]
fn c_06_labels_that_meet_are_joined_in_the_order_of_their_keys() {
    verbatim(
        gauge("g").is(1).attr("k.l", "x").attr("k_l", "y"),
        &[
            (T4, "# TYPE g gauge\ng{R0,k_l=\"x;y\"} 1"),
            (plain_om(), "# TYPE g gauge\ng{R0,k_l=\"x;y\"} 1\n# EOF"),
            (
                P,
                r#"name: "g" type: GAUGE metric { R0 label { name: "k_l" value: "x;y" } gauge { value: 1 } }"#,
            ),
            (T1, "# TYPE g gauge\ng{R0,\"k.l\"=\"x\",k_l=\"y\"} 1"),
            (
                escaped(T4, Escaping::Values),
                "# TYPE g gauge\ng{U__k_2e_l=\"x\",R0,k_l=\"y\"} 1",
            ),
        ],
    );
    verbatim(
        gauge("g")
            .is(1)
            .attr("k_l", "3")
            .attr("k/l", "2")
            .attr("k-l", "\"1\"")
            .attr("k:l", "4"),
        &[(T4, "# TYPE g gauge\ng{R0,k_l=\"\\\"1\\\";2;4;3\"} 1")],
    );
    // With a label of our own as well.
    verbatim(
        from_r0(&[]).scope_named("lib", [gauge("g").is(1).attr("otel.scope.name", "x")]),
        &[(T4, "# TYPE g gauge\ng{R0,otel_scope_name=\"x;lib\"} 1")],
    );
}

#[test]
fn c_06_series_that_meet_by_their_labels_are_one_line() {
    let metric = gauge("g")
        .is(1)
        .t(20)
        .attr("k.l", "x")
        .is(2)
        .t(10)
        .attr("k_l", "x")
        .is(3)
        .attr("k_l", "y");
    verbatim(
        metric,
        &[
            (T4, "# TYPE g gauge\ng{R0,k_l=\"x\"} 1\ng{R0,k_l=\"y\"} 3"),
            (
                T1,
                "# TYPE g gauge\ng{R0,\"k.l\"=\"x\"} 1\ng{R0,k_l=\"x\"} 2\ng{R0,k_l=\"y\"} 3",
            ),
        ],
    );
    let target = from_r0(&[("h.n", "1"), ("h_n", "2")]).metrics([gauge("g").is(1)]);
    verbatim(
        target,
        &[
            (
                T4,
                r#"# HELP target_info Target metadata
                # TYPE target_info gauge
                target_info{h_n="1;2",R0} 1
                # TYPE g gauge
                g{R0} 1"#,
            ),
            (
                OM,
                r#"# TYPE target info
                # HELP target Target metadata
                target_info{"h.n"="1",h_n="2",R0} 1
                # TYPE g gauge
                g{R0} 1
                # EOF"#,
            ),
        ],
    );
}

// K-05, K-04: what does not fit beside another only now

#[test]
fn k_05_families_of_other_types_that_meet_by_escaping() {
    let shown = "# TYPE a_b gauge\na_b{R0} 1";
    let bridge = Bridge::ruled(rules(NONE));
    bridge.send([gauge("a.b").is(1), counter("a_b").is(2)]).expect_plain();
    bridge.shows_forms(&[
        (T4, shown),
        (P, r#"name: "a_b" type: GAUGE metric { R0 gauge { value: 1 } }"#),
        (
            T1,
            "# TYPE \"a.b\" gauge\n{\"a.b\",R0} 1\n# TYPE a_b counter\na_b{R0} 2",
        ),
    ]);
    assert_eq!([T4, T1].map(|format| bridge.left_out(format)), [0, 0], "told once");
}

#[test]
fn k_04_k_05_sample_names_that_meet_by_escaping() {
    let (h, g) = (|| hist("foo").buckets(&[], &[1], 1.0), || gauge("foo.count").is(2));
    let h_text = "# TYPE foo histogram\nfoo_bucket{R0,le=\"+Inf\"} 1\nfoo_sum{R0} 1\nfoo_count{R0} 1";
    verbatim(
        [h(), g()],
        &[
            (T4, h_text),
            (
                T1,
                &format!("{h_text}\n# TYPE \"foo.count\" gauge\n{{\"foo.count\",R0}} 2"),
            ),
        ],
    );
    verbatim([g(), h()], &[(T4, "# TYPE foo_count gauge\nfoo_count{R0} 2")]);
    // In OpenMetrics `foo.total` is a counter foo by escaping alone.
    verbatim(
        [gauge("foo").is(1), counter("foo.total").is(2)],
        &[
            (plain_om(), "# TYPE foo gauge\nfoo{R0} 1\n# EOF"),
            (
                T4,
                "# TYPE foo gauge\nfoo{R0} 1\n# TYPE foo_total counter\nfoo_total{R0} 2",
            ),
            (
                OM,
                "# TYPE foo gauge\nfoo{R0} 1\n# TYPE \"foo.total\" unknown\n{\"foo.total\",R0} 2\n# EOF",
            ),
        ],
    );
}

#[test]
fn k_04_what_becomes_target_info_by_escaping_is_left_out() {
    for attributes in [&[][..], &[("h", "1")]] {
        let bridge = Bridge::ruled(rules(NONE));
        bridge
            .send(from_r0(attributes).metrics([gauge("target.info").is(7)]))
            .expect_plain();
        let (text, head) = match attributes.is_empty() {
            true => ("", ""),
            false => (
                "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{h=\"1\",R0} 1",
                "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{h=\"1\",R0} 1\n",
            ),
        };
        bridge.shows_forms(&[
            (T4, text),
            (
                T1,
                &format!("{head}# TYPE \"target.info\" gauge\n{{\"target.info\",R0}} 7"),
            ),
            (
                escaped(T4, Escaping::Dots),
                &format!("{head}# TYPE target_dot_info gauge\ntarget_dot_info{{R0}} 7"),
            ),
        ]);
    }
}

// V: strategies

#[test]
fn v_01_the_strategy_first_then_the_scheme() {
    let with_unit = |name: &str, sample: &str| format!("# TYPE {name} counter\n# UNIT {name} bytes\n{sample} 1\n# EOF");
    let unknown = |name: &str, sample: &str| format!("# TYPE {name} unknown\n{sample} 1\n# EOF");
    let suffixed = with_unit("foo_bar_bytes", "foo_bar_bytes_total{R0}");
    let alone = unknown("foo_bar", "foo_bar{R0}");
    for (strategy, by_underscores, in_utf8, om, om_utf8) in [
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "foo_bar_bytes_total",
            "foo_bar_bytes_total",
            &suffixed,
            &suffixed,
        ),
        (
            Strategy::UnderscoreEscapingWithoutSuffixes,
            "foo_bar",
            "foo_bar",
            &alone,
            &alone,
        ),
        (
            SUFFIXES,
            "foo_bar_bytes_total",
            "foo.bar_bytes_total",
            &suffixed,
            &with_unit("\"foo.bar_bytes\"", "{\"foo.bar_bytes_total\",R0}"),
        ),
        (
            NONE,
            "foo_bar",
            "foo.bar",
            &alone,
            &unknown("\"foo.bar\"", "{\"foo.bar\",R0}"),
        ),
    ] {
        let text = |name: &str| match name.contains('.') {
            true => format!("# TYPE \"{name}\" counter\n{{\"{name}\",R0}} 1"),
            false => format!("# TYPE {name} counter\n{name}{{R0}} 1"),
        };
        let bridge = Bridge::ruled(rules(strategy));
        bridge.send(counter("foo.bar").unit("By").is(1)).expect_plain();
        bridge.shows_forms(&[
            (T4, &text(by_underscores)),
            (escaped(T1, Escaping::Underscores), &text(by_underscores)),
            (T1, &text(in_utf8)),
            (escaped(T4, Escaping::AllowUtf8), &text(in_utf8)),
            (plain_om(), om),
            (OM, om_utf8),
        ]);
        for (format, name) in [(P, by_underscores), (utf8_p(), in_utf8)] {
            let families = families::decode(&bridge.scrape_as(format, 1 << 16));
            assert_eq!(families[0].name.as_deref(), Some(name), "{strategy:?}");
            assert_eq!(families[0].r#type(), families::MetricType::COUNTER);
        }
    }
}

#[test]
fn v_01_leading_digits_show_the_order() {
    for (strategy, by_underscores, in_utf8) in [
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "_5xx_count_total{",
            "_5xx_count_total{",
        ),
        (
            Strategy::UnderscoreEscapingWithoutSuffixes,
            "_5xx_count{",
            "_5xx_count{",
        ),
        (SUFFIXES, "_xx_count_total{", "{\"5xx.count_total\""),
        (NONE, "_xx_count{", "{\"5xx.count\""),
    ] {
        let bridge = Bridge::ruled(rules(strategy));
        bridge.send(counter("5xx.count").is(1)).expect_plain();
        for (format, name) in [(T4, by_underscores), (T1, in_utf8)] {
            let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
            assert!(text.contains(&format!("\n{name}")), "{strategy:?}: {text}");
        }
    }
}

#[test]
fn v_02_counters_without_their_suffix_are_unknown_in_openmetrics() {
    for strategy in [Strategy::UnderscoreEscapingWithoutSuffixes, NONE] {
        forms_by(
            rules(strategy),
            counter("foo_bar").is(1),
            &[
                (OM, "# TYPE foo_bar unknown\nfoo_bar{R0} 1\n# EOF"),
                (T4, "# TYPE foo_bar counter\nfoo_bar{R0} 1"),
                (T1, "# TYPE foo_bar counter\nfoo_bar{R0} 1"),
                (OM2, "# TYPE foo_bar counter\nfoo_bar{R0} 1\n# EOF"),
                (P, r#"name: "foo_bar" type: COUNTER metric { R0 counter { value: 1 } }"#),
            ],
        );
        // One that has it of its own is a counter.
        forms_by(
            rules(strategy),
            counter("foo_total").is(1),
            &[(OM, "# TYPE foo counter\nfoo_total{R0} 1\n# EOF")],
        );
    }
    verbatim(
        counter("foo.total").is(1),
        &[
            (OM, "# TYPE \"foo.total\" unknown\n{\"foo.total\",R0} 1\n# EOF"),
            (plain_om(), "# TYPE foo counter\nfoo_total{R0} 1\n# EOF"),
        ],
    );
    // Nothing would be left in front of the suffix.
    forms(
        counter("total").is(1),
        &[
            (OM, "# TYPE total unknown\ntotal{R0} 1\n# EOF"),
            (T4, "# TYPE total counter\ntotal{R0} 1"),
        ],
    );
}

/// The reference parsers take the suffix off, and fail where nothing is left.
#[test]
fn v_02_f_12_a_counter_of_nothing_but_its_suffix_is_of_no_type_in_text() {
    forms_by(
        rules(NONE),
        counter("_total").is(1),
        &[
            (T4, "# TYPE _total untyped\n_total{R0} 1"),
            (T1, "# TYPE _total untyped\n_total{R0} 1"),
            (OM, "# TYPE _total unknown\n_total{R0} 1\n# EOF"),
            (OM2, "# TYPE _total counter\n_total{R0} 1\n# EOF"),
        ],
    );
}

#[test]
fn v_02_openmetrics_can_be_the_last_choice() {
    let prefers = Negotiation {
        prefer_text_without_suffixes: true,
        ..Negotiation::default()
    };
    for (accept, content_type) in [
        (
            "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.1",
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        ),
        (
            "application/openmetrics-text;version=1.0.0,application/json;q=0.5",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
        ),
        (
            "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        ),
    ] {
        assert_eq!(negotiate(Some(accept), &prefers).content_type(), content_type);
    }
}

#[test]
fn v_03_the_namespace_in_every_strategy() {
    let spaced = |strategy, namespace: &str| Rules {
        namespace: namespace.into(),
        ..rules(strategy)
    };
    for (strategy, namespace, text, in_utf8) in [
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "my.ns",
            "my_ns_foo_total",
            "my_ns_foo_total",
        ),
        (
            Strategy::UnderscoreEscapingWithoutSuffixes,
            "my.ns",
            "my_ns_foo",
            "my_ns_foo",
        ),
        (SUFFIXES, "my.ns", "my_ns_foo_total", "my.ns_foo_total"),
        (NONE, "my.ns", "my_ns_foo", "my.ns_foo"),
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "test-space",
            "test_space_foo_total",
            "test_space_foo_total",
        ),
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "7ns",
            "_7ns_foo_total",
            "_7ns_foo_total",
        ),
    ] {
        let name = |name: &str| match name.contains('.') {
            true => format!("# TYPE \"{name}\" counter\n{{\"{name}\",R0}} 1"),
            false => format!("# TYPE {name} counter\n{name}{{R0}} 1"),
        };
        forms_by(
            spaced(strategy, namespace),
            counter("foo").is(1),
            &[(T4, &name(text)), (T1, &name(in_utf8))],
        );
    }
    let request = || from_r0(&[("h", "1")]).metrics([gauge("foo").unit("s").is(1)]);
    forms_by(
        spaced(SUFFIXES, "my.ns"),
        request(),
        &[(
            OM,
            "# TYPE target info\n# HELP target Target metadata\ntarget_info{h=\"1\",R0} 1\n\
             # TYPE \"my.ns_foo_seconds\" gauge\n# UNIT \"my.ns_foo_seconds\" seconds\n{\"my.ns_foo_seconds\",R0} 1\n# EOF",
        )],
    );
}
