//! One scrape, in pieces: the service's own families and what the store holds, in one order, each name in one block.
//!
//! Which families there are, under which names, and which of them do not fit beside others is planned first (`plan`).
//! Most are then written as they are read, batch after batch; those of which the whole has to be known before the first line
//! is written are collected first (`collected`).

mod collected;
mod message;
mod plan;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use crate::exposition::{FamilyWriter, Format, Gathered};
use crate::model::{Labels, MetricType, Series};
use crate::store::{FamilyCell, Position, Shown, Source, Store};
use message::Message;
use plan::{Body, Group};

/// The name of the family that describes resources (conformance R-05).
const TARGET_INFO: &str = "target_info";

/// What a scrape shows.
pub struct Selection {
    /// The service's own families; none where it asks for the bridged ones alone.
    pub own: Vec<Gathered>,
    /// Whether what the store holds is shown.
    pub bridged: bool,
    /// Only what this source sent.
    pub source: Option<Arc<Source>>,
}

/// A scrape under way. Asked for piece after piece, it holds no lock in between and never more than about one piece of text,
/// but for families that have to be known whole, and for the message of one family in protobuf.
pub struct Scrape {
    reading: Reading,
    format: Format,
    /// What is still to be written, in reverse.
    groups: Vec<Group>,
    left_out: u64,
    ended: bool,
}

/// Whose series of which time are read.
struct Reading {
    store: Arc<Store>,
    source: Option<Arc<Source>>,
    start: Position,
}

impl Reading {
    fn shows(&self, source: &Arc<Source>) -> bool {
        self.source.as_ref().is_none_or(|only| Arc::ptr_eq(only, source))
    }

    /// Whether a series of the family is shown. Its names are free for others if not.
    fn shows_any_of(&self, cell: &FamilyCell) -> bool {
        self.shows_any(cell, |_| true)
    }

    /// Whether a series is shown, and not one of these, that is written with native buckets: others may be held, but hidden or
    /// expired.
    fn shows_native(&self, cell: &FamilyCell, format: Format, own_labels: &HashSet<Labels>) -> bool {
        let is_native =
            |series: &Series<'_>| format.writes_native(&series.sample) && !own_labels.contains(series.labels);
        cell.has_exponential() && self.shows_any(cell, is_native)
    }

