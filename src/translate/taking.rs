use std::sync::Arc;

use super::Translator;
use super::batch::Batch;
use super::known_run::{KnownRun, KnownStep};
use super::learned::{Learned, LearnedPoint};
use super::memory::Memory;
use super::sequence::Cursor;
use super::steps::{ExponentialStep, HistogramStep, List, Message, NumberStep, OtherStep, Step};
use crate::otlp::{self, Sink};
use crate::store::{Moment, Source};

/// Does what [`super::recognise`] has gathered. What is known goes straight to where its series is held; for the rest the resource,
/// the scope and the metric are entered as in the plain way, and what becomes of it is learned for next time.
pub(super) struct Taking<'a, 's> {
    translator: &'a mut Translator<'s>,
    memory: &'a Memory,
    batch: &'a Batch,
    request: &'a [u8],
    now: Moment,
    resource: Option<usize>,
    scope: Option<usize>,
    metric: Option<usize>,
    // What is next of the points that are known.
    numbers: Ahead<'a, NumberStep>,
    histograms: Ahead<'a, HistogramStep>,
    exponentials: Ahead<'a, ExponentialStep>,
    others: Ahead<'a, OtherStep>,
    /// Which of the three the translator has been told of.
    entered: Entered,
    /// Who sends, where the resource need not be entered.
    source: Option<Arc<Source>>,
    learned: Learned,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Entered {
    Nothing,
    Resource,
    Scope,
    Metric,
}

/// So many points at most are taken under one lock of a family.
const UNDER_ONE_LOCK: usize = 256;

impl<'a, 's> Taking<'a, 's> {
    pub(super) fn new(
        translator: &'a mut Translator<'s>,
        memory: &'a Memory,
        batch: &'a Batch,
        request: &'a [u8],
    ) -> Self {
        Self {
            now: translator.store.moment(translator.now),
            translator,
            memory,
            batch,
            request,
            resource: None,
            scope: None,
            metric: None,
            numbers: Ahead(&batch.numbers),
            histograms: Ahead(&batch.histograms),
            exponentials: Ahead(&batch.exponentials),
            others: Ahead(&batch.others),
            entered: Entered::Nothing,
            source: None,
            learned: Learned::default(),
        }
    }

    pub(super) fn take_all(mut self) {
        for step in &self.batch.steps {
            match *step {
                Step::Plain(message) => {
                    self.leave_to(Entered::Nothing);
                    self.leave_source();
                    otlp::walk_resource_metrics(message.in_(self.request), self.translator);
                }
                Step::Resource(number) => self.resource(number as usize),
                Step::Scope(number) => self.scope(number as usize),
                Step::Metric(number) => {
                    self.leave_to(Entered::Scope);
                    self.metric = Some(number as usize);
                }
                Step::Unknown { message, behind } => self.unknown(message, behind),
                Step::Known(List::Numbers, count) => {
                    let steps = self.numbers.take(count);
                    self.known(steps);
                }
                Step::Known(List::Histograms, count) => {
                    let steps = self.histograms.take(count);
                    self.known(steps);
                }
                Step::Known(List::Exponentials, count) => {
                    let steps = self.exponentials.take(count);
                    self.known(steps);
                }
                Step::Known(List::Others, count) => {
                    let steps = self.others.take(count);
                    self.known(steps);
                }
            }
        }
        self.leave_source();
        self.learned.remember(self.memory, self.batch, self.request);
    }

    /// Who sends next is somebody else. All that the source had may have gone.
    fn leave_source(&mut self) {
        if let Some(source) = self.source.take() {
            self.translator.store.leave(source);
        }
    }

    fn resource(&mut self, number: usize) {
        self.leave_to(Entered::Nothing);
        self.leave_source();
        self.resource = Some(number);
        let settled = self.batch.resources.get(number).and_then(|step| step.settled.as_ref());
        self.source = settled.and_then(|(source, version)| {
            // Somebody else may have described it in the meantime.
            source.upgrade().filter(|source| source.version() == *version)
        });
        if self.source.is_none() {
            self.enter(Entered::Resource);
        }
    }

    fn scope(&mut self, number: usize) {
        self.leave_to(Entered::Resource);
        self.scope = Some(number);
        if !self.batch.scopes.get(number).is_some_and(|scope| scope.settled) {
            self.enter(Entered::Scope);
        }
    }

    fn leave_to(&mut self, level: Entered) {
        if self.entered > level {
            self.entered = level;
        }
    }

