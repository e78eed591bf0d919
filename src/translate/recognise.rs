use std::sync::Arc;

use super::batch::{
    Batch, HistogramStep, List, Message, MetricStep, NumberStep, OtherStep, ResourceStep, ScopeStep, Step,
};
use super::memory::{LONGEST_KEY, Memory, MetricMemory, ScopeMemory};
use super::sequence::{Cursor, Sequence};
use crate::otlp::frame::{
    self, Data, DataFrame, MetricFrame, NumberFrame, PlainHistogram, PlainNumber, ResourceFrame, Run, ScopeFrame,
};
use crate::otlp::{self, Kind};
use crate::store::{Known, Store};

/// Goes through a request and gathers in `batch` what there is to do, recognising what `memory` holds. Reads no more of what it
/// recognises than the times and the values. `None` where the request is broken, or too long.
///
/// What it does not know it checks as [`otlp::decode`] does, so that a request that passes can be taken in to its end.
pub(super) fn recognise(batch: &mut Batch, memory: &Memory, store: &Store, request: &[u8]) -> Option<()> {
    u32::try_from(request.len()).ok()?;
    memory.bound(store);
    let mut recogniser = Recogniser {
        batch,
        memory,
        request,
        grown: 0,
    };
    for message in frame::resources(request) {
        let message = message?;
        let mark = recogniser.batch.mark();
        if recogniser.resource(message).is_none() {
            // It may be broken, or only be written as hardly anybody writes it.
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
}

impl<'a> Recogniser<'a> {
    fn resource(&mut self, message: &'a [u8]) -> Option<()> {
        let frame = ResourceFrame::of(message)?;
        let remembered = self
            .memory
            .resource(frame.resource, || otlp::read_resource(message).is_some())?;
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
        let frame = ScopeFrame::of(message)?;
        let length = (frame.scope.len() as u32).to_le_bytes();
        let key = [frame.scope, frame.schema_url, &length];
        let place = match scopes.find(cursor, &self.memory.hasher, &key) {
            Some(place) => place,
            None => {
                otlp::read_scope(message)?;
                self.grown += new_key(&key)?;
                scopes.insert(cursor, &self.memory.hasher, key.concat().into(), ScopeMemory::default())
            }
        };
        let scope = scopes.get_mut(place)?;
        self.batch.steps.push(Step::Scope(self.batch.scopes.len() as u32));
        self.batch.scopes.push(ScopeStep {
            message: Message::of(self.request, message),
            place,
            settled: scope.settled,
        });
        let mut cursor = scope.metrics.start();
        frame
            .metrics()
            .try_for_each(|metric| self.metric(metric?, &mut scope.metrics, &mut cursor))
    }

    fn metric(&mut self, message: &'a [u8], metrics: &mut Sequence<MetricMemory>, cursor: &mut Cursor) -> Option<()> {
        let frame = MetricFrame::of(message)?;
        let length = (frame.before.len() as u32).to_le_bytes();
        let key = [frame.before, frame.after, &[frame.field as u8], &length];
        let place = match metrics.find(cursor, &self.memory.hasher, &key) {
            Some(place) => place,
            None => {
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

    /// Whether what stands beside the points is what is known.
    fn points(
        &mut self,
        message: &'a [u8],
        place: u32,
        frame: &MetricFrame<'a>,
        metric: &mut MetricMemory,
    ) -> Option<bool> {
        self.batch.steps.push(Step::Metric(self.batch.metrics.len() as u32));
        let kind = metric.kind;
        self.batch.metrics.push(MetricStep {
            message: Message::of(self.request, message),
            place,
            kind,
            cell: metric.cell.clone(),
        });
        let mut other = &*metric.other;
        let mut cursor = metric.points.start();
        let mut data = frame.data();
        loop {
            if let Kind::Gauge | Kind::Sum { .. } = kind {
                self.plain_numbers(&mut data, &mut metric.points, &mut cursor);
            }
            let Some(part) = data.next() else {
                return Some(other.is_empty());
            };
            match part? {
                DataFrame::Point(point) => match kind {
                    Kind::Gauge | Kind::Sum { .. } => self.number(kind, point, &mut metric.points, &mut cursor)?,
                    Kind::Histogram(_) => self.histogram(kind, point, &mut metric.points, &mut cursor)?,
                    _ => {
                        let run = Run::of(kind, point, metric.points.expected(cursor))?;
                        self.any(kind, point, run, &mut metric.points, &mut cursor)?;
                    }
                },
                DataFrame::Other(field) => match other.strip_prefix(field) {
                    Some(rest) => other = rest,
                    None => return Some(false),
                },
            }
        }
    }

    /// Numbers as long as they are plain, and known.
    // A function of its own, so that what it goes through stays in registers.
    #[inline(never)]
    fn plain_numbers(&mut self, data: &mut Data<'a>, points: &mut Sequence<Known>, cursor: &mut Cursor) {
        let (mut ahead, mut at) = (*data, *cursor);
        let before = self.batch.numbers.len();
        let mut looked_up = 0;
        while let Some((point, rest)) = ahead.split_point()
            && let Some((number, attributes)) = PlainNumber::of(point)
            && number.has_sane_window()
        {
            // Bytes that are known are attributes, since they were when they came first.
            let known = match points.expected_item(at) {
                Some((expected, known, next)) if *expected == *attributes => {
                    at = next;
                    *known
                }
                _ => match self.look_up(attributes, points, &mut at) {
                    Some(known) => {
                        looked_up += 1;
                        known
                    }
                    None => break,
                },
            };
            let step = NumberStep::of(self.request, known, point, number);
            self.batch.numbers.push(step);
            ahead = rest;
        }
        (*data, *cursor) = (ahead, at);
        let taken = self.batch.numbers.len() - before;
        if taken > 0 {
            self.batch.pushed(List::Numbers, taken as u32);
            self.batch.recognised.expected += taken as u64 - looked_up;
            self.batch.recognised.looked_up += looked_up;
        }
    }

    /// A number that is not known, or not plain.
    fn number(&mut self, kind: Kind, point: &'a [u8], points: &mut Sequence<Known>, cursor: &mut Cursor) -> Option<()> {
        let frame = NumberFrame::of(point, points.expected(*cursor))?;
        let plain = frame.plain().filter(PlainNumber::has_sane_window);
        let Some(number) = plain else {
            return self.any(kind, point, frame.attributes, points, cursor);
        };
        match self.known(frame.attributes, points, cursor) {
            Ok(known) => self
                .batch
                .push_number(NumberStep::of(self.request, known, point, number)),
            Err(behind) => self.unknown(kind, point, behind)?,
        }
        Some(())
    }

    /// A histogram with explicit bounds.
    fn histogram(
        &mut self,
        kind: Kind,
        point: &'a [u8],
        points: &mut Sequence<Known>,
        cursor: &mut Cursor,
    ) -> Option<()> {
        let plain = PlainHistogram::of(point, points.expected(*cursor)).filter(PlainHistogram::has_sane_window);
        let Some(histogram) = plain else {
            let run = Run::of(kind, point, points.expected(*cursor))?;
            return self.any(kind, point, run, points, cursor);
        };
        match self.known(histogram.attributes, points, cursor) {
            Ok(known) => {
                let step = HistogramStep::of(self.request, known, point, &histogram);
                self.batch.push_histogram(step);
            }
            Err(behind) => self.unknown(kind, point, behind)?,
        }
        Some(())
    }

    /// A point of any kind, checked but for what is known of it.
    fn any(
        &mut self,
        kind: Kind,
        point: &'a [u8],
        attributes: Run<'a>,
        points: &mut Sequence<Known>,
        cursor: &mut Cursor,
    ) -> Option<()> {
        match self.known(attributes, points, cursor) {
            Ok(known) => {
                otlp::read_known_point(kind, point)?;
                let message = Message::of(self.request, point);
                self.batch.push_other(OtherStep { known, message });
            }
            Err(behind) => self.unknown(kind, point, behind)?,
        }
        Some(())
    }

    /// A point that is not known, checked.
    fn unknown(&mut self, kind: Kind, point: &'a [u8], behind: Cursor) -> Option<()> {
        otlp::read_point(kind, point)?;
        let message = Message::of(self.request, point);
        self.batch.steps.push(Step::Unknown { message, behind });
        Some(())
    }

    /// The series of a point with these attributes, or how far the cursor had come where there is none.
    #[inline]
    fn known(
        &mut self,
        attributes: Run<'_>,
        points: &mut Sequence<Known>,
        cursor: &mut Cursor,
    ) -> Result<Known, Cursor> {
        if attributes.is_expected
            && let Some((_, known, next)) = points.expected_item(*cursor)
        {
            *cursor = next;
            self.batch.recognised.expected += 1;
            return Ok(*known);
        }
        let behind = *cursor;
        match self.look_up(attributes.bytes, points, cursor) {
            Some(known) => {
                self.batch.recognised.looked_up += 1;
                Ok(known)
            }
            None => {
                self.batch.recognised.unknown += 1;
                cursor.lose();
                Err(behind)
            }
        }
    }
}

impl Recogniser<'_> {
    fn look_up(&self, attributes: &[u8], points: &mut Sequence<Known>, cursor: &mut Cursor) -> Option<Known> {
        let place = points.find(cursor, &self.memory.hasher, &[attributes])?;
        points.get_mut(place).copied()
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
