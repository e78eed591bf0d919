//! Text 0.0.4 and 1.0.0.

use meterbridge::exposition::Format;

use super::family::{Family, Line};
use super::line::{help, number, whole};

pub fn metadata(family: &mut Family, keyword: &str, text: &str) -> Result<(), String> {
    match keyword {
        "HELP" => help(text, "\\n")?,
        "TYPE" if ["counter", "gauge", "histogram", "summary", "untyped"].contains(&text) => {
            family.word = text.to_owned();
        }
        "TYPE" => return Err("no type of this format".into()),
        _ => return Err("a comment".into()),
    }
    match family.keywords.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["HELP"] | ["TYPE"] | ["HELP", "TYPE"] => Ok(()),
        _ => Err("a head in another order, or twice".into()),
    }
}

pub fn series(family: &Family, lines: &[Line], format: Format) -> Result<(), String> {
    let mut values = Vec::new();
    let mut times = Vec::new();
    for line in lines {
        let (value, time) = match line.rest.split_once(' ') {
            Some((value, time)) => (value, Some(whole(time)?)),
            None => (&*line.rest, None),
        };
        if time.is_some() && !format.style.timestamps {
            return Err("a timestamp".into());
        }
        number(value)?;
        values.push((&*line.suffix, line.bound.as_deref(), value));
        times.push(time);
    }
    if times.iter().any(|time| *time != times[0]) {
        return Err("of several times".into());
    }
    match (&*family.word, &values[..]) {
        ("counter", _) if family.name == "_total" => Err("a counter of nothing but its suffix".into()),
        ("counter", [("", _, value)]) => match number(value)? {
            value if value >= 0.0 => Ok(()),
            _ => Err("no value of a counter".into()),
        },
        ("gauge" | "untyped", [("", ..)]) => Ok(()),
        ("histogram", [buckets @ .., ("_sum", ..), ("_count", _, count)])
        | ("histogram", [buckets @ .., ("_count", _, count)]) => {
            let mut read = Vec::new();
            for (suffix, bound, count) in buckets {
                match (*suffix, bound) {
                    ("_bucket", Some(bound)) => read.push((number(bound)?, whole(count)?)),
                    _ => return Err("no bucket".into()),
                }
            }
            check_buckets(&read, whole(count)?)
        }
        ("summary", [quantiles @ .., ("_sum", ..), ("_count", _, count)]) => {
            whole(count)?;
            let mut read = Vec::new();
            for (suffix, bound, _) in quantiles {
                match (*suffix, bound) {
                    ("", Some(bound)) => read.push(number(bound)?),
                    _ => return Err("no quantile".into()),
                }
            }
            check_quantiles(&read)
        }
        (word, _) => Err(format!("no lines of a {word}")),
    }
}

/// Bounds go up, counts do not go down, the last is `+Inf` and the count.
pub fn check_buckets(buckets: &[(f64, u64)], count: u64) -> Result<(), String> {
    if !buckets.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err("bounds not in order".into());
    }
    if !buckets.is_sorted_by_key(|(_, count)| *count) {
        return Err("counts that go down".into());
    }
    match buckets.last() {
        Some((bound, last)) if *bound == f64::INFINITY && *last == count => Ok(()),
        _ => Err("+Inf that is not last, or not the count".into()),
    }
}

pub fn check_quantiles(quantiles: &[f64]) -> Result<(), String> {
    let is_one = |quantile: &f64| (0.0..=1.0).contains(quantile);
    match quantiles.is_sorted_by(|a, b| a < b) && quantiles.iter().all(is_one) {
        true => Ok(()),
        false => Err("quantiles not in order, or none".into()),
    }
}
