use super::Suffix;
use crate::translate::unit::Words;

/// The name of the strategy `NoUTF8EscapingWithSuffixes`: as it is, with unit and suffix behind, each once. A suffix that is
/// there behind any delimiter is put there anew with `_`, a unit stays; neither is looked for further inside (conformance
/// N-13). `None` where there is no name.
pub(super) fn with_suffixes(name: &str, unit: &Words, suffix: Suffix) -> Option<String> {
    let mut name = Some(name).filter(|name| !name.is_empty());
    name?;
    let last = suffix.word(unit);
    if let Some(last) = last {
        take_off(&mut name, last);
    }
    if !unit.per.is_empty() {
        take_off_rate(&mut name, &unit.per);
    }
    let main = unit.main.as_str();
    let has_main = name.is_some_and(|name| name == main || before(name, main).is_some());
    let mut words: Vec<&str> = name.into_iter().collect();
    if !main.is_empty() && !has_main {
        words.push(main);
    }
    if !unit.per.is_empty() {
        words.extend(["per", unit.per.as_str()]);
    }
    words.extend(last);
    Some(words.join("_"))
}

/// The text as it is; `None` where there is none.
pub(super) fn alone(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Takes a suffix and its delimiter off; of a name that is just the suffix nothing is left.
fn take_off(name: &mut Option<&str>, suffix: &str) {
    *name = name
        .filter(|name| *name != suffix)
        .map(|name| before(name, suffix).unwrap_or(name));
}

fn take_off_rate(name: &mut Option<&str>, per: &str) {
    let Some(rest) = name.and_then(|name| before(name, per)) else {
        return;
    };
    if rest == "per" {
        *name = None;
    } else if let Some(stem) = before(rest, "per") {
        *name = Some(stem);
    }
}

/// What stands in front of a suffix and the delimiter between them: any character but a letter, a digit and `:`. So
/// `subtotal` has no suffix `total`.
fn before<'n>(name: &'n str, suffix: &str) -> Option<&'n str> {
    name.strip_suffix(suffix)?
        .strip_suffix(|delimiter: char| !delimiter.is_alphanumeric() && delimiter != ':')
}
