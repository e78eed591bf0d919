use super::huffman::Code;

/// Bits on their way into bytes, the first one lowest (RFC 1951, section 3.1.1).
#[derive(Default)]
pub(super) struct BitWriter {
    /// What is behind `end` is room to write to.
    bytes: Vec<u8>,
    end: usize,
    /// Bits that do not fill a byte yet.
    held: u64,
    count: u32,
}

impl BitWriter {
    /// Appends bits.
    #[inline]
    pub(super) fn put(&mut self, Word { bits, count }: Word) {
        self.held |= bits << self.count;
        self.count += count;
        // A whole word each time, of which the next one overwrites what did not count: no branch for how many bytes there are.
        let word = self.held.to_le_bytes();
        match self.bytes.get_mut(self.end..).and_then(|room| room.first_chunk_mut()) {
            Some(room) => *room = word,
            None => self.make_room(word),
        }
        self.end += (self.count / 8) as usize;
        self.held >>= self.count & !7;
        self.count &= 7;
    }

    /// Appends the lowest `count` of the bits; the others are 0.
    pub(super) fn put_bits(&mut self, bits: u64, count: u32) {
        self.put(Word { bits, count });
    }

    #[cold]
    fn make_room(&mut self, word: [u8; 8]) {
        self.bytes
            .resize((self.end + word.len()).next_power_of_two().max(4096), 0);
        self.bytes[self.end..][..word.len()].copy_from_slice(&word);
    }

    /// Fills the last byte up with zeros.
    pub(super) fn align(&mut self) {
        self.put_bits(0, self.count.wrapping_neg() & 7);
    }

    /// The bytes that are full.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.bytes.truncate(self.end);
        self.end = 0;
        std::mem::take(&mut self.bytes)
    }
}

/// Bits that are written at a time, no more than [`Word::MOST`].
#[derive(Clone, Copy)]
pub(super) struct Word {
    bits: u64,
    count: u32,
}

impl Word {
    /// All that fit beside what does not fill a byte yet, less one: a shift by all 64 bits of a full word is none.
    pub(super) const MOST: u32 = u64::BITS - 8;

    #[inline]
    pub(super) fn of(codes: impl IntoIterator<Item = Code>) -> Self {
        let mut word = Self { bits: 0, count: 0 };
        for code in codes {
            word.bits |= u64::from(code.bits) << word.count;
            word.count += u32::from(code.length);
        }
        word
    }

    /// Both in one, where they fit.
    #[inline]
    pub(super) fn followed_by(self, next: Self) -> Option<Self> {
        let count = self.count + next.count;
        let bits = self.bits | next.bits << self.count;
        (count <= Self::MOST).then_some(Self { bits, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_any_count_come_out_behind_any_others() {
        for (before, count) in (0..8).flat_map(|before| (0..=Word::MOST).map(move |count| (before, count))) {
            let ones = |count: u32| (1_u64 << count) - 1;
            let mut out = BitWriter::default();
            out.put_bits(ones(before), before);
            out.put_bits(ones(count), count);
            // A bit that is not set, so that nothing that was left over goes unnoticed.
            out.put_bits(0, 1);
            out.put_bits(1, 1);
            out.align();
            let expected = u128::from(ones(before + count)) | 2 << (before + count);
            let length = (before + count + 2).div_ceil(8) as usize;
            assert_eq!(out.take(), expected.to_le_bytes()[..length], "{before} and {count}");
        }
    }
}
