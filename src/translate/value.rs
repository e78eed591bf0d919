use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::otlp::{AnyValue, Attributes};

/// The text would be longer than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Appends the value of an attribute as text, at most `limit` bytes of it (0: no limit): plain for single values, compact
/// JSON for arrays and maps, with sorted keys so that identity is stable (conformance L-05). Where it is too long, what has
/// been appended so far is bounded as well, and worthless.
pub(super) fn write(text: &mut String, value: AnyValue<'_>, limit: usize) -> Result<(), TooLong> {
    let limit = if limit == 0 { usize::MAX } else { limit };
    let end = text.len().saturating_add(limit);
    match value {
        AnyValue::Empty | AnyValue::StringIndex => {}
        AnyValue::String(string) if string.len() > limit => return Err(TooLong),
        AnyValue::String(string) => text.push_str(string),
        AnyValue::Double(double) => match double {
            _ if double.is_nan() => text.push_str("NaN"),
            f64::INFINITY => text.push_str("Infinity"),
            f64::NEG_INFINITY => text.push_str("-Infinity"),
            _ => json_number(text, double),
        },
        AnyValue::Bytes(bytes) if bytes.len() > limit => return Err(TooLong),
        AnyValue::Bytes(bytes) => STANDARD.encode_string(bytes, text),
        AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Array(_) | AnyValue::Map(_) => json(text, value, end)?,
    }
    if text.len() > end { Err(TooLong) } else { Ok(()) }
}

// `decode` has bounded the depth.
fn json(text: &mut String, value: AnyValue<'_>, end: usize) -> Result<(), TooLong> {
    match value {
        AnyValue::Empty | AnyValue::StringIndex => text.push_str("null"),
        AnyValue::String(string) => json_string(text, string, end)?,
        AnyValue::Bool(value) => text.push_str(if value { "true" } else { "false" }),
        AnyValue::Int(value) => text.push_str(itoa::Buffer::new().format(value)),
        AnyValue::Double(value) if value.is_finite() => json_number(text, value),
        AnyValue::Double(value) if value.is_nan() => text.push_str("\"NaN\""),
        AnyValue::Double(value) => text.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        AnyValue::Bytes(bytes) if text.len() + bytes.len() > end => return Err(TooLong),
        AnyValue::Bytes(bytes) => {
            text.push('"');
            STANDARD.encode_string(bytes, text);
            text.push('"');
        }
        AnyValue::Array(array) => {
            text.push('[');
            for (at, element) in array.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                json(text, element, end)?;
            }
            text.push(']');
        }
        AnyValue::Map(map) => json_object(text, &map, end)?,
    }
    if text.len() > end { Err(TooLong) } else { Ok(()) }
}

fn json_object(text: &mut String, map: &Attributes<'_>, end: usize) -> Result<(), TooLong> {
    // Of equal keys the last one counts (conformance B-04). Each takes at least six bytes of text.
    let room = end.saturating_sub(text.len()) / 6 + 1;
    let mut sorted = BTreeMap::new();
    for attribute in map.iter() {
        sorted.insert(attribute.key, attribute.value);
        if sorted.len() > room {
            return Err(TooLong);
        }
    }
    text.push('{');
    for (at, (key, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        json_string(text, key, end)?;
        text.push(':');
        json(text, value, end)?;
    }
    text.push('}');
    Ok(())
}

fn json_string(text: &mut String, string: &str, end: usize) -> Result<(), TooLong> {
    if text.len() + string.len() > end {
        return Err(TooLong);
    }
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // Writing to a string cannot fail.
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    Ok(())
}

/// A finite double as JSON has it in JavaScript and Go: an exponent below 1e-6 and from 1e21 up.
fn json_number(text: &mut String, value: f64) {
    let magnitude = value.abs();
    if value == 0.0 {
        text.push_str(if value.is_sign_negative() { "-0" } else { "0" });
    } else if (1e-6..1e21).contains(&magnitude) {
        let _ = write!(text, "{value}");
    } else {
        let scientific = format!("{value:e}");
        match scientific.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => text.extend([digits, "e+", exponent]),
            _ => text.push_str(&scientific),
        }
    }
}
