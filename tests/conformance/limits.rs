//! B: caps, lengths and depth.

use std::time::{Duration, Instant};

use meterbridge::{store, translate};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};

use crate::harness::*;

fn capped(caps: store::Limits) -> Bridge {
    Bridge::with(caps, translate::Rules::default())
}

fn limited(labels: usize, name_bytes: usize, value_bytes: usize, help_bytes: usize) -> Bridge {
    let labels = translate::LabelLimits {
        labels,
        name_bytes,
        value_bytes,
    };
    Bridge::with(
        store::Limits::default(),
        translate::Rules {
            labels,
            help_bytes,
            ..translate::Rules::default()
        },
    )
}

const A1: &str = "# TYPE g gauge\ng{a=\"1\",instance=\"i1\",job=\"svc\"} ";

#[test]
fn b_01_max_series_refuses_newcomers_and_keeps_what_is_there() {
    let bridge = capped(store::Limits {
        series: 1,
        ..store::Limits::default()
    });
    bridge
        .send(gauge("g").is(1).attr("a", "1").is(2).attr("a", "2"))
        .refuses_one(
            1,
            "too_many_series: the bridge has reached the limit of 1 series (--max-series); series that are held stay",
        );
    bridge.shows(&format!("{A1}1"));
    bridge.send(gauge("g").is(3).t(2).attr("a", "1")).expect_plain();
    bridge.shows(&format!("{A1}3"));
    bridge.send(gauge("g").is(3).t(3).attr("a", "1").stale()).expect_plain();
    bridge.send(gauge("g").is(2).attr("a", "2")).expect_plain();
    bridge.shows("# TYPE g gauge\ng{a=\"2\",instance=\"i1\",job=\"svc\"} 2");
}

#[test]
fn b_01_max_series_per_job_and_per_metric() {
    let bridge = capped(store::Limits {
        series_per_job: 1,
        ..store::Limits::default()
    });
    let source =
        |job, instance| from(&[("service.name", job), ("service.instance.id", instance)]).metrics([gauge("g").is(1)]);
    bridge.send(source("a", "1")).expect_plain();
    bridge.send(source("a", "2")).refuses_one(
        0,
        "too_many_series: job \"a\" has reached the limit of 1 series (--max-series-per-job); series that are held stay",
    );
    bridge.send(source("b", "1")).expect_plain();

    let bridge = capped(store::Limits {
        series_per_metric: 1,
        ..store::Limits::default()
    });
    bridge.send([gauge("g").is(1), gauge("h").is(1)]).expect_plain();
    bridge.send(gauge("g").is(1).attr("a", "1")).refuses_one(
        0,
        "too_many_series: metric \"g\" has reached the limit of 1 series (--max-series-per-metric); series that are held stay",
    );
}

#[test]
fn b_01_a_histogram_and_a_summary_are_one_series_each() {
    let bridge = capped(store::Limits {
        series: 2,
        ..store::Limits::default()
    });
    let bounds: Vec<f64> = (0..100).map(f64::from).collect();
    bridge
        .send([
            hist("h").buckets(&bounds, &[1; 101], 1.0),
            summary("s").quantiles(&[(0.5, 1.0), (0.9, 1.0)], 1, 1.0),
        ])
        .expect_plain();
    assert_eq!(bridge.store.series(), 2);
}

#[test]
fn b_01_exponential_histograms_and_deltas_count_as_one_series_each() {
    let bridge = capped(store::Limits {
        series: 2,
        ..store::Limits::default()
    });
    let e = |value: u64, s, t| {
        exphist("e")
            .delta()
            .exponential(|p| p.positive(0, &[value, 1]).sum(1.0))
            .s(s)
            .t(t)
    };
    let c = |value: i64, s, t| counter("c").delta().is(value).s(s).t(t);
    bridge.send([e(1, 1, 2), c(1, 1, 2)]).expect_plain();
    // What is held goes on, whatever comes for it.
    bridge.send([e(1, 2, 3), c(1, 2, 3)]).expect_plain();
    bridge.send(c(1, 2, 3)).expect_plain().ignores(1);
    bridge
        .send(c(1, 3, 4).attr("k", "v"))
        .refuses(0, &[("too_many_series", 1)]);
    // A delta series that is hidden keeps its place (Z-01).
    bridge.send(c(0, 4, 5).stale()).expect_plain();
    bridge.send(gauge("g").is(1)).refuses(0, &[("too_many_series", 1)]);
    bridge.send(c(1, 5, 6)).expect_plain();
    assert!(
        bridge
            .scrape()
            .starts_with("# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 3\n")
    );
}

