use super::*;
use crate::model::{Exponential, Histogram, Labels, Number, Value};

fn exemplar(value: f64, time: u64) -> Exemplar {
    Exemplar {
        trace_id: None,
        span_id: None,
        attributes: Labels::default(),
        value: Number::Double(value),
        time_unix_nano: time,
    }
}

fn with_id(value: f64, time: u64, id: u8) -> Exemplar {
    Exemplar {
        span_id: Some([id; 8]),
        ..exemplar(value, time)
    }
}

fn explicit(bounds: &[f64]) -> Value {
    Value::from(Sample::Histogram(Histogram {
        bounds,
        counts: &vec![0; bounds.len() + 1],
        sum: None,
    }))
}

fn exponential(scale: i32, zero_threshold: f64) -> Value {
    Value::Exponential(Box::new(Exponential {
        scale,
        zero_threshold,
        ..Exponential::default()
    }))
}

fn counter() -> Value {
    Value::from(Sample::Number(Number::Int(1)))
}

fn keep(value: &Value, all: impl IntoIterator<Item = Exemplar>) -> KeptExemplars {
    let mut kept = KeptExemplars::default();
    for exemplar in all {
        kept.keep(value, &exemplar);
    }
    kept
}

/// Values and times.
fn rows(exemplars: &[Exemplar]) -> Vec<(f64, u64)> {
    exemplars
        .iter()
        .map(|exemplar| (exemplar.value.as_f64(), exemplar.time_unix_nano))
        .collect()
}

#[test]
fn x_07_a_counter_keeps_the_newest_ten_oldest_first() {
    let times = [5, 3, 20, 11, 1, 7, 30, 2, 9, 4, 6, 8];
    let kept = keep(&counter(), times.map(|time| exemplar(time as f64, time)));
    let expected = [3, 4, 5, 6, 7, 8, 9, 11, 20, 30].map(|time| (time as f64, time));
    assert_eq!(rows(&kept.newest), expected);
    assert_eq!(kept.by_bucket, []);
}

#[test]
fn x_07_of_equal_times_the_one_that_came_last_is_the_newest() {
    let kept = keep(&counter(), (0..12).map(|id| with_id(1.0, 5, id)));
    let ids: Vec<_> = kept.newest.iter().filter_map(|exemplar| exemplar.span_id).collect();
    assert_eq!(ids, (2..12).map(|id| [id; 8]).collect::<Vec<_>>());
}

#[test]
fn x_07_what_is_sent_again_pushes_nothing_out() {
    let labelled = Exemplar {
        attributes: Labels::from_text("a=\"1\""),
        ..exemplar(f64::NAN, 1)
    };
    let same = [exemplar(1.0, 1), with_id(1.0, 1, 1), exemplar(f64::NAN, 1), labelled];
    let kept = keep(&counter(), (0..9).flat_map(|_| same.clone()));
    assert_eq!(kept.newest.len(), 4);
}

#[test]
fn x_02_x_07_an_explicit_bucket_keeps_its_latest() {
    let kept = keep(
        &explicit(&[1.0, 10.0]),
        [
            exemplar(99.0, 8),
            exemplar(0.5, 5),
            exemplar(0.7, 9),
            exemplar(0.1, 8),
            exemplar(10.0, 7),
            exemplar(f64::NAN, 99),
            exemplar(f64::INFINITY, 8),
            exemplar(f64::NEG_INFINITY, 1),
            exemplar(1.0, 9),
            exemplar(1.0000001, 0),
        ],
    );
    // On the bound is inside; of equal times the last one stays.
    assert_eq!(rows(&kept.by_bucket), [(1.0, 9), (10.0, 7), (f64::INFINITY, 8)]);
    assert_eq!(kept.newest, []);
    let kept = keep(&explicit(&[]), [exemplar(3.0, 2), exemplar(-3.0, 3), exemplar(4.0, 1)]);
    assert_eq!(rows(&kept.by_bucket), [(-3.0, 3)]);
}

#[test]
fn x_07_whole_numbers_are_values_too() {
    let whole = Exemplar {
        value: Number::Int(7),
        ..exemplar(0.0, 2)
    };
    let kept = keep(&explicit(&[1.0, 5.0]), [exemplar(0.5, 1), whole, exemplar(6.5, 1)]);
    assert_eq!(rows(&kept.by_bucket), [(0.5, 1), (7.0, 2)]);
}

