use super::line::{
    Line, Name, help, write_count, write_escaped, write_exemplar, write_metadata, write_openmetrics_bound,
    write_seconds,
};
use super::{Format, classic, exemplar};
use crate::model::{Exemplar, Exemplars, Family, MetricType, Sample, Series, Summary, write_double};

/// The name of the family, which is not always that of its samples: `foo` of the counter `foo_total`, `x` of the info `x_info`.
/// A name of nothing but the suffix keeps it.
pub(super) fn family_name(family: &Family) -> &str {
    let stem = match family.metric_type {
        MetricType::Counter => family.name.strip_suffix("_total"),
        MetricType::Info => family.name.strip_suffix("_info"),
        _ => None,
    };
    stem.filter(|stem| !stem.is_empty()).unwrap_or(&family.name)
}

/// Samples of a counter must end in `_total`; one that does not is `unknown` (conformance V-02).
fn type_of(family: &Family) -> MetricType {
    match family.metric_type {
        MetricType::Counter if family_name(family) == family.name => MetricType::Unknown,
        metric_type => metric_type,
    }
}

/// The suffixes of the samples, behind the family's name.
pub(super) fn suffixes(family: &Family) -> &'static [&'static str] {
    match type_of(family) {
        MetricType::Counter => &["_total", "_created"],
        MetricType::Histogram => &["_bucket", "_count", "_sum", "_created"],
        MetricType::Summary => &["", "_count", "_sum", "_created"],
        MetricType::Info => &["_info"],
        MetricType::Gauge | MetricType::StateSet | MetricType::Unknown => &[""],
    }
}

/// `# TYPE`, then `# UNIT` where the name says it, then `# HELP`.
pub(super) fn write_head(out: &mut Vec<u8>, family: &Family) {
    let name = family_name(family);
    let word = type_of(family).as_str();
    write_metadata(out, "TYPE", name, |out| out.extend_from_slice(word.as_bytes()));
    if let Some(unit) = super::unit_of(family, name) {
        write_metadata(out, "UNIT", name, |out| out.extend_from_slice(unit.as_bytes()));
    }
    let help = help(family);
    if !help.is_empty() {
        write_metadata(out, "HELP", name, |out| write_escaped(out, help, true));
    }
}

pub(super) fn write_series(out: &mut Vec<u8>, format: Format, family: &Family, name: Name<'_>, series: &Series<'_>) {
    let lines = Lines {
        line: Line {
            name,
            labels: series.labels,
        },
        format,
        series,
    };
    match series.sample {
        Sample::Number(number) => {
            let metric_type = type_of(family);
            let newest = series.exemplars.newest.last();
            let exemplar = newest.filter(|_| metric_type == MetricType::Counter);
            let suffix = suffixes(family).first().copied().unwrap_or("");
            lines.write(out, suffix, exemplar, |out| number.write(out));
            if metric_type == MetricType::Counter {
                lines.write_created(out);
            }
        }
        Sample::Histogram(histogram) => {
            let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
            lines.write_histogram(out, bounds.zip(histogram.counts.iter().copied()), histogram.sum);
        }
        Sample::Exponential(histogram) => {
            lines.write_histogram(out, classic::buckets(&histogram), Some(histogram.sum));
        }
        Sample::Summary(summary) => lines.write_summary(out, summary),
    }
}

/// The lines of one series.
struct Lines<'a> {
    line: Line<'a>,
    format: Format,
    series: &'a Series<'a>,
}

/// Neither sums that are NaN nor those below 0 are allowed (conformance H-04, Q-02).
fn is_allowed(sum: f64) -> bool {
    sum >= 0.0
}

impl Lines<'_> {
    /// `_count` and `_sum` go together, and neither is there where a bound is negative (conformance H-04, H-08).
    fn write_histogram(&self, out: &mut Vec<u8>, buckets: impl IntoIterator<Item = (f64, u64)>, sum: Option<f64>) {
        let Exemplars { by_bucket, .. } = self.series.exemplars;
        let (mut lower, mut count) = (f64::NEG_INFINITY, 0);
        let mut sum = sum.filter(|sum| is_allowed(*sum));
        let mut lines = self.line.bounded("_bucket", "le");
        for (bound, cumulative) in buckets {
            let exemplar = exemplar::in_bucket(by_bucket, lower, bound);
            lines.write_start(out, |out| write_openmetrics_bound(out, bound));
            self.write_rest(out, exemplar, |out| write_count(out, cumulative));
            sum = sum.filter(|_| bound >= 0.0);
            (lower, count) = (bound, cumulative);
        }
        if let Some(sum) = sum {
            self.write(out, "_count", None, |out| write_count(out, count));
            self.write(out, "_sum", None, |out| write_double(out, sum));
        }
        self.write_created(out);
    }

    fn write_summary(&self, out: &mut Vec<u8>, summary: Summary<'_>) {
        let is_shown = |value: f64| value.is_nan() || value >= 0.0;
        let mut lines = self.line.bounded("", "quantile");
        for (quantile, value) in summary.quantiles.iter().filter(|(_, value)| is_shown(*value)) {
            lines.write_start(out, |out| write_openmetrics_bound(out, *quantile));
            self.write_rest(out, None, |out| write_double(out, *value));
        }
        self.write(out, "_count", None, |out| write_count(out, summary.count));
        if is_allowed(summary.sum) {
            self.write(out, "_sum", None, |out| write_double(out, summary.sum));
        }
        self.write_created(out);
    }

    /// Directly behind the series, with the labels in the same order (conformance T-02).
    fn write_created(&self, out: &mut Vec<u8>) {
        let start = self.series.start_unix_nano;
        if self.format.style.created_lines && start != 0 {
            self.write(out, "_created", None, |out| write_seconds(out, start));
        }
    }

    fn write(&self, out: &mut Vec<u8>, suffix: &str, exemplar: Option<&Exemplar>, value: impl FnOnce(&mut Vec<u8>)) {
        self.line.write_start(out, suffix);
        self.write_rest(out, exemplar, value);
    }

    /// The value and what is behind.
    fn write_rest(&self, out: &mut Vec<u8>, exemplar: Option<&Exemplar>, value: impl FnOnce(&mut Vec<u8>)) {
        value(out);
        if self.format.style.timestamps && self.series.time_unix_nano != 0 {
            out.push(b' ');
            write_seconds(out, self.series.time_unix_nano);
        }
        if let Some(exemplar) = exemplar {
            write_exemplar(out, exemplar, self.format.escaping);
        }
        out.push(b'\n');
    }
}
