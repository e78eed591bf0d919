//! OTLP/JSON, rewritten as the protobuf that means the same.
//!
//! The published types lose data without a word (`"NaN"`, an enumeration by name, an empty array: conformance P-14), so this
//! is a transcoder of our own, driven by a table of the messages (`otlp/schema.rs`): a JSON parser walks the text, and each field
//! that the table knows is appended in protobuf's form. Nothing is built in between.

mod scalar;
mod transcode;

use super::DecodeError;

/// An OTLP/JSON request in the form that [`super::decode`] reads.
#[derive(Debug, Default)]
pub struct Transcoded {
    /// An `ExportMetricsServiceRequest`.
    pub protobuf: Vec<u8>,
    /// The first fields of an object of which no field at all is known: `snake_case` names, most likely (conformance P-13).
    pub unknown: Option<String>,
    /// How many texts were not UTF-8 and have U+FFFD in place of what was not; 0 unless that was asked for.
    pub replaced: u64,
}

/// Rewrites an OTLP/JSON request.
///
/// # Errors
///
/// Where the text is not JSON, or a value is not of the type that its field has.
pub fn transcode(json: &[u8]) -> Result<Transcoded, DecodeError> {
    let text = std::str::from_utf8(json).map_err(|error| not_utf8(json, error.valid_up_to()))?;
    rewrite(text)
}

/// The same, with U+FFFD in place of what is not UTF-8 (conformance L-08).
///
/// # Errors
///
/// As [`transcode`] but for that.
pub fn transcode_lossy(json: &[u8]) -> Result<Transcoded, DecodeError> {
    let mut transcoded = rewrite(&String::from_utf8_lossy(json))?;
    let mut is_next_text = true;
    for chunk in json.utf8_chunks() {
        // A quote in between ends a text and begins another.
        is_next_text |= chunk.valid().contains('"');
        if !chunk.invalid().is_empty() {
            transcoded.replaced += u64::from(is_next_text);
            is_next_text = false;
        }
    }
    Ok(transcoded)
}

fn rewrite(text: &str) -> Result<Transcoded, DecodeError> {
    transcode::request(text).map_err(|error| {
        // The parser may quote a value of any length.
        let error: String = error.to_string().chars().take(300).collect();
        DecodeError::Malformed(format!("not an OTLP metrics request in JSON: {error}"))
    })
}

/// Names the field that is not UTF-8: the last text in front of the byte that a colon follows (conformance L-08).
fn not_utf8(json: &[u8], at: usize) -> DecodeError {
    let (mut string, mut field, mut rest) = (&json[..0], None, &json[..at]);
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'"' => {
                let mut escaped = false;
                let end = rest.iter().position(|byte| {
                    let closes = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    closes
                });
                let Some(end) = end else { break };
                (string, rest) = (&rest[..end], &rest[end + 1..]);
            }
            b':' => field = Some(string),
            _ => {}
        }
    }
    let field: String = String::from_utf8_lossy(field.unwrap_or(b"the text"))
        .chars()
        .take(64)
        .collect();
    DecodeError::InvalidUtf8(format!("{field} is not UTF-8 (byte {at} of the JSON text)"))
}

#[cfg(test)]
mod tests;
