//! A request is recognised by what its sender wrote last time, or read field by field: both have to come to the same, whatever is
//! sent, in whatever order of fields, damaged or not, while series come, change, expire and go.

use meterbridge::exposition::{Escaping, Format, Syntax};
use meterbridge::translate::Memory;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::generate::{History, history};
use crate::harness::{Bridge, CUMULATIVE, DELTA, Request, SECOND, encode, from, from_r0, gauge, hist, sum};
use crate::wire::{self, Style};

/// What happens to a request on its way, one time after the other.
#[derive(Clone, Debug)]
enum Sent {
    /// As it was generated.
    Again,
    /// So many seconds later, with other values.
    Later(u64),
    /// With this style of fields.
    As(Style),
    /// With a byte changed here and there, and maybe cut off.
    Damaged(Vec<(Index, u8)>, Option<Index>),
    /// With the temporality of sums and histograms changed.
    Turned,
    /// With its metrics in reverse.
    Backwards,
    /// Nothing comes for so long.
    Pause(u64),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        3 => Just(Sent::Again),
        6 => (1..4_u64).prop_map(Sent::Later),
        3 => select(Style::ALL.to_vec()).prop_map(Sent::As),
        2 => (vec((any::<Index>(), any::<u8>()), 0..3), any::<Option<Index>>())
            .prop_map(|(damage, cut)| Sent::Damaged(damage, cut)),
        1 => Just(Sent::Turned),
        1 => Just(Sent::Backwards),
        1 => (1..12_u64).prop_map(Sent::Pause),
    ]
}

/// Two bridges that are told the same, one of which remembers.
struct Pair {
    plain: Bridge,
    quick: Bridge,
    memory: Memory,
    time: u64,
}

impl Pair {
    fn new(history: &History) -> Self {
        let bridge = || Bridge::with(history.limits.clone(), history.rules.clone());
        Self {
            plain: bridge(),
            quick: bridge(),
            memory: Memory::default(),
            time: 0,
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.time += seconds;
        self.plain.at(self.time);
        self.quick.at(self.time);
    }

    fn sweep(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.plain.sweep(), self.quick.sweep());
        self.memory.sweep(&self.quick.store);
        Ok(())
    }

    fn take(&self, bytes: &[u8]) -> Result<(), TestCaseError> {
        let before = shown(&self.quick);
        let plain = self.plain.take(bytes).map(|answer| answer.0);
        let quick = self.quick.remember(&self.memory, bytes).map(|answer| answer.0);
        if quick.is_err() {
            prop_assert_eq!(&shown(&self.quick), &before, "what cannot be decoded leaves no trace");
        }
        prop_assert_eq!(format!("{quick:?}"), format!("{plain:?}"));
        prop_assert_eq!(shown(&self.quick), shown(&self.plain));
        Ok(())
    }
}

fn shown(bridge: &Bridge) -> String {
    let format = Format {
        syntax: Syntax::OpenMetrics2,
        escaping: Escaping::AllowUtf8,
        ..Format::default()
    };
    let held = bridge.held(|name, series| format!("{name} {series:?}\n")).concat();
    let sources = bridge.store.sources();
    let sources = sources.iter().map(|source| {
        let target = source.target();
        (
            source.identity().clone(),
            source.series(),
            source.points(),
            source.last_seen(),
            target,
        )
    });
    let sources: Vec<_> = sources.collect();
    let scrape = bridge.scrape_as(format, 1 << 16);
    format!("{}{held}{sources:?}", String::from_utf8_lossy(&scrape))
}

/// The same request so much later.
fn later(requests: &[Request], seconds: u64) -> Vec<Request> {
    let mut requests = requests.to_vec();
    let moved = |time: &mut u64| *time = time.saturating_add(seconds * SECOND);
    let grown = |value: &mut Option<Value>| match value {
        Some(Value::AsInt(value)) => *value = value.saturating_add(1),
        Some(Value::AsDouble(value)) => *value += 0.5,
        None => {}
    };
    let scopes = requests.iter_mut().flat_map(|request| &mut request.0.scope_metrics);
    for data in scopes
        .flat_map(|scope| &mut scope.metrics)
        .filter_map(|metric| metric.data.as_mut())
    {
        match data {
            Data::Gauge(gauge) => gauge.data_points.iter_mut().for_each(|point| {
                moved(&mut point.time_unix_nano);
                grown(&mut point.value);
            }),
            Data::Sum(sum) => sum.data_points.iter_mut().for_each(|point| {
                moved(&mut point.time_unix_nano);
                grown(&mut point.value);
            }),
            Data::Histogram(histogram) => histogram.data_points.iter_mut().for_each(|point| {
                moved(&mut point.time_unix_nano);
                point.sum = point.sum.map(|sum| sum + 1.0);
                point.count = point.count.saturating_add(1);
                if let Some(count) = point.bucket_counts.last_mut() {
                    *count = count.saturating_add(1);
                }
            }),
            Data::ExponentialHistogram(histogram) => histogram.data_points.iter_mut().for_each(|point| {
                moved(&mut point.time_unix_nano);
                point.count = point.count.saturating_add(1);
                point.sum = point.sum.map(|sum| sum + 1.0);
                let grown = point.positive.as_mut().and_then(|side| side.bucket_counts.last_mut());
                match grown {
                    Some(count) => *count = count.saturating_add(1),
                    None => point.zero_count = point.zero_count.saturating_add(1),
                }
            }),
            Data::Summary(summary) => {
                summary
                    .data_points
                    .iter_mut()
                    .for_each(|point| moved(&mut point.time_unix_nano));
            }
        }
    }
    requests
}

