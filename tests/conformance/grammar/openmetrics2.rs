//! OpenMetrics 2.0, as its release candidate and Prometheus' parser have it.

use meterbridge::exposition::{ExponentialForm, Format};

use super::family::{Family, Line};
use super::line::{Exemplar, bound, exemplar, help, number, seconds, whole};
use super::openmetrics::{has_state, not_negative, order, unit};
use super::text::{check_buckets, check_quantiles};

const WORDS: [&str; 7] = [
    "counter",
    "gauge",
    "histogram",
    "summary",
    "unknown",
    "info",
    "stateset",
];

pub fn metadata(family: &mut Family, keyword: &str, text: &str) -> Result<(), String> {
    match keyword {
        "TYPE" if WORDS.contains(&text) => family.word = text.to_owned(),
        "TYPE" => return Err("no type of this format".into()),
        "UNIT" => unit(family, text)?,
        "HELP" => help(text, "\\n\"")?,
        _ => return Err("a comment".into()),
    }
    order(family)
}

pub fn series(family: &Family, lines: &[Line], format: Format) -> Result<(), String> {
    let [line] = lines else {
        return Err("more than one line".into());
    };
    let word = &*family.word;
    if !line.suffix.is_empty() {
        return Err("a suffix".into());
    }
    let (sample, mut rest) = match line.rest.split_once(" # ") {
        Some((sample, rest)) => (sample, Some(rest)),
        None => (&*line.rest, None),
    };
    let mut exemplars = Vec::new();
    while let Some(text) = rest {
        let (this, next) = exemplar(text, format)?;
        exemplars.push(this);
        rest = next;
    }
    let mut fields = sample.split(' ');
    let value = fields.next().ok_or("no value")?;
    let (mut time, mut start) = (None, None);
    for field in fields {
        match field.strip_prefix("st@") {
            Some(field) if start.is_none() => start = Some(seconds(field)?),
            None if start.is_none() && time.is_none() => time = Some(seconds(field)?),
            _ => return Err("what is this".into()),
        }
    }
    if time.is_some() && !format.style.timestamps {
        return Err("a timestamp".into());
    }
    let counts = ["counter", "histogram", "summary"].contains(&word);
    if start.is_some() && (!counts || start == Some(0)) || (start > time && time.is_some()) {
        return Err("no start".into());
    }
    check_exemplars(word, &exemplars)?;
    match word {
        "counter" => not_negative(value),
        "gauge" | "unknown" => number(value).map(drop),
        "info" if family.name.ends_with("_info") && value == "1" => Ok(()),
        "stateset" if has_state(family, &line.labels) && ["0", "1"].contains(&value) => Ok(()),
        "histogram" => histogram(value, format),
        "summary" => summary(value),
        _ => Err(format!("no {word}")),
    }
}

fn check_exemplars(word: &str, exemplars: &[Exemplar]) -> Result<(), String> {
    if exemplars.len() > 10 || exemplars.iter().any(|exemplar| exemplar.nanos.is_none()) {
        return Err("too many exemplars, or one without a time".into());
    }
    match word {
        "counter" if exemplars.is_sorted_by_key(|exemplar| exemplar.nanos) => Ok(()),
        "histogram" if exemplars.is_sorted_by(|a, b| a.value <= b.value) => Ok(()),
        _ if exemplars.is_empty() => Ok(()),
        _ => Err("exemplars that do not belong there, or not in order".into()),
    }
}

/// The fields of a composite, lists with what is between their brackets.
fn composite(value: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut rest = value
        .strip_prefix('{')
        .and_then(|value| value.strip_suffix('}'))
        .ok_or("no composite")?;
    let mut fields = Vec::new();
    loop {
        let (name, behind) = rest.split_once(':').ok_or("no field")?;
        let (value, behind) = match behind.strip_prefix('[') {
            Some(list) => list.split_once(']').ok_or("a list without an end")?,
            None => behind.split_at(behind.find(',').unwrap_or(behind.len())),
        };
        fields.push((name, value));
        if behind.is_empty() {
            return Ok(fields);
        }
        rest = behind.strip_prefix(',').ok_or("no comma")?;
    }
}

