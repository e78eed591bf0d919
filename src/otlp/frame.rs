//! Takes messages apart into runs of bytes, for whoever recognises them by these. Nothing here says what is wrong with bytes: where
//! they are not as nearly all senders write them, there is no frame, and [`super::decode`] has to look at them.

mod exponential;
mod histogram;
mod number;
mod run;

pub use exponential::PlainExponential;
pub use histogram::PlainHistogram;
pub use number::{NumberFrame, PlainNumber};
pub use run::Run;

use super::wire::{Fields, Payload};

/// A resource and what it sent.
#[derive(Clone, Copy, Debug)]
pub struct ResourceFrame<'a> {
    message: &'a [u8],
    /// The message `Resource`, by which it is known.
    pub resource: &'a [u8],
}

/// What a scope is known by.
#[derive(Clone, Copy, Debug)]
pub struct ScopeFrame<'a> {
    /// The message `InstrumentationScope`, by which it is known,
    pub scope: &'a [u8],
    /// and this.
    pub schema_url: &'a [u8],
}

/// A field of a ScopeMetrics.
#[derive(Clone, Copy, Debug)]
pub enum ScopePart<'a> {
    /// See [`ScopeFrame::scope`].
    Scope(&'a [u8]),
    /// See [`ScopeFrame::schema_url`].
    SchemaUrl(&'a [u8]),
    /// What was measured in it.
    Metric(&'a [u8]),
    /// Nothing that is known.
    Other,
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
        for part in ScopePart::all(message) {
            let twice = match part? {
                ScopePart::Scope(bytes) => scope.replace(bytes).is_some(),
                ScopePart::SchemaUrl(bytes) => schema_url.replace(bytes).is_some(),
                ScopePart::Metric(_) | ScopePart::Other => false,
            };
            if twice {
                return None;
            }
        }
        Some(Self {
            scope: scope.unwrap_or_default(),
            schema_url: schema_url.unwrap_or_default(),
        })
    }
}

impl<'a> ScopePart<'a> {
    /// The fields of a ScopeMetrics, in the order in which they stand.
    pub fn all(message: &'a [u8]) -> impl Iterator<Item = Option<Self>> {
        Fields::of(message).map(|field| match field.ok()? {
            (1, Payload::Bytes(bytes)) => Some(Self::Scope(bytes)),
            (2, Payload::Bytes(bytes)) => Some(Self::Metric(bytes)),
            (3, Payload::Bytes(bytes)) => Some(Self::SchemaUrl(bytes)),
            (1..=3, _) => None,
            _ => Some(Self::Other),
        })
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
    pub fn data(&self) -> Data<'a> {
        Data { rest: self.data }
    }
}

/// The fields of a metric's data, in the order in which they stand. Ends behind one that is broken.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    rest: &'a [u8],
}

const POINT: u8 = 0x0A;

impl<'a> Data<'a> {
    /// The next field if it is a point, and what is behind.
    #[inline]
    pub fn split_point(self) -> Option<(&'a [u8], Self)> {
        let [POINT, behind @ ..] = self.rest else { return None };
        let (point, rest) = delimited(behind)?;
        Some((point, Self { rest }))
    }
}

impl<'a> Iterator for Data<'a> {
    type Item = Option<DataFrame<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((point, rest)) = self.split_point() {
            *self = rest;
            return Some(Some(DataFrame::Point(point)));
        }
        let rest = self.rest;
        let mut fields = Fields::of(rest);
        let field = fields.next()?;
        self.rest = fields.rest();
        let length = rest.len() - self.rest.len();
        Some(match field {
            Ok((1, Payload::Bytes(point))) => Some(DataFrame::Point(point)),
            Ok((number, _)) if number != 1 => rest.get(..length).map(DataFrame::Other),
            _ => None,
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

/// From when to when a point counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// See [`super::Point`].
    pub start_unix_nano: u64,
    /// See [`super::Point`].
    pub time_unix_nano: u64,
}

/// Their keys, in points of every kind.
const START: u8 = 0x11;
const TIME: u8 = 0x19;

impl Times {
    /// Whether there is nothing to say about them.
    #[inline]
    pub fn are_sane(self) -> bool {
        self.time_unix_nano != 0 && self.start_unix_nano <= self.time_unix_nano
    }
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