#[test]
fn b_01_each_point_that_a_cap_refuses_is_reported_each_time() {
    let bridge = capped(store::Limits {
        series_per_metric: 2,
        ..store::Limits::default()
    });
    let many = || (0..5).fold(gauge("g"), |metric, at| metric.is(1).attr("k", at));
    for _ in 0..2 {
        let answer = bridge.send(many()).refuses(2, &[("too_many_series", 3)]);
        assert_eq!(
            answer.message(),
            "3 points rejected: too_many_series: metric \"g\" has reached the limit of 2 series \
             (--max-series-per-metric); series that are held stay"
        );
    }
    bridge.shows(
        r#"# TYPE g gauge
        g{instance="i1",job="svc",k="0"} 1
        g{instance="i1",job="svc",k="1"} 1"#,
    );
}

#[test]
fn b_01_what_has_expired_leaves_its_place() {
    let caps = store::Limits {
        series: 1,
        expiry: Some(Duration::from_secs(60)),
        ..store::Limits::default()
    };
    let mut bridge = capped(caps);
    bridge.send(gauge("g").is(1).attr("k", "a")).expect_plain();
    bridge
        .at(60)
        .send(gauge("g").is(1).attr("k", "b"))
        .refuses(0, &[("too_many_series", 1)]);
    bridge.at(61).sweep();
    bridge.send(gauge("g").is(1).attr("k", "b")).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\",k=\"b\"} 1");
}

#[test]
fn b_01_c_05_streams_that_add_up_count_each() {
    let bridge = capped(store::Limits {
        series: 2,
        collisions: store::Collisions::Sum,
        ..store::Limits::default()
    });
    let stream = |host| from(&[("service.name", "svc"), ("host.name", host)]).metrics([counter("c").is(1)]);
    bridge.send(stream("a")).expect_plain();
    bridge.send(stream("b")).expect_plain();
    bridge.send(stream("c")).refuses(0, &[("too_many_series", 1)]);
    assert!(bridge.scrape().contains("c_total{instance=\"\",job=\"svc\"} 2\n"));
}

#[test]
fn b_01_what_a_cap_refuses_leaves_neither_family_nor_source() {
    let bridge = capped(store::Limits {
        series: 1,
        ..store::Limits::default()
    });
    bridge.send(gauge("g").is(1)).expect_plain();
    let other = from(&[("service.name", "other")]).metrics((0..10).map(|at| gauge(&format!("new_{at}")).is(1)));
    bridge.send(other).refuses(0, &[("too_many_series", 10)]);
    assert_eq!(bridge.store.families().len(), 1);
    assert_eq!(bridge.store.source_count(), 1);
    assert!(!bridge.holds("other", ""));
}

#[test]
fn b_01_an_overflow_point_is_a_point_like_others() {
    assert_eq!(
        labels_of(gauge("g").is(1).attr("otel.metric.overflow", true)),
        r#"{instance="i1",job="svc",otel_metric_overflow="true"}"#
    );
}

#[test]
fn b_03_too_many_labels() {
    // job and instance count, le does not.
    let bridge = limited(3, 0, 0, 0);
    bridge
        .send(hist("h").buckets(&[1.0], &[1, 0], 1.0).attr("a", 1))
        .expect_plain();
    bridge
        .send(gauge("g").is(1).attr("a", 1).attr("empty", ""))
        .expect_plain();
    bridge.send(gauge("g").is(1).attr("a", 1).attr("b", 2)).refuses_one(
        0,
        "too_many_labels: metric \"g\": 4 labels where 3 labels are the limit (--max-labels)",
    );
    bridge
        .send(from_r0(&[]).scope_named("lib", [gauge("g").is(1).attr("a", 1)]))
        .refuses(0, &[("too_many_labels", 1)]);
    bridge
        .send(from_r0(&[]).scope_named("lib", [gauge("x").is(1)]))
        .expect_plain();
}

