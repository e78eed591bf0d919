use super::series::Series;
use crate::model::{Buckets, Exemplar, Exemplars, Sample, Value};

/// How many buckets the classic form of an exponential histogram has at most: both sides, zero, and what lies beyond.
const MOST: usize = 2 * Buckets::MOST + 3;

/// The exemplars of one series, kept until newer ones come and as long as it lives (conformance X-07).
#[derive(Debug, Default)]
pub(super) struct KeptExemplars {
    by_bucket: Vec<Exemplar>,
    newest: Vec<Exemplar>,
}

impl Series {
    /// Keeps those of `new` that are newer than what is kept in their place.
    pub(super) fn keep_exemplars(&mut self, new: &[Exemplar]) {
        if new.is_empty() || matches!(self.value, Value::Summary(_)) {
            return;
        }
        let kept = self.exemplars.get_or_insert_default();
        for exemplar in new {
            kept.keep(&self.value, exemplar);
        }
        if kept.exemplars() == Exemplars::NONE {
            self.exemplars = None;
        }
    }

    /// Gives each exemplar that is kept its place again, after the buckets have become others.
    pub(super) fn rebucket_exemplars(&mut self) {
        if let Some(kept) = &mut self.exemplars {
            kept.rebucket(&self.value);
        }
    }
}

impl KeptExemplars {
    pub(super) fn exemplars(&self) -> Exemplars<'_> {
        Exemplars {
            by_bucket: &self.by_bucket,
            newest: &self.newest,
        }
    }

    fn keep(&mut self, value: &Value, new: &Exemplar) {
        match value {
            Value::Number(_) => self.keep_newest(new, is_same),
            // What is no number lies in no bucket.
            _ if new.value.as_f64().is_nan() => {}
            Value::Histogram(_) => self.keep_by_bucket(value, new),
            Value::Exponential(_) => {
                self.keep_by_bucket(value, new);
                // Prometheus takes one of each time and value.
                self.keep_newest(new, |a, b| {
                    a.time_unix_nano == b.time_unix_nano && is_equal(a.value.as_f64(), b.value.as_f64())
                });
            }
            Value::Summary(_) => {}
        }
    }

    /// Of those that are one by `is_one` the one that came last is kept. A cumulative sender repeats what it has at each
    /// export, and repetitions must not push the others out.
    fn keep_newest(&mut self, new: &Exemplar, is_one: impl Fn(&Exemplar, &Exemplar) -> bool) {
        if let Some(held) = self.newest.iter_mut().find(|held| is_one(held, new)) {
            if !is_same(held, new) {
                held.clone_from(new);
            }
            return;
        }
        let at = self
            .newest
            .partition_point(|held| held.time_unix_nano <= new.time_unix_nano);
        if self.newest.len() >= Exemplars::NEWEST {
            if at == 0 {
                return;
            }
            self.newest.insert(at, new.clone());
            self.newest.remove(0);
        } else {
            self.newest.insert(at, new.clone());
        }
    }

    fn keep_by_bucket(&mut self, value: &Value, new: &Exemplar) {
        let bucket = bucket(value, new.value.as_f64());
        let at = self
            .by_bucket
            .partition_point(|held| held.value.as_f64() < new.value.as_f64());
        // The buckets are in order as the values are: one of the two neighbours is of the same bucket, or none is.
        let is_of_it = |&at: &usize| {
            let held = self.by_bucket.get(at);
            held.is_some_and(|held| self::bucket(value, held.value.as_f64()) == bucket)
        };
        let same = Some(at).filter(is_of_it).or(at.checked_sub(1).filter(is_of_it));
        if let Some(held) = same.and_then(|at| self.by_bucket.get_mut(at)) {
            if held.time_unix_nano <= new.time_unix_nano && !is_same(held, new) {
                held.clone_from(new);
            }
            return;
        }
        self.by_bucket.insert(at, new.clone());
        if matches!(value, Value::Exponential(_)) && self.by_bucket.len() > MOST {
            // Left from buckets that are not there any more, or sent at will.
            let times = self.by_bucket.iter().enumerate();
            let oldest = times.min_by_key(|(_, held)| held.time_unix_nano).map(|(at, _)| at);
            self.by_bucket.remove(oldest.unwrap_or(0));
        }
    }

    fn rebucket(&mut self, value: &Value) {
        let mut kept = std::mem::take(&mut self.by_bucket);
        if !matches!(value, Value::Exponential(_)) {
            kept.append(&mut self.newest);
        }
        let lacks_newest = self.newest.is_empty();
        kept.sort_by_key(|exemplar| exemplar.time_unix_nano);
        for exemplar in &kept {
            if lacks_newest {
                self.keep(value, exemplar);
            } else {
                self.keep_by_bucket(value, exemplar);
            }
        }
    }
}

fn is_equal(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Equality under which what is no number equals itself.
fn is_same(a: &Exemplar, b: &Exemplar) -> bool {
    let is_same_value = a.value == b.value || (a.value.as_f64().is_nan() && b.value.as_f64().is_nan());
    is_same_value
        && (a.time_unix_nano, a.trace_id, a.span_id) == (b.time_unix_nano, b.trace_id, b.span_id)
        && a.attributes == b.attributes
}

/// A number for the bucket that a value falls into, (lower, upper] as everywhere; larger for larger values.
fn bucket(of: &Value, value: f64) -> i64 {
    match of.sample() {
        Sample::Histogram(histogram) => histogram.bounds.partition_point(|bound| *bound < value) as i64,
        Sample::Exponential(histogram) => {
            classic_bucket(value, histogram.zero_threshold, (-histogram.scale).clamp(0, 31) as u32)
        }
        Sample::Number(_) | Sample::Summary(_) => 0,
    }
}

/// The same of the classic form of an exponential histogram: the powers of 2, or of 2^(2^`shift`) where that is coarser
/// (conformance E-08). Below zero as well the upper bound is the one that belongs to the bucket.
fn classic_bucket(value: f64, zero_threshold: f64, shift: u32) -> i64 {
    /// Beyond every exponent of a double.
    const FAR: i64 = 10_000;
    let magnitude = value.abs();
    if magnitude <= zero_threshold || magnitude == 0.0 {
        return 0;
    }
    let (exponent, is_power) = exponent(magnitude);
    if value > 0.0 {
        FAR + ((exponent - i64::from(is_power)) >> shift)
    } else {
        -FAR - (exponent >> shift)
    }
}

/// The exponent of the largest power of 2 that is not larger than a value above zero, and whether it is that power.
fn exponent(value: f64) -> (i64, bool) {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let (exponent, mantissa) = ((bits >> 52) as i64, bits & MANTISSA);
    match exponent {
        0 => (
            63 - 1074 - i64::from(mantissa.leading_zeros()),
            mantissa.is_power_of_two(),
        ),
        _ => (exponent - 1023, mantissa == 0 && exponent < 2047),
    }
}

#[cfg(test)]
mod tests;
