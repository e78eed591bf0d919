use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What came of a window, in one letter: added, added and a gap opened, ignored, refused.
fn put(windows: &mut Option<Windows>, (start, end): (u64, u64)) -> char {
    let window = Window::new(start, end);
    let Some(held) = windows else {
        *windows = Some(Windows::begin(window));
        return '+';
    };
    let place = held.place(window);
    match place {
        Place::Counted => '=',
        Place::Nowhere => 'x',
        _ if held.count(window, place) => 'g',
        _ => '+',
    }
}

#[track_caller]
fn all(rows: &[((u64, u64), char)]) -> Windows {
    let mut windows = None;
    for (at, (window, expected)) in rows.iter().enumerate() {
        assert_eq!(put(&mut windows, *window), *expected, "{at}: {window:?}, {windows:?}");
    }
    windows.unwrap()
}

#[test]
fn d_01_aligned_windows_are_added() {
    let windows = all(&[((10, 20), '+'), ((20, 30), '+'), ((30, 31), '+')]);
    assert_eq!((windows.first, windows.newest(), windows.gaps.len()), (Some(10), 31, 0));
}

#[test]
fn d_02_a_retry_is_ignored_behind_seven_later_windows() {
    let mut rows: Vec<_> = (1..=8).map(|at| ((at * 10, at * 10 + 10), '+')).collect();
    rows.extend((1..=8).map(|at| ((at * 10, at * 10 + 10), '=')));
    rows.push(((90, 100), '+'));
    rows.extend((2..=9).map(|at| ((at * 10, at * 10 + 10), '=')));
    // Not known any more, and still not counted twice.
    rows.push(((10, 20), 'x'));
    all(&rows);
}

#[test]
fn d_02_a_retry_of_what_filled_a_gap_or_came_before_all_is_ignored() {
    all(&[
        ((10, 20), '+'),
        ((40, 50), 'g'),
        ((30, 40), '+'),
        ((30, 40), '='),
        ((5, 10), '+'),
        ((5, 10), '='),
        ((10, 20), '='),
    ]);
}

#[test]
fn d_03_d_04_what_is_late_finds_its_place() {
    let windows = all(&[
        ((10, 20), '+'),
        ((20, 30), '+'),
        ((40, 50), 'g'),
        ((30, 40), '+'),
        ((5, 10), '+'),
        ((25, 28), 'x'),
        ((45, 55), 'x'),
    ]);
    assert_eq!((windows.first, windows.newest(), windows.gaps.len()), (Some(5), 50, 0));
}

#[test]
fn d_04_a_gap_that_is_filled_in_part_keeps_the_rest() {
    let gaps = |windows: &Windows| windows.gaps.iter().map(|gap| (gap.start, gap.end)).collect::<Vec<_>>();
    let windows = all(&[
        ((0, 10), '+'),
        ((10, 20), '+'),
        ((50, 60), 'g'),
        ((30, 40), '+'),
        ((35, 45), 'x'),
        ((25, 35), 'x'),
        ((40, 51), 'x'),
        ((19, 30), 'x'),
        ((20, 50), 'x'),
        ((20, 25), '+'),
        ((48, 50), '+'),
    ]);
    assert_eq!(gaps(&windows), [(25, 30), (40, 48)]);
    let windows = all(&[((10, 20), '+'), ((50, 60), 'g'), ((20, 50), '+'), ((20, 30), 'x')]);
    assert_eq!(gaps(&windows), []);
}

#[test]
fn d_04_what_comes_before_the_first_window_leaves_a_gap_behind_it() {
    let windows = all(&[
        ((40, 50), '+'),
        ((10, 20), 'g'),
        ((30, 41), 'x'),
        ((19, 30), 'x'),
        ((5, 15), 'x'),
        ((20, 40), '+'),
        ((1, 10), '+'),
    ]);
    assert_eq!((windows.first, windows.gaps.len()), (Some(1), 0));
}

