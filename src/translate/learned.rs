use std::sync::{Arc, Weak};

use super::batch::Batch;
use super::memory::{Memory, ResourceMemory};
use super::sequence::Cursor;
use super::steps::Message;
use crate::otlp::frame::Run;
use crate::store::{FamilyCell, Known, Source};

/// What a request has taught, in its order. Resources, scopes and metrics by their number in the batch.
#[derive(Default)]
pub(super) struct Learned {
    /// There is nothing to say about these resources; the version of their source's description.
    pub(super) resources: Vec<(usize, Weak<Source>, u64)>,
    /// There is nothing to say about these scopes, of those resources.
    pub(super) scopes: Vec<(usize, usize)>,
    pub(super) points: Vec<LearnedPoint>,
}

/// Where the series of a point is held.
pub(super) struct LearnedPoint {
    pub(super) resource: usize,
    pub(super) scope: usize,
    pub(super) metric: usize,
    pub(super) cell: Arc<FamilyCell>,
    pub(super) message: Message,
    /// Where it came in the sequence of its metric; lost where it was there, but the series was another one.
    pub(super) behind: Cursor,
    pub(super) known: Known,
}

/// Longer attributes are not remembered.
const LONGEST_RUN: usize = 4 << 10;
/// What is around the attributes of a point, in bytes, about.
const SIZE_OF_POINT: usize = 64;

impl Learned {
    pub(super) fn remember(&self, memory: &Memory, batch: &Batch, request: &[u8]) {
        for (number, source, version) in &self.resources {
            Self::in_resource(batch, *number, |state| {
                state.settled = Some((Weak::clone(source), *version));
            });
        }
        for (resource, scope) in &self.scopes {
            Self::in_resource(batch, *resource, |state| {
                let place = batch.scopes.get(*scope).map(|step| step.place);
                if let Some(scope) = place.and_then(|place| state.scopes.get_mut(place)) {
                    scope.settled = true;
                }
            });
        }
        for points in self.points.chunk_by(|a, b| a.metric == b.metric) {
            let Some(first) = points.first() else { continue };
            Self::in_resource(batch, first.resource, |state| {
                let grown = remember_points(memory, batch, request, state, points).unwrap_or(0);
                state.grow(grown);
            });
        }
    }

    /// Calls `f` with what is known of a resource, unless all has been forgotten in the meantime.
    fn in_resource(batch: &Batch, number: usize, f: impl FnOnce(&mut ResourceMemory)) {
        if let Some(step) = batch.resources.get(number) {
            let state = &mut *step.memory.state.lock();
            if state.generation == step.generation {
                f(state);
            }
        }
    }
}

/// Remembers points of one metric; how much that takes.
fn remember_points(
    memory: &Memory,
    batch: &Batch,
    request: &[u8],
    state: &mut ResourceMemory,
    points: &[LearnedPoint],
) -> Option<usize> {
    let first = points.first()?;
    let (scope, step) = (batch.scopes.get(first.scope)?, batch.metrics.get(first.metric)?);
    let metric = state.scopes.get_mut(scope.place)?.metrics.get_mut(step.place)?;
    if metric.kind != step.kind {
        return None;
    }
    metric.cell = Some(Arc::clone(&first.cell));
    let mut size = 0;
    let mut cursor = Cursor::lost();
    metric
        .points
        .reserve(if metric.points.is_empty() { points.len() } else { 0 });
    for point in points.iter().filter(|point| Arc::ptr_eq(&point.cell, &first.cell)) {
        let run = Run::of(step.kind, point.message.in_(request), &[])?;
        if point.behind.is_found() {
            cursor = point.behind;
        }
        if run.bytes.len() > LONGEST_RUN {
            cursor.lose();
            continue;
        }
        match metric.points.find(&mut cursor, &memory.hasher, &[run.bytes]) {
            Some(place) => *metric.points.get_mut(place)? = point.known,
            None => {
                let (key, is_new) = memory.shared(run.bytes);
                size += SIZE_OF_POINT + if is_new { key.len() } else { 0 };
                metric.points.insert(&mut cursor, &memory.hasher, key, point.known);
            }
        }
    }
    Some(size)
}
