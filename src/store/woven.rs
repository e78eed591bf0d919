use std::hash::BuildHasher;
use std::ops::Range;
use std::str::Chars;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arcstr::ArcStr;
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;

use super::Source;
use super::interner::{Growth, Interner};

/// The labels of a series in two parts, each held once for all series that have it: its own, which those of other sources have too,
/// and those that series of its source have in common. A part is in pieces: they take turns, its own first (see [`join`]).
#[derive(Debug)]
pub(super) struct Woven {
    own: ArcStr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Arc<Source>,
    part: Box<str>,
}

impl Woven {
    pub(super) fn source(&self) -> &Arc<Source> {
        &self.shared.source
    }

    /// Whether they are the labels of that text.
    pub(super) fn are(&self, text: &str) -> bool {
        let mut rest = Some(text);
        self.for_each_piece(|piece| rest = rest.and_then(|rest| rest.strip_prefix(piece)));
        rest.is_some_and(str::is_empty)
    }

    /// Appends the text of the labels.
    #[inline]
    pub(super) fn append_to(&self, text: &mut String) {
        text.reserve(self.own.len() + self.shared.part.len());
        self.for_each_piece(|piece| text.push_str(piece));
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.append_to(&mut text);
        text
    }

    /// Calls `f` with the pieces in their order. No iterator, which would have to remember whose turn it is: a scrape does this for
    /// every series.
    #[inline]
    fn for_each_piece<'a>(&'a self, mut f: impl FnMut(&'a str)) {
        let (mut own, mut shared) = (Pieces::of(&self.own), Pieces::of(&self.shared.part));
        // Where one has no more, what is left of the other.
        loop {
            let Some(piece) = own.next() else {
                return shared.for_each(f);
            };
            f(piece);
            let Some(piece) = shared.next() else {
                return own.for_each(f);
            };
            f(piece);
        }
    }
}

/// The pieces of a part.
struct Pieces<'a> {
    lengths: Chars<'a>,
    text: &'a str,
}

impl<'a> Pieces<'a> {
    #[inline]
    fn of(part: &'a str) -> Self {
        let mut rest = part.chars();
        let length = rest.next().map_or(0, length);
        let (lengths, text) = rest.as_str().split_at_checked(length).unwrap_or_default();
        Self {
            lengths: lengths.chars(),
            text,
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let length = length(self.lengths.next()?);
        let (piece, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        Some(piece)
    }
}

/// A part as one text: how many bytes of lengths there are, the lengths, and the pieces one behind the other. `None` where one of them
/// is too long.
fn join(pieces: &[&str]) -> Option<String> {
    let lengths = || pieces.iter().map(|piece| character(piece.len()));
    let length = lengths().try_fold(0, |sum, length| Some(sum + length?.len_utf8()))?;
    let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut part = String::with_capacity(char::MAX_LEN_UTF8 + length + bytes);
    part.push(character(length)?);
    part.extend(lengths().flatten());
    pieces.iter().for_each(|piece| part.push_str(piece));
    Some(part)
}

/// There are no characters from here on,
const GAP: usize = 0xD800;
/// so many.
const GAP_LENGTH: usize = 0x800;
/// As many as there are others.
const LONGEST: usize = char::MAX as usize - GAP_LENGTH;

/// The character that stands for a length.
fn character(length: usize) -> Option<char> {
    let number = if length < GAP {
        length
    } else {
        length.checked_add(GAP_LENGTH)?
    };
    char::from_u32(u32::try_from(number).ok()?)
}

#[inline]
fn length(character: char) -> usize {
    let number = character as usize;
    if number < GAP { number } else { number - GAP_LENGTH }
}

/// The parts that are held.
#[derive(Debug, Default)]
pub(super) struct Weaver {
    own: Interner<ArcStr>,
    shared: Mutex<HeldShared>,
    hasher: DefaultHashBuilder,
    /// Whether a series has gone since the last look at what nobody has any more.
    dropped: AtomicBool,
}

impl Weaver {
    /// The labels of that text, of which the `shared` ranges are what other series of the source have too: whole labels, in order.
    pub(super) fn weave(&self, source: &Arc<Source>, text: &str, shared: &[Range<usize>]) -> Woven {
        let (own, shared) = split(text, shared).unwrap_or_else(|| whole(text));
        Woven {
            own: self.own.intern(&own).0,
            shared: self.shared(source, &shared),
        }
    }

    fn shared(&self, source: &Arc<Source>, part: &str) -> Arc<Shared> {
        let hash = self.hasher.hash_one((Arc::as_ptr(source), part));
        let mut held = self.shared.lock();
        let mut found = None;
        let is_it = |(_, other): &(u64, Weak<Shared>)| {
            let other = other.upgrade();
            found = other.filter(|other| Arc::ptr_eq(&other.source, source) && *other.part == *part);
            found.is_some()
        };
        if held.table.find(hash, is_it).is_some()
            && let Some(found) = found
        {
            return found;
        }
        let new = Arc::new(Shared {
            source: Arc::clone(source),
            part: part.into(),
        });
        if held.growth.is_due(held.table.len()) {
            held.prune();
        }
        held.table
            .insert_unique(hash, (hash, Arc::downgrade(&new)), |(hash, _)| *hash);
        new
    }

    /// Labels have been dropped with their series.
    pub(super) fn note_dropped(&self) {
        self.dropped.store(true, Ordering::Relaxed);
    }

    /// Forgets the parts that no series has any more.
    pub(super) fn prune(&self) {
        if !self.dropped.swap(false, Ordering::Relaxed) {
            return;
        }
        self.own.prune();
        self.shared.lock().prune();
    }
}

#[derive(Debug, Default)]
struct HeldShared {
    /// With their hashes. A source is held by its series alone, so not by this.
    table: HashTable<(u64, Weak<Shared>)>,
    growth: Growth,
}

impl HeldShared {
    fn prune(&mut self) {
        self.table.retain(|(_, shared)| shared.strong_count() > 0);
        self.table.shrink_to(0, |(hash, _)| *hash);
        self.growth.pruned(self.table.len());
    }
}

#[cfg(test)]
impl super::Store {
    /// Of labels that are a series' own.
    pub(crate) fn bytes_of_labels(&self) -> usize {
        self.weaver.own.lengths(str::len).iter().sum()
    }
}

/// What lies between the ranges, and what lies in them, each as a part. `None` where they are not what they are to be, or too long.
fn split(text: &str, ranges: &[Range<usize>]) -> Option<(String, String)> {
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    let mut rest = text;
    for range in ranges {
        let gone = text.len() - rest.len();
        let (between, behind) = rest.split_at_checked(range.start.checked_sub(gone)?)?;
        // With the comma behind it.
        let end = (range.len() + 1).min(behind.len());
        let (within, behind) = behind.split_at_checked(end)?;
        own.push(between);
        shared.push(within);
        rest = behind;
    }
    own.push(rest);
    Some((join(&own)?, join(&shared)?))
}

/// All of it as its own, in as many pieces as it takes.
fn whole(text: &str) -> (String, String) {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(LONGEST));
        pieces.push(piece);
        rest = behind;
    }
    // As many as can be written in front, whatever came in one request.
    (join(&pieces).unwrap_or_default(), String::new())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::store::{Identity, Limits, Store};

