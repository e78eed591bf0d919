//! Encodings of a request that mean the same, and that no encoder of the published types writes.

/// How the bytes of a request are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As prost writes it.
    Plain,
    /// Every message from its highest field number to its lowest, as the Collector writes it.
    Reversed,
    /// Repeated numbers one by one (conformance P-16).
    Unpacked,
    /// Packed numbers in two runs.
    Split,
    /// A field of every wire type that no schema knows, in front of and behind each message (P-16).
    Unknown,
    /// Every single value twice, a wrong one first: the last counts.
    Twice,
    /// Every single message in two pieces, which add up.
    Pieces,
}

impl Style {
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::Reversed,
        Self::Unpacked,
        Self::Split,
        Self::Unknown,
        Self::Twice,
        Self::Pieces,
    ];
}

/// The messages of a request; what is in each field that is a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Request,
    ResourceMetrics,
    Resource,
    ScopeMetrics,
    Scope,
    Metric,
    /// Gauge, Sum, Histogram, ExponentialHistogram, Summary, with the kind of their points.
    Data(&'static Kind),
    NumberPoint,
    HistogramPoint,
    ExponentialPoint,
    SummaryPoint,
    Buckets,
    Exemplar,
    Quantile,
    KeyValue,
    AnyValue,
    Array,
    Map,
}

impl Kind {
    fn field(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Request, 1) => Self::ResourceMetrics,
            (Self::ResourceMetrics, 1) => Self::Resource,
            (Self::ResourceMetrics, 2) => Self::ScopeMetrics,
            (Self::ScopeMetrics, 1) => Self::Scope,
            (Self::ScopeMetrics, 2) => Self::Metric,
            (Self::Metric, 5 | 7) => Self::Data(&Self::NumberPoint),
            (Self::Metric, 9) => Self::Data(&Self::HistogramPoint),
            (Self::Metric, 10) => Self::Data(&Self::ExponentialPoint),
            (Self::Metric, 11) => Self::Data(&Self::SummaryPoint),
            (Self::Data(point), 1) => *point,
            (Self::SummaryPoint, 6) => Self::Quantile,
            (Self::ExponentialPoint, 8 | 9) => Self::Buckets,
            (Self::NumberPoint, 5) | (Self::HistogramPoint, 8) | (Self::ExponentialPoint, 11) => Self::Exemplar,
            (Self::Resource, 1)
            | (Self::Scope, 3)
            | (Self::Metric, 12)
            | (Self::NumberPoint, 7)
            | (Self::HistogramPoint, 9)
            | (Self::ExponentialPoint, 1)
            | (Self::SummaryPoint, 7)
            | (Self::Exemplar, 7)
            | (Self::Map, 1) => Self::KeyValue,
            (Self::KeyValue, 2) | (Self::Array, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::Array,
            (Self::AnyValue, 6) => Self::Map,
            _ => return None,
        })
    }

    fn is_packed(self, number: u32) -> bool {
        (self == Self::HistogramPoint && [6, 7].contains(&number)) || (self == Self::Buckets && number == 2)
    }

    /// The numbers of a packed field, one by one, with their wire type.
    fn unpacked(self, mut payload: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut numbers = Vec::new();
        while !payload.is_empty() {
            let (wire_type, length) = match self {
                Self::Buckets => (0, payload.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1),
                _ => (1, 8),
            };
            let (number, rest) = payload.split_at(length);
            numbers.push((wire_type, number.to_vec()));
            payload = rest;
        }
        numbers
    }

    /// Whether the field is one message.
    fn is_one_message(self, number: u32) -> bool {
        match self {
            Self::ResourceMetrics | Self::ScopeMetrics => number == 1,
            Self::Metric => number != 12 && self.field(number).is_some(),
            Self::ExponentialPoint => [8, 9].contains(&number),
            Self::KeyValue => number == 2,
            Self::AnyValue => [5, 6].contains(&number),
            _ => false,
        }
    }

    /// Whether the field is one text, number or flag.
    fn is_single(self, number: u32) -> bool {
        self.field(number).is_none() && !self.is_packed(number) && self != Self::AnyValue
    }
}

/// A field: its number, its wire type, and its payload without the length.
pub type Field = (u32, u8, Vec<u8>);

/// The same request in another style.
pub fn restyle(style: Style, request: &[u8]) -> Vec<u8> {
    match style {
        Style::Plain => request.to_vec(),
        _ => message(style, Kind::Request, request),
    }
}

fn message(style: Style, kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let mut fields: Vec<Field> = Vec::new();
    for (number, wire_type, payload) in parse(bytes) {
        if let Some(inner) = kind.field(number) {
            let inner = message(style, inner, &payload);
            if style == Style::Pieces && kind.is_one_message(number) {
                let fields_of_inner = parse(&inner);
                let (front, back) = fields_of_inner.split_at(fields_of_inner.len().div_ceil(2));
                fields.extend([front, back].map(|piece| (number, wire_type, write(piece))));
            } else {
                fields.push((number, wire_type, inner));
            }
        } else if kind.is_packed(number) && style == Style::Unpacked {
            let numbers = kind.unpacked(&payload);
            fields.extend(numbers.into_iter().map(|(wire_type, bytes)| (number, wire_type, bytes)));
        } else if kind.is_packed(number) && style == Style::Split {
            let numbers = kind.unpacked(&payload);
            let (front, back) = numbers.split_at(numbers.len() / 2);
            fields.extend([front, back].map(|half| {
                let bytes = half.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
                (number, 2, bytes)
            }));
        } else {
            if style == Style::Twice && kind.is_single(number) {
                let wrong = if wire_type == 2 {
                    b"wrong".to_vec()
                } else {
                    payload.iter().map(|byte| byte ^ 1).collect()
                };
                fields.push((number, wire_type, wrong));
            }
            fields.push((number, wire_type, payload));
        }
    }
    match style {
        // Repeated fields keep their order.
        Style::Reversed => fields.sort_by_key(|(number, ..)| std::cmp::Reverse(*number)),
        Style::Unknown => {
            let unknown = [
                (99, 0, vec![5]),
                (98, 1, vec![0xFF; 8]),
                (97, 2, vec![0xFF, 0xFE]),
                (96, 5, vec![0; 4]),
            ];
            fields.splice(0..0, unknown.clone());
            fields.extend(unknown);
        }
        _ => {}
    }
    write(&fields)
}

pub fn parse(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let wire_type = (key & 7) as u8;
        let length = match wire_type {
            0 => bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1,
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)).unwrap(),
            5 => 4,
            _ => panic!("wire type {wire_type}"),
        };
        let (payload, rest) = bytes.split_at(length);
        fields.push(((key >> 3) as u32, wire_type, payload.to_vec()));
        bytes = rest;
    }
    fields
}

pub fn write(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, wire_type, payload) in fields {
        push_varint(&mut out, u64::from(number << 3 | u32::from(*wire_type)));
        if *wire_type == 2 {
            push_varint(&mut out, payload.len() as u64);
        }
        out.extend_from_slice(payload);
    }
    out
}

/// One field of bytes.
pub fn field(number: u32, payload: &[u8]) -> Vec<u8> {
    write(&[(number, 2, payload.to_vec())])
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let (number, rest) = bytes.split_at(length);
    *bytes = rest;
    number
        .iter()
        .rev()
        .fold(0, |value, byte| value << 7 | u64::from(byte & 0x7F))
}

/// A number as it is written.
pub fn varint_of(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, value);
    out
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
