//! `io.prometheus.client.MetricFamily`, the message that Prometheus calls its protobuf format. Field numbers are those of its
//! `metrics.proto`; values are written even where they are 0, since that tells 0 from absent there.

use super::{ExponentialForm, Format, classic, exemplar, native, openmetrics, unit_of};
use crate::model::{
    Buckets, Exemplar, Exemplars, ExponentialHistogram, Family, Histogram, Labels, MetricType, Number, Sample, Series,
    Summary,
};
use crate::protobuf::{BYTES, FIXED64, VARINT, push_key, push_varint, put_length};

/// `name`, `help`, `type` and `unit`.
pub(super) fn write_head(out: &mut Vec<u8>, family: &Family) {
    bytes(out, 1, family.name.as_bytes());
    if !family.help.is_empty() {
        bytes(out, 2, family.help.as_bytes());
    }
    varint_field(out, 3, type_number(family.metric_type));
    // Prometheus holds the unit to the same rule here as in OpenMetrics (conformance F-07).
    if let Some(unit) = unit_of(family, openmetrics::family_name(family)) {
        bytes(out, 5, unit.as_bytes());
    }
}

fn type_number(metric_type: MetricType) -> u64 {
    match metric_type {
        MetricType::Counter => 0,
        MetricType::Gauge | MetricType::Info | MetricType::StateSet => 1,
        MetricType::Summary => 2,
        MetricType::Unknown => 3,
        MetricType::Histogram => 4,
    }
}

/// One `metric`.
pub(super) fn write_series(out: &mut Vec<u8>, format: Format, family: &Family, series: &Series<'_>) {
    // Its labels alone take more than the length of one byte has room for.
    message_with_room(out, 4, 2, |out| {
        write_labels(out, series.labels);
        match series.sample {
            Sample::Number(number) => write_number(out, format, family.metric_type, series, number),
            Sample::Histogram(histogram) => message(out, 7, |out| {
                write_count_and_sum(out, histogram.count(), histogram.sum);
                write_classic(out, format, series, explicit(&histogram));
                write_start(out, 15, series);
            }),
            Sample::Exponential(histogram) => message(out, 7, |out| {
                write_count_and_sum(out, histogram.count(), Some(histogram.sum));
                if format.style.exponential != ExponentialForm::Native {
                    write_classic(out, format, series, classic::buckets(&histogram));
                }
                if format.style.exponential != ExponentialForm::Classic {
                    write_native(out, format, series, &histogram);
                }
                write_start(out, 15, series);
            }),
            Sample::Summary(summary) => message(out, 4, |out| {
                write_summary(out, summary);
                write_start(out, 4, series);
            }),
        }
        if format.style.timestamps && series.time_unix_nano != 0 {
            varint_field(out, 6, series.time_unix_nano / 1_000_000);
        }
    });
}

fn write_number(out: &mut Vec<u8>, format: Format, metric_type: MetricType, series: &Series<'_>, number: Number) {
    let field = match metric_type {
        MetricType::Counter => 3,
        MetricType::Unknown => 5,
        _ => 2,
    };
    message(out, field, |out| {
        double(out, 1, number.as_f64());
        if metric_type == MetricType::Counter {
            if let Some(newest) = series.exemplars.newest.last() {
                write_exemplar(out, 2, format, newest);
            }
            write_start(out, 3, series);
        }
    });
}

fn write_summary(out: &mut Vec<u8>, summary: Summary<'_>) {
    varint_field(out, 1, summary.count);
    double(out, 2, summary.sum);
    for (quantile, value) in summary.quantiles {
        message(out, 3, |out| {
            double(out, 1, *quantile);
            double(out, 2, *value);
        });
    }
}

fn write_count_and_sum(out: &mut Vec<u8>, count: u64, sum: Option<f64>) {
    varint_field(out, 1, count);
    if let Some(sum) = sum {
        double(out, 2, sum);
    }
}

fn explicit<'h>(histogram: &Histogram<'h>) -> impl Iterator<Item = (f64, u64)> + use<'h> {
    let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
    bounds.zip(histogram.counts.iter().copied())
}

/// Classic buckets, each with its exemplar, beside native ones too (conformance X-06).
fn write_classic(
    out: &mut Vec<u8>,
    format: Format,
    series: &Series<'_>,
    buckets: impl IntoIterator<Item = (f64, u64)>,
) {
    let mut lower = f64::NEG_INFINITY;
    for (bound, count) in buckets {
        message(out, 3, |out| {
            varint_field(out, 1, count);
            double(out, 2, bound);
            if let Some(found) = exemplar::in_bucket(series.exemplars.by_bucket, lower, bound) {
                write_exemplar(out, 3, format, found);
            }
        });
        lower = bound;
    }
}

