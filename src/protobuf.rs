//! Writes protobuf's encoding, for whoever reads OTLP or writes Prometheus' protobuf format.

/// The wire type of numbers of any length.
pub(crate) const VARINT: u32 = 0;
/// The wire type of eight bytes.
pub(crate) const FIXED64: u32 = 1;
/// The wire type of texts, bytes, messages and packed numbers.
pub(crate) const BYTES: u32 = 2;

/// Appends what stands in front of a field's value.
#[inline]
pub(crate) fn push_key(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    push_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends a varint.
#[inline]
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Puts the length of the message that has been appended since `start + room` in front of it; how many bytes it takes. Where they are
/// not as many as there is room for, the message makes way.
pub(crate) fn put_length(out: &mut Vec<u8>, start: usize, room: usize) -> usize {
    let (mut prefix, mut taken) = ([0; 10], 0);
    let mut rest = out.len().saturating_sub(start + room);
    for byte in &mut prefix {
        taken += 1;
        *byte = rest as u8 & 0x7F;
        rest >>= 7;
        if rest == 0 {
            break;
        }
        *byte |= 0x80;
    }
    match out.get_mut(start..start + room) {
        Some(place) if room == taken => place.copy_from_slice(&prefix[..taken]),
        _ => drop(out.splice(start..start + room, prefix[..taken].iter().copied())),
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_put_in_front_whatever_room_there_is() {
        for (length, prefix) in [
            (0, &[0][..]),
            (1, &[1]),
            (127, &[127]),
            (128, &[128, 1]),
            (20_000, &[160, 156, 1]),
        ] {
            for room in 0..4 {
                let mut out = b"before".to_vec();
                out.resize(6 + room, 0);
                out.resize(6 + room + length, b'm');
                assert_eq!(put_length(&mut out, 6, room), prefix.len());
                let message = vec![b'm'; length];
                assert_eq!(out, [b"before", prefix, &message].concat(), "{length} in {room}");
            }
        }
    }
}
