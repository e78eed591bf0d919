use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Things that are known by their bytes and come in the same order most of the time. The one that is expected is found by comparing
/// its bytes, any other one by their hash; both compare every byte.
///
/// Each item knows which one came after it last time. So a sequence that is cut anywhere, or comes in another order from now on,
/// is followed again after one look-up at each new seam.
#[derive(Debug)]
pub(super) struct Sequence<T> {
    items: Vec<Item<T>>,
    /// Of all, once there are more than [`FEW`].
    index: HashTable<u32>,
    first: u32,
}

#[derive(Debug)]
struct Item<T> {
    key: Arc<[u8]>,
    next: u32,
    value: T,
}

/// So many are looked through one by one, which is as fast, and an index costs as much memory as half an item.
const FEW: usize = 16;

/// How far somebody has come who goes through a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    last: Last,
    expected: u32,
}

/// What came before.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// Nothing.
    Nothing,
    /// Something that is not known.
    Unknown,
    At(u32),
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            index: HashTable::new(),
            first: 0,
        }
    }
}

impl<T> Sequence<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn start(&self) -> Cursor {
        Cursor {
            last: Last::Nothing,
            expected: self.first,
        }
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.items.get_mut(place as usize).map(|item| &mut item.value)
    }

    /// The bytes of the one that is expected; empty where none is.
    #[inline]
    pub(super) fn expected(&self, cursor: Cursor) -> &[u8] {
        self.items.get(cursor.expected as usize).map_or(&[], |item| &item.key)
    }

    /// The one that is expected: its bytes, what it is, and how far somebody has come who finds it there.
    #[inline]
    pub(super) fn expected_item(&self, cursor: Cursor) -> Option<(&[u8], &T, Cursor)> {
        let item = self.items.get(cursor.expected as usize)?;
        let next = Cursor {
            last: Last::At(cursor.expected),
            expected: item.next,
        };
        Some((&item.key, &item.value, next))
    }

    /// Goes to the one that is expected: where it is, its bytes, and what it is.
    pub(super) fn follow(&mut self, cursor: &mut Cursor) -> Option<(u32, &[u8], &mut T)> {
        let place = cursor.expected;
        self.items.get(place as usize)?;
        self.step(cursor, place);
        let item = self.items.get_mut(place as usize)?;
        Some((place, &item.key, &mut item.value))
    }

    /// Where the item of these bytes is, which are the pieces one behind the other; remembers that it comes here.
    pub(super) fn find(&mut self, cursor: &mut Cursor, hasher: &DefaultHashBuilder, pieces: &[&[u8]]) -> Option<u32> {
        let expected = cursor.expected;
        let is_expected = self
            .items
            .get(expected as usize)
            .is_some_and(|item| is(&item.key, pieces));
        let place = if is_expected {
            expected
        } else {
            let joined;
            let key = match pieces {
                [only] => only,
                _ => {
                    joined = pieces.concat();
                    &*joined
                }
            };
            self.look_up(hasher, key)?
        };
        self.step(cursor, place);
        Some(place)
    }

    fn look_up(&self, hasher: &DefaultHashBuilder, key: &[u8]) -> Option<u32> {
        let items = &self.items;
        if items.len() <= FEW {
            return items
                .iter()
                .position(|item| *item.key == *key)
                .map(|place| place as u32);
        }
        let is_it = |&place: &u32| items.get(place as usize).is_some_and(|item| *item.key == *key);
        self.index.find(hasher.hash_one(key), is_it).copied()
    }

    /// Makes room for exactly so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.items.reserve_exact(more);
    }

    /// Adds an item that is not there.
    pub(super) fn insert(&mut self, cursor: &mut Cursor, hasher: &DefaultHashBuilder, key: Arc<[u8]>, value: T) -> u32 {
        let place = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        // In between, where something was expected, else in front of what is added next.
        let next = match self.items.get(cursor.expected as usize) {
            Some(_) => cursor.expected,
            None => place.saturating_add(1),
        };
        self.items.push(Item { key, next, value });
        if self.items.len() > FEW {
            let hash = |place: &u32| {
                self.items
                    .get(*place as usize)
                    .map_or(0, |item| hasher.hash_one(&*item.key))
            };
            let lacking = self.index.len() as u32..=place;
            for place in lacking {
                self.index.insert_unique(hash(&place), place, hash);
            }
        }
        self.step(cursor, place);
        place
    }

    /// Goes to a place, and expects next time to come there from here.
    fn step(&mut self, cursor: &mut Cursor, place: u32) {
        match cursor.last {
            Last::At(last) => {
                if let Some(item) = self.items.get_mut(last as usize) {
                    item.next = place;
                }
            }
            Last::Nothing => self.first = place,
            Last::Unknown => {}
        }
        *cursor = Cursor {
            last: Last::At(place),
            expected: self.items.get(place as usize).map_or(u32::MAX, |item| item.next),
        };
    }
}

