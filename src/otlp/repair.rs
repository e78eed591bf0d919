use super::schema::{Kind, MAX_DEPTH, Message, REQUEST};
use super::wire::{Fields, Payload};
use crate::protobuf::{BYTES, push_key, put_length};

/// A request in protobuf in which every text is UTF-8, and how many were not.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) protobuf: Vec<u8>,
    pub(super) replaced: u64,
}

/// Puts U+FFFD in place of what is not UTF-8 in a text (conformance L-08). All else stays as it is: what no schema knows, and
/// what is broken, which is refused when it is read.
pub(super) fn repair(request: &[u8]) -> Repaired {
    let mut repaired = Repaired {
        protobuf: Vec::with_capacity(request.len()),
        replaced: 0,
    };
    repaired.message(&REQUEST, request, 1);
    repaired
}

impl Repaired {
    fn message(&mut self, message: &Message, bytes: &[u8], depth: usize) {
        let mut fields = Fields::of(bytes);
        loop {
            let before = fields.rest();
            let (number, payload) = match fields.next() {
                Some(Ok(field)) => field,
                Some(Err(_)) => return self.protobuf.extend_from_slice(before),
                None => return,
            };
            let field = message.fields.iter().find(|field| field.number == number);
            match (field.map(|field| field.kind), payload) {
                (Some(Kind::String), Payload::Bytes(text)) if std::str::from_utf8(text).is_err() => {
                    self.replaced += 1;
                    self.length_delimited(number, |repaired| {
                        repaired
                            .protobuf
                            .extend_from_slice(String::from_utf8_lossy(text).as_bytes());
                    });
                }
                (Some(Kind::Message(inner)), Payload::Bytes(bytes)) if depth < MAX_DEPTH => {
                    self.length_delimited(number, |repaired| repaired.message(inner, bytes, depth + 1));
                }
                _ => {
                    let raw = before.len().saturating_sub(fields.rest().len());
                    self.protobuf.extend_from_slice(before.get(..raw).unwrap_or_default());
                }
            }
        }
    }

    fn length_delimited(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        push_key(&mut self.protobuf, number, BYTES);
        let start = self.protobuf.len();
        write(self);
        put_length(&mut self.protobuf, start, 0);
    }
}
