use super::line::{Line, Name, help, write_count, write_escaped, write_metadata};
use super::{Format, classic};
use crate::model::{Family, MetricType, Sample, Series, Summary, write_double};

/// `# HELP` where there is help, then `# TYPE`.
pub(super) fn write_head(out: &mut Vec<u8>, family: &Family) {
    let help = help(family);
    if !help.is_empty() {
        // Help escapes no quotes here (conformance F-09).
        write_metadata(out, "HELP", &family.name, |out| write_escaped(out, help, false));
    }
    let word = type_word(family);
    write_metadata(out, "TYPE", &family.name, |out| out.extend_from_slice(word.as_bytes()));
}

/// The format has five words; any other fails the scrape (conformance F-08).
fn type_word(family: &Family) -> &'static str {
    match family.metric_type {
        // The reference parser calls a counter by its name without the suffix, and fails where nothing is left. OpenMetrics has
        // such a one as unknown, too.
        MetricType::Counter if family.name == "_total" => "untyped",
        MetricType::Counter => "counter",
        MetricType::Gauge | MetricType::Info | MetricType::StateSet => "gauge",
        MetricType::Histogram => "histogram",
        MetricType::Summary => "summary",
        MetricType::Unknown => "untyped",
    }
}

pub(super) fn write_series(out: &mut Vec<u8>, format: Format, name: Name<'_>, series: &Series<'_>) {
    let lines = Lines {
        line: Line {
            name,
            labels: series.labels,
        },
        time_unix_nano: if format.style.timestamps {
            series.time_unix_nano
        } else {
            0
        },
    };
    match series.sample {
        Sample::Number(number) => lines.write(out, "", |out| number.write(out)),
        Sample::Histogram(histogram) => {
            let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
            let buckets = bounds.zip(histogram.counts.iter().copied());
            lines.write_histogram(out, buckets, histogram.sum, histogram.count());
        }
        Sample::Exponential(histogram) => {
            // The text has classic buckets only (conformance E-08).
            let buckets = classic::buckets(&histogram);
            lines.write_histogram(out, buckets, Some(histogram.sum), histogram.count());
        }
        Sample::Summary(summary) => lines.write_summary(out, summary),
    }
}

/// The lines of one series.
struct Lines<'a> {
    line: Line<'a>,
    /// 0 where none is written.
    time_unix_nano: u64,
}

impl Lines<'_> {
    /// Buckets, `_sum` where it is known (conformance H-04), `_count`.
    fn write_histogram(
        &self,
        out: &mut Vec<u8>,
        buckets: impl IntoIterator<Item = (f64, u64)>,
        sum: Option<f64>,
        count: u64,
    ) {
        let mut lines = self.line.bounded("_bucket", "le");
        for (bound, count) in buckets {
            lines.write_start(out, |out| write_double(out, bound));
            self.write_rest(out, |out| write_count(out, count));
        }
        if let Some(sum) = sum {
            self.write(out, "_sum", |out| write_double(out, sum));
        }
        self.write(out, "_count", |out| write_count(out, count));
    }

    fn write_summary(&self, out: &mut Vec<u8>, summary: Summary<'_>) {
        let mut lines = self.line.bounded("", "quantile");
        for (quantile, value) in summary.quantiles {
            lines.write_start(out, |out| write_double(out, *quantile));
            self.write_rest(out, |out| write_double(out, *value));
        }
        self.write(out, "_sum", |out| write_double(out, summary.sum));
        self.write(out, "_count", |out| write_count(out, summary.count));
    }

    fn write(&self, out: &mut Vec<u8>, suffix: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.line.write_start(out, suffix);
        self.write_rest(out, value);
    }

    /// The value and what is behind.
    fn write_rest(&self, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
        value(out);
        if self.time_unix_nano != 0 {
            out.push(b' ');
            // Milliseconds (conformance Z-04).
            write_count(out, self.time_unix_nano / 1_000_000);
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests;
