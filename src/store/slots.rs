use std::hash::BuildHasher;
use std::sync::atomic::Ordering;

use super::cell::State;
use super::expiry::Lifetime;
use super::series::{Applied, Point, Series};
use super::streams::Streams;
use super::windows::Windows;
use super::writer::Tally;
use super::{FamilyCell, Moment, Store};
use crate::model::{Labels, Refused, Sample, is_metric_name};

/// A series in the index of its family. The hash stands beside the slot, so that growing need not look at the series.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) hash: Hash,
    pub(super) slot: u32,
}

/// The lower half of what a hasher gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(u32);

impl Hash {
    /// A table takes the place from the lowest bits and a tag from the highest.
    pub(super) fn in_table(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }
}

impl FamilyCell {
    pub(super) fn insert(
        &self,
        store: &Store,
        state: &mut State,
        hash: Hash,
        point: &Point<'_>,
        sample: Sample<'_>,
        tally: &mut Tally<'_>,
    ) -> Result<(Applied, u32), Refused> {
        let now = tally.now;
        self.admit(store, state, point.source)?;
        let window = point.window();
        let mut series = Series {
            labels: store.weaver.weave(point.source, point.labels, point.shared),
            value: sample.into(),
            start_unix_nano: window.start(),
            time_unix_nano: point.time_unix_nano,
            deadline: now,
            lifetime: Lifetime::default(),
            birth: store.births.fetch_add(1, Ordering::Relaxed),
            stream: point.stream,
            windows: point.is_added(&sample).then(|| Box::new(Windows::begin(window))),
            exemplars: None,
            hidden: false,
            left_out: false,
        };
        series.value.share_bounds(&mut state.bounds);
        series.lifetime = self.lifetime(store, &series);
        if self.keeps_exemplars() {
            series.keep_exemplars(point.exemplars);
        }
        if !Labels::is_legal_text(point.labels) {
            self.are_legal.store(false, Ordering::Relaxed);
        }
        self.count_exponential(false, series.value.is_exponential());
        series.renew(tally);
        let slot = match state.free.pop() {
            Some(slot) => {
                state.slots[slot as usize] = Some(series);
                slot
            }
            None => {
                if state.slots.len() == state.slots.capacity() {
                    // By a quarter, since there may be a million of them.
                    state.slots.reserve_exact(state.slots.len() / 4 + 4);
                }
                state.slots.push(Some(series));
                (state.slots.len() - 1) as u32
            }
        };
        state
            .index
            .insert_unique(hash.in_table(), Indexed { hash, slot }, |other| other.hash.in_table());
        let applied = Applied {
            collided: self.by_stream && self.join(state, slot, point.labels, now),
            ..Applied::default()
        };
        Ok((applied, slot))
    }

    /// Puts a new stream beside those with its labels; whether it meets one that is held.
    fn join(&self, state: &mut State, slot: u32, labels: &str, now: Moment) -> bool {
        let slots = &state.slots;
        let lives = |series: &Series| now <= series.deadline;
        let meets = state.streams.join(
            slot,
            |slot| self.hasher.hash_one(labels_of(slots, slot)),
            |other| {
                slots[other as usize]
                    .as_ref()
                    .is_some_and(|series| series.labels.are(labels))
            },
            |other| slots[other as usize].as_ref().is_some_and(lives),
        );
        self.labels_repeat
            .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        meets
    }

    pub(super) fn remove(&self, store: &Store, state: &mut State, slot: u32) {
        let Some(series) = state.slots[slot as usize].take() else {
            return;
        };
        let labels = series.labels.text();
        let hash = self.hash(&labels, series.stream).in_table();
        if let Ok(entry) = state.index.find_entry(hash, |other| other.slot == slot) {
            entry.remove();
        }
        state.free.push(slot);
        if self.by_stream {
            state.streams.leave(slot, self.hasher.hash_one(labels.as_str()));
            self.labels_repeat
                .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        }
        self.count_exponential(series.value.is_exponential(), false);
        series.leave(store);
        store.weaver.note_dropped();
        if state.index.is_empty() {
            // The memory of a family that was large once goes with its last series.
            (state.slots, state.free, state.index) = Default::default();
            (state.streams, state.bounds, state.latest) = (Streams::default(), None, Moment(0));
            self.are_legal.store(is_metric_name(self.name()), Ordering::Relaxed);
        }
    }

    pub(super) fn hash(&self, labels: &str, stream: u64) -> Hash {
        Hash(if self.by_stream {
            self.hasher.hash_one((labels, stream)) as u32
        } else {
            self.hasher.hash_one(labels) as u32
        })
    }
}

fn labels_of(slots: &[Option<Series>], slot: u32) -> String {
    let series = slots[slot as usize].as_ref();
    series.map_or_else(String::new, |series| series.labels.text())
}
