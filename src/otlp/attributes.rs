use super::wire::{Fault, Fields, Payload, malformed};

/// How deep values may be nested (the default of the OpenTelemetry specification, conformance B-04).
const MAX_DEPTH: usize = 64;

/// The attributes of a resource, a scope, a metric or a point: read from the message that holds them when asked for.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    message: &'a [u8],
    field: u32,
}

/// A key and its value. Keys may repeat; then the last one counts (conformance B-04).
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// May be empty.
    pub key: &'a str,
    /// `Empty` where none was sent.
    pub value: AnyValue<'a>,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub enum AnyValue<'a> {
    /// Nothing was set.
    Empty,
    /// An index into a table of strings that metrics do not have (conformance P-16).
    StringIndex,
    /// Text.
    String(&'a str),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A double.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Values in order.
    Array(Array<'a>),
    /// Keys and values.
    Map(Attributes<'a>),
}

/// The values of an array, read when asked for.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The key-values that stand under `field` of `message`.
    pub(super) fn of(message: &'a [u8], field: u32) -> Self {
        Self { message, field }
    }

    /// No attributes.
    pub(super) const NONE: Self = Self { message: &[], field: 1 };

    /// One by one, in the order of the bytes.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        // `decode` has checked the bytes, so nothing fails here.
        elements(self.message, self.field).filter_map(|element| attribute(element.ok()?).ok())
    }

    /// Fails where [`Attributes::iter`] would have to leave something out.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_below(0)
    }

    fn check_below(&self, depth: usize) -> Result<(), Fault> {
        elements(self.message, self.field).try_for_each(|element| attribute(element?)?.value.check_below(depth))
    }
}

impl<'a> Array<'a> {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = AnyValue<'a>> + use<'a> {
        elements(self.0, 1).filter_map(|element| any_value(element.ok()?).ok())
    }
}

impl AnyValue<'_> {
    fn check_below(&self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(malformed(&format!(
                "an attribute value is nested deeper than {MAX_DEPTH}"
            )));
        }
        match self {
            Self::Array(array) => {
                elements(array.0, 1).try_for_each(|element| any_value(element?)?.check_below(depth + 1))
            }
            Self::Map(map) => map.check_below(depth + 1),
            _ => Ok(()),
        }
    }
}

/// The messages that stand under `field`.
fn elements(message: &[u8], field: u32) -> impl Iterator<Item = Result<&[u8], Fault>> {
    Fields::of(message).filter_map(move |entry| match entry {
        Ok((number, payload)) if number == field => Some(payload.message("an attribute")),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

// message KeyValue { string key = 1; AnyValue value = 2; int32 key_strindex = 3; }
fn attribute(message: &[u8]) -> Result<Attribute<'_>, Fault> {
    let mut found = Attribute {
        key: "",
        value: AnyValue::Empty,
    };
    for field in Fields::of(message) {
        match field? {
            (1, payload) => found.key = payload.text("an attribute's key")?,
            (2, payload) => found.value = any_value(payload.message("an attribute's value")?)?,
            _ => {}
        }
    }
    Ok(found)
}

// message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
//   ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; int32 string_value_strindex = 8; } }
fn any_value(message: &[u8]) -> Result<AnyValue<'_>, Fault> {
    let mut value = AnyValue::Empty;
    for field in Fields::of(message) {
        let name = "an attribute's value";
        match field? {
            (1, payload) => value = AnyValue::String(payload.text(name)?),
            (2, payload) => value = AnyValue::Bool(payload.varint(name)? != 0),
            (3, payload) => value = AnyValue::Int(payload.varint(name)?.cast_signed()),
            (4, payload) => value = AnyValue::Double(payload.double(name)?),
            (5, payload) => value = AnyValue::Array(Array(payload.message(name)?)),
            (6, payload) => value = AnyValue::Map(Attributes::of(payload.message(name)?, 1)),
            (7, payload) => value = AnyValue::Bytes(payload.message(name)?),
            (8, Payload::Varint(_)) => value = AnyValue::StringIndex,
            _ => {}
        }
    }
    Ok(value)
}
