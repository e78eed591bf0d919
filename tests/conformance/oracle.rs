//! The decoder reads what the generated types read, from whatever bytes.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use prost::Message;

use crate::generate::{request, style};
use crate::generated::compare;
use crate::harness::{Bridge, encode};
use crate::wire::{self, Field};

/// Bytes that are one thing, changed into bytes that may be another.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index),
    /// So many bytes from here on stand there too.
    Copy(Index, usize, Index),
    Remove(Index, usize),
    /// A number of more bytes than it needs, or more bits than it may have.
    Varint(Index, u64),
}

fn change() -> impl Strategy<Value = Change> {
    let special = select(vec![0, 0x7f, 0x80, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX]);
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => (any::<Index>(), 1..60_usize, any::<Index>()).prop_map(|(from, length, to)| Change::Copy(from, length, to)),
        2 => (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (any::<Index>(), special).prop_map(|(at, number)| Change::Varint(at, number)),
    ]
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let until = |from: usize, count: usize| from..length.min(from + count);
        match self {
            Self::Byte(at, byte) => bytes[at.index(length)] = *byte,
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Copy(from, count, to) => {
                let piece = bytes[until(from.index(length), *count)].to_vec();
                let to = to.index(length);
                bytes.splice(to..to, piece);
            }
            Self::Remove(at, count) => drop(bytes.drain(until(at.index(length), *count))),
            Self::Varint(at, number) => {
                let at = at.index(length);
                bytes.splice(at..=at, wire::varint_of(*number));
            }
        }
    }
}

/// Fields of known numbers and any type, in messages in messages: nearly a request.
fn fields(depth: u32) -> BoxedStrategy<Vec<Field>> {
    let number = prop_oneof![9 => 1..15_u32, 1 => 15..40_u32];
    let varint = any::<u64>().prop_map(|number| (0, wire::varint_of(number)));
    let small = (0..4_u64).prop_map(|number| (0, wire::varint_of(number)));
    let fixed = any::<[u8; 8]>().prop_map(|bytes| (1, bytes.to_vec()));
    let half = any::<[u8; 4]>().prop_map(|bytes| (5, bytes.to_vec()));
    let text = "[a-c]{0,3}".prop_map(|text| (2, text.into_bytes()));
    let payload = if depth == 0 {
        prop_oneof![varint, small, fixed, half, text].boxed()
    } else {
        let inner = fields(depth - 1).prop_map(|fields| (2, wire::write(&fields)));
        prop_oneof![1 => varint, 1 => small, 1 => fixed, 1 => half, 1 => text, 12 => inner].boxed()
    };
    let field = (number, payload).prop_map(|(number, (wire_type, payload))| (number, wire_type, payload));
    vec(field, 0..4).boxed()
}

/// What leads from a request to such a point.
fn around_point(kind: u32, point: &[u8]) -> Vec<u8> {
    [1, kind, 2, 2, 1]
        .iter()
        .fold(point.to_vec(), |inner, number| wire::field(*number, &inner))
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_read_as_the_generated_types_read_them(
        requests in vec(request(), 1..3),
        style in style(),
        changes in vec(change(), 0..4),
    ) {
        let mut bytes = wire::restyle(style, &encode(requests));
        prop_assert_eq!(compare(&bytes), Ok(()));
        for change in changes {
            change.make(&mut bytes);
            prop_assert_eq!(compare(&bytes), Ok(()));
        }
    }

    #[test]
    fn what_is_nearly_a_request_is_read_so_too(fields in fields(6), kind in select(vec![5, 7, 9, 10, 11]), point in fields(4)) {
        prop_assert_eq!(compare(&wire::write(&fields)), Ok(()));
        prop_assert_eq!(compare(&around_point(kind, &wire::write(&point))), Ok(()));
    }

    #[test]
    fn any_bytes_are_read_so_too(bytes in vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(compare(&bytes), Ok(()));
    }
}

/// The differences that are meant, and no others, pass the judge.
#[test]
fn what_only_one_of_the_two_refuses() {
    let deep = (0..70).fold(Vec::new(), |value, _| wire::field(5, &wire::field(1, &value)));
    let attribute = [wire::field(1, b"key"), wire::field(2, &deep)].concat();
    let fixed = |number: u8| [&[number << 3 | 1][..], &[0; 8]].concat();
    for (what, bytes, ours, theirs) in [
        ("a group", vec![0x7b, 0x7c], false, true),
        (
            "values in values",
            around_point(5, &wire::field(7, &attribute)),
            false,
            false,
        ),
        (
            "the minimum of a histogram as text",
            around_point(9, &wire::field(11, b"a")),
            true,
            false,
        ),
        ("flags as a double", around_point(5, &fixed(8)), false, false),
        ("a field that nobody knows", around_point(5, &fixed(15)), true, true),
    ] {
        assert_eq!(Bridge::new().take(&bytes).is_ok(), ours, "{what}");
        assert_eq!(ExportMetricsServiceRequest::decode(&*bytes).is_ok(), theirs, "{what}");
        assert_eq!(compare(&bytes), Ok(()), "{what}");
    }
}
