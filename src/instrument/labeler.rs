//! What is said about a request by those who serve it.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::{Key, KeyValue, Value};

use super::in_flight::InFlight;
use super::route::Matched;

/// Attributes beyond it are left out: each is memory for every series.
const MOST_ATTRIBUTES: usize = 16;
/// Bytes of a text beyond it are cut off.
const MOST_BYTES: usize = 256;

/// Lets a handler add attributes to the metrics and the span of its request.
///
/// The instrumentation puts one into each request; a handler takes it with `Data<&Labeler>`. Each different set of attributes
/// makes series of its own, so values belong to small sets: a plan or a region, never an id.
///
/// ```
/// use meterbridge::instrument::Labeler;
/// use opentelemetry::KeyValue;
/// use poem::{handler, web::Data};
///
/// #[handler]
/// fn convert(labeler: Data<&Labeler>) -> &'static str {
///     labeler.add(KeyValue::new("app.format", "pdf"));
///     "done"
/// }
/// ```
#[derive(Clone)]
pub struct Labeler(pub(super) Arc<InFlight>);

impl Labeler {
    /// Adds an attribute. One that the instrumentation sets itself stays as it is, but for `error.type`, which says that a
    /// request failed where neither the status nor its ending does. The last of one name counts.
    pub fn add(&self, attribute: KeyValue) {
        self.0.add([attribute]);
    }

    /// Where several apply, the last, which is the innermost, wins.
    pub(super) fn matched(&self, matched: Matched) {
        self.0.matched(matched);
    }
}

/// The attributes that somebody else than the instrumentation gave, fit to be a part of a key: legal, bounded, sorted, the last
/// of each name.
pub(super) fn fit(mut attributes: Vec<KeyValue>) -> Vec<KeyValue> {
    if attributes.is_empty() {
        return attributes;
    }
    for attribute in &mut attributes {
        if let Some(legal) = legal(attribute.key.as_str()) {
            attribute.key = Key::from(legal);
        }
        if let Value::String(text) = &attribute.value
            && text.as_str().len() > MOST_BYTES
        {
            let text = text.as_str();
            attribute.value = Value::String(text[..text.floor_char_boundary(MOST_BYTES)].to_owned().into());
        }
    }
    // Stable, so that the last of a name stays the last.
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    attributes.reverse();
    attributes.dedup_by(|a, b| a.key == b.key);
    attributes.reverse();
    attributes.truncate(MOST_ATTRIBUTES);
    attributes
}

/// The name that an attribute has instead, where `opentelemetry-prometheus` would make a scrape of it that fails: a label of
/// histograms, a digit in front, a colon, or nothing at all. What begins with `__` is Prometheus' own.
fn legal(key: &str) -> Option<String> {
    let mut name = Cow::Borrowed(key);
    if key.contains(':') {
        name = key.replace(':', "_").into();
    }
    if name.starts_with("__") {
        name = format!("_{}", name.trim_start_matches('_')).into();
    }
    if matches!(&*name, "le" | "quantile") || name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit())
    {
        name = format!("_{name}").into();
    }
    match name {
        Cow::Borrowed(_) => None,
        Cow::Owned(name) => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_others_are_made_fit() {
        let long = "é".repeat(200);
        let cut = &long[..256];
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let rows: [(Pairs<'_>, Pairs<'_>); 7] = [
            (&[], &[]),
            (&[("b", "1"), ("a", "2")], &[("a", "2"), ("b", "1")]),
            (&[("a", "1"), ("a", "2")], &[("a", "2")]),
            (
                &[("le", "1"), ("9a", "2"), ("", "3")],
                &[("_", "3"), ("_9a", "2"), ("_le", "1")],
            ),
            (&[("a:b", "1")], &[("a_b", "1")]),
            (&[("__name__", "1")], &[("_name__", "1")]),
            (&[("a", &long)], &[("a", cut)]),
        ];
        let values = |row: Pairs<'_>| -> Vec<KeyValue> {
            let pair = |(key, value): &(&str, &str)| KeyValue::new((*key).to_owned(), (*value).to_owned());
            row.iter().map(pair).collect()
        };
        for (given, expected) in rows {
            assert_eq!(fit(values(given)), values(expected), "{given:?}");
        }
        let many = (0..100).map(|n| KeyValue::new(format!("k{n}"), n)).collect();
        assert_eq!(fit(many).len(), MOST_ATTRIBUTES);
    }
}
