use super::*;
use crate::protobuf::{push_key, push_varint, put_length};

/// One field, by the shape of its payload.
fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_key(&mut out, number, 0);
    push_varint(&mut out, value);
    out
}

fn fixed(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_key(&mut out, number, 1);
    out.extend(value.to_le_bytes());
    out
}

fn bytes(number: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    push_key(&mut out, number, 2);
    let start = out.len();
    out.extend(payload.as_ref());
    put_length(&mut out, start, 0);
    out
}

fn metric(fields: &[Vec<u8>]) -> Vec<u8> {
    bytes(1, bytes(2, bytes(2, fields.concat())))
}

/// A request of one exponential histogram of one point.
fn exponential(point: &[Vec<u8>]) -> Vec<u8> {
    metric(&[
        bytes(1, "e"),
        bytes(10, [bytes(1, point.concat()), varint(2, 2)].concat()),
    ])
}

/// What a sink sees, in words.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn attributes(attributes: &Attributes<'_>) -> String {
        let pairs: Vec<String> = attributes
            .iter()
            .map(|attribute| format!("{}={}", attribute.key, Self::value(attribute.value)))
            .collect();
        pairs.join(",")
    }

    fn value(value: AnyValue<'_>) -> String {
        match value {
            AnyValue::Array(array) => format!("{:?}", array.iter().map(Self::value).collect::<Vec<_>>()),
            AnyValue::Map(map) => format!("{{{}}}", Self::attributes(&map)),
            AnyValue::String(text) => text.to_owned(),
            other => format!("{other:?}"),
        }
    }

    fn buckets(buckets: Buckets<'_>) -> String {
        let mut counts = Vec::new();
        let offset = buckets.for_each_count(|count| counts.push(count));
        format!("{offset}:{counts:?}")
    }
}

impl Sink for Seen {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.0
            .push(format!("resource {}", Self::attributes(&resource.attributes)));
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        let attributes = Self::attributes(&scope.attributes);
        self.0
            .push(format!("scope {} {} {attributes}", scope.name, scope.version));
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        self.0.push(format!("metric {} {:?}", metric.name, metric.kind));
    }

    fn point(&mut self, point: &Point<'_>) {
        let mut text = format!("point {}..{}", point.start_unix_nano, point.time_unix_nano);
        match &point.value {
            Value::ExponentialHistogram(e) => {
                text += &format!(
                    " scale={} zero={}@{} count={} sum={:?} {} {}",
                    e.scale,
                    e.zero_count,
                    e.zero_threshold,
                    e.count,
                    e.sum,
                    Self::buckets(e.positive()),
                    Self::buckets(e.negative())
                );
            }
            Value::Number(number) => text += &format!(" {number:?}"),
            _ => {}
        }
        for exemplar in point.exemplars.iter() {
            text += &format!(
                " ex {:?}@{} {:x?}/{:x?} {}",
                exemplar.value,
                exemplar.time_unix_nano,
                exemplar.trace_id,
                exemplar.span_id,
                Self::attributes(&exemplar.filtered_attributes)
            );
        }
        self.0.push(text);
    }
}

/// The last thing that is seen of a request.
#[track_caller]
fn last(request: &[u8]) -> String {
    let mut seen = Seen::default();
    decode(request, &mut seen).unwrap();
    seen.0.pop().unwrap()
}

#[track_caller]
fn fault(request: &[u8]) -> String {
    let mut seen = Seen::default();
    let fault = decode(request, &mut seen).unwrap_err();
    assert!(seen.0.is_empty(), "{:?} was seen of what cannot be decoded", seen.0);
    match fault {
        DecodeError::Malformed(text) => format!("malformed: {text}"),
        DecodeError::InvalidUtf8(text) => format!("invalid_utf8: {text}"),
    }
}

/// `sint32`.
fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)).cast_unsigned())
}

#[test]
fn p_16_exponential_points_in_full_packed_and_unpacked() {
    let point = [
        fixed(2, 10),
        fixed(3, 20),
        fixed(4, 700),
        fixed(5, 1.5f64.to_bits()),
        varint(6, zigzag(-3)),
        fixed(7, 9),
        bytes(8, [varint(1, zigzag(-5)), bytes(2, [0xAC, 0x02, 0x00, 0x07])].concat()),
        bytes(9, [varint(2, 300), varint(2, 0), varint(1, zigzag(i32::MAX))].concat()),
        varint(10, 0),
        fixed(12, 1),
        fixed(13, 1),
        fixed(14, 0.25f64.to_bits()),
    ];
    let expected = "point 10..20 scale=-3 zero=9@0.25 count=700 sum=Some(1.5) -5:[300, 0, 7] 2147483647:[300, 0]";
    assert_eq!(last(&exponential(&point)), expected);
    let mut backwards = point.clone();
    backwards.reverse();
    assert_eq!(last(&exponential(&backwards)), expected);
    assert_eq!(
        last(&exponential(&[varint(6, zigzag(i32::MIN))])),
        "point 0..0 scale=-2147483648 zero=0@0 count=0 sum=None 0:[] 0:[]"
    );
}

