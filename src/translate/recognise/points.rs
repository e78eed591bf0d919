use super::Recogniser;
use crate::otlp::frame::{
    Data, DataFrame, MetricFrame, NumberFrame, PlainExponential, PlainHistogram, PlainNumber, Run,
};
use crate::otlp::{self, Kind};
use crate::store::Known;
use crate::translate::memory::MetricMemory;
use crate::translate::sequence::{Cursor, Sequence};
use crate::translate::steps::{ExponentialStep, HistogramStep, List, Message, MetricStep, NumberStep, OtherStep, Step};

impl<'a> Recogniser<'a> {
    /// Whether what stands beside the points is what is known.
    pub(super) fn points(
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
                    Kind::ExponentialHistogram(_) => self.exponential(kind, point, &mut metric.points, &mut cursor)?,
                    Kind::Summary => {
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
            && number.times.are_sane()
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
        let plain = frame.plain().filter(|number| number.times.are_sane());
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
        let plain = PlainHistogram::of(point, points.expected(*cursor)).filter(|histogram| histogram.times.are_sane());
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

    /// A histogram with exponential bounds.
    fn exponential(
        &mut self,
        kind: Kind,
        point: &'a [u8],
        points: &mut Sequence<Known>,
        cursor: &mut Cursor,
    ) -> Option<()> {
        let expected = points.expected(*cursor);
        let Some(plain) = PlainExponential::of(point, expected).filter(|plain| plain.times.are_sane()) else {
            let run = Run::of(kind, point, expected)?;
            return self.any(kind, point, run, points, cursor);
        };
        match self.known(plain.attributes, points, cursor) {
            Ok(known) => {
                let step = ExponentialStep::of(self.request, known, point, &plain);
                self.batch.push_exponential(step);
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
        self.met_new(1)?;
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

    /// The series of a point with these attributes, wherever it comes.
    fn look_up(&self, attributes: &[u8], points: &mut Sequence<Known>, cursor: &mut Cursor) -> Option<Known> {
        let place = points.find(cursor, &self.memory.hasher, &[attributes])?;
        points.get_mut(place).copied()
    }
}
