use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::collected::{Collection, Kept};
use super::message::Message;
use super::{Reading, TARGET_INFO};
use crate::exposition::{Escaping, Format, Gathered, GatheredSeries, Syntax};
use crate::model::{Family, Labels, MetricType};
use crate::store::{FamilyCell, Position};

/// One name and all that stands under it.
pub(super) struct Group {
    /// As it is written.
    pub(super) family: Family,
    /// The service's own series, which come first.
    pub(super) own: Vec<GatheredSeries>,
    /// Their labels, where there may be bridged series beside them.
    pub(super) own_labels: HashSet<Labels>,
    pub(super) body: Body,
    /// Whether an exponential histogram is among the series, written as one.
    pub(super) has_native: bool,
    pub(super) has_head: bool,
    /// Where the format has messages.
    pub(super) message: Message,
    /// Whether all has been written, and the message is being given away.
    pub(super) is_whole: bool,
}

/// The bridged series.
pub(super) enum Body {
    Nothing,
    /// Read as they are written.
    Cell(Arc<FamilyCell>, Position),
    /// Read before.
    Collected(Vec<Kept>),
}

/// A group that is being put together.
#[derive(Default)]
struct Draft {
    own: Option<Gathered>,
    family: Option<Family>,
    cells: Vec<Arc<FamilyCell>>,
    /// Whether its series have to be known whole.
    is_collected: bool,
    /// Whether it is written as a gauge, since it is not what its type says (conformance G-03).
    is_gauge: bool,
}

/// The groups in the order in which they are written, and how many families were left out for the first time: those that do
/// not fit beside an own one, or beside one that came before (conformance C-06, K-04, K-05).
pub(super) fn groups(
    format: Format,
    own: Vec<Gathered>,
    mut cells: Vec<Arc<FamilyCell>>,
    reading: &Reading,
) -> (Vec<Group>, u64) {
    let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
    // Which group owns which sample name.
    let mut owners: HashMap<String, String> = HashMap::new();
    for own in own {
        let name = own.family.name.clone();
        let names = format.sample_names(&own.family).into_iter();
        owners.extend(names.map(|sample| (sample, name.clone())));
        drafts.entry(name).or_default().own = Some(own);
    }
    cells.sort_by_key(|cell| cell.birth());
    let mut left_out = 0;
    for cell in cells.into_iter().filter(|cell| reading.shows_any_of(cell)) {
        let mut family = cell.family();
        let is_escaped = format.escaping != Escaping::AllowUtf8 && !cell.are_legal();
        if is_escaped {
            family.name = format.escaping.metric_name(&family.name).into_owned();
        }
        let may_change_type = matches!(family.metric_type, MetricType::Info | MetricType::StateSet)
            && matches!(format.syntax, Syntax::OpenMetrics | Syntax::OpenMetrics2);
        let is_gauge = may_change_type && !keeps_type(format, &family, &cell, reading, &mut left_out);
        // A gauge takes fewer names than the info that it would have been.
        let names = match is_gauge {
            true => format.sample_names(&as_gauge(&family)),
            false => format.sample_names(&family),
        };
        let is_foreign = |sample: &String| owners.get(sample).is_some_and(|owner| *owner != family.name);
        let draft = drafts.get_mut(&family.name);
        let other_type = draft
            .as_ref()
            .is_some_and(|draft| draft.metric_type() != Some(family.metric_type));
        // That name is taken whether there is one or not (K-04).
        if family.name == TARGET_INFO || other_type || names.iter().any(is_foreign) {
            left_out += u64::from(leave_out(&cell, reading));
            continue;
        }
        owners.extend(names.into_iter().map(|sample| (sample, family.name.clone())));
        let draft = drafts.entry(family.name.clone()).or_default();
        draft.is_gauge |= is_gauge;
        draft.is_collected |= is_escaped || may_change_type || cell.labels_repeat() || !draft.cells.is_empty();
        draft.join(family);
        draft.cells.push(cell);
    }
    let mut groups: Vec<Group> = drafts
        .into_values()
        .filter_map(|draft| draft.group(format, reading, &mut left_out))
        .collect();
    // target_info comes first, so that whoever reads from the top knows the sources.
    groups.sort_by_key(|group| group.family.name != TARGET_INFO);
    (groups, left_out)
}