#[test]
fn p_16_a_message_in_pieces_adds_up() {
    let side = [
        bytes(8, [varint(1, zigzag(7)), varint(2, 1)].concat()),
        bytes(8, bytes(2, [2, 3])),
        bytes(8, [varint(2, 4), varint(1, zigzag(-7))].concat()),
    ];
    assert!(last(&exponential(&side)).ends_with(" -7:[1, 2, 3, 4] 0:[]"));

    let pair = |key: &str, value: &[Vec<u8>]| [bytes(1, key), value.concat()].concat();
    let text = |text: &str| bytes(1, text);
    let request = bytes(
        1,
        [
            bytes(1, bytes(1, pair("a", &[bytes(2, text("1")), bytes(2, [])]))),
            bytes(
                2,
                [
                    bytes(
                        1,
                        [bytes(1, "lost"), bytes(3, pair("s", &[bytes(2, text("1"))]))].concat(),
                    ),
                    bytes(1, [bytes(1, "lib"), bytes(2, "2")].concat()),
                    bytes(
                        2,
                        [
                            bytes(9, varint(2, 2)),
                            bytes(7, varint(2, 1)),
                            bytes(7, bytes(1, fixed(3, 5))),
                            bytes(7, varint(3, 1)),
                        ]
                        .concat(),
                    ),
                ]
                .concat(),
            ),
            // An array in two pieces of the value, and in two within the second.
            bytes(
                1,
                bytes(
                    1,
                    pair(
                        "l",
                        &[
                            bytes(2, bytes(5, bytes(1, text("x")))),
                            bytes(
                                2,
                                [bytes(5, bytes(1, text("y"))), bytes(5, bytes(1, text("z")))].concat(),
                            ),
                        ],
                    ),
                ),
            ),
        ]
        .concat(),
    );
    let mut seen = Seen::default();
    decode(&request, &mut seen).unwrap();
    assert_eq!(
        seen.0,
        [
            "resource a=1,l=[\"x\", \"y\", \"z\"]",
            "scope lib 2 s=1",
            "metric  Sum { monotonic: true, temporality: Delta }",
            "point 0..5 None"
        ]
    );
}

#[test]
fn of_several_kinds_of_data_the_last_counts_and_nothing_before_it() {
    let request = metric(&[
        bytes(7, [bytes(1, fixed(3, 1)), varint(2, 2), varint(3, 1)].concat()),
        bytes(5, bytes(1, fixed(3, 2))),
        bytes(7, bytes(1, fixed(3, 3))),
    ]);
    let mut seen = Seen::default();
    decode(&request, &mut seen).unwrap();
    assert_eq!(
        seen.0[2..],
        [
            "metric  Sum { monotonic: false, temporality: Unknown }",
            "point 0..3 None"
        ]
    );
}

#[test]
fn x_01_exemplars_in_full() {
    let exemplar = |attribute: &[u8]| {
        [
            fixed(2, 15),
            fixed(3, 1.0f64.to_bits()),
            bytes(4, [0xEE; 8]),
            bytes(5, [0x5B, 0x8E]),
            fixed(6, 4),
            bytes(7, [bytes(1, "k"), bytes(2, bytes(1, attribute))].concat()),
        ]
        .concat()
    };
    let expected =
        "point 0..0 Some(Int(1)) ex Some(Int(4))@15 [5b, 8e]/[ee, ee, ee, ee, ee, ee, ee, ee] k=v ex None@0 []/[] ";
    let point = |attribute: &[u8]| [fixed(6, 1), bytes(5, exemplar(attribute)), bytes(5, [])].concat();
    let sum = |attribute| metric(&[bytes(7, bytes(1, point(attribute)))]);
    assert_eq!(last(&sum(b"v")), expected);
    assert_eq!(
        fault(&sum(b"\xFF")),
        "invalid_utf8: an attribute's value is not UTF-8; send text as UTF-8, or as bytes"
    );
    // Also where no format shows them.
    let gauge = metric(&[bytes(5, bytes(1, point(b"\xFF")))]);
    assert!(fault(&gauge).starts_with("invalid_utf8: "));
    assert!(fault(&exponential(&[bytes(11, exemplar(b"\xFF"))])).starts_with("invalid_utf8: "));
    let histogram = metric(&[bytes(9, bytes(1, bytes(8, exemplar(b"\xFF"))))]);
    assert!(fault(&histogram).starts_with("invalid_utf8: "));
}

