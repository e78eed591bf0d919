//! Finds what has been there before, in text of which each line is like an earlier one.
//!
//! A line begins like the one before it. Where a label differs, its rest is most often that of a line some lines back: of the
//! same point of another resource, or of the same bucket. So two distances are tried before anything is looked up: `near`, that
//! of the line before, and `far`, that of the line behind the one which the line before was like.

use super::block::{Block, LONGEST_MATCH};

/// How far back a match may be (RFC 1951, section 2).
pub(super) const WINDOW: usize = 32 << 10;

/// The shortest match. The format has shorter ones, which from afar take more bits than their bytes do.
const SHORTEST: usize = 4;

/// A match with the line before that is as long as this is taken at once.
const LONG: usize = 64;

/// A match that is as long as this tells which line is to be followed.
const TELLING: usize = 8;

/// How many places are remembered, as a power of two.
const SLOTS: u32 = 12;

/// Goes on from block to block.
pub(super) struct Matcher {
    /// By a hash of what stood there, the lowest bits of the last place where no expected match was found.
    slots: Box<[u16; 1 << SLOTS]>,
    /// How much text came before the one that is held.
    origin: usize,
    /// Where the last line begins, from the first one on.
    line: usize,
    near: usize,
    far: usize,
}

struct Match {
    length: usize,
    distance: usize,
}

impl Matcher {
    pub(super) fn new() -> Self {
        Self {
            slots: Box::new([0; 1 << SLOTS]),
            origin: 0,
            line: 0,
            near: 0,
            far: 0,
        }
    }

    /// Text that is not held any more.
    pub(super) fn forget(&mut self, length: usize) {
        self.origin += length;
    }

    /// Puts `text` from `start` on into the block, and tells how far it got.
    pub(super) fn fill(&mut self, block: &mut Block, text: &[u8], start: usize) -> usize {
        // Behind the last match, and how far what follows it is known to be literals.
        let (mut start, mut at) = (start, start);
        while let Some(word) = word_at(text, at) {
            let is_line = word as u8 == b'\n';
            if is_line {
                self.begin_line(text, start, at);
            }
            let expected = self.expected(text, at, word, is_line);
            let is_value = expected.is_none() && !is_line && is_at_value(text, at, word);
            let found = match expected {
                // No value is like another, and remembering them would only displace labels.
                None if !is_value => self.look_up(text, at, word),
                expected => expected,
            };
            if let Some(Match { length, distance }) = found {
                block.push(at - start, length, distance);
                at += length;
                start = at;
                if block.is_full() {
                    return at;
                }
            } else {
                let line_end = if is_value { line_end(text, at) } else { None };
                let end = line_end.unwrap_or_else(|| token_end(text, at));
                block.count(&text[at..end]);
                at = end;
            }
        }
        block.count(&text[at..]);
        block.push_last(text.len() - start);
        text.len()
    }

    /// `at` a line feed, the last match having ended at `start`.
    #[inline]
    fn begin_line(&mut self, text: &[u8], start: usize, at: usize) {
        let line = self.origin + at;
        self.near = line - std::mem::replace(&mut self.line, line);
        // Both lines are in their values there, which are not of the same length.
        let followed = start.checked_sub(self.far).and_then(|value| line_end(text, value));
        self.far = followed.map_or(0, |end| at.saturating_sub(end));
    }

    /// What is where it is expected. For a whole line the longer one is of use, for what is left of it any is.
    #[inline]
    fn expected(&self, text: &[u8], at: usize, word: u64, is_line: bool) -> Option<Match> {
        let (first, second) = match is_line {
            true => (self.near, self.far),
            false => (self.far, self.near),
        };
        let enough = if is_line { LONG } else { SHORTEST };
        let mut length = length(text, at, word, first);
        let mut distance = first;
        if length < enough {
            let other = self::length(text, at, word, second);
            if other > length {
                (length, distance) = (other, second);
            }
        }
        (length > 0).then_some(Match { length, distance })
    }

