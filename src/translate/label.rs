use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use hashbrown::DefaultHashBuilder;

use super::label_name::LabelNaming;
use super::{Rules, Strategy, value};
use crate::model::{PointReason, Refused, is_label_name, push_label_as};
use crate::otlp::{AnyValue, Attributes};

/// The limits on the labels of one series; 0 means that there is none.
#[derive(Clone, Debug)]
pub struct LabelLimits {
    /// How many a line may carry, `job` and `instance` included, `le` and `quantile` not.
    pub labels: usize,
    /// The length of a name in bytes.
    pub name_bytes: usize,
    /// The length of a value in bytes.
    pub value_bytes: usize,
}

/// How many attributes may be sent for each label that is allowed: repeated keys and empty values make no label, but nobody
/// may make us sort millions of them (conformance B-04).
const ATTRIBUTES_PER_LABEL: usize = 4;

/// Collects the labels of one series and renders them. Used again for every series, so that nothing is allocated.
#[derive(Debug)]
pub(super) struct LabelSet {
    limits: LabelLimits,
    naming: LabelNaming,
    hasher: DefaultHashBuilder,
    /// Names, keys and values one behind the other.
    arena: String,
    entries: Vec<Entry>,
    rendered: String,
    /// Where in that text stands what does not come from the sender's attributes alone.
    shared: Vec<Range<usize>>,
    /// Keys from which nothing was left.
    dropped: Vec<Range<usize>>,
    /// Keys of which the value is nowhere to be found.
    indexed: Vec<Range<usize>>,
    /// Neighbours in `entries` that became one label.
    joined: Vec<Range<usize>>,
    /// The sum of the hashes of all attributes: the same for the same attributes in any order.
    stream: u64,
    /// What became of the keys of attributes last time, by their place: the next series has most likely the same ones.
    names: Vec<Named>,
    /// The order in which the entries were sorted last time, and room for it.
    order: Vec<u32>,
    sorted: Vec<Entry>,
}

/// What became of a key.
#[derive(Debug)]
struct Named {
    key: String,
    name: String,
    is_legal: bool,
}

/// As many places as names are kept for.
const KEPT_NAMES: usize = 64;

const SCOPE_PREFIX: &str = "otel_scope_";
const SCOPE_FIELDS: [&str; 3] = ["name", "version", "schema_url"];

#[derive(Clone, Debug)]
struct Entry {
    name: Range<usize>,
    /// Whether the name may stand without quotes.
    is_legal: bool,
    key: Range<usize>,
    value: Range<usize>,
    origin: Origin,
    /// How many came before.
    at: u32,
}

/// Where a label comes from. Where some meet in one name, they are joined in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// An attribute of the sender's.
    Attribute,
    /// A label of our own: behind those of the sender (conformance C-01).
    Own,
    /// One that stands only where none of the others gives a value (C-02, C-04).
    Fallback,
}

/// Names that a series may not take from attributes, since they mean something else there (conformance C-02, C-03).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reserved {
    pub(super) job: bool,
    pub(super) instance: bool,
    /// `le` of a histogram, `quantile` of a summary.
    pub(super) bound: Option<&'static str>,
}

