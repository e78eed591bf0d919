//! Takes messages apart into runs of bytes, for whoever recognises them by these. Nothing here says what is wrong with bytes: where
//! they are not as nearly all senders write them, there is no frame, and [`super::decode`] has to look at them.

use super::wire::{Fields, Payload};
use super::{Kind, Number};

/// A resource and what it sent.
#[derive(Clone, Copy, Debug)]
pub struct ResourceFrame<'a> {
    message: &'a [u8],
    /// The message `Resource`, by which it is known.
    pub resource: &'a [u8],
}

/// A scope and what was measured in it.
#[derive(Clone, Copy, Debug)]
pub struct ScopeFrame<'a> {
    message: &'a [u8],
    /// The message `InstrumentationScope`, by which it is known,
    pub scope: &'a [u8],
    /// and this.
    pub schema_url: &'a [u8],
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct MetricFrame<'a> {
    /// What stands in front of its data, by which it is known,
    pub before: &'a [u8],
    /// and what stands behind.
    pub after: &'a [u8],
    /// The field that its data is in.
    pub field: u32,
    data: &'a [u8],
}

/// A field of a metric's data.
#[derive(Clone, Copy, Debug)]
pub enum DataFrame<'a> {
    /// A data point.
    Point(&'a [u8]),
    /// Anything else, its key included.
    Other(&'a [u8]),
}

/// The field numbers of the five kinds of data.
const DATA: [u32; 5] = [5, 7, 9, 10, 11];

/// The ResourceMetrics of a request.
pub fn resources(request: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    messages(request, 1)
}

impl<'a> ResourceFrame<'a> {
    /// Takes a ResourceMetrics apart.
    pub fn of(message: &'a [u8]) -> Option<Self> {
        let mut resource = None;
        for field in Fields::of(message) {
            match field.ok()? {
                // In several pieces it would be their sum.
                (1, Payload::Bytes(bytes)) if resource.is_none() => resource = Some(bytes),
                (1, _) => return None,
                (3, payload) => _ = payload.text("").ok()?,
                _ => {}
            }
        }
        let resource = resource.unwrap_or_default();
        Some(Self { message, resource })
    }

    /// The ScopeMetrics.
    pub fn scopes(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        messages(self.message, 2)
    }
}

impl<'a> ScopeFrame<'a> {
    /// Takes a ScopeMetrics apart.
    pub fn of(message: &'a [u8]) -> Option<Self> {
        let (mut scope, mut schema_url) = (None, None);
        for field in Fields::of(message) {
            match field.ok()? {
                (1, Payload::Bytes(bytes)) if scope.is_none() => scope = Some(bytes),
                (3, Payload::Bytes(bytes)) if schema_url.is_none() => schema_url = Some(bytes),
                (1 | 3, _) => return None,
                _ => {}
            }
        }
        Some(Self {
            message,
            scope: scope.unwrap_or_default(),
            schema_url: schema_url.unwrap_or_default(),
        })
    }

    /// The metrics.
    pub fn metrics(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        messages(self.message, 2)
    }
}

impl<'a> MetricFrame<'a> {
    /// Takes a metric apart. One without data is not worth it.
    pub fn of(message: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::of(message);
        let mut start = message.len();
        let mut found = None;
        while let Some(field) = fields.next() {
            let end = fields.rest().len();
            match field.ok()? {
                (number, Payload::Bytes(data)) if DATA.contains(&number) && found.is_none() => {
                    found = Some(Self {
                        before: message.get(..message.len() - start)?,
                        after: fields.rest(),
                        field: number,
                        data,
                    });
                }
                (number, _) if DATA.contains(&number) => return None,
                _ => {}
            }
            start = end;
        }
        found
    }

    /// The fields of its data.
    pub fn data(&self) -> impl Iterator<Item = Option<DataFrame<'a>>> + use<'a> {
        let mut rest = self.data;
        std::iter::from_fn(move || {
            if let [0x0A, behind @ ..] = rest {
                let Some((point, behind)) = delimited(behind) else {
                    rest = &[];
                    return Some(None);
                };
                rest = behind;
                return Some(Some(DataFrame::Point(point)));
            }
            let mut fields = Fields::of(rest);
            let field = fields.next()?;
            let length = rest.len() - fields.rest().len();
            let other = rest
                .get(..length)
                .filter(|_| field.is_ok_and(|(number, _)| number != 1));
            rest = fields.rest();
            Some(other.map(DataFrame::Other))
        })
    }
}

fn messages(message: &[u8], wanted: u32) -> impl Iterator<Item = Option<&[u8]>> {
    Fields::of(message).filter_map(move |field| match field {
        Ok((number, Payload::Bytes(bytes))) if number == wanted => Some(Some(bytes)),
        Ok((number, _)) if number != wanted => None,
        _ => Some(None),
    })
}

/// A data point of a gauge or a sum.
#[derive(Clone, Copy, Debug)]
pub struct NumberFrame<'a> {
    /// See [`super::Point`].
    pub start_unix_nano: u64,
    /// See [`super::Point`].
    pub time_unix_nano: u64,
    /// `None` where there is none, or more to the point than times, a value and attributes.
    pub value: Option<Number>,
    /// By which it is known.
    pub attributes: Run<'a>,
}

