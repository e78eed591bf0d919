//! What the text formats have in common: names, labels, numbers.

use meterbridge::exposition::{Escaping, Format};

/// A line such as `# TYPE name text`: keyword, name, text.
pub fn metadata(line: &str, format: Format) -> Result<(&str, String, &str), String> {
    let rest = line.strip_prefix("# ").ok_or("no metadata")?;
    let (keyword, rest) = rest.split_once(' ').ok_or("no name")?;
    let (name, rest) = name(rest, true, format)?;
    let text = rest.strip_prefix(' ').ok_or("no blank behind the name")?;
    Ok((keyword, name, text))
}

/// Names and values, in the order of the line.
pub type Labels = Vec<(String, String)>;

/// What stands in front of the value, and what is left behind the blank.
pub struct Start<'t> {
    pub name: String,
    pub labels: Labels,
    pub rest: &'t str,
}

pub fn start(line: &str, format: Format) -> Result<Start<'_>, String> {
    let (mut found, mut rest) = match line.starts_with('{') {
        true => (None, line),
        false => {
            let (name, rest) = name(line, true, format)?;
            (Some(name), rest)
        }
    };
    let mut labels = Vec::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        if found.is_none() {
            let (name, behind) = name(inside, true, format)?;
            if !inside.starts_with('"') {
                return Err("a name in braces without quotes".into());
            }
            found = Some(name);
            inside = behind.strip_prefix(',').unwrap_or(behind);
            if inside.len() == behind.len() && !behind.starts_with('}') {
                return Err("no comma behind the name".into());
            }
        } else if inside.starts_with('}') {
            return Err("braces around nothing".into());
        }
        (labels, rest) = self::labels(inside, format)?;
    }
    let rest = rest.strip_prefix(' ').ok_or("no blank in front of the value")?;
    let name = found.ok_or("no name")?;
    Ok(Start { name, labels, rest })
}

/// Labels up to the closing brace, and what is behind it.
pub fn labels(text: &str, format: Format) -> Result<(Labels, &str), String> {
    let (mut labels, mut rest) = (Vec::new(), text);
    while !rest.starts_with('}') {
        if !labels.is_empty() {
            rest = rest.strip_prefix(',').ok_or("no comma")?;
        }
        let (name, behind) = name(rest, false, format)?;
        let (value, behind) = quoted(behind.strip_prefix('=').ok_or("no value of a label")?)?;
        labels.push((name, value));
        rest = behind;
    }
    Ok((labels, &rest[1..]))
}

/// A name, in quotes exactly if it is not legal without, and what is behind it.
pub fn name(text: &str, is_metric: bool, format: Format) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        if format.escaping != Escaping::AllowUtf8 {
            return Err(format!("{name:?} is to be escaped"));
        }
        if is_legal(&name, is_metric) {
            return Err(format!("{name:?} needs no quotes"));
        }
        allowed(&name, is_metric, format)?;
        return Ok((name, rest));
    }
    let end = text.find(['{', '}', ' ', '=', ',', '"']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !is_legal(name, is_metric) {
        return Err(format!("{name:?} is no name"));
    }
    allowed(name, is_metric, format)?;
    Ok((name.to_owned(), rest))
}

/// Whether a name may be there at all.
pub fn allowed(name: &str, is_metric: bool, format: Format) -> Result<(), String> {
    // NUL ends the lexer of Prometheus, in quotes too.
    if name.is_empty() || name.contains('\0') || (format.escaping != Escaping::AllowUtf8 && !is_legal(name, is_metric))
    {
        return Err(format!("{name:?} is no name"));
    }
    // The two are Prometheus' own (L-09).
    if !is_metric && name.starts_with("__") {
        return Err(format!("{name:?} is reserved"));
    }
    Ok(())
}

pub fn is_legal(name: &str, is_metric: bool) -> bool {
    let fits = |at: usize, byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
        b'0'..=b'9' => at > 0,
        b':' => is_metric,
        _ => false,
    };
    !name.is_empty() && name.bytes().enumerate().all(|(at, byte)| fits(at, byte))
}