fn turned(requests: &[Request]) -> Vec<Request> {
    let mut requests = requests.to_vec();
    let turn = |temporality: &mut i32| *temporality = if *temporality == DELTA { CUMULATIVE } else { DELTA };
    let scopes = requests.iter_mut().flat_map(|request| &mut request.0.scope_metrics);
    for data in scopes
        .flat_map(|scope| &mut scope.metrics)
        .filter_map(|metric| metric.data.as_mut())
    {
        match data {
            Data::Sum(sum) => turn(&mut sum.aggregation_temporality),
            Data::Histogram(histogram) => turn(&mut histogram.aggregation_temporality),
            Data::ExponentialHistogram(histogram) => turn(&mut histogram.aggregation_temporality),
            Data::Gauge(_) | Data::Summary(_) => {}
        }
    }
    requests
}

fn backwards(requests: &[Request]) -> Vec<Request> {
    let mut requests = requests.to_vec();
    let scopes = requests.iter_mut().flat_map(|request| &mut request.0.scope_metrics);
    scopes.for_each(|scope| scope.metrics.reverse());
    requests
}

fn damaged(mut bytes: Vec<u8>, damage: &[(Index, u8)], cut: Option<Index>) -> Vec<u8> {
    if !bytes.is_empty() {
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.map_or(usize::MAX, |cut| cut.index(bytes.len())));
    }
    bytes
}

/// Sends what is in the history, and each step of it some times more.
fn come_to_the_same(history: &History, ways: &[Sent]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(history);
    for step in &history.steps {
        pair.wait(step.seconds);
        if step.sweeps {
            pair.sweep()?;
        }
        let mut requests = step.requests.clone();
        pair.take(&encode(requests.clone()))?;
        for way in ways {
            match way {
                Sent::Again => {}
                Sent::Later(seconds) => {
                    requests = later(&requests, *seconds);
                    pair.wait(*seconds);
                }
                Sent::As(style) => {
                    pair.take(&wire::restyle(*style, &encode(requests.clone())))?;
                    continue;
                }
                Sent::Damaged(damage, cut) => {
                    pair.take(&damaged(encode(requests.clone()), damage, *cut))?;
                    continue;
                }
                Sent::Turned => requests = turned(&requests),
                Sent::Backwards => requests = backwards(&requests),
                Sent::Pause(seconds) => {
                    pair.wait(*seconds);
                    continue;
                }
            }
            pair.take(&encode(requests.clone()))?;
        }
    }
    Ok(())
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64),
    ) })]

    #[test]
    fn what_is_recognised_comes_to_what_is_read(history in history(), ways in vec(sent(), 1..8)) {
        come_to_the_same(&history, &ways)?;
    }
}

/// Two metrics of one name whose units differ, which is said each time.
#[test]
fn k_03_a_unit_that_conflicts_is_told_of_each_time() {
    let memory = Memory::default();
    let bridge = Bridge::new();
    let request = |time: u64| {
        let unit = |unit: &str| gauge("g").is(1).t(time).unit(unit);
        let rows = [
            from_r0(&[]).scope_named("one", [unit("{a}")]),
            from(&[("service.name", "other")]).scope_named("two", [unit("{b}")]),
        ];
        encode(rows)
    };
    let plain = Bridge::new();
    for time in [1, 2, 3] {
        let quick = bridge.remember(&memory, &request(time)).unwrap();
        let plain = plain.take(&request(time)).unwrap();
        assert_eq!(format!("{:?}", quick.0), format!("{:?}", plain.0));
    }
}

/// A series that is looked up again under another place, since it went in between.
#[test]
fn a_series_that_went_and_came_back_is_found() {
    let (memory, bridge) = (Memory::default(), Bridge::new());
    let take = |value: i64, stale: bool, time: u64| {
        let metrics = ["a", "b"].map(|name| {
            let metric = sum(name, true, CUMULATIVE).is(value).t(time);
            if stale && name == "a" { metric.stale() } else { metric }
        });
        bridge
            .remember(&memory, &encode([from_r0(&[]).metrics(metrics)]))
            .unwrap();
    };
    take(1, false, 1);
    take(2, false, 2);
    take(2, true, 3);
    assert_eq!(bridge.store.series(), 1);
    take(4, false, 4);
    take(5, false, 5);
    let held = bridge.held(|name, series| format!("{name} {:?}", series.sample));
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|line| line.ends_with("Number(Int(5))")), "{held:?}");
}

/// Bounds that change under attributes that do not.
#[test]
fn a_histogram_of_other_bounds_is_taken_over() {
    let (memory, bridge) = (Memory::default(), Bridge::new());
    for (bounds, counts, time) in [
        (&[1.0][..], &[1, 2][..], 1),
        (&[1.0], &[2, 2], 2),
        (&[1.0, 2.0], &[2, 2, 3], 3),
        (&[1.0, 2.0], &[2, 3, 3], 4),
    ] {
        let metric = hist("h").buckets(bounds, counts, 1.0).t(time);
        bridge
            .remember(&memory, &encode([from_r0(&[]).metrics([metric])]))
            .unwrap();
    }
    let held = bridge.held(|_, series| format!("{:?}", series.sample));
    assert!(held[0].contains("[2, 5, 8]"), "{held:?}");
}