#[test]
fn b_03_label_names_and_values_too_long() {
    let bridge = limited(0, 8, 8, 0);
    bridge
        .send(gauge("g").is(1).attr("name4567", "value678"))
        .expect_plain();
    bridge.send(gauge("g").is(1).attr("name45678", "v")).refuses_one(
        0,
        "label_name_too_long: metric \"g\": label \"name45678…\" has 9 bytes, the limit is 8 (--max-label-name-bytes)",
    );
    let too_long =
        "label_value_too_long: metric \"g\": the value of label \"k\" has more than 8 bytes (--max-label-value-bytes)";
    bridge
        .send(gauge("g").is(1).attr("k", "value6789"))
        .refuses_one(0, too_long);
    bridge
        .send(gauge("g").is(1).attr("k", Bytes(b"1234567")))
        .refuses_one(0, too_long);
    bridge
        .send(gauge("g").is(1).attr("k", vec![any("12345")]))
        .refuses_one(0, too_long);
    bridge
        .send(gauge("g").is(1).attr("k", vec![pair("1", 1), pair("2", 2)]))
        .refuses_one(0, too_long);
    bridge
        .send(gauge("g").is(1).attr("k", 123_456_789))
        .refuses_one(0, too_long);
    bridge.send(gauge("g").is(1).attr("k.k", "1234").attr("k-k", "1234")).refuses_one(
        0,
        "label_value_too_long: metric \"g\": the joined value of label \"k_k\" has more than 8 bytes (--max-label-value-bytes)",
    );
    // é has two bytes.
    bridge
        .send(gauge("g").is(1).attr("k", "ééééé"))
        .refuses_one(0, too_long);
    bridge.send(gauge("g").is(1).attr("k", "éééé")).expect_plain();
}

#[test]
fn b_03_the_name_is_measured_as_it_is_on_the_line() {
    let bridge = limited(0, 12, 0, 0);
    for (metric, name) in [
        (gauge("g").is(1).attr("5xx56789", "v"), "key_5xx56789"),
        (gauge("g").is(1).attr("job", "v"), "exported_job"),
        (gauge("g").is(1).attr("k............................", "v"), "k_"),
    ] {
        bridge.send(metric).expect_plain();
        assert!(bridge.scrape().contains(&format!("{name}=\"v\"")), "{name}");
    }
    for metric in [
        gauge("g").is(1).attr("5xx567890", "v"),
        gauge("g").is(1).attr("instance", "v"),
        hist("h").buckets(&[], &[1], 1.0).attr("a23456789_123", "v"),
        summary("s").quantiles(&[], 1, 1.0).attr("quantile", "v"),
    ] {
        bridge.send(metric).refuses(0, &[("label_name_too_long", 1)]);
    }
    // An attribute without a value makes no label (L-06).
    bridge
        .send(gauge("g").is(1).attr("much_too_long_to_be_a_name", ""))
        .expect_plain();
}

#[test]
fn b_03_all_that_a_line_carries_counts() {
    let promoting = |labels: usize| {
        let labels = translate::LabelLimits {
            labels,
            name_bytes: 0,
            value_bytes: 20,
        };
        let rules = translate::Rules {
            labels,
            promote_resource_attributes: vec!["p*".into()],
            label_resource: true,
            ..translate::Rules::default()
        };
        Bridge::with(store::Limits::default(), rules)
    };
    // job, instance, otel_resource, p, otel_scope_name, k.
    let request = || from_r0(&[("p", "v")]).scope_named("lib", [gauge("g").is(1).attr("k", "v")]);
    promoting(6).send(request()).expect_plain();
    promoting(5).send(request()).refuses(0, &[("too_many_labels", 1)]);
    // Nor is a promoted value cut or left out.
    promoting(0)
        .send(from_r0(&[("p", "a value that is too long")]).metrics([gauge("g").is(1), gauge("h").is(1)]))
        .refuses(0, &[("label_value_too_long", 2)]);
    // A bound is no label of the series.
    let bridge = limited(2, 0, 0, 0);
    bridge
        .send([
            hist("h").buckets(&[1.0, 2.0], &[1, 1, 1], 1.0),
            exphist("e").exponential(|p| p.positive(0, &[1]).sum(1.0)),
            summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0),
        ])
        .expect_plain();
    bridge
        .send(summary("s").quantiles(&[(0.5, 1.0)], 1, 1.0).attr("quantile", "v"))
        .refuses(0, &[("too_many_labels", 1)]);
}

