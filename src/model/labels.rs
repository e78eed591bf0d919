use std::borrow::{Borrow, Cow};

/// A set of labels with unique names in byte order, kept as the text that a scrape writes: `a="1",b="2"`. A name that is
/// not legal without quotes stands in them: `"x.y"="1"`. Only the strategies that let UTF-8 through make such names.
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

    /// The labels one by one, names and values without escapes.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        Self::iter_text(&self.0)
    }

    /// The same of a text that is not held as labels.
    pub fn iter_text(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let mut rest = text;
        std::iter::from_fn(move || {
            if let Some((name, value, behind)) = Self::split_plain(rest) {
                rest = behind;
                return Some((Cow::Borrowed(name), Cow::Borrowed(value)));
            }
            let name = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (name, behind) = quoted_text(quoted)?;
                    rest = behind.strip_prefix("=\"")?;
                    name
                }
                None => {
                    // No legal name has one in it.
                    let (name, behind) = rest.split_at_checked(memchr::memchr(b'=', rest.as_bytes())?)?;
                    rest = behind.strip_prefix("=\"")?;
                    Cow::Borrowed(name)
                }
            };
            let (value, behind) = quoted_text(rest)?;
            rest = behind.strip_prefix(',').unwrap_or("");
            Some((name, value))
        })
    }

    /// The first label of a text if it has neither quotes around its name nor escapes, as nearly all are: its name, its value, and
    /// what is behind.
    #[inline]
    pub fn split_plain(text: &str) -> Option<(&str, &str, &str)> {
        // No legal name has one in it.
        let (name, behind) = text.split_at_checked(memchr::memchr(b'=', text.as_bytes())?)?;
        let value = behind.strip_prefix("=\"")?;
        let (value, behind) = value.split_at_checked(memchr::memchr2(b'"', b'\\', value.as_bytes())?)?;
        let behind = behind.strip_prefix('"').filter(|_| !name.starts_with('"'))?;
        Some((name, value, behind.strip_prefix(',').unwrap_or(behind)))
    }

    /// Whether every name is legal without quotes.
    pub fn are_legal(&self) -> bool {
        Self::is_legal_text(&self.0)
    }

    /// The same of a text that is not held as labels.
    pub fn is_legal_text(text: &str) -> bool {
        // The first byte tells of the first name; of the others a comma in front of a quote, which may as well be in a value.
        let has_none = !text.starts_with('"') && memchr::memmem::find(text.as_bytes(), b",\"").is_none();
        has_none || Self::iter_text(text).all(|(name, _)| is_label_name(&name))
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, what a label name may be without quotes.
pub fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, what a metric name may be without quotes.
pub fn is_metric_name(name: &str) -> bool {
    // Asked for every line of a scrape, so without a branch for each byte, and such that it is done for many of them at a time.
    let is_legal = |byte: u8| (byte | 0x20).wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'0') < 11 || byte == b'_';
    let are_legal = name.bytes().fold(true, |legal, byte| legal & is_legal(byte));
    are_legal && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

// Equal and hashed as its text is, so that a set of labels can be asked for a text.
impl Borrow<str> for Labels {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Appends one label, separated by a comma from what is there, its value, and a name that is not legal, in quotes and escaped
/// as all text formats ask for: `\`, `"` and line feed, nothing else (conformance L-07, F-04).
pub fn push_label(text: &mut String, name: &str, value: &str) {
    push_label_as(text, name, is_label_name(name), value);
}

/// The same where it is known whether the name [is legal](is_label_name).
pub fn push_label_as(text: &mut String, name: &str, is_legal: bool, value: &str) {
    text.reserve(name.len() + value.len() + 4);
    if !text.is_empty() {
        text.push(',');
    }
    if is_legal {
        text.push_str(name);
    } else {
        push_quoted(text, name);
    }
    text.push('=');
    push_quoted(text, value);
}

fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    let mut rest = value;
    while let Some(at) = memchr::memchr3(b'\\', b'"', b'\n', rest.as_bytes()) {
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

/// What stands in front of the closing quote, without escapes, and what is behind.
fn quoted_text(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut end = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
    if text.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    while text.as_bytes()[end] == b'\\' {
        let behind = end + 2;
        end = behind + memchr::memchr2(b'"', b'\\', text.as_bytes().get(behind..)?)?;
    }
    Some((Cow::Owned(unescape(&text[..end])), &text[end + 1..]))
}

fn unescape(value: &str) -> String {
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
    plain
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
            ("\\", "1\",b=\"2"),
            ("a.\"=\",b", "x"),
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
        let back: Vec<_> = labels.iter().collect();
        assert_eq!(back, pairs.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn f_04_names_that_are_not_legal_stand_in_quotes() {
        for (name, expected, legal) in [
            ("a_b", "a_b=\",\\\"\"", true),
            ("a.b", "\"a.b\"=\",\\\"\"", false),
            ("a:b", "\"a:b\"=\",\\\"\"", false),
            ("5x", "\"5x\"=\",\\\"\"", false),
            ("", "\"\"=\",\\\"\"", false),
        ] {
            let mut text = String::new();
            push_label(&mut text, name, ",\"");
            assert_eq!(text, expected);
            let mut behind = "a=\",\"".to_owned();
            push_label(&mut behind, name, "");
            assert_eq!(
                [Labels::from_text(&text), Labels::from_text(&behind)].map(|labels| labels.are_legal()),
                [legal; 2]
            );
        }
    }
}
