//! Arbitrary requests that are valid OTLP, of every kind, and as hostile as they can be within that; by which rules and
//! limits they are taken in, and when.

use meterbridge::store::{self, Collisions, ExpiryRule};
use meterbridge::translate::{IdentityConflict, LabelLimits, MissingSum, Rules, Strategy as Naming};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::time::Duration;

use crate::harness::{
    Any, Build, CUMULATIVE, DELTA, Empty, ExponentialPoint, Request, SECOND, Value, any as wrap, exphist, from,
    from_pairs, from_r0, gauge, hist, pair, sum, summary,
};
use crate::wire::Style;

/// Names that meet each other, by translation or by the suffixes of samples, and any text at all.
fn name() -> impl Strategy<Value = String> {
    let few = select(vec![
        "",
        "a",
        "a.b",
        "a_b",
        "a-b",
        "_a",
        "__a",
        "a_total",
        "a.total",
        "a_sum",
        "a_count",
        "a.count",
        "a_bucket",
        "a_created",
        "a_info",
        "a_seconds",
        "_total",
        "_info",
        "info",
        "5",
        "é",
        "a\"b",
        "a\\b\n",
        "😀 a",
        "total",
        "ratio",
        "target_info",
        "target.info",
        "target",
        "a:b",
    ]);
    let meeting = select(vec!["a", "a.b", "a_sum", "a_count", "b"]);
    prop_oneof![1 => any_text(), 3 => few.prop_map(str::to_owned), 6 => meeting.prop_map(str::to_owned)]
}

pub fn key() -> impl Strategy<Value = String> {
    let few = select(vec![
        "",
        "a",
        "a.b",
        "a_b",
        "a-b",
        "_a",
        "__a__",
        "..a",
        "__name__",
        "__name.",
        "job",
        "instance",
        "exported_job",
        "exported.job",
        "le",
        "l.e",
        "exported_le",
        "quantile",
        "5",
        "é",
        "a\"",
        "\n",
        "otel_scope_name",
        "otel.scope.name",
        "otel_resource",
        "trace_id",
        "trace.id",
        "span_id",
        "name",
        "version",
        "x:y",
        "service.name",
        "service.instance.id",
        "service.namespace",
    ]);
    prop_oneof![6 => few.prop_map(str::to_owned), 1 => any_text()]
}

/// Control characters, quotes, backslashes, blanks at the ends and everything else.
fn any_text() -> impl Strategy<Value = String> {
    let special = select(vec![
        '\\', '"', '\n', '\r', '\t', '\0', '{', '}', ',', '=', ' ', ' ', '#', '\u{85}', '\u{2028}', '\u{FEFF}',
        '\u{FFFF}',
    ]);
    let whole = select(vec![
        " ",
        "\t",
        "\r",
        "x\r",
        "x ",
        " x",
        "x  y",
        "\\",
        "\\n",
        "\"",
        "# EOF",
        "\n# EOF\n",
        "a # {} 1",
        "\r\n",
        "{}",
    ]);
    prop_oneof![
        4 => vec(prop_oneof![special, any::<char>()], 0..8).prop_map(String::from_iter),
        1 => whole.prop_map(str::to_owned),
    ]
}

pub fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        select(vec![
            0.0,
            -0.0,
            1.0,
            1.0,
            -1.0,
            0.5,
            1e6,
            1e-5,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324
        ]),
        any::<u64>().prop_map(f64::from_bits),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let single = prop_oneof![
        3 => any_text().prop_map(wrap),
        3 => select(vec!["", "x", "y"]).prop_map(wrap),
        // About as much as an exemplar may have.
        1 => (50..140usize).prop_map(|length| wrap("é".repeat(length))),
        1 => any::<bool>().prop_map(wrap),
        1 => any::<i64>().prop_map(wrap),
        1 => double().prop_map(wrap),
        1 => Just(wrap(Empty)),
    ];
    single.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(wrap),
            vec((key(), inner), 0..3).prop_map(|pairs| wrap(pairs.into_iter().map(with).collect::<Vec<_>>())),
        ]
    })
}