/// The attributes of a point: all fields of one number, one behind the other, their keys included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether they are those that were expected.
    pub is_expected: bool,
}

impl<'a> NumberFrame<'a> {
    /// Takes a point apart whose attributes are `expected`, most likely. Its fields may stand in any order.
    pub fn of(point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let mut frame = Self {
            start_unix_nano: 0,
            time_unix_nano: 0,
            value: None,
            attributes: Run::absent(expected),
        };
        let mut is_plain = true;
        let mut has_attributes = false;
        let mut rest = point;
        while let [key, behind @ ..] = rest {
            match key {
                &START => (frame.start_unix_nano, rest) = fixed64(behind)?,
                &TIME => (frame.time_unix_nano, rest) = fixed64(behind)?,
                &DOUBLE => {
                    let bits;
                    (bits, rest) = fixed64(behind)?;
                    frame.value = Some(Number::Double(f64::from_bits(bits)));
                }
                &INT => {
                    let bits;
                    (bits, rest) = fixed64(behind)?;
                    frame.value = Some(Number::Int(bits.cast_signed()));
                }
                0x3A if !has_attributes => {
                    (frame.attributes, rest) = Run::take(rest, 0x3A, expected)?;
                    has_attributes = true;
                }
                // Flags: a zero says nothing.
                0x40 if behind.first() == Some(&0) => rest = &behind[1..],
                // Exemplars, and flags that say something.
                0x2A | 0x40 => {
                    is_plain = false;
                    let mut fields = Fields::of(rest);
                    fields.next()?.ok()?;
                    rest = fields.rest();
                }
                _ => return None,
            }
        }
        frame.value = frame.value.filter(|_| is_plain);
        Some(frame)
    }

    /// The same without the attributes, where there is no more to it.
    pub fn plain(&self) -> Option<PlainNumber> {
        Some(PlainNumber {
            start_unix_nano: self.start_unix_nano,
            time_unix_nano: self.time_unix_nano,
            value: self.value?,
        })
    }
}

/// What a point of a gauge or a sum has beside its attributes: both times, and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlainNumber {
    /// See [`super::Point`].
    pub start_unix_nano: u64,
    /// See [`super::Point`].
    pub time_unix_nano: u64,
    /// See [`super::Value`].
    pub value: Number,
}