#[test]
fn x_07_an_exponential_bucket_of_the_classic_form_keeps_its_latest() {
    let values = [
        -8.0,
        -7.9,
        -4.0,
        -3.9,
        -0.1,
        0.0,
        0.1,
        0.5,
        1.0,
        1.1,
        2.0,
        2.1,
        4.0,
        f64::INFINITY,
    ];
    let all = || values.iter().zip(1..).map(|(value, time)| exemplar(*value, time));
    let kept = |scale, threshold| {
        let kept = keep(&exponential(scale, threshold), all());
        kept.by_bucket
            .iter()
            .map(|kept| kept.value.as_f64())
            .collect::<Vec<_>>()
    };
    // Buckets are (lower, upper] below zero too: -4 is in (-8, -4], -3.9 in (-4, -2].
    let powers_of_2 = [-8.0, -4.0, -3.9, -0.1, 0.0, 0.1, 0.5, 1.0, 2.0, 4.0, f64::INFINITY];
    assert_eq!(kept(0, 0.0), powers_of_2);
    assert_eq!(kept(8, 0.0), powers_of_2, "however fine the scale is");
    // Of 4 = 2^2.
    assert_eq!(kept(-1, 0.0), [-4.0, -3.9, -0.1, 0.0, 0.1, 1.0, 4.0, f64::INFINITY]);
    // What counts as zero is one bucket.
    assert_eq!(kept(0, 0.1), [-8.0, -4.0, -3.9, 0.1, 0.5, 1.0, 2.0, 4.0, f64::INFINITY]);
    assert_eq!(kept(0, 1.5), [-8.0, -4.0, -3.9, 1.1, 2.0, 4.0, f64::INFINITY]);
}

#[test]
fn x_07_the_edges_of_classic_buckets_are_exact() {
    for power in -1074..=1023 {
        let value = if power < -1022 {
            f64::from_bits(1 << (power + 1074))
        } else {
            f64::from_bits(((power + 1023) as u64) << 52)
        };
        assert_eq!(exponent(value), (power, true));
        if power < -1072 {
            continue; // Next to each other.
        }
        let bucket = |value| classic_bucket(value, 0.0, 0);
        assert_eq!(bucket(value.next_down()), bucket(value), "inside, up to the bound");
        assert_eq!(bucket(value.next_up()), bucket(value) + 1);
        assert_eq!(bucket(-value.next_up()), bucket(-value));
        assert_eq!(bucket(-value.next_down()), bucket(-value) + 1);
    }
}

#[test]
fn x_07_the_native_list_has_the_newest_ten_one_of_each_time_and_value() {
    let all = (0..20).flat_map(|time| [with_id(1.0, time, 1), with_id(1.0, time, 2), with_id(f64::NAN, time, 3)]);
    let kept = keep(&exponential(3, 0.0), all);
    assert_eq!(rows(&kept.newest), (10..20).map(|time| (1.0, time)).collect::<Vec<_>>());
    assert!(
        kept.newest.iter().all(|kept| kept.span_id == Some([2; 8])),
        "the last that came"
    );
    assert_eq!(rows(&kept.by_bucket), [(1.0, 19)]);
}

#[test]
fn x_07_the_buckets_of_an_exponential_histogram_are_bounded_and_the_oldest_goes() {
    let all = (-1000..1000).map(|power| exemplar(f64::from(power).exp2(), (power + 2000) as u64));
    let kept = keep(&exponential(0, 0.0), all);
    assert_eq!(kept.by_bucket.len(), MOST);
    assert_eq!(kept.by_bucket.last().map(|kept| kept.time_unix_nano), Some(2999));
    assert!(kept.by_bucket.is_sorted_by_key(|kept| kept.time_unix_nano));
}

#[test]
fn x_07_each_kind_of_bucket_takes_over_what_the_other_kept() {
    let mut kept = keep(
        &explicit(&[1.0, 2.0]),
        [exemplar(0.3, 1), exemplar(1.5, 2), exemplar(9.0, 3)],
    );
    kept.rebucket(&exponential(0, 0.0));
    assert_eq!(rows(&kept.by_bucket), [(0.3, 1), (1.5, 2), (9.0, 3)]);
    assert_eq!(kept.by_bucket, kept.newest);
    let value = exponential(0, 0.0);
    kept.keep(&value, &exemplar(1.25, 4));
    assert_eq!(rows(&kept.newest), [(0.3, 1), (1.5, 2), (9.0, 3), (1.25, 4)]);
    // Coarser: (1/16, 1], (1, 16].
    kept.rebucket(&exponential(-2, 0.0));
    assert_eq!(rows(&kept.by_bucket), [(0.3, 1), (1.25, 4)]);
    assert_eq!(kept.newest.len(), 4);
    kept.rebucket(&explicit(&[1.0, 5.0]));
    assert_eq!(rows(&kept.by_bucket), [(0.3, 1), (1.25, 4), (9.0, 3)]);
    assert_eq!(kept.newest, []);
}
