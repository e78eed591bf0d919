use super::Rules;

/// What the rules make of the keys of attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LabelNaming {
    allows_utf8: bool,
    sanitizes_underscore: bool,
    keeps_underscores: bool,
}

impl LabelNaming {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            allows_utf8: rules.strategy.allows_utf8(),
            sanitizes_underscore: rules.label_name_underscore_sanitization,
            keeps_underscores: rules.label_name_preserve_multiple_underscores,
        }
    }

    /// Appends the label name that `key` becomes behind `prefix`. False if nothing but `_` is left of the key, in whatever
    /// strategy (conformance L-04); what has been appended is worthless then.
    pub(super) fn append(self, text: &mut String, prefix: &str, key: &str) -> bool {
        let start = text.len();
        text.push_str(prefix);
        let own = text.len();
        if !self.allows_utf8 {
            self.escape(text, start, key);
        } else if key.contains('\0') {
            // Prometheus reads none in a name, in quotes or not, and gives up the scrape (conformance F-12).
            text.push_str(&key.replace('\0', "_"));
        } else {
            text.push_str(key);
        }
        if text[own..].bytes().all(|byte| byte == b'_') {
            return false;
        }
        if prefix.is_empty() {
            self.mend_start(text, start, key);
        }
        true
    }

    /// Illegal characters become `_`, runs of `_` become one unless they are to be kept (conformance L-01, L-03).
    fn escape(self, text: &mut String, start: usize, key: &str) {
        for character in key.chars() {
            if character.is_ascii_alphanumeric() {
                text.push(character);
            } else if self.keeps_underscores || !text[start..].ends_with('_') {
                text.push('_');
            }
        }
    }

    /// Names that begin with `__` are Prometheus' own, so one `_` is left of it (conformance L-09). A digit in front gets
    /// `key_` (L-02), and a single `_` gets `key` if that is asked for (L-03): what was reserved does not, as in otlptranslator.
    fn mend_start(self, text: &mut String, start: usize, key: &str) {
        let name = &text[start..];
        let underscores = name.len() - name.trim_start_matches('_').len();
        if underscores > 1 {
            text.replace_range(start..start + underscores, "_");
        }
        if self.allows_utf8 {
            return;
        }
        let was_reserved = underscores > 1 || (key.starts_with("__") && key.ends_with("__"));
        if text[start..].starts_with(|first: char| first.is_ascii_digit()) {
            text.insert_str(start, "key_");
        } else if self.sanitizes_underscore && underscores > 0 && !was_reserved {
            text.insert_str(start, "key");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(naming: LabelNaming, rows: &[(&str, Option<&str>)]) {
        for (key, expected) in rows {
            let mut text = "before".to_owned();
            let legal = naming.append(&mut text, "", key);
            assert_eq!(legal.then(|| &text["before".len()..]), *expected, "{key}");
        }
    }

    #[test]
    fn l_01_l_02_l_03_l_04_names() {
        check(
            LabelNaming::default(),
            &[
                ("http.request.method", Some("http_request_method")),
                ("a-b", Some("a_b")),
                ("x:y", Some("x_y")),
                ("5xx", Some("key_5xx")),
                ("_foo", Some("_foo")),
                ("_5", Some("_5")),
                ("a..b", Some("a_b")),
                ("a.", Some("a_")),
                ("__x__", Some("_x_")),
                ("..x", Some("_x")),
                ("éa", Some("_a")),
                ("", None),
                ("é", None),
                ("ключ", None),
                ("___", None),
            ],
        );
    }

    #[test]
    fn l_03_with_the_switches_of_the_prometheus_server() {
        let sanitizes = LabelNaming {
            sanitizes_underscore: true,
            ..LabelNaming::default()
        };
        let keeps = LabelNaming {
            keeps_underscores: true,
            ..LabelNaming::default()
        };
        let both = LabelNaming {
            sanitizes_underscore: true,
            ..keeps
        };
        check(
            sanitizes,
            &[
                ("_foo", Some("key_foo")),
                (".foo", Some("key_foo")),
                ("__foo", Some("key_foo")),
                ("__foo__", Some("_foo_")),
                ("a..b", Some("a_b")),
                ("5xx", Some("key_5xx")),
                ("é", None),
            ],
        );
        check(
            keeps,
            &[
                ("_foo", Some("_foo")),
                ("a..b", Some("a__b")),
                ("aéb__", Some("a_b__")),
                ("aключb", Some("a____b")),
                ("__foo__", Some("_foo__")),
                ("..name__", Some("_name__")),
                ("ключ", None),
            ],
        );
        check(
            both,
            &[
                ("_foo", Some("key_foo")),
                ("a..b", Some("a__b")),
                ("__foo__", Some("_foo__")),
                ("5__", Some("key_5__")),
            ],
        );
    }

    #[test]
    fn v_01_names_stay_where_utf_8_is_allowed_but_for_l_09() {
        let naming = LabelNaming {
            allows_utf8: true,
            sanitizes_underscore: true,
            keeps_underscores: true,
        };
        check(
            naming,
            &[
                ("http.request.method", Some("http.request.method")),
                ("ключ", Some("ключ")),
                ("5xx", Some("5xx")),
                ("_foo", Some("_foo")),
                ("__x__", Some("_x__")),
                ("___é", Some("_é")),
                ("a b\"\n", Some("a b\"\n")),
                ("", None),
                ("_", None),
                ("___", None),
            ],
        );
    }

    #[test]
    fn s_01_behind_a_prefix() {
        for (naming, key, expected) in [
            (LabelNaming::default(), "_name", "p_name"),
            (LabelNaming::default(), "5xx", "p_5xx"),
            (
                LabelNaming {
                    keeps_underscores: true,
                    sanitizes_underscore: true,
                    ..LabelNaming::default()
                },
                "_name",
                "p__name",
            ),
            (
                LabelNaming {
                    allows_utf8: true,
                    ..LabelNaming::default()
                },
                "a.b",
                "p_a.b",
            ),
        ] {
            let mut text = String::new();
            assert!(naming.append(&mut text, "p_", key));
            assert_eq!(text, expected);
            assert!(!naming.append(&mut text, "p_", "__"));
        }
    }
}
