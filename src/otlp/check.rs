use super::wire::Fault;
use super::{Attributes, Metric, Point, Resource, Scope, Sink, Value, walk};

/// Fails where the walk would fail, and where a sink would meet something in a point that cannot be read: then nothing of a request
/// has been handed out when it turns out to be broken.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    let mut check = Check(Ok(()));
    walk::request(bytes, &mut check)?;
    check.0
}

/// The same of one ResourceMetrics.
pub(super) fn check_one(message: &[u8]) -> Result<(), Fault> {
    let mut check = Check(Ok(()));
    walk::resource_metrics(message, &mut check)?;
    check.0
}

/// The same of what a point has beside its attributes.
pub(super) fn values(point: &Point<'_>) -> Result<(), Fault> {
    point.exemplars.check()?;
    match &point.value {
        Value::ExponentialHistogram(histogram) => histogram.check(),
        _ => Ok(()),
    }
}

struct Check(Result<(), Fault>);

impl Check {
    fn also(&mut self, check: impl FnOnce() -> Result<(), Fault>) {
        if self.0.is_ok() {
            self.0 = check();
        }
    }

    fn attributes(&mut self, attributes: &Attributes<'_>) {
        self.also(|| attributes.check());
    }
}

impl Sink for Check {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.attributes(&resource.attributes);
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.attributes(&scope.attributes);
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        self.attributes(&metric.metadata);
    }

    fn point(&mut self, point: &Point<'_>) {
        self.attributes(&point.attributes);
        self.also(|| values(point));
    }
}