impl PlainNumber {
    /// Takes a point apart that is in the shape of nearly all: its attributes are `expected`, and stand behind the fields of nine
    /// bytes (Python, Java), in front of the last of them (Go), or in front of all (a Collector).
    #[inline]
    pub fn of(point: &[u8], expected: &[u8]) -> Option<Self> {
        const ATTRIBUTES: u8 = 0x3A;
        let fixed = point.len().wrapping_sub(expected.len());
        let (is_first, is_before_last) = match fixed {
            27 => (point[0] == ATTRIBUTES, point[18] == ATTRIBUTES),
            18 => (point[0] == ATTRIBUTES, point[9] == ATTRIBUTES),
            _ => return None,
        };
        let front = match (is_first, is_before_last) {
            (true, _) => 0,
            (_, true) => fixed - 9,
            _ => fixed,
        };
        let attributes = point.get(front..front + expected.len())?;
        if attributes != expected || expected.is_empty() {
            return None;
        }
        let field = |number: usize| {
            let at = 9 * number;
            let at = if at < front { at } else { at + expected.len() };
            let [key, value @ ..] = point.get(at..)?.first_chunk::<9>()?;
            Some((*key, u64::from_le_bytes(*value)))
        };
        let (first, second) = (field(0)?, field(1)?);
        let third = if fixed == 27 { field(2)? } else { (START, 0) };
        let (start, time, (key, bits)) = match (first.0, second.0, third.0) {
            (START, TIME, _) => (first.1, second.1, third),
            (_, TIME, START) => (third.1, second.1, first),
            (TIME, _, START) => (third.1, first.1, second),
            _ => return None,
        };
        Some(Self {
            start_unix_nano: start,
            time_unix_nano: time,
            value: match key {
                DOUBLE => Number::Double(f64::from_bits(bits)),
                INT => Number::Int(bits.cast_signed()),
                _ => return None,
            },
        })
    }
}

impl PlainNumber {
    /// Whether there is nothing to say about its times.
    #[inline]
    pub fn has_sane_window(&self) -> bool {
        self.time_unix_nano != 0 && self.start_unix_nano <= self.time_unix_nano
    }
}

const START: u8 = 0x11;
const TIME: u8 = 0x19;
const DOUBLE: u8 = 0x21;
const INT: u8 = 0x31;

impl<'a> Run<'a> {
    /// The attributes of a point of any kind.
    #[inline]
    pub fn of(kind: Kind, point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let key = match kind {
            Kind::Gauge | Kind::Sum { .. } | Kind::Summary => 0x3A,
            Kind::Histogram(_) => 0x4A,
            Kind::ExponentialHistogram(_) => 0x0A,
        };
        let mut run = None;
        let mut rest = point;
        while let [next, behind @ ..] = rest {
            rest = match next {
                _ if *next == key => {
                    let found;
                    (found, rest) = Self::take(rest, key, expected)?;
                    if run.replace(found).is_some() {
                        return None;
                    }
                    continue;
                }
                // Keys of two bytes are those of fields that no kind of point has.
                0x80.. => return None,
                _ => match next & 7 {
                    0 => {
                        let length = behind.iter().position(|byte| *byte < 0x80)?;
                        behind.get(length + 1..)?
                    }
                    1 => behind.get(8..)?,
                    2 => delimited(behind)?.1,
                    _ => return None,
                },
            };
        }
        Some(run.unwrap_or_else(|| Self::absent(expected)))
    }

    /// A point has no attributes.
    fn absent(expected: &[u8]) -> Self {
        Self {
            bytes: &[],
            is_expected: expected.is_empty(),
        }
    }

    /// The run that `bytes` begin with, and what is behind.
    #[inline]
    fn take(bytes: &'a [u8], key: u8, expected: &[u8]) -> Option<(Self, &'a [u8])> {
        let is_expected =
            !expected.is_empty() && bytes.starts_with(expected) && bytes.get(expected.len()) != Some(&key);
        let length = if is_expected {
            expected.len()
        } else {
            length(bytes, key)?
        };
        let (bytes, behind) = bytes.split_at_checked(length)?;
        Some((Self { bytes, is_expected }, behind))
    }
}

/// How long the run of fields with this key is that `bytes` begin with.
fn length(bytes: &[u8], key: u8) -> Option<usize> {
    let mut rest = bytes;
    while let [next, behind @ ..] = rest
        && *next == key
    {
        rest = delimited(behind)?.1;
    }
    Some(bytes.len() - rest.len())
}

#[inline]
fn fixed64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (value, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*value), rest))
}

