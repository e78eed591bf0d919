//! R: a resource becomes job, instance and target_info.

use meterbridge::translate::Rules;

use crate::harness::*;

fn g() -> Build {
    gauge("g").is(1)
}

#[track_caller]
fn identity(resource: &[(&str, &str)], expected: &str) {
    assert_eq!(labels_of(from(resource).metrics([g()])), expected);
}

/// The line of `target_info`, without value.
fn target(request: impl Into<Request>) -> Option<String> {
    let bridge = Bridge::new();
    bridge.send(request);
    let text = bridge.scrape();
    let line = text.lines().find_map(|line| line.strip_prefix("target_info"))?;
    Some(line.strip_suffix(" 1").unwrap().to_owned())
}

#[test]
fn r_01_job_is_namespace_and_name() {
    identity(
        &[
            ("service.namespace", "shop"),
            ("service.name", "cart"),
            ("service.instance.id", "i1"),
        ],
        r#"{instance="i1",job="shop/cart"}"#,
    );
}

#[test]
fn r_02_an_empty_namespace_is_none() {
    identity(
        &[("service.namespace", ""), ("service.name", "cart")],
        r#"{instance="",job="cart"}"#,
    );
}

#[test]
fn r_03_no_instance_is_an_empty_one() {
    row(
        from(&[("service.name", "svc")]).metrics([g()]),
        r#"# TYPE g gauge
        g{instance="",job="svc"} 1"#,
    );
    row(
        from(&[("service.name", "svc")]).metrics([hist("h").buckets(&[], &[1], 2.0)]),
        r#"# TYPE h histogram
        h_bucket{instance="",job="svc",le="+Inf"} 1
        h_sum{instance="",job="svc"} 2
        h_count{instance="",job="svc"} 1"#,
    );
    identity(
        &[("service.name", "svc"), ("service.instance.id", "")],
        r#"{instance="",job="svc"}"#,
    );
}

#[test]
fn r_04_no_service_name_is_no_job() {
    identity(&[("service.instance.id", "i1")], r#"{instance="i1"}"#);
    identity(
        &[("service.name", ""), ("service.namespace", "shop")],
        r#"{instance=""}"#,
    );
    identity(&[], r#"{instance=""}"#);
    identity(
        &[("service.name", "unknown_service:java")],
        r#"{instance="",job="unknown_service:java"}"#,
    );
}

#[test]
fn r_04_a_request_without_any_resource() {
    let mut request = from(&[]).metrics([g()]);
    request.0.resource = None;
    assert_eq!(labels_of(request), r#"{instance=""}"#);
}

#[test]
fn r_05_the_rest_goes_to_target_info() {
    row(
        from_r0(&[("host.name", "h"), ("service.version", "1.2")]).metrics([g()]),
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="h",instance="i1",job="svc",service_version="1.2"} 1
        # TYPE g gauge
        g{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn r_05_every_source_has_a_line_under_one_head() {
    let bridge = Bridge::new();
    let source = |instance, host| {
        from(&[
            ("service.name", "svc"),
            ("service.instance.id", instance),
            ("host.name", host),
        ])
        .metrics([g()])
    };
    bridge.send_all([source("i2", "b"), source("i1", "a")]).expect_plain();
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="a",instance="i1",job="svc"} 1
        target_info{host_name="b",instance="i2",job="svc"} 1
        # TYPE g gauge
        g{instance="i2",job="svc"} 1
        g{instance="i1",job="svc"} 1"#,
    );
}

#[test]
fn r_06_what_identifies_the_service_does_not_describe_it() {
    assert_eq!(target(from_r0(&[("service.namespace", "shop")]).metrics([g()])), None);
    assert_eq!(target(from_r0(&[("empty", "")]).metrics([g()])), None);
}

#[test]
fn r_07_at_most_one_target_info_for_each_source() {
    let bridge = Bridge::new();
    bridge
        .send(from_r0(&[("host.name", "a")]).metrics([g()]))
        .expect_plain();
    bridge
        .send(from_r0(&[("host.name", "b")]).metrics([g()]))
        .expect_plain();
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="b",instance="i1",job="svc"} 1
        # TYPE g gauge
        g{instance="i1",job="svc"} 1"#,
    );
    bridge.send(from_r0(&[]).metrics([g()])).expect_plain();
    bridge.shows("# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 1");
}

#[test]
fn r_08_target_info_needs_a_job_or_an_instance() {
    let info = |resource: &[(&str, &str)]| target(from(resource).metrics([g()]));
    let host = ("host.name", "h");
    assert_eq!(
        info(&[("service.name", "svc"), host]).unwrap(),
        r#"{host_name="h",instance="",job="svc"}"#
    );
    assert_eq!(
        info(&[("service.instance.id", "i1"), host]).unwrap(),
        r#"{host_name="h",instance="i1"}"#
    );
    assert_eq!(info(&[host]), None);
}

#[test]
fn r_09_labels_of_target_info_follow_the_same_rules() {
    let mut resource = from_r0(&[
        ("job", "j"),
        ("instance", "i"),
        ("a.b", "y"),
        ("a-b", "x"),
        ("5xx", "v"),
    ]);
    resource
        .0
        .resource
        .as_mut()
        .unwrap()
        .attributes
        .extend([pair("n", 1.0), pair("l", vec![any(1)]), pair("ключ", 1)]);
    let bridge = Bridge::new();
    bridge.send(resource.scope_named("lib", [g()])).advises(
        "advice: dropped_attribute: attribute \"ключ\" of the resource leaves no label name and was dropped; use a-z, 0-9 \
         and `_`; joined_attributes: attributes \"a-b\" and \"a.b\" of the resource become one label, \"a_b\"; their values \
         were joined",
    );
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{a_b="x;y",exported_instance="i",exported_job="j",instance="i1",job="svc",key_5xx="v",l="[1]",n="1"} 1
        # TYPE g gauge
        g{instance="i1",job="svc",otel_scope_name="lib"} 1"#,
    );
}

