use super::{Run, START, TIME, Times, fixed64};
use crate::otlp::Number;
use crate::otlp::wire::Fields;

/// A data point of a gauge or a sum.
#[derive(Clone, Copy, Debug)]
pub struct NumberFrame<'a> {
    /// From when to when it counts.
    pub times: Times,
    /// `None` where there is none, or more to the point than times, a value and attributes.
    pub value: Option<Number>,
    /// By which it is known.
    pub attributes: Run<'a>,
}

impl<'a> NumberFrame<'a> {
    /// Takes a point apart whose attributes are `expected`, most likely. Its fields may stand in any order.
    pub fn of(point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let mut frame = Self {
            times: Times::default(),
            value: None,
            attributes: Run::absent(expected),
        };
        let mut is_plain = true;
        let mut has_attributes = false;
        let mut rest = point;
        while let [key, behind @ ..] = rest {
            match key {
                &START => (frame.times.start_unix_nano, rest) = fixed64(behind)?,
                &TIME => (frame.times.time_unix_nano, rest) = fixed64(behind)?,
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
                &ATTRIBUTES if !has_attributes => {
                    (frame.attributes, rest) = Run::take(rest, ATTRIBUTES, expected)?;
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
            times: self.times,
            value: self.value?,
        })
    }
}

/// What a point of a gauge or a sum has beside its attributes: both times, and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlainNumber {
    /// From when to when it counts.
    pub times: Times,
    /// See [`Value`](crate::otlp::Value).
    pub value: Number,
}

impl PlainNumber {
    /// Takes a point apart that is in the shape of nearly all: its attributes stand behind the fields of nine bytes (Python, Java), in
    /// front of the last of them (Go), or in front of all (a Collector). The attributes are not looked at: whether they are some is for
    /// the caller to know, who has seen the same bytes before.
    #[inline]
    pub fn of(point: &[u8]) -> Option<(Self, &[u8])> {
        let (start, time, value, attributes) = match *point.first()? {
            START => {
                let (before, rest) = point.split_first_chunk::<18>()?;
                let (last, attributes) = last_and_attributes(rest)?;
                (field(before, 0).1, field(before, 1), field(last, 0), attributes)
            }
            TIME => {
                let (before, rest) = point.split_first_chunk::<9>()?;
                let (last, attributes) = last_and_attributes(rest)?;
                (0, field(before, 0), field(last, 0), attributes)
            }
            ATTRIBUTES => {
                let (attributes, last) = point.split_last_chunk::<9>()?;
                match field(last, 0) {
                    (START, start) => {
                        let (attributes, before) = attributes.split_last_chunk::<18>()?;
                        (start, field(before, 1), field(before, 0), attributes)
                    }
                    time => {
                        let (attributes, before) = attributes.split_last_chunk::<9>()?;
                        (0, time, field(before, 0), attributes)
                    }
                }
            }
            _ => return None,
        };
        let number = Self {
            times: Times {
                start_unix_nano: start,
                time_unix_nano: (time.0 == TIME).then_some(time.1)?,
            },
            value: match value {
                (DOUBLE, bits) => Number::Double(f64::from_bits(bits)),
                (INT, bits) => Number::Int(bits.cast_signed()),
                _ => return None,
            },
        };
        Some((number, attributes))
    }
}

/// The last field of nine bytes, and the attributes in front of it or behind.
#[inline]
fn last_and_attributes(rest: &[u8]) -> Option<(&[u8; 9], &[u8])> {
    if *rest.first()? == ATTRIBUTES {
        let (attributes, last) = rest.split_last_chunk()?;
        return Some((last, attributes));
    }
    rest.split_first_chunk()
}

/// The key and the value of a field.
#[inline]
fn field(fields: &[u8], number: usize) -> (u8, u64) {
    let (fields, _) = fields.as_chunks::<9>();
    let [key, value @ ..] = fields.get(number).unwrap_or(&[0; 9]);
    (*key, u64::from_le_bytes(*value))
}

const ATTRIBUTES: u8 = 0x3A;
const DOUBLE: u8 = 0x21;
const INT: u8 = 0x31;

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
                times: Times {
                    start_unix_nano: start,
                    time_unix_nano: 2,
                },
                value,
            };
            assert_eq!(frame.plain(), Some(number), "{fields:?}");
            assert!(frame.attributes.is_expected && frame.attributes.bytes == ATTRIBUTES);
            // What is quick finds no other, where it finds one.
            let found = PlainNumber::of(&point).filter(|(_, attributes)| *attributes == ATTRIBUTES);
            assert!(found.is_none_or(|(found, _)| found == number), "{fields:?}");
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
            let point = fields.concat();
            let (_, attributes) = PlainNumber::of(&point).unwrap();
            assert_eq!(attributes, ATTRIBUTES, "{fields:?}");
        }
    }

    /// Whether it is one with those attributes.
    fn is_plain(point: &[u8]) -> bool {
        PlainNumber::of(point).is_some_and(|(_, attributes)| attributes == ATTRIBUTES)
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
            assert!(!is_plain(&point), "{fields:?}");
        }
        for end in 0..START.len() + TIME.len() + INT.len() + ATTRIBUTES.len() {
            let point = [START, TIME, INT, ATTRIBUTES].concat();
            assert!(!is_plain(&point[..end]), "{end}");
        }
    }
}
