//! The grammar of text 0.0.4, as strict as the strictest of its readers: an exposition that passes is one that nobody
//! refuses. Written from the format's description, and apart from the writer.

use std::collections::{BTreeMap, HashMap, HashSet};

/// What is wrong with an exposition, and where.
pub fn check(text: &str) -> Result<(), String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    let mut exposition = Exposition::default();
    for line in text.split_terminator('\n') {
        exposition.line(line).map_err(|what| format!("{what}: {line:?}"))?;
    }
    exposition.end()
}

#[derive(Default)]
struct Exposition<'t> {
    /// The family whose block is being read, and its type.
    family: Option<(&'t str, &'t str)>,
    help: Option<&'t str>,
    /// Families of blocks that have ended, or begun.
    families: HashSet<&'t str>,
    /// Sample names, with the family that they belong to.
    names: HashMap<&'t str, &'t str>,
    /// Name and labels of each line.
    lines: HashSet<String>,
    /// By the labels without `le`.
    histograms: BTreeMap<String, Histogram>,
    samples: usize,
}

#[derive(Default)]
struct Histogram {
    bounds: Vec<(f64, u64)>,
    count: Option<u64>,
}

impl<'t> Exposition<'t> {
    fn line(&mut self, line: &'t str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            self.end()?;
            let (name, help) = rest.split_once(' ').ok_or("no text")?;
            self.begin(name)?;
            escapes(help, "\\n")?;
            self.help = Some(name);
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, word) = rest.split_once(' ').ok_or("no type")?;
            match self.help.take() {
                Some(help) if help == name => {}
                Some(help) => return Err(format!("behind the help of {help}")),
                None => {
                    self.end()?;
                    self.begin(name)?;
                }
            }
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&word) {
                return Err("no type of this format".into());
            }
            self.family = Some((name, word));
            return Ok(());
        }
        self.sample(line)
    }

    fn begin(&mut self, name: &'t str) -> Result<(), String> {
        legal(name, true)?;
        if self.families.insert(name) {
            Ok(())
        } else {
            Err("a family in two blocks".into())
        }
    }

    fn sample(&mut self, line: &'t str) -> Result<(), String> {
        let (family, word) = self.family.ok_or("a sample without a type")?;
        let (name, labels, value) = split(line)?;
        legal(name, true)?;
        let suffix = name.strip_prefix(family).ok_or("a sample of another family")?;
        let pairs = labels_of(labels)?;
        let bound = match (word, suffix) {
            ("counter" | "gauge" | "untyped", "") | ("histogram" | "summary", "_sum" | "_count") => None,
            ("histogram", "_bucket") => Some("le"),
            ("summary", "") => Some("quantile"),
            _ => return Err(format!("a {word} has no sample of that name")),
        };
        if *self.names.entry(name).or_insert(family) != family {
            return Err("a sample name of two families".into());
        }
        match bound {
            Some(bound) if pairs.last().is_none_or(|(key, _)| *key != bound) => {
                return Err(format!("no {bound}, or not last"));
            }
            None if word == "histogram" && pairs.iter().any(|(key, _)| *key == "le") => return Err("le".into()),
            None if word == "summary" && pairs.iter().any(|(key, _)| *key == "quantile") => {
                return Err("quantile".into());
            }
            _ => {}
        }
        let own = if bound.is_some() {
            &pairs[..pairs.len() - 1]
        } else {
            &pairs
        };
        if !own.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err("labels not sorted, or twice".into());
        }
        if let Some((empty, _)) = own.iter().find(|(key, value)| value.is_empty() && *key != "instance") {
            return Err(format!("{empty} is empty"));
        }
        if !self.lines.insert(format!("{name}{labels}")) {
            return Err("a line twice".into());
        }
        let number = number(value)?;
        if word == "counter" && (number.is_nan() || number < 0.0) {
            return Err("no value of a counter".into());
        }
        if word == "histogram" {
            let histogram = self.histograms.entry(format!("{own:?}")).or_default();
            match suffix {
                "_bucket" => histogram
                    .bounds
                    .push((self::number(&pairs[pairs.len() - 1].1)?, whole(value)?)),
                "_count" => histogram.count = Some(whole(value)?),
                _ => {}
            }
        }
        if bound == Some("quantile") && !(0.0..=1.0).contains(&self::number(&pairs[pairs.len() - 1].1)?) {
            return Err("no quantile".into());
        }
        self.samples += 1;
        Ok(())
    }

    /// The block of a family ends.
    fn end(&mut self) -> Result<(), String> {
        if let Some(help) = self.help {
            return Err(format!("the help of {help} without its type"));
        }
        if let Some((family, _)) = self.family.take()
            && std::mem::take(&mut self.samples) == 0
        {
            return Err(format!("{family} has no samples"));
        }
        for (labels, Histogram { bounds, count }) in std::mem::take(&mut self.histograms) {
            let fails = |what: &str| Err(format!("{what} in the histogram of {labels}"));
            if !bounds.is_sorted_by(|(a, _), (b, _)| a < b) {
                return fails("bounds not in order");
            }
            if !bounds.is_sorted_by_key(|(_, count)| *count) {
                return fails("counts that go down");
            }
            match bounds.last() {
                Some((bound, total)) if *bound == f64::INFINITY && Some(*total) == count => {}
                _ => return fails("+Inf that is not last, or not the count"),
            }
        }
        Ok(())
    }
}

