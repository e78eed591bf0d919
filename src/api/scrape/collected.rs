use std::collections::HashSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::Reading;
use crate::exposition::{Escaping, Format};
use crate::model::{Exemplar, Exemplars, Labels, MetricType, Series, Value};
use crate::store::{Collisions, FamilyCell};

/// A series that has been copied, so that it can be written when the whole family is known.
pub(super) struct Kept {
    labels: Labels,
    value: Value,
    start_unix_nano: u64,
    time_unix_nano: u64,
    by_bucket: Vec<Exemplar>,
    newest: Vec<Exemplar>,
}

/// The series of one name, each label set once.
pub(super) struct Collection<'r> {
    format: Format,
    metric_type: MetricType,
    reading: &'r Reading,
    series: Vec<Kept>,
    /// Where in `series` a label set stands.
    places: HashMap<Labels, usize>,
    /// How many series are not shown for the first time, since another one has their labels.
    left_out: u64,
}

impl<'r> Collection<'r> {
    pub(super) fn new(format: Format, metric_type: MetricType, reading: &'r Reading) -> Self {
        Self {
            format,
            metric_type,
            reading,
            series: Vec::new(),
            places: HashMap::new(),
            left_out: 0,
        }
    }

    /// Takes in what the cell shows, but for label sets of the service's own series.
    pub(super) fn take(&mut self, cell: &Arc<FamilyCell>, own_labels: &HashSet<Labels>) {
        let is_escaped = self.format.escaping != Escaping::AllowUtf8 && !cell.are_legal();
        let reading = self.reading;
        reading.all_of(cell, |shown| {
            let series = shown.series;
            let labels = match is_escaped {
                true => self.format.escaping.labels(series.labels),
                false => series.labels.into(),
            };
            if own_labels.contains(&*labels) {
                self.left_out += u64::from(shown.leave_out());
                return;
            }
            match self.places.get(&*labels).copied() {
                Some(place) => {
                    if !self.meet(place, &series) {
                        // Which of the two goes does not matter for the count.
                        self.left_out += u64::from(shown.leave_out());
                    }
                }
                None => {
                    let labels = Labels::from_text(&labels);
                    self.places.insert(labels.clone(), self.series.len());
                    self.series.push(Kept::of(labels, &series));
                }
            }
        });
    }

    /// The series, and how many others are not shown for the first time.
    pub(super) fn finish(self) -> (Vec<Kept>, u64) {
        (self.series, self.left_out)
    }

    /// Two series of one label set: the newest is shown, or the sum of what can be added (conformance C-05, C-06). Whether both
    /// are in what is shown.
    fn meet(&mut self, place: usize, series: &Series<'_>) -> bool {
        let adds = self.reading.store.limits().collisions == Collisions::Sum
            && matches!(self.metric_type, MetricType::Counter | MetricType::Histogram);
        let Some(kept) = self.series.get_mut(place) else {
            return false;
        };
        if adds {
            kept.add(series);
        } else if series.time_unix_nano >= kept.time_unix_nano {
            *kept = Kept::of(kept.labels.clone(), series);
        }
        adds
    }
}

impl Kept {
    fn of(labels: Labels, series: &Series<'_>) -> Self {
        Self {
            labels,
            value: series.sample.into(),
            start_unix_nano: series.start_unix_nano,
            time_unix_nano: series.time_unix_nano,
            by_bucket: series.exemplars.by_bucket.to_vec(),
            newest: series.exemplars.newest.to_vec(),
        }
    }

    pub(super) fn series(&self) -> Series<'_> {
        Series {
            labels: self.labels.as_str(),
            sample: self.value.sample(),
            start_unix_nano: self.start_unix_nano,
            time_unix_nano: self.time_unix_nano,
            exemplars: Exemplars {
                by_bucket: &self.by_bucket,
                newest: &self.newest,
            },
        }
    }

    /// Adds another stream. What cannot be added, such as histograms of other bounds, leaves the newer of the two.
    fn add(&mut self, other: &Series<'_>) {
        let mut total = self.value.clone();
        if total.add(other.sample).is_none() {
            if other.time_unix_nano >= self.time_unix_nano {
                *self = Self::of(self.labels.clone(), other);
            }
            return;
        }
        self.value = total;
        // The sum has counted since the first of the streams began, where that is known.
        self.start_unix_nano = self.start_unix_nano.min(other.start_unix_nano);
        self.time_unix_nano = self.time_unix_nano.max(other.time_unix_nano);
        self.by_bucket.extend_from_slice(other.exemplars.by_bucket);
        self.by_bucket
            .sort_by(|a, b| a.value.as_f64().total_cmp(&b.value.as_f64()));
        self.newest.extend_from_slice(other.exemplars.newest);
        self.newest.sort_by_key(|exemplar| exemplar.time_unix_nano);
        if self.value.is_exponential() {
            // Of equal time and value one, as in each stream (conformance X-07).
            let key = |exemplar: &Exemplar| (exemplar.time_unix_nano, exemplar.value.as_f64().to_bits());
            self.newest.sort_by_key(key);
            self.newest.dedup_by_key(|exemplar| key(exemplar));
        }
        let surplus = self.newest.len().saturating_sub(Exemplars::NEWEST);
        self.newest.drain(..surplus);
    }
}
