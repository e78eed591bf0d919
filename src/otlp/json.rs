//! OTLP/JSON, rewritten as the protobuf that means the same.
//!
//! The published types lose data without a word (`"NaN"`, an enumeration by name, an empty array: conformance P-14), so this
//! is a transcoder of our own, driven by a table of the messages (`schema.rs`): a JSON parser walks the text, and each field
//! that the table knows is appended in protobuf's form. Nothing is built in between.

mod scalar;
mod schema;
mod transcode;

use super::DecodeError;

/// An OTLP/JSON request in the form that [`super::decode`] reads.
#[derive(Debug)]
pub struct Transcoded {
    /// An `ExportMetricsServiceRequest`.
    pub protobuf: Vec<u8>,
    /// The first fields of an object of which no field at all is known: `snake_case` names, most likely (conformance P-13).
    pub unknown: Option<String>,
}

/// Rewrites an OTLP/JSON request.
///
/// # Errors
///
/// Where the text is not JSON, or a value is not of the type that its field has.
pub fn transcode(json: &[u8]) -> Result<Transcoded, DecodeError> {
    let text = std::str::from_utf8(json).map_err(|error| {
        DecodeError::InvalidUtf8(format!("byte {} of the JSON text is not UTF-8", error.valid_up_to()))
    })?;
    transcode::request(text).map_err(|error| {
        // The parser may quote a value of any length.
        let error: String = error.to_string().chars().take(300).collect();
        DecodeError::Malformed(format!("not an OTLP metrics request in JSON: {error}"))
    })
}

#[cfg(test)]
mod tests;
