use super::{MissingSum, exponential};
use crate::model::{Exponential, Histogram, MetricType, Number, PointReason, Refused, Sample, Summary};
use crate::otlp::{self, ExponentialHistogramPoint, Point, SummaryPoint, Value};

/// Holds the arrays of one sample, and is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bounds: Vec<f64>,
    counts: Vec<u64>,
    quantiles: Vec<(f64, f64)>,
    exponential: Exponential,
}

/// A sample, and whether the sender's count was not the total of its buckets (conformance H-06).
pub(super) struct Translated<'a> {
    pub(super) sample: Sample<'a>,
    pub(super) count_mismatch: bool,
}

impl Scratch {
    /// The sample of a point in a family of `metric_type`.
    pub(super) fn sample(
        &mut self,
        metric_type: MetricType,
        point: &Point<'_>,
        missing_sum: MissingSum,
    ) -> Result<Translated<'_>, Refused> {
        let exact = |sample| {
            Ok(Translated {
                sample,
                count_mismatch: false,
            })
        };
        match &point.value {
            Value::Number(number) => exact(Sample::Number(self::number(metric_type, *number)?)),
            Value::Histogram(histogram) => self.histogram(histogram.count, histogram.sum, |bounds, counts| {
                histogram.explicit_bounds(bounds);
                histogram.bucket_counts(counts);
            }),
            Value::Summary(summary) => exact(self.summary(summary)?),
            Value::ExponentialHistogram(histogram) => exact(self.exponential(histogram, missing_sum)?),
        }
    }

    /// That of a histogram with explicit bounds, which `read` appends, with the count of each bucket.
    pub(super) fn histogram(
        &mut self,
        count: u64,
        sum: Option<f64>,
        read: impl FnOnce(&mut Vec<f64>, &mut Vec<u64>),
    ) -> Result<Translated<'_>, Refused> {
        let Self { bounds, counts, .. } = self;
        bounds.clear();
        counts.clear();
        read(bounds, counts);
        let invalid = |detail: String| Err(Refused::new(PointReason::InvalidBuckets, detail));
        if bounds.is_empty() && counts.is_empty() {
            counts.push(count); // Only count and sum were sent (conformance H-03).
        }
        if counts.len() != bounds.len() + 1 {
            return invalid(format!(
                "{} bucket counts do not fit {} bounds",
                counts.len(),
                bounds.len()
            ));
        }
        // -0 is 0.
        bounds.iter_mut().for_each(|bound| *bound += 0.0);
        // Written so that NaN does not pass.
        if let Some(pair) = bounds
            .windows(2)
            .find(|pair| !matches!(pair, [low, high] if low < high))
        {
            return invalid(format!("bound {} does not come before {}", pair[0], pair[1]));
        }
        if bounds.first().is_some_and(|first| first.is_nan()) {
            return invalid("bound NaN".to_owned());
        }
        let mut total = 0u64;
        for count in counts.iter_mut() {
            let Some(sum) = total.checked_add(*count) else {
                return invalid("the bucket counts add up to more than 64 bits hold".to_owned());
            };
            total = sum;
            *count = sum;
        }
        if bounds.last() == Some(&f64::INFINITY) {
            // The bucket behind +Inf holds nothing that +Inf does not hold (conformance H-07).
            bounds.pop();
            counts.remove(counts.len() - 2);
        }
        let sample = Sample::Histogram(Histogram { bounds, counts, sum });
        Ok(Translated {
            sample,
            count_mismatch: total != count,
        })
    }

    /// That of an exponential histogram.
    pub(super) fn exponential(
        &mut self,
        point: &ExponentialHistogramPoint<'_>,
        missing_sum: MissingSum,
    ) -> Result<Sample<'_>, Refused> {
        exponential::read(&mut self.exponential, point, missing_sum)?;
        Ok(Sample::Exponential(self.exponential.sample()))
    }

    fn summary(&mut self, point: &SummaryPoint<'_>) -> Result<Sample<'_>, Refused> {
        let quantiles = &mut self.quantiles;
        quantiles.clear();
        for quantile in point.quantiles() {
            if !(0.0..=1.0).contains(&quantile.quantile) {
                let detail = format!("quantile {} is not from 0 to 1", quantile.quantile);
                return Err(Refused::new(PointReason::InvalidQuantile, detail));
            }
            // -0 is 0.
            quantiles.push((quantile.quantile + 0.0, quantile.value));
        }
        // The same quantile twice: the last one counts (conformance Q-01). The sort keeps their order.
        quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        quantiles.reverse();
        quantiles.dedup_by(|a, b| a.0 == b.0);
        quantiles.reverse();
        Ok(Sample::Summary(Summary {
            quantiles,
            sum: point.sum,
            count: point.count,
        }))
    }
}

fn number(metric_type: MetricType, number: Option<otlp::Number>) -> Result<Number, Refused> {
    let number = match number {
        Some(otlp::Number::Int(value)) => Number::Int(value),
        Some(otlp::Number::Double(value)) => Number::Double(value),
        None => {
            return Err(Refused::new(
                PointReason::NoValue,
                "neither as_double nor as_int is set",
            ));
        }
    };
    if metric_type == MetricType::Counter && !number.is_count() {
        let mut text = Vec::new();
        number.write(&mut text);
        let detail = format!("a monotonic sum cannot be {}", String::from_utf8_lossy(&text));
        return Err(Refused::new(PointReason::InvalidCounterValue, detail));
    }
    Ok(number)
}
