use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::api::scrape::{Scrape, Selection};
use crate::exposition::Format;
use crate::otlp::json;

/// What a scrape shows of the JSON requests, and what their senders were told.
fn bridge(requests: &[&str]) -> (String, Vec<String>) {
    let now = Instant::now();
    let store = Arc::new(Store::new(crate::store::Limits::default(), now));
    let rules = Rules::default();
    let mut messages = Vec::new();
    for request in requests {
        let mut translator = Translator::new(
            &store,
            &rules,
            Arrival {
                instant: now,
                unix_nano: 0,
            },
        );
        otlp::decode(&json::transcode(request.as_bytes()).unwrap().protobuf, &mut translator).unwrap();
        messages.extend(translator.finish().message());
    }
    let selection = Selection {
        own: Vec::new(),
        bridged: true,
        source: None,
    };
    let mut scrape = Scrape::new(store, Format::default(), selection, now);
    let mut out = Vec::new();
    while scrape.next(&mut out, 64) {}
    (String::from_utf8(out).unwrap(), messages)
}

fn metrics(metrics: &str) -> String {
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"svc"}}}},
        {{"key":"service.instance.id","value":{{"stringValue":"i1"}}}}]}},"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#
    )
}

#[test]
fn n_01_a_counter_from_end_to_end() {
    let request = metrics(
        r#"{"name":"http.client.request.size","unit":"By","sum":{"aggregationTemporality":2,"isMonotonic":true,
        "dataPoints":[{"timeUnixNano":1,"asInt":7}]}}"#,
    );
    let (text, messages) = bridge(&[&request]);
    assert_eq!(
        text,
        "# TYPE http_client_request_size_bytes_total counter\n\
         http_client_request_size_bytes_total{instance=\"i1\",job=\"svc\"} 7\n"
    );
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn c_01_joined_values_and_the_advice_that_goes_with_them() {
    let request = metrics(
        r#"{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":1,"asInt":1,"attributes":[
        {"key":"a_b","value":{"stringValue":"z"}},{"key":"a.b","value":{"stringValue":"y"}},{"key":"a-b","value":{"stringValue":"x"}}]}]}}"#,
    );
    let (text, messages) = bridge(&[&request, &request]);
    assert_eq!(text, "# TYPE g gauge\ng{a_b=\"x;y;z\",instance=\"i1\",job=\"svc\"} 1\n");
    let advice = "advice: joined_attributes: attributes \"a-b\" and \"a.b\" and \"a_b\" of metric \"g\" become one label, \
                  \"a_b\"; their values were joined";
    assert_eq!(messages, [advice], "the second time nothing is said");
}

#[test]
fn p_02_refusals_are_told_every_time_with_their_reason() {
    let request = metrics(r#"{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":1},{"timeUnixNano":1}]}}"#);
    let (text, messages) = bridge(&[&request, &request]);
    assert_eq!(text, "");
    let told = "2 points rejected: no_value: metric \"g\": neither as_double nor as_int is set";
    assert_eq!(messages, [told, told]);
}
