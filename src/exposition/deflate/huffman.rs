//! Codes of a Huffman tree.

/// The longest code. One bit less than the format allows, so that four of them fit in a word.
pub(super) const LONGEST: u8 = 14;

/// A code of each symbol, as it is written.
#[derive(Clone, Copy)]
pub(super) struct Code {
    /// From the lowest bit on, other than everything else in the format (RFC 1951, section 3.1.1).
    pub(super) bits: u32,
    /// How many bits; 0 where the symbol has no code.
    pub(super) length: u8,
}

impl Code {
    pub(super) const NONE: Self = Self { bits: 0, length: 0 };
}

/// How long the code of each symbol is, none longer than `longest`, for symbols that occur so often.
///
/// At least two get a code, also where fewer occur: not every reader knows a tree of one leaf.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], longest: u8) -> [u8; N] {
    let mut leaves: Vec<(u32, u16)> = (0..)
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol))
        .collect();
    for symbol in 0..2 {
        if leaves.len() < 2 && counts[usize::from(symbol)] == 0 {
            leaves.push((1, symbol));
        }
    }
    let mut lengths = [0; N];
    loop {
        leaves.sort_unstable();
        let depths = depths(&leaves);
        if depths.iter().all(|depth| *depth <= longest) {
            for ((_, symbol), depth) in leaves.iter().zip(depths) {
                lengths[usize::from(*symbol)] = depth;
            }
            return lengths;
        }
        // Rare: flatter until it fits, at the latest where all are 1.
        for (count, _) in &mut leaves {
            *count = count.div_ceil(2);
        }
    }
}

/// How deep each leaf is in the tree of the shortest codes; `leaves` from the rarest on.
fn depths(leaves: &[(u32, u16)]) -> Vec<u8> {
    // Nodes come into being from the lightest on, so both leaves and nodes are queues that are in order.
    let mut weights: Vec<u32> = Vec::with_capacity(leaves.len());
    let mut parents = vec![0_usize; 2 * leaves.len() - 1];
    let (mut leaf, mut node) = (0, 0);
    while weights.len() + 1 < leaves.len() {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf = leaf < leaves.len() && weights.get(node).is_none_or(|weight| leaves[leaf].0 <= *weight);
            let (child, child_weight) = if is_leaf {
                (leaf, leaves[leaf].0)
            } else {
                (leaves.len() + node, weights[node])
            };
            parents[child] = leaves.len() + weights.len();
            weight += child_weight;
            if is_leaf { leaf += 1 } else { node += 1 }
        }
        weights.push(weight);
    }
    // The last one is the root. Parents have higher numbers than their children.
    let mut depths = vec![0_u8; parents.len()];
    for child in (0..parents.len() - 1).rev() {
        depths[child] = depths[parents[child]] + 1;
    }
    depths.truncate(leaves.len());
    depths
}

/// The codes of these lengths (RFC 1951, section 3.2.2).
pub(super) const fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = [0_u32; 17];
    let mut index = 0;
    while index < N {
        if lengths[index] > 0 {
            next[lengths[index] as usize + 1] += 1;
        }
        index += 1;
    }
    // How many there are of each length becomes the first code of the next one.
    let mut length = 1;
    while length < next.len() {
        next[length] = (next[length - 1] + next[length]) << 1;
        length += 1;
    }
    let mut codes = [Code::NONE; N];
    let mut index = 0;
    while index < N {
        let length = lengths[index];
        if length > 0 {
            let bits = next[length as usize].reverse_bits() >> (u32::BITS - length as u32);
            codes[index] = Code { bits, length };
            next[length as usize] += 1;
        }
        index += 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tree_is_complete_and_none_too_deep() {
        let mut fibonacci = [1_u32; 40];
        for index in 2..fibonacci.len() {
            fibonacci[index] = fibonacci[index - 1] + fibonacci[index - 2];
        }
        let mut one = [0; 40];
        one[7] = 3;
        let mut first = [0; 40];
        first[0] = 1;
        for counts in [[0; 40], [1; 40], one, first, fibonacci] {
            for longest in [7, LONGEST] {
                let lengths = lengths(&counts, longest);
                let used = lengths.iter().filter(|length| **length > 0);
                let leaves: u32 = used.map(|length| 1 << (longest - length)).sum();
                assert_eq!(leaves, 1 << longest, "{counts:?}");
                let forgotten = counts
                    .iter()
                    .zip(lengths)
                    .any(|(count, length)| *count > 0 && length == 0);
                assert!(!forgotten, "{counts:?}");
            }
        }
    }

    #[test]
    fn codes_are_those_of_the_example() {
        // RFC 1951, section 3.2.2, from its last bit to its first.
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let bits = codes.map(|code| code.bits);
        assert_eq!(bits, [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]);
    }
}