fn with((key, value): (String, AnyValue)) -> KeyValue {
    KeyValue {
        value: Some(value),
        ..pair(&key, Empty)
    }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    // Often none, so that points meet in one series.
    prop_oneof![2 => Just(Vec::new()), 3 => vec((key(), value()).prop_map(with), 1..5)]
}

#[derive(Clone, Debug)]
enum Measured {
    Number(f64),
    Whole(i64),
    Unset,
    Buckets(Vec<f64>, Vec<u64>, Option<f64>, u64),
    Exponential(Exponential),
    Quantiles(Vec<(f64, f64)>, u64, f64),
}

#[derive(Clone, Debug)]
struct Exponential {
    scale: i32,
    zero: (u64, f64),
    positive: (i32, Vec<u64>),
    negative: (i32, Vec<u64>),
    sum: Option<f64>,
    count: Option<u64>,
}

impl Exponential {
    fn of(self, point: ExponentialPoint) -> ExponentialPoint {
        let point = point.scale(self.scale).zero(self.zero.0).threshold(self.zero.1);
        let point = point
            .positive(self.positive.0, &self.positive.1)
            .negative(self.negative.0, &self.negative.1);
        let point = self.sum.into_iter().fold(point, ExponentialPoint::sum);
        self.count.into_iter().fold(point, ExponentialPoint::count)
    }
}

/// Small ones, those at the edge of what a double holds exactly, and those of which two fill 64 bits.
fn count() -> impl Strategy<Value = u64> {
    let huge = select(vec![(1 << 53) - 1, 1 << 53, (1 << 53) + 1, 1 << 62, 1 << 63, u64::MAX]);
    prop_oneof![12 => 0..4u64, 4 => Just(0), 1 => huge, 1 => any::<u16>().prop_map(u64::from)]
}

/// Mostly what is taken; often with few buckets around the threshold, which folds some and cuts others in two.
fn exponential() -> impl Strategy<Value = Measured> {
    let side = || {
        let offset = prop_oneof![8 => -20..20i32, 2 => -1100..1100i32, 1 => any::<i32>()];
        // Now and then wider than what is kept.
        let counts = prop_oneof![12 => vec(count(), 0..5), 1 => vec(0..2u64, 150..400)];
        (offset, counts)
    };
    let threshold = prop_oneof![3 => Just(0.0), 1 => select(vec![1e-128, 0.001, 1.0, 3.0]), 1 => double()];
    let far = (
        prop_oneof![4 => -4..20i32, 1 => any::<i32>()],
        (count(), threshold),
        side(),
        side(),
        prop_oneof![6 => double().prop_map(Some), 1 => Just(None)],
        prop_oneof![9 => Just(None), 1 => any::<u64>().prop_map(Some)],
    );
    let side = || (-3..4i32, vec(0..4u64, 0..4));
    let near = (
        -1..3i32,
        (0..3u64, select(vec![0.3, 0.75, 1.5, 3.0, 6.0])),
        side(),
        side(),
        double().prop_map(Some),
        Just(None),
    );
    prop_oneof![2 => far, 1 => near].prop_map(|(scale, zero, positive, negative, sum, count)| {
        Measured::Exponential(Exponential {
            scale,
            zero,
            positive,
            negative,
            sum,
            count,
        })
    })
}

fn number() -> impl Strategy<Value = Measured> {
    prop_oneof![
        4 => double().prop_map(Measured::Number),
        2 => any::<i64>().prop_map(Measured::Whole),
        2 => (0..3i64).prop_map(Measured::Whole),
        1 => Just(Measured::Unset)
    ]
}

