//! Gives each OTLP data point its Prometheus family, labels and sample, and puts it into the store. Knows both vocabularies.

mod batch;
mod exemplar;
mod exponential;
mod fingerprint;
mod known_run;
mod label;
mod label_name;
mod learned;
mod memory;
mod metric;
mod name;
mod names;
mod outcome;
mod recognise;
mod request;
mod resource;
mod rules;
mod sample;
mod sequence;
mod series_labels;
mod steps;
mod taking;
mod unit;
mod value;
mod window;

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use hashbrown::DefaultHashBuilder;

use crate::model::{Exemplar, Family, Labels, MetricType, Refused};
use crate::otlp::{self, Kind, Metric, Point, Resource, Scope};
use crate::store::{self, Change, FamilyCell, Known, Source, Store};
use label::LabelSet;
use sample::Scratch;
use series_labels::SeriesLabels;
use window::Window;

pub use batch::Recognised;
pub use label::LabelLimits;
pub use memory::Memory;
pub use names::{MetricNames, names};
pub use outcome::{Advice, Outcome};
pub use request::{familiar, reason_of, request};
pub use rules::{IdentityConflict, MissingSum, Rules, Strategy};

/// Takes the points of one request in. A bad point costs itself alone; [`Translator::finish`] tells what became of all.
///
/// What is constant for a resource, a scope or a metric is worked out once for it; the label set and the arrays of samples
/// are kept from point to point.
#[derive(Debug)]
pub struct Translator<'s> {
    store: &'s Store,
    rules: &'s Rules,
    now: Instant,
    arrival_unix_nano: u64,
    hasher: DefaultHashBuilder,
    labels: LabelSet,
    scratch: Scratch,
    exemplar_labels: LabelSet,
    exemplars: Vec<Exemplar>,
    outcome: Outcome,
    source: Option<Arc<Source>>,
    /// What the series of the resource have in common, or what all its points are refused for.
    series_labels: Result<SeriesLabels, Refused>,
    resource_stream: u64,
    /// The version of the source's description that the resource made.
    described: u64,
    scope: InScope,
    metric: Option<InMetric>,
}

/// When a request came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// By the clock that series expire by.
    pub instant: Instant,
    /// By the clock on the wall, in nanoseconds since the Unix epoch; 0 where it is not to be used.
    pub unix_nano: u64,
}

impl Arrival {
    /// By both clocks.
    pub fn at(instant: Instant, time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            instant,
            unix_nano: u64::try_from(since_epoch.as_nanos()).unwrap_or(0),
        }
    }
}

/// What the points of one scope have in common.
#[derive(Debug, Default)]
struct InScope {
    /// As the sender calls it, or the beginning of that.
    name: String,
    labels: Vec<(String, String)>,
    refused: Option<Refused>,
    stream: u64,
}

/// What the points of one metric have in common.
#[derive(Debug)]
struct InMetric {
    /// As the sender calls it, or the beginning of that.
    name: String,
    kind: Kind,
    family: Result<Family, Refused>,
    /// Found or made when the first point comes.
    cell: Option<Arc<FamilyCell>>,
    stream: u64,
}

impl<'s> Translator<'s> {
    /// Puts points into `store`, translated by `rules`.
    pub fn new(store: &'s Store, rules: &'s Rules, arrival: Arrival) -> Self {
        Self {
            store,
            rules,
            now: arrival.instant,
            arrival_unix_nano: arrival.unix_nano,
            hasher: stream_hasher(),
            labels: LabelSet::new(rules, stream_hasher()),
            scratch: Scratch::default(),
            exemplar_labels: LabelSet::of_exemplars(rules, stream_hasher()),
            exemplars: Vec::new(),
            outcome: Outcome::default(),
            source: None,
            series_labels: Ok(SeriesLabels::default()),
            resource_stream: 0,
            described: 0,
            scope: InScope::default(),
            metric: None,
        }
    }

    /// Notes that so many texts of the request were not UTF-8 and have been repaired (see [`otlp::decode_lossy`]).
    pub fn replaced_utf8(&mut self, texts: u64) {
        if texts > 0 {
            let detail = format!("{texts} texts were not UTF-8; U+FFFD stands in place of what was not");
            self.advise(Advice::ReplacedUtf8, "", &detail);
        }
    }

    /// What became of everything that came.
    pub fn finish(mut self) -> Outcome {
        self.leave_source();
        self.outcome
    }

    fn leave_source(&mut self) {
        if let Some(source) = self.source.take() {
            self.store.leave(source);
        }
    }

    fn stream_of(&self, parts: impl Hash) -> u64 {
        self.hasher.hash_one(parts)
    }

