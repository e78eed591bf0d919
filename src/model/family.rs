/// What stands in front of the series of one name: a `# HELP`, a `# TYPE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name with every suffix but those of the single samples: `http_requests_total`, `latency_seconds`.
    pub name: String,
    /// One type for all its series.
    pub metric_type: MetricType,
    /// Free text; empty means that there is none.
    pub help: String,
    /// The unit in words (`seconds`, `bytes_per_second`); empty means that there is none.
    pub unit: String,
    /// Whether the strategy put the unit into the name. OpenMetrics 1.0 and protobuf have a unit nowhere else (F-07).
    pub unit_in_name: bool,
}

/// The types of the exposition formats. Text 0.0.4 knows only some of them (conformance F-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Goes up, or starts again at zero.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
    /// Quantiles, sum and count.
    Summary,
    /// Nothing is known of it.
    Unknown,
    /// The value is 1, the labels are the message.
    Info,
    /// One series for each state, 1 or 0.
    StateSet,
}

impl MetricType {
    /// The word of OpenMetrics and of this project's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }
}

impl Family {
    /// The names that samples of this family may have in some format. No other family may have a sample of one of them
    /// (conformance K-04).
    pub fn sample_names(&self) -> impl Iterator<Item = String> + '_ {
        let suffixes: &[&str] = match self.metric_type {
            MetricType::Counter => &["_created"],
            MetricType::Histogram => &["_bucket", "_sum", "_count", "_created"],
            MetricType::Summary => &["_sum", "_count", "_created"],
            MetricType::Gauge | MetricType::Unknown | MetricType::Info | MetricType::StateSet => &[],
        };
        let stem = match self.metric_type {
            MetricType::Counter => self.name.strip_suffix("_total").unwrap_or(&self.name),
            _ => &self.name,
        };
        std::iter::once(self.name.clone()).chain(suffixes.iter().map(move |suffix| format!("{stem}{suffix}")))
    }

    /// Whether `other` is the help text to show where two differ: the longer one, of equally long ones the one that sorts
    /// first, so that scrapes do not flap (conformance K-02).
    pub fn prefers_help(&self, other: &str) -> bool {
        other.len() > self.help.len() || (other.len() == self.help.len() && other < self.help.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, metric_type: MetricType) -> Family {
        Family {
            name: name.into(),
            metric_type,
            help: "b".into(),
            unit: String::new(),
            unit_in_name: false,
        }
    }

    #[test]
    fn k_04_a_family_owns_its_derived_sample_names() {
        let names = |name, metric_type| family(name, metric_type).sample_names().collect::<Vec<_>>();
        assert_eq!(names("foo_total", MetricType::Counter), ["foo_total", "foo_created"]);
        assert_eq!(names("foo", MetricType::Gauge), ["foo"]);
        assert_eq!(
            names("foo", MetricType::Histogram),
            ["foo", "foo_bucket", "foo_sum", "foo_count", "foo_created"]
        );
        assert_eq!(
            names("foo", MetricType::Summary),
            ["foo", "foo_sum", "foo_count", "foo_created"]
        );
    }

    #[test]
    fn k_02_the_longer_help_wins_then_the_one_that_sorts_first() {
        let family = family("foo", MetricType::Gauge);
        for (other, wins) in [("", false), ("a", true), ("b", false), ("c", false), ("zz", true)] {
            assert_eq!(family.prefers_help(other), wins, "{other}");
        }
    }
}