impl Cursor {
    /// Of somebody who comes from nowhere.
    pub(super) fn lost() -> Self {
        Self {
            last: Last::Unknown,
            expected: u32::MAX,
        }
    }

    /// Whether what came before is known, or nothing did.
    pub(super) fn is_found(self) -> bool {
        !matches!(self.last, Last::Unknown)
    }

    /// Something that is not known has come in between.
    pub(super) fn lose(&mut self) {
        // What is expected stays: one more may have been added in front of it.
        self.last = Last::Unknown;
    }
}

/// Whether `key` is the pieces one behind the other.
fn is(key: &[u8], pieces: &[&[u8]]) -> bool {
    let mut rest = key;
    for piece in pieces {
        let Some(behind) = rest.strip_prefix(*piece) else {
            return false;
        };
        rest = behind;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Vec<u8> {
        format!("key {number}").into_bytes()
    }

    /// Goes through so many keys in that order; how many stood where they were expected.
    fn walk(sequence: &mut Sequence<usize>, hasher: &DefaultHashBuilder, order: &[usize]) -> usize {
        let mut cursor = sequence.start();
        let mut expected = 0;
        for &number in order {
            let key = key(number);
            if let Some((found, value, next)) = sequence.expected_item(cursor)
                && *found == *key
            {
                assert_eq!(*value, number);
                cursor = next;
                expected += 1;
            } else if let Some(place) = sequence.find(&mut cursor, hasher, &[&key]) {
                assert_eq!(sequence.get_mut(place), Some(&mut { number }));
            } else {
                sequence.insert(&mut cursor, hasher, key.into(), number);
            }
        }
        expected
    }

    #[test]
    fn an_order_is_expected_again_from_the_second_time_on() {
        for length in [1, FEW - 1, FEW, FEW + 1, 10 * FEW] {
            let (mut sequence, hasher) = (Sequence::default(), DefaultHashBuilder::default());
            let order: Vec<_> = (0..length).collect();
            let backwards: Vec<_> = order.iter().rev().copied().collect();
            assert_eq!(walk(&mut sequence, &hasher, &order), 0);
            assert_eq!(walk(&mut sequence, &hasher, &order), length);
            walk(&mut sequence, &hasher, &backwards);
            assert_eq!(walk(&mut sequence, &hasher, &backwards), length);
            assert_eq!(sequence.items.len(), length, "nothing is held twice");
        }
    }

    #[test]
    fn behind_a_cut_one_look_up_finds_the_way_again() {
        let (mut sequence, hasher) = (Sequence::default(), DefaultHashBuilder::default());
        let order: Vec<_> = (0..40).collect();
        walk(&mut sequence, &hasher, &order);
        walk(&mut sequence, &hasher, &order);
        assert_eq!(walk(&mut sequence, &hasher, &order[17..]), 22, "a cut");
        assert_eq!(walk(&mut sequence, &hasher, &order), 39, "from the front again");
        assert_eq!(
            walk(&mut sequence, &hasher, &[&order[..20], &order[30..]].concat()),
            29,
            "some are missing"
        );
    }

    #[test]
    fn what_is_new_is_expected_next_time_where_it_came() {
        let (mut sequence, hasher) = (Sequence::default(), DefaultHashBuilder::default());
        let order: Vec<_> = (0..40).collect();
        walk(&mut sequence, &hasher, &order);
        for new in [
            [&[100, 101], &order[..], &[]].concat(),
            [&[100, 101], &order[..20], &[102], &order[20..]].concat(),
            [&[100, 101], &order[..20], &[102], &order[20..], &[103, 104]].concat(),
        ] {
            let before = sequence.items.len();
            assert_eq!(
                walk(&mut sequence, &hasher, &new),
                before,
                "all others stand where they did"
            );
            assert_eq!(walk(&mut sequence, &hasher, &new), new.len());
        }
    }

    #[test]
    fn pieces_are_known_by_what_they_make_together() {
        let (mut sequence, hasher) = (Sequence::default(), DefaultHashBuilder::default());
        let mut cursor = sequence.start();
        sequence.insert(&mut cursor, &hasher, b"abc"[..].into(), 1);
        for (pieces, found) in [
            (&[&b"abc"[..]][..], Some(0)),
            (&[b"a", b"", b"bc"], Some(0)),
            (&[b"ab"], None),
            (&[b"abc", b"d"], None),
            (&[], None),
        ] {
            let mut cursor = sequence.start();
            assert_eq!(sequence.find(&mut cursor, &hasher, pieces), found, "{pieces:?}");
        }
    }
}