fn write_native(out: &mut Vec<u8>, format: Format, series: &Series<'_>, histogram: &ExponentialHistogram<'_>) {
    varint_field(out, 5, zigzag(histogram.scale.into()));
    double(out, 6, native::zero_threshold(histogram));
    varint_field(out, 7, histogram.zero_count);
    write_side(out, 9, &histogram.negative);
    write_side(out, 12, &histogram.positive);
    if histogram.negative.counts.is_empty() && histogram.positive.counts.is_empty() {
        // Without any span it would be taken for a classic one (conformance E-07).
        write_span(out, 12, 0, 0);
    }
    let Exemplars { newest, .. } = series.exemplars;
    // One without a time is ignored there (conformance X-06).
    for exemplar in newest.iter().filter(|exemplar| exemplar.time_unix_nano != 0) {
        write_exemplar(out, 16, format, exemplar);
    }
}

/// Spans in `field`, and in the one behind it the difference of each bucket to the one before.
fn write_side(out: &mut Vec<u8>, field: u32, buckets: &Buckets<'_>) {
    for (offset, length) in native::spans(buckets) {
        write_span(out, field, offset, length);
    }
    let mut before = 0u64;
    for count in buckets.counts.iter().copied().filter(|count| *count != 0) {
        // Wraps where 63 bits do not hold the difference, and the reader's sum wraps back.
        varint_field(out, field + 1, zigzag(count.wrapping_sub(before).cast_signed()));
        before = count;
    }
}

fn write_span(out: &mut Vec<u8>, field: u32, offset: i32, length: u32) {
    message(out, field, |out| {
        varint_field(out, 1, zigzag(offset.into()));
        varint_field(out, 2, length.into());
    });
}

fn write_exemplar(out: &mut Vec<u8>, field: u32, format: Format, exemplar: &Exemplar) {
    message(out, field, |out| {
        for (name, value) in exemplar::labels(exemplar, format.escaping) {
            write_label(out, &name, &value);
        }
        double(out, 2, exemplar.value.as_f64());
        write_time(out, 3, exemplar.time_unix_nano);
    });
}

fn write_labels(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    while let Some((name, value, behind)) = Labels::split_plain(rest) {
        write_label(out, name, value);
        rest = behind;
    }
    // From the first one on that has quotes around its name, or escapes.
    for (name, value) in Labels::iter_text(rest) {
        write_label(out, &name, &value);
    }
}

#[inline]
fn write_label(out: &mut Vec<u8>, name: &str, value: &str) {
    out.reserve(name.len() + value.len() + 16);
    // Nearly all are so short that each length is one byte.
    let length = name.len() + value.len() + 4;
    if length < 0x80 {
        out.extend_from_slice(&[LABEL, length as u8, NAME, name.len() as u8]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&[VALUE, value.len() as u8]);
        out.extend_from_slice(value.as_bytes());
        return;
    }
    message(out, 1, |out| {
        bytes(out, 1, name.as_bytes());
        bytes(out, 2, value.as_bytes());
    });
}

/// The keys of a label, its name and its value.
const LABEL: u8 = 0x0A;
const NAME: u8 = 0x0A;
const VALUE: u8 = 0x12;

/// `start_timestamp`, which was `created_timestamp` once (conformance T-01).
fn write_start(out: &mut Vec<u8>, field: u32, series: &Series<'_>) {
    write_time(out, field, series.start_unix_nano);
}

/// A `google.protobuf.Timestamp`, unless it is not known.
fn write_time(out: &mut Vec<u8>, field: u32, unix_nano: u64) {
    const NANOS: u64 = 1_000_000_000;
    if unix_nano != 0 {
        message(out, field, |out| {
            varint_field(out, 1, unix_nano / NANOS);
            varint_field(out, 2, unix_nano % NANOS);
        });
    }
}

/// What stands in front of a message of that length.
pub(super) fn write_length(out: &mut Vec<u8>, length: usize) {
    push_varint(out, length as u64);
}

/// Nearly all lengths take one byte.
fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    message_with_room(out, field, 1, write);
}

fn message_with_room(out: &mut Vec<u8>, field: u32, room: usize, write: impl FnOnce(&mut Vec<u8>)) {
    push_key(out, field, BYTES);
    let start = out.len();
    out.resize(start + room, 0);
    write(out);
    put_length(out, start, room);
}

fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    push_key(out, field, BYTES);
    push_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    push_key(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn varint_field(out: &mut Vec<u8>, field: u32, value: u64) {
    push_key(out, field, VARINT);
    push_varint(out, value);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::push_label;

    #[test]
    fn labels_are_written_whatever_is_in_them() {
        let long = "v".repeat(200);
        for labels in [
            &[][..],
            &[("a", "1"), ("b", ""), ("c", "é=,")],
            &[("a", "1"), ("b", "x\"y"), ("c", "2")],
            &[("a", "\\"), ("b", "\n")],
            &[("a.b", "1"), ("c", ",\"")],
            &[("a", "="), ("b.\"=", "2"), ("c", "3")],
            &[("a", &long), ("b", "1")],
        ] {
            let (mut text, mut written, mut expected) = (String::new(), Vec::new(), Vec::new());
            for (name, value) in labels {
                push_label(&mut text, name, value);
                message(&mut expected, 1, |out| {
                    bytes(out, 1, name.as_bytes());
                    bytes(out, 2, value.as_bytes());
                });
            }
            write_labels(&mut written, &text);
            assert_eq!(written, expected, "{text}");
        }
    }
}
