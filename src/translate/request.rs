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
    let replaced = if memory.take(&mut translator, protobuf) {
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
