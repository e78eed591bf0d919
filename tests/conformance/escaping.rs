//! Names in UTF-8, and what becomes of them for scrapers that do not want them: F-04 to F-06, V-01, C-06, K-05.

use crate::harness::*;
use meterbridge::exposition::{Escaping, Format};
use meterbridge::translate::{Rules, Strategy};

fn bridge(strategy: Strategy) -> Bridge {
    Bridge::ruled(Rules {
        strategy,
        ..Rules::default()
    })
}

fn untranslated() -> Bridge {
    bridge(Strategy::NoTranslation)
}

#[test]
fn f_04_names_that_are_not_legal_stand_in_quotes() {
    let bridge = untranslated();
    bridge
        .send([
            counter("foo.bar").unit("By").help("x").is(1).attr("x.y", "z"),
            hist("h.h").buckets(&[1.0], &[1, 0], 1.0),
            summary("s\"\n").quantiles(&[(0.5, 1.0)], 1, 1.0),
        ])
        .expect_plain();
    bridge.shows_in(
        T1,
        r#"# HELP "foo.bar" x
        # TYPE "foo.bar" counter
        {"foo.bar",instance="i1",job="svc","x.y"="z"} 1
        # TYPE "h.h" histogram
        {"h.h_bucket",instance="i1",job="svc",le="1"} 1
        {"h.h_bucket",instance="i1",job="svc",le="+Inf"} 1
        {"h.h_sum",instance="i1",job="svc"} 1
        {"h.h_count",instance="i1",job="svc"} 1
        # TYPE "s\"\n" summary
        {"s\"\n",instance="i1",job="svc",quantile="0.5"} 1
        {"s\"\n_sum",instance="i1",job="svc"} 1
        {"s\"\n_count",instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn v_01_strategy_first_then_the_scheme_that_was_asked_for() {
    for (strategy, legacy, utf8) in [
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            "foo_bar_bytes_total{",
            "foo_bar_bytes_total{",
        ),
        (Strategy::UnderscoreEscapingWithoutSuffixes, "foo_bar{", "foo_bar{"),
        (
            Strategy::NoUtf8EscapingWithSuffixes,
            "foo_bar_bytes_total{",
            "{\"foo.bar_bytes_total\",",
        ),
        (Strategy::NoTranslation, "foo_bar{", "{\"foo.bar\","),
    ] {
        let bridge = bridge(strategy);
        bridge.send(counter("foo.bar").unit("By").is(1)).expect_plain();
        for (format, expected) in [(T4, legacy), (T1, utf8)] {
            let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
            assert!(text.lines().nth(1).unwrap().starts_with(expected), "{text}");
        }
    }
    for (strategy, expected) in [
        (Strategy::UnderscoreEscapingWithSuffixes, "_5xx_count"),
        (Strategy::NoTranslation, "_xx_count"),
    ] {
        let bridge = bridge(strategy);
        bridge.send(gauge("5xx.count").is(1)).expect_plain();
        bridge.shows(&format!(
            "# TYPE {expected} gauge\n{expected}{{instance=\"i1\",job=\"svc\"}} 1"
        ));
    }
}

#[test]
fn f_05_f_06_schemes_of_names_and_labels_in_any_format() {
    let bridge = untranslated();
    bridge
        .send(gauge("foo.bar_baz/é").is(1).attr("x:y", "1"))
        .expect_plain();
    for (escaping, name, label) in [
        (Escaping::Underscores, "foo_bar_baz__", "x_y"),
        (Escaping::Dots, "foo_dot_bar__baz____", "x__y"),
        (Escaping::Values, "U__foo_2e_bar__baz_2f__e9_", "U__x_3a_y"),
    ] {
        for format in [T4, T1] {
            let mut labels = [format!("{label}=\"1\""), "instance=\"i1\"".into(), "job=\"svc\"".into()];
            labels.sort();
            bridge.shows_in(
                Format { escaping, ..format },
                &format!("# TYPE {name} gauge\n{name}{{{}}} 1", labels.join(",")),
            );
        }
    }
    let utf8 = Format {
        escaping: Escaping::AllowUtf8,
        ..P
    };
    bridge.shows_in(
        utf8,
        r#"name: "foo.bar_baz/é" type: GAUGE metric { label { name: "instance" value: "i1" }
        label { name: "job" value: "svc" } label { name: "x:y" value: "1" } gauge { value: 1 } }"#,
    );
}

#[test]
fn c_06_families_and_labels_that_meet_only_now() {
    let bridge = untranslated();
    bridge
        .send([gauge("a.b").is(1).t(5), gauge("a_b").is(2).t(5)])
        .expect_plain();
    bridge.shows("# TYPE a_b gauge\na_b{instance=\"i1\",job=\"svc\"} 2");
    let bridge = untranslated();
    bridge
        .send([gauge("a.b").is(1).t(6), gauge("a_b").is(2).attr("k", "v").is(3).t(5)])
        .expect_plain();
    bridge.shows("# TYPE a_b gauge\na_b{instance=\"i1\",job=\"svc\"} 1\na_b{instance=\"i1\",job=\"svc\",k=\"v\"} 2");
    let bridge = untranslated();
    bridge
        .send(gauge("g").is(1).attr("k.l", "x").attr("k_l", "y"))
        .expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k_l=\"x;y\"} 1");
    bridge.shows_in(
        T1,
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",\"k.l\"=\"x\",k_l=\"y\"} 1",
    );
}