impl LabelSet {
    pub(super) fn new(rules: &Rules, hasher: DefaultHashBuilder) -> Self {
        Self {
            limits: rules.labels.clone(),
            naming: LabelNaming::new(rules),
            hasher,
            arena: String::new(),
            entries: Vec::new(),
            rendered: String::new(),
            shared: Vec::new(),
            dropped: Vec::new(),
            indexed: Vec::new(),
            joined: Vec::new(),
            stream: 0,
            names: Vec::new(),
            order: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// For the attributes of exemplars, whose names are the scraper's to escape, whatever the strategy (conformance X-04, O-16).
    pub(super) fn of_exemplars(rules: &Rules, hasher: DefaultHashBuilder) -> Self {
        let verbatim = Rules {
            strategy: Strategy::NoTranslation,
            ..rules.clone()
        };
        Self::new(&verbatim, hasher)
    }

    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.rendered.clear();
        self.shared.clear();
        self.dropped.clear();
        self.indexed.clear();
        self.joined.clear();
        self.stream = 0;
    }

    /// Adds a label whose name and value are as they are to be.
    pub(super) fn push_own(&mut self, name: &str, value: &str) {
        self.push_named(name, value, Origin::Own);
    }

    /// The same of whatever origin.
    pub(super) fn push_named(&mut self, name: &str, value: &str, origin: Origin) {
        let is_legal = is_label_name(name);
        let name = self.append(name);
        let value = self.append(value);
        self.entries.push(Entry {
            key: name.clone(),
            name,
            is_legal,
            value,
            origin,
            at: self.entries.len() as u32,
        });
    }

    /// Adds the attributes of a point.
    pub(super) fn push_attributes(&mut self, attributes: &Attributes<'_>, reserved: Reserved) -> Result<(), Refused> {
        self.push_some_attributes(attributes, reserved, |_| true)
    }

    /// Adds the attributes whose key is `wanted`.
    pub(super) fn push_some_attributes(
        &mut self,
        attributes: &Attributes<'_>,
        reserved: Reserved,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Refused> {
        let most = self.limits.labels.saturating_mul(ATTRIBUTES_PER_LABEL);
        let wanted = attributes.iter().filter(|attribute| wanted(attribute.key));
        for (at, attribute) in wanted.enumerate() {
            if most != 0 && at >= most {
                return Err(self.too_many(&format!("more than {most} attributes")));
            }
            self.push_attribute("", attribute.key, attribute.value, reserved, Origin::Attribute)?;
        }
        Ok(())
    }

    /// Adds an attribute of a scope, unless it would be one of the labels that a scope has anyway (conformance S-02).
    pub(super) fn push_scope_attribute(&mut self, key: &str, value: AnyValue<'_>) -> Result<(), Refused> {
        let mut name = String::new();
        let is_name = self.naming.append(&mut name, SCOPE_PREFIX, key);
        if is_name && SCOPE_FIELDS.contains(&&name[SCOPE_PREFIX.len()..]) {
            return Ok(());
        }
        self.push_attribute(SCOPE_PREFIX, key, value, Reserved::default(), Origin::Own)
    }

    /// Adds an attribute of a resource to its `target_info`. The set does not grow past its limit: what comes late does not fit.
    pub(super) fn push_resource_attribute(
        &mut self,
        key: &str,
        value: AnyValue<'_>,
        reserved: Reserved,
    ) -> Result<(), Refused> {
        // Two places are kept for the identity.
        if self.limits.labels != 0 && self.entries.len() + 2 >= self.limits.labels {
            return Err(self.too_many("a resource with more attributes"));
        }
        let before = self.arena.len();
        self.push_attribute("", key, value, reserved, Origin::Attribute)
            .inspect_err(|_| self.arena.truncate(before))
    }

    /// Whether there is a label that is not empty.
    pub(super) fn has_values(&self) -> bool {
        self.entries.iter().any(|entry| !entry.value.is_empty())
    }

    fn push_attribute(
        &mut self,
        prefix: &str,
        key: &str,
        value: AnyValue<'_>,
        reserved: Reserved,
        origin: Origin,
    ) -> Result<(), Refused> {
        // An attribute of this name would be a second metric name (conformance L-09).
        if key == "__name__" {
            return Ok(());
        }
        let start = self.arena.len();
        let Some(is_legal) = self.append_name(prefix, key) else {
            self.arena.truncate(start);
            let key = self.append(key);
            self.dropped.push(key);
            return Ok(());
        };
        let exported = match &self.arena[start..] {
            "job" => reserved.job,
            "instance" => reserved.instance,
            name => reserved.bound == Some(name),
        };
        if exported {
            self.arena.insert_str(start, "exported_");
        }
        let name = start..self.arena.len();
        let key = if self.arena[name.clone()] == *key {
            name.clone()
        } else {
            self.append(key)
        };
        let value_start = self.arena.len();
        if value::write(&mut self.arena, value, self.limits.value_bytes).is_err() {
            return Err(self.value_too_long("value", &self.arena[name]));
        }
        let value_end = self.arena.len();
        if let AnyValue::StringIndex = value {
            self.indexed.push(key.clone());
        }
        self.stream = self
            .stream
            .wrapping_add(self.hash_attribute(&self.arena[key.clone()], value, value_start));
        self.entries.push(Entry {
            name,
            is_legal,
            key,
            value: value_start..value_end,
            origin,
            at: self.entries.len() as u32,
        });
        Ok(())
    }

    /// Appends the name that becomes of a key, and tells whether it may stand without quotes; `None` where nothing is left of the key.
    fn append_name(&mut self, prefix: &str, key: &str) -> Option<bool> {
        let place = self.entries.len();
        if let Some(named) = self.names.get(place)
            && named.key == key
            && prefix.is_empty()
        {
            self.arena.push_str(&named.name);
            return Some(named.is_legal);
        }
        let start = self.arena.len();
        self.naming.append(&mut self.arena, prefix, key).then(|| {
            let name = &self.arena[start..];
            let is_legal = is_label_name(name);
            if place < KEPT_NAMES && prefix.is_empty() {
                let named = Named {
                    key: key.to_owned(),
                    name: name.to_owned(),
                    is_legal,
                };
                if place == self.names.len() {
                    self.names.push(named);
                } else if let Some(other) = self.names.get_mut(place) {
                    *other = named;
                }
            }
            is_legal
        })
    }

    fn append(&mut self, text: &str) -> Range<usize> {
        let start = self.arena.len();
        self.arena.push_str(text);
        start..self.arena.len()
    }

    fn hash_attribute(&self, key: &str, value: AnyValue<'_>, value_start: usize) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        key.hash(&mut hasher);
        std::mem::discriminant(&value).hash(&mut hasher);
        self.arena[value_start..].hash(&mut hasher);
        hasher.finish()
    }

    /// Which attributes there are, in whatever order.
    pub(super) fn stream(&self) -> u64 {
        self.stream
    }

    /// Sorts, joins what meets in one name, leaves out what is empty, and gives the text of the labels.
    pub(super) fn render(&mut self) -> Result<&str, Refused> {
        self.render_or(Err)?;
        Ok(&self.rendered)
    }

    /// The same, and where in it stand the labels that are not the sender's attributes alone.
    pub(super) fn render_shared(&mut self) -> Result<(&str, &[Range<usize>]), Refused> {
        self.render_or(Err)?;
        Ok((&self.rendered, &self.shared))
    }

    /// The same of the labels that pass no limit; `leave_out` is told of the others.
    pub(super) fn render_what_fits(&mut self, mut leave_out: impl FnMut(Refused)) -> Result<&str, Refused> {
        self.render_or(|refused| {
            leave_out(refused);
            Ok(())
        })?;
        Ok(&self.rendered)
    }

    /// `unfit` decides what becomes of the whole where one label passes a limit.
    fn render_or(&mut self, mut unfit: impl FnMut(Refused) -> Result<(), Refused>) -> Result<(), Refused> {
        self.sort();
        let mut labels = 0;
        let mut first = 0;
        while first < self.entries.len() {
            let name = self.entries[first].name.clone();
            let same = |entry: &Entry| self.arena[entry.name.clone()] == self.arena[name.clone()];
            let others = self.entries.iter().skip(first + 1);
            let end = first + 1 + others.take_while(|entry| same(entry)).count();
            let shown = self.without_fallback(first..end);
            if shown.len() > 1 {
                self.joined.push(shown.clone());
            }
            match self.render_one(shown) {
                Ok(is_label) => labels += usize::from(is_label),
                Err(refused) => unfit(refused)?,
            }
            first = end;
        }
        if self.limits.labels != 0 && labels > self.limits.labels {
            return Err(self.too_many(&format!("{labels} labels")));
        }
        Ok(())
    }

    /// By name, then the sender's before ours, then by original key (conformance C-01); of equal keys only the last stays.
    fn sort(&mut self) {
        let arena = &self.arena;
        let order = |a: &Entry, b: &Entry| {
            let text = |range: &Range<usize>| &arena[range.clone()];
            (text(&a.name), a.origin, text(&a.key)).cmp(&(text(&b.name), b.origin, text(&b.key)))
        };
        // The order of last time is tried first: that is a fraction of the comparisons.
        if self.order.len() == self.entries.len() {
            let entries = &self.entries;
            self.sorted.clear();
            self.sorted
                .extend(self.order.iter().filter_map(|at| entries.get(*at as usize)).cloned());
            if self.sorted.len() == entries.len() && self.sorted.is_sorted_by(|a, b| order(a, b).is_lt()) {
                std::mem::swap(&mut self.entries, &mut self.sorted);
                return;
            }
        }
        // Sorting is stable, so that the last of equal keys stays last.
        self.entries.sort_by(order);
        self.order.clear();
        self.order.extend(self.entries.iter().map(|entry| entry.at));
        self.entries.reverse();
        self.entries.dedup_by(|a, b| order(a, b).is_eq());
        self.entries.reverse();
    }

    /// Of the entries of one name those that count: the fallbacks only where the others have no value. An empty one is no
    /// value here either, so that it stays the same series as an absent one (conformance L-06).
    fn without_fallback(&self, same: Range<usize>) -> Range<usize> {
        let entries = &self.entries[same.clone()];
        let given = entries.partition_point(|entry| entry.origin != Origin::Fallback);
        let has_value = entries[..given].iter().any(|entry| !entry.value.is_empty());
        if has_value || given == entries.len() {
            same.start..same.start + given
        } else {
            same.start + given..same.end
        }
    }

    fn render_one(&mut self, same: Range<usize>) -> Result<bool, Refused> {
        let entries = &self.entries[same];
        let Some(first) = entries.first() else { return Ok(false) };
        let name = &self.arena[first.name.clone()];
        // An empty label is an absent one, but the instance, which keeps Prometheus from putting its own (R-03, L-06).
        let is_empty = entries.iter().all(|entry| entry.value.is_empty());
        let is_ours = entries.iter().any(|entry| entry.origin != Origin::Attribute);
        if is_empty && !(name == "instance" && is_ours) {
            return Ok(false);
        }
        if self.limits.name_bytes != 0 && name.len() > self.limits.name_bytes {
            let shown: String = name.chars().take(64).collect();
            let limit = self.limits.name_bytes;
            let detail = format!(
                "label \"{shown}…\" has {} bytes, the limit is {limit} (--max-label-name-bytes)",
                name.len()
            );
            return Err(Refused::new(PointReason::LabelNameTooLong, detail));
        }
        let joined;
        let value = match entries {
            [only] => &self.arena[only.value.clone()],
            _ if is_empty => "",
            _ => {
                let values: Vec<&str> = entries.iter().map(|entry| &self.arena[entry.value.clone()]).collect();
                joined = values.join(";");
                &joined
            }
        };
        if self.limits.value_bytes != 0 && value.len() > self.limits.value_bytes {
            return Err(self.value_too_long(if entries.len() == 1 { "value" } else { "joined value" }, name));
        }
        let before = self.rendered.len();
        push_label_as(&mut self.rendered, name, first.is_legal, value);
        if is_ours {
            let end = self.rendered.len();
            match self.shared.last_mut() {
                Some(last) if last.end == before => last.end = end,
                // Behind the comma.
                _ => self.shared.push(before + usize::from(before > 0)..end),
            }
        }
        Ok(true)
    }

    fn value_too_long(&self, what: &str, name: &str) -> Refused {
        let limit = self.limits.value_bytes;
        let detail = format!("the {what} of label \"{name}\" has more than {limit} bytes (--max-label-value-bytes)");
        Refused::new(PointReason::LabelValueTooLong, detail)
    }

    fn too_many(&self, found: &str) -> Refused {
        let detail = format!(
            "{found} where {} labels are the limit (--max-labels)",
            self.limits.labels
        );
        Refused::new(PointReason::TooManyLabels, detail)
    }

    /// Whether there is nothing to say about any attribute.
    pub(super) fn is_plain(&self) -> bool {
        self.dropped.is_empty() && self.indexed.is_empty() && self.joined.is_empty()
    }

    /// The keys from which no label name was left (conformance L-04).
    pub(super) fn dropped(&self) -> impl Iterator<Item = &str> {
        self.dropped.iter().map(|key| &self.arena[key.clone()])
    }

    /// The keys whose value is an index into a table that is not there (conformance P-16).
    pub(super) fn indexed(&self) -> impl Iterator<Item = &str> {
        self.indexed.iter().map(|key| &self.arena[key.clone()])
    }

    /// The names that several keys became, each with those keys; known after rendering.
    pub(super) fn joined(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        self.joined.iter().map(|range| {
            let entries = &self.entries[range.clone()];
            (
                &self.arena[entries[0].name.clone()],
                entries.iter().map(|entry| &self.arena[entry.key.clone()]),
            )
        })
    }
}
