use crate::model::{Buckets, ExponentialHistogram};

/// What Prometheus takes for the threshold where the sender gives none (conformance E-05).
const DEFAULT_ZERO_THRESHOLD: f64 = 1e-128;

pub(super) fn zero_threshold(histogram: &ExponentialHistogram<'_>) -> f64 {
    match histogram.zero_threshold {
        given if given > 0.0 => given,
        _ => DEFAULT_ZERO_THRESHOLD,
    }
}

/// Runs of buckets that hold something, each as its distance (the first from 0, the others from the end of the one before) and
/// its length. Prometheus numbers a bucket by its upper bound, OpenTelemetry by its lower one (conformance E-01, E-02).
pub(super) fn spans(buckets: &Buckets<'_>) -> Vec<(i32, u32)> {
    let mut spans: Vec<(i32, u32)> = Vec::new();
    let mut distance = buckets.offset.saturating_add(1);
    let mut is_open = false;
    for count in buckets.counts {
        match (*count, spans.last_mut()) {
            (0, _) => {
                distance += i32::from(!is_open || std::mem::take(&mut is_open));
            }
            (_, Some((_, length))) if is_open => *length += 1,
            _ => {
                spans.push((distance, 1));
                (distance, is_open) = (0, true);
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_01_e_02_spans_are_runs_of_what_holds_something() {
        for (offset, counts, expected) in [
            (0, &[][..], &[][..]),
            (0, &[1], &[(1, 1)]),
            (2, &[2], &[(3, 1)]),
            (3, &[10, 0, 0, 20, 5, 2], &[(4, 1), (2, 3)]),
            (-5, &[1, 1, 0, 1, 0, 0, 0, 1], &[(-4, 2), (1, 1), (3, 1)]),
            (0, &[0, 0, 1], &[(3, 1)]),
        ] {
            assert_eq!(spans(&Buckets { offset, counts }), expected, "{counts:?}");
        }
    }
}