    /// Gives advice, once for each source and cause; the cause is the kind of advice and the names in it (conformance P-02).
    fn advise(&mut self, advice: Advice, cause: &str, detail: &str) {
        let cause = self.hasher.hash_one((advice, cause));
        let is_new = self.source.as_ref().is_none_or(|source| source.is_new_advice(cause));
        self.outcome.advise(advice, detail, is_new);
    }

    /// Advice on what has just been rendered.
    fn advise_on_labels(&mut self, whose: impl FnOnce() -> String) {
        if self.labels.is_plain() {
            return;
        }
        let whose = whose();
        let mut notes = Vec::new();
        for key in self.labels.dropped() {
            let detail =
                format!("attribute \"{key}\" of {whose} leaves no label name and was dropped; use a-z, 0-9 and `_`");
            notes.push((Advice::DroppedAttribute, key.to_owned(), detail));
        }
        for key in self.labels.indexed() {
            let detail = format!(
                "the value of attribute \"{key}\" of {whose} is an index into a table that metrics do not have, and counts as empty"
            );
            notes.push((Advice::StringIndex, key.to_owned(), detail));
        }
        for (advice, cause, detail) in notes {
            self.advise(advice, &cause, &detail);
        }
        self.advise_on_joined(&whose);
    }

    fn advise_on_joined(&mut self, whose: &str) {
        let mut notes = Vec::new();
        for (name, keys) in self.labels.joined() {
            let keys: Vec<String> = keys.map(|key| format!("\"{key}\"")).collect();
            let keys = keys.join(" and ");
            let detail = format!("attributes {keys} of {whose} become one label, \"{name}\"; their values were joined");
            notes.push((keys, detail));
        }
        for (keys, detail) in notes {
            self.advise(Advice::JoinedAttributes, &keys, &detail);
        }
    }

    /// Takes a point of the metric that was entered last; where its series is held then, if there was nothing to say about it.
    fn take_and_know(&mut self, point: &Point<'_>) -> Option<(Arc<FamilyCell>, Known)> {
        let mut metric = self.metric.take()?;
        let notes = self.outcome.notes();
        let known = self.take(&mut metric, point).unwrap_or_else(|refused| {
            self.outcome.refuse(&refused);
            None
        });
        let known = known.filter(|_| notes == self.outcome.notes());
        let found = metric.cell.clone().zip(known);
        self.metric = Some(metric);
        found
    }

    fn take(&mut self, metric: &mut InMetric, point: &Point<'_>) -> Result<Option<Known>, Refused> {
        let family = metric.family.as_ref().map_err(Clone::clone)?;
        if let Some(refused) = &self.scope.refused {
            return Err(refused.clone());
        }
        let named = |refused: Refused| refused.of_metric(&metric.name);
        let series_labels = self.series_labels.as_ref().map_err(Clone::clone)?;
        let window = Window::of(metric.kind, point, self.rules, self.arrival_unix_nano).map_err(named)?;
        let Some(source) = self.source.clone() else {
            return Ok(None);
        };

        self.labels.clear();
        let bound = match family.metric_type {
            MetricType::Histogram => Some("le"),
            MetricType::Summary => Some("quantile"),
            _ => None,
        };
        self.labels
            .push_attributes(&point.attributes, series_labels.reserved(bound))
            .map_err(named)?;
        let stream = self.stream_of((
            self.resource_stream,
            self.scope.stream,
            metric.stream,
            self.labels.stream(),
        ));
        series_labels.push_to(&mut self.labels, bound);
        for (name, value) in &self.scope.labels {
            self.labels.push_own(name, value);
        }

        self.exemplars.clear();
        let mut count_mismatch = false;
        let change = if point.no_recorded_value {
            Change::Stale
        } else {
            let translated = self
                .scratch
                .sample(family.metric_type, point, self.rules.missing_sum)
                .map_err(named)?;
            count_mismatch = translated.count_mismatch;
            exemplar::read(
                family.metric_type,
                &point.exemplars,
                &mut self.exemplar_labels,
                &mut self.exemplars,
            );
            Change::Sample(translated.sample)
        };
        let (labels, shared) = self.labels.render_shared().map_err(named)?;
        let mut unit_conflict = None;
        let cell = match &mut metric.cell {
            Some(cell) => cell,
            empty => {
                let found = self.store.family(family, &origin(&source, &self.scope), self.now)?;
                unit_conflict = found.unit_conflict;
                empty.insert(found.cell)
            }
        };
        let point = store::Point {
            source: &source,
            labels,
            shared,
            change,
            is_delta: metric.kind.is_delta(),
            start_unix_nano: window.start,
            time_unix_nano: window.end,
            exemplars: &self.exemplars,
            stream,
        };
        let applied = self.store.apply_and_know(cell, &point, self.now);
        if let Some(other) = unit_conflict {
            // Whatever becomes of the point: the family has lost its unit.
            let (name, family, unit) = (&metric.name, &family.name, &family.unit);
            let detail = format!(
                "metric \"{name}\" is in {unit}, others of \"{family}\" in {other}: they share one name, which is shown \
                 without a unit; rename one of them"
            );
            self.advise(Advice::UnitConflict, name, &detail);
        }
        let (applied, known) = applied?;

        self.outcome.accept(metric.kind, 1);
        self.outcome.ignored += u64::from(applied.ignored);
        if applied.collided {
            self.outcome.collide(&metric.name);
        }
        self.outcome.gaps += u64::from(applied.gap);
        self.advise_on_labels(|| format!("metric \"{}\"", metric.name));
        if count_mismatch {
            let name = &metric.name;
            let detail =
                format!("the count of histogram \"{name}\" is not the total of its buckets; the total was used");
            self.advise(Advice::CountMismatch, name, &detail);
        }
        if window.starts_after_end {
            let name = &metric.name;
            let detail = format!("a point of metric \"{name}\" starts after it ends; the start was ignored");
            self.advise(Advice::StartAfterEnd, name, &detail);
        }
        Ok(known)
    }
}

