//! What a block consists of, and how it is written (RFC 1951, section 3.2).

use super::bits::{BitWriter, Word};
use super::huffman::{self, Code, LONGEST};
use super::trees::Trees;

/// Bytes, the end of the block, and the lengths of matches. The last two are never used, but have fixed codes.
pub(super) const LITERALS: usize = 288;
/// The distances of matches.
pub(super) const DISTANCES: usize = 30;
const END: usize = 256;

/// How many matches a block has at most.
const MOST_SEQUENCES: usize = 16 << 10;

/// The longest match: two bytes less than the format has, so that it is a power of two.
pub(super) const LONGEST_MATCH: usize = 256;

/// The codes that every reader knows (RFC 1951, section 3.2.6).
const FIXED_LITERALS: [u8; LITERALS] = {
    let mut lengths = [8; LITERALS];
    let mut index = 144;
    while index < 280 {
        lengths[index] = if index < END { 9 } else { 7 };
        index += 1;
    }
    lengths
};
const FIXED_DISTANCES: [u8; DISTANCES] = [5; DISTANCES];

/// Bytes that stand for themselves, and behind them some that have been there before.
struct Sequence {
    literals: u32,
    /// 0 behind the last literals of a block.
    length: u16,
    distance: u16,
    /// The symbol of the distance.
    symbol: u8,
}

/// A block that is being put together.
pub(super) struct Block {
    sequences: Vec<Sequence>,
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            sequences: Vec::new(),
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
        }
    }

    /// Whether it is time to write it, since there would be too much to remember.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.sequences.len() >= MOST_SEQUENCES
    }

    /// Counts bytes that stand for themselves. [`Block::push`] says then how many there are.
    #[inline]
    pub(super) fn count(&mut self, literals: &[u8]) {
        for literal in literals {
            self.literals[usize::from(*literal)] += 1;
        }
    }

    /// Appends as many literals, and a match.
    #[inline]
    pub(super) fn push(&mut self, literals: usize, length: usize, distance: usize) {
        let (length_symbol, distance_symbol) = (SYMBOLS[length], distance_symbol(distance));
        self.literals[usize::from(length_symbol)] += 1;
        self.distances[usize::from(distance_symbol)] += 1;
        self.sequences.push(Sequence {
            literals: literals as u32,
            length: length as u16,
            distance: distance as u16,
            symbol: distance_symbol,
        });
    }

    /// Appends literals behind the last match.
    pub(super) fn push_last(&mut self, literals: usize) {
        self.sequences.push(Sequence {
            literals: literals as u32,
            length: 0,
            distance: 0,
            symbol: 0,
        });
    }

    /// Writes what `text` became, and empties the block.
    pub(super) fn write(&mut self, out: &mut BitWriter, text: &[u8]) {
        self.literals[END] += 1;
        let literals = huffman::lengths(&self.literals, LONGEST);
        let distances = huffman::lengths(&self.distances, LONGEST);
        let trees = Trees::new(&literals, &distances);
        // The bits of a block that is not the last one, with fixed codes or its own.
        if trees.bits() + self.bits(&literals, &distances) < self.bits(&FIXED_LITERALS, &FIXED_DISTANCES) {
            out.put_bits(0b100, 3);
            trees.write(out);
            self.write_sequences(out, text, &huffman::codes(&literals), &huffman::codes(&distances));
        } else {
            out.put_bits(0b010, 3);
            let literals = const { &huffman::codes(&FIXED_LITERALS) };
            let distances = const { &huffman::codes(&FIXED_DISTANCES) };
            self.write_sequences(out, text, literals, distances);
        }
        self.sequences.clear();
        self.literals.fill(0);
        self.distances.fill(0);
    }

    /// How many bits the symbols have with codes of these lengths, but for what follows them.
    fn bits(&self, literals: &[u8; LITERALS], distances: &[u8; DISTANCES]) -> u32 {
        let bits = |counts: &[u32], lengths: &[u8]| -> u32 {
            let lengths = lengths.iter().map(|length| u32::from(*length));
            counts.iter().zip(lengths).map(|(count, length)| count * length).sum()
        };
        bits(&self.literals, literals) + bits(&self.distances, distances)
    }

    fn write_sequences(
        &self,
        out: &mut BitWriter,
        text: &[u8],
        literals: &[Code; LITERALS],
        distances: &[Code; DISTANCES],
    ) {
        let mut lengths = [Code::NONE; LONGEST_MATCH + 1];
        for (code, length) in lengths.iter_mut().zip(0_u32..).skip(3) {
            *code = length_code(literals, length);
        }
        let mut rest = text;
        for sequence in &self.sequences {
            let (bytes, behind) = rest.split_at(sequence.literals as usize);
            // As many at a time as fit for certain.
            let (words, last) = bytes.as_chunks::<{ (Word::MOST / LONGEST as u32) as usize }>();
            for word in words {
                out.put(Word::of(word.map(|byte| literals[usize::from(byte)])));
            }
            let mut word = Word::of(last.iter().map(|byte| literals[usize::from(*byte)]));
            let length = usize::from(sequence.length);
            if length > 0 {
                let extra = u32::from(sequence.symbol / 2).saturating_sub(1);
                let extra = Code {
                    bits: (u32::from(sequence.distance) - 1) & !(u32::MAX << extra),
                    length: extra as u8,
                };
                let found = Word::of([lengths[length], distances[usize::from(sequence.symbol)], extra]);
                // Nearly always both fit.
                word = word.followed_by(found).unwrap_or_else(|| {
                    out.put(word);
                    found
                });
            }
            out.put(word);
            rest = &behind[length..];
        }
        out.put(Word::of([literals[END]]));
    }
}

/// RFC 1951, section 3.2.5: one symbol each up to 10, then four to each power of two. The rest is written behind.
const fn length_symbol(length: u32) -> (usize, u32) {
    let value = length - 3;
    let extra = if value < 8 { 0 } else { value.ilog2() - 2 };
    (257 + ((extra << 2) + (value >> extra)) as usize, extra)
}

fn length_code(literals: &[Code; LITERALS], length: u32) -> Code {
    let (symbol, extra) = length_symbol(length);
    let code = literals[symbol];
    let rest = (length - 3) & !(u32::MAX << extra);
    Code {
        bits: code.bits | rest << code.length,
        length: code.length + extra as u8,
    }
}

const SYMBOLS: [u16; LONGEST_MATCH + 1] = {
    let mut symbols = [LITERALS as u16 - 1; LONGEST_MATCH + 1];
    let mut length = 3;
    while length < symbols.len() {
        symbols[length] = length_symbol(length as u32).0 as u16;
        length += 1;
    }
    symbols
};

/// RFC 1951, section 3.2.5: one symbol each up to 4, then two to each power of two. The rest is written behind.
#[inline]
fn distance_symbol(distance: usize) -> u8 {
    let value = distance as u32 - 1;
    let extra = (value >> 1).checked_ilog2().unwrap_or(0);
    ((extra << 1) + (value >> extra)) as u8
}