    /// Texts with what is shared in brackets.
    const ROWS: [&str; 9] = [
        "",
        r#"a="1""#,
        r#"[a="1"]"#,
        r#"a="1",[b="2",c="3"],d="4""#,
        r#"[a="1"],b="2",[c="3"]"#,
        r#"[a="1"],[c="3"]"#,
        r#"a="1,[b="2"],c="",""#,
        r#"a="é\n",[b="\\"],c="x""#,
        r#"a="1",[instance="i",job="j"],k="2",[otel_scope_name="s"],z="3""#,
    ];

    fn row(marked: &str) -> (String, Vec<Range<usize>>) {
        let (mut text, mut ranges) = (String::new(), Vec::new());
        for part in marked.split_inclusive(['[', ']']) {
            text.push_str(part.trim_end_matches(['[', ']']));
            match part.chars().last() {
                Some('[') => ranges.push(text.len()..0),
                Some(']') => ranges.last_mut().unwrap().end = text.len(),
                _ => {}
            }
        }
        (text, ranges)
    }

    fn source(store: &Store) -> Arc<Source> {
        let identity = Identity {
            job: None,
            instance: "".into(),
        };
        store.enter(&identity, Instant::now())
    }

    #[test]
    fn what_is_woven_is_the_text() {
        let store = Store::new(Limits::default(), Instant::now());
        let (source, weaver) = (source(&store), Weaver::default());
        for marked in ROWS {
            let (text, ranges) = row(marked);
            let woven = weaver.weave(&source, &text, &ranges);
            assert_eq!(woven.text(), text, "{marked}");
            for (other, _) in ROWS.map(row) {
                assert_eq!(woven.are(&other), text == other, "{marked} and {other}");
            }
        }
        let long = format!("a=\"{}\"", "é".repeat(LONGEST));
        assert!(weaver.weave(&source, &long, std::slice::from_ref(&(0..3))).are(&long));
        for length in [0, 1, GAP - 1, GAP, LONGEST] {
            assert_eq!(character(length).map(self::length), Some(length));
        }
        assert_eq!(character(LONGEST + 1), None);
        let odd = weaver.weave(&source, "a=\"1\"", &[3..9, 1..2]);
        assert!(odd.are("a=\"1\""));
    }

    #[test]
    fn parts_are_held_once_and_forgotten_with_the_last_who_has_them() {
        let store = Store::new(Limits::default(), Instant::now());
        let (source, weaver) = (source(&store), Weaver::default());
        let (text, ranges) = row(ROWS[8]);
        let (first, second) = (
            weaver.weave(&source, &text, &ranges),
            weaver.weave(&source, &text, &ranges),
        );
        assert!(ArcStr::ptr_eq(&first.own, &second.own) && Arc::ptr_eq(&first.shared, &second.shared));
        let held = |weaver: &Weaver| {
            let own = weaver.own.lengths(str::len);
            (own.len(), weaver.shared.lock().table.len())
        };
        drop(first);
        weaver.note_dropped();
        weaver.prune();
        assert_eq!(held(&weaver), (1, 1));
        drop(second);
        weaver.note_dropped();
        weaver.prune();
        assert_eq!(held(&weaver), (0, 0));
    }
}
