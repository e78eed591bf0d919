use super::wire::{Fault, Fields, Nested, malformed};

/// How deep values may be nested (the default of the OpenTelemetry specification, conformance B-04).
const MAX_DEPTH: usize = 64;

/// Where the elements of an array or a map are in its message.
const ELEMENTS: &[u32] = &[1];

const KEY: &str = "an attribute's key";
const VALUE: &str = "an attribute's value";

/// The attributes of a resource, a scope, a metric, a point or an exemplar: read from the message that holds them when asked
/// for.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    message: &'a [u8],
    path: &'static [u32],
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
pub struct Array<'a> {
    message: &'a [u8],
    path: &'static [u32],
}

impl<'a> Attributes<'a> {
    /// The key-values at the end of `path` in `message`.
    pub(super) fn of(message: &'a [u8], path: &'static [u32]) -> Self {
        Self { message, path }
    }

    /// One by one, in the order of the bytes.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        // `decode` has checked the bytes, so nothing fails here.
        self.elements().filter_map(|element| attribute(element.ok()?).ok())
    }

    /// Fails where [`Attributes::iter`] would have to leave something out.
    pub(super) fn check(&self) -> Result<(), Fault> {
        check_at(self.message, self.path)
    }

    fn elements(&self) -> Nested<'a> {
        Nested::of(self.message, self.path, "an attribute")
    }
}

impl<'a> Array<'a> {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = AnyValue<'a>> + use<'a> {
        Nested::of(self.message, self.path, VALUE).filter_map(|value| any_value(value.ok()?).ok())
    }
}

/// The attributes at the end of a path.
fn check_at(message: &[u8], path: &[u32]) -> Result<(), Fault> {
    let Some((number, path)) = path.split_first() else {
        return check_attribute(message, 0);
    };
    for field in Fields::of(message) {
        match field? {
            (found, payload) if found == *number => check_at(payload.message("an attribute")?, path)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_attribute(message: &[u8], depth: usize) -> Result<(), Fault> {
    for field in Fields::of(message) {
        match field? {
            (1, payload) => payload.text(KEY).map(|_| ())?,
            (2, payload) => check_value(payload.message(VALUE)?, depth)?,
            _ => {}
        }
    }
    Ok(())
}

/// All that is in a value, also what something behind it takes the place of.
fn check_value(message: &[u8], depth: usize) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err(malformed(&format!(
            "an attribute value is nested deeper than {MAX_DEPTH}"
        )));
    }
    for field in Fields::of(message) {
        match field? {
            (1, payload) => payload.text(VALUE).map(|_| ())?,
            (2 | 3 | 8, payload) => payload.varint(VALUE).map(|_| ())?,
            (4, payload) => payload.double(VALUE).map(|_| ())?,
            (5, payload) => check_elements(payload.message(VALUE)?, |value| check_value(value, depth + 1))?,
            (6, payload) => check_elements(payload.message(VALUE)?, |pair| check_attribute(pair, depth + 1))?,
            (7, payload) => payload.message(VALUE).map(|_| ())?,
            _ => {}
        }
    }
    Ok(())
}

/// Those of an array or a map.
fn check_elements(message: &[u8], check: impl Fn(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
    for field in Fields::of(message) {
        if let (1, payload) = field? {
            check(payload.message(VALUE)?)?;
        }
    }
    Ok(())
}

// message KeyValue { string key = 1; AnyValue value = 2; int32 key_strindex = 3; }
fn attribute(message: &[u8]) -> Result<Attribute<'_>, Fault> {
    let mut found = Attribute {
        key: "",
        value: AnyValue::Empty,
    };
    for field in Fields::of(message) {
        match field? {
            (1, payload) => found.key = payload.text(KEY)?,
            (2, payload) => {
                let piece = payload.message(VALUE)?;
                found.value = found.value.with(piece, message, [&[2, 5, 1], &[2, 6, 1]])?;
            }
            _ => {}
        }
    }
    Ok(found)
}

fn any_value(message: &[u8]) -> Result<AnyValue<'_>, Fault> {
    AnyValue::Empty.with(message, message, [&[5, 1], &[6, 1]])
}

impl<'a> AnyValue<'a> {
    /// The value when one more piece of it has been read. An array or a map may be in several pieces itself: then all of it is found
    /// again in `whole`, at the end of these `paths`.
    // message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    //   double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    //   int32 string_value_strindex = 8; } }
    fn with(mut self, piece: &'a [u8], whole: &'a [u8], paths: [&'static [u32]; 2]) -> Result<Self, Fault> {
        let [array, map] = paths;
        for field in Fields::of(piece) {
            match field? {
                (1, payload) => self = Self::String(payload.text(VALUE)?),
                (2, payload) => self = Self::Bool(payload.varint(VALUE)? != 0),
                (3, payload) => self = Self::Int(payload.varint(VALUE)?.cast_signed()),
                (4, payload) => self = Self::Double(payload.double(VALUE)?),
                (5, payload) => {
                    let (message, path) = match self {
                        Self::Array(_) => (whole, array),
                        _ => (payload.message(VALUE)?, ELEMENTS),
                    };
                    self = Self::Array(Array { message, path });
                }
                (6, payload) => {
                    let (message, path) = match self {
                        Self::Map(_) => (whole, map),
                        _ => (payload.message(VALUE)?, ELEMENTS),
                    };
                    self = Self::Map(Attributes::of(message, path));
                }
                (7, payload) => self = Self::Bytes(payload.message(VALUE)?),
                (8, payload) => {
                    payload.varint(VALUE)?;
                    self = Self::StringIndex;
                }
                _ => {}
            }
        }
        Ok(self)
    }
}
