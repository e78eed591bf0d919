//! O: OpenMetrics 2.0, a release candidate. Each block of the page, and what else its rules mean.

use crate::harness::*;
use meterbridge::exposition::{Escaping, ExponentialForm, Format, Style};
use meterbridge::translate::{MissingSum, Rules, Strategy};

const START: u64 = 1_700_000_000;
const TRACE: &str = "5B8EFFF798038103D269B633813FC60C";
const SPAN: &str = "EEE19B7EC3C1B174";

fn om2(request: impl Into<Request>, expected: &str) {
    row_in(OM2, request, &format!("{expected}\n# EOF"));
}

fn started(metric: Build) -> Build {
    metric.s(START).t(START + 10)
}

fn in_form(exponential: ExponentialForm) -> Format {
    let style = Style {
        exponential,
        ..Style::default()
    };
    Format { style, ..OM2 }
}

#[test]
fn o_04_type_unit_help_then_samples_all_of_the_sample_s_name() {
    let mut metric = counter("http.client.request.size")
        .unit("By")
        .help("B \"sent\"")
        .is(7)
        .t(START + 10);
    let Some(opentelemetry_proto::tonic::metrics::v1::metric::Data::Sum(sum)) = &mut metric.0.data else {
        panic!("no sum")
    };
    sum.data_points[0].start_time_unix_nano = START * SECOND + 250_000_000;
    om2(
        metric,
        r#"# TYPE http_client_request_size_bytes_total counter
        # UNIT http_client_request_size_bytes_total bytes
        # HELP http_client_request_size_bytes_total B \"sent\"
        http_client_request_size_bytes_total{instance="i1",job="svc"} 7 st@1700000000.25"#,
    );
    om2(
        gauge("g")
            .is(9_007_199_254_740_993)
            .is(1e6)
            .attr("a", "1")
            .is(f64::NAN)
            .attr("a", "2")
            .is(0.1)
            .attr("a", "3"),
        r#"# TYPE g gauge
        g{instance="i1",job="svc"} 9007199254740993
        g{a="1",instance="i1",job="svc"} 1e+06
        g{a="2",instance="i1",job="svc"} NaN
        g{a="3",instance="i1",job="svc"} 0.1"#,
    );
}

#[test]
fn o_05_counters_need_no_suffix() {
    let bridge = Bridge::ruled(Rules {
        strategy: Strategy::NoTranslation,
        ..Rules::default()
    });
    bridge
        .send(started(counter("foo.bar").unit("By").is(1).attr("x.y", "z")))
        .expect_plain();
    bridge.shows_in(
        OM2,
        r#"# TYPE "foo.bar" counter
        # UNIT "foo.bar" bytes
        {"foo.bar",instance="i1",job="svc","x.y"="z"} 1 st@1700000000
        # EOF"#,
    );
    bridge.shows_in(
        Format {
            escaping: Escaping::Underscores,
            ..OM2
        },
        r#"# TYPE foo_bar counter
        # UNIT foo_bar bytes
        foo_bar{instance="i1",job="svc",x_y="z"} 1 st@1700000000
        # EOF"#,
    );
}

#[test]
fn o_06_start_times_stand_behind_the_value_and_its_time() {
    let style = Style {
        timestamps: true,
        created_lines: true,
        ..Style::default()
    };
    let bridge = Bridge::new();
    bridge
        .send([
            counter("c").is(1).exemplar(|e| e.is(1).t(2.0)).s(1).t(3),
            gauge("g").is(1).s(1).t(3),
            counter("n").is(1).s(0).t(3),
        ])
        .expect_plain();
    bridge.shows_in(
        Format { style, ..OM2 },
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 1 3 st@1 # {} 1 2
        # TYPE g gauge
        g{instance="i1",job="svc"} 1 3
        # TYPE n_total counter
        n_total{instance="i1",job="svc"} 1 3
        # EOF"#,
    );
}

