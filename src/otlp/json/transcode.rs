use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Transcoded;
use super::scalar::Scalar;
use crate::otlp::schema::{FIELD_NUMBERS, Field, Kind, MAX_DEPTH, Message, REQUEST};
use crate::protobuf::{BYTES, push_key, push_varint, put_length};

pub(super) fn request(text: &str) -> Result<Transcoded, serde_json::Error> {
    let mut output = Output {
        // It comes to half of that; what is not touched of a long one costs nothing, while growing is a copy.
        protobuf: Vec::with_capacity(text.len()),
        unknown: None,
        depth: 0,
        lengths: [1; MAX_DEPTH + 1],
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    // The parser's own limit counts arrays and objects; ours counts messages, and holds for all that recurses here.
    parser.disable_recursion_limit();
    MessageBody {
        message: &REQUEST,
        output: &mut output,
    }
    .deserialize(&mut parser)?;
    parser.end()?;
    Ok(Transcoded {
        protobuf: output.protobuf,
        unknown: output.unknown,
        replaced: 0,
    })
}

struct Output {
    protobuf: Vec<u8>,
    unknown: Option<String>,
    depth: usize,
    /// How many bytes the length of the last message took at each depth: the next one's takes as many most of the time, and then it
    /// need not be moved.
    lengths: [usize; MAX_DEPTH + 1],
}

impl Output {
    /// Writes key and length in front of the message that `write` appends. One that is `null` was not sent: written as an empty
    /// one it would take the place of its neighbours in a `oneof` (conformance P-14).
    fn length_delimited<E>(
        &mut self,
        field: &Field,
        write: impl FnOnce(&mut Self) -> Result<Presence, E>,
    ) -> Result<(), E> {
        let before = self.protobuf.len();
        push_key(&mut self.protobuf, field.number, BYTES);
        let start = self.protobuf.len();
        let room = self.lengths.get(self.depth).copied().unwrap_or(1);
        self.protobuf.resize(start + room, 0);
        if let (Presence::Null, false) = (write(self)?, field.repeated) {
            self.protobuf.truncate(before);
            return Ok(());
        }
        let taken = put_length(&mut self.protobuf, start, room);
        if let Some(length) = self.lengths.get_mut(self.depth) {
            *length = taken;
        }
        Ok(())
    }

    /// Takes back what a key has written that comes again: the last one counts (conformance B-04), which in protobuf it would
    /// not where messages and arrays add up. The bytes stay, as a field that means nothing, so that a request full of repeated
    /// keys costs no more than another.
    fn take_back(&mut self, written: &Range<usize>) {
        // Key and value take two bytes at least; of long ones the length is written in five, zeros in front.
        let bytes = match self.protobuf.get_mut(written.clone()) {
            Some(bytes) if bytes.len() >= 2 => bytes,
            _ => return,
        };
        let mut header = Vec::with_capacity(6);
        push_key(&mut header, FIELD_NUMBERS as u32 - 1, BYTES);
        match bytes.len() {
            length @ ..=129 => push_varint(&mut header, length as u64 - 2),
            length => {
                let length = length as u64 - 6;
                header.extend((0..4).map(|at| (length >> (7 * at)) as u8 | 0x80));
                header.push((length >> 28) as u8 & 0x7F);
            }
        }
        for (byte, new) in bytes.iter_mut().zip(header) {
            *byte = new;
        }
    }
}

/// Whether a message was sent.
enum Presence {
    Null,
    Object,
}

/// A JSON object that becomes the fields of a message.
struct MessageBody<'o> {
    message: &'static Message,
    output: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for MessageBody<'_> {
    type Value = Presence;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Presence, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MessageBody<'_> {
    type Value = Presence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object for {}", self.message.name)
    }

    fn visit_unit<E: Error>(self) -> Result<Presence, E> {
        Ok(Presence::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Presence, A::Error> {
        self.output.depth += 1;
        if self.output.depth > MAX_DEPTH {
            return Err(A::Error::custom("a value is nested too deep"));
        }
        let (mut known, mut first_unknown) = (false, None);
        let mut written: [Range<usize>; FIELD_NUMBERS] = Default::default();
        while let Some(Key(name)) = object.next_key()? {
            match self.message.fields.iter().find(|field| field.json == name) {
                Some(field) => {
                    known = true;
                    let start = self.output.protobuf.len();
                    object.next_value_seed(FieldValue {
                        field,
                        output: self.output,
                    })?;
                    if let Some(written) = written.get_mut(field.number as usize) {
                        self.output.take_back(written);
                        *written = start..self.output.protobuf.len();
                    }
                }
                None => {
                    // Names are the sender's; the message shows the beginning of one.
                    first_unknown.get_or_insert_with(|| name.chars().take(64).collect::<String>());
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let (false, Some(name)) = (known, first_unknown) {
            self.output
                .unknown
                .get_or_insert_with(|| format!("no field of {} is known, the first is \"{name}\"", self.message.name));
        }
        self.output.depth -= 1;
        Ok(Presence::Object)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The value of a known field: one, or an array of them.
struct FieldValue<'o> {
    field: &'static Field,
    output: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for FieldValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.field.repeated {
            deserializer.deserialize_any(self)
        } else {
            self.element(deserializer)
        }
    }
}

impl FieldValue<'_> {
    fn element<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field, output } = self;
        match field.kind {
            Kind::Message(message) => output.length_delimited(field, |output| {
                MessageBody { message, output }.deserialize(deserializer)
            }),
            _ => {
                let out = &mut output.protobuf;
                // In an array of numbers `null` has no default to stand for; elsewhere it means that nothing was sent.
                match (Scalar { field, out }).deserialize(deserializer)? {
                    false if field.repeated => Err(D::Error::custom(format!("null in {}", field.json))),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl<'de> Visitor<'de> for FieldValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array for {}", self.field.json)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        let Self { field, output } = self;
        match field.kind {
            Kind::Message(_) => elements(field, output, array),
            // Packed, as senders of protobuf write numbers.
            _ => output.length_delimited(field, |output| {
                elements(field, output, array).map(|()| Presence::Object)
            }),
        }
    }
}

fn elements<'de, A: SeqAccess<'de>>(field: &'static Field, output: &mut Output, mut array: A) -> Result<(), A::Error> {
    struct Element<'o>(FieldValue<'o>);
    impl<'de> DeserializeSeed<'de> for Element<'_> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            self.0.element(deserializer)
        }
    }
    while array
        .next_element_seed(Element(FieldValue { field, output }))?
        .is_some()
    {}
    Ok(())
}