/// What a length of at most three bytes stands in front of, which is that of nearly all points and attributes, and what is behind.
#[inline]
fn delimited(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [short @ ..0x80, rest @ ..] => rest.split_at_checked(usize::from(*short)),
        [low, high @ ..0x80, rest @ ..] => rest.split_at_checked(usize::from(low & 0x7F) | usize::from(*high) << 7),
        [low, middle, high @ ..0x80, rest @ ..] => {
            rest.split_at_checked(usize::from(low & 0x7F) | usize::from(middle & 0x7F) << 7 | usize::from(*high) << 14)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\x11\x01\0\0\0\0\0\0\0";
    const TIME: &[u8] = b"\x19\x02\0\0\0\0\0\0\0";
    const INT: &[u8] = b"\x31\x03\0\0\0\0\0\0\0";
    const DOUBLE: &[u8] = b"\x21\0\0\0\0\0\0\xf0\x3f";
    const ATTRIBUTES: &[u8] = b"\x3a\x03abc\x3a\x01d";

    #[test]
    fn a_number_is_the_same_in_every_order_of_its_fields() {
        for (fields, start, value) in [
            (&[START, TIME, INT, ATTRIBUTES][..], 1, Number::Int(3)),
            (&[START, TIME, ATTRIBUTES, DOUBLE], 1, Number::Double(1.0)),
            (&[ATTRIBUTES, INT, TIME, START], 1, Number::Int(3)),
            (&[TIME, DOUBLE, ATTRIBUTES], 0, Number::Double(1.0)),
            (&[TIME, ATTRIBUTES, INT], 0, Number::Int(3)),
            (&[ATTRIBUTES, DOUBLE, TIME], 0, Number::Double(1.0)),
            (&[INT, START, ATTRIBUTES, TIME], 1, Number::Int(3)),
            (&[DOUBLE, TIME, INT, ATTRIBUTES, START], 1, Number::Int(3)),
        ] {
            let point = fields.concat();
            let frame = NumberFrame::of(&point, ATTRIBUTES).unwrap();
            let number = PlainNumber {
                start_unix_nano: start,
                time_unix_nano: 2,
                value,
            };
            assert_eq!(frame.plain(), Some(number), "{fields:?}");
            assert!(frame.attributes.is_expected && frame.attributes.bytes == ATTRIBUTES);
            // What is quick finds no other, where it finds one.
            assert!(
                PlainNumber::of(&point, ATTRIBUTES).is_none_or(|found| found == number),
                "{fields:?}"
            );
            assert!(!NumberFrame::of(&point, b"\x3a\x03abc").unwrap().attributes.is_expected);
        }
    }

    #[test]
    fn the_usual_orders_are_quick() {
        for fields in [
            [START, TIME, INT, ATTRIBUTES],
            [START, TIME, ATTRIBUTES, DOUBLE],
            [ATTRIBUTES, INT, TIME, START],
            [TIME, DOUBLE, ATTRIBUTES, b""],
            [TIME, ATTRIBUTES, INT, b""],
            [ATTRIBUTES, DOUBLE, TIME, b""],
        ] {
            assert!(PlainNumber::of(&fields.concat(), ATTRIBUTES).is_some(), "{fields:?}");
        }
    }

    #[test]
    fn what_is_odd_has_no_frame_or_no_plain_number() {
        let exemplar = b"\x2a\x00";
        for (fields, is_frame) in [
            (&[START, TIME, INT, ATTRIBUTES, exemplar][..], true),
            (&[START, TIME, INT, ATTRIBUTES, b"\x40\x01"], true),
            (&[START, TIME, ATTRIBUTES], true),
            (&[ATTRIBUTES, START, TIME, INT, ATTRIBUTES], false),
            (&[START, TIME, INT, b"\x3a\x09abc"], false),
            (&[START, TIME, INT, b"\x50\x01", ATTRIBUTES], false),
            (&[START, TIME, b"\x31\x03"], false),
        ] {
            let point = fields.concat();
            let frame = NumberFrame::of(&point, ATTRIBUTES);
            assert_eq!(frame.is_some(), is_frame, "{fields:?}");
            assert!(frame.is_none_or(|frame| frame.plain().is_none()), "{fields:?}");
            assert_eq!(PlainNumber::of(&point, ATTRIBUTES), None, "{fields:?}");
        }
        for end in 0..START.len() + TIME.len() + INT.len() + ATTRIBUTES.len() {
            let point = [START, TIME, INT, ATTRIBUTES].concat();
            assert_eq!(PlainNumber::of(&point[..end], ATTRIBUTES), None, "{end}");
        }
    }
}
