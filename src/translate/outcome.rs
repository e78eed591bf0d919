use std::fmt::Write;

use crate::model::{PointReason, Refused};
use crate::otlp::Kind;

/// How many different details of one kind a message to a sender spells out.
const MAX_DETAILS: usize = 10;
/// A detail quotes names that the sender chose; of very long ones it shows the beginning.
const MAX_DETAIL_CHARS: usize = 400;

/// What a sender should know though nothing was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Attributes with different keys became one label; their values were joined (conformance C-01).
    JoinedAttributes,
    /// An attribute's key leaves no label name; the attribute was dropped (L-04).
    DroppedAttribute,
    /// An attribute's value is an index into a table of strings that metrics do not have; it counts as empty (P-16).
    StringIndex,
    /// A histogram's count is not the total of its buckets; the total was used (H-06).
    CountMismatch,
    /// A point starts after it ends; the start was ignored (T-03).
    StartAfterEnd,
    /// Texts that are not UTF-8 have U+FFFD in place of what is not (L-08).
    ReplacedUtf8,
    /// A resource attribute passes a limit and stays out of `target_info` (B-03).
    OversizedResource,
    /// Metrics of one name have different units; the family has none (K-03).
    UnitConflict,
    /// A JSON object in which no field is known (P-13).
    UnknownFields,
}

impl Advice {
    /// Every kind of advice.
    pub const ALL: [Self; 9] = [
        Self::JoinedAttributes,
        Self::DroppedAttribute,
        Self::StringIndex,
        Self::CountMismatch,
        Self::StartAfterEnd,
        Self::ReplacedUtf8,
        Self::OversizedResource,
        Self::UnitConflict,
        Self::UnknownFields,
    ];

    /// The label of the counter, and the start of the message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JoinedAttributes => "joined_attributes",
            Self::DroppedAttribute => "dropped_attribute",
            Self::StringIndex => "string_index",
            Self::CountMismatch => "count_mismatch",
            Self::StartAfterEnd => "start_after_end",
            Self::ReplacedUtf8 => "replaced_utf8",
            Self::OversizedResource => "oversized_resource",
            Self::UnitConflict => "unit_conflict",
            Self::UnknownFields => "unknown_fields",
        }
    }
}

/// What became of the points of one request.
#[derive(Debug, Default)]
pub struct Outcome {
    accepted: [u64; Kind::WORDS.len()],
    refused: Vec<(PointReason, u64)>,
    advised: Vec<(Advice, u64)>,
    /// Refusals in words, each once.
    refusals: Vec<String>,
    /// Advice in words that is new to the sender.
    advice: Vec<String>,
    /// Accepted points that were older than what is held.
    pub ignored: u64,
    /// Accepted points that met another stream in their series.
    pub collisions: u64,
    /// The metrics that did, each once.
    collided: Vec<String>,
    /// Accepted deltas in front of which something is missing (conformance D-03).
    pub gaps: u64,
}

impl Outcome {
    /// Accepted points by the word of their kind.
    pub fn accepted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::WORDS.into_iter().zip(self.accepted)
    }

    /// Refused points by reason.
    pub fn refused(&self) -> impl Iterator<Item = (PointReason, u64)> {
        self.refused.iter().copied()
    }

    /// How often there was reason for advice, by kind, whether the sender has been told before or not.
    pub fn advised(&self) -> impl Iterator<Item = (Advice, u64)> {
        self.advised.iter().copied()
    }

    /// How many points were accepted.
    pub fn total_accepted(&self) -> u64 {
        self.accepted.iter().sum()
    }

    /// How many points were refused.
    pub fn total_refused(&self) -> u64 {
        self.refused.iter().map(|(_, count)| count).sum()
    }

    /// Refusals as `reason: detail`, each once.
    pub fn refusals(&self) -> impl Iterator<Item = &str> {
        self.refusals.iter().map(String::as_str)
    }

    /// Advice that is new to the sender, as `kind: detail`.
    pub fn advice(&self) -> impl Iterator<Item = &str> {
        self.advice.iter().map(String::as_str)
    }

    /// The metrics of which points met another stream, the first few of them.
    pub fn collided(&self) -> impl Iterator<Item = &str> {
        self.collided.iter().map(String::as_str)
    }

    /// The message of a partial success (conformance P-02); `None` where there is nothing to tell.
    pub fn message(&self) -> Option<String> {
        let refused = self.total_refused();
        let mut message = String::new();
        if refused > 0 {
            let points = if refused == 1 { "point" } else { "points" };
            // Writing to a string cannot fail.
            let _ = write!(message, "{refused} {points} rejected: {}", self.refusals.join("; "));
        }
        if !self.advice.is_empty() {
            let separator = if message.is_empty() { "" } else { "; " };
            let _ = write!(message, "{separator}advice: {}", self.advice.join("; "));
        }
        (!message.is_empty()).then_some(message)
    }

    pub(super) fn accept(&mut self, kind: Kind, points: u64) {
        let word = kind.as_str();
        if let Some(at) = Kind::WORDS.iter().position(|other| *other == word) {
            self.accepted[at] += points;
        }
    }

    /// How much there has been to say: refusals and advice.
    pub(super) fn notes(&self) -> u64 {
        self.total_refused() + self.advised.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// Counts a point of that metric that met another stream in its series.
    pub(super) fn collide(&mut self, metric: &str) {
        self.collisions += 1;
        if self.collided.len() < MAX_DETAILS && !self.collided.iter().any(|known| known == metric) {
            self.collided.push(metric.to_owned());
        }
    }

    pub(super) fn refuse(&mut self, refused: &Refused) {
        count(&mut self.refused, refused.reason);
        note(&mut self.refusals, refused.reason.as_str(), &refused.detail);
    }

    /// Counts advice; spells it out where `is_new`.
    pub(super) fn advise(&mut self, advice: Advice, detail: &str, is_new: bool) {
        count(&mut self.advised, advice);
        if is_new {
            note(&mut self.advice, advice.as_str(), detail);
        }
    }
}

fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().find(|(other, _)| *other == key) {
        Some((_, count)) => *count += 1,
        None => counts.push((key, 1)),
    }
}

fn note(notes: &mut Vec<String>, word: &str, detail: &str) {
    let is_prefix = |note: &String| note.strip_prefix(word).is_some_and(|rest| rest.starts_with(": "));
    if notes.iter().filter(|note| is_prefix(note)).count() >= MAX_DETAILS {
        return;
    }
    let mut text = format!("{word}: ");
    text.extend(detail.chars().take(MAX_DETAIL_CHARS));
    if !notes.contains(&text) {
        notes.push(text);
    }
}
