use super::{Rules, Strategy, metric};
use crate::model::Refused;
use crate::otlp::{self, DecodeError, Encoding, Metric, Point, Resource, Scope, Sink, json};

/// What a metric is called under each strategy.
#[derive(Clone, Debug)]
pub struct MetricNames {
    /// As the sender calls it, or the beginning of that.
    pub name: String,
    /// As the sender has it, or the beginning of that.
    pub unit: String,
    /// The word of the protocol for what it is.
    pub kind: &'static str,
    /// The word for each strategy, with the name, or why there is none.
    pub names: Vec<(&'static str, Result<String, Refused>)>,
}

/// How many different metrics are named.
const MOST: usize = 1000;

/// The names of the metrics in a request, each once, under each strategy; all else is as the rules say.
///
/// # Errors
///
/// Where it is not an OTLP metrics request.
pub fn names(rules: &Rules, encoding: Encoding, message: &[u8]) -> Result<Vec<MetricNames>, DecodeError> {
    let rules = Strategy::ALL.map(|strategy| Rules {
        strategy,
        ..rules.clone()
    });
    let mut sink = Names {
        rules,
        found: Vec::new(),
    };
    let transcoded;
    let protobuf = match encoding {
        Encoding::Protobuf => message,
        Encoding::Json => {
            transcoded = json::transcode_lossy(message)?;
            &transcoded.protobuf
        }
    };
    otlp::decode_lossy(protobuf, &mut sink)?;
    Ok(sink.found)
}

struct Names {
    rules: [Rules; 4],
    found: Vec<MetricNames>,
}

impl Sink for Names {
    fn resource(&mut self, _: &Resource<'_>) {}

    fn scope(&mut self, _: &Scope<'_>) {}

    fn metric(&mut self, metric: &Metric<'_>) {
        let (name, unit) = (metric::shown(metric.name), metric::shown(metric.unit));
        let kind = metric.kind.as_str();
        let is_known = |known: &MetricNames| known.name == name && known.unit == unit && known.kind == kind;
        if self.found.len() >= MOST || self.found.iter().any(is_known) {
            return;
        }
        let names = self.rules.iter().map(|rules| {
            let family = metric::family(metric, rules);
            (rules.strategy.as_str(), family.map(|family| family.name))
        });
        self.found.push(MetricNames {
            name: name.to_owned(),
            unit: unit.to_owned(),
            kind,
            names: names.collect(),
        });
    }

    fn point(&mut self, _: &Point<'_>) {}
}