fn pairs(list: &str) -> Result<Vec<(&str, &str)>, String> {
    let elements = list.split(',').filter(|_| !list.is_empty());
    elements
        .map(|element| element.split_once(':').ok_or_else(|| format!("{element:?} is no pair")))
        .collect()
}

fn histogram(value: &str, format: Format) -> Result<(), String> {
    let fields = composite(value)?;
    let [("count", count), ("sum", sum), rest @ ..] = &fields[..] else {
        return Err("no count or no sum".into());
    };
    let (count, sum) = (whole(count)?, number(sum)?);
    let native = match rest {
        [
            ("schema", schema),
            ("zero_threshold", threshold),
            ("zero_count", zero),
            sides @ ..,
        ] => Some((*schema, *threshold, *zero, sides)),
        _ => None,
    };
    let after = match native {
        Some((schema, threshold, zero, sides)) => {
            let schema: i32 = schema.parse().map_err(|_| "no schema")?;
            let threshold = number(threshold)?;
            if !(-4..=8).contains(&schema) || !(0.0..f64::INFINITY).contains(&threshold) {
                return Err("no schema, or no threshold".into());
            }
            if format.style.exponential == ExponentialForm::Classic {
                return Err("native buckets".into());
            }
            let (negative, sides) = side(sides, "negative_spans", "negative_buckets", count)?;
            let (positive, after) = side(sides, "positive_spans", "positive_buckets", count)?;
            let total = u128::from(whole(zero)?) + negative + positive;
            if total != u128::from(count) && !(sum.is_nan() && total < u128::from(count)) {
                return Err("a count that is not the total".into());
            }
            after
        }
        None => rest,
    };
    match after {
        [("bucket", buckets)] if native.is_none() || format.style.exponential == ExponentialForm::Both => {
            let mut read = Vec::new();
            for (limit, count) in pairs(buckets)? {
                read.push((bound(limit)?, whole(count)?));
            }
            if read.first().is_some_and(|(bound, _)| *bound == f64::NEG_INFINITY) {
                return Err("a bound of -Inf".into());
            }
            check_buckets(&read, count)
        }
        [] if native.is_some() && format.style.exponential == ExponentialForm::Native => Ok(()),
        _ => Err("no buckets, or fields that are not expected".into()),
    }
}

type Fields<'f, 't> = &'f [(&'t str, &'t str)];

/// The total of a side, and the fields behind it.
fn side<'f, 't>(
    fields: Fields<'f, 't>,
    spans: &str,
    buckets: &str,
    count: u64,
) -> Result<(u128, Fields<'f, 't>), String> {
    let [(name, list), (counted, counts), rest @ ..] = fields else {
        return Ok((0, fields));
    };
    if *name != spans {
        return Ok((0, fields));
    }
    if *counted != buckets {
        return Err("spans without buckets".into());
    }
    let mut places = 0;
    for (at, (offset, length)) in pairs(list)?.into_iter().enumerate() {
        let offset: i32 = offset.parse().map_err(|_| "no offset")?;
        if (at > 0 && offset < 1) || whole(length)? == 0 {
            return Err("a span of nothing, or that goes back".into());
        }
        places += whole(length)?;
    }
    let (mut total, mut found) = (0u128, 0);
    for text in counts.split(',') {
        // Whole, but where Prometheus would lose something of the count (O-13).
        let digits = match text.strip_suffix(".0") {
            Some(digits) if count > 1 << 53 => digits,
            None if count <= 1 << 53 => text,
            _ => return Err(format!("{text} beside a count of {count}")),
        };
        total += u128::from(whole(digits)?);
        found += 1;
    }
    if places == 0 || places != found {
        return Err("as many buckets as the spans do not say".into());
    }
    Ok((total, rest))
}

fn summary(value: &str) -> Result<(), String> {
    let [("count", count), ("sum", sum), ("quantile", quantiles)] = composite(value)?[..] else {
        return Err("other fields".into());
    };
    whole(count)?;
    not_negative(sum)?;
    let mut read = Vec::new();
    for (quantile, value) in pairs(quantiles)? {
        if number(value)? < 0.0 {
            return Err("a quantile below 0".into());
        }
        read.push(bound(quantile)?);
    }
    check_quantiles(&read)
}
