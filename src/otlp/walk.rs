use super::wire::{Fault, Fields, Payload};
use super::{Attributes, Kind, Metric, Resource, Scope, Sink, Temporality, point};

// The order of fields is the sender's choice: the Collector writes every message backwards. So each message is read twice,
// first for what its parts have in common, then for the parts.

// message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
pub(super) fn request(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    for field in Fields::of(message) {
        if let (1, payload) = field? {
            resource_metrics(payload.message("resource_metrics")?, sink)?;
        }
    }
    Ok(())
}

// message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
// message Resource { repeated KeyValue attributes = 1; }
pub(super) fn resource_metrics(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    for field in Fields::of(message) {
        // Not used, but a text all the same (conformance L-08).
        if let (3, payload) = field? {
            payload.text("a resource's schema_url")?;
        }
    }
    sink.resource(&resource(message));
    for field in Fields::of(message) {
        if let (2, payload) = field? {
            scope_metrics(payload.message("scope_metrics")?, sink)?;
        }
    }
    Ok(())
}

pub(super) fn resource(message: &[u8]) -> Resource<'_> {
    Resource {
        attributes: Attributes::of(message, &[1, 1]),
    }
}

// message ScopeMetrics { InstrumentationScope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
fn scope_metrics(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    sink.scope(&scope(message)?);
    for field in Fields::of(message) {
        if let (2, payload) = field? {
            metric(payload.message("metrics")?, sink)?;
        }
    }
    Ok(())
}

pub(super) fn scope(message: &[u8]) -> Result<Scope<'_>, Fault> {
    let mut scope = Scope {
        name: "",
        version: "",
        schema_url: "",
        attributes: Attributes::of(message, &[1, 3]),
    };
    for field in Fields::of(message) {
        match field? {
            (1, payload) => read_scope(payload.message("scope")?, &mut scope)?,
            (3, payload) => scope.schema_url = payload.text("a scope's schema_url")?,
            _ => {}
        }
    }
    Ok(scope)
}

// message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
fn read_scope<'a>(message: &'a [u8], scope: &mut Scope<'a>) -> Result<(), Fault> {
    for field in Fields::of(message) {
        match field? {
            (1, payload) => scope.name = payload.text("a scope's name")?,
            (2, payload) => scope.version = payload.text("a scope's version")?,
            _ => {}
        }
    }
    Ok(())
}

// message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7;
//   Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10; Summary summary = 11; }
//   repeated KeyValue metadata = 12; }
fn metric(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    // A metric without data has no points, which is not an error (conformance P-09), but what else it has may be one.
    let Some((metric, data)) = head(message)? else {
        return Attributes::of(message, METADATA).check();
    };
    sink.metric(&metric);
    for field in Fields::of(message).skip(data.from) {
        if let (number, Payload::Bytes(piece)) = field?
            && number == data.field
        {
            points(metric.kind, piece, sink)?;
        }
    }
    Ok(())
}

const METADATA: &[u32] = &[12];

/// All of a metric but its points, and where they are; `None` where there are none.
pub(super) fn head(message: &[u8]) -> Result<Option<(Metric<'_>, Data)>, Fault> {
    let (mut name, mut description, mut unit) = ("", "", "");
    let mut data: Option<Data> = None;
    for (at, field) in Fields::of(message).enumerate() {
        match field? {
            (1, payload) => name = payload.text("a metric's name")?,
            (2, payload) => description = payload.text("a metric's description")?,
            (3, payload) => unit = payload.text("a metric's unit")?,
            // Of several kinds the last counts, and several pieces of one kind add up, as protobuf has it.
            (number @ (5 | 7 | 9 | 10 | 11), payload) => {
                let data = match &mut data {
                    Some(data) if data.field == number => data,
                    data => data.insert(Data::new(number, at)),
                };
                data.read(payload.message("a metric's data")?)?;
            }
            _ => {}
        }
    }
    Ok(data.map(|data| {
        let metric = Metric {
            name,
            description,
            unit,
            kind: data.kind(),
            metadata: Attributes::of(message, METADATA),
        };
        (metric, data)
    }))
}

/// What the pieces of a metric's data have said so far.
// message Sum { repeated NumberDataPoint data_points = 1; AggregationTemporality aggregation_temporality = 2;
//   bool is_monotonic = 3; }, likewise Gauge, Histogram, ExponentialHistogram and Summary with fewer fields.
pub(super) struct Data {
    field: u32,
    /// The how-manieth field of the metric is the first piece.
    from: usize,
    temporality: Temporality,
    monotonic: bool,
}

impl Data {
    fn new(field: u32, from: usize) -> Self {
        Self {
            field,
            from,
            temporality: Temporality::Unknown,
            monotonic: false,
        }
    }

    fn read(&mut self, piece: &[u8]) -> Result<(), Fault> {
        for field in Fields::of(piece) {
            match field? {
                // Other kinds of metric do not have these fields.
                (2, payload) if matches!(self.field, 7 | 9 | 10) => {
                    self.temporality = match payload.varint("aggregation_temporality")? {
                        1 => Temporality::Delta,
                        2 => Temporality::Cumulative,
                        _ => Temporality::Unknown,
                    }
                }
                (3, payload) if self.field == 7 => self.monotonic = payload.varint("is_monotonic")? != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn kind(&self) -> Kind {
        let Self {
            temporality, monotonic, ..
        } = *self;
        match self.field {
            5 => Kind::Gauge,
            7 => Kind::Sum { monotonic, temporality },
            9 => Kind::Histogram(temporality),
            10 => Kind::ExponentialHistogram(temporality),
            _ => Kind::Summary,
        }
    }
}

fn points(kind: Kind, data: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    for field in Fields::of(data) {
        if let (1, payload) = field? {
            sink.point(&point::read(kind, payload.message("data_points")?)?);
        }
    }
    Ok(())
}
