use hashbrown::HashTable;

/// Which series of a family have equal labels, where each stream has a series of its own (conformance C-05, `sum`).
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The slots of each label set, by the hash of the labels; none is empty.
    sets: HashTable<Vec<u32>>,
    /// The place of each slot in its set.
    places: Vec<u32>,
}

/// How many streams of a set are looked at, so that one that has very many does not hold everybody up.
const LOOKED_AT: usize = 64;

impl Streams {
    /// Adds a slot to the set of those with its labels, which `hash` is of; whether one that `is_live` was in it.
    pub(super) fn join(
        &mut self,
        slot: u32,
        hash: impl Fn(u32) -> u64,
        has_its_labels: impl Fn(u32) -> bool,
        is_live: impl Fn(u32) -> bool,
    ) -> bool {
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, 0);
        }
        let own = hash(slot);
        let same = |set: &Vec<u32>| set.first().is_some_and(|&other| has_its_labels(other));
        let (place, meets) = match self.sets.find_mut(own, same) {
            Some(set) => {
                // The last to come is the most likely to be there still.
                let meets = set.iter().rev().take(LOOKED_AT).any(|&other| is_live(other));
                set.push(slot);
                (set.len() - 1, meets)
            }
            None => {
                let rehash = |set: &Vec<u32>| set.first().map_or(0, |&other| hash(other));
                self.sets.insert_unique(own, vec![slot], rehash);
                (0, false)
            }
        };
        self.places[slot as usize] = place as u32;
        meets
    }

    /// Takes a slot, whose labels hash to `hash`, out of its set.
    pub(super) fn leave(&mut self, slot: u32, hash: u64) {
        let Some(&place) = self.places.get(slot as usize) else {
            return;
        };
        let place = place as usize;
        let Ok(mut entry) = self.sets.find_entry(hash, |set| set.get(place) == Some(&slot)) else {
            return;
        };
        let set = entry.get_mut();
        set.swap_remove(place);
        if let Some(&moved) = set.get(place) {
            self.places[moved as usize] = place as u32;
        }
        if set.is_empty() {
            entry.remove();
        }
    }

    /// Whether two of so many series have equal labels.
    pub(super) fn repeat(&self, series: usize) -> bool {
        self.sets.len() < series
    }
}
