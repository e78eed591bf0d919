use std::fmt;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::otlp::schema::Kind;
use crate::otlp::wire::push_varint;

/// Base64 with or without padding, as the JSON mapping of protobuf asks of readers.
const ENGINE: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ENGINE);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ENGINE);

/// A JSON value that becomes one protobuf value; `None` for `null`.
pub(super) struct Scalar {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
}

/// A value in protobuf's form, without its key.
pub(super) enum Wire {
    Varint(u64),
    Fixed64(u64),
    Bytes(Vec<u8>),
}

impl Wire {
    pub(super) fn wire_type(&self) -> u32 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => push_varint(out, *value),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(bytes) => {
                push_varint(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Option<Wire>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Scalar {
    fn unsigned(&self, value: u64) -> Option<Wire> {
        Some(match self.kind {
            Kind::Double => Wire::Fixed64((value as f64).to_bits()),
            Kind::Fixed64 => Wire::Fixed64(value),
            Kind::Uint64 => Wire::Varint(value),
            _ => return self.signed(i64::try_from(value).ok()?),
        })
    }

    fn signed(&self, value: i64) -> Option<Wire> {
        Some(match self.kind {
            Kind::Double => Wire::Fixed64((value as f64).to_bits()),
            Kind::Fixed64 => Wire::Fixed64(u64::try_from(value).ok()?),
            Kind::Uint64 => Wire::Varint(u64::try_from(value).ok()?),
            Kind::Sfixed64 => Wire::Fixed64(value.cast_unsigned()),
            Kind::Varint => Wire::Varint(value.cast_unsigned()),
            Kind::Enum => Wire::Varint(i64::from(i32::try_from(value).ok()?).cast_unsigned()),
            Kind::Zigzag => {
                let value = i32::try_from(value).ok()?;
                Wire::Varint(u64::from(((value << 1) ^ (value >> 31)).cast_unsigned()))
            }
            Kind::Message(_) | Kind::String | Kind::Bytes | Kind::Id | Kind::Bool => return None,
        })
    }

    fn double(&self, value: f64) -> Option<Wire> {
        if let Kind::Double = self.kind {
            return Some(Wire::Fixed64(value.to_bits()));
        }
        // JSON has one kind of number: 4.0 and 1e3 are whole, and so is every double beyond 2^53, times among them.
        if value.trunc() != value {
            return None;
        }
        if (0.0..2f64.powi(64)).contains(&value) {
            self.unsigned(value as u64)
        } else if (-(2f64.powi(63))..0.0).contains(&value) {
            self.signed(value as i64)
        } else {
            None
        }
    }

    fn text(&self, value: &str) -> Option<Wire> {
        match self.kind {
            Kind::String => Some(Wire::Bytes(value.as_bytes().to_vec())),
            Kind::Bytes => STANDARD
                .decode(value)
                .or_else(|_| URL_SAFE.decode(value))
                .ok()
                .map(Wire::Bytes),
            Kind::Id => unhex(value).map(Wire::Bytes),
            Kind::Double => match value {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => number(value),
            }
            .map(|double| Wire::Fixed64(double.to_bits())),
            // Numbers by name are what P-12 forbids, numbers as text what P-11 allows for 64 bits.
            Kind::Enum | Kind::Bool | Kind::Message(_) => None,
            _ if value.starts_with('+') => None,
            _ => match (value.parse::<u64>(), value.parse::<i64>()) {
                (Ok(unsigned), _) => self.unsigned(unsigned),
                (_, Ok(signed)) => self.signed(signed),
                _ => number(value).and_then(|double| self.double(double)),
            },
        }
    }

    fn wanted(&self) -> &'static str {
        match self.kind {
            Kind::Message(_) => "an object",
            Kind::String => "a string",
            Kind::Bytes => "bytes in base64",
            Kind::Id => "bytes in hexadecimal",
            Kind::Bool => "true or false",
            Kind::Double => "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
            Kind::Fixed64 | Kind::Uint64 => "a whole number from 0 up",
            Kind::Sfixed64 | Kind::Varint => "a whole number of 64 bits",
            Kind::Zigzag => "a whole number of 32 bits",
            Kind::Enum => "the number of the enumeration's value, not its name",
        }
    }

    fn found<E: Error>(&self, wire: Option<Wire>, value: impl fmt::Display) -> Result<Option<Wire>, E> {
        if wire.is_some() {
            return Ok(wire);
        }
        let value: String = value.to_string().chars().take(64).collect();
        Err(E::custom(format!(
            "{} is {value}, it has to be {}",
            self.name,
            self.wanted()
        )))
    }
}

impl Visitor<'_> for Scalar {
    type Value = Option<Wire>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.wanted(), self.name)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.found(
            matches!(self.kind, Kind::Bool).then_some(Wire::Varint(u64::from(value))),
            value,
        )
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.found(self.unsigned(value), value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.found(self.signed(value), value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.found(self.double(value), value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.found(self.text(value), format_args!("\"{value}\""))
    }
}

/// A finite number as JSON writes one. Rust reads more than JSON has: "inf", "nan", "+1".
fn number(text: &str) -> Option<f64> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|double: &f64| double.is_finite())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| {
            let digit = |byte: u8| (byte as char).to_digit(16);
            u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
        })
        .collect()
}