fn buckets() -> impl Strategy<Value = Measured> {
    let sum = || option::weighted(0.8, double());
    let odd = (vec(double(), 0..5), vec(count(), 0..5), sum(), 0..9u64);
    let fitting = (vec(0..6, 0..5), vec(count(), 6), sum(), any::<(bool, bool)>()).prop_map(
        |(bounds, counts, sum, (low, high))| {
            let mut bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) - 1.5).collect();
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            bounds.extend(high.then_some(f64::INFINITY));
            bounds.splice(..0, low.then_some(f64::NEG_INFINITY));
            let counts = counts.into_iter().cycle().take(bounds.len() + 1).collect();
            (bounds, counts, sum, 7)
        },
    );
    prop_oneof![1 => odd, 3 => fitting]
        .prop_map(|(bounds, counts, sum, count)| Measured::Buckets(bounds, counts, sum, count))
}

fn quantiles() -> impl Strategy<Value = Measured> {
    let quantile = prop_oneof![9 => select(vec![0.0, -0.0, 0.5, 0.9, 1.0]), 1 => double()];
    (vec((quantile, double()), 0..4), any::<u64>(), double())
        .prop_map(|(quantiles, count, sum)| Measured::Quantiles(quantiles, count, sum))
}

fn metric() -> impl Strategy<Value = Build> {
    let few = select(vec![
        "", "1", "s", "By/s", "{x}", "[u]", "%", "kBy", "Cel", "{x}/s", "µs", "a b", "_",
    ]);
    let unit = prop_oneof![4 => few.prop_map(str::to_owned), 1 => any_text()];
    let hint = select(vec!["", "", "info", "stateset", "unknown"]);
    // Mostly what is taken.
    let temporality = prop_oneof![6 => Just(CUMULATIVE), 5 => Just(DELTA), 1 => 0..4i32];
    let head = (name(), unit, any_text(), hint, 0..6usize, temporality);
    head.prop_flat_map(|(name, unit, help, hint, kind, temporality)| {
        let empty = match kind {
            0 => gauge(&name),
            1 => sum(&name, true, temporality),
            2 => sum(&name, false, temporality),
            3 => hist(&name).temporality(temporality),
            4 => exphist(&name).temporality(temporality),
            _ => summary(&name),
        };
        let empty = empty.unit(&unit).help(&help).meta("prometheus.type", hint);
        let measured = match kind {
            0..=2 => number().boxed(),
            3 => buckets().boxed(),
            4 => exponential().boxed(),
            _ => quantiles().boxed(),
        };
        let exemplars = vec(exemplar(), if kind == 5 { 0..1 } else { 0..4 });
        let point = (measured, attributes(), times(), prop::bool::weighted(0.1), exemplars);
        vec(point, 0..5).prop_map(move |points| points.into_iter().fold(empty.clone(), add))
    })
}

/// Start and end: windows that touch, overlap, leave gaps, end before they begin, and times far off.
fn times() -> impl Strategy<Value = (u64, u64)> {
    let odd = || {
        select(vec![
            0,
            1,
            1_500_000_000,
            1_700_000_000_123_456_789,
            i64::MAX as u64,
            u64::MAX,
        ])
    };
    let start = prop_oneof![9 => (0..5u64).prop_map(|seconds| seconds * SECOND), 1 => odd()];
    let end = prop_oneof![15 => (1..7u64).prop_map(|seconds| seconds * SECOND), 1 => odd()];
    (start, end)
}

#[derive(Clone, Debug)]
struct Example {
    value: Option<f64>,
    is_whole: bool,
    seconds: f64,
    ids: (&'static str, &'static str),
    attributes: Vec<KeyValue>,
}

fn exemplar() -> impl Strategy<Value = Example> {
    let ids = || {
        select(vec![
            "",
            "00",
            "0000000000000000",
            "5b8efff798038103d269b633813fc60c",
            "eee19b7ec3c1b174",
        ])
    };
    let ids = prop_oneof![1 => (ids(), ids()), 2 => Just(("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"))];
    let seconds = prop_oneof![6 => select(vec![0.5, 1.0, 2.25, 3.0]), 1 => select(vec![0.0, 1.7e9, 1e30])];
    (
        option::weighted(0.9, double()),
        any::<bool>(),
        seconds,
        ids,
        attributes(),
    )
        .prop_map(|(value, is_whole, seconds, ids, attributes)| Example {
            value,
            is_whole,
            seconds,
            ids,
            attributes,
        })
}

