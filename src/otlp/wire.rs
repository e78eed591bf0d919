use super::DecodeError;

/// A [`DecodeError`] on its way out. Boxed, so that the results of what is called for every byte stay small.
pub(super) type Fault = Box<DecodeError>;

/// The fields of one protobuf message, in the order in which they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// The payload of a field, by wire type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nearly all fields have a key of one byte, and are a small number, or eight bytes long, or say in one or two how long they are.
    #[inline]
    fn read(&mut self) -> Result<(u32, Payload<'a>), Fault> {
        let [key @ 8..0x80, behind @ ..] = self.rest else {
            return self.read_any();
        };
        let found = match (key & 7, behind) {
            (1, _) => behind
                .split_first_chunk()
                .map(|(value, rest)| (Payload::Fixed64(u64::from_le_bytes(*value)), rest)),
            (2, [length @ ..0x80, rest @ ..]) => bytes(rest, usize::from(*length)),
            (2, [low, high @ ..0x80, rest @ ..]) => bytes(rest, usize::from(low & 0x7F) | usize::from(*high) << 7),
            (0, [value @ ..0x80, rest @ ..]) => Some((Payload::Varint(u64::from(*value)), rest)),
            _ => None,
        };
        match found {
            Some((payload, rest)) => {
                self.rest = rest;
                Ok((u32::from(key >> 3), payload))
            }
            None => self.read_any(),
        }
    }

    #[inline(never)]
    fn read_any(&mut self) -> Result<(u32, Payload<'a>), Fault> {
        let key = varint(&mut self.rest)?;
        let Some(number @ 1..=0x1FFF_FFFF) = u32::try_from(key >> 3).ok() else {
            return Err(malformed("a field number that protobuf does not have"));
        };
        let payload = match key & 7 {
            0 => Payload::Varint(varint(&mut self.rest)?),
            1 => Payload::Fixed64(u64::from_le_bytes(fixed(&mut self.rest)?)),
            2 => {
                let length = varint(&mut self.rest)?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
                    return Err(too_long(number, length, self.rest.len()));
                };
                self.rest = rest;
                Payload::Bytes(bytes)
            }
            5 => {
                let _: [u8; 4] = fixed(&mut self.rest)?;
                Payload::Fixed32 // No field that is read here has this type.
            }
            // Groups (3, 4) have been out of protobuf since before OTLP; nobody sends them.
            wire_type => return Err(odd_wire_type(number, wire_type)),
        };
        Ok((number, payload))
    }
}

#[inline]
fn bytes(rest: &[u8], length: usize) -> Option<(Payload<'_>, &[u8])> {
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((Payload::Bytes(bytes), rest))
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Payload<'a>), Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// `name` is the field as the schema calls it, for the error message.
impl<'a> Payload<'a> {
    #[inline]
    pub(super) fn message(self, name: &str) -> Result<&'a [u8], Fault> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong_type(name)),
        }
    }

    #[inline]
    pub(super) fn text(self, name: &str) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.message(name)?).map_err(|_| not_utf8(name))
    }

    #[inline]
    pub(super) fn varint(self, name: &str) -> Result<u64, Fault> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(wrong_type(name)),
        }
    }

    /// A `sint32`: small negative numbers are short.
    #[inline]
    pub(super) fn zigzag(self, name: &str) -> Result<i32, Fault> {
        // Of a longer number protobuf takes the lower half.
        let value = self.varint(name)? as u32;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    #[inline]
    pub(super) fn fixed64(self, name: &str) -> Result<u64, Fault> {
        match self {
            Self::Fixed64(value) => Ok(value),
            _ => Err(wrong_type(name)),
        }
    }

    #[inline]
    pub(super) fn double(self, name: &str) -> Result<f64, Fault> {
        self.fixed64(name).map(f64::from_bits)
    }

    /// Appends a repeated 64-bit field, packed or not: a parser has to take both (conformance P-16).
    pub(super) fn repeated_fixed64(self, name: &str, mut push: impl FnMut(u64)) -> Result<(), Fault> {
        match self {
            Self::Fixed64(value) => push(value),
            Self::Bytes(bytes) if bytes.len() % 8 == 0 => {
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .for_each(|chunk| push(u64::from_le_bytes(*chunk)));
            }
            Self::Bytes(_) => return Err(malformed(&format!("{name} is not a whole number of 8-byte values"))),
            _ => return Err(wrong_type(name)),
        }
        Ok(())
    }

    /// The same of a repeated `uint64`.
    pub(super) fn repeated_varint(self, name: &str, mut push: impl FnMut(u64)) -> Result<(), Fault> {
        match self {
            Self::Varint(value) => push(value),
            Self::Bytes(bytes) => varints(bytes, push)?,
            _ => return Err(wrong_type(name)),
        }
        Ok(())
    }

    /// Whether there is nothing wrong with it as a repeated `uint64`; `false` as well where that takes a closer look.
    #[inline]
    pub(super) fn is_repeated_varint(self) -> bool {
        match self {
            Self::Varint(_) => true,
            Self::Bytes(bytes) => are_varints(bytes),
            _ => false,
        }
    }
}

