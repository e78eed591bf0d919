//! F-12: whatever comes in, no point poisons a scrape, and what cannot be decoded leaves no trace.

use meterbridge::otlp::DecodeError;
use meterbridge::otlp::json::transcode;
use meterbridge::{store, translate};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::grammar;
use crate::harness::{
    Any, Bridge, Build, CUMULATIVE, Empty, ExponentialPoint, Request, Value, any as wrap, encode, exphist, from_pairs,
    from_r0, gauge, hist, pair, sum, summary,
};
use crate::wire::{self, Style};

/// Names that meet each other, by translation or by the suffixes of samples, and any text at all.
fn name() -> impl Strategy<Value = String> {
    let few = select(vec![
        "",
        "a",
        "a.b",
        "a_b",
        "a-b",
        "_a",
        "a_total",
        "a_sum",
        "a_count",
        "a_bucket",
        "a_info",
        "5",
        "é",
        "total",
        "ratio",
        "target_info",
        "target",
        "a:b",
    ]);
    prop_oneof![1 => any_text(), 3 => few.prop_map(str::to_owned), 6 => select(vec!["a", "a.b", "a_sum", "a_count", "b"]).prop_map(str::to_owned)]
}

fn key() -> impl Strategy<Value = String> {
    let few = select(vec![
        "",
        "a",
        "a.b",
        "a_b",
        "_a",
        "__a__",
        "__name__",
        "job",
        "instance",
        "exported_job",
        "le",
        "quantile",
        "5",
        "é",
        "otel_scope_name",
        "name",
        "version",
        "x:y",
        "service.name",
        "service.instance.id",
        "service.namespace",
    ]);
    prop_oneof![6 => few.prop_map(str::to_owned), 1 => any_text()]
}

/// Control characters, quotes, backslashes and everything else.
fn any_text() -> impl Strategy<Value = String> {
    let special = select(vec![
        '\\', '"', '\n', '\r', '\0', '{', '}', ',', '=', ' ', '#', '\u{85}', '\u{2028}', '\u{FFFF}',
    ]);
    vec(prop_oneof![special, any::<char>()], 0..8).prop_map(String::from_iter)
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        select(vec![
            0.0,
            -0.0,
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
        any_text().prop_map(wrap),
        select(vec!["", "x", "y"]).prop_map(wrap),
        any::<bool>().prop_map(wrap),
        any::<i64>().prop_map(wrap),
        double().prop_map(wrap),
        Just(wrap(Empty)),
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
    vec((key(), value()).prop_map(with), 0..5)
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

/// Mostly what is taken.
fn exponential() -> impl Strategy<Value = Measured> {
    let side = || {
        (
            prop_oneof![4 => -20..20i32, 1 => any::<i32>()],
            vec(
                prop_oneof![3 => 0..3u64, 1 => Just(0), 1 => any::<u16>().prop_map(u64::from)],
                0..5,
            ),
        )
    };
    let zero = (0..3u64, prop_oneof![3 => Just(0.0), 1 => double()]);
    (
        prop_oneof![4 => -4..20i32, 1 => any::<i32>()],
        zero,
        side(),
        side(),
        prop_oneof![6 => double().prop_map(Some), 1 => Just(None)],
        prop_oneof![9 => Just(None), 1 => any::<u64>().prop_map(Some)],
    )
        .prop_map(|(scale, zero, positive, negative, sum, count)| {
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
        double().prop_map(Measured::Number),
        any::<i64>().prop_map(Measured::Whole),
        Just(Measured::Unset)
    ]
}

fn buckets() -> impl Strategy<Value = Measured> {
    let counts = vec(prop_oneof![4 => 0..9u64, 1 => any::<u64>()], 0..5);
    let odd = (vec(double(), 0..5), counts.clone(), any::<Option<f64>>(), 0..9u64);
    let fitting = (vec(0..6, 0..5), vec(0..9u64, 6), any::<Option<f64>>(), any::<bool>()).prop_map(
        |(bounds, counts, sum, inf)| {
            let mut bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) - 2.5).collect();
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            bounds.extend(inf.then_some(f64::INFINITY));
            let counts = counts.into_iter().cycle().take(bounds.len() + 1).collect();
            (bounds, counts, sum, 7)
        },
    );
    prop_oneof![odd, fitting].prop_map(|(bounds, counts, sum, count)| Measured::Buckets(bounds, counts, sum, count))
}

fn quantiles() -> impl Strategy<Value = Measured> {
    let quantile = prop_oneof![9 => select(vec![0.0, -0.0, 0.5, 0.9, 1.0]), 1 => double()];
    (vec((quantile, double()), 0..4), any::<u64>(), double())
        .prop_map(|(quantiles, count, sum)| Measured::Quantiles(quantiles, count, sum))
}

/// The kinds of which a scrape shows something. To be every kind as soon as the formats write exponential histograms.
const SHOWN: &[usize] = &[0, 1, 2, 3, 5];
const EVERY: &[usize] = &[0, 1, 2, 3, 4, 5];

fn metric(kinds: &'static [usize]) -> impl Strategy<Value = Build> {
    let unit =
        prop_oneof![3 => select(vec!["", "1", "s", "By/s", "{x}", "[u]"]).prop_map(str::to_owned), 1 => any_text()];
    let hint = select(vec!["", "info", "stateset", "unknown"]);
    // Mostly what is taken.
    let temporality = prop_oneof![9 => Just(CUMULATIVE), 1 => 0..4i32];
    let kind = select(kinds);
    let head = (name(), unit, any_text(), hint, kind, temporality);
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
        let point = (
            measured,
            attributes(),
            (0..5u64, prop_oneof![9 => 1..5u64, 1 => Just(0)]),
            prop::bool::weighted(0.1),
            exemplar(kind != 5),
        );
        vec(point, 0..5).prop_map(move |points| points.into_iter().fold(empty.clone(), add))
    })
}