    fn shows_any(&self, cell: &FamilyCell, is_it: impl Fn(&Series<'_>) -> bool) -> bool {
        let mut position = Some(self.start);
        while let Some(from) = position {
            let (found, next) = cell.read(from, SEARCHED_BATCH, |batch| {
                while let Some(shown) = batch.next() {
                    if self.shows(shown.source) && is_it(&shown.series) {
                        return true;
                    }
                }
                false
            });
            if found {
                return true;
            }
            position = next;
        }
        false
    }

    /// Everything that a cell shows, under its lock batch by batch.
    fn all_of(&self, cell: &FamilyCell, mut f: impl FnMut(&mut Shown<'_>)) {
        let mut position = Some(self.start);
        while let Some(from) = position {
            ((), position) = cell.read(from, batch_size(cell.metric_type()), |batch| {
                while let Some(mut shown) = batch.next() {
                    if self.shows(shown.source) {
                        f(&mut shown);
                    }
                }
            });
        }
    }
}

impl Scrape {
    /// Begins a scrape of what the store holds `now`.
    pub fn new(store: Arc<Store>, format: Format, selection: Selection, now: Instant) -> Self {
        let reading = Reading {
            start: store.start(now),
            store,
            source: selection.source,
        };
        let mut own = selection.own;
        if selection.bridged {
            plan::add_targets(format, &mut own, &reading, now);
        }
        let cells = if selection.bridged {
            reading.store.families()
        } else {
            Vec::new()
        };
        let (mut groups, left_out) = plan::groups(format, own, cells, &reading);
        groups.reverse();
        Self {
            reading,
            format,
            groups,
            left_out,
            ended: false,
        }
    }

    /// Appends the next piece, about `size` bytes; none where it has put together as much of a message. False where nothing is left.
    pub fn next(&mut self, out: &mut Vec<u8>, size: usize) -> bool {
        let end = out.len() + size;
        let mut gathered = 0;
        while out.len() < end && gathered < size {
            let Some(group) = self.groups.last_mut() else {
                if !std::mem::replace(&mut self.ended, true) {
                    self.format.write_end(out);
                }
                return false;
            };
            let before = group.message.len();
            let (left_out, more) = group.advance(out, self.format, &self.reading);
            gathered += group.message.len().saturating_sub(before);
            self.left_out += left_out;
            if !more {
                self.groups.pop();
            }
        }
        true
    }

    /// How many families and series have been left out for the first time, since they do not fit beside others.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Group {
    /// Writes the next batch; how many series were left out for the first time, and whether there is more.
    fn advance(&mut self, out: &mut Vec<u8>, format: Format, reading: &Reading) -> (u64, bool) {
        if self.is_whole {
            self.message.give_away(out);
            return (0, !self.message.is_empty());
        }
        let mut left_out = 0;
        let mut more = false;
        let mut writer = Writer {
            format,
            family: format.writer(&self.family),
            one_by_one: self.has_native,
            has_head: &mut self.has_head,
            message: &mut self.message,
            out,
        };
        for own in self.own.drain(..) {
            writer.write(&own.series());
        }
        match &mut self.body {
            Body::Nothing => {}
            Body::Cell(cell, position) => {
                let (left, next) = cell.read(*position, batch_size(cell.metric_type()), |batch| {
                    let mut left_out = 0;
                    while let Some(mut shown) = batch.next() {
                        if !reading.shows(shown.source) {
                            continue;
                        }
                        let fits = !self.own_labels.contains(shown.series.labels);
                        if !fits || !writer.write(&shown.series) {
                            left_out += u64::from(shown.leave_out());
                        }
                    }
                    left_out
                });
                left_out = left;
                more = next.is_some();
                *position = next.unwrap_or(*position);
            }
            Body::Collected(series) => {
                let rest = series.split_off(series.len().min(COLLECTED_BATCH));
                for kept in std::mem::replace(series, rest) {
                    writer.write(&kept.series());
                }
                more = !series.is_empty();
            }
        }
        if !more && !self.message.is_empty() {
            self.message.begin(out, format);
            self.is_whole = true;
        }
        (left_out, more || self.is_whole)
    }
}

/// Writes the series of one family, with its head in front of the first.
struct Writer<'w> {
    format: Format,
    family: FamilyWriter<'w>,
    /// Each series is a message of its own: Prometheus loses exemplars otherwise (conformance F-10, X-06).
    one_by_one: bool,
    has_head: &'w mut bool,
    /// The message that is being put together, where the format has messages.
    message: &'w mut Message,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    /// False where the format cannot have this series.
    fn write(&mut self, series: &Series<'_>) -> bool {
        let format = self.format;
        if !format.can_write(series) {
            return false;
        }
        let is_framed = format.is_framed();
        if is_framed && (self.one_by_one || format.writes_native(&series.sample)) {
            // From the first native one on, should it have come while the family is being written.
            self.finish();
            self.one_by_one = true;
            *self.has_head = false;
        }
        let has_head = std::mem::replace(self.has_head, true);
        let write = |target: &mut Vec<u8>| {
            if !has_head {
                self.family.write_head(target);
            }
            self.family.write_series(target, series);
        };
        if is_framed {
            self.message.append(write);
        } else {
            write(self.out);
        }
        if self.one_by_one {
            self.finish();
        }
        true
    }

    /// Sends the message on that has been put together.
    fn finish(&mut self) {
        if !self.message.is_empty() {
            self.message.begin(self.out, self.format);
        }
        while !self.message.is_empty() {
            self.message.give_away(self.out);
        }
    }
}

/// How many series are looked at under one lock where nothing is written.
const SEARCHED_BATCH: usize = 4096;

/// How many collected series are written at a time.
const COLLECTED_BATCH: usize = 512;

/// How many series are written under one lock: about as many lines of each type, so that ingest never waits long.
fn batch_size(metric_type: MetricType) -> usize {
    match metric_type {
        MetricType::Histogram | MetricType::Summary => 64,
        _ => 512,
    }
}
