//! F-12: whatever comes in, no point poisons a scrape, and what cannot be decoded leaves no trace.

use meterbridge::otlp::DecodeError;
use meterbridge::otlp::json::transcode;
use meterbridge::{store, translate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::generate::{double, request, style};
use crate::grammar;
use crate::harness::{Bridge, T4, encode, from_r0, gauge};
use crate::wire;

/// Small limits, so that they are met.
fn bridge() -> Bridge {
    let caps = store::Limits {
        series: 5,
        series_per_job: 4,
        series_per_metric: 2,
        ..store::Limits::default()
    };
    let labels = translate::LabelLimits {
        labels: 8,
        name_bytes: 24,
        value_bytes: 40,
    };
    Bridge::with(
        caps,
        translate::Rules {
            labels,
            help_bytes: 24,
            ..translate::Rules::default()
        },
    )
}

fn state(bridge: &Bridge) -> (String, usize, usize) {
    (bridge.scrape(), bridge.store.series(), bridge.store.source_count())
}

/// `PROPTEST_CASES` asks for more.
fn settings() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn p_16_every_style_of_encoding_means_the_same(requests in vec(request(), 1..3), style in style()) {
        let outcome = |style| {
            let bridge = bridge();
            let answer = bridge.take(&wire::restyle(style, &encode(requests.clone()))).unwrap();
            let mut held = bridge.held(|name, series| format!("{name} {series:?}"));
            held.sort();
            (answer.message(), answer.counts(), bridge.scrape(), held)
        };
        prop_assert_eq!(outcome(style), outcome(wire::Style::Plain));
    }

    #[test]
    fn l_08_texts_are_repaired_in_whatever_can_be_read(
        requests in vec(request(), 1..3),
        style in style(),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = wire::restyle(style, &encode(requests));
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let (strict, lossy) = (Bridge::new(), Bridge::new());
        match (strict.take(&bytes), lossy.take_lossy(&bytes)) {
            (Ok(strict), Ok(lossy)) => prop_assert_eq!(strict.counts(), lossy.counts()),
            // The first fault is told: behind a text that is not UTF-8 there may be worse.
            (Err(DecodeError::InvalidUtf8(_)), Ok(_) | Err(DecodeError::Malformed(_))) => {}
            (Err(DecodeError::Malformed(_)), Err(DecodeError::Malformed(_))) => {}
            (strict, lossy) => prop_assert!(false, "{:?} but {:?}", strict.map(|_| ()), lossy.map(|_| ())),
        }
    }

    #[test]
    fn p_04_bytes_of_any_kind_leave_no_trace_where_they_cannot_be_decoded(bytes in vec(any::<u8>(), 0..64)) {
        undecodable(&bytes)?;
    }

    #[test]
    fn p_04_a_request_that_is_damaged_leaves_no_trace_where_it_cannot_be_decoded(
        requests in vec(request(), 1..3),
        style in style(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = wire::restyle(style, &encode(requests));
        if !bytes.is_empty() {
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
        }
        undecodable(&bytes)?;
    }

    #[test]
    fn p_14_json_of_any_kind_is_read_or_refused(text in json(), damage in any::<Option<(Index, char)>>()) {
        let mut text = text;
        if let Some((at, character)) = damage {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            characters[at] = character;
            text = String::from_iter(characters);
        }
        if let Ok(transcoded) = transcode(text.as_bytes()) {
            // What the transcoder writes is protobuf, whatever is in it.
            let bridge = Bridge::new();
            if bridge.take(&transcoded.protobuf).is_ok() {
                prop_assert_eq!(grammar::check(T4, bridge.scrape().as_bytes()), Ok(()));
            }
        }
    }
}

/// Takes the bytes if they can be decoded, and checks what a scrape shows before and after.
fn undecodable(bytes: &[u8]) -> Result<(), TestCaseError> {
    let bridge = Bridge::new();
    bridge.send(from_r0(&[("host.name", "h")]).metrics([gauge("before").is(1)]));
    let before = state(&bridge);
    match bridge.take(bytes) {
        Ok(_) => prop_assert_eq!(grammar::check(T4, bridge.scrape().as_bytes()), Ok(())),
        Err(_) => prop_assert_eq!(state(&bridge), before),
    }
    Ok(())
}

/// JSON out of the words of OTLP.
fn json() -> impl Strategy<Value = String> {
    let words = select(vec![
        "resourceMetrics",
        "resource",
        "attributes",
        "scopeMetrics",
        "scope",
        "metrics",
        "name",
        "gauge",
        "sum",
        "histogram",
        "summary",
        "exponentialHistogram",
        "dataPoints",
        "timeUnixNano",
        "asInt",
        "asDouble",
        "key",
        "value",
        "stringValue",
        "arrayValue",
        "kvlistValue",
        "values",
        "bucketCounts",
        "explicitBounds",
        "count",
        "aggregationTemporality",
        "other",
    ]);
    let single = prop_oneof![
        select(vec![
            "null", "true", "1", "-1", "1.5", "1e400", "\"NaN\"", "\"5\"", "\"x\"", "\"\"", "{}", "[]"
        ])
        .prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        double().prop_map(|double| format!("{double:e}")),
    ];
    let object = move |inner: BoxedStrategy<String>| {
        vec((words.clone(), inner), 0..4).prop_map(|fields| {
            let fields: Vec<_> = fields
                .iter()
                .map(|(word, value)| format!("\"{word}\":{value}"))
                .collect();
            format!("{{{}}}", fields.join(","))
        })
    };
    let nested = single.prop_recursive(6, 40, 4, move |inner| {
        let array = vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(",")));
        prop_oneof![2 => object(inner.boxed()), 1 => array]
    });
    // One that is OTLP down to the point, with anything in it.
    nested.prop_map(|value| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":1,"asInt":1}},{value}]}}}},{value}]}}]}},{value}]}}"#
        )
    })
}
