//! L-08: what is not UTF-8, refused or replaced.

use meterbridge::otlp::DecodeError;

use crate::harness::*;
use crate::wire::{self, Style};

/// A request in which every byte `?` has been made one that UTF-8 does not have.
fn damaged(request: impl Into<Request>, style: Style) -> Vec<u8> {
    let mut bytes = wire::restyle(style, &encode([request.into()]));
    for byte in &mut bytes {
        if *byte == b'?' {
            *byte = 0xFF;
        }
    }
    bytes
}

fn request() -> Request {
    from_r0(&[("host.name", "h?")]).scope_named(
        "lib?",
        [counter("c")
            .help("H?.")
            .is(1)
            .attr("k", "?")
            .exemplar(|e| e.is(1).attr("a?", "b"))],
    )
}

#[test]
fn l_08_a_request_with_a_text_that_is_not_utf_8_is_refused() {
    let bad = [
        from_r0(&[("host.name", "?")]).metrics([gauge("g").is(1)]),
        from_r0(&[("?", "h")]).metrics([gauge("g").is(1)]),
        from_r0(&[]).scope_named("?", [gauge("g").is(1)]),
        gauge("g?").is(1).into(),
        gauge("g").unit("?").is(1).into(),
        gauge("g").help("?").is(1).into(),
        gauge("g").meta("k", "?").is(1).into(),
        gauge("g").is(1).attr("?", 1).into(),
        gauge("g").is(1).attr("k", vec![any(vec![pair("k", "?")])]).into(),
        counter("g").is(1).exemplar(|e| e.attr("k", "?")).into(),
        gauge("g").is(1).exemplar(|e| e.attr("k", "?")).into(),
        exphist("g")
            .exponential(|p| p.sum(0.0))
            .exemplar(|e| e.attr("?", "v"))
            .into(),
    ];
    for request in bad {
        // Numbers written one by one would be as long as the others: only the texts have a `?`.
        let bridge = Bridge::new();
        let bytes = damaged(request, Style::Plain);
        assert!(matches!(bridge.take(&bytes), Err(DecodeError::InvalidUtf8(_))));
        assert_eq!((bridge.store.series(), bridge.store.source_count()), (0, 0));
        assert!(bridge.take_lossy(&bytes).is_ok());
    }
}

#[test]
fn l_08_what_is_not_utf_8_is_replaced_where_that_is_asked_for() {
    for style in [Style::Plain, Style::Reversed, Style::Pieces] {
        let bridge = Bridge::new();
        bridge
            .take_lossy(&damaged(request(), style))
            .unwrap()
            .advises("advice: replaced_utf8: 5 texts were not UTF-8; U+FFFD stands in place of what was not");
        bridge.shows(
            "# HELP target_info Target metadata
            # TYPE target_info gauge
            target_info{host_name=\"h\u{FFFD}\",instance=\"i1\",job=\"svc\"} 1
            # HELP c_total H\u{FFFD}.
            # TYPE c_total counter
            c_total{instance=\"i1\",job=\"svc\",k=\"\u{FFFD}\",otel_scope_name=\"lib\u{FFFD}\"} 1",
        );
    }
}

#[test]
fn l_08_what_is_utf_8_is_not_touched_and_what_is_broken_is_refused() {
    let bridge = Bridge::new();
    bridge
        .take_lossy(&encode([gauge("g").is(1).attr("k", "é\u{FFFD}").into()]))
        .unwrap()
        .expect_plain();
    let mut cut = damaged(request(), Style::Plain);
    cut.pop();
    assert!(matches!(bridge.take_lossy(&cut), Err(DecodeError::Malformed(_))));
}

#[test]
fn l_08_json_is_replaced_as_well() {
    let json = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":1,"asInt":1,
        "attributes":[{"key":"k","value":{"stringValue":"?"}}]}]}}]}]}]}"#;
    let json: Vec<u8> = json
        .iter()
        .map(|byte| if *byte == b'?' { 0xFF } else { *byte })
        .collect();
    let bridge = Bridge::new();
    let answer = bridge.json_lossy(&json).unwrap();
    assert!(
        answer.message().contains("replaced_utf8: 1 texts"),
        "{}",
        answer.message()
    );
    bridge.shows("# TYPE g gauge\ng{instance=\"\",k=\"\u{FFFD}\"} 1");
}
