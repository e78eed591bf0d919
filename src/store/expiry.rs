use std::time::Duration;

use super::{ExpiryRule, Limits, Moment};

/// For how long a series is there after a point, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Lifetime(u64);

impl Limits {
    /// The shortest expiry in force; `None` where nothing ever expires.
    pub fn shortest_expiry(&self) -> Option<Duration> {
        let ruled = self.expiry_rules.iter().map(|rule| rule.expiry);
        ruled.chain([self.expiry, self.delta_expiry]).flatten().min()
    }

    /// How long a series of that job and family lives: the first rule that fits wins over both defaults.
    pub(super) fn lifetime(&self, job: Option<&str>, family: &str, accumulates: bool) -> Lifetime {
        let default = if accumulates { self.delta_expiry } else { self.expiry };
        let rule = self
            .expiry_rules
            .iter()
            .find(|rule| rule.fits(job.unwrap_or("")) || rule.fits(family));
        let expiry = rule.map_or(default, |rule| rule.expiry);
        Lifetime(expiry.map_or(u64::MAX, |expiry| u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl ExpiryRule {
    fn fits(&self, name: &str) -> bool {
        let Some((start, rest)) = self.pattern.split_once('*') else {
            return self.pattern == name;
        };
        let Some(mut name) = name.strip_prefix(start) else {
            return false;
        };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return name.ends_with(part);
            }
            // The leftmost place leaves the most for what follows.
            let Some((_, behind)) = name.split_once(part) else {
                return false;
            };
            name = behind;
        }
        true
    }
}

impl Moment {
    /// The last moment of what lives on for `lifetime`.
    pub(super) fn plus(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_rules_hold_the_whole_name_against_the_pattern() {
        for (pattern, fits, does_not) in [
            ("a", &["a"][..], &["", "aa", "A", "b"][..]),
            ("", &[""], &["a"]),
            ("*", &["", "a", "a/b"], &[]),
            ("a*", &["a", "ab"], &["", "ba", "Ab"]),
            ("*a", &["a", "ba", "aa"], &["", "ab"]),
            ("a*b", &["ab", "aab", "abb", "a*b", "abab"], &["a", "b", "aba", "ba"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*ab*", &["ab", "xabx", "aab"], &["a", "b", "ba"]),
            (
                "a*b*c",
                &["abc", "axbxc", "abcbc", "abcc"],
                &["acb", "ac", "bc", "abcd"],
            ),
            ("*a*aa", &["aaa", "baaa", "aabaa"], &["aa", "aab"]),
            ("a**b", &["ab", "axb"], &["a"]),
            ("shop/*", &["shop/", "shop/cart"], &["shop", "x/shop/cart"]),
            ("**", &["", "x"], &[]),
            ("é*", &["é", "éa"], &["e"]),
        ] {
            let rule = ExpiryRule {
                pattern: pattern.into(),
                expiry: None,
            };
            for name in fits {
                assert!(rule.fits(name), "{pattern} {name}");
            }
            for name in does_not {
                assert!(!rule.fits(name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn the_first_rule_that_fits_wins_over_both_defaults() {
        let rule = |pattern: &str, seconds: Option<u64>| ExpiryRule {
            pattern: pattern.into(),
            expiry: seconds.map(Duration::from_secs),
        };
        let limits = Limits {
            expiry: Some(Duration::from_secs(300)),
            delta_expiry: Some(Duration::from_secs(3600)),
            expiry_rules: vec![
                rule("batch*", None),
                rule("*_total", Some(7)),
                rule("", Some(9)),
                rule("batch", Some(1)),
            ],
            ..Limits::default()
        };
        for (job, family, accumulates, expected) in [
            (Some("j"), "g", false, 300_000),
            (Some("j"), "g", true, 3_600_000),
            (Some("j"), "c_total", true, 7_000),
            (Some("batch"), "c_total", true, u64::MAX),
            (Some("j"), "batch", false, u64::MAX),
            (None, "g", false, 9_000),
            (Some(""), "g", false, 9_000),
        ] {
            let lifetime = limits.lifetime(job, family, accumulates);
            assert_eq!(lifetime, Lifetime(expected), "{job:?} {family}");
        }
        assert_eq!(limits.shortest_expiry(), Some(Duration::from_secs(1)));
        assert_eq!(Limits::default().shortest_expiry(), None);
    }
}
