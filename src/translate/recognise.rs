mod points;

use std::sync::Arc;

use super::batch::Batch;
use super::memory::{LONGEST_KEY, Memory, MetricMemory, ScopeMemory};
use super::sequence::{Cursor, Sequence};
use super::steps::{Message, ResourceStep, ScopeStep, Step};
use crate::otlp;
use crate::otlp::frame::{self, DataFrame, MetricFrame, ResourceFrame, ScopeFrame, ScopePart};
use crate::store::Store;

/// Goes through a request and gathers in `batch` what there is to do, recognising what `memory` holds. Reads no more of what it
/// recognises than the times and the values. `None` where the request is broken, or too long, and as soon as more than `most_new`
/// things are new.
///
/// What it does not know it checks as [`otlp::decode`] does, so that a request that passes can be taken in to its end.
pub(super) fn recognise(
    batch: &mut Batch,
    memory: &Memory,
    store: &Store,
    request: &[u8],
    most_new: Option<u32>,
) -> Option<()> {
    u32::try_from(request.len()).ok()?;
    memory.bound(store);
    let mut recogniser = Recogniser {
        batch,
        memory,
        request,
        grown: 0,
        may_be_new: most_new,
    };
    for message in frame::resources(request) {
        let message = message?;
        let mark = recogniser.batch.mark();
        if recogniser.resource(message).is_none() {
            // It may be broken, or only be written as hardly anybody writes it; none of that is known.
            recogniser.met_new(u32::MAX)?;
            otlp::check_resource_metrics(message)?;
            recogniser.batch.cut_back(mark);
            recogniser.batch.steps.push(Step::Plain(Message::of(request, message)));
        }
    }
    Some(())
}

struct Recogniser<'a> {
    batch: &'a mut Batch,
    memory: &'a Memory,
    request: &'a [u8],
    /// How much more is remembered of the resource than before, in bytes.
    grown: usize,
    /// So many more things may be new, if that is bounded.
    may_be_new: Option<u32>,
}

impl<'a> Recogniser<'a> {
    /// So many things are new; `None` where those are too many.
    fn met_new(&mut self, things: u32) -> Option<()> {
        if let Some(left) = &mut self.may_be_new {
            *left = left.checked_sub(things)?;
        }
        Some(())
    }

    fn resource(&mut self, message: &'a [u8]) -> Option<()> {
        let frame = ResourceFrame::of(message)?;
        let remembered = self.memory.resource(frame.resource, || {
            self.met_new(1).is_some() && otlp::read_resource(message).is_some()
        })?;
        let state = &mut *remembered.state.lock();
        self.batch.steps.push(Step::Resource(self.batch.resources.len() as u32));
        self.batch.resources.push(ResourceStep {
            message: Message::of(self.request, message),
            memory: Arc::clone(&remembered),
            generation: state.generation,
            settled: state.settled.clone(),
        });
        let mut cursor = state.scopes.start();
        let taken = frame
            .scopes()
            .try_for_each(|scope| self.scope(scope?, &mut state.scopes, &mut cursor));
        match std::mem::take(&mut self.grown) {
            0 => {}
            grown => state.grow(grown),
        }
        taken
    }

    fn scope(&mut self, message: &'a [u8], scopes: &mut Sequence<ScopeMemory>, cursor: &mut Cursor) -> Option<()> {
        let (mark, before) = (self.batch.mark(), *cursor);
        if self.expected_scope(message, scopes, cursor)? {
            return Some(());
        }
        self.batch.cut_back(mark);
        *cursor = before;
        let frame = ScopeFrame::of(message)?;
        let length = (frame.scope.len() as u32).to_le_bytes();
        let key = [frame.scope, frame.schema_url, &length];
        let place = match scopes.find(cursor, &self.memory.hasher, &key) {
            Some(place) => place,
            None => {
                self.met_new(1)?;
                otlp::read_scope(message)?;
                self.grown += new_key(&key)?;
                scopes.insert(cursor, &self.memory.hasher, key.concat().into(), ScopeMemory::default())
            }
        };
        self.metrics(message, place, scopes.get_mut(place)?, |_| true)?;
        Some(())
    }