type PointParts = (Measured, Vec<KeyValue>, (u64, u64), bool, Vec<Example>);

fn add(metric: Build, (measured, attributes, (start, end), is_stale, exemplars): PointParts) -> Build {
    let metric = match measured {
        Measured::Exponential(says) => metric.exponential(|p| says.of(p)),
        Measured::Number(value) => metric.is(value),
        Measured::Whole(value) => metric.is(value),
        Measured::Unset => metric.is(Value::Unset),
        Measured::Buckets(bounds, counts, sum, count) => metric.buckets(&bounds, &counts, sum).count(count),
        Measured::Quantiles(quantiles, count, sum) => metric.quantiles(&quantiles, count, sum),
    };
    let metric = attributes
        .into_iter()
        .fold(metric, |metric, KeyValue { key, value, .. }| {
            metric.attr(&key, Any::from(value.and_then(|value| value.value)))
        });
    let metric = exemplars.into_iter().fold(metric.nanos(start, end), |metric, example| {
        metric.exemplar(|e| {
            let e = match example.value {
                Some(value) if example.is_whole => e.is(value as i64),
                Some(value) => e.is(value),
                None => e.is(Value::Unset),
            };
            let e = e.t(example.seconds).trace(example.ids.0).span(example.ids.1);
            example
                .attributes
                .into_iter()
                .fold(e, |e, KeyValue { key, value, .. }| {
                    e.attr(&key, Any::from(value.and_then(|value| value.value)))
                })
        })
    });
    if is_stale { metric.stale() } else { metric }
}

/// Of one of several senders.
pub fn request() -> impl Strategy<Value = Request> {
    let scope = prop_oneof![
        2 => Just((String::new(), String::new(), Vec::new(), String::new())),
        1 => (name(), any_text(), attributes(), any_text()),
    ];
    let resource = prop_oneof![
        4 => Just(from_r0(&[])),
        1 => Just(from_r0(&[("host.name", "h")])),
        1 => Just(from(&[("service.name", "svc"), ("service.instance.id", "i2"), ("host.name", "i")])),
        1 => Just(from(&[("service.name", "other")])),
        2 => attributes().prop_map(from_pairs),
    ];
    (resource, vec((scope, vec(metric(), 0..5)), 0..4)).prop_map(|(request, scopes)| {
        scopes.into_iter().fold(
            request,
            |request, ((name, version, attributes, schema_url), metrics)| {
                let scope = InstrumentationScope {
                    name,
                    version,
                    attributes,
                    ..InstrumentationScope::default()
                };
                request.scope(scope, &schema_url, metrics)
            },
        )
    })
}

pub fn style() -> impl Strategy<Value = Style> {
    select(Style::ALL.to_vec())
}