    /// What is where something like it was last looked for.
    fn look_up(&mut self, text: &[u8], at: usize, word: u64) -> Option<Match> {
        let place = (self.origin + at) as u16;
        // Of six bytes, by the golden ratio (Knuth, The Art of Computer Programming, section 6.4).
        let slot = (word << 16).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS);
        let last = std::mem::replace(&mut self.slots[slot as usize], place);
        // Twice as many places as the window has are told apart, and what a match is made of is compared in any case.
        let distance = usize::from(place.wrapping_sub(last));
        let length = length(text, at, word, distance);
        if length >= TELLING {
            self.far = distance;
        }
        (length > 0).then_some(Match { length, distance })
    }
}

/// How many bytes match, or 0 where they are too few. `word` is at `at`.
#[inline]
fn length(text: &[u8], at: usize, word: u64, distance: usize) -> usize {
    let from = at.wrapping_sub(distance);
    let earlier = if (1..=WINDOW).contains(&distance) {
        word_at(text, from)
    } else {
        None
    };
    match earlier.map(|earlier| common_bytes(earlier, word)) {
        Some(8) => common(&text[from..], &text[at..]),
        Some(length @ SHORTEST..) => length,
        _ => 0,
    }
}

#[inline]
fn common_bytes(a: u64, b: u64) -> usize {
    (a ^ b).trailing_zeros() as usize / 8
}

/// How many bytes both begin with, up to the longest match. `ahead` is the shorter one.
#[inline]
fn common(earlier: &[u8], ahead: &[u8]) -> usize {
    // Of a length that is known the compiler makes vectors.
    let (Some(a), Some(b)) = (
        earlier.first_chunk::<LONGEST_MATCH>(),
        ahead.first_chunk::<LONGEST_MATCH>(),
    ) else {
        return earlier.iter().zip(ahead).take_while(|(a, b)| a == b).count();
    };
    let (a, b) = (a.as_chunks::<32>().0, b.as_chunks::<32>().0);
    let Some(index) = a.iter().zip(b).position(|(a, b)| a != b) else {
        return LONGEST_MATCH;
    };
    let half = |chunk: &[u8; 32], index: usize| u128::from_le_bytes(chunk.as_chunks::<16>().0[index]);
    let differ = |half_index| half(&a[index], half_index) ^ half(&b[index], half_index);
    let (differ, half) = if differ(0) != 0 {
        (differ(0), 0)
    } else {
        (differ(1), 16)
    };
    32 * index + half + differ.trailing_zeros() as usize / 8
}

#[inline]
fn word_at(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

/// The highest bit of each byte that is the wanted one, and maybe of some behind the first of those.
#[inline]
fn bytes_that_are(wanted: u8, word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let differ = word ^ (ONES * u64::from(wanted));
    differ.wrapping_sub(ONES) & !differ & (ONES << 7)
}

/// Whether the labels end in the eight bytes here or before.
#[inline]
fn is_at_value(text: &[u8], at: usize, word: u64) -> bool {
    let ends = |word| (bytes_that_are(b'}', word) << 8) & bytes_that_are(b' ', word) != 0;
    ends(word) || word_at(text, at.wrapping_sub(7)).is_some_and(ends)
}

/// Where the line ends, if that is as near as a value is long.
#[inline]
fn line_end(text: &[u8], from: usize) -> Option<usize> {
    let words = text.get(from..)?.first_chunk::<24>()?.as_chunks().0;
    // All of them, since it cannot be foretold which one it is in.
    let mut end = None;
    for (index, word) in words.iter().enumerate().rev() {
        let found = bytes_that_are(b'\n', u64::from_le_bytes(*word));
        if found != 0 {
            end = Some(from + 8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    end
}

/// Behind the next byte at which something that has been there before may begin anew.
#[inline]
fn token_end(text: &[u8], from: usize) -> usize {
    let mut end = from + 1;
    while IS_INSIDE[usize::from(text[end - 1])] && end < text.len() && text[end] != b'\n' {
        end += 1;
    }
    end
}

/// Whether the byte is one that tokens are made of. As a table, since the kinds of bytes take turns as no processor foretells.
const IS_INSIDE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_');
        byte += 1;
    }
    table
};
