use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cell::State;
use super::expiry::Lifetime;
use super::series::{Applied, Point, Series};
use super::streams::Streams;
use super::windows::Windows;
use super::writer::Tally;
use super::{FamilyCell, Moment, Store};
use crate::model::{Labels, Refused, Sample, is_metric_name};

impl FamilyCell {
    pub(super) fn insert(
        &self,
        store: &Store,
        state: &mut State,
        hash: u64,
        point: &Point<'_>,
        sample: Sample<'_>,
        tally: &mut Tally,
    ) -> Result<(Applied, u32), Refused> {
        let now = tally.now;
        self.admit(store, state, point.source)?;
        let window = point.window();
        let mut series = Series {
            labels: Labels::from_text(point.labels),
            source: Arc::clone(point.source),
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
        series.lifetime = self.lifetime(store, &series);
        if self.keeps_exemplars() {
            series.keep_exemplars(point.exemplars);
        }
        if !series.labels.are_legal() {
            self.are_legal.store(false, Ordering::Relaxed);
        }
        self.count_exponential(false, series.value.is_exponential());
        self.renew(&mut series, &mut state.latest, point, tally);
        let slot = match state.free.pop() {
            Some(slot) => {
                state.slots[slot as usize] = Some(series);
                slot
            }
            None => {
                state.slots.push(Some(series));
                (state.slots.len() - 1) as u32
            }
        };
        let slots = &state.slots;
        state.index.insert_unique(hash, slot, |&slot| self.hash_of(slots, slot));
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
            |other| labels_of(slots, other) == labels,
            |other| slots[other as usize].as_ref().is_some_and(lives),
        );
        self.labels_repeat
            .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        meets
    }

    pub(super) fn remove(&self, store: &Store, state: &mut State, slot: u32) {
        let hash = self.hash_of(&state.slots, slot);
        let Some(series) = state.slots[slot as usize].take() else {
            return;
        };
        if let Ok(entry) = state.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        state.free.push(slot);
        if self.by_stream {
            let hash = self.hasher.hash_one(series.labels.as_str());
            state.streams.leave(slot, hash);
            self.labels_repeat
                .store(state.streams.repeat(state.index.len()), Ordering::Relaxed);
        }
        self.count_exponential(series.value.is_exponential(), false);
        series.leave(store);
        if state.index.is_empty() {
            // The memory of a family that was large once goes with its last series.
            (state.slots, state.free, state.index) = Default::default();
            (state.streams, state.latest) = (Streams::default(), Moment(0));
            self.are_legal.store(is_metric_name(self.name()), Ordering::Relaxed);
        }
    }

    pub(super) fn hash(&self, labels: &str, stream: u64) -> u64 {
        if self.by_stream {
            self.hasher.hash_one((labels, stream))
        } else {
            self.hasher.hash_one(labels)
        }
    }

    fn hash_of(&self, slots: &[Option<Series>], slot: u32) -> u64 {
        slots[slot as usize]
            .as_ref()
            .map_or(0, |series| self.hash(series.labels.as_str(), series.stream))
    }
}

fn labels_of(slots: &[Option<Series>], slot: u32) -> &str {
    slots[slot as usize]
        .as_ref()
        .map_or("", |series| series.labels.as_str())
}
