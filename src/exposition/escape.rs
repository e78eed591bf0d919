use std::borrow::Cow;
use std::fmt::Write;

use super::Escaping;
use crate::model::{Labels, is_label_name, is_metric_name, push_label};

impl Escaping {
    /// The name of a family as it is written. A legal one is left alone by every scheme (conformance F-05).
    pub fn metric_name(self, name: &str) -> Cow<'_, str> {
        match self == Self::AllowUtf8 || is_metric_name(name) {
            true => name.into(),
            false => self.escaped(name, true).into(),
        }
    }

    /// The name of a label as it is written. A colon is not legal in it, and two underscores in front are not its to have
    /// (L-09).
    pub fn label_name(self, name: &str) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || is_label_name(name) {
            return name.into();
        }
        let escaped = self.escaped(name, false);
        match escaped.strip_prefix("__") {
            Some(rest) => format!("_{}", rest.trim_start_matches('_')).into(),
            None => escaped.into(),
        }
    }

    /// The text of a set of labels with their names as they are written, in order again. Where several meet in one name their
    /// values are joined, in byte order of the names that they had (conformance C-06).
    pub fn labels(self, text: &str) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || Labels::is_legal_text(text) {
            return text.into();
        }
        let mut labels: Vec<_> = Labels::iter_text(text)
            .map(|(name, value)| (self.label_name(&name).into_owned(), name, value))
            .collect();
        labels.sort();
        let mut written = String::with_capacity(text.len());
        for same in labels.chunk_by(|a, b| a.0 == b.0) {
            match same {
                [(name, _, value)] => push_label(&mut written, name, value),
                _ if same.iter().all(|(.., value)| value.is_empty()) => {}
                _ => {
                    let values: Vec<&str> = same.iter().map(|(.., value)| &**value).collect();
                    push_label(&mut written, &same[0].0, &values.join(";"));
                }
            }
        }
        written.into()
    }

    fn escaped(self, name: &str, colons: bool) -> String {
        let is_legal = |at: usize, character: char| {
            character.is_ascii_alphabetic()
                || character == '_'
                || (character == ':' && colons)
                || (character.is_ascii_digit() && at > 0)
        };
        let mut escaped = String::with_capacity(name.len() + 8);
        if self == Self::Values {
            escaped.push_str("U__");
        }
        for (at, character) in name.char_indices() {
            match (self, character) {
                (Self::Dots | Self::Values, '_') => escaped.push_str("__"),
                (Self::Dots, '.') => escaped.push_str("_dot_"),
                (_, character) if is_legal(at, character) => escaped.push(character),
                (Self::Dots, _) => escaped.push_str("__"),
                (Self::Values, character) => {
                    // Writing to a string cannot fail.
                    let _ = write!(escaped, "_{:x}_", u32::from(character));
                }
                _ => escaped.push('_'),
            }
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Escaping::{AllowUtf8, Dots, Underscores, Values};

    #[test]
    fn f_05_metric_names() {
        for (name, underscores, dots, values) in [
            (
                "foo.bar_baz/é",
                "foo_bar_baz__",
                "foo_dot_bar__baz____",
                "U__foo_2e_bar__baz_2f__e9_",
            ),
            ("legal_name:x", "legal_name:x", "legal_name:x", "legal_name:x"),
            ("a:b.c", "a:b_c", "a:b_dot_c", "U__a:b_2e_c"),
            ("5xx.count", "_xx_count", "__xx_dot_count", "U___35_xx_2e_count"),
            ("😀", "_", "__", "U___1f600_"),
        ] {
            let found = [Underscores, Dots, Values, AllowUtf8].map(|scheme| scheme.metric_name(name));
            assert_eq!(found, [underscores, dots, values, name]);
        }
    }

    #[test]
    fn f_05_l_09_label_names() {
        for (name, underscores, dots, values) in [
            ("x:y", "x_y", "x__y", "U__x_3a_y"),
            ("x.y", "x_y", "x_dot_y", "U__x_2e_y"),
            ("legal", "legal", "legal", "legal"),
            ("..x", "_x", "_dot__dot_x", "U___2e__2e_x"),
            ("/x", "_x", "_x", "U___2f_x"),
            ("é_name__", "_name__", "_name____", "U___e9___name____"),
        ] {
            let found = [Underscores, Dots, Values, AllowUtf8].map(|scheme| scheme.label_name(name));
            assert_eq!(found, [underscores, dots, values, name]);
        }
    }

    #[test]
    fn c_06_labels_that_meet_are_joined_and_all_are_in_order() {
        for (text, expected) in [
            (r#"a="1",b="2""#, r#"a="1",b="2""#),
            (r#""k.l"="x",k_l="y""#, r#"k_l="x;y""#),
            (r#""k-l"="z","k.l"="x",k_l="\"""#, r#"k_l="z;x;\"""#),
            (r#"A="1","b.c"="2",b_a="3""#, r#"A="1",b_a="3",b_c="2""#),
            (r#""k.l"="",k_l="""#, ""),
            (r#"a=",\"",instance="","x.y"="1""#, r#"a=",\"",instance="",x_y="1""#),
        ] {
            assert_eq!(Underscores.labels(text), expected);
        }
        assert_eq!(AllowUtf8.labels(r#""k.l"="x",k_l="y""#), r#""k.l"="x",k_l="y""#);
    }
}
