//! OpenMetrics 1.0.

use meterbridge::exposition::Format;

use super::family::{Family, Line};
use super::line::{bound, exemplar, help, is_legal, number, seconds, whole};
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

pub fn suffixes(word: &str) -> &'static [&'static str] {
    match word {
        "counter" => &["", "_total", "_created"],
        "histogram" => &["", "_bucket", "_sum", "_count", "_created"],
        "summary" => &["", "_sum", "_count", "_created"],
        "info" => &["", "_info"],
        _ => &[""],
    }
}

pub fn metadata(family: &mut Family, keyword: &str, text: &str) -> Result<(), String> {
    match keyword {
        "TYPE" if WORDS.contains(&text) => family.word = text.to_owned(),
        "TYPE" => return Err("no type of this format".into()),
        "UNIT" if !family.name.ends_with(&format!("_{text}")) => return Err("a unit that is no suffix".into()),
        "UNIT" => unit(family, text)?,
        "HELP" => help(text, "\\n\"")?,
        _ => return Err("a comment".into()),
    }
    order(family)
}

/// `# TYPE`, `# UNIT`, `# HELP`, each once.
pub fn order(family: &Family) -> Result<(), String> {
    match family.keywords.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["TYPE"] | ["TYPE", "HELP"] | ["TYPE", "UNIT"] | ["TYPE", "UNIT", "HELP"] => Ok(()),
        _ => Err("a head in another order, or twice".into()),
    }
}

pub fn unit(family: &Family, text: &str) -> Result<(), String> {
    if !is_legal(&format!("_{text}"), true) || text.is_empty() {
        return Err("no unit".into());
    }
    if ["info", "stateset"].contains(&&*family.word) {
        return Err(format!("a unit of a {}", family.word));
    }
    Ok(())
}

pub fn series(family: &Family, lines: &[Line], format: Format) -> Result<(), String> {
    let mut values = Vec::new();
    let mut times = Vec::new();
    let mut lower = f64::NEG_INFINITY;
    for line in lines {
        let (sample, example) = match line.rest.split_once(" # ") {
            Some((sample, example)) => (sample, Some(exemplar(example, format)?)),
            None => (&*line.rest, None),
        };
        let (value, time) = match sample.split_once(' ') {
            Some((value, time)) => (value, Some(seconds(time)?)),
            None => (sample, None),
        };
        if time.is_some() && !format.style.timestamps {
            return Err("a timestamp".into());
        }
        let limit = line.bound.as_deref().map(bound).transpose()?;
        if let Some((example, next)) = example {
            let fits = match (&*family.word, &*line.suffix, limit) {
                ("counter", "_total", _) => true,
                ("histogram", "_bucket", Some(upper)) => {
                    example.value <= upper && (example.value > lower || lower == f64::NEG_INFINITY)
                }
                _ => false,
            };
            if !fits || next.is_some() {
                return Err("an exemplar that does not belong there".into());
            }
        }
        lower = limit.unwrap_or(lower);
        values.push((&*line.suffix, limit, value));
        times.push(time);
    }
    if times.iter().any(|time| *time != times[0]) {
        return Err("of several times".into());
    }
    let values = match values.split_last() {
        Some((("_created", _, created), rest)) if ["counter", "histogram", "summary"].contains(&&*family.word) => {
            if seconds(created)? == 0 || !format.style.created_lines {
                return Err("no start".into());
            }
            rest
        }
        _ => &values,
    };
    of_type(family, lines, values)
}

fn of_type(family: &Family, lines: &[Line], values: &[(&str, Option<f64>, &str)]) -> Result<(), String> {
    match (&*family.word, values) {
        ("counter", [("_total", _, value)]) => not_negative(value),
        ("gauge" | "unknown", [("", _, value)]) => number(value).map(drop),
        ("info", [("_info", _, "1")]) => Ok(()),
        ("stateset", [("", _, "0" | "1")]) if has_state(family, &lines[0].labels) => Ok(()),
        ("histogram", [buckets @ .., ("_count", _, count), ("_sum", _, sum)]) => {
            not_negative(sum)?;
            let read = histogram(buckets)?;
            if read.first().is_some_and(|(bound, _)| *bound < 0.0) {
                return Err("a sum beside a bound below 0".into());
            }
            check_buckets(&read, whole(count)?)
        }
        ("histogram", buckets) => {
            let read = histogram(buckets)?;
            check_buckets(&read, read.last().map_or(0, |(_, count)| *count))
        }
        ("summary", [quantiles @ .., ("_count", _, count), ("_sum", _, sum)]) => {
            not_negative(sum)?;
            summary(quantiles, count)
        }
        ("summary", [quantiles @ .., ("_count", _, count)]) => summary(quantiles, count),
        (word, _) => Err(format!("no lines of a {word}")),
    }
}

pub fn has_state(family: &Family, labels: &[(String, String)]) -> bool {
    labels.iter().any(|(name, _)| *name == family.name)
}

pub fn not_negative(value: &str) -> Result<(), String> {
    if number(value)? >= 0.0 {
        Ok(())
    } else {
        Err(format!("{value} is below 0, or no number"))
    }
}

fn histogram(lines: &[(&str, Option<f64>, &str)]) -> Result<Vec<(f64, u64)>, String> {
    let mut read = Vec::new();
    for (suffix, bound, count) in lines {
        match (*suffix, bound) {
            ("_bucket", Some(bound)) => read.push((*bound, whole(count)?)),
            _ => return Err("no bucket".into()),
        }
    }
    Ok(read)
}

fn summary(lines: &[(&str, Option<f64>, &str)], count: &str) -> Result<(), String> {
    whole(count)?;
    let mut read = Vec::new();
    for (suffix, bound, value) in lines {
        match (*suffix, bound) {
            ("", Some(bound)) if number(value)?.is_nan() || number(value)? >= 0.0 => read.push(*bound),
            _ => return Err("no quantile".into()),
        }
    }
    check_quantiles(&read)
}
