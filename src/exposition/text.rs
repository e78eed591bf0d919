use crate::model::{Family, Histogram, MetricType, Number, Sample, Series, Summary, write_double};

/// `# HELP` where there is help, then `# TYPE`.
pub(super) fn write_head(out: &mut Vec<u8>, family: &Family) {
    if !family.help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        out.extend_from_slice(family.name.as_bytes());
        out.push(b' ');
        write_help(out, &family.help);
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    out.extend_from_slice(family.name.as_bytes());
    out.push(b' ');
    out.extend_from_slice(type_word(family.metric_type).as_bytes());
    out.push(b'\n');
}

/// The format has five words; any other fails the scrape (conformance F-08).
fn type_word(metric_type: MetricType) -> &'static str {
    match metric_type {
        MetricType::Counter => "counter",
        MetricType::Gauge | MetricType::Info | MetricType::StateSet => "gauge",
        MetricType::Histogram => "histogram",
        MetricType::Summary => "summary",
        MetricType::Unknown => "untyped",
    }
}

/// Help escapes `\` and line feed, and no quotes (conformance F-09).
fn write_help(out: &mut Vec<u8>, help: &str) {
    for byte in help.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            byte => out.push(byte),
        }
    }
}

pub(super) fn write_series(out: &mut Vec<u8>, family: &Family, series: &Series<'_>) {
    let line = Line {
        name: &family.name,
        labels: series.labels,
    };
    match series.sample {
        Sample::Exponential(_) => {}
        Sample::Number(number) => line.write(out, "", None, number),
        Sample::Histogram(histogram) => write_histogram(out, &line, histogram),
        Sample::Summary(summary) => write_summary(out, &line, summary),
    }
}

/// Buckets, `_sum` where it is known (conformance H-04), `_count`.
fn write_histogram(out: &mut Vec<u8>, line: &Line<'_>, histogram: Histogram<'_>) {
    let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
    for (bound, count) in bounds.zip(histogram.counts) {
        line.write_count(out, "_bucket", Some(("le", bound)), *count);
    }
    if let Some(sum) = histogram.sum {
        line.write(out, "_sum", None, Number::Double(sum));
    }
    line.write_count(out, "_count", None, histogram.count());
}

fn write_summary(out: &mut Vec<u8>, line: &Line<'_>, summary: Summary<'_>) {
    for (quantile, value) in summary.quantiles {
        line.write(out, "", Some(("quantile", *quantile)), Number::Double(*value));
    }
    line.write(out, "_sum", None, Number::Double(summary.sum));
    line.write_count(out, "_count", None, summary.count);
}

/// What all lines of a series have in common.
struct Line<'a> {
    name: &'a str,
    labels: &'a str,
}

impl Line<'_> {
    fn write(&self, out: &mut Vec<u8>, suffix: &str, bound: Option<(&str, f64)>, value: Number) {
        self.write_start(out, suffix, bound);
        value.write(out);
        out.push(b'\n');
    }

    fn write_count(&self, out: &mut Vec<u8>, suffix: &str, bound: Option<(&str, f64)>, count: u64) {
        self.write_start(out, suffix, bound);
        out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        out.push(b'\n');
    }

    /// All but the value. The bound stands behind the other labels.
    fn write_start(&self, out: &mut Vec<u8>, suffix: &str, bound: Option<(&str, f64)>) {
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        if !self.labels.is_empty() || bound.is_some() {
            out.push(b'{');
            out.extend_from_slice(self.labels.as_bytes());
            if let Some((name, value)) = bound {
                if !self.labels.is_empty() {
                    out.push(b',');
                }
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"=\"");
                write_double(out, value);
                out.push(b'"');
            }
            out.push(b'}');
        }
        out.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metric_type: MetricType, help: &str, labels: &str, sample: Sample<'_>, expected: &str) {
        let family = Family {
            name: "x".into(),
            metric_type,
            help: help.into(),
            unit: String::new(),
            unit_in_name: false,
        };
        let series = Series {
            labels,
            sample,
            start_unix_nano: 0,
            time_unix_nano: 0,
            exemplars: crate::model::Exemplars::NONE,
        };
        let mut out = Vec::new();
        write_head(&mut out, &family);
        write_series(&mut out, &family, &series);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn f_08_f_09_types_and_help() {
        let number = Sample::Number(Number::Int(1));
        check(
            MetricType::Gauge,
            "a \"b\"\\\n",
            "",
            number,
            "# HELP x a \"b\"\\\\\\n\n# TYPE x gauge\nx 1\n",
        );
        check(MetricType::Unknown, "", "", number, "# TYPE x untyped\nx 1\n");
        check(MetricType::Info, "", "", number, "# TYPE x gauge\nx 1\n");
        check(MetricType::StateSet, "", "", number, "# TYPE x gauge\nx 1\n");
        check(
            MetricType::Counter,
            "",
            "a=\"b\"",
            number,
            "# TYPE x counter\nx{a=\"b\"} 1\n",
        );
    }

    #[test]
    fn h_01_h_04_histograms() {
        let histogram = Histogram {
            bounds: &[0.5, 1e6],
            counts: &[1, 3, 4],
            sum: Some(12.5),
        };
        check(
            MetricType::Histogram,
            "",
            "a=\"b\"",
            Sample::Histogram(histogram),
            "# TYPE x histogram\nx_bucket{a=\"b\",le=\"0.5\"} 1\nx_bucket{a=\"b\",le=\"1e+06\"} 3\nx_bucket{a=\"b\",le=\"+Inf\"} 4\n\
             x_sum{a=\"b\"} 12.5\nx_count{a=\"b\"} 4\n",
        );
        let histogram = Histogram {
            bounds: &[],
            counts: &[4],
            sum: None,
        };
        let expected = "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 4\nx_count 4\n";
        check(MetricType::Histogram, "", "", Sample::Histogram(histogram), expected);
    }

    #[test]
    fn q_01_summaries() {
        let summary = Summary {
            quantiles: &[(0.5, f64::NAN), (1.0, 3.0)],
            sum: 4.0,
            count: 2,
        };
        let expected = "# TYPE x summary\nx{quantile=\"0.5\"} NaN\nx{quantile=\"1\"} 3\nx_sum 4\nx_count 2\n";
        check(MetricType::Summary, "", "", Sample::Summary(summary), expected);
    }
}