/// Every switch, either way.
pub fn rules() -> impl Strategy<Value = Rules> {
    let naming = select(vec![
        Naming::UnderscoreEscapingWithSuffixes,
        Naming::UnderscoreEscapingWithoutSuffixes,
        Naming::NoUtf8EscapingWithSuffixes,
        Naming::NoTranslation,
    ]);
    let namespace = prop_oneof![3 => Just(""), 1 => select(vec!["ns", "my.ns", "é", "_", "\"", "5"])];
    let aliases = prop_oneof![
        3 => Just(Vec::new()),
        1 => vec((select(vec!["s", "1", "[u]"]), select(vec!["", "sekunden", "_", "é", "total"])), 1..3),
    ];
    let promoted = select(vec![
        &[][..],
        &["*"],
        &["a*", "le", "quantile", "__name__"],
        &["service.*"],
    ]);
    let conflict = select(vec![
        IdentityConflict::Exported,
        IdentityConflict::Spec,
        IdentityConflict::Point,
    ]);
    let few = LabelLimits {
        labels: 8,
        name_bytes: 24,
        value_bytes: 40,
    };
    let none = LabelLimits {
        labels: 0,
        name_bytes: 0,
        value_bytes: 0,
    };
    let limits = prop_oneof![4 => Just(None), 1 => Just(Some((few, 24))), 1 => Just(Some((none, 0)))];
    let missing_sum = select(vec![MissingSum::Refuse, MissingSum::Nan]);
    (
        (naming, namespace, aliases, promoted, conflict, missing_sum, limits),
        any::<[bool; 7]>(),
    )
        .prop_map(
            |((strategy, namespace, aliases, promoted, identity_conflict, missing_sum, limits), switches)| {
                let [sanitized, preserved, labelled, empty, kept, scoped, stamped] = switches;
                let mut rules = Rules {
                    strategy,
                    namespace: namespace.to_owned(),
                    unit_aliases: aliases
                        .into_iter()
                        .map(|(unit, word)| (unit.to_owned(), word.to_owned()))
                        .collect(),
                    label_name_underscore_sanitization: sanitized,
                    label_name_preserve_multiple_underscores: preserved,
                    identity_conflict,
                    label_resource: labelled,
                    empty_instance: empty,
                    keep_identifying_resource_attributes: kept,
                    promote_resource_attributes: promoted.iter().map(|name| (*name).to_owned()).collect(),
                    scope_labels: scoped,
                    missing_sum,
                    stamp_arrival_time: stamped,
                    ..Rules::default()
                };
                if let Some((labels, help)) = limits {
                    (rules.labels, rules.help_bytes) = (labels, help);
                }
                rules
            },
        )
}

/// None, or ones so small that they are met.
pub fn limits() -> impl Strategy<Value = store::Limits> {
    let expiry = || select(vec![None, Some(Duration::from_secs(3)), Some(Duration::from_secs(10))]);
    let collisions = select(vec![Collisions::Latest, Collisions::Sum]);
    (any::<Index>(), expiry(), expiry(), any::<bool>(), collisions).prop_map(
        |(caps, expiry, delta_expiry, is_ruled, collisions)| {
            let (series, series_per_job, series_per_metric) = [(0, 0, 0), (0, 0, 0), (5, 4, 2)][caps.index(3)];
            let rule = ExpiryRule {
                pattern: "a*".into(),
                expiry: Some(Duration::from_secs(1)),
            };
            store::Limits {
                series,
                series_per_job,
                series_per_metric,
                expiry,
                delta_expiry,
                expiry_rules: is_ruled.then_some(rule).into_iter().collect(),
                collisions,
            }
        },
    )
}

/// What happens to a bridge, step by step.
#[derive(Clone, Debug)]
pub struct History {
    pub rules: Rules,
    pub limits: store::Limits,
    /// Which of the service's own families are scraped beside.
    pub own: usize,
    pub steps: Vec<Step>,
}

/// A request comes, so long after the one before; as it comes, a scrape is under way that has written about so much.
#[derive(Clone, Debug)]
pub struct Step {
    pub seconds: u64,
    pub sweeps: bool,
    pub requests: Vec<Request>,
    pub style: Style,
    pub begun: usize,
    /// Chooses what a scrape is asked for.
    pub choice: Index,
}

pub fn history() -> impl Strategy<Value = History> {
    let step = (
        prop_oneof![3 => Just(0), 3 => 1..3u64, 1 => 3..20u64],
        any::<bool>(),
        vec(request(), 1..3),
        style(),
        select(vec![0, 1, 200, 1000]),
        any::<Index>(),
    )
        .prop_map(|(seconds, sweeps, requests, style, begun, choice)| Step {
            seconds,
            sweeps,
            requests,
            style,
            begun,
            choice,
        });
    (rules(), limits(), 0..3usize, vec(step, 1..5)).prop_map(|(rules, limits, own, steps)| History {
        rules,
        limits,
        own,
        steps,
    })
}