/// Name, labels with their braces, and value of a sample.
fn split(line: &str) -> Result<(&str, &str, &str), String> {
    let name_end = line.find(['{', ' ']).ok_or("neither labels nor value")?;
    let (name, rest) = line.split_at(name_end);
    let labels_end = if rest.starts_with('{') {
        // The first brace that is not inside quotes.
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.bytes().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            byte == b'}' && !quoted
        });
        end.ok_or("no closing brace")? + 1
    } else {
        0
    };
    let (labels, rest) = rest.split_at(labels_end);
    let value = rest.strip_prefix(' ').ok_or("no blank in front of the value")?;
    Ok((name, labels, value))
}

fn labels_of(braces: &str) -> Result<Vec<(&str, String)>, String> {
    let mut pairs = Vec::new();
    let Some(mut rest) = braces.strip_prefix('{').and_then(|labels| labels.strip_suffix('}')) else {
        return Ok(pairs);
    };
    loop {
        let (name, behind) = rest.split_once("=\"").ok_or("no value of a label")?;
        legal(name, false)?;
        let (mut value, mut characters) = (String::new(), behind.char_indices());
        let end = loop {
            match characters.next().ok_or("no closing quote")? {
                (at, '"') => break at,
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    _ => return Err("an escape that there is not".into()),
                },
                (_, other) => value.push(other),
            }
        };
        pairs.push((name, value));
        match &behind[end + 1..] {
            "" => return Ok(pairs),
            more => rest = more.strip_prefix(',').ok_or("no comma")?,
        }
    }
}

fn legal(name: &str, is_metric: bool) -> Result<(), String> {
    let fits = |at: usize, byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
        b'0'..=b'9' => at > 0,
        b':' => is_metric,
        _ => false,
    };
    if !name.is_empty()
        && name.bytes().enumerate().all(|(at, byte)| fits(at, byte))
        && (is_metric || !name.starts_with("__"))
    {
        return Ok(());
    }
    Err(format!("{name:?} is no name"))
}

/// Each backslash has one of `second` behind it, or another backslash.
fn escapes(text: &str, second: &str) -> Result<(), String> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\'
            && !characters
                .next()
                .is_some_and(|next| next == '\\' || second.contains(next))
        {
            return Err("an escape that there is not".into());
        }
    }
    Ok(())
}

fn number(text: &str) -> Result<f64, String> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "+Inf" => return Ok(f64::INFINITY),
        "-Inf" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let written = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte));
    if digits.starts_with(|first: char| first.is_ascii_digit()) && written {
        return text.parse().map_err(|_| "no number".into());
    }
    Err("no number".into())
}

fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "no whole number".into())
}

#[test]
fn the_grammar_takes_what_is_right_and_nothing_else() {
    let right = "# HELP a b\\n\\\\\n# TYPE a gauge\na 1\na{b=\"x\\\"\\\\\\n}, =\",instance=\"\"} -2.5e+07\n\
                 # TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum NaN\nh_count 2\n\
                 # TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_count 2\n";
    assert_eq!(check(right), Ok(()));
    assert_eq!(check(""), Ok(()));
    for wrong in [
        "a 1\n",
        "# TYPE a gauge\n",
        "# TYPE a gauge\na 1",
        "# TYPE a gauge\n\na 1\n",
        "# TYPE a gauge\nb 1\n",
        "# TYPE a gauge\na 1\na 2\n",
        "# TYPE a gauge\na inf\n",
        "# TYPE a gauge\na  1\n",
        "# TYPE a gauge\na 1 \n",
        "# TYPE a info\na 1\n",
        "# TYPE a.b gauge\na.b 1\n",
        "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n",
        "# TYPE a gauge\na{c=\"1\",b=\"2\"} 1\n",
        "# TYPE a gauge\na{b=\"\"} 1\n",
        "# TYPE a gauge\na{b.c=\"1\"} 1\n",
        "# TYPE a gauge\na{__b=\"1\"} 1\n",
        "# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# TYPE a gauge\na{b=\"\"c\"} 1\n",
        "# HELP a \\x\n# TYPE a gauge\na 1\n",
        "# HELP b x\n# TYPE a gauge\na 1\n",
        "# HELP a x\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c=\"1\"} 1\n",
        "# TYPE a counter\na -1\n",
        "# TYPE a counter\na NaN\n",
        "# TYPE h_sum gauge\nh_sum 1\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum{a=\"1\"} 1\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 3\n",
        "# TYPE h histogram\nh 3\n",
        "# TYPE s summary\ns{quantile=\"1.5\"} 1\n",
        "# TYPE s summary\ns 1\n",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}
