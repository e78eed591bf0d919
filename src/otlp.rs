//! Decodes OTLP metrics from bytes into data points. Knows OTLP only.
//!
//! [`decode`] walks the bytes of a protobuf request and hands borrowed points to a [`Sink`]; nothing is built in between.
//! OTLP/JSON is first rewritten as protobuf ([`json::transcode`]), so that there is one walk and one meaning.

mod attributes;
mod check;
mod exemplar;
mod exponential;
pub(crate) mod frame;
pub mod json;
mod point;
mod repair;
mod schema;
mod walk;
mod wire;

pub use attributes::{AnyValue, Attribute, Attributes};
pub use exemplar::{Exemplar, Exemplars};
pub use exponential::{Buckets, ExponentialHistogramPoint};
pub use point::{HistogramPoint, Number, Point, Quantile, SummaryPoint, Value};

/// Takes what a request holds, from the outside in. Every call of [`Sink::point`] belongs to the latest metric, that to the
/// latest scope, that to the latest resource.
pub trait Sink {
    /// A resource begins.
    fn resource(&mut self, resource: &Resource<'_>);
    /// A scope begins.
    fn scope(&mut self, scope: &Scope<'_>);
    /// A metric begins. It may have no points.
    fn metric(&mut self, metric: &Metric<'_>);
    /// One point of the metric.
    fn point(&mut self, point: &Point<'_>);
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// What identifies and describes it.
    pub attributes: Attributes<'a>,
}

/// The library that measured.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Empty where unknown.
    pub name: &'a str,
    /// Empty where unknown.
    pub version: &'a str,
    /// Of the ScopeMetrics, not of the ResourceMetrics.
    pub schema_url: &'a str,
    /// Further identity.
    pub attributes: Attributes<'a>,
}

/// What the points of one metric have in common.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// As the application chose it.
    pub name: &'a str,
    /// Empty where there is none.
    pub description: &'a str,
    /// UCUM, or what the application takes for it.
    pub unit: &'a str,
    /// Which of the five kinds, with what belongs to it.
    pub kind: Kind,
    /// Hints such as `prometheus.type`.
    pub metadata: Attributes<'a>,
}

/// The five kinds of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The latest of a value.
    Gauge,
    /// A sum.
    Sum {
        /// Whether it never goes down.
        monotonic: bool,
        /// Since when it counts.
        temporality: Temporality,
    },
    /// Explicit bounds.
    Histogram(Temporality),
    /// Exponential bounds.
    ExponentialHistogram(Temporality),
    /// Quantiles.
    Summary,
}

impl Kind {
    /// Every word that [`Kind::as_str`] gives.
    pub const WORDS: [&'static str; 5] = ["gauge", "sum", "histogram", "exponential_histogram", "summary"];

    /// Whether its points count from the last report only.
    pub fn is_delta(self) -> bool {
        matches!(
            self,
            Self::Sum {
                temporality: Temporality::Delta,
                ..
            } | Self::Histogram(Temporality::Delta)
                | Self::ExponentialHistogram(Temporality::Delta)
        )
    }

    /// The word of the protocol for it.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[match self {
            Self::Gauge => 0,
            Self::Sum { .. } => 1,
            Self::Histogram(_) => 2,
            Self::ExponentialHistogram(_) => 3,
            Self::Summary => 4,
        }]
    }
}

/// What a sum or a histogram counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporality {
    /// From the last report.
    Delta,
    /// From the start of the stream.
    Cumulative,
    /// 0, or a number that the enumeration does not have.
    Unknown,
}

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf.
    Protobuf,
    /// JSON, as OTLP has it.
    Json,
}

impl Encoding {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "json",
        }
    }

    /// The content type of requests and of their answers (conformance P-01).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Why a request cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not OTLP; the text says where and why.
    #[error("{0}")]
    Malformed(String),
    /// The named field, or the named byte of a JSON text, is not UTF-8.
    #[error("{0}")]
    InvalidUtf8(String),
}

/// Reads an `ExportMetricsServiceRequest` and hands everything in it to `sink`, in the order of the bytes; fields may stand
/// in any order within their message.
///
/// # Errors
///
/// All or nothing: where the bytes are not a request, or a text in them is not UTF-8, the sink has seen none of it.
pub fn decode(bytes: &[u8], sink: &mut impl Sink) -> Result<(), DecodeError> {
    check::check(bytes)
        .and_then(|()| walk::request(bytes, sink))
        .map_err(|fault| *fault)
}

/// Whether a ResourceMetrics can be decoded.
pub(crate) fn check_resource_metrics(message: &[u8]) -> Option<()> {
    check::check_one(message).ok()
}

/// The points of a ResourceMetrics that [`check_resource_metrics`] has passed.
pub(crate) fn walk_resource_metrics(message: &[u8], sink: &mut impl Sink) {
    // It has been checked.
    let _ = walk::resource_metrics(message, sink);
}

/// The resource of a ResourceMetrics; `None` where it cannot be decoded. So it is with those that follow.
pub(crate) fn read_resource(message: &[u8]) -> Option<Resource<'_>> {
    let resource = walk::resource(message);
    resource.attributes.check().ok()?;
    Some(resource)
}

/// The scope of a ScopeMetrics.
pub(crate) fn read_scope(message: &[u8]) -> Option<Scope<'_>> {
    let scope = walk::scope(message).ok()?;
    scope.attributes.check().ok()?;
    Some(scope)
}

/// What stands in front of a metric's points; `None` also where it has no data.
pub(crate) fn read_metric(message: &[u8]) -> Option<Metric<'_>> {
    let (metric, _) = walk::head(message).ok()??;
    metric.metadata.check().ok()?;
    Some(metric)
}

/// A point of a metric of `kind`.
pub(crate) fn read_point(kind: Kind, message: &[u8]) -> Option<Point<'_>> {
    let point = read_known_point(kind, message)?;
    point.attributes.check().ok()?;
    Some(point)
}

/// The same of a point that needs no check any more: it has passed [`read_point`] or [`read_known_point`], or is a plain number with
/// attributes that are known.
pub(crate) fn read_point_again(kind: Kind, message: &[u8]) -> Option<Point<'_>> {
    point::read(kind, message).ok()
}

/// The same as [`read_point`] of a point whose attributes have been checked before.
pub(crate) fn read_known_point(kind: Kind, message: &[u8]) -> Option<Point<'_>> {
    let point = point::read(kind, message).ok()?;
    check::values(&point).ok()?;
    Some(point)
}

/// The same, with U+FFFD in place of what is not UTF-8 (conformance L-08); how many texts that changed. A request that is as it
/// should be costs no more than with [`decode`].
///
/// # Errors
///
/// As [`decode`] but for that.
pub fn decode_lossy(bytes: &[u8], sink: &mut impl Sink) -> Result<u64, DecodeError> {
    match decode(bytes, sink) {
        Err(DecodeError::InvalidUtf8(_)) => {
            let repaired = repair::repair(bytes);
            decode(&repaired.protobuf, sink)?;
            Ok(repaired.replaced)
        }
        decoded => decoded.map(|()| 0),
    }
}

#[cfg(test)]
mod tests;