#[test]
fn b_03_a_refused_point_leaves_what_is_held_as_it_was() {
    let bridge = limited(3, 8, 8, 8);
    let c = |value: i64, s, t| counter("c").delta().is(value).s(s).t(t);
    bridge.send(c(1, 1, 2).attr("k", "v")).expect_plain();
    let before = bridge.scrape();
    bridge
        .send([
            c(1, 2, 3).attr("k", "v").attr("l", "v"),
            c(1, 2, 3).attr("k", "much too long"),
            c(1, 2, 3).attr("much_too_long", "v"),
            c(1, 2, 3).attr("k", "v").help("much too long"),
        ])
        .refuses(
            0,
            &[
                ("too_many_labels", 1),
                ("label_value_too_long", 1),
                ("label_name_too_long", 1),
                ("help_too_long", 1),
            ],
        );
    assert_eq!(bridge.scrape(), before);
    bridge.send(c(1, 2, 3).attr("k", "v")).expect_plain().ignores(0);
}

#[test]
fn b_03_x_03_exemplars_are_held_to_their_own_limit() {
    let bridge = limited(3, 8, 8, 0);
    let metric = counter("c")
        .is(1)
        .exemplar(|e| e.is(1).t(1.5).attr("k", "much too long").attr("much_too_long", "v"));
    bridge.send(metric).expect_plain();
    // Such an attribute costs the exemplar its attributes, not the point.
    bridge.shows_in(
        OM,
        "# TYPE c counter\nc_total{instance=\"i1\",job=\"svc\"} 1 # {} 1 1.5\n# EOF",
    );
}

#[test]
fn b_03_the_limits_hold_for_the_labels_of_scopes() {
    let scoped = |name: &str, version: &str, attribute: Option<(&str, &str)>| {
        let attributes = attribute.map(|(key, value)| pair(key, value)).into_iter().collect();
        let scope = InstrumentationScope {
            name: name.into(),
            version: version.into(),
            attributes,
            ..InstrumentationScope::default()
        };
        from_r0(&[]).scope(scope, "", [gauge("g").is(1)])
    };
    let long = "x".repeat(31);
    let bridge = limited(0, 30, 30, 0);
    bridge
        .send(scoped(&long[1..], &long[1..], Some(("k", &long[1..]))))
        .expect_plain();
    for request in [
        scoped(&long, "", None),
        scoped("", &long, None),
        scoped("", "", Some(("k", &long))),
        from_r0(&[]).scope(InstrumentationScope::default(), &long, [gauge("g").is(1)]),
    ] {
        bridge.send(request).refuses(0, &[("label_value_too_long", 1)]);
    }
    bridge
        .send(scoped("", "", Some((&long, "v"))))
        .refuses(0, &[("label_name_too_long", 1)]);
}

#[test]
fn b_03_an_identity_that_is_too_long_is_refused_not_lost() {
    let bridge = limited(0, 0, 8, 0);
    let from = |resource: &[(&str, &str)]| from(resource).metrics([gauge("g").is(1)]);
    bridge
        .send(from(&[
            ("service.name", "12345678"),
            ("service.instance.id", "12345678"),
        ]))
        .expect_plain();
    for resource in [
        &[("service.name", "123456789")][..],
        &[("service.instance.id", "123456789")],
        &[("service.namespace", "1234"), ("service.name", "1234")],
        &[("service.namespace", "123456789"), ("service.name", "1")],
    ] {
        bridge.send(from(resource)).refuses(0, &[("label_value_too_long", 1)]);
    }
    assert_eq!(bridge.store.source_count(), 1);
}

#[test]
fn b_03_a_resource_attribute_too_long_stays_out_of_target_info() {
    for (key, value) in [("k", "value6789"), ("a_name_of_19_bytes_", "v")] {
        let bridge = limited(0, 18, 8, 0);
        let answer = bridge.send(from_r0(&[(key, value), ("host.name", "h")]).metrics([gauge("g").is(1)]));
        assert_eq!(answer.advised(), [(translate::Advice::OversizedResource, 1)]);
        assert!(
            answer
                .refuses(1, &[])
                .message()
                .starts_with("advice: oversized_resource: "),
            "{key}"
        );
        bridge.shows(
            r#"# HELP target_info Target metadata
            # TYPE target_info gauge
            target_info{host_name="h",instance="i1",job="svc"} 1
            # TYPE g gauge
            g{instance="i1",job="svc"} 1"#,
        );
    }
}