fn keeps_type(format: Format, family: &Family, cell: &Arc<FamilyCell>, reading: &Reading, left_out: &mut u64) -> bool {
    let mut collection = Collection::new(format, family.metric_type, reading);
    collection.take(cell, &HashSet::new());
    let (kept, new) = collection.finish();
    *left_out += new;
    format.keeps_type(family, kept.iter().map(Kept::series))
}

fn as_gauge(family: &Family) -> Family {
    Family {
        metric_type: MetricType::Gauge,
        ..family.clone()
    }
}

fn leave_out(cell: &FamilyCell, reading: &Reading) -> bool {
    cell.read(reading.start, 0, |batch| batch.leave_out()).0
}

impl Draft {
    fn metric_type(&self) -> Option<MetricType> {
        let own = self.own.as_ref().map(|own| &own.family);
        own.or(self.family.as_ref()).map(|family| family.metric_type)
    }

    /// Of several families under one name one help is shown, and a unit that they agree on (K-02, K-03).
    fn join(&mut self, other: Family) {
        let Some(family) = &mut self.family else {
            self.family = Some(other);
            return;
        };
        if family.unit != other.unit {
            family.unit.clear();
        }
        if family.prefers_help(&other.help) {
            family.help = other.help;
        }
    }

    fn group(self, format: Format, reading: &Reading, left_out: &mut u64) -> Option<Group> {
        let (own_family, own) = match self.own {
            Some(own) => (Some(own.family), own.series),
            None => (None, Vec::new()),
        };
        let mut family = own_family.or(self.family)?;
        let own_labels = match self.cells.is_empty() {
            true => HashSet::new(),
            false => own.iter().map(|own| own.labels.clone()).collect(),
        };
        let body = match self.cells.as_slice() {
            [] => Body::Nothing,
            [cell] if !self.is_collected => Body::Cell(Arc::clone(cell), reading.start),
            cells => {
                let mut collection = Collection::new(format, family.metric_type, reading);
                cells.iter().for_each(|cell| collection.take(cell, &own_labels));
                let (kept, new) = collection.finish();
                *left_out += new;
                if self.is_gauge || !format.keeps_type(&family, kept.iter().map(Kept::series)) {
                    family.metric_type = MetricType::Gauge;
                }
                Body::Collected(kept)
            }
        };
        // Of what is written: series that are left out beside others do not count.
        let has_native = match &body {
            Body::Nothing => false,
            Body::Cell(cell, _) => reading.shows_native(cell, format, &own_labels),
            Body::Collected(series) => series.iter().any(|kept| format.writes_native(&kept.series().sample)),
        };
        Some(Group {
            family,
            own,
            own_labels,
            body,
            has_native,
            has_head: false,
            message: Message::default(),
            is_whole: false,
        })
    }
}

fn target_family() -> Family {
    Family {
        name: TARGET_INFO.into(),
        metric_type: MetricType::Info,
        help: "Target metadata".into(),
        unit: String::new(),
        unit_in_name: false,
    }
}

/// Adds the `target_info` of the sources that have series now (conformance R-05, Z-06) to the family of that name.
pub(super) fn add_targets(format: Format, own: &mut Vec<Gathered>, reading: &Reading, now: Instant) {
    let store = &reading.store;
    let sources = reading
        .source
        .as_ref()
        .map_or_else(|| store.sources(), |only| vec![Arc::clone(only)]);
    let alive = store.alive(sources, now);
    let targets = alive.iter().filter_map(|source| source.target());
    let escaped = targets.map(|labels| Labels::from_text(&format.escaping.labels(labels.as_str())));
    let mut series: Vec<_> = escaped.map(Gathered::info).collect();
    // The service's own is among the gathered families, as the gauge that the registry takes it for.
    if let Some(at) = own.iter().position(|own| own.family.name == TARGET_INFO) {
        series.splice(..0, own.swap_remove(at).series);
    }
    if !series.is_empty() {
        own.push(Gathered {
            family: target_family(),
            series,
        });
    }
}
