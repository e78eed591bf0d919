use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// How many of the windows that were counted last are known again. A retry may come behind later ones (conformance D-02).
const RECENT: usize = 8;
/// How many gaps are remembered; older ones are given up (D-04).
const GAPS: usize = 8;

/// The time that one delta counts: after `start`, up to and including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Window {
    /// 0 where unknown.
    start: u64,
    end: u64,
}

/// What a delta series has counted of time, and what it has not: its gaps, and the time before its first window.
#[derive(Debug)]
pub(super) struct Windows {
    /// The start of the first window; `None` where nothing can come before it (D-05, D-06).
    first: Option<u64>,
    /// The end of the newest window.
    newest: u64,
    /// Whether that one is empty: another like it would lie behind it as well.
    is_newest_empty: bool,
    /// What was not counted between the two, in order of time.
    gaps: Vec<Window>,
    recent: [Window; RECENT],
    /// Where the next of them is written.
    next: usize,
}

/// Where a window belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It was counted already.
    Counted,
    /// Behind all others.
    Next,
    /// Before the first.
    Before,
    /// Into the gap of that number.
    Gap(usize),
    /// It overlaps counted time, or comes too late.
    Nowhere,
}

impl Window {
    /// A start after the end counts as unknown (conformance D-05, T-03).
    pub(super) fn new(start: u64, end: u64) -> Self {
        let start = if start > end { 0 } else { start };
        Self { start, end }
    }

    pub(super) fn start(self) -> u64 {
        self.start
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether it lies wholly inside the time from `from` to `to`. An empty window at an edge of it lies as well in what is
    /// next to it, and would be taken for new each time it comes.
    fn lies_in(self, from: u64, to: u64) -> bool {
        if self.is_empty() {
            from < self.start && self.end < to
        } else {
            from <= self.start && self.end <= to
        }
    }
}

impl Windows {
    /// Of a stream that begins with `window`.
    pub(super) fn begin(window: Window) -> Self {
        let mut windows = Self::restart(window);
        windows.first = (window.start != 0).then_some(window.start);
        windows
    }

    /// The same where nothing can come before it, since what was there is counted or void.
    pub(super) fn restart(window: Window) -> Self {
        let mut windows = Self {
            first: None,
            newest: window.end,
            is_newest_empty: window.is_empty(),
            gaps: Vec::new(),
            recent: [Window::default(); RECENT],
            next: 0,
        };
        windows.remember(window);
        windows
    }

    /// Begins anew with `window`, as [`Windows::restart`], but still knows what was counted.
    pub(super) fn start_anew(&mut self, window: Window) {
        self.first = None;
        self.newest = window.end;
        self.is_newest_empty = window.is_empty();
        self.gaps = Vec::new();
        self.remember(window);
    }

    /// The end of the newest window.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Where a window belongs (conformance D-02 to D-05).
    pub(super) fn place(&self, window: Window) -> Place {
        let is_newest = window.is_empty() && window.end == self.newest && self.is_newest_empty;
        if is_newest || self.recent.contains(&window) {
            return Place::Counted;
        }
        if window.start == 0 {
            // Nothing tells which time it counts (D-05).
            return if window.end > self.newest {
                Place::Next
            } else {
                Place::Nowhere
            };
        }
        if window.start >= self.newest {
            return Place::Next;
        }
        if self.first.is_some_and(|first| window.lies_in(0, first)) {
            return Place::Before;
        }
        let gap = self.gaps.iter().position(|gap| window.lies_in(gap.start, gap.end));
        gap.map_or(Place::Nowhere, Place::Gap)
    }

    /// Counts a window where it belongs; whether a gap opens.
    pub(super) fn count(&mut self, window: Window, place: Place) -> bool {
        let is_open = match place {
            Place::Counted | Place::Nowhere => return false,
            Place::Next => {
                let before = std::mem::replace(&mut self.newest, window.end);
                self.is_newest_empty = window.is_empty();
                self.open(self.gaps.len(), before, window.start)
            }
            Place::Before => {
                let first = self.first.replace(window.start).unwrap_or(window.end);
                self.open(0, window.end, first)
            }
            Place::Gap(at) => {
                // What is left of it stays; it is no new one.
                if at < self.gaps.len() {
                    let gap = self.gaps.remove(at);
                    self.open(at, window.end, gap.end);
                    self.open(at, gap.start, window.start);
                }
                false
            }
        };
        let given_up = self.gaps.len().saturating_sub(GAPS);
        self.gaps.drain(..given_up);
        self.remember(window);
        is_open
    }

    /// Why a window is refused.
    pub(super) fn conflict(&self, window: Window) -> Conflict<'_> {
        Conflict { window, counted: self }
    }

    fn open(&mut self, at: usize, start: u64, end: u64) -> bool {
        let is_open = start < end;
        if is_open {
            self.gaps.insert(at, Window { start, end });
        }
        is_open
    }

    fn remember(&mut self, window: Window) {
        if let Some(oldest) = self.recent.get_mut(self.next) {
            *oldest = window;
        }
        self.next = (self.next + 1) % RECENT;
    }
}

/// A window that fits nowhere, in words.
pub(super) struct Conflict<'a> {
    window: Window,
    counted: &'a Windows,
}

impl fmt::Display for Conflict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |nanos| humantime::format_rfc3339(UNIX_EPOCH + Duration::from_nanos(nanos));
        let Window { start, end } = self.window;
        match start {
            0 => write!(f, "the delta up to {}, of unknown start,", time(end))?,
            _ => write!(f, "the delta from {} to {}", time(start), time(end))?,
        }
        f.write_str(" overlaps what is counted, or is late and fits no gap in it: ")?;
        match self.counted.first {
            Some(first) => write!(f, "from {} to {}", time(first), time(self.counted.newest))?,
            None => write!(f, "all up to {}", time(self.counted.newest))?,
        }
        f.write_str("; two writers with the same identity show up like this")
    }
}

#[cfg(test)]
mod tests;
