//! gzip made for expositions: each line is like one of the lines before, so what repeats is looked for where it is expected.
//!
//! It knows nothing of how lines are written: it takes any bytes, and makes of what is no exposition at worst nine bits a byte.

mod bits;
mod block;
mod huffman;
mod matcher;
mod trees;

#[cfg(test)]
mod tests;

use bits::BitWriter;
use block::Block;
use matcher::{Matcher, WINDOW};

/// How much text becomes a block: enough that what its codes cost does not matter, and not more than caches hold.
const BLOCK: usize = 256 << 10;

/// How much is taken over at a time, so that memory is bounded however long a piece is.
const PIECE: usize = 64 << 10;

/// A compressed stream under way (RFC 1952).
pub struct Gzip {
    /// What matches may refer to, and behind it what is not compressed yet.
    text: Vec<u8>,
    compressed: usize,
    matcher: Matcher,
    block: Block,
    out: BitWriter,
    checksum: crc32fast::Hasher,
    length: u32,
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gzip")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Gzip {
    /// Begins with the header: no name, no time, the fastest method, no particular system.
    pub fn new() -> Self {
        let mut out = BitWriter::default();
        for byte in [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255] {
            out.put_bits(byte, 8);
        }
        Self {
            text: Vec::new(),
            compressed: 0,
            matcher: Matcher::new(),
            block: Block::new(),
            out,
            checksum: crc32fast::Hasher::new(),
            length: 0,
        }
    }

    /// Takes text, and gives what is ready: up to a block is held back.
    pub fn write(&mut self, text: &[u8]) -> Vec<u8> {
        for piece in text.chunks(PIECE) {
            self.checksum.update(piece);
            // Modulo 2^32, as the format has it.
            self.length = self.length.wrapping_add(piece.len() as u32);
            self.text.extend_from_slice(piece);
            if self.text.len() - self.compressed >= BLOCK {
                self.compress();
            }
        }
        self.out.take()
    }

    /// The end of the stream: an empty last block, then what everything is checked against.
    pub fn finish(mut self) -> Vec<u8> {
        self.compress();
        // That it is the last, fixed codes, and the code of its end.
        self.out.put_bits(0b011, 3 + 7);
        self.out.align();
        self.out.put_bits(u64::from(self.checksum.finalize()), 32);
        self.out.put_bits(u64::from(self.length), 32);
        self.out.take()
    }

    /// Makes blocks of all text, of which a window stays.
    fn compress(&mut self) {
        while self.compressed < self.text.len() {
            let start = self.compressed;
            self.compressed = self.matcher.fill(&mut self.block, &self.text, start);
            self.block.write(&mut self.out, &self.text[start..self.compressed]);
        }
        let gone = self.text.len().saturating_sub(WINDOW);
        self.text.drain(..gone);
        self.compressed -= gone;
        self.matcher.forget(gone);
    }
}
