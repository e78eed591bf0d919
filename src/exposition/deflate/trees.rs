//! How a block tells its codes (RFC 1951, section 3.2.7).

use super::bits::{BitWriter, Word};
use super::block::{DISTANCES, LITERALS};
use super::huffman;

/// The order in which the lengths of the codes for lengths are written.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The longest of these codes.
const LONGEST: u8 = 7;

/// The lengths of all codes of a block, as they are written.
pub(super) struct Trees {
    literals: usize,
    distances: usize,
    /// A length, or the symbol of a repetition and how often.
    runs: Vec<Run>,
    lengths: [u8; ORDER.len()],
    /// How many of the lengths are written.
    count: usize,
}

#[derive(Clone, Copy)]
struct Run {
    symbol: u8,
    extra: u8,
}

impl Trees {
    pub(super) fn new(literals: &[u8; LITERALS], distances: &[u8; DISTANCES]) -> Self {
        let used = |lengths: &[u8]| {
            lengths
                .iter()
                .rposition(|length| *length > 0)
                .map_or(0, |last| last + 1)
        };
        let (literals, distances) = (
            &literals[..used(literals).max(257)],
            &distances[..used(distances).max(1)],
        );
        // Both are one list: a run may go on from the one into the other.
        let runs = runs(&[literals, distances].concat());
        let mut counts = [0; ORDER.len()];
        for run in &runs {
            counts[usize::from(run.symbol)] += 1;
        }
        let lengths = huffman::lengths(&counts, LONGEST);
        let count = ORDER.iter().rposition(|symbol| lengths[*symbol] > 0);
        Self {
            literals: literals.len(),
            distances: distances.len(),
            runs,
            lengths,
            count: count.map_or(0, |last| last + 1).max(4),
        }
    }

    /// How many bits [`Trees::write`] writes.
    pub(super) fn bits(&self) -> u32 {
        let runs = self.runs.iter();
        let runs: u32 = runs
            .map(|run| u32::from(self.lengths[usize::from(run.symbol)] + extra_bits(run.symbol)))
            .sum();
        5 + 5 + 4 + 3 * self.count as u32 + runs
    }

    pub(super) fn write(&self, out: &mut BitWriter) {
        out.put_bits(self.literals as u64 - 257, 5);
        out.put_bits(self.distances as u64 - 1, 5);
        out.put_bits(self.count as u64 - 4, 4);
        for symbol in &ORDER[..self.count] {
            out.put_bits(u64::from(self.lengths[*symbol]), 3);
        }
        let codes = huffman::codes(&self.lengths);
        for run in &self.runs {
            out.put(Word::of([codes[usize::from(run.symbol)]]));
            out.put_bits(u64::from(run.extra), u32::from(extra_bits(run.symbol)));
        }
    }
}

/// The same length again 3 to 6 times, or the length 0 3 to 10 or 11 to 138 times.
fn extra_bits(symbol: u8) -> u8 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let length = run[0];
        let mut left = run.len();
        if length > 0 {
            runs.push(Run {
                symbol: length,
                extra: 0,
            });
            left -= 1;
        }
        while left > 0 {
            let (symbol, least, most) = match (length, left) {
                (_, ..3) => (length, 1, 1),
                (0, 11..) => (18, 11, 138),
                (0, _) => (17, 3, 10),
                _ => (16, 3, 6),
            };
            let count = left.min(most);
            runs.push(Run {
                symbol,
                extra: (count - least) as u8,
            });
            left -= count;
        }
    }
    runs
}
