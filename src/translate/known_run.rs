use std::sync::Arc;

use super::Translator;
use super::batch::{NumberStep, Step};
use super::exemplar;
use super::window::Window;
use crate::model::{MetricType, Refused, Sample};
use crate::otlp::{self, Kind, Point};
use crate::store::{self, Applied, Change, Known, Source, Writer};

/// Points of one metric whose series are known, taken under one lock of their family.
///
/// Whatever there would be to say about a point - that it is refused, or advice - is left to the plain way: then the point is not
/// taken, and nothing is changed.
pub(super) struct KnownRun<'a, 's> {
    translator: &'a mut Translator<'s>,
    kind: Kind,
    metric_type: MetricType,
    has_start: bool,
    is_delta: bool,
    source: &'a Arc<Source>,
    writer: Writer<'a>,
    accepted: u64,
    ignored: u64,
}

impl<'a, 's> KnownRun<'a, 's> {
    pub(super) fn new(
        translator: &'a mut Translator<'s>,
        kind: Kind,
        metric_type: MetricType,
        source: &'a Arc<Source>,
        writer: Writer<'a>,
    ) -> Self {
        Self {
            translator,
            kind,
            metric_type,
            has_start: Window::has_start(kind),
            is_delta: kind.is_delta(),
            source,
            writer,
            accepted: 0,
            ignored: 0,
        }
    }

    /// Takes a point that is more than a number; whether it did.
    pub(super) fn point(&mut self, step: &Step, request: &[u8]) -> bool {
        let Step::Point { known, message } = *step else {
            return false;
        };
        otlp::read_point_again(self.kind, message.in_(request)).is_some_and(|point| self.any(known, &point).is_some())
    }

    /// Takes a number; whether it did.
    #[inline]
    pub(super) fn number(&mut self, step: &NumberStep) -> bool {
        let NumberStep { known, number, .. } = *step;
        if self.metric_type == MetricType::Counter && !number.is_count() {
            return false;
        }
        let start = if self.has_start { step.start_unix_nano } else { 0 };
        if !self.is_delta
            && let Some(is_newer) = self.writer.set_number(known, start, step.time_unix_nano, number)
        {
            self.accepted += 1;
            self.ignored += u64::from(!is_newer);
            return true;
        }
        let point = report(self.source, self.is_delta, start, step.time_unix_nano);
        let applied = self.writer.update(known, &point, Sample::Number(number));
        self.note(applied).is_some()
    }

    pub(super) fn finish(self) {
        self.translator.outcome.accept(self.kind, self.accepted);
        self.translator.outcome.ignored += self.ignored;
    }

    fn any(&mut self, known: Known, point: &Point<'_>) -> Option<()> {
        let (kind, metric_type) = (self.kind, self.metric_type);
        let Translator {
            rules,
            arrival_unix_nano,
            scratch,
            exemplars,
            exemplar_labels,
            ..
        } = &mut *self.translator;
        let window = Window::of(kind, point, rules, *arrival_unix_nano).ok()?;
        if point.no_recorded_value || window.starts_after_end {
            return None;
        }
        let translated = scratch.sample(metric_type, point, rules.missing_sum).ok()?;
        if translated.count_mismatch {
            return None;
        }
        exemplars.clear();
        exemplar::read(metric_type, &point.exemplars, exemplar_labels, exemplars);
        let report = store::Point {
            exemplars,
            ..report(self.source, self.is_delta, window.start, window.end)
        };
        let applied = self.writer.update(known, &report, translated.sample);
        self.note(applied)
    }

    #[inline]
    fn note(&mut self, applied: Option<Result<Applied, Refused>>) -> Option<()> {
        let outcome = &mut self.translator.outcome;
        match applied? {
            Ok(applied) => {
                self.accepted += 1;
                self.ignored += u64::from(applied.ignored);
                outcome.gaps += u64::from(applied.gap);
            }
            Err(refused) => outcome.refuse(&refused),
        }
        Some(())
    }
}

/// A point as the writer wants it: neither its labels nor its stream, by which it need not be found.
#[inline]
fn report(source: &Arc<Source>, is_delta: bool, start_unix_nano: u64, time_unix_nano: u64) -> store::Point<'_> {
    store::Point {
        source,
        labels: "",
        shared: &[],
        change: Change::Stale,
        is_delta,
        start_unix_nano,
        time_unix_nano,
        exemplars: &[],
        stream: 0,
    }
}
