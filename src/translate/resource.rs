use super::Rules;
use super::label::{LabelSet, Reserved};
use super::series_labels::identity_labels;
use super::value::{self, TooLong};
use crate::model::{Labels, PointReason, Refused};
use crate::otlp::Attributes;
use crate::store::{Identity, Origin};

/// What a resource becomes: who its series belong to, and what describes it.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) identity: Identity,
    pub(super) origin: Origin,
    /// The labels of `target_info`, if there is to be one.
    pub(super) target: Option<String>,
    /// What could not become a label of `target_info`, in words.
    pub(super) oversized: Vec<String>,
    /// Tells this resource from others of its identity.
    pub(super) stream: u64,
}

const SERVICE_NAME: &str = "service.name";
const SERVICE_NAMESPACE: &str = "service.namespace";
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// Whether the attribute is part of what identifies the service (conformance R-06).
fn is_identifying(key: &str) -> bool {
    [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID].contains(&key)
}

/// Reads a resource: `job` from name and namespace, `instance` from the instance id, the rest for `target_info`
/// (conformance ). `labels` is left with what became of the attributes, for advice.
///
/// # Errors
///
/// Where the identity passes a limit: shortened or left out it would be somebody else's (B-03).
pub(super) fn describe(
    attributes: &Attributes<'_>,
    labels: &mut LabelSet,
    rules: &Rules,
) -> Result<Described, Refused> {
    let value_limit = rules.labels.value_bytes;
    let text = |wanted: &str, limit: usize| {
        let mut text = String::new();
        let attribute = attributes.iter().filter(|attribute| attribute.key == wanted).last();
        match attribute.map(|attribute| value::write(&mut text, attribute.value, limit)) {
            Some(Err(TooLong)) => Err(too_long(wanted, limit)),
            Some(Ok(())) | None => Ok(text),
        }
    };
    let identity = |wanted: &str| text(wanted, value_limit);
    let (namespace, name) = (identity(SERVICE_NAMESPACE)?, identity(SERVICE_NAME)?);
    let job = match (namespace.is_empty(), name.is_empty()) {
        (_, true) => None,
        (true, false) => Some(name),
        (false, false) => Some(format!("{namespace}/{name}")),
    };
    if value_limit != 0 && job.as_ref().is_some_and(|job| job.len() > value_limit) {
        return Err(too_long("service.namespace/service.name", value_limit));
    }
    let identity = Identity {
        job: job.map(Into::into),
        instance: identity(SERVICE_INSTANCE_ID)?.into(),
    };
    let origin = Origin {
        sdk_language: text("telemetry.sdk.language", value_limit).unwrap_or_default(),
        sdk_version: text("telemetry.sdk.version", value_limit).unwrap_or_default(),
    };

    labels.clear();
    let mut oversized = Vec::new();
    push_described(attributes, labels, &mut oversized, |key| !is_identifying(key));
    // What identifies the service tells streams apart as little as it does series; the rest does.
    let stream = labels.stream();
    // A target_info of nothing but the identity, or of no identity, would say nothing or say it of everybody.
    let known = identity.job.is_some() || !identity.instance.is_empty();
    let target = (known && labels.has_values()).then(|| {
        if rules.keep_identifying_resource_attributes {
            push_described(attributes, labels, &mut oversized, is_identifying);
        }
        target_info(&identity, labels, rules, &mut oversized)
    });
    Ok(Described {
        identity,
        origin,
        target: target.flatten(),
        oversized,
        stream,
    })
}

fn too_long(attribute: &str, limit: usize) -> Refused {
    let detail = format!("{attribute} of the resource has more than {limit} bytes (--max-label-value-bytes)");
    Refused::new(PointReason::LabelValueTooLong, detail)
}

/// After so many attributes that do not fit the rest is not looked at.
const MAX_OVERSIZED: usize = 16;

/// Adds the attributes that are `wanted` to the labels of `target_info`.
fn push_described(
    attributes: &Attributes<'_>,
    labels: &mut LabelSet,
    oversized: &mut Vec<String>,
    wanted: impl Fn(&str) -> bool,
) {
    // Whether the resource gives those labels or not: an attribute of that name does not say who it is (conformance R-09).
    let reserved = Reserved {
        job: true,
        instance: true,
        bound: None,
    };
    for attribute in attributes.iter().filter(|attribute| wanted(attribute.key)) {
        if let Err(refused) = labels.push_resource_attribute(attribute.key, attribute.value, reserved) {
            oversized.push(refused.detail);
            if oversized.len() > MAX_OVERSIZED {
                break;
            }
        }
    }
}

/// The labels of `target_info`; `None` where nothing but the identity passes the limits.
fn target_info(
    identity: &Identity,
    labels: &mut LabelSet,
    rules: &Rules,
    oversized: &mut Vec<String>,
) -> Option<String> {
    for (name, value) in identity_labels(identity, rules) {
        labels.push_own(name, value);
    }
    // How many there are was bounded while they were collected.
    let rendered = labels.render_what_fits(|refused| oversized.push(refused.detail)).ok()?;
    let says_something = Labels::iter_text(rendered).count() > identity_labels(identity, rules).count();
    says_something.then(|| rendered.to_owned())
}