#[test]
fn o_07_gauges_and_what_is_unknown() {
    om2(
        [
            gauge("g")
                .is(f64::NEG_INFINITY)
                .is(1.5)
                .attr("p", "C:\\x \"q\"\nz")
                .exemplar(|e| e.is(1).t(1.0)),
            gauge("u").is(1).meta("prometheus.type", "unknown"),
        ],
        r#"# TYPE g gauge
        g{instance="i1",job="svc"} -Inf
        g{instance="i1",job="svc",p="C:\\x \"q\"\nz"} 1.5
        # TYPE u unknown
        u{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn o_08_units_wherever_they_are_known_and_fit_the_grammar() {
    om2(
        gauge("seconds.since.boot").unit("s").is(9),
        r#"# TYPE seconds_since_boot gauge
        # UNIT seconds_since_boot seconds
        seconds_since_boot{instance="i1",job="svc"} 9"#,
    );
    let bridge = Bridge::ruled(Rules {
        strategy: Strategy::NoUtf8EscapingWithSuffixes,
        ..Rules::default()
    });
    bridge.send(gauge("x").unit("°C").is(9)).expect_plain();
    bridge.shows_in(
        OM2,
        "# TYPE \"x_°C\" gauge\n{\"x_°C\",instance=\"i1\",job=\"svc\"} 9\n# EOF",
    );
}

#[test]
fn o_09_o_10_classic_histograms() {
    om2(
        [
            hist("e").buckets(&[], &[], 2.0).count(4),
            started(hist("h").unit("s").buckets(&[1.0, 10.0], &[2, 1, 1], 110.2)),
            hist("i").buckets(&[f64::NEG_INFINITY, 1.0, f64::INFINITY], &[0, 1, 2, 0], 1.0),
            hist("n").buckets(&[-1.0, 1.0], &[2, 0, 0], -3.0),
            hist("u").buckets(&[1.0], &[1, 0], None),
        ],
        r#"# TYPE e histogram
        e{instance="i1",job="svc"} {count:4,sum:2,bucket:[+Inf:4]}
        # TYPE h_seconds histogram
        # UNIT h_seconds seconds
        h_seconds{instance="i1",job="svc"} {count:4,sum:110.2,bucket:[1.0:2,10.0:3,+Inf:4]} st@1700000000
        # TYPE i histogram
        i{instance="i1",job="svc"} {count:3,sum:1,bucket:[1.0:1,+Inf:3]}
        # TYPE n histogram
        n{instance="i1",job="svc"} {count:2,sum:-3,bucket:[-1.0:2,1.0:2,+Inf:2]}
        # TYPE u histogram
        u{instance="i1",job="svc"} {count:1,sum:NaN,bucket:[1.0:1,+Inf:1]}"#,
    );
}

#[test]
fn o_11_native_fields_then_classic_ones() {
    let metric =
        || started(exphist("e").exponential(|p| p.scale(0).zero(1).negative(0, &[1]).positive(0, &[1]).sum(0.5)));
    let native = "schema:0,zero_threshold:1e-128,zero_count:1,negative_spans:[1:1],negative_buckets:[1],\
                  positive_spans:[1:1],positive_buckets:[1]";
    let classic = "bucket:[-2.0:0,-1.0:1,0.0:2,1.0:2,2.0:3,+Inf:3]";
    for (form, fields) in [
        (ExponentialForm::Both, format!("{native},{classic}")),
        (ExponentialForm::Native, native.to_owned()),
        (ExponentialForm::Classic, classic.to_owned()),
    ] {
        row_in(
            in_form(form),
            metric(),
            &format!(
                "# TYPE e histogram\ne{{instance=\"i1\",job=\"svc\"}} {{count:3,sum:0.5,{fields}}} st@1700000000\n# EOF"
            ),
        );
    }
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
            exphist("n").exponential(|p| p.scale(0).zero(1).positive(2, &[2])),
            exphist("z").exponential(|p| p.scale(3).sum(0.0)),
        ])
        .expect_plain();
    bridge.shows_in(
        in_form(ExponentialForm::Native),
        r#"# TYPE e histogram
        e{instance="i1",job="svc"} {count:37,sum:100,schema:3,zero_threshold:0.001,zero_count:0,positive_spans:[4:1,2:3],positive_buckets:[10,20,5,2]}
        # TYPE n histogram
        n{instance="i1",job="svc"} {count:3,sum:NaN,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[3:1],positive_buckets:[2]}
        # TYPE z histogram
        z{instance="i1",job="svc"} {count:0,sum:0,schema:3,zero_threshold:1e-128,zero_count:0}
        # EOF"#,
    );
}

#[test]
fn o_13_counts_beyond_what_a_double_holds_are_doubles() {
    let row = |zero, bucket: u64, shown: &str| {
        row_in(
            in_form(ExponentialForm::Native),
            exphist("e").exponential(|p| p.scale(0).zero(zero).positive(2, &[bucket]).sum(10.0)),
            &format!(
                "# TYPE e histogram\ne{{instance=\"i1\",job=\"svc\"}} {{count:{},sum:10,schema:0,zero_threshold:1e-128,\
                 zero_count:{zero},positive_spans:[3:1],positive_buckets:[{shown}]}}\n# EOF",
                zero + bucket
            ),
        );
    };
    row(0, 9_007_199_254_740_993, "9007199254740993.0");
    row(0, 9_007_199_254_740_992, "9007199254740992");
    row(9_007_199_254_740_992, 1, "1.0");
}

#[test]
fn o_14_summaries() {
    om2(
        [
            started(summary("s").quantiles(&[(0.5, 1.5), (1.0, 3.0)], 2, 4.0)),
            summary("t").quantiles(&[], 2, 4.0),
        ],
        r#"# TYPE s summary
        s{instance="i1",job="svc"} {count:2,sum:4,quantile:[0.5:1.5,1.0:3]} st@1700000000
        # TYPE t summary
        t{instance="i1",job="svc"} {count:2,sum:4,quantile:[]}"#,
    );
    let bridge = Bridge::new();
    bridge
        .send(
            summary("s")
                .quantiles(&[(0.5, -1.0)], 2, 4.0)
                .attr("a", "1")
                .quantiles(&[], 2, f64::NAN)
                .attr("a", "2")
                .quantiles(&[], 2, -4.0)
                .attr("a", "3")
                .quantiles(&[(0.5, f64::NAN)], 2, 4.0)
                .attr("a", "4"),
        )
        .expect_plain();
    assert_eq!(bridge.left_out(OM2), 3);
    bridge.shows_in(
        OM2,
        r#"# TYPE s summary
        s{a="4",instance="i1",job="svc"} {count:2,sum:4,quantile:[0.5:NaN]}
        # EOF"#,
    );
}

#[test]
fn o_15_infos_and_statesets() {
    om2(
        from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([
            gauge("build_info")
                .is(1)
                .attr("rev", "abc")
                .meta("prometheus.type", "info"),
            gauge("door_state")
                .is(1)
                .attr("door_state", "open")
                .is(0)
                .attr("door_state", "shut")
                .meta("prometheus.type", "stateset"),
            gauge("many").is(2).meta("prometheus.type", "info"),
            gauge("odd").is(2).attr("odd", "x").meta("prometheus.type", "stateset"),
        ]),
        r#"# TYPE target_info info
        # HELP target_info Target metadata
        target_info{host_name="h",instance="i1",job="svc",service_version="1.2"} 1
        # TYPE build_info info
        build_info{instance="i1",job="svc",rev="abc"} 1
        # TYPE door_state stateset
        door_state{door_state="open",instance="i1",job="svc"} 1
        door_state{door_state="shut",instance="i1",job="svc"} 0
        # TYPE many_info gauge
        many_info{instance="i1",job="svc"} 2
        # TYPE odd gauge
        odd{instance="i1",job="svc",odd="x"} 2"#,
    );
}

#[test]
fn o_16_o_17_exemplars() {
    om2(
        [
            started(counter("reqs").is(3))
                .exemplar(|e| e.is(1).t(1_700_000_002.0).trace(TRACE).span(SPAN))
                .exemplar(|e| e.is(1).t(1_700_000_001.5).attr("a", "b"))
                .exemplar(|e| e.is(5)),
            hist("h")
                .buckets(&[1.0, 10.0], &[2, 1, 1], 110.2)
                .exemplar(|e| e.is(99).t(1_700_000_008.0).attr("user.id", "7"))
                .exemplar(|e| e.is(0.7).t(1_700_000_009.0))
                .exemplar(|e| e.is(10).t(1_700_000_007.0))
                .exemplar(|e| e.is(0.5).t(1_700_000_005.0)),
            exphist("e")
                .exponential(|p| p.scale(0).zero(1).positive(2, &[2]).sum(10.0))
                .exemplar(|e| e.is(7.5).t(1_700_000_010.5))
                .exemplar(|e| e.is(5).t(1_700_000_009.0)),
        ],
        r#"# TYPE e histogram
        e{instance="i1",job="svc"} {count:3,sum:10,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[3:1],positive_buckets:[2],bucket:[0.0:1,4.0:1,8.0:3,+Inf:3]} # {} 5 1700000009 # {} 7.5 1700000010.5
        # TYPE h histogram
        h{instance="i1",job="svc"} {count:4,sum:110.2,bucket:[1.0:2,10.0:3,+Inf:4]} # {} 0.7 1700000009 # {} 10 1700000007 # {"user.id"="7"} 99 1700000008
        # TYPE reqs_total counter
        reqs_total{instance="i1",job="svc"} 3 st@1700000000 # {a="b"} 1 1700000001.5 # {span_id="eee19b7ec3c1b174",trace_id="5b8efff798038103d269b633813fc60c"} 1 1700000002"#,
    );
}

#[test]
fn o_16_o_21_at_most_10_exemplars_a_line_the_newest() {
    let many = (0..15u32).fold(counter("c").is(15), |metric, at| {
        metric.exemplar(|e| e.is(i64::from(at)).t(f64::from(at) + 1.0))
    });
    let bounds: Vec<f64> = (1..15).map(f64::from).collect();
    let wide = (0..15u32).fold(hist("h").buckets(&bounds, &[1; 15], 105.0), |metric, at| {
        metric.exemplar(|e| e.is(f64::from(at) + 0.5).t(f64::from(at) + 1.0))
    });
    let bridge = Bridge::new();
    bridge.send([many, wide]).expect_plain();
    let text = String::from_utf8(bridge.scrape_as(OM2, 1 << 16)).unwrap();
    let times: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            line.split(" # ")
                .skip(1)
                .map(|exemplar| exemplar.rsplit(' ').next().unwrap())
                .collect()
        })
        .collect();
    let newest: Vec<String> = (6..=15).map(|time| time.to_string()).collect();
    assert_eq!(times, [newest.clone(), newest]);
}

#[test]
fn o_18_le_and_quantile_are_exported() {
    om2(
        [
            hist("h").buckets(&[], &[1], 1.0).attr("le", "x"),
            summary("s").quantiles(&[], 1, 1.0).attr("quantile", "x"),
        ],
        r#"# TYPE h histogram
        h{exported_le="x",instance="i1",job="svc"} {count:1,sum:1,bucket:[+Inf:1]}
        # TYPE s summary
        s{exported_quantile="x",instance="i1",job="svc"} {count:1,sum:1,quantile:[]}"#,
    );
}

#[test]
fn o_19_families_keep_the_names_of_their_samples() {
    om2(
        [counter("foo").is(1), gauge("foo").is(2)],
        r#"# TYPE foo gauge
        foo{instance="i1",job="svc"} 2
        # TYPE foo_total counter
        foo_total{instance="i1",job="svc"} 1"#,
    );
    let bridge = Bridge::new();
    bridge.send(hist("h").buckets(&[], &[1], 1.0)).expect_plain();
    bridge.send(gauge("h_count").is(1)).refuses(0, &[("name_conflict", 1)]);
}

#[test]
fn o_20_nothing_but_the_end() {
    Bridge::new().shows_in(OM2, "# EOF");
}
