/// The words for a UCUM unit, as they stand in a metric's name: the main unit and, behind `per_`, the one it is divided by.
/// Both may be empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) main: String,
    pub(super) per: String,
}

/// Splits at the first slash (`By/s/s` is bytes per `s_s`), drops annotations in braces and translates the rest
/// (conformance N-02, N-03, N-04, N-09).
pub(super) fn words(unit: &str) -> Words {
    let unit = without_annotations(unit);
    let (main, per) = unit.split_once('/').unwrap_or((&unit, ""));
    let (main, per) = (main.trim(), per.trim());
    Words {
        main: main_word(main).map_or_else(|| clean(main), str::to_owned),
        per: per_word(per)
            .map_or_else(|| clean(per), str::to_owned)
            .trim_end_matches('_')
            .to_owned(),
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
