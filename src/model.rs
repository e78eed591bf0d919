//! The Prometheus nouns that the stages share: families, labels, samples, and why something was refused. Plain data.

mod exemplar;
mod exponential;
mod family;
mod labels;
mod number;
mod reason;
mod sample;
mod value;

pub use exemplar::{Exemplar, Exemplars};
pub use exponential::{Exponential, Side};
pub use family::{Family, MetricType};
pub use labels::{Labels, is_label_name, is_metric_name, push_label, push_label_as};
pub use number::{Number, write_double};
pub use reason::{PointReason, Refused, RequestReason};
pub use sample::{Buckets, ExponentialHistogram, Histogram, Sample, Series, Summary};
pub use value::{KeptHistogram, Value};
