//! S: the labels of a scope.

use meterbridge::translate::Rules;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};

use crate::harness::*;

fn scope(name: &str, version: &str, attributes: Vec<KeyValue>) -> InstrumentationScope {
    InstrumentationScope {
        name: name.into(),
        version: version.into(),
        attributes,
        ..InstrumentationScope::default()
    }
}

fn labels(scope: InstrumentationScope, schema_url: &str) -> String {
    labels_of(from_r0(&[]).scope(scope, schema_url, [gauge("g").is(1)]))
}

#[test]
fn s_01_name_version_schema_and_attributes() {
    let mut request = from_r0(&[]).scope(
        scope("lib", "1.0", vec![pair("mascot", "gopher")]),
        "https://x/1.31.0",
        [counter("c").is(1)],
    );
    request.0.schema_url = "https://not/this/one".into();
    row(
        request,
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc",otel_scope_mascot="gopher",otel_scope_name="lib",otel_scope_schema_url="https://x/1.31.0",otel_scope_version="1.0"} 1"#,
    );
}

#[test]
fn s_02_attributes_do_not_take_the_place_of_the_fields() {
    let attributes = vec![
        pair("name", "x"),
        pair("schema.url", "y"),
        pair("version", "z"),
        pair("_name", "w"),
    ];
    assert_eq!(
        labels(scope("lib", "", attributes), ""),
        r#"{instance="i1",job="svc",otel_scope_name="lib"}"#
    );
    let attributes = vec![pair("name", "x")];
    assert_eq!(labels(scope("", "", attributes), ""), r#"{instance="i1",job="svc"}"#);
}

#[test]
fn s_02_other_attributes_follow_the_rules_of_labels() {
    let attributes = vec![
        pair("5xx", 1),
        pair("a.b", "y"),
        pair("a-b", "x"),
        pair("__name__", "e"),
        pair("k", ""),
    ];
    assert_eq!(
        labels(scope("", "", attributes), ""),
        r#"{instance="i1",job="svc",otel_scope_5xx="1",otel_scope_a_b="x;y"}"#
    );
}

#[test]
fn s_03_two_scopes_are_two_series_under_one_type() {
    row(
        from_r0(&[])
            .scope_named("a", [counter("c").is(1)])
            .scope_named("b", [counter("c").is(2)]),
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc",otel_scope_name="a"} 1
        c_total{instance="i1",job="svc",otel_scope_name="b"} 2"#,
    );
}

#[test]
fn s_04_without_labels_scopes_are_streams_that_meet() {
    let rules = || Rules {
        scope_labels: false,
        ..Rules::default()
    };
    let bridge = Bridge::ruled(rules());
    let scoped = |name, value: i64| from_r0(&[]).scope_named(name, [counter("c").is(value)]);
    bridge.send(scoped("a", 1)).expect_plain().collides(0);
    bridge.send(scoped("b", 2)).expect_plain().collides(1);
    bridge.shows(
        r#"# TYPE c_total counter
        c_total{instance="i1",job="svc"} 2"#,
    );
    // The messages of conflicts name the scope all the same.
    let answer = bridge.send(from_r0(&[]).scope_named("z", [gauge("c_total").is(1)]));
    assert!(answer.message().contains("scope \"z\""), "{}", answer.message());
    assert!(answer.message().contains("scope \"a\""), "{}", answer.message());

    // What is not shown passes no limit, and there is nothing to tell of it.
    let mut rules = rules();
    rules.labels.value_bytes = 4;
    let bridge = Bridge::ruled(rules);
    let attributes = vec![pair("long", "longer"), pair("é", 1), pair("a.b", 1), pair("a_b", 1)];
    let request = from_r0(&[]).scope(scope("a long name", "", attributes), "", [gauge("g").is(1)]);
    bridge.send(request).expect_plain();
    assert_eq!(bridge.labels_in("g"), [r#"instance="i1",job="svc""#]);
}
