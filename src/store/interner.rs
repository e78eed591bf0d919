use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use arcstr::ArcStr;
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;

/// Holds what is equal once, for all who have it, and forgets what nobody has any more: at the latest when it has grown to twice what
/// was left last time, so that whatever comes and goes, it stays within twice what is had, and a newcomer costs a constant.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    held: Mutex<Held<T>>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Held<T> {
    table: HashTable<T>,
    growth: Growth,
}

/// What can be held once.
pub(crate) trait Interned: Clone {
    /// What it is made of.
    type Of: ?Sized + Hash + Eq;

    fn new(of: &Self::Of) -> Self;
    fn get(&self) -> &Self::Of;
    /// Whether somebody has it beside the one that is asked.
    fn is_shared(&self) -> bool;
}

impl Interned for ArcStr {
    type Of = str;

    fn new(of: &str) -> Self {
        of.into()
    }

    fn get(&self) -> &str {
        self
    }

    fn is_shared(&self) -> bool {
        Self::strong_count(self) != Some(1)
    }
}

impl Interned for Arc<[u8]> {
    type Of = [u8];

    fn new(of: &[u8]) -> Self {
        of.into()
    }

    fn get(&self) -> &[u8] {
        self
    }

    fn is_shared(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            held: Mutex::new(Held {
                table: HashTable::new(),
                growth: Growth::default(),
            }),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: Interned> Interner<T> {
    /// The one that is equal; whether it is new.
    pub(crate) fn intern(&self, of: &T::Of) -> (T, bool) {
        let mut held = self.held.lock();
        if held.growth.is_due(held.table.len()) {
            self.prune_held(&mut held);
        }
        let rehash = |other: &T| self.hasher.hash_one(other.get());
        let hash = self.hasher.hash_one(of);
        match held.table.entry(hash, |other| other.get() == of, rehash) {
            hashbrown::hash_table::Entry::Occupied(found) => (found.get().clone(), false),
            hashbrown::hash_table::Entry::Vacant(place) => (place.insert(T::new(of)).get().clone(), true),
        }
    }

    /// Forgets what nobody has any more.
    pub(crate) fn prune(&self) {
        self.prune_held(&mut self.held.lock());
    }

    fn prune_held(&self, held: &mut Held<T>) {
        held.table.retain(|held| held.is_shared());
        held.table.shrink_to(0, |other| self.hasher.hash_one(other.get()));
        held.growth.pruned(held.table.len());
    }

    #[cfg(test)]
    pub(crate) fn lengths(&self, length: impl Fn(&T::Of) -> usize) -> Vec<usize> {
        self.held.lock().table.iter().map(|held| length(held.get())).collect()
    }
}

/// When a table is to be looked through for what nobody has any more.
#[derive(Debug, Default)]
pub(super) struct Growth {
    left: usize,
}

/// Fewer are not worth a look.
const FEW: usize = 1024;

impl Growth {
    pub(super) fn is_due(&self, length: usize) -> bool {
        length >= FEW.max(2 * self.left)
    }

    pub(super) fn pruned(&mut self, left: usize) {
        self.left = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_leaves_at_most_twice_what_is_had() {
        let interner = Interner::<Arc<[u8]>>::default();
        let kept: Vec<_> = (0..3 * FEW)
            .map(|number| interner.intern(&number.to_le_bytes()).0)
            .collect();
        for number in 0..20 * FEW {
            interner.intern(format!("{number}").as_bytes());
            assert!(interner.held.lock().table.len() <= 2 * kept.len());
        }
        for (number, kept) in kept.iter().enumerate() {
            let (again, is_new) = interner.intern(&number.to_le_bytes());
            assert!(Arc::ptr_eq(&again, kept) && !is_new);
        }
        drop(kept);
        interner.prune();
        assert_eq!(interner.held.lock().table.len(), 0);
    }
}
