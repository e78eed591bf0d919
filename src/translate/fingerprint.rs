use std::collections::BTreeMap;

use crate::otlp::{AnyValue, Attributes};

/// A hash over all attributes of a resource that depends on neither their order nor on this process or version, so that
/// the label made from it keeps its value (conformance C-05, `--collisions label`).
///
/// It is FNV-1a with 64 bits over these bytes. A map (the attributes are one): `m`, the number of its keys, then each key and
/// value, sorted by the bytes of the keys; of equal keys the last counts. A text: `s`, its length, its bytes; bytes the same
/// with `b`. An array: `a`, its length, its values. A truth value: `t` or `f`. A whole number: `i` and its value. A double: `d`
/// and its bits. Nothing, or an index into a table of strings that is not there: `n`. A key is a text without the `s`. Numbers
/// have eight bytes, the lowest first.
pub(super) fn fingerprint(attributes: &Attributes<'_>) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.map(attributes);
    hash.0
}

struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.bytes(text);
    }

    fn map(&mut self, map: &Attributes<'_>) {
        let sorted: BTreeMap<_, _> = map.iter().map(|attribute| (attribute.key, attribute.value)).collect();
        self.bytes(b"m");
        self.number(sorted.len() as u64);
        for (key, value) in sorted {
            self.text(key.as_bytes());
            self.value(value);
        }
    }

    // `decode` has bounded the depth.
    fn value(&mut self, value: AnyValue<'_>) {
        match value {
            AnyValue::Empty | AnyValue::StringIndex => self.bytes(b"n"),
            AnyValue::String(text) => {
                self.bytes(b"s");
                self.text(text.as_bytes());
            }
            AnyValue::Bool(value) => self.bytes(if value { b"t" } else { b"f" }),
            AnyValue::Int(value) => {
                self.bytes(b"i");
                self.number(value.cast_unsigned());
            }
            AnyValue::Double(value) => {
                self.bytes(b"d");
                self.number(value.to_bits());
            }
            AnyValue::Bytes(bytes) => {
                self.bytes(b"b");
                self.text(bytes);
            }
            AnyValue::Array(array) => {
                self.bytes(b"a");
                self.number(array.iter().count() as u64);
                array.iter().for_each(|element| self.value(element));
            }
            AnyValue::Map(map) => self.map(&map),
        }
    }
}
