use super::*;
use crate::model::{Histogram, Number};

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
    write_series(&mut out, Format::default(), Name::of(&family.name), &series);
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
