use super::wire::{Fault, Fields, Nested, Payload, malformed};

/// How deep values may be nested (the default of the OpenTelemetry specification, conformance B-04).
const MAX_DEPTH: usize = 64;

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
        self.check_below(0)
    }

    fn elements(&self) -> Nested<'a> {
        Nested::of(self.message, self.path, "an attribute")
    }

    fn check_below(&self, depth: usize) -> Result<(), Fault> {
        self.elements()
            .try_for_each(|element| attribute(element?)?.value.check_below(depth))
    }
}

impl<'a> Array<'a> {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = AnyValue<'a>> + use<'a> {
        self.elements().filter_map(|element| any_value(element.ok()?).ok())
    }

    fn elements(&self) -> Nested<'a> {
        Nested::of(self.message, self.path, "an attribute's value")
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
            Self::Array(array) => array
                .elements()
                .try_for_each(|element| any_value(element?)?.check_below(depth + 1)),
            Self::Map(map) => map.check_below(depth + 1),
            _ => Ok(()),
        }
    }
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
            (2, payload) => {
                let piece = payload.message("an attribute's value")?;
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
    /// The value when one more piece of it has been read. An array or a map is found again in `whole`, at the end of these
    /// `paths`, since it may be in several pieces itself.
    // message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    //   double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    //   int32 string_value_strindex = 8; } }
    fn with(mut self, piece: &'a [u8], whole: &'a [u8], paths: [&'static [u32]; 2]) -> Result<Self, Fault> {
        let [array, map] = paths;
        for field in Fields::of(piece) {
            let name = "an attribute's value";
            match field? {
                (1, payload) => self = Self::String(payload.text(name)?),
                (2, payload) => self = Self::Bool(payload.varint(name)? != 0),
                (3, payload) => self = Self::Int(payload.varint(name)?.cast_signed()),
                (4, payload) => self = Self::Double(payload.double(name)?),
                (5, payload) => {
                    payload.message(name)?;
                    self = Self::Array(Array {
                        message: whole,
                        path: array,
                    });
                }
                (6, payload) => {
                    payload.message(name)?;
                    self = Self::Map(Attributes::of(whole, map));
                }
                (7, payload) => self = Self::Bytes(payload.message(name)?),
                (8, Payload::Varint(_)) => self = Self::StringIndex,
                _ => {}
            }
        }
        Ok(self)
    }
}