#[test]
fn r_09_identity_that_is_no_text_becomes_text() {
    let resource = from_pairs(vec![pair("service.name", 7), pair("service.instance.id", true)]);
    assert_eq!(labels_of(resource.metrics([g()])), r#"{instance="true",job="7"}"#);
}

#[test]
fn r_10_resource_attributes_are_not_copied_to_metrics() {
    let labels = labels_of(from_r0(&[("k8s.pod.name", "p")]).metrics([g()]));
    assert_eq!(labels, r#"{instance="i1",job="svc"}"#);
}

#[test]
fn r_03_the_empty_instance_can_be_switched_off() {
    let bridge = Bridge::ruled(Rules {
        empty_instance: false,
        ..Rules::default()
    });
    bridge
        .send(from(&[("service.name", "svc"), ("host.name", "h")]).metrics([g()]))
        .expect_plain();
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="h",job="svc"} 1
        # TYPE g gauge
        g{job="svc"} 1"#,
    );
    assert!(bridge.holds("svc", ""));
}

#[test]
fn r_06_what_identifies_the_service_may_stay() {
    let rules = Rules {
        keep_identifying_resource_attributes: true,
        ..Rules::default()
    };
    let target = |attributes| {
        let bridge = Bridge::ruled(rules.clone());
        bridge.send(from_r0(attributes).metrics([g()])).expect_plain();
        bridge.target()
    };
    assert_eq!(
        target(&[("service.namespace", "shop"), ("host.name", "h")]).unwrap(),
        r#"host_name="h",instance="i1",job="shop/svc",service_instance_id="i1",service_name="svc",service_namespace="shop""#
    );
    // Alone they say nothing that job and instance do not say.
    assert_eq!(target(&[]), None);
}

#[test]
fn r_06_nothing_but_the_identity_is_left_by_the_limits() {
    let mut rules = Rules::default();
    rules.labels.name_bytes = 10;
    let bridge = Bridge::ruled(rules);
    bridge.send(from_r0(&[("a.long.name", "x")]).metrics([g()]));
    assert_eq!(bridge.target(), None);
}

