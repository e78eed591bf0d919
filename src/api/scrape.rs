//! One scrape, in pieces: the service's own families and what the store holds, in one order, each name in one block.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crate::exposition::{Format, Gathered};
use crate::model::{Family, Labels, MetricType};
use crate::store::{FamilyCell, Position, Source, Store};

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

/// A scrape under way. Asked for piece after piece, it holds no lock in between and never more than about one piece of text.
pub struct Scrape {
    store: Arc<Store>,
    format: Format,
    source: Option<Arc<Source>>,
    /// The sample names of the own families, which no bridged one may use beside them.
    own_names: HashSet<String>,
    /// What is still to be written, in reverse.
    steps: Vec<Step>,
    left_out: u64,
}

/// One name.
struct Step {
    own: Option<Gathered>,
    /// The labels of the own series, where there may be bridged ones beside them.
    own_labels: HashSet<Labels>,
    cell: Option<Arc<FamilyCell>>,
    position: Position,
    has_head: bool,
}

impl Scrape {
    /// Begins a scrape of what the store holds `now`.
    pub fn new(store: Arc<Store>, format: Format, selection: Selection, now: Instant) -> Self {
        let start = store.start(now);
        let mut own = selection.own;
        if selection.bridged {
            add_targets(&mut own, &store, selection.source.as_ref(), now);
        }
        let own_names = own
            .iter()
            .flat_map(|own| own.family.sample_names().collect::<Vec<_>>())
            .collect();
        let mut by_name: BTreeMap<(bool, String), Step> = BTreeMap::new();
        // target_info comes first, so that whoever reads from the top knows the sources (conformance R-05).
        let key = |name: &str| (name != TARGET_INFO, name.to_owned());
        let empty = || Step {
            own: None,
            own_labels: HashSet::new(),
            cell: None,
            position: start,
            has_head: false,
        };
        for own in own {
            let name = key(&own.family.name);
            by_name.entry(name).or_insert_with(empty).own = Some(own);
        }
        for cell in if selection.bridged {
            store.families()
        } else {
            Vec::new()
        } {
            let step = by_name.entry(key(cell.name())).or_insert_with(empty);
            step.own_labels = step
                .own
                .iter()
                .flat_map(|own| &own.series)
                .map(|own| own.labels.clone())
                .collect();
            step.cell = Some(cell);
        }
        let steps = by_name.into_values().rev().collect();
        Self {
            store,
            format,
            source: selection.source,
            own_names,
            steps,
            left_out: 0,
        }
    }

    /// Appends the next piece, about `size` bytes; false where nothing is left.
    pub fn next(&mut self, out: &mut Vec<u8>, size: usize) -> bool {
        let end = out.len() + size;
        while out.len() < end {
            let Some(mut step) = self.steps.pop() else { return false };
            if let Some(next) = self.write(out, &mut step) {
                step.position = next;
                self.steps.push(step);
            }
        }
        true
    }

    /// How many families and series have been left out for the first time, since they do not fit beside own ones.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Writes the own part of a name and the next batch of the bridged one; where to go on, if there is more.
    fn write(&mut self, out: &mut Vec<u8>, step: &mut Step) -> Option<Position> {
        let format = self.format;
        if let (Some(own), false) = (&step.own, step.has_head)
            && !own.series.is_empty()
        {
            format.write_head(out, &own.family);
            step.has_head = true;
            for series in &own.series {
                format.write_series(out, &own.family, &series.series());
            }
        }
        let cell = step.cell.as_ref()?;
        let fits = match &step.own {
            Some(own) => own.family.metric_type == cell.metric_type(),
            None => !self.meets_own_names(&cell.family()),
        };
        let (left_out, next) = cell.read(&self.store, step.position, batch_size(cell.metric_type()), |batch| {
            if !fits {
                return u64::from(batch.leave_out());
            }
            let family = batch.family.clone();
            let mut left_out = 0;
            for mut shown in batch.series() {
                if self
                    .source
                    .as_ref()
                    .is_some_and(|only| !Arc::ptr_eq(only, shown.source))
                {
                    continue;
                }
                if step.own_labels.contains(shown.series.labels) {
                    left_out += u64::from(shown.leave_out());
                    continue;
                }
                if !std::mem::replace(&mut step.has_head, true) {
                    format.write_head(out, &family);
                }
                format.write_series(out, &family, &shown.series);
            }
            left_out
        });
        self.left_out += left_out;
        if fits { next } else { None }
    }

    fn meets_own_names(&self, family: &Family) -> bool {
        !self.own_names.is_empty() && family.sample_names().any(|name| self.own_names.contains(&name))
    }
}

/// How many series are written under one lock: about as many lines of each type, so that ingest never waits long.
fn batch_size(metric_type: MetricType) -> usize {
    match metric_type {
        MetricType::Histogram | MetricType::Summary => 64,
        _ => 512,
    }
}

/// Adds the `target_info` of the sources that have series now (conformance R-05, Z-06) to the family of that name.
fn add_targets(own: &mut Vec<Gathered>, store: &Store, only: Option<&Arc<Source>>, now: Instant) {
    let sources = only.map_or_else(|| store.sources(), |only| vec![Arc::clone(only)]);
    let targets = sources
        .iter()
        .filter(|source| store.is_alive(source, now))
        .filter_map(|source| source.target());
    let series: Vec<_> = targets.map(Gathered::info).collect();
    if series.is_empty() {
        return;
    }
    match own.iter_mut().find(|own| own.family.name == TARGET_INFO) {
        Some(family) => family.series.extend(series),
        None => own.push(Gathered {
            family: Family {
                name: TARGET_INFO.into(),
                metric_type: MetricType::Gauge,
                help: "Target metadata".into(),
                unit: String::new(),
                unit_in_name: false,
            },
            series,
        }),
    }
}
