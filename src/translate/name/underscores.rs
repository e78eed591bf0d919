use super::Suffix;
use crate::translate::unit::Words;

/// The name of the strategy `UnderscoreEscapingWithSuffixes`: what is not legal separates words, words are joined with `_`,
/// then come unit and suffix, each once (conformance N-01 to N-12). `None` where nothing is left.
///
/// The rules are those of the specification, but where names that everybody else produces differ from it: a unit that
/// stands anywhere in the name is not added again (N-05), and an inner `total` or `ratio` moves to the end (N-07, N-08).
pub(super) fn with_suffixes(name: &str, unit: &Words, suffix: Suffix) -> Option<String> {
    let mut words: Vec<&str> = words(name).collect();
    if words.is_empty() {
        return None;
    }
    let last = suffix.word(unit);
    match suffix {
        // Of an info only the end is its type: `info.of.build` says what it is about.
        Suffix::Info => drop_end(&mut words, &["info"]),
        _ => words.retain(|word| Some(*word) != last),
    }
    let rate = unit.rate();
    drop_end(&mut words, &rate);
    let main = unit.main.as_str();
    if !main.is_empty() && Some(main) != last && !words.contains(&main) {
        words.push(main);
    }
    for suffix in rate.into_iter().chain(last) {
        // An underscore at the end of an odd unit would double the one that joins (N-09).
        if let Some(before) = words.last_mut() {
            *before = before.trim_end_matches('_');
        }
        words.push(suffix);
    }
    Some(words.join("_"))
}

/// The text in words that are joined with `_`; `None` where nothing is left.
pub(super) fn collapsed(text: &str) -> Option<String> {
    let words: Vec<&str> = words(text).collect();
    (!words.is_empty()).then(|| words.join("_"))
}

/// The name of the strategy `UnderscoreEscapingWithoutSuffixes`: underscores stay where they are, and what is not legal
/// separates words (conformance N-10). `None` where nothing but underscores is left.
pub(super) fn alone(name: &str) -> Option<String> {
    let words: Vec<&str> = name
        .split(|character: char| character != '_' && !is_word(character))
        .filter(|word| !word.is_empty())
        .collect();
    let has_name = words.iter().any(|word| word.contains(is_word));
    has_name.then(|| words.join("_"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word(character))
        .filter(|word| !word.is_empty())
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == ':'
}

fn drop_end(words: &mut Vec<&str>, end: &[&str]) {
    if words.ends_with(end) {
        words.truncate(words.len() - end.len());
    }
}
