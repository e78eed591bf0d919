//! What OpenMetrics 1.0 has otherwise than text 0.0.4: G, H, Q, X, T, F and K there.

use crate::harness::*;
use meterbridge::exposition::{Escaping, Format, Style};
use meterbridge::translate::{MissingSum, Rules, Strategy};

const TRACE: &str = "5B8EFFF798038103D269B633813FC60C";
const SPAN: &str = "EEE19B7EC3C1B174";

fn om(request: impl Into<Request>, expected: &str) {
    row_in(OM, request, &format!("{expected}\n# EOF"));
}

fn strategy(strategy: Strategy) -> Bridge {
    Bridge::ruled(Rules {
        strategy,
        ..Rules::default()
    })
}

#[test]
fn r_05_target_info_is_an_info_and_comes_first() {
    let request = from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([gauge("a").is(1)]);
    om(
        request,
        r#"# TYPE target info
        # HELP target Target metadata
        target_info{host_name="h",instance="i1",job="svc",service_version="1.2"} 1
        # TYPE a gauge
        a{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn g_03_what_a_gauge_was_before() {
    let hinted = |hint| {
        gauge("build_info")
            .is(1)
            .attr("rev", "abc")
            .meta("prometheus.type", hint)
    };
    om(
        hinted("info"),
        "# TYPE build info\nbuild_info{instance=\"i1\",job=\"svc\",rev=\"abc\"} 1",
    );
    om(
        gauge("odd").is(2).meta("prometheus.type", "unkown"),
        "# TYPE odd unknown\nodd{instance=\"i1\",job=\"svc\"} 2",
    );
    om(
        gauge("door")
            .is(1)
            .attr("door", "open")
            .is(0)
            .attr("door", "shut")
            .meta("prometheus.type", "stateset"),
        r#"# TYPE door stateset
        door{door="open",instance="i1",job="svc"} 1
        door{door="shut",instance="i1",job="svc"} 0"#,
    );
    row_in(
        P,
        gauge("odd").is(2).meta("prometheus.type", "unknown"),
        r#"name: "odd" type: UNTYPED metric {
        label { name: "instance" value: "i1" } label { name: "job" value: "svc" } untyped { value: 2 } }"#,
    );
}

#[test]
fn g_03_what_cannot_be_an_info_or_a_stateset_is_a_gauge() {
    om(
        gauge("build")
            .is(1)
            .is(2)
            .attr("a", "b")
            .meta("prometheus.type", "info"),
        "# TYPE build_info gauge\nbuild_info{instance=\"i1\",job=\"svc\"} 1\nbuild_info{a=\"b\",instance=\"i1\",job=\"svc\"} 2",
    );
    for (metric, shown) in [
        (
            gauge("d").is(2).attr("d", "x"),
            "d{d=\"x\",instance=\"i1\",job=\"svc\"} 2",
        ),
        (
            gauge("d").is(1).attr("e", "x"),
            "d{e=\"x\",instance=\"i1\",job=\"svc\"} 1",
        ),
    ] {
        om(
            metric.meta("prometheus.type", "stateset"),
            &format!("# TYPE d gauge\n{shown}"),
        );
    }
    let bridge = strategy(Strategy::NoTranslation);
    bridge
        .send(gauge("build").is(1).meta("prometheus.type", "info"))
        .expect_plain();
    bridge.shows_in(OM, "# TYPE build gauge\nbuild{instance=\"i1\",job=\"svc\"} 1\n# EOF");
}

#[test]
fn h_01_h_02_count_stands_before_sum_and_bounds_do_not_look_whole() {
    om(
        hist("h").buckets(&[0.005, 1.0, 1e6], &[1, 2, 0, 1], 12.5),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="0.005"} 1
        h_bucket{instance="i1",job="svc",le="1.0"} 3
        h_bucket{instance="i1",job="svc",le="1e+06"} 3
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_count{instance="i1",job="svc"} 4
        h_sum{instance="i1",job="svc"} 12.5"#,
    );
}

#[test]
fn h_04_h_08_sum_and_count_go_together() {
    let buckets = |low: &str, count: u64| {
        format!(
            "# TYPE h histogram\nh_bucket{{instance=\"i1\",job=\"svc\",le=\"{low}\"}} 1\n\
             h_bucket{{instance=\"i1\",job=\"svc\",le=\"+Inf\"}} {count}"
        )
    };
    for sum in [None, Some(f64::NAN), Some(-1.0), Some(f64::NEG_INFINITY)] {
        om(hist("h").buckets(&[1.0], &[1, 0], sum), &buckets("1.0", 1));
    }
    om(hist("h").buckets(&[-1.0], &[1, 2], 5.0), &buckets("-1.0", 3));
    om(
        hist("h").buckets(&[1.0], &[1, 0], f64::INFINITY),
        &format!(
            "{}\nh_count{{instance=\"i1\",job=\"svc\"}} 1\nh_sum{{instance=\"i1\",job=\"svc\"}} +Inf",
            buckets("1.0", 1)
        ),
    );
    // The other formats keep both.
    row(
        hist("h").buckets(&[-1.0], &[1, 2], -5.0),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="-1"} 1
        h_bucket{instance="i1",job="svc",le="+Inf"} 3
        h_sum{instance="i1",job="svc"} -5
        h_count{instance="i1",job="svc"} 3"#,
    );
}