    /// Takes a scope for the one that is expected once its name says so, as long as nothing of it says otherwise; whether nothing did.
    /// Its schema may stand behind its metrics, and to go there first and come back costs more than it should where they fit no cache.
    fn expected_scope(
        &mut self,
        message: &'a [u8],
        scopes: &mut Sequence<ScopeMemory>,
        cursor: &mut Cursor,
    ) -> Option<bool> {
        let Some((place, key, memory)) = scopes.follow(cursor) else {
            return Some(false);
        };
        let (key, length) = key.split_last_chunk()?;
        let (expected, expected_url) = key.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (mut scope, mut url) = (None, None);
        let is_it = |part| match part {
            ScopePart::Scope(bytes) => scope.replace(bytes).is_none() && bytes == expected,
            ScopePart::SchemaUrl(bytes) => url.replace(bytes).is_none() && bytes == expected_url,
            ScopePart::Metric(_) => scope.is_some(),
            ScopePart::Other => true,
        };
        let was_it = self.metrics(message, place, memory, is_it)?;
        Some(was_it && scope.unwrap_or_default() == expected && url.unwrap_or_default() == expected_url)
    }

    /// The metrics of a scope, as long as `is_it`; whether it was to the end.
    fn metrics(
        &mut self,
        message: &'a [u8],
        place: u32,
        memory: &mut ScopeMemory,
        mut is_it: impl FnMut(ScopePart<'a>) -> bool,
    ) -> Option<bool> {
        self.batch.steps.push(Step::Scope(self.batch.scopes.len() as u32));
        self.batch.scopes.push(ScopeStep {
            message: Message::of(self.request, message),
            place,
            settled: memory.settled,
        });
        let mut cursor = memory.metrics.start();
        for part in ScopePart::all(message) {
            let part = part?;
            if !is_it(part) {
                return Some(false);
            }
            if let ScopePart::Metric(metric) = part {
                self.metric(metric, &mut memory.metrics, &mut cursor)?;
            }
        }
        Some(true)
    }

    fn metric(&mut self, message: &'a [u8], metrics: &mut Sequence<MetricMemory>, cursor: &mut Cursor) -> Option<()> {
        let frame = MetricFrame::of(message)?;
        let length = (frame.before.len() as u32).to_le_bytes();
        let key = [frame.before, frame.after, &[frame.field as u8], &length];
        let place = match metrics.find(cursor, &self.memory.hasher, &key) {
            Some(place) => place,
            None => {
                self.met_new(1)?;
                self.grown += new_key(&key)?;
                let new = MetricMemory::of(message, &frame)?;
                let (key, _) = self.memory.shared(&key.concat());
                metrics.insert(cursor, &self.memory.hasher, key, new)
            }
        };
        let metric = metrics.get_mut(place)?;
        let mark = self.batch.mark();
        if !self.points(message, place, &frame, metric)? {
            // The temporality is another one now, for example.
            self.batch.cut_back(mark);
            *metric = MetricMemory::of(message, &frame)?;
            self.points(message, place, &frame, metric)?;
        }
        Some(())
    }
}

impl MetricMemory {
    /// A metric that has not been seen before; `None` where it is broken.
    fn of(message: &[u8], frame: &MetricFrame<'_>) -> Option<Self> {
        let metric = otlp::read_metric(message)?;
        let mut other = Vec::new();
        for part in frame.data() {
            if let DataFrame::Other(field) = part? {
                other.extend_from_slice(field);
            }
        }
        (other.len() <= LONGEST_KEY).then(|| Self {
            kind: metric.kind,
            other: other.into(),
            cell: None,
            points: Sequence::default(),
        })
    }
}

/// What a new key takes of memory; `None` where it is too long.
fn new_key(pieces: &[&[u8]]) -> Option<usize> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    // What is around it, about.
    (length <= LONGEST_KEY).then_some(length + 256)
}
