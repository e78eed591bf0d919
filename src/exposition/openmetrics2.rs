//! A release candidate: what is written is what its specification allows, whatever today's parsers happen to take.

use super::line::{
    Line, Name, help, write_count, write_escaped, write_exemplar, write_metadata, write_openmetrics_bound,
    write_seconds,
};
use super::{ExponentialForm, Format, classic, exemplar, native};
use crate::model::{
    Buckets, Exemplar, Exemplars, ExponentialHistogram, Family, Histogram, MetricType, Sample, Series, Summary,
    write_double,
};

/// `# TYPE`, `# UNIT`, `# HELP`; all name what the samples are named (conformance O-04).
pub(super) fn write_head(out: &mut Vec<u8>, family: &Family) {
    let name = &family.name;
    let word = family.metric_type.as_str();
    write_metadata(out, "TYPE", name, |out| out.extend_from_slice(word.as_bytes()));
    if has_unit(family) {
        write_metadata(out, "UNIT", name, |out| out.extend_from_slice(family.unit.as_bytes()));
    }
    let help = help(family);
    if !help.is_empty() {
        write_metadata(out, "HELP", name, |out| write_escaped(out, help, true));
    }
}

/// Suffix or not, if the grammar has it (conformance O-08); infos and statesets have none (O-15).
fn has_unit(family: &Family) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    !matches!(family.metric_type, MetricType::Info | MetricType::StateSet)
        && !family.unit.is_empty()
        && family.unit.bytes().all(is_legal)
}

/// One line, whatever the type.
pub(super) fn write_series(out: &mut Vec<u8>, format: Format, family: &Family, name: Name<'_>, series: &Series<'_>) {
    let line = Line {
        name,
        labels: series.labels,
    };
    line.write_start(out, "");
    match series.sample {
        Sample::Number(number) => number.write(out),
        Sample::Histogram(histogram) => write_histogram(out, histogram),
        Sample::Exponential(histogram) => write_exponential(out, format.style.exponential, &histogram),
        Sample::Summary(summary) => write_summary(out, summary),
    }
    if format.style.timestamps && series.time_unix_nano != 0 {
        out.push(b' ');
        write_seconds(out, series.time_unix_nano);
    }
    if series.start_unix_nano != 0 {
        out.extend_from_slice(b" st@");
        write_seconds(out, series.start_unix_nano);
    }
    for exemplar in exemplars(series, family.metric_type, format.style.exponential) {
        write_exemplar(out, exemplar, format.escaping);
    }
    out.push(b'\n');
}

fn write_histogram(out: &mut Vec<u8>, histogram: Histogram<'_>) {
    // The sum is mandatory; NaN says that it is not known (conformance O-10).
    write_count_and_sum(out, histogram.count(), histogram.sum.unwrap_or(f64::NAN));
    let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
    write_buckets(out, bounds.zip(histogram.counts.iter().copied()));
    out.push(b'}');
}

/// Native fields first, then the classic ones (conformance O-11, O-12).
fn write_exponential(out: &mut Vec<u8>, form: ExponentialForm, histogram: &ExponentialHistogram<'_>) {
    write_count_and_sum(out, histogram.count(), histogram.sum);
    if form != ExponentialForm::Classic {
        write_native(out, histogram);
    }
    if form != ExponentialForm::Native {
        write_buckets(out, classic::buckets(histogram));
    }
    out.push(b'}');
}

fn write_count_and_sum(out: &mut Vec<u8>, count: u64, sum: f64) {
    out.extend_from_slice(b"{count:");
    write_count(out, count);
    out.extend_from_slice(b",sum:");
    write_double(out, sum);
}

fn write_buckets(out: &mut Vec<u8>, buckets: impl IntoIterator<Item = (f64, u64)>) {
    // A bound of -Inf holds nothing, and fails a scrape (conformance O-09).
    let buckets = buckets.into_iter().filter(|(bound, _)| *bound > f64::NEG_INFINITY);
    write_list(out, "bucket", buckets, |out, (bound, count)| {
        write_openmetrics_bound(out, bound);
        out.push(b':');
        write_count(out, count);
    });
}

