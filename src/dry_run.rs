//! `meterbridge translate`: what a scrape would show of some OTLP, without a bridge.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::api::scrape::{Scrape, Selection};
use crate::exposition::Format;
use crate::otlp::{self, DecodeError, json};
use crate::store::Store;
use crate::translate::{Arrival, Rules, Translator};

/// How the inputs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum InputFormat {
    /// JSON.
    Json,
    /// Protobuf.
    Protobuf,
}

/// What came of the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was accepted.
    Accepted,
    /// A point was refused.
    Refused,
    /// An input cannot be read or decoded.
    Undecodable,
}

/// Reads the inputs in order (`-` and no input at all are standard input), writes to `output` what a scrape would show after
/// all of them, and to `notes` what was refused or advised, one a line. A `format` that is not given is told by the content
/// of each input.
///
/// # Errors
///
/// Where the output cannot be written.
pub fn run(
    inputs: &[PathBuf],
    format: Option<InputFormat>,
    rules: &Rules,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> std::io::Result<Verdict> {
    let arrival = Arrival::at(Instant::now(), SystemTime::now());
    let now = arrival.instant;
    let store = Arc::new(Store::new(crate::store::Limits::default(), now));
    let mut verdict = Verdict::Accepted;
    let standard_input = [PathBuf::from("-")];
    for input in if inputs.is_empty() { &standard_input } else { inputs } {
        let outcome = read(input).map_err(|error| error.to_string()).and_then(|bytes| {
            let mut translator = Translator::new(&store, rules, arrival);
            decode(&bytes, format, &mut translator).map_err(|error| match error {
                DecodeError::Malformed(detail) => format!("malformed: {detail}"),
                DecodeError::InvalidUtf8(detail) => format!("invalid_utf8: {detail}"),
            })?;
            Ok(translator.finish())
        });
        match outcome {
            Ok(outcome) => {
                for line in outcome.lines() {
                    writeln!(notes, "{}: {line}", input.display())?;
                }
                if outcome.total_refused() > 0 {
                    verdict = Verdict::Refused;
                }
            }
            Err(error) => {
                writeln!(notes, "{}: {error}", input.display())?;
                return Ok(Verdict::Undecodable);
            }
        }
    }
    let selection = Selection {
        own: Vec::new(),
        bridged: true,
        source: None,
    };
    let mut scrape = Scrape::new(store, Format::default(), selection, now);
    let mut more = true;
    while more {
        let mut piece = Vec::new();
        more = scrape.next(&mut piece, 64 << 10);
        output.write_all(&piece)?;
    }
    output.flush()?;
    Ok(verdict)
}

fn read(input: &Path) -> std::io::Result<Vec<u8>> {
    if input == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(input)
}

/// JSON begins with a brace and parses as JSON. A protobuf request begins with the byte 0x0A, which is white space in JSON, so
/// the brace alone does not decide.
fn decode(bytes: &[u8], format: Option<InputFormat>, translator: &mut Translator<'_>) -> Result<(), DecodeError> {
    let looks_like_json =
        || bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    let is_json = format.map_or_else(looks_like_json, |format| format == InputFormat::Json);
    if is_json {
        otlp::decode(&json::transcode(bytes)?.protobuf, translator)
    } else {
        otlp::decode(bytes, translator)
    }
}