#[test]
fn d_04_the_eight_newest_gaps_are_remembered() {
    let mut rows = vec![((10, 15), '+')];
    rows.extend((2..=10).map(|at| ((at * 10, at * 10 + 5), 'g')));
    // Nine gaps: the first was given up.
    rows.push(((15, 20), 'x'));
    rows.push(((17, 18), 'x'));
    let windows = all(&rows);
    assert_eq!(windows.gaps.len(), 8);
    rows.extend((2..10).map(|at| ((at * 10 + 5, at * 10 + 10), '+')));
    assert_eq!(all(&rows).gaps, []);

    // A gap that is split among eight is two of nine.
    let mut rows = vec![((10, 15), '+')];
    rows.extend((2..=9).map(|at| ((at * 10, at * 10 + 5), 'g')));
    rows.extend([
        ((56, 58), '+'),
        ((16, 19), 'x'),
        ((25, 30), '+'),
        ((55, 56), '+'),
        ((58, 60), '+'),
    ]);
    all(&rows);

    // So is the one behind a window before all others; it is the oldest, and given up at once.
    let mut rows = vec![((100, 105), '+')];
    rows.extend((11..=18).map(|at| ((at * 10, at * 10 + 5), 'g')));
    rows.extend([((10, 20), 'g'), ((20, 30), 'x'), ((5, 10), '+'), ((105, 110), '+')]);
    all(&rows);
}

#[test]
fn d_05_without_a_start_what_is_newer_is_added() {
    all(&[
        ((0, 10), '+'),
        ((0, 20), '+'),
        ((0, 18), 'x'),
        ((0, 20), '='),
        ((0, 10), '='),
    ]);
    // It opens no gap, fills none, and nothing lies before it.
    let windows = all(&[
        ((0, 10), '+'),
        ((0, 100), '+'),
        ((5, 8), 'x'),
        ((50, 60), 'x'),
        ((110, 120), 'g'),
        ((0, 105), 'x'),
        ((0, 130), '+'),
        ((100, 110), '+'),
    ]);
    assert_eq!((windows.first, windows.newest()), (None, 130));
    // The first one that has a start keeps it.
    let windows = all(&[((10, 20), '+'), ((0, 30), '+'), ((25, 35), 'x'), ((5, 10), '+')]);
    assert_eq!(windows.first, Some(5));
}

#[test]
fn d_05_a_start_after_the_end_counts_as_none() {
    all(&[
        ((30, 20), '+'),
        ((31, 25), '+'),
        ((40, 24), 'x'),
        ((99, 25), '='),
        ((10, 20), 'x'),
    ]);
    assert_eq!(Window::new(21, 20).start(), 0);
}

#[test]
fn an_empty_window_overlaps_nothing_and_is_counted_once() {
    all(&[
        ((10, 20), '+'),
        ((20, 20), '+'),
        ((20, 20), '='),
        ((20, 30), '+'),
        ((25, 25), 'x'),
    ]);
    let mut rows = vec![((10, 10), '+'), ((20, 20), 'g'), ((15, 15), '+'), ((15, 15), '=')];
    rows.extend((3..12).map(|at| ((at * 10, at * 10), 'g')));
    // Not known any more, and not taken for new.
    rows.extend([((10, 10), 'x'), ((100, 100), '='), ((105, 105), '+')]);
    all(&rows);
    let mut rows = vec![((100, 100), '+'), ((1, 2), 'g')];
    rows.extend((2..12).map(|at| ((at, at + 1), '+')));
    rows.push(((100, 100), '='));
    all(&rows);
    all(&[
        ((10, 20), '+'),
        ((40, 50), 'g'),
        ((20, 20), 'x'),
        ((30, 30), '+'),
        ((20, 30), '+'),
        ((30, 40), '+'),
    ]);
}

#[test]
fn d_06_what_starts_anew_has_nothing_before_it_and_knows_its_retries() {
    let mut windows = all(&[((10, 20), '+'), ((40, 50), 'g')]);
    windows.start_anew(Window::new(60, 70));
    let mut windows = Some(windows);
    for (window, expected) in [
        ((20, 40), 'x'),
        ((50, 60), 'x'),
        ((5, 10), 'x'),
        ((40, 50), '='),
        ((60, 70), '='),
        ((70, 80), '+'),
    ] {
        assert_eq!(put(&mut windows, window), expected, "{window:?}");
    }
}