#[test]
fn r_07_one_target_info_whatever_is_on_the_series() {
    let bridge = Bridge::ruled(Rules {
        label_resource: true,
        promote_resource_attributes: vec!["host.name".into()],
        ..Rules::default()
    });
    for host in ["a", "b"] {
        bridge
            .send(from_r0(&[("host.name", host)]).metrics([g()]))
            .expect_plain();
    }
    assert_eq!(bridge.target().unwrap(), r#"host_name="b",instance="i1",job="svc""#);
    assert_eq!(bridge.store.series(), 2);
}

#[test]
fn r_09_job_and_instance_are_exported_whether_the_resource_gives_them_or_not() {
    let id = [("service.instance.id", "i1"), ("job", "j")];
    assert_eq!(
        target(from(&id).metrics([g()])).unwrap(),
        r#"{exported_job="j",instance="i1"}"#
    );
    let name = [("service.name", "svc"), ("instance", "i")];
    assert_eq!(
        target(from(&name).metrics([g()])).unwrap(),
        r#"{exported_instance="i",instance="",job="svc"}"#
    );
}

#[test]
fn r_10_promoted_attributes_are_on_every_series_and_stay_in_target_info() {
    let rules = |patterns: &[&str]| Rules {
        promote_resource_attributes: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        ..Rules::default()
    };
    let bridge = Bridge::ruled(rules(&["k8s.pod.name"]));
    bridge
        .send(from_r0(&[("k8s.pod.name", "p"), ("k8s.node", "n")]).metrics([g(), counter("c").is(1)]))
        .expect_plain();
    bridge.shows(
        r#"# HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{instance="i1",job="svc",k8s_node="n",k8s_pod_name="p"} 1
        # TYPE c_total counter
        c_total{instance="i1",job="svc",k8s_pod_name="p"} 1
        # TYPE g gauge
        g{instance="i1",job="svc",k8s_pod_name="p"} 1"#,
    );
    let identity = r#"instance="i1",job="svc""#;
    let attributes = [("k8s.pod.name", "p"), ("k8s.node", "n"), ("job", "j"), ("empty", "")];
    for (patterns, expected) in [
        (&["k8s.*"][..], format!(r#"{identity},k8s_node="n",k8s_pod_name="p""#)),
        (
            &["*.name", "k8s.pod.*"],
            format!(r#"{identity},k8s_pod_name="p",service_name="svc""#),
        ),
        (&["service.name"], format!(r#"{identity},service_name="svc""#)),
        (&["job", "empty"], format!(r#"exported_job="j",{identity}"#)),
        (&["k8s"], identity.to_owned()),
    ] {
        assert_eq!(
            labels_by(&rules(patterns), from_r0(&attributes).metrics([g()])),
            expected
        );
    }
    // Each resource has its own, also where the next has none.
    let bridge = Bridge::ruled(rules(&["*"]));
    bridge.send_all([
        from(&[("a", "1")]).metrics([g()]),
        from(&[("b", "2")]).metrics([g()]),
        from(&[]).metrics([g()]),
    ]);
    assert_eq!(
        bridge.labels_in("g"),
        [r#"a="1",instance="""#, r#"b="2",instance="""#, r#"instance="""#]
    );
}

#[test]
fn r_10_two_promoted_attributes_that_meet_are_told_where_there_is_no_target_info_too() {
    for identity in [&[][..], &[("service.name", "svc")]] {
        let bridge = Bridge::ruled(Rules {
            promote_resource_attributes: vec!["*".into()],
            ..Rules::default()
        });
        let attributes = [identity, &[("a.b", "y"), ("a_b", "z")]].concat();
        bridge.send(from(&attributes).metrics([g()])).advises(
            "advice: joined_attributes: attributes \"a.b\" and \"a_b\" of the resource become one label, \"a_b\"; their \
             values were joined",
        );
    }
}

#[test]
fn b_03_a_promoted_attribute_that_is_too_long_costs_the_points_of_its_resource() {
    let mut rules = Rules {
        promote_resource_attributes: vec!["host.*".into()],
        ..Rules::default()
    };
    rules.labels.value_bytes = 10;
    let bridge = Bridge::ruled(rules);
    let long = from_r0(&[("host.name", "a long name")]).metrics([g(), gauge("h").is(1)]);
    let fits = from_r0(&[("host.name", "a name")]).metrics([g()]);
    bridge.send_all([long, fits]).refuses(1, &[("label_value_too_long", 2)]);
}