#[test]
fn b_03_of_too_many_resource_attributes_those_that_fit_stay() {
    let bridge = limited(4, 0, 0, 0);
    let attributes = [("a", "1"), ("b", "2"), ("c", "3")];
    let answer = bridge
        .send(from_r0(&attributes).metrics([gauge("g").is(1)]))
        .refuses(1, &[]);
    assert!(answer.message().starts_with("advice: oversized_resource: "));
    assert!(
        bridge
            .scrape()
            .contains(r#"target_info{a="1",b="2",instance="i1",job="svc"} 1"#)
    );
}

#[test]
fn b_03_a_metric_s_name_is_a_label_value() {
    let bridge = limited(0, 0, 12, 0);
    bridge.send(counter("name56").is(1)).expect_plain();
    let too_long =
        "label_value_too_long: the name of metric \"name567…\" has 13 bytes, the limit is 12 (--max-label-value-bytes)";
    bridge.send(counter("name567").is(1)).refuses_one(0, too_long);
    bridge.send(counter("name567").is(1).stale()).refuses_one(0, too_long);
    bridge
        .send(gauge("name567").unit("x23456").is(1))
        .refuses(0, &[("label_value_too_long", 1)]);
}

#[test]
fn b_04_a_long_name_is_not_copied_for_each_of_its_points() {
    let mut metric = sum(&"x".repeat(1_000_000), true, CUMULATIVE);
    for _ in 0..20_000 {
        metric = metric.is(1).t(0);
    }
    let start = Instant::now();
    for metric in [metric.clone(), metric.clone().temporality(0), metric.temporality(DELTA)] {
        assert_eq!(Bridge::new().send(metric).counts().0, 0);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "60 GB were written");
}

#[test]
fn b_03_help_too_long() {
    let bridge = limited(0, 0, 0, 4);
    bridge.send(gauge("g").help("1234").is(1)).expect_plain();
    bridge.send(gauge("g").help("12345").is(1)).refuses_one(
        0,
        "help_too_long: the description of \"g\" has 5 bytes, the limit is 4 (--max-help-bytes)",
    );
}

fn nested(depth: usize) -> AnyValue {
    (0..depth).fold(any(1), |inner, at| {
        if at % 2 == 0 {
            any(vec![inner])
        } else {
            any(vec![with("k", inner)])
        }
    })
}

fn with(key: &str, value: AnyValue) -> opentelemetry_proto::tonic::common::v1::KeyValue {
    let mut attribute = pair(key, Empty);
    attribute.value = Some(value);
    attribute
}

#[test]
fn b_04_depth_is_bounded() {
    let send = |depth| {
        let mut metric = gauge("g").is(1);
        let Some(opentelemetry_proto::tonic::metrics::v1::metric::Data::Gauge(gauge)) = &mut metric.0.data else {
            panic!()
        };
        gauge.data_points[0].attributes.push(with("k", nested(depth)));
        Bridge::new().take(&encode([metric.into()]))
    };
    send(64).unwrap().expect_plain();
    for depth in [65, 1000] {
        let Err(error) = send(depth) else {
            panic!("depth {depth} was taken")
        };
        assert!(error.to_string().contains("nested deeper than 64"), "{error}");
    }
}

#[test]
fn b_04_of_equal_keys_the_last_counts() {
    let labels = labels_of(gauge("g").is(1).attr("k", 1).attr("l", 1).attr("k", 2).attr("k", 3));
    assert_eq!(labels, r#"{instance="i1",job="svc",k="3",l="1"}"#);
    let labels = labels_of(gauge("g").is(1).attr("k", "v").attr("k", ""));
    assert_eq!(labels, r#"{instance="i1",job="svc"}"#);
    let map = vec![pair("k", 1), pair("k", 2)];
    assert_eq!(
        labels_of(gauge("g").is(1).attr("m", map)),
        r#"{instance="i1",job="svc",m="{\"k\":2}"}"#
    );
    row(
        from_r0(&[("service.name", "last"), ("x", "1"), ("x", "2")]).metrics([gauge("g").is(1)]),
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{instance="i1",job="last",x="2"} 1
        # TYPE g gauge
        g{instance="i1",job="last"} 1"#,
    );
}

#[test]
fn b_04_attributes_are_bounded_whatever_becomes_of_them() {
    let many = (0..1025).fold(gauge("g").is(1), |metric, _| metric.attr("k", 1));
    refused(
        many,
        "too_many_labels: metric \"g\": more than 1024 attributes where 256 labels are the limit (--max-labels)",
    );
}
