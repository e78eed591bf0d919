//! Which request stands for a bucket: the latest whose span was sampled, by its trace and span id.
//!
//! The SDK for Rust keeps no exemplars (opentelemetry-rust issue 3369), so they are kept here, and given to the families that
//! were gathered from it.

use std::collections::{HashMap, HashSet};

use opentelemetry::KeyValue;

use crate::exposition::Gathered;
use crate::model::{Exemplar, Labels, Number, push_label};

/// One observation, with the span in which it was made.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    /// Nanoseconds or bytes.
    pub(super) value: u64,
    pub(super) time_unix_nano: u64,
}

/// Keeps of each bucket the newer one, and leaves `new` with none.
pub(super) fn keep_newest(held: &mut Vec<Option<Kept>>, new: &mut Vec<Option<Kept>>) {
    if held.len() < new.len() {
        held.resize_with(new.len(), || None);
    }
    for (held, new) in held.iter_mut().zip(std::mem::take(new)) {
        if let Some(new) = new
            && held
                .as_ref()
                .is_none_or(|held| held.time_unix_nano <= new.time_unix_nano)
        {
            *held = Some(new);
        }
    }
}

/// The exemplars of a service, by the name of the family and the labels of the series.
#[derive(Debug, Default)]
pub(crate) struct ExemplarTable {
    families: HashMap<&'static str, HashMap<Labels, Vec<Exemplar>>>,
    /// Labels of any of the series. Others that a gathered one has come from the exporter: scope and resource.
    names: HashSet<String>,
}

impl ExemplarTable {
    /// `family` is the name without a namespace, `unit` how many of what is counted make one of what is shown.
    pub(super) fn add(&mut self, family: &'static str, attributes: &[KeyValue], kept: &[Option<Kept>], unit: f64) {
        let exemplars: Vec<_> = kept.iter().flatten().map(|kept| exemplar(kept, unit)).collect();
        if exemplars.is_empty() {
            return;
        }
        let labels: Vec<_> = attributes
            .iter()
            .map(|attribute| {
                (
                    label_name(attribute.key.as_str()),
                    attribute.value.as_str().into_owned(),
                )
            })
            .collect();
        self.names.extend(labels.iter().map(|(name, _)| name.clone()));
        self.families.entry(family).or_default().insert(text(labels), exemplars);
    }

    /// Gives each series the exemplars that belong to it.
    pub(crate) fn attach(&self, families: &mut [Gathered]) {
        for gathered in families {
            // The exporter may put a namespace in front.
            let own = self
                .families
                .iter()
                .find(|(name, _)| gathered.family.name.ends_with(*name));
            let Some((_, own)) = own else { continue };
            for series in &mut gathered.series {
                let known = Labels::iter_text(series.labels.as_str())
                    .filter(|(name, _)| self.names.contains(&**name))
                    .map(|(name, value)| (name.into_owned(), value.into_owned()));
                if let Some(exemplars) = own.get(&text(known.collect())) {
                    series.exemplars.clone_from(exemplars);
                }
            }
        }
    }
}

fn exemplar(kept: &Kept, unit: f64) -> Exemplar {
    Exemplar {
        trace_id: Some(kept.trace_id),
        span_id: Some(kept.span_id),
        attributes: Labels::default(),
        value: Number::Double(kept.value as f64 / unit),
        time_unix_nano: kept.time_unix_nano,
    }
}

/// As `opentelemetry-prometheus` names the label of an attribute.
fn label_name(key: &str) -> String {
    key.replace(
        |character: char| !character.is_ascii_alphanumeric() && character != '_',
        "_",
    )
}

fn text(mut labels: Vec<(String, String)>) -> Labels {
    labels.sort();
    let mut text = String::new();
    for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
        push_label(&mut text, name, value);
    }
    Labels::from_text(&text)
}