impl otlp::Sink for Translator<'_> {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.leave_source();
        let described = match resource::describe(&resource.attributes, &mut self.labels, self.rules) {
            Ok(described) => described,
            Err(refused) => {
                self.series_labels = Err(refused);
                return;
            }
        };
        let source = self.store.enter(&described.identity, self.now);
        self.described = source.describe(described.target.as_deref(), described.origin);
        self.source = Some(source);
        self.resource_stream = described.stream;
        for detail in &described.oversized {
            let detail = format!("a resource attribute stays out of target_info: {detail}");
            self.advise(Advice::OversizedResource, &detail, &detail);
        }
        self.advise_on_labels(|| "the resource".to_owned());
        self.series_labels = SeriesLabels::new(&resource.attributes, &described.identity, &mut self.labels, self.rules);
        // Where there is a target_info, the advice on it has named them.
        if described.target.is_none() {
            self.advise_on_joined("the resource");
        }
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.labels.clear();
        let own = [
            ("name", scope.name),
            ("version", scope.version),
            ("schema_url", scope.schema_url),
        ];
        for (name, value) in own {
            self.labels.push_own(&format!("otel_scope_{name}"), value);
        }
        let mut refused = None;
        for attribute in scope.attributes.iter() {
            if let Err(error) = self.labels.push_scope_attribute(attribute.key, attribute.value) {
                refused = Some(error);
                break;
            }
        }
        self.scope = InScope {
            name: metric::shown(scope.name).to_owned(),
            labels: Vec::new(),
            refused,
            // Scopes are streams of their own whether they are shown or not (conformance S-04, C-05).
            stream: self.stream_of((scope.name, scope.version, scope.schema_url, self.labels.stream())),
        };
        if !self.rules.scope_labels {
            self.scope.refused = None; // No line carries what would be too long.
            return;
        }
        match self.labels.render() {
            Ok(rendered) => {
                let labels = Labels::iter_text(rendered);
                self.scope.labels = labels
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
            }
            Err(error) => self.scope.refused = Some(error),
        }
        self.advise_on_labels(|| format!("scope \"{}\"", scope.name));
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        let family = metric::family(metric, self.rules);
        let stream = self.stream_of((metric.name, metric.unit));
        self.metric = Some(InMetric {
            name: metric::shown(metric.name).to_owned(),
            kind: metric.kind,
            family,
            cell: None,
            stream,
        });
    }

    fn point(&mut self, point: &Point<'_>) {
        self.take_and_know(point);
    }
}

/// Who sends, in words, for the messages of conflicts.
fn origin(source: &Source, scope: &InScope) -> String {
    let identity = source.identity();
    format!(
        "job \"{}\", instance \"{}\", scope \"{}\"",
        identity.job.as_deref().unwrap_or(""),
        identity.instance,
        scope.name
    )
}

/// One seed for the life of the process: not known to senders, and the same in every request, since streams are told apart
/// across requests.
fn stream_hasher() -> DefaultHashBuilder {
    static HASHER: std::sync::OnceLock<DefaultHashBuilder> = std::sync::OnceLock::new();
    HASHER.get_or_init(DefaultHashBuilder::default).clone()
}

#[cfg(test)]
mod tests;