/// A text in quotes, and what is behind it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let inside = text.strip_prefix('"').ok_or("no quote")?;
    let (mut value, mut characters) = (String::new(), inside.char_indices());
    loop {
        match characters.next().ok_or("no closing quote")? {
            (at, '"') => return Ok((value, &inside[at + 1..])),
            (_, '\\') => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                _ => return Err("an escape that there is not".into()),
            },
            (_, other) => value.push(other),
        }
    }
}

/// A help: behind each backslash is one of `second`; of those but `n` none stands without.
pub fn help(text: &str, second: &str) -> Result<(), String> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if !characters.next().is_some_and(|next| second.contains(next)) => {
                return Err("an escape that there is not".into());
            }
            '"' if second.contains('"') => return Err("a quote without an escape".into()),
            _ => {}
        }
    }
    match text {
        "" => Err("a help of nothing".into()),
        text if text.ends_with('\r') => Err("a line that ends with CRLF".into()),
        _ => Ok(()),
    }
}

/// As Go writes one: digits, a fraction without a zero at its end, an exponent of at least two digits.
pub fn number(text: &str) -> Result<f64, String> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "+Inf" => return Ok(f64::INFINITY),
        "-Inf" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_right = are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| are_digits(fraction) && !fraction.ends_with('0'))
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or("");
            digits.len() >= 2 && are_digits(digits)
        });
    if is_right {
        return text.parse().map_err(|_| "no number".into());
    }
    Err(format!("{text:?} is no number"))
}

pub fn whole(text: &str) -> Result<u64, String> {
    let number: u64 = text.parse().map_err(|_| format!("{text:?} is no whole number"))?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(format!("{text:?} is no whole number"))
    }
}

/// As OpenMetrics writes a bound: one that looks whole has `.0` behind it (H-02).
pub fn bound(text: &str) -> Result<f64, String> {
    let looks_whole = !text.contains(['.', 'e', 'I']);
    match text.strip_suffix(".0") {
        Some(stem) if !stem.contains(['.', 'e']) => number(stem),
        _ if looks_whole => Err(format!("{text:?} looks whole")),
        _ => number(text),
    }
}

/// Seconds without an exponent, with up to nine decimals of which the last is not 0; in nanoseconds.
pub fn seconds(text: &str) -> Result<u128, String> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || fraction.ends_with('0') || text.ends_with('.') {
        return Err(format!("{text:?} are no seconds"));
    }
    let fraction = format!("{fraction:0<9}");
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{text:?} are no seconds"));
    }
    let nanos: u128 = fraction.parse().map_err(|_| "no seconds")?;
    Ok(u128::from(whole(seconds)?) * 1_000_000_000 + nanos)
}

pub struct Exemplar {
    pub value: f64,
    pub nanos: Option<u128>,
}

/// What is behind ` # `: an exemplar, and what is behind that.
pub fn exemplar(text: &str, format: Format) -> Result<(Exemplar, Option<&str>), String> {
    let inside = text.strip_prefix('{').ok_or("no labels of an exemplar")?;
    let (labels, rest) = labels(inside, format)?;
    exemplar_labels(&labels)?;
    let rest = rest.strip_prefix(' ').ok_or("no value of an exemplar")?;
    let (this, next) = match rest.split_once(" # ") {
        Some((this, next)) => (this, Some(next)),
        None => (rest, None),
    };
    let (value, time) = match this.split_once(' ') {
        Some((value, time)) => (value, Some(time)),
        None => (this, None),
    };
    let exemplar = Exemplar {
        value: number(value)?,
        nanos: time.map(seconds).transpose()?,
    };
    Ok((exemplar, next))
}

pub fn exemplar_labels(labels: &[(String, String)]) -> Result<(), String> {
    if !labels.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err("labels of an exemplar not sorted, or twice".into());
    }
    if labels.iter().any(|(_, value)| value.contains('\0')) {
        return Err("a NUL in an exemplar".into());
    }
    // With backslashes, as Prometheus counts in OpenMetrics 1.0.
    let written = |text: &String| {
        text.chars()
            .map(|c| if "\\\"\n".contains(c) { 2 } else { 1 })
            .sum::<usize>()
    };
    let chars = |(name, value): &(String, String)| written(name) + written(value);
    if labels.iter().map(chars).sum::<usize>() > 128 {
        return Err("an exemplar of more than 128 characters".into());
    }
    Ok(())
}
