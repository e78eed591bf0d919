use std::fmt;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::otlp::schema::{Field, Kind};
use crate::protobuf::{BYTES, FIXED64, VARINT, push_key, push_varint};

/// Base64 with or without padding, as the JSON mapping of protobuf asks of readers.
const ENGINE: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ENGINE);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ENGINE);

/// A JSON value that becomes one protobuf field, which is appended, without its key where it is one of an array: those are packed.
/// False for `null`, of which nothing becomes.
pub(super) struct Scalar<'o> {
    pub(super) field: &'static Field,
    pub(super) out: &'o mut Vec<u8>,
}

/// A number in protobuf's form, without its key.
enum Wire {
    Varint(u64),
    Fixed64(u64),
}

impl Wire {
    fn wire_type(&self) -> u32 {
        match self {
            Self::Varint(_) => VARINT,
            Self::Fixed64(_) => FIXED64,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Scalar<'_> {
    fn unsigned(&self, value: u64) -> Option<Wire> {
        Some(match self.field.kind {
            Kind::Double => Wire::Fixed64((value as f64).to_bits()),
            Kind::Fixed64 => Wire::Fixed64(value),
            Kind::Uint64 => Wire::Varint(value),
            _ => return self.signed(i64::try_from(value).ok()?),
        })
    }

    fn signed(&self, value: i64) -> Option<Wire> {
        Some(match self.field.kind {
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
        if let Kind::Double = self.field.kind {
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

    /// A number that is written as text.
    fn text(&self, value: &str) -> Option<Wire> {
        match self.field.kind {
            Kind::Double => match value {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => number(value),
            }
            .map(|double| Wire::Fixed64(double.to_bits())),
            Kind::Fixed64 | Kind::Sfixed64 | Kind::Varint | Kind::Uint64 | Kind::Zigzag => {
                if value.starts_with('+') {
                    None
                } else if let Ok(unsigned) = value.parse() {
                    self.unsigned(unsigned)
                } else if let Ok(signed) = value.parse() {
                    self.signed(signed)
                } else {
                    number(value).and_then(|double| self.double(double))
                }
            }
            // Numbers by name are what P-12 forbids, numbers as text what P-11 allows for 64 bits.
            Kind::Enum | Kind::Bool | Kind::Message(_) | Kind::String | Kind::Bytes | Kind::Id => None,
        }
    }

    fn wanted(&self) -> &'static str {
        match self.field.kind {
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

    fn number<E: Error>(self, wire: Option<Wire>, value: impl fmt::Display) -> Result<bool, E> {
        let Some(wire) = wire else {
            return Err(self.unfit(value));
        };
        if !self.field.repeated {
            push_key(self.out, self.field.number, wire.wire_type());
        }
        match wire {
            Wire::Varint(number) => push_varint(self.out, number),
            Wire::Fixed64(number) => self.out.extend_from_slice(&number.to_le_bytes()),
        }
        Ok(true)
    }

    fn bytes<E: Error>(self, bytes: Option<impl AsRef<[u8]>>, value: &str) -> Result<bool, E> {
        let Some(bytes) = bytes.as_ref().map(AsRef::as_ref) else {
            return Err(self.unfit(format_args!("\"{value}\"")));
        };
        push_key(self.out, self.field.number, BYTES);
        push_varint(self.out, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        Ok(true)
    }

    fn unfit<E: Error>(&self, value: impl fmt::Display) -> E {
        let value: String = value.to_string().chars().take(64).collect();
        let (name, wanted) = (self.field.json, self.wanted());
        E::custom(format!("{name} is {value}, it has to be {wanted}"))
    }
}

impl Visitor<'_> for Scalar<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.wanted(), self.field.json)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        let is_wanted = matches!(self.field.kind, Kind::Bool);
        self.number(is_wanted.then_some(Wire::Varint(u64::from(value))), value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        let wire = self.unsigned(value);
        self.number(wire, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        let wire = self.signed(value);
        self.number(wire, value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        let wire = self.double(value);
        self.number(wire, value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<bool, E> {
        match self.field.kind {
            Kind::String => self.bytes(Some(value), value),
            Kind::Bytes => {
                let bytes = STANDARD.decode(value).or_else(|_| URL_SAFE.decode(value));
                self.bytes(bytes.ok(), value)
            }
            Kind::Id => self.bytes(unhex(value), value),
            _ => {
                let wire = self.text(value);
                self.number(wire, format_args!("\"{value}\""))
            }
        }
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