type PointParts = (
    Measured,
    Vec<KeyValue>,
    (u64, u64),
    bool,
    Option<(String, AnyValue, String)>,
);

/// An attribute and an id, where there may be an exemplar.
fn exemplar(may_be: bool) -> impl Strategy<Value = Option<(String, AnyValue, String)>> {
    let ids = select(vec!["", "00", "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"]).prop_map(str::to_owned);
    let one = prop::option::weighted(0.3, (key(), value(), ids));
    one.prop_map(move |exemplar| exemplar.filter(|_| may_be))
}

fn add(metric: Build, (measured, attributes, times, is_stale, exemplar): PointParts) -> Build {
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
    let metric = metric.s(times.0).t(times.1);
    let metric = match exemplar {
        Some((key, value, id)) => metric.exemplar(|e| {
            let value = Any::from(value.value);
            e.is(1).t(0.5).trace(&id).span(&id).attr(&key, value)
        }),
        None => metric,
    };
    if is_stale { metric.stale() } else { metric }
}

fn request(kinds: &'static [usize]) -> impl Strategy<Value = Request> {
    let scope = (name(), any_text(), attributes(), any_text());
    let resource = prop_oneof![3 => Just(from_r0(&[])), 1 => Just(from_r0(&[("host.name", "h")])), 1 => attributes().prop_map(from_pairs)];
    (resource, vec((scope, vec(metric(kinds), 0..5)), 0..4)).prop_map(|(request, scopes)| {
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

fn style() -> impl Strategy<Value = Style> {
    select(Style::ALL.to_vec())
}

/// Small limits, so that they are met.
fn bridge() -> Bridge {
    let caps = store::Limits {
        series: 5,
        series_per_job: 4,
        series_per_metric: 2,
        ..store::Limits::default()
    };
    let labels = translate::LabelLimits {
        labels: 8,
        name_bytes: 24,
        value_bytes: 40,
    };
    Bridge::with(
        caps,
        translate::Rules {
            labels,
            help_bytes: 24,
            ..translate::Rules::default()
        },
    )
}

fn state(bridge: &Bridge) -> (String, usize, usize) {
    (bridge.scrape(), bridge.store.series(), bridge.store.source_count())
}

/// What came in, point by point.
fn points(requests: &[Request]) -> u64 {
    let metrics = requests
        .iter()
        .flat_map(|request| &request.0.scope_metrics)
        .flat_map(|scope| &scope.metrics);
    metrics.map(|metric| Build(metric.clone()).points() as u64).sum()
}

/// `PROPTEST_CASES` asks for more.
fn settings() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn f_12_whatever_comes_in_the_exposition_is_valid(
        pushes in vec((vec(request(SHOWN), 1..3), style()), 1..4),
        limited in any::<bool>(),
        piece in select(vec![1usize, 100, 1 << 16]),
    ) {
        let bridge = if limited { bridge() } else { Bridge::new() };
        for (requests, style) in pushes {
            let points = points(&requests);
            let answer = bridge.take(&wire::restyle(style, &encode(requests))).unwrap();
            prop_assert_eq!(answer.0.total_accepted() + answer.0.total_refused(), points);
            prop_assert_eq!(answer.0.total_refused() > 0, answer.message().contains(" rejected: "));
            let text = bridge.scrape_in_pieces_of(piece);
            if let Err(what) = grammar::check(&text) {
                prop_assert!(false, "{} in\n{}", what, text);
            }
            let of_cells: usize = bridge.store.families().iter().map(|cell| cell.len()).sum();
            prop_assert_eq!(of_cells, bridge.store.series());
        }
    }

    #[test]
    fn p_16_every_style_of_encoding_means_the_same(requests in vec(request(EVERY), 1..3), style in style()) {
        let outcome = |style| {
            let bridge = bridge();
            let answer = bridge.take(&wire::restyle(style, &encode(requests.clone()))).unwrap();
            let mut held = bridge.held(|name, series| format!("{name} {series:?}"));
            held.sort();
            (answer.message(), answer.counts(), bridge.scrape(), held)
        };
        prop_assert_eq!(outcome(style), outcome(Style::Plain));
    }

    #[test]
    fn l_08_texts_are_repaired_in_whatever_can_be_read(
        requests in vec(request(EVERY), 1..3),
        style in style(),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = wire::restyle(style, &encode(requests));
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let (strict, lossy) = (Bridge::new(), Bridge::new());
        match (strict.take(&bytes), lossy.take_lossy(&bytes)) {
            (Ok(strict), Ok(lossy)) => prop_assert_eq!(strict.counts(), lossy.counts()),
            // The first fault is told: behind a text that is not UTF-8 there may be worse.
            (Err(DecodeError::InvalidUtf8(_)), Ok(_) | Err(DecodeError::Malformed(_))) => {}
            (Err(DecodeError::Malformed(_)), Err(DecodeError::Malformed(_))) => {}
            (strict, lossy) => prop_assert!(false, "{:?} but {:?}", strict.map(|_| ()), lossy.map(|_| ())),
        }
    }

    #[test]
    fn p_04_bytes_of_any_kind_leave_no_trace_where_they_cannot_be_decoded(bytes in vec(any::<u8>(), 0..64)) {
        undecodable(&bytes)?;
    }

    #[test]
    fn p_04_a_request_that_is_damaged_leaves_no_trace_where_it_cannot_be_decoded(
        requests in vec(request(SHOWN), 1..3),
        style in style(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = wire::restyle(style, &encode(requests));
        if !bytes.is_empty() {
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
        }
        undecodable(&bytes)?;
    }

    #[test]
    fn p_14_json_of_any_kind_is_read_or_refused(text in json(), damage in any::<Option<(Index, char)>>()) {
        let mut text = text;
        if let Some((at, character)) = damage {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            characters[at] = character;
            text = String::from_iter(characters);
        }
        if let Ok(transcoded) = transcode(text.as_bytes()) {
            // What the transcoder writes is protobuf, whatever is in it.
            let bridge = Bridge::new();
            if bridge.take(&transcoded.protobuf).is_ok() {
                prop_assert_eq!(grammar::check(&bridge.scrape()), Ok(()));
            }
        }
    }
}

/// Takes the bytes if they can be decoded, and checks what a scrape shows before and after.
fn undecodable(bytes: &[u8]) -> Result<(), TestCaseError> {
    let bridge = Bridge::new();
    bridge.send(from_r0(&[("host.name", "h")]).metrics([gauge("before").is(1)]));
    let before = state(&bridge);
    match bridge.take(bytes) {
        Ok(_) => prop_assert_eq!(grammar::check(&bridge.scrape()), Ok(())),
        Err(_) => prop_assert_eq!(state(&bridge), before),
    }
    Ok(())
}

/// JSON out of the words of OTLP.
fn json() -> impl Strategy<Value = String> {
    let words = select(vec![
        "resourceMetrics",
        "resource",
        "attributes",
        "scopeMetrics",
        "scope",
        "metrics",
        "name",
        "gauge",
        "sum",
        "histogram",
        "summary",
        "exponentialHistogram",
        "dataPoints",
        "timeUnixNano",
        "asInt",
        "asDouble",
        "key",
        "value",
        "stringValue",
        "arrayValue",
        "kvlistValue",
        "values",
        "bucketCounts",
        "explicitBounds",
        "count",
        "aggregationTemporality",
        "other",
    ]);
    let single = prop_oneof![
        select(vec![
            "null", "true", "1", "-1", "1.5", "1e400", "\"NaN\"", "\"5\"", "\"x\"", "\"\"", "{}", "[]"
        ])
        .prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        double().prop_map(|double| format!("{double:e}")),
    ];
    let object = move |inner: BoxedStrategy<String>| {
        vec((words.clone(), inner), 0..4).prop_map(|fields| {
            let fields: Vec<_> = fields
                .iter()
                .map(|(word, value)| format!("\"{word}\":{value}"))
                .collect();
            format!("{{{}}}", fields.join(","))
        })
    };
    let nested = single.prop_recursive(6, 40, 4, move |inner| {
        let array = vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(",")));
        prop_oneof![2 => object(inner.boxed()), 1 => array]
    });
    // One that is OTLP down to the point, with anything in it.
    nested.prop_map(|value| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"g","gauge":{{"dataPoints":[{{"timeUnixNano":1,"asInt":1}},{value}]}}}},{value}]}}]}},{value}]}}"#
        )
    })
}
