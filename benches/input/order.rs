//! Writes a request again with its fields in another order.

use super::noise;

/// Who writes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By number: Rust, Python, JavaScript.
    Prost,
    /// By number, but a point's value behind its attributes, and the points of a metric in a new order each time: Go's deltas and
    /// observables.
    Go,
    /// Every message backwards.
    Collector,
}

/// What a message is for, and which of its fields are messages of what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    ResourceMetrics,
    Resource,
    ScopeMetrics,
    Scope,
    Metric,
    Data,
    Point,
    KeyValue,
    Leaf,
}

impl Kind {
    fn inner(self, field: u64) -> Self {
        match (self, field) {
            (Self::Request, 1) => Self::ResourceMetrics,
            (Self::ResourceMetrics, 1) => Self::Resource,
            (Self::ResourceMetrics, 2) => Self::ScopeMetrics,
            (Self::ScopeMetrics, 1) => Self::Scope,
            (Self::ScopeMetrics, 2) => Self::Metric,
            (Self::Metric, 5 | 7 | 9 | 10 | 11) => Self::Data,
            (Self::Data, 1) => Self::Point,
            // The attributes of every kind of point; other fields of those numbers hold no messages that matter.
            (Self::Resource, 1) | (Self::Scope, 3) | (Self::Point, 7) => Self::KeyValue,
            _ => Self::Leaf,
        }
    }
}

impl Order {
    /// The same request in this order; `round` is what makes a new order new.
    pub fn of(self, request: &[u8], round: u64) -> Vec<u8> {
        match self {
            Self::Prost => request.to_vec(),
            _ => self.message(Kind::Request, request, round),
        }
    }

    fn message(self, kind: Kind, message: &[u8], round: u64) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut rest = message;
        while !rest.is_empty() {
            let (key, behind) = varint(rest);
            let number = key >> 3;
            let (head, length) = match key & 7 {
                0 => (rest.len() - varint(behind).1.len(), 0),
                1 => (rest.len() - behind.len() + 8, 0),
                5 => (rest.len() - behind.len() + 4, 0),
                _ => {
                    let (length, behind) = varint(behind);
                    (rest.len() - behind.len(), length as usize)
                }
            };
            let (head, behind) = rest.split_at(head);
            let (payload, behind) = behind.split_at(length);
            rest = behind;
            let inner = kind.inner(number);
            let mut field = Vec::with_capacity(head.len() + length);
            if inner == Kind::Leaf {
                field.extend([head, payload].concat());
            } else {
                let payload = self.message(inner, payload, round);
                // The length is the same: nothing but the order changes.
                field.extend_from_slice(head);
                field.extend(payload);
            }
            fields.push((number, field));
        }
        match (self, kind) {
            (Self::Collector, _) => fields.reverse(),
            // as_double and as_int; of no other kind of point those fields are a oneof.
            (Self::Go, Kind::Point) => fields.sort_by_key(|(number, _)| matches!(number, 4 | 6)),
            (Self::Go, Kind::Data) => {
                let mut turn = round.wrapping_mul(0x9E37).wrapping_add(message.len() as u64);
                fields.sort_by_cached_key(|(number, _)| {
                    turn += 1;
                    (*number, noise(turn))
                });
            }
            _ => {}
        }
        fields.into_iter().flat_map(|(_, field)| field).collect()
    }
}

fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return (value, &bytes[at + 1..]);
        }
    }
    (value, &[])
}