/// What a double holds exactly.
const EXACT: u64 = 1 << 53;

fn write_native(out: &mut Vec<u8>, histogram: &ExponentialHistogram<'_>) {
    out.extend_from_slice(b",schema:");
    out.extend_from_slice(itoa::Buffer::new().format(histogram.scale).as_bytes());
    out.extend_from_slice(b",zero_threshold:");
    write_double(out, native::zero_threshold(histogram));
    out.extend_from_slice(b",zero_count:");
    write_count(out, histogram.zero_count);
    // Prometheus reads the count as a double and whole buckets as integers: beyond what a double holds the two would differ,
    // which fails the scrape (conformance O-13). All buckets are part of the count.
    let as_doubles = histogram.count() > EXACT;
    for (side, buckets) in [("negative", &histogram.negative), ("positive", &histogram.positive)] {
        write_side(out, side, buckets, as_doubles);
    }
}

fn write_side(out: &mut Vec<u8>, side: &str, buckets: &Buckets<'_>, as_doubles: bool) {
    if buckets.counts.is_empty() {
        return;
    }
    write_list(
        out,
        &format!("{side}_spans"),
        native::spans(buckets),
        |out, (offset, length)| {
            out.extend_from_slice(itoa::Buffer::new().format(offset).as_bytes());
            out.push(b':');
            write_count(out, length.into());
        },
    );
    let counts = buckets.counts.iter().copied().filter(|count| *count != 0);
    write_list(out, &format!("{side}_buckets"), counts, |out, count| {
        write_count(out, count);
        if as_doubles {
            out.extend_from_slice(b".0");
        }
    });
}

fn write_summary(out: &mut Vec<u8>, summary: Summary<'_>) {
    write_count_and_sum(out, summary.count, summary.sum);
    write_list(out, "quantile", summary.quantiles, |out, (quantile, value)| {
        write_openmetrics_bound(out, *quantile);
        out.push(b':');
        write_double(out, *value);
    });
    out.push(b'}');
}

/// `,name:[a,b]`.
fn write_list<T>(
    out: &mut Vec<u8>,
    name: &str,
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b',');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b":[");
    let start = out.len();
    for element in elements {
        if out.len() > start {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}

/// Those of a counter oldest first, those of a histogram in the order of its buckets (conformance O-16), none without a time
/// (O-17).
fn exemplars<'a>(series: &Series<'a>, metric_type: MetricType, form: ExponentialForm) -> Vec<&'a Exemplar> {
    let Exemplars { by_bucket, newest } = series.exemplars;
    let mut shown: Vec<&Exemplar> = match (metric_type, series.sample) {
        (MetricType::Counter, _) => newest.iter().collect(),
        (_, Sample::Exponential(histogram)) if form == ExponentialForm::Classic => {
            let bounds = classic::buckets(&histogram).into_iter().map(|(bound, _)| bound);
            latest_of_each(by_bucket, bounds)
        }
        (_, Sample::Exponential(_)) => newest.iter().collect(),
        (_, Sample::Histogram(histogram)) => {
            latest_of_each(by_bucket, histogram.bounds.iter().copied().chain([f64::INFINITY]))
        }
        _ => Vec::new(),
    };
    shown.retain(|exemplar| exemplar.time_unix_nano != 0);
    if shown.len() > Exemplars::NEWEST {
        shown.sort_by_key(|exemplar| exemplar.time_unix_nano);
        shown.drain(..shown.len() - Exemplars::NEWEST);
    }
    if metric_type != MetricType::Counter {
        shown.sort_by(|a, b| a.value.as_f64().total_cmp(&b.value.as_f64()));
    }
    shown
}

/// One for each bucket that is written; where streams add up several are kept (conformance X-02, C-05).
fn latest_of_each(by_bucket: &[Exemplar], uppers: impl Iterator<Item = f64>) -> Vec<&Exemplar> {
    let mut lower = f64::NEG_INFINITY;
    uppers
        .filter(|upper| *upper > f64::NEG_INFINITY)
        .filter_map(|upper| exemplar::in_bucket(by_bucket, std::mem::replace(&mut lower, upper), upper))
        .collect()
}