    /// Tells the translator of what surrounds the next point.
    fn enter(&mut self, level: Entered) {
        if self.entered < Entered::Resource
            && level >= Entered::Resource
            && let Some((number, step)) = numbered(&self.batch.resources, self.resource)
        {
            self.entered = Entered::Resource;
            if let Some(resource) = otlp::read_resource(step.message.in_(self.request)) {
                let notes = self.translator.outcome.notes();
                self.translator.resource(&resource);
                if self.translator.series_labels.is_ok()
                    && notes == self.translator.outcome.notes()
                    && let Some(source) = &self.translator.source
                {
                    let settled = (number, Arc::downgrade(source), self.translator.described);
                    self.learned.resources.push(settled);
                }
            }
            // Not before it has been entered: it may be one that has no series just now.
            self.leave_source();
        }
        if self.entered < Entered::Scope
            && level >= Entered::Scope
            && let Some((number, step)) = numbered(&self.batch.scopes, self.scope)
        {
            self.entered = Entered::Scope;
            if let Some(scope) = otlp::read_scope(step.message.in_(self.request)) {
                let notes = self.translator.outcome.notes();
                self.translator.scope(&scope);
                if self.translator.scope.refused.is_none()
                    && notes == self.translator.outcome.notes()
                    && let Some(resource) = self.resource
                {
                    self.learned.scopes.push((resource, number));
                }
            }
        }
        if self.entered < Entered::Metric
            && level >= Entered::Metric
            && let Some((_, step)) = numbered(&self.batch.metrics, self.metric)
        {
            self.entered = Entered::Metric;
            if let Some(metric) = otlp::read_metric(step.message.in_(self.request)) {
                self.translator.metric(&metric);
            }
        }
    }

    /// Takes a point in the plain way, and learns where its series is.
    fn unknown(&mut self, message: Message, behind: Cursor) {
        self.enter(Entered::Metric);
        let Some((number, step)) = numbered(&self.batch.metrics, self.metric) else {
            return;
        };
        let Some(point) = otlp::read_point_again(step.kind, message.in_(self.request)) else {
            return;
        };
        if let Some((cell, known)) = self.translator.take_and_know(&point)
            && let (Some(resource), Some(scope)) = (self.resource, self.scope)
        {
            self.learned.points.push(LearnedPoint {
                resource,
                scope,
                metric: number,
                cell,
                message,
                behind,
                known,
            });
        }
    }

    /// Takes points that are known, and those that turn out not to be any more in the plain way.
    fn known<S: KnownStep>(&mut self, mut steps: &[S]) {
        while !steps.is_empty() {
            let run = steps.get(..UNDER_ONE_LOCK).unwrap_or(steps);
            let taken = self.take_run(run);
            steps = steps.get(taken..).unwrap_or_default();
            if taken < run.len()
                && let Some((step, behind)) = steps.split_first()
            {
                self.unknown(step.message(), Cursor::lost());
                steps = behind;
            }
        }
    }

    /// Takes points under the lock of their family, as long as they turn out to be known; how many it took.
    fn take_run<S: KnownStep>(&mut self, steps: &[S]) -> usize {
        let Some((_, metric)) = numbered(&self.batch.metrics, self.metric) else {
            return 0;
        };
        let Self { translator, source, .. } = self;
        let entered;
        let source = match source {
            Some(source) => source,
            None => {
                entered = translator.source.clone();
                match &entered {
                    Some(source) => source,
                    None => return 0,
                }
            }
        };
        let Some(cell) = &metric.cell else { return 0 };
        let Some(writer) = cell.writer(translator.store, source, self.now) else {
            return 0;
        };
        let mut run = KnownRun::new(translator, metric.kind, cell.metric_type(), source, writer);
        let taken = steps
            .iter()
            .take_while(|step| step.take(&mut run, self.request))
            .count();
        run.finish();
        taken
    }
}

/// What is left of a list.
struct Ahead<'a, S>(&'a [S]);

impl<'a, S> Ahead<'a, S> {
    /// The next so many.
    fn take(&mut self, count: u32) -> &'a [S] {
        let (next, rest) = self.0.split_at_checked(count as usize).unwrap_or((self.0, &[]));
        self.0 = rest;
        next
    }
}

/// The item of that number, and the number.
fn numbered<T>(items: &[T], number: Option<usize>) -> Option<(usize, &T)> {
    let number = number?;
    items.get(number).map(|item| (number, item))
}
