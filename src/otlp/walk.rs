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
fn resource_metrics(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    let mut resource = Resource {
        attributes: Attributes::NONE,
    };
    for field in Fields::of(message) {
        if let (1, payload) = field? {
            resource.attributes = Attributes::of(payload.message("resource")?, 1);
        }
    }
    sink.resource(&resource);
    for field in Fields::of(message) {
        if let (2, payload) = field? {
            scope_metrics(payload.message("scope_metrics")?, sink)?;
        }
    }
    Ok(())
}

// message ScopeMetrics { InstrumentationScope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
fn scope_metrics(message: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    let mut scope = Scope {
        name: "",
        version: "",
        schema_url: "",
        attributes: Attributes::NONE,
    };
    for field in Fields::of(message) {
        match field? {
            (1, payload) => read_scope(payload.message("scope")?, &mut scope)?,
            (3, payload) => scope.schema_url = payload.text("a scope's schema_url")?,
            _ => {}
        }
    }
    sink.scope(&scope);
    for field in Fields::of(message) {
        if let (2, payload) = field? {
            metric(payload.message("metrics")?, sink)?;
        }
    }
    Ok(())
}

// message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
fn read_scope<'a>(message: &'a [u8], scope: &mut Scope<'a>) -> Result<(), Fault> {
    scope.attributes = Attributes::of(message, 3);
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
    let (mut name, mut description, mut unit) = ("", "", "");
    let mut data = None;
    for field in Fields::of(message) {
        match field? {
            (1, payload) => name = payload.text("a metric's name")?,
            (2, payload) => description = payload.text("a metric's description")?,
            (3, payload) => unit = payload.text("a metric's unit")?,
            // Of several kinds the last counts, as protobuf has it.
            (number @ (5 | 7 | 9 | 10 | 11), payload) => data = Some((number, payload.message("a metric's data")?)),
            _ => {}
        }
    }
    // A metric without data has no points, which is not an error (conformance P-09).
    let Some((data_field, last)) = data else { return Ok(()) };
    let kind = kind(data_field, last)?;
    sink.metric(&Metric {
        name,
        description,
        unit,
        kind,
        metadata: Attributes::of(message, 12),
    });
    for field in Fields::of(message) {
        // A message may be sent in pieces, which add up.
        if let (number, Payload::Bytes(data)) = field?
            && number == data_field
        {
            points(kind, data, sink)?;
        }
    }
    Ok(())
}

// message Sum { repeated NumberDataPoint data_points = 1; AggregationTemporality aggregation_temporality = 2;
//   bool is_monotonic = 3; }, likewise Gauge, Histogram, ExponentialHistogram and Summary with fewer fields.
fn kind(data_field: u32, data: &[u8]) -> Result<Kind, Fault> {
    let (mut temporality, mut monotonic) = (Temporality::Unknown, false);
    for field in Fields::of(data) {
        match field? {
            // Other kinds of metric do not have these fields.
            (2, payload) if matches!(data_field, 7 | 9 | 10) => {
                temporality = match payload.varint("aggregation_temporality")? {
                    1 => Temporality::Delta,
                    2 => Temporality::Cumulative,
                    _ => Temporality::Unknown,
                }
            }
            (3, payload) if data_field == 7 => monotonic = payload.varint("is_monotonic")? != 0,
            _ => {}
        }
    }
    Ok(match data_field {
        5 => Kind::Gauge,
        7 => Kind::Sum { monotonic, temporality },
        9 => Kind::Histogram(temporality),
        10 => Kind::ExponentialHistogram(temporality),
        _ => Kind::Summary,
    })
}

fn points(kind: Kind, data: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    for field in Fields::of(data) {
        if let (1, payload) = field? {
            sink.point(&point::read(kind, payload.message("data_points")?)?);
        }
    }
    Ok(())
}
