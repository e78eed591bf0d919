use std::sync::Arc;

use super::Translator;
use super::exemplar;
use super::steps::{ExponentialStep, HistogramStep, Message, NumberStep, OtherStep};
use super::window::Window;
use crate::model::{MetricType, Refused, Sample};
use crate::otlp::frame::Times;
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
    is_counter: bool,
    source: &'a Arc<Source>,
    writer: Writer<'a>,
    accepted: u64,
    ignored: u64,
}

/// A point of a series that is known.
pub(super) trait KnownStep {
    fn message(&self) -> Message;

    /// Takes it; whether it did.
    fn take(&self, run: &mut KnownRun<'_, '_>, request: &[u8]) -> bool;
}

impl KnownStep for NumberStep {
    fn message(&self) -> Message {
        self.message
    }

    #[inline]
    fn take(&self, run: &mut KnownRun<'_, '_>, _: &[u8]) -> bool {
        if run.is_counter && !self.number.is_count() {
            return false;
        }
        let Times {
            start_unix_nano,
            time_unix_nano: time,
        } = self.times;
        let start = if run.has_start { start_unix_nano } else { 0 };
        if !run.is_delta && run.writer.set_number(self.known, start, time, self.number) {
            run.accepted += 1;
            return true;
        }
        let point = report(run.source, run.is_delta, start, time);
        let applied = run.writer.update(self.known, &point, Sample::Number(self.number));
        run.note(applied).is_some()
    }
}

impl KnownStep for HistogramStep {
    fn message(&self) -> Message {
        self.message
    }

    fn take(&self, run: &mut KnownRun<'_, '_>, request: &[u8]) -> bool {
        let (counts, _) = self.counts.in_(request).as_chunks();
        let (bounds, _) = self.bounds.in_(request).as_chunks();
        let counts = counts.iter().map(|count| u64::from_le_bytes(*count));
        let bounds = bounds.iter().map(|bound| f64::from_le_bytes(*bound));
        let Times {
            start_unix_nano: start,
            time_unix_nano: time,
        } = self.times;
        if !run.is_delta
            && run.writer.set_histogram(self.known, start, time, |held| {
                held.replace(bounds.clone(), counts.clone(), self.count, self.sum)
            })
        {
            run.accepted += 1;
            return true;
        }
        let scratch = &mut run.translator.scratch;
        let translated = scratch.histogram(self.count, self.sum, |to_bounds, to_counts| {
            to_bounds.extend(bounds);
            to_counts.extend(counts);
        });
        let Some(translated) = translated.ok().filter(|translated| !translated.count_mismatch) else {
            return false;
        };
        let point = report(run.source, run.is_delta, start, time);
        let applied = run.writer.update(self.known, &point, translated.sample);
        run.note(applied).is_some()
    }
}

impl KnownStep for ExponentialStep {
    fn message(&self) -> Message {
        self.message
    }

    fn take(&self, run: &mut KnownRun<'_, '_>, request: &[u8]) -> bool {
        let Translator { rules, scratch, .. } = &mut *run.translator;
        let Ok(sample) = scratch.exponential(&self.histogram(request), rules.missing_sum) else {
            return false;
        };
        let point = report(
            run.source,
            run.is_delta,
            self.times.start_unix_nano,
            self.times.time_unix_nano,
        );
        let applied = run.writer.update(self.known, &point, sample);
        run.note(applied).is_some()
    }
}

impl KnownStep for OtherStep {
    fn message(&self) -> Message {
        self.message
    }

    fn take(&self, run: &mut KnownRun<'_, '_>, request: &[u8]) -> bool {
        otlp::read_point_again(run.kind, self.message.in_(request))
            .is_some_and(|point| run.any(self.known, &point).is_some())
    }
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
            is_counter: metric_type == MetricType::Counter,
            source,
            writer,
            accepted: 0,
            ignored: 0,
        }
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
