use super::fingerprint::fingerprint;
use super::label::{LabelSet, Origin, Reserved};
use super::{IdentityConflict, Rules};
use crate::model::{Labels, Refused};
use crate::otlp::Attributes;
use crate::store::Identity;

/// The labels that all series of a resource carry beside their own, worked out once for it.
#[derive(Debug, Default)]
pub(super) struct SeriesLabels {
    labels: Vec<(String, String, Origin)>,
    /// Names that a point's own attributes make way for.
    reserved: Reserved,
}

impl SeriesLabels {
    /// The identity, the resource's fingerprint, and the attributes that are promoted. `set` is left with what became of
    /// those, for advice.
    ///
    /// # Errors
    ///
    /// Where a promoted attribute passes a limit: left out, its series might be those of another resource (conformance B-03).
    pub(super) fn new(
        attributes: &Attributes<'_>,
        identity: &Identity,
        set: &mut LabelSet,
        rules: &Rules,
    ) -> Result<Self, Refused> {
        // With `point`, ours stands where the point gives none (conformance C-02).
        let (origin, makes_way) = match rules.identity_conflict {
            IdentityConflict::Exported => (Origin::Own, true),
            IdentityConflict::Spec => (Origin::Own, false),
            IdentityConflict::Point => (Origin::Fallback, false),
        };
        let mut labels: Vec<_> = identity_labels(identity, rules)
            .map(|(name, value)| (name.to_owned(), value.to_owned(), origin))
            .collect();
        let is_given = |name: &str| labels.iter().any(|(given, ..)| given == name);
        let given = Reserved {
            job: is_given("job"),
            instance: is_given("instance"),
            bound: None,
        };
        if rules.label_resource {
            let fingerprint = format!("{:016x}", fingerprint(attributes));
            labels.push(("otel_resource".to_owned(), fingerprint, Origin::Own));
        }

        set.clear();
        let patterns = &rules.promote_resource_attributes;
        if !patterns.is_empty() {
            let is_promoted = |key: &str| patterns.iter().any(|pattern| fits(pattern, key));
            // The identity is not theirs to change, whatever may become of a point's.
            set.push_some_attributes(attributes, given, is_promoted)?;
            let promoted = Labels::iter_text(set.render()?);
            labels.extend(promoted.map(|(name, value)| (name.into_owned(), value.into_owned(), Origin::Fallback)));
        }
        let reserved = if makes_way { given } else { Reserved::default() };
        Ok(Self { labels, reserved })
    }

    /// What a point's own attributes may not be called, `bound` included: `le` of a histogram, `quantile` of a summary.
    pub(super) fn reserved(&self, bound: Option<&'static str>) -> Reserved {
        Reserved { bound, ..self.reserved }
    }

    /// Adds them to the labels of a point.
    pub(super) fn push_to(&self, set: &mut LabelSet, bound: Option<&'static str>) {
        for (name, value, origin) in &self.labels {
            // Promoted attributes have no bound's name either (conformance C-03).
            if bound == Some(name) {
                set.push_named(&format!("exported_{name}"), value, *origin);
            } else {
                set.push_named(name, value, *origin);
            }
        }
    }
}

/// `job`, where there is one, and `instance`, empty or not unless that is switched off (conformance ).
pub(super) fn identity_labels<'i>(
    identity: &'i Identity,
    rules: &Rules,
) -> impl Iterator<Item = (&'static str, &'i str)> + use<'i> {
    let job = identity.job.as_deref().map(|job| ("job", job));
    let has_instance = rules.empty_instance || !identity.instance.is_empty();
    let instance = has_instance.then_some(("instance", &*identity.instance));
    job.into_iter().chain(instance)
}

/// Whether a key fits a pattern, in which `*` stands for any run of characters (conformance R-10).
fn fits(pattern: &str, key: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == key;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut between) = key.strip_prefix(start).and_then(|key| key.strip_suffix(end)) else {
        return false;
    };
    // The first place is as good as any other for all but the ends.
    for part in middle.split('*') {
        let Some((_, behind)) = between.split_once(part) else {
            return false;
        };
        between = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_10_patterns() {
        for (pattern, key, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "a", false),
            ("*", "", true),
            ("*", "k8s.pod.name", true),
            ("k8s.*", "k8s.pod.name", true),
            ("k8s.*", "k8s.", true),
            ("k8s.*", "k8s", false),
            ("*.name", "k8s.pod.name", true),
            ("*.name", "k8s.pod.names", false),
            ("k8s.*.name", "k8s.pod.name", true),
            ("k8s.*.name", "k8s.name", false),
            ("ab*ba", "aba", false),
            ("*pod*", "k8s.pod.name", true),
            ("*a*b*", "xbxa", false),
            ("*a*b*", "a.b", true),
            ("a**b", "ab", true),
            ("a*b*c*d", "abbcd", true),
            ("a*b*c*d", "acbd", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(fits(pattern, key), expected, "{pattern} {key}");
        }
    }
}
