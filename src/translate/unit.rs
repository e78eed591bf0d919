use super::Rules;

/// The words for a UCUM unit, as they stand in a metric's name: the main unit and, behind `per_`, the one it is divided by.
/// Both may be empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) main: String,
    pub(super) per: String,
    /// Whether the unit is `1`, and no alias says otherwise: a gauge of it is a ratio (conformance N-08).
    pub(super) is_one: bool,
}

/// Splits at the first slash (`By/s/s` is bytes per `s_s`), drops annotations in braces and translates the rest
/// (conformance N-02, N-03, N-04, N-09). Characters are cleaned up where the strategy does so with names.
///
/// An alias is looked for first: of the whole unit, then of each side of a rate, each time as it was sent and then without
/// annotations (so `{request}=requests` works too). Its word stands as given, after the same clean-up; an empty one removes
/// the unit, or that side of it. Of two aliases for one unit the first counts.
pub(super) fn words(unit: &str, rules: &Rules) -> Words {
    let cleaned = |word: &str| {
        if rules.strategy.allows_utf8() {
            word.to_owned()
        } else {
            clean(word)
        }
    };
    let alias = |unit: &str| {
        let bare = without_annotations(unit);
        let bare = bare.trim();
        let of = |unit: &str| rules.unit_aliases.iter().find(|(name, _)| name == unit);
        of(unit).or_else(|| of(bare)).map(|(_, word)| cleaned(word))
    };
    let unit = unit.trim();
    if let Some(main) = alias(unit) {
        return Words {
            main,
            per: String::new(),
            is_one: false,
        };
    }
    let word = |side: &str, table: fn(&str) -> Option<&'static str>| {
        let side = side.trim();
        alias(side).unwrap_or_else(|| {
            let bare = without_annotations(side);
            let bare = bare.trim();
            table(bare).map_or_else(|| cleaned(bare), str::to_owned)
        })
    };
    let (main, per) = sides(unit);
    Words {
        main: word(main, main_word),
        per: word(per, per_word).trim_end_matches('_').to_owned(),
        is_one: unit == "1",
    }
}

impl Words {
    /// The words that stand behind the main unit of a rate; none where it is no rate.
    pub(super) fn rate(&self) -> Vec<&str> {
        match &*self.per {
            "" => Vec::new(),
            per => std::iter::once("per").chain(per.split('_')).collect(),
        }
    }

    /// The unit as metadata has it: `bytes_per_second`.
    pub(super) fn joined(&self) -> String {
        let (main, per) = (self.main.trim_matches('_'), &self.per);
        match (main, &**per) {
            (main, "") => main.to_owned(),
            ("", per) => format!("per_{per}"),
            (main, per) => format!("{main}_per_{per}"),
        }
    }
}

/// What stands in front of the first slash outside of annotations, and what stands behind.
fn sides(unit: &str) -> (&str, &str) {
    let mut depth = 0usize;
    let slash = unit.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b'/' && depth == 0
    });
    match slash {
        Some(at) => (&unit[..at], &unit[at + 1..]),
        None => (unit, ""),
    }
}

fn main_word(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        // UCUM has kBy; the table of otlptranslator has KBy, which applications have learned to send.
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        "1" => "",
        _ => return None,
    })
}

/// `m` divides by minutes here, as everywhere else that names are made from units, though UCUM's `m` is the metre.
fn per_word(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => return None,
    })
}

fn without_annotations(unit: &str) -> String {
    let mut depth = 0usize;
    unit.chars()
        .filter(|character| match character {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// A unit that nobody has a word for, in the characters of a name. One underscore may be left at its end.
fn clean(unit: &str) -> String {
    let mut word = String::with_capacity(unit.len());
    for character in unit.chars() {
        if character.is_ascii_alphanumeric() || character == ':' {
            word.push(character);
        } else if !word.is_empty() && !word.ends_with('_') {
            word.push('_');
        }
    }
    word
}