#[test]
fn k_02_k_03_families_that_meet_share_help_and_a_unit_that_they_agree_on() {
    let bridge = untranslated();
    bridge
        .send([
            gauge("a.b").help("short").unit("s").is(1),
            gauge("a_b").help("longer text").unit("ms").is(2).attr("k", "v"),
        ])
        .expect_plain();
    bridge.shows_in(
        Format {
            escaping: Escaping::Underscores,
            ..OM2
        },
        r#"# TYPE a_b gauge
        # HELP a_b longer text
        a_b{instance="i1",job="svc"} 1
        a_b{instance="i1",job="svc",k="v"} 2
        # EOF"#,
    );
}

#[test]
fn k_04_k_05_what_clashes_only_now_is_left_out_and_counted_once() {
    let bridge = untranslated();
    bridge
        .send([
            gauge("a.b").is(1),
            counter("a_b").is(2),
            hist("h.h").buckets(&[], &[1], 1.0),
            gauge("h_h_count").is(7),
            gauge("target.info").is(1),
        ])
        .expect_plain();
    bridge.shows_in(
        T4,
        r#"# TYPE a_b gauge
        a_b{instance="i1",job="svc"} 1
        # TYPE h_h histogram
        h_h_bucket{instance="i1",job="svc",le="+Inf"} 1
        h_h_sum{instance="i1",job="svc"} 1
        h_h_count{instance="i1",job="svc"} 1"#,
    );
    assert_eq!(bridge.left_out(T4), 0, "it was counted by the scrape before");
    let all = String::from_utf8(bridge.scrape_as(T1, 1 << 16)).unwrap();
    for name in ["{\"a.b\",", "\na_b{", "\nh_h_count{", "{\"target.info\","] {
        assert!(all.contains(name), "{name} is not in {all}");
    }
}

#[test]
fn r_05_labels_of_target_info_are_escaped_too() {
    let bridge = untranslated();
    bridge
        .send(from_r0(&[("host.name", "h")]).metrics([gauge("g").is(1)]))
        .expect_plain();
    let line = |format| {
        let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
        text.lines()
            .find(|line| line.starts_with("target_info"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(line(T4), "target_info{host_name=\"h\",instance=\"i1\",job=\"svc\"} 1");
    assert_eq!(
        line(T1),
        "target_info{\"host.name\"=\"h\",instance=\"i1\",job=\"svc\"} 1"
    );
}