#[test]
fn d_04_a_conflict_names_both_times() {
    let text = |windows: &Windows, start: u64, end: u64| {
        windows
            .conflict(Window::new(start * 1_000_000_000, end * 1_000_000_000))
            .to_string()
    };
    let windows = Windows::begin(Window::new(10_000_000_000, 50_500_000_000));
    assert_eq!(
        text(&windows, 25, 28),
        "the delta from 1970-01-01T00:00:25Z to 1970-01-01T00:00:28Z overlaps what is counted, or is late and fits no gap \
         in it: from 1970-01-01T00:00:10Z to 1970-01-01T00:00:50.500000000Z; two writers with the same identity show up \
         like this"
    );
    let windows = Windows::begin(Window::new(0, 20_000_000_000));
    let message = text(&windows, 0, 18);
    assert!(
        message.starts_with("the delta up to 1970-01-01T00:00:18Z, of unknown start, overlaps"),
        "{message}"
    );
    assert!(message.contains("all up to 1970-01-01T00:00:20Z;"), "{message}");
    // No time that fits 64 bits is too late for words.
    assert!(
        windows
            .conflict(Window::new(u64::MAX, u64::MAX))
            .to_string()
            .contains("2554-")
    );
}

/// How many stretches lie uncounted between the first and the last of some windows.
fn gaps(counted: &[(u64, u64)]) -> usize {
    let mut sorted = counted.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).filter(|pair| pair[0].1 < pair[1].0).count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The windows of one stream, some with gaps between them, in any order and with retries at any time: each is added once,
    /// while no more gaps are open than are remembered.
    #[test]
    fn d_04_any_order_gives_the_total(
        lengths in vec((1u64..5, prop_oneof![Just(0u64), 1u64..4]), 1..24),
        order in vec(any::<prop::sample::Index>(), 1..80),
    ) {
        let mut at = 100;
        let mut stream: Vec<(u64, u64)> = Vec::new();
        for (length, behind) in lengths {
            stream.push((at, at + length));
            at += length + behind;
        }
        let (mut windows, mut counted) = (None, Vec::new());
        for index in order {
            let window = *index.get(&stream);
            let is_retry = counted.contains(&window);
            let came = put(&mut windows, window);
            if is_retry {
                prop_assert!(came == '=' || came == 'x', "{window:?} twice");
                continue;
            }
            let before = gaps(&counted);
            counted.push(window);
            let after = gaps(&counted);
            prop_assert_eq!(came == 'g', after > before && !is_split(&counted), "{:?}", counted);
            prop_assert!(came == '+' || came == 'g', "{window:?} of {counted:?}: {came}");
            if after > GAPS {
                break;
            }
            prop_assert_eq!(windows.as_ref().unwrap().gaps.len(), after);
        }
        let windows = windows.unwrap();
        prop_assert_eq!(windows.first, counted.iter().map(|window| window.0).min());
        prop_assert_eq!(Some(windows.newest()), counted.iter().map(|window| window.1).max());
    }

    /// Whatever comes, no time is counted twice.
    #[test]
    fn d_04_nothing_that_is_added_overlaps(all in vec((1u64..60, 0u64..8), 1..60)) {
        let (mut windows, mut counted) = (None, Vec::<(u64, u64)>::new());
        for (start, length) in all {
            let window = (start, start + length);
            if matches!(put(&mut windows, window), '+' | 'g') {
                for other in &counted {
                    prop_assert!(window.1 <= other.0 || other.1 <= window.0, "{window:?} and {other:?}");
                    prop_assert_ne!(window, *other);
                }
                counted.push(window);
            }
            prop_assert!(windows.as_ref().unwrap().gaps.len() <= GAPS);
        }
    }
}

/// Whether the last window lies between two others: then it fills a gap, wholly or in part.
fn is_split(counted: &[(u64, u64)]) -> bool {
    let Some((last, others)) = counted.split_last() else {
        return false;
    };
    others.iter().any(|other| other.1 <= last.0) && others.iter().any(|other| last.1 <= other.0)
}
