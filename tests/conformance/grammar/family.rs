//! Families and their series, whatever the text format.

use std::collections::{HashMap, HashSet};

use meterbridge::exposition::{Format, Syntax};

use super::line::{self, Start};
use super::{openmetrics, openmetrics2, text};

/// The block that is being read.
#[derive(Default)]
pub struct Family {
    pub name: String,
    pub word: String,
    /// The keywords of its head, in order.
    pub keywords: Vec<String>,
    /// Of the series that is being read.
    labels: Vec<(String, String)>,
    lines: Vec<Line>,
    seen: HashSet<Vec<(String, String)>>,
}

/// One line of a series.
#[derive(Clone, Debug)]
pub struct Line {
    pub suffix: String,
    pub labels: Vec<(String, String)>,
    /// The text of `le` or `quantile`.
    pub bound: Option<String>,
    /// All behind the labels.
    pub rest: String,
}

pub struct Families {
    format: Format,
    family: Option<Family>,
    names: HashSet<String>,
    /// Sample names, with the family that they belong to.
    owners: HashMap<String, String>,
}

impl Families {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            family: None,
            names: HashSet::new(),
            owners: HashMap::new(),
        }
    }

    pub fn line(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with('#') {
            return self.metadata(line);
        }
        let Start { name, labels, rest } = line::start(line, self.format)?;
        let family = self.family.as_mut().ok_or("a sample without a type")?;
        if family.word.is_empty() {
            return Err("a sample without a type".into());
        }
        let suffix = name.strip_prefix(&family.name).ok_or("a sample of another family")?;
        let mut own = labels;
        let bound = match bound_of(self.format, &family.word, suffix) {
            None => None,
            Some(bound) => match own.pop() {
                Some((name, value)) if name == bound => Some(value),
                _ => return Err(format!("no {bound}, or not last")),
            },
        };
        check_labels(&own, &family.word)?;
        if family.lines.is_empty() || family.labels != own {
            family.end_series(self.format)?;
            if !family.seen.insert(own.clone()) {
                return Err("a series twice, or in two places".into());
            }
            family.labels = own.clone();
        }
        family.lines.push(Line {
            suffix: suffix.to_owned(),
            labels: own,
            bound,
            rest: rest.to_owned(),
        });
        Ok(())
    }

    fn metadata(&mut self, line: &str) -> Result<(), String> {
        let (keyword, name, text) = line::metadata(line, self.format)?;
        let goes_on = self
            .family
            .as_ref()
            .is_some_and(|family| family.name == name && family.lines.is_empty());
        if !goes_on {
            self.end_family()?;
            if !self.names.insert(name.clone()) {
                return Err("a family in two blocks".into());
            }
            self.family = Some(Family {
                name,
                ..Family::default()
            });
        }
        let family = self.family.as_mut().ok_or("no family")?;
        family.keywords.push(keyword.to_owned());
        match self.format.syntax {
            Syntax::Text | Syntax::Text1 => text::metadata(family, keyword, text),
            Syntax::OpenMetrics => openmetrics::metadata(family, keyword, text),
            _ => openmetrics2::metadata(family, keyword, text),
        }
    }

    fn end_family(&mut self) -> Result<(), String> {
        let Some(mut family) = self.family.take() else {
            return Ok(());
        };
        let name = family.name.clone();
        if family.lines.is_empty() {
            return Err(format!("{name} has no samples"));
        }
        family.end_series(self.format)?;
        let suffixes = match self.format.syntax {
            Syntax::OpenMetrics => openmetrics::suffixes(&family.word),
            _ => derived(&family.word),
        };
        for suffix in suffixes {
            if let Some(owner) = self.owners.insert(format!("{name}{suffix}"), name.clone()) {
                return Err(format!("{name}{suffix} is a name of {owner} and of {name}"));
            }
        }
        Ok(())
    }

    pub fn end(mut self) -> Result<(), String> {
        self.end_family()
    }
}

/// What the samples of a family are called in all formats but OpenMetrics 1.0; in OpenMetrics 2.0, what Prometheus calls them.
pub fn derived(word: &str) -> &'static [&'static str] {
    match word {
        "histogram" => &["", "_bucket", "_sum", "_count"],
        "summary" => &["", "_sum", "_count"],
        _ => &[""],
    }
}

/// The label that tells lines of one series apart.
fn bound_of(format: Format, word: &str, suffix: &str) -> Option<&'static str> {
    match (format.syntax, word, suffix) {
        (Syntax::OpenMetrics2, ..) => None,
        (_, "histogram", "_bucket") => Some("le"),
        (_, "summary", "") => Some("quantile"),
        _ => None,
    }
}

/// The labels of a series, `le` and `quantile` of its lines apart.
pub fn check_labels(labels: &[(String, String)], word: &str) -> Result<(), String> {
    if !labels.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err("labels not sorted, or twice".into());
    }
    for (name, value) in labels {
        // Prometheus tells an empty label from none nowhere; that of R-03 is to be overwritten by nothing.
        if value.is_empty() && name != "instance" {
            return Err(format!("{name} is empty"));
        }
        if (word == "histogram" && name == "le") || (word == "summary" && name == "quantile") {
            return Err(format!("{name} on a {word}"));
        }
    }
    Ok(())
}

impl Family {
    fn end_series(&mut self, format: Format) -> Result<(), String> {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            return Ok(());
        }
        let checked = match format.syntax {
            Syntax::Text | Syntax::Text1 => text::series(self, &lines, format),
            Syntax::OpenMetrics => openmetrics::series(self, &lines, format),
            _ => openmetrics2::series(self, &lines, format),
        };
        checked.map_err(|what| format!("{what}, in {} {lines:?}", self.name))
    }
}
