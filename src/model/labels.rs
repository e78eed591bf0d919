use std::borrow::{Borrow, Cow};

/// A set of labels with unique names in byte order, kept as the text that a scrape writes: `a="1",b="2"`.
///
/// Escaping is injective, so the text is the identity of the series as well: two sets are equal where their texts are, and
/// values such as `1",b="2` cannot be mistaken for two labels (conformance C-07). No label has an empty value but
/// `instance` (conformance L-06, R-03).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Labels(Box<str>);

impl Labels {
    /// Takes the text that [`push_label`] built, called in byte order of the names.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The text as it stands between the braces of a sample.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels one by one, values without escapes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (name, behind) = rest.split_once("=\"")?;
            let end = closing_quote(behind)?;
            rest = behind[end + 1..].strip_prefix(',').unwrap_or("");
            Some((name, unescape(&behind[..end])))
        })
    }
}

// Equal and hashed as its text is, so that a set of labels can be asked for a text.
impl Borrow<str> for Labels {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Appends one label, separated by a comma from what is there, its value escaped as all text formats ask for: `\`, `"` and
/// line feed, nothing else (conformance L-07).
pub fn push_label(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() {
        text.push(',');
    }
    text.push_str(name);
    text.push_str("=\"");
    let mut rest = value;
    let is_escaped = |byte: &u8| matches!(byte, b'\\' | b'"' | b'\n');
    while let Some(at) = rest.as_bytes().iter().position(is_escaped) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
    text.push('"');
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => byte == b'"',
    })
}

fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(
                characters
                    .next()
                    .map_or('\\', |next| if next == 'n' { '\n' } else { next }),
            ),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_07_label_values_escape_backslash_quote_and_line_feed() {
        let mut text = String::new();
        push_label(&mut text, "p", "C:\\x \"q\"\nz\té");
        assert_eq!(text, "p=\"C:\\\\x \\\"q\\\"\\nz\té\"");
    }

    #[test]
    fn c_07_what_was_pushed_comes_back_whatever_is_in_it() {
        let pairs = [
            ("a", "1\",b=\"2"),
            ("b", "\\"),
            ("c", "\\n\n"),
            ("instance", ""),
            ("z", "},=\""),
        ];
        let mut text = String::new();
        for (name, value) in pairs {
            push_label(&mut text, name, value);
        }
        let labels = Labels::from_text(&text);
        let back: Vec<_> = labels.iter().map(|(name, value)| (name, value.into_owned())).collect();
        assert_eq!(back, pairs.map(|(name, value)| (name, value.to_owned())));
    }
}
