use super::{Advice, Arrival, Memory, Outcome, Rules, Translator};
use crate::model::RequestReason;
use crate::otlp::{self, DecodeError, Encoding, json};
use crate::store::Store;

/// What a request is refused for that cannot be decoded.
pub fn reason_of(error: &DecodeError) -> RequestReason {
    match error {
        DecodeError::Malformed(_) => RequestReason::Malformed,
        DecodeError::InvalidUtf8(_) => RequestReason::InvalidUtf8,
    }
}

/// So many points and other things that are new take about half a millisecond.
const FEW: u32 = 256;

/// Takes a request in protobuf in as [`request`] does, if nearly all of it is known, so that it does not take long. `None`, and the
/// store is as it was, if it is not; then little of it has been read since it became clear.
pub fn familiar(store: &Store, rules: &Rules, memory: &Memory, arrival: Arrival, message: &[u8]) -> Option<Outcome> {
    let mut translator = Translator::new(store, rules, arrival);
    let is_taken = memory.take(&mut translator, message, Some(FEW));
    is_taken.then(|| translator.finish())
}

/// Takes one request in: decodes all of it or nothing, and puts its points into `store`. `memory` is of requests that went into
/// this store by these rules.
///
/// # Errors
///
/// Where it is not an OTLP metrics request; then the store is as it was.
pub fn request(
    store: &Store,
    rules: &Rules,
    memory: &Memory,
    arrival: Arrival,
    encoding: Encoding,
    message: &[u8],
) -> Result<Outcome, DecodeError> {
    let mut translator = Translator::new(store, rules, arrival);
    let mut transcoded = json::Transcoded::default();
    let mut protobuf = message;
    if encoding == Encoding::Json {
        let transcode = if rules.replace_invalid_utf8 {
            json::transcode_lossy
        } else {
            json::transcode
        };
        transcoded = transcode(message)?;
        protobuf = &transcoded.protobuf;
    }
    let replaced = if memory.take(&mut translator, protobuf, None) {
        0
    } else if rules.replace_invalid_utf8 {
        otlp::decode_lossy(protobuf, &mut translator)?
    } else {
        otlp::decode(protobuf, &mut translator)?;
        0
    };
    translator.replaced_utf8(replaced + transcoded.replaced);
    let mut outcome = translator.finish();
    if let Some(detail) = transcoded.unknown {
        // Nobody is behind such a request who could be remembered, so it is told each time (conformance P-13).
        let detail = format!("{detail}; names are lowerCamelCase");
        outcome.advise(Advice::UnknownFields, &detail, true);
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::store::Limits;

    /// A gauge of so many points.
    fn gauge(points: Range<usize>) -> Vec<u8> {
        let attributes = |n| format!(r#"[{{"key":"n","value":{{"stringValue":"{n}"}}}}]"#);
        let point = |n| format!(r#"{{"timeUnixNano":1,"asInt":1,"attributes":{}}}"#, attributes(n));
        let points = points.map(point).collect::<Vec<_>>().join(",");
        let metric = format!(r#"{{"name":"g","gauge":{{"dataPoints":[{points}]}}}}"#);
        let text = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
        json::transcode(text.as_bytes()).unwrap().protobuf
    }

    #[test]
    fn a_request_is_familiar_if_hardly_any_of_it_is_new_and_else_changes_nothing() {
        let now = Instant::now();
        let arrival = Arrival::at(now, SystemTime::now());
        let (store, rules, memory) = (Store::new(Limits::default(), now), Rules::default(), Memory::default());
        let few = FEW as usize;
        for (points, is_familiar) in [
            (0..1000, false),
            (0..1000, true),
            (0..1000 + few, true),
            (0..1001 + 2 * few, false),
            (0..1001 + 2 * few, true),
        ] {
            let (message, before) = (gauge(points.clone()), store.series());
            let familiar = familiar(&store, &rules, &memory, arrival, &message);
            assert_eq!(familiar.is_some(), is_familiar, "{points:?}");
            if familiar.is_none() {
                assert_eq!(store.series(), before);
                request(&store, &rules, &memory, arrival, Encoding::Protobuf, &message).unwrap();
            }
            assert_eq!(store.series(), points.end);
        }
    }

    #[test]
    fn whatever_is_new_counts_as_new() {
        let now = Instant::now();
        let arrival = Arrival::at(now, SystemTime::now());
        let (store, rules, memory) = (Store::new(Limits::default(), now), Rules::default(), Memory::default());
        // The places of N count up.
        let rows = [
            (
                "metrics",
                r#"{"scopeMetrics":[{"metrics":["#,
                r#"{"name":"N","gauge":{}}"#,
                "]}]}",
            ),
            ("scopes", r#"{"scopeMetrics":["#, r#"{"scope":{"name":"N"}}"#, "]}"),
            (
                "resources",
                "",
                r#"{"resource":{"attributes":[{"key":"N"}]},"scopeMetrics":[{}]}"#,
                "",
            ),
        ];
        for (what, before, each, behind) in rows {
            for (count, is_familiar) in [(10, true), (FEW + 1, false)] {
                let all: Vec<_> = (0..count).map(|n| each.replace('N', &format!("{count}.{n}"))).collect();
                let text = format!(r#"{{"resourceMetrics":[{before}{}{behind}]}}"#, all.join(","));
                let message = json::transcode(text.as_bytes()).unwrap().protobuf;
                let familiar = familiar(&store, &rules, &memory, arrival, &message);
                assert_eq!(familiar.is_some(), is_familiar, "{count} {what}");
            }
        }
        assert!(familiar(&store, &rules, &memory, arrival, b"\x0A\x05").is_none());
    }
}
