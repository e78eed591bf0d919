use super::gathered::Gathered;
use super::{Advice, Arrival, Memory, Outcome, Rules, Translator};
use crate::model::RequestReason;
use crate::otlp::json::{self, Transcoded};
use crate::otlp::{self, DecodeError, Encoding};
use crate::store::Store;

/// What a request is refused for that cannot be decoded.
pub fn reason_of(error: &DecodeError) -> RequestReason {
    match error {
        DecodeError::Malformed(_) => RequestReason::Malformed,
        DecodeError::InvalidUtf8(_) => RequestReason::InvalidUtf8,
    }
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
    read(store, rules, memory, encoding, message)?.take(arrival)
}

/// The first half of [`request`], which leaves the store as it is.
///
/// # Errors
///
/// Where it is JSON and not an OTLP metrics request. What is wrong with protobuf is said by [`Reading::take`].
pub fn read<'a>(
    store: &'a Store,
    rules: &'a Rules,
    memory: &'a Memory,
    encoding: Encoding,
    message: &'a [u8],
) -> Result<Reading<'a>, DecodeError> {
    let transcoded = match encoding {
        Encoding::Protobuf => None,
        Encoding::Json if rules.replace_invalid_utf8 => Some(json::transcode_lossy(message)?),
        Encoding::Json => Some(json::transcode(message)?),
    };
    let protobuf = transcoded.as_ref().map_or(message, |transcoded| &transcoded.protobuf);
    Ok(Reading {
        store,
        rules,
        gathered: Gathered::of(memory, store, protobuf),
        message,
        transcoded,
    })
}

/// A request that has been read, and not been taken in yet.
#[derive(Debug)]
pub struct Reading<'a> {
    store: &'a Store,
    rules: &'a Rules,
    message: &'a [u8],
    /// Where the message is JSON.
    transcoded: Option<Transcoded>,
    /// What there is to do; `None` where it has to be decoded.
    gathered: Option<Gathered<'a>>,
}

impl Reading<'_> {
    /// Whether to take it in is more work than it was to read it, since much of it has not been sent before.
    pub fn is_much_work(&self) -> bool {
        self.gathered.as_ref().is_none_or(Gathered::is_much_work)
    }

    /// The second half of [`request`].
    ///
    /// # Errors
    ///
    /// Where it is not an OTLP metrics request; then the store is as it was.
    pub fn take(self, arrival: Arrival) -> Result<Outcome, DecodeError> {
        let mut translator = Translator::new(self.store, self.rules, arrival);
        let protobuf = self.transcoded.as_ref().map_or(self.message, |json| &json.protobuf);
        let mut replaced = 0;
        match self.gathered {
            Some(gathered) => gathered.take(&mut translator, protobuf),
            None if self.rules.replace_invalid_utf8 => replaced = otlp::decode_lossy(protobuf, &mut translator)?,
            None => otlp::decode(protobuf, &mut translator)?,
        }
        let json = self.transcoded.unwrap_or_default();
        translator.replaced_utf8(replaced + json.replaced);
        let mut outcome = translator.finish();
        if let Some(detail) = json.unknown {
            // Nobody is behind such a request who could be remembered, so it is told each time (conformance P-13).
            let detail = format!("{detail}; names are lowerCamelCase");
            outcome.advise(Advice::UnknownFields, &detail, true);
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::store::Limits;

    /// A gauge of so many points, in JSON.
    fn gauge(points: std::ops::Range<usize>) -> String {
        let points: Vec<_> = points
            .map(|n| {
                format!(
                    r#"{{"timeUnixNano":1,"asInt":1,"attributes":[{{"key":"n","value":{{"stringValue":"{n}"}}}}]}}"#
                )
            })
            .collect();
        let points = points.join(",");
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"g","gauge":{{"dataPoints":[{points}]}}}}]}}]}}]}}"#
        )
    }

    #[test]
    fn much_that_is_new_is_much_work_and_reading_it_changes_nothing() {
        let now = Instant::now();
        let (store, rules, memory) = (Store::new(Limits::default(), now), Rules::default(), Memory::default());
        for (points, is_much_work) in [
            (0..1000, true),
            (0..1000, false),
            (0..1200, false),
            (0..1500, true),
            (0..1500, false),
        ] {
            let (text, before) = (gauge(points.clone()), store.series());
            let reading = read(&store, &rules, &memory, Encoding::Json, text.as_bytes()).unwrap();
            assert_eq!(
                (reading.is_much_work(), store.series()),
                (is_much_work, before),
                "{points:?}"
            );
            reading.take(Arrival::at(now, SystemTime::now())).unwrap();
            assert_eq!(store.series(), points.end);
        }
        let broken = read(&store, &rules, &memory, Encoding::Protobuf, b"\x0A\x05").unwrap();
        assert!(broken.is_much_work() && broken.take(Arrival::at(now, SystemTime::now())).is_err());
    }
}
