use std::fmt;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Period;
use crate::dry_run;
use crate::exposition::{Escaping, ExponentialForm, Syntax};
use crate::otlp::Encoding;
use crate::translate::{IdentityConflict, MissingSum, Strategy};

/// What becomes of streams that meet in one series: a matter of the store, or of a label that keeps them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collisions {
    /// The newest sample is shown.
    Latest,
    /// Counters and histograms are added up.
    Sum,
    /// A label keeps them apart.
    Label,
}

/// A value that is one of a few words.
pub(super) trait Choice: Copy + Send + Sync + 'static {
    /// The words and what they mean, in the order of the documentation.
    const WORDS: &'static [(&'static str, Self)];

    fn parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(Self::WORDS.iter().map(|(word, _)| word)).try_map(|word| {
            let found = Self::WORDS.iter().find(|(known, _)| *known == word);
            found.map(|(_, value)| *value).ok_or("unknown")
        })
    }
}

impl Choice for Strategy {
    const WORDS: &'static [(&'static str, Self)] = &{
        let [a, b, c, d] = Self::ALL;
        [(a.as_str(), a), (b.as_str(), b), (c.as_str(), c), (d.as_str(), d)]
    };
}

impl Choice for IdentityConflict {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("exported", Self::Exported),
        ("spec", Self::Spec),
        ("point", Self::Point),
    ];
}

impl Choice for Collisions {
    const WORDS: &'static [(&'static str, Self)] =
        &[("latest", Self::Latest), ("sum", Self::Sum), ("label", Self::Label)];
}

impl Choice for MissingSum {
    const WORDS: &'static [(&'static str, Self)] = &[("refuse", Self::Refuse), ("nan", Self::Nan)];
}

impl Choice for ExponentialForm {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("both", Self::Both),
        ("native", Self::Native),
        ("classic", Self::Classic),
    ];
}

impl Choice for Escaping {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("underscores", Self::Underscores),
        ("dots", Self::Dots),
        ("values", Self::Values),
        ("allow-utf-8", Self::AllowUtf8),
    ];
}

impl Choice for Syntax {
    const WORDS: &'static [(&'static str, Self)] = &{
        let [a, b, c, d, e] = dry_run::FORMATS;
        [(a.0, a.1), (b.0, b.1), (c.0, c.1), (d.0, d.1), (e.0, e.1)]
    };
}

impl Choice for Encoding {
    const WORDS: &'static [(&'static str, Self)] = &[("json", Self::Json), ("protobuf", Self::Protobuf)];
}

/// `--openmetrics2`: whether the format is there for who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnRequest(pub bool);

impl Choice for OnRequest {
    const WORDS: &'static [(&'static str, Self)] = &[("auto", Self(true)), ("off", Self(false))];
}

/// `--invalid-utf8`: whether the bytes are replaced, or the request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceUtf8(pub bool);

impl Choice for ReplaceUtf8 {
    const WORDS: &'static [(&'static str, Self)] = &[("refuse", Self(false)), ("replace", Self(true))];
}

/// `KEY=VALUE`, where the key may hold `=` as well and the value may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<V> {
    /// In front of the last `=`.
    pub key: String,
    /// Behind it.
    pub value: V,
}

impl<V: FromStr<Err: fmt::Display>> FromStr for Pair<V> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.rsplit_once('=').ok_or("a `=` is missing")?;
        if key.is_empty() {
            return Err("nothing stands in front of the `=`".to_owned());
        }
        let value = value.parse().map_err(|error| format!("behind the `=`: {error}"))?;
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

/// The word for a unit in a metric's name; empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitWord(pub String);

impl FromStr for UnitWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match text.bytes().all(is_legal) {
            true => Ok(Self(text.to_owned())),
            false => Err("a word has letters, digits and `_` only"),
        }
    }
}

/// Where a browser's page may be from: `*` for anywhere, or `scheme://host[:port]`, as the header `Origin` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_origin = text.split_once("://").is_some_and(|(scheme, host)| {
            !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '@', ' '])
        });
        match is_origin || text == "*" {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err("an origin is `*`, or scheme and host, such as https://shop.example:8443, without a path"),
        }
    }
}

/// A pattern and how long what it fits is kept.
pub type ExpiryRule = Pair<Period>;
/// A unit and its word.
pub type UnitAlias = Pair<UnitWord>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_words_and_origins() {
        let pair: ExpiryRule = "shop/*=90s".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.to_string().as_str()), ("shop/*", "90s"));
        assert_eq!("a=b=".parse::<UnitAlias>().unwrap().key, "a=b");
        assert_eq!("None=".parse::<UnitAlias>().unwrap().value, UnitWord(String::new()));
        for text in ["", "x", "=5m", "x=", "x=5", "x=soon"] {
            assert!(text.parse::<ExpiryRule>().is_err(), "{text}");
        }
        assert!("x=a b".parse::<UnitAlias>().is_err());
        for text in ["*", "https://shop.example", "http://127.0.0.1:3000", "app://x"] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for text in ["", "shop.example", "https://", "https://x/", "://x", "https://x y"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