#[test]
fn p_04_what_is_read_when_asked_for_is_checked_first() {
    for (point, expected) in [
        (bytes(8, bytes(2, [0x80])), "the bytes end in the middle of a field"),
        (bytes(9, bytes(2, [0xFF; 10])), "a number of more than 64 bits"),
        (bytes(8, fixed(2, 1)), "bucket_counts has the wrong wire type"),
        (bytes(8, bytes(1, [])), "offset has the wrong wire type"),
        (varint(8, 1), "buckets has the wrong wire type"),
        (fixed(6, 1), "scale has the wrong wire type"),
        (varint(14, 1), "zero_threshold has the wrong wire type"),
        (varint(2, 1), "a point's start time has the wrong wire type"),
        (varint(11, 1), "exemplars has the wrong wire type"),
        (bytes(11, varint(2, 1)), "an exemplar's time has the wrong wire type"),
        (bytes(11, varint(4, 1)), "span_id has the wrong wire type"),
        (bytes(11, [0x0A]), "the bytes end in the middle of a field"),
    ] {
        let expected = format!("malformed: not an OTLP metrics request in protobuf: {expected}");
        assert_eq!(fault(&exponential(&[point])), expected);
    }
}

#[test]
fn l_08_every_text_is_repaired_wherever_it_stands() {
    const BAD: &[u8] = b"a\xFFb\xC3";
    let pair = |value: Vec<u8>| [bytes(1, BAD), bytes(2, value)].concat();
    let nested = bytes(5, bytes(1, bytes(6, bytes(1, pair(bytes(1, BAD))))));
    let unknown = [varint(99, 5), bytes(98, BAD)].concat();
    let request = bytes(
        1,
        [
            bytes(1, bytes(1, pair(nested))),
            bytes(3, BAD),
            bytes(
                2,
                [
                    bytes(
                        1,
                        [bytes(1, BAD), bytes(2, BAD), bytes(3, pair(bytes(7, BAD)))].concat(),
                    ),
                    bytes(
                        2,
                        [
                            bytes(1, BAD),
                            unknown,
                            bytes(
                                5,
                                bytes(1, bytes(5, [bytes(4, BAD), bytes(7, pair(bytes(1, "é")))].concat())),
                            ),
                        ]
                        .concat(),
                    ),
                ]
                .concat(),
            ),
        ]
        .concat(),
    );
    assert!(fault(&request).starts_with("invalid_utf8: "));
    let mut seen = Seen::default();
    assert_eq!(decode_lossy(&request, &mut seen), Ok(9));
    assert_eq!(
        seen.0,
        [
            "resource a\u{FFFD}b\u{FFFD}=[\"{a\u{FFFD}b\u{FFFD}=a\u{FFFD}b\u{FFFD}}\"]",
            "scope a\u{FFFD}b\u{FFFD} a\u{FFFD}b\u{FFFD} a\u{FFFD}b\u{FFFD}=Bytes([97, 255, 98, 195])",
            "metric a\u{FFFD}b\u{FFFD} Gauge",
            "point 0..0 None ex None@0 []/[61, ff, 62, c3] a\u{FFFD}b\u{FFFD}=é",
        ]
    );
    // A length of two bytes.
    let long = [&[b'x'; 200][..], b"\xFF"].concat();
    let replaced = format!("metric {}\u{FFFD} Gauge", "x".repeat(200));
    let mut seen = Seen::default();
    assert_eq!(decode_lossy(&metric(&[bytes(1, long), bytes(5, [])]), &mut seen), Ok(1));
    assert_eq!(seen.0[2], replaced);
}

#[test]
fn l_08_what_is_as_it_should_be_stays_and_what_is_broken_is_refused() {
    let good = exponential(&[fixed(3, 1), bytes(8, bytes(2, [1, 2]))]);
    assert_eq!(repair::repair(&good).protobuf, good);
    let mut seen = Seen::default();
    assert_eq!(decode_lossy(&good, &mut seen), Ok(0));

    let bad_text = metric(&[bytes(1, "\u{e9}".as_bytes().split_at(1).0)]);
    for broken in [&[0x0A, 0x05][..], &[0x0F], &bytes(1, bytes(2, [0x12, 0x7F]))] {
        let request = [&bad_text[..], broken].concat();
        let mut seen = Seen::default();
        assert!(matches!(
            decode_lossy(&request, &mut seen),
            Err(DecodeError::Malformed(_))
        ));
        assert!(seen.0.is_empty());
    }
    // Deeper than any value may be: repaired as far as that, and refused for its depth.
    let deep = (0..10_000).fold(bytes(1, b"\xFF"), |inner, _| bytes(5, bytes(1, inner)));
    let request = bytes(1, bytes(1, bytes(1, [bytes(1, b"\xFF"), bytes(2, deep)].concat())));
    assert!(fault(&request).starts_with("invalid_utf8: "));
    assert!(decode_lossy(&request, &mut Seen::default()).is_err());
}
