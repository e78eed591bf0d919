//! The Prometheus nouns that the stages share: families, labels, samples, and why something was refused. Plain data.

mod family;
mod labels;
mod number;
mod reason;
mod sample;

pub use family::{Family, MetricType};
pub use labels::{Labels, push_label};
pub use number::{Number, write_double};
pub use reason::{PointReason, Refused, RequestReason};
pub use sample::{Histogram, Sample, Summary};