/// The messages at the end of a path of field numbers, for a message that is sent in pieces: protobuf adds up what is repeated
/// in them.
#[derive(Clone, Debug)]
pub(super) struct Nested<'a> {
    open: [Fields<'a>; MAX_PATH],
    depth: usize,
    path: &'static [u32],
    name: &'static str,
}

/// The longest path: from a key-value over the pieces of its value and those of an array to the elements.
const MAX_PATH: usize = 3;

impl<'a> Nested<'a> {
    #[inline]
    pub(super) fn of(message: &'a [u8], path: &'static [u32], name: &'static str) -> Self {
        Self {
            open: [Fields::of(message), Fields::of(&[]), Fields::of(&[])],
            depth: 0,
            path,
            name,
        }
    }
}

impl<'a> Iterator for Nested<'a> {
    type Item = Result<&'a [u8], Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let field = match self.open.get_mut(self.depth)?.next() {
                Some(Ok(field)) => field,
                Some(Err(fault)) => return Some(Err(fault)),
                None => {
                    self.depth = self.depth.checked_sub(1)?;
                    continue;
                }
            };
            if Some(&field.0) != self.path.get(self.depth) {
                continue;
            }
            let message = match field.1.message(self.name) {
                Ok(message) => message,
                Err(fault) => return Some(Err(fault)),
            };
            match self.open.get_mut(self.depth + 1) {
                Some(inner) if self.depth + 1 < self.path.len() => *inner = Fields::of(message),
                _ => return Some(Ok(message)),
            }
            self.depth += 1;
        }
    }
}

#[cold]
pub(super) fn malformed(what: &str) -> Fault {
    Box::new(DecodeError::Malformed(format!(
        "not an OTLP metrics request in protobuf: {what}"
    )))
}

#[cold]
fn not_utf8(name: &str) -> Fault {
    Box::new(DecodeError::InvalidUtf8(format!(
        "{name} is not UTF-8; send text as UTF-8, or as bytes"
    )))
}

#[cold]
fn wrong_type(name: &str) -> Fault {
    malformed(&format!("{name} has the wrong wire type"))
}

#[cold]
fn too_long(number: u32, length: usize, left: usize) -> Fault {
    malformed(&format!("field {number} says {length} bytes where {left} are left"))
}

#[cold]
fn odd_wire_type(number: u32, wire_type: u64) -> Fault {
    malformed(&format!("field {number} has the wire type {wire_type}"))
}

#[cold]
fn truncated() -> Fault {
    malformed("the bytes end in the middle of a field")
}

#[inline]
fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (value, rest) = bytes.split_first_chunk::<N>().ok_or_else(truncated)?;
    *bytes = rest;
    Ok(*value)
}

#[inline]
fn varint(bytes: &mut &[u8]) -> Result<u64, Fault> {
    // Nearly all keys, and most lengths, are one byte, and the others two.
    match **bytes {
        [byte @ ..0x80, ref rest @ ..] => {
            *bytes = rest;
            Ok(u64::from(byte))
        }
        [low, high @ ..0x80, ref rest @ ..] => {
            *bytes = rest;
            Ok(u64::from(low & 0x7F) | u64::from(high) << 7)
        }
        _ => long_varint(bytes),
    }
}

/// Numbers one behind the other. Of small ones nothing foretells which take one byte and which two, so no branch asks.
#[inline]
fn varints(mut bytes: &[u8], mut push: impl FnMut(u64)) -> Result<(), Fault> {
    while let [low, high, ..] = *bytes {
        let goes_on = low >> 7;
        if goes_on & high >> 7 != 0 {
            push(long_varint(&mut bytes)?);
            continue;
        }
        push(u64::from(low & 0x7F) | u64::from(high * goes_on) << 7);
        bytes = bytes.get(1 + usize::from(goes_on)..).unwrap_or_default();
    }
    if !bytes.is_empty() {
        push(varint(&mut bytes)?);
    }
    Ok(())
}

/// Whether [`varints`] is sure to read all of it: the last number ends, and none has more than nine bytes. Of nine bytes that go on,
/// eight at an even place do.
#[inline]
fn are_varints(bytes: &[u8]) -> bool {
    const GO_ON: u64 = 0x8080_8080_8080_8080;
    let goes_on = |eight: &[u8]| {
        eight
            .as_array()
            .is_some_and(|eight| u64::from_le_bytes(*eight) & GO_ON == GO_ON)
    };
    bytes.last().is_none_or(|last| *last < 0x80) && !bytes.windows(8).step_by(2).any(goes_on)
}

#[inline(never)]
fn long_varint(bytes: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            if at == 9 && *byte > 1 {
                return Err(malformed("a number of more than 64 bits"));
            }
            *bytes = &bytes[at + 1..];
            return Ok(value);
        }
    }
    Err(if bytes.len() < 10 {
        truncated()
    } else {
        malformed("a number of more than 64 bits")
    })
}
