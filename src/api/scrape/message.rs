use std::collections::VecDeque;

use crate::exposition::Format;

/// A message that is being put together. Its length stands in front of it, and it may be that of a million series, so it is held in
/// pieces, which are given away one by one once it is whole.
#[derive(Default)]
pub(super) struct Message {
    pieces: VecDeque<Vec<u8>>,
    length: usize,
}

/// About so many bytes are in a piece.
const PIECE: usize = 256 << 10;

impl Message {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Has more of it appended.
    #[inline]
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.pieces.back().is_none_or(|last| last.len() >= PIECE) {
            // What is small takes what it needs.
            let room = if self.pieces.is_empty() { 0 } else { PIECE + PIECE / 16 };
            self.pieces.push_back(Vec::with_capacity(room));
        }
        if let Some(last) = self.pieces.back_mut() {
            let before = last.len();
            write(last);
            self.length += last.len() - before;
        }
    }

    /// Writes what stands in front of it now that it is whole.
    pub(super) fn begin(&self, out: &mut Vec<u8>, format: Format) {
        format.write_length(out, self.length);
    }

    /// Moves its next piece to `out`.
    pub(super) fn give_away(&mut self, out: &mut Vec<u8>) {
        if let Some(mut piece) = self.pieces.pop_front() {
            self.length -= piece.len();
            out.append(&mut piece);
            if self.pieces.is_empty() {
                // Used again for the next one.
                self.pieces.push_back(piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Syntax;

    #[test]
    fn pieces_make_the_message_again() {
        let format = Format {
            syntax: Syntax::Protobuf,
            ..Format::default()
        };
        let mut message = Message::default();
        for (parts, length) in [(0, &[0][..]), (1, &[100]), (7_000, &[0xE0, 0xDC, 0x2A])] {
            for number in 0..parts {
                message.append(|out| out.extend_from_slice(&[number as u8; 100]));
            }
            assert_eq!((message.len(), message.is_empty()), (parts * 100, parts == 0));
            let mut out = Vec::new();
            message.begin(&mut out, format);
            while !message.is_empty() {
                let before = out.len();
                message.give_away(&mut out);
                assert!(out.len() - before <= PIECE + 100);
            }
            let body: Vec<_> = (0..parts).flat_map(|number| [number as u8; 100]).collect();
            assert_eq!(out, [length, &body].concat());
        }
    }
}