#[test]
fn q_01_q_02_summaries() {
    om(
        summary("s").quantiles(&[(1.0, 3.0), (0.5, f64::NAN)], 2, 4.0),
        r#"# TYPE s summary
        s{instance="i1",job="svc",quantile="0.5"} NaN
        s{instance="i1",job="svc",quantile="1.0"} 3
        s_count{instance="i1",job="svc"} 2
        s_sum{instance="i1",job="svc"} 4"#,
    );
    om(
        summary("s").quantiles(&[(0.5, -1.0)], 2, -3.0),
        "# TYPE s summary\ns_count{instance=\"i1\",job=\"svc\"} 2",
    );
}

#[test]
fn e_06_e_08_exponential_histograms_have_their_classic_form() {
    om(
        exphist("e").exponential(|p| p.scale(0).zero(1).positive(0, &[1]).sum(1.5)),
        r#"# TYPE e histogram
        e_bucket{instance="i1",job="svc",le="0.0"} 1
        e_bucket{instance="i1",job="svc",le="1.0"} 1
        e_bucket{instance="i1",job="svc",le="2.0"} 2
        e_bucket{instance="i1",job="svc",le="+Inf"} 2
        e_count{instance="i1",job="svc"} 2
        e_sum{instance="i1",job="svc"} 1.5"#,
    );
    let bridge = Bridge::ruled(Rules {
        missing_sum: MissingSum::Nan,
        ..Rules::default()
    });
    bridge
        .send(exphist("e").exponential(|p| p.scale(0).positive(0, &[1])))
        .expect_plain();
    bridge.shows_in(
        OM,
        r#"# TYPE e histogram
        e_bucket{instance="i1",job="svc",le="1.0"} 0
        e_bucket{instance="i1",job="svc",le="2.0"} 1
        e_bucket{instance="i1",job="svc",le="+Inf"} 1
        # EOF"#,
    );
    bridge.shows(
        r#"# TYPE e histogram
        e_bucket{instance="i1",job="svc",le="1"} 0
        e_bucket{instance="i1",job="svc",le="2"} 1
        e_bucket{instance="i1",job="svc",le="+Inf"} 1
        e_sum{instance="i1",job="svc"} NaN
        e_count{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn e_08_the_printed_example() {
    row(
        exphist("e").exponential(|p| p.scale(0).zero(1).negative(0, &[1]).positive(0, &[1]).sum(0.5)),
        r#"# TYPE e histogram
        e_bucket{instance="i1",job="svc",le="-2"} 0
        e_bucket{instance="i1",job="svc",le="-1"} 1
        e_bucket{instance="i1",job="svc",le="0"} 2
        e_bucket{instance="i1",job="svc",le="1"} 2
        e_bucket{instance="i1",job="svc",le="2"} 3
        e_bucket{instance="i1",job="svc",le="+Inf"} 3
        e_sum{instance="i1",job="svc"} 0.5
        e_count{instance="i1",job="svc"} 3"#,
    );
}

#[test]
fn x_01_counters_have_the_latest() {
    let metric = counter("reqs")
        .is(3)
        .exemplar(|e| e.is(2).t(9.0))
        .exemplar(|e| e.is(1).t(10.5).trace(TRACE).span(SPAN));
    om(
        metric,
        "# TYPE reqs counter\nreqs_total{instance=\"i1\",job=\"svc\"} 3 \
         # {span_id=\"eee19b7ec3c1b174\",trace_id=\"5b8efff798038103d269b633813fc60c\"} 1 10.5",
    );
    // Without a time, and with ids that are none.
    let zeros = "0".repeat(32);
    om(
        counter("reqs").is(3).exemplar(|e| e.is(0.25).trace(&zeros).span("00")),
        "# TYPE reqs counter\nreqs_total{instance=\"i1\",job=\"svc\"} 3 # {} 0.25",
    );
}

fn observed() -> Build {
    let metric = hist("h").buckets(&[1.0, 10.0], &[2, 1, 1], 110.2);
    [(10.0, 7.0), (0.5, 5.0), (99.0, 8.0), (0.7, 9.0)]
        .into_iter()
        .fold(metric, |metric, (value, t)| metric.exemplar(|e| e.is(value).t(t)))
}

#[test]
fn x_02_histograms_have_the_latest_of_each_bucket() {
    om(
        observed(),
        r#"# TYPE h histogram
        h_bucket{instance="i1",job="svc",le="1.0"} 2 # {} 0.7 9
        h_bucket{instance="i1",job="svc",le="10.0"} 3 # {} 10 7
        h_bucket{instance="i1",job="svc",le="+Inf"} 4 # {} 99 8
        h_count{instance="i1",job="svc"} 4
        h_sum{instance="i1",job="svc"} 110.2"#,
    );
    om(
        exphist("e")
            .exponential(|p| p.scale(0).zero(1).positive(1, &[0, 2]).sum(10.0))
            .exemplar(|e| e.is(5).t(9.0))
            .exemplar(|e| e.is(7.5).t(8.0))
            .exemplar(|e| e.is(0).t(7.0)),
        r#"# TYPE e histogram
        e_bucket{instance="i1",job="svc",le="0.0"} 1 # {} 0 7
        e_bucket{instance="i1",job="svc",le="4.0"} 1
        e_bucket{instance="i1",job="svc",le="8.0"} 3 # {} 5 9
        e_bucket{instance="i1",job="svc",le="+Inf"} 3
        e_count{instance="i1",job="svc"} 3
        e_sum{instance="i1",job="svc"} 10"#,
    );
}

#[test]
fn x_03_x_04_names_are_escaped_and_128_characters_are_the_limit() {
    let underscores = Format {
        escaping: Escaping::Underscores,
        ..OM
    };
    let with = |key: &str, value: &str| {
        counter("c")
            .is(1)
            .exemplar(|e| e.is(1).trace(TRACE).span(SPAN).attr(key, value))
    };
    let shown = |format, metric: Build| {
        let bridge = Bridge::new();
        bridge.send(metric).expect_plain();
        let text = String::from_utf8(bridge.scrape_as(format, 1 << 16)).unwrap();
        let (_, exemplar) = text.lines().nth(1).unwrap().split_once(" # ").unwrap();
        exemplar
            .replace("eee19b7ec3c1b174", "S")
            .replace("5b8efff798038103d269b633813fc60c", "T")
    };
    let ids = r#"span_id="S",trace_id="T""#;
    assert_eq!(
        shown(underscores, with("user.id", "7")),
        format!("{{{ids},user_id=\"7\"}} 1")
    );
    assert_eq!(
        shown(OM, with("user.id", "7")),
        format!("{{{ids},\"user.id\"=\"7\"}} 1")
    );
    assert_eq!(shown(underscores, with("trace.id", "7")), format!("{{{ids}}} 1"));
    let (fits, long) = ("é".repeat(128 - 63 - 2), "é".repeat(128 - 63 - 1));
    assert_eq!(shown(OM, with("zz", &fits)), format!("{{{ids},zz=\"{fits}\"}} 1"));
    assert_eq!(shown(OM, with("zz", &long)), format!("{{{ids}}} 1"));
}

#[test]
fn x_05_gauges_summaries_and_unknown_counters_have_none() {
    om(
        updown("g").is(3).exemplar(|e| e.is(1)),
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3",
    );
    let bridge = strategy(Strategy::NoTranslation);
    bridge
        .send(counter("reqs").is(3).exemplar(|e| e.is(1).t(1.0)))
        .expect_plain();
    bridge.shows_in(OM, "# TYPE reqs unknown\nreqs{instance=\"i1\",job=\"svc\"} 3\n# EOF");
    bridge.shows_in(
        P,
        r#"name: "reqs" type: COUNTER metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
        counter { value: 3 exemplar { value: 1 timestamp { seconds: 1 } } } }"#,
    );
}

#[test]
fn t_02_created_lines_where_they_are_asked_for() {
    let style = Style {
        created_lines: true,
        ..Style::default()
    };
    let created = Format { style, ..OM };
    let bridge = Bridge::new();
    bridge
        .send([
            counter("c").is(5).attr("b", "1").is(6).s(5).t(1_700_000_000),
            hist("h").buckets(&[], &[4], 2.0).s(5).t(10),
            summary("s").quantiles(&[], 2, 4.0).s(5).t(10),
            gauge("g").is(1).s(5).t(10),
        ])
        .expect_plain();
    bridge.shows_in(
        created,
        r#"# TYPE c counter
        c_total{b="1",instance="i1",job="svc"} 5
        c_total{instance="i1",job="svc"} 6
        c_created{instance="i1",job="svc"} 5
        # TYPE g gauge
        g{instance="i1",job="svc"} 1
        # TYPE h histogram
        h_bucket{instance="i1",job="svc",le="+Inf"} 4
        h_count{instance="i1",job="svc"} 4
        h_sum{instance="i1",job="svc"} 2
        h_created{instance="i1",job="svc"} 5
        # TYPE s summary
        s_count{instance="i1",job="svc"} 2
        s_sum{instance="i1",job="svc"} 4
        s_created{instance="i1",job="svc"} 5
        # EOF"#,
    );
    let plain = String::from_utf8(bridge.scrape_as(OM, 1 << 16)).unwrap();
    assert!(!plain.contains("_created"), "{plain}");
}

#[test]
fn z_04_timestamps_where_they_are_asked_for() {
    let style = Style {
        created_lines: true,
        timestamps: true,
        ..Style::default()
    };
    let bridge = Bridge::new();
    bridge
        .send(counter("c").is(5).exemplar(|e| e.is(1).t(2.0)).s(1).t(1_700_000_000))
        .expect_plain();
    bridge.shows_in(
        Format { style, ..T4 },
        "# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 5 1700000000000",
    );
    bridge.shows_in(
        Format { style, ..OM },
        r#"# TYPE c counter
        c_total{instance="i1",job="svc"} 5 1700000000 # {} 1 2
        c_created{instance="i1",job="svc"} 1 1700000000
        # EOF"#,
    );
    bridge.shows_in(
        Format { style, ..P },
        r#"name: "c_total" type: COUNTER metric { label { name: "instance" value: "i1" } label { name: "job" value: "svc" }
        counter { value: 5 exemplar { value: 1 timestamp { seconds: 2 } } start_timestamp { seconds: 1 } }
        timestamp_ms: 1700000000000 }"#,
    );
}

#[test]
fn f_07_units_stand_where_the_name_ends_in_them() {
    om(
        counter("http.client.request.size").unit("By").is(7),
        r#"# TYPE http_client_request_size_bytes counter
        # UNIT http_client_request_size_bytes bytes
        http_client_request_size_bytes_total{instance="i1",job="svc"} 7"#,
    );
    for (metric, head) in [
        (
            gauge("seconds.since.boot").unit("s"),
            "# TYPE seconds_since_boot gauge\nseconds_since_boot",
        ),
        (gauge("x").unit("[lb_av]"), "# TYPE x_lb_av_ gauge\nx_lb_av_"),
        (gauge("x").unit("1"), "# TYPE x_ratio gauge\nx_ratio"),
        (
            gauge("s").unit("s"),
            "# TYPE s_seconds gauge\n# UNIT s_seconds seconds\ns_seconds",
        ),
        (
            gauge("io").unit("By/s"),
            "# TYPE io_bytes_per_second gauge\n# UNIT io_bytes_per_second bytes_per_second\nio_bytes_per_second",
        ),
    ] {
        om(metric.is(9), &format!("{head}{{instance=\"i1\",job=\"svc\"}} 9"));
    }
    for without in [Strategy::UnderscoreEscapingWithoutSuffixes, Strategy::NoTranslation] {
        let bridge = strategy(without);
        bridge.send(gauge("x_seconds").unit("s").is(9)).expect_plain();
        bridge.shows_in(
            OM,
            "# TYPE x_seconds gauge\nx_seconds{instance=\"i1\",job=\"svc\"} 9\n# EOF",
        );
    }
}

#[test]
fn f_09_help_escapes_quotes_here_alone() {
    let metric = || gauge("g").help("a \"b\"\\\n").is(1);
    om(
        metric(),
        "# TYPE g gauge\n# HELP g a \\\"b\\\"\\\\\\n\ng{instance=\"i1\",job=\"svc\"} 1",
    );
    row(
        metric(),
        "# HELP g a \"b\"\\\\\\n\n# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1",
    );
}

#[test]
fn f_10_nothing_at_all() {
    let bridge = Bridge::new();
    for (format, expected) in [(T4, ""), (T1, ""), (OM, "# EOF\n"), (OM2, "# EOF\n"), (P, "")] {
        assert_eq!(bridge.scrape_as(format, 10), expected.as_bytes());
    }
}

#[test]
fn k_05_families_that_have_one_name_only_here() {
    let bridge = Bridge::new();
    bridge.send([counter("foo").is(1), gauge("foo").is(2)]).expect_plain();
    bridge.shows(
        r#"# TYPE foo gauge
        foo{instance="i1",job="svc"} 2
        # TYPE foo_total counter
        foo_total{instance="i1",job="svc"} 1"#,
    );
    bridge.shows_in(
        OM,
        "# TYPE foo counter\nfoo_total{instance=\"i1\",job=\"svc\"} 1\n# EOF",
    );
    let bridge = Bridge::new();
    bridge.send([gauge("foo").is(2), counter("foo").is(1)]).expect_plain();
    assert_eq!(bridge.left_out(OM), 1);
    assert_eq!(bridge.left_out(OM), 0, "counted once");
    bridge.shows_in(OM, "# TYPE foo gauge\nfoo{instance=\"i1\",job=\"svc\"} 2\n# EOF");
}

#[test]
fn k_05_what_has_expired_stands_in_nobody_s_way() {
    let caps = meterbridge::store::Limits {
        expiry: Some(std::time::Duration::from_secs(60)),
        ..Default::default()
    };
    let mut bridge = Bridge::with(caps, Rules::default());
    bridge.send(counter("foo").is(1)).expect_plain();
    bridge.at(61).send(gauge("foo").is(2)).expect_plain();
    bridge.shows_in(OM, "# TYPE foo gauge\nfoo{instance=\"i1\",job=\"svc\"} 2\n# EOF");
}

#[test]
fn n_07_counters_of_odd_names_keep_a_name() {
    om(
        counter("total").is(1),
        "# TYPE total unknown\ntotal{instance=\"i1\",job=\"svc\"} 1",
    );
    let bridge = strategy(Strategy::NoTranslation);
    bridge.send(counter("_total").is(1)).expect_plain();
    bridge.shows_in(
        OM,
        "# TYPE _total unknown\n_total{instance=\"i1\",job=\"svc\"} 1\n# EOF",
    );
}

#[test]
fn v_02_without_suffixes_counters_are_unknown() {
    let bridge = strategy(Strategy::UnderscoreEscapingWithoutSuffixes);
    bridge
        .send(counter("foo.bar").unit("By").is(1).s(1).t(5))
        .expect_plain();
    bridge.shows_in(
        OM,
        "# TYPE foo_bar unknown\nfoo_bar{instance=\"i1\",job=\"svc\"} 1\n# EOF",
    );
    bridge.shows("# TYPE foo_bar counter\nfoo_bar{instance=\"i1\",job=\"svc\"} 1");
}
