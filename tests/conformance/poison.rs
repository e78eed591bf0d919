//! F-12: arbitrary valid OTLP in, and every format is one that every reader reads. `PROPTEST_CASES` asks for more than the few
//! that there are by default. With METERBRIDGE_DUMP, which names a folder, the cases are always the same, and what was
//! scraped is written there for the parsers of others (`tests/e2e/test_poison.py`).

use std::cell::RefCell;

use meterbridge::exposition::{Escaping, ExponentialForm, Format, Gathered, Style, Syntax};
use prometheus::{Counter, Gauge, Histogram, HistogramOpts, Opts, Registry};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::dump::Dump;
use crate::generate::{History, Step, history};
use crate::grammar;
use crate::harness::{Bridge, Build, Request, encode};
use crate::wire;

const SYNTAXES: [Syntax; 5] = [
    Syntax::Text,
    Syntax::Text1,
    Syntax::OpenMetrics,
    Syntax::OpenMetrics2,
    Syntax::Protobuf,
];
const ESCAPINGS: [Escaping; 4] = [
    Escaping::Underscores,
    Escaping::Dots,
    Escaping::Values,
    Escaping::AllowUtf8,
];

/// Every style that makes a difference in that format.
fn styles(syntax: Syntax) -> Vec<Style> {
    let forms = [ExponentialForm::Both, ExponentialForm::Native, ExponentialForm::Classic];
    let forms = match syntax {
        Syntax::OpenMetrics2 | Syntax::Protobuf => &forms[..],
        _ => &forms[..1],
    };
    let mut styles = Vec::new();
    for &exponential in forms {
        for timestamps in [false, true] {
            for created_lines in [false, true] {
                if !created_lines || syntax == Syntax::OpenMetrics {
                    styles.push(Style {
                        created_lines,
                        timestamps,
                        exponential,
                    });
                }
            }
        }
    }
    styles
}

/// None, or families of the service's own that stand in the way of others.
fn own(which: usize) -> Vec<Gathered> {
    let registry = Registry::new();
    let opts = |name: &str| Opts::new(name, "Own.").const_label("x", "1");
    match which {
        0 => {}
        1 => {
            let (total, b) = (Counter::with_opts(opts("a_total")), Gauge::with_opts(opts("b")));
            let target = Gauge::with_opts(opts("target_info")).unwrap();
            target.set(1.0);
            registry.register(Box::new(total.unwrap())).unwrap();
            registry.register(Box::new(b.unwrap())).unwrap();
            registry.register(Box::new(target)).unwrap();
        }
        _ => {
            let a =
                Histogram::with_opts(HistogramOpts::from(opts("a")).buckets(vec![-1.0, 1.0, f64::INFINITY])).unwrap();
            let total = Counter::with_opts(Opts::new("b_total", " ")).unwrap();
            a.observe(0.5);
            registry.register(Box::new(a)).unwrap();
            registry.register(Box::new(total)).unwrap();
        }
    }
    registry.gather().iter().filter_map(Gathered::of).collect()
}

fn holds(result: Result<(), String>, format: Format, found: &[u8]) -> Result<(), TestCaseError> {
    result.map_err(|what| TestCaseError::fail(format!("{what} in\n{}\n{format:?}", String::from_utf8_lossy(found))))
}

/// What came in, point by point.
fn points(requests: &[Request]) -> u64 {
    let metrics = requests
        .iter()
        .flat_map(|request| &request.0.scope_metrics)
        .flat_map(|scope| &scope.metrics);
    metrics.map(|metric| Build(metric.clone()).points() as u64).sum()
}

/// Takes a step, while a scrape is under way.
fn take(bridge: &mut Bridge, step: &Step, time: &mut u64, which: usize) -> Result<(), TestCaseError> {
    *time += step.seconds;
    bridge.at(*time);
    if step.sweeps {
        bridge.sweep();
    }
    let syntax = SYNTAXES[step.choice.index(SYNTAXES.len())];
    let format = Format {
        syntax,
        escaping: ESCAPINGS[step.choice.index(ESCAPINGS.len())],
        style: styles(syntax)[step.choice.index(styles(syntax).len())],
    };
    let (mut scrape, mut out) = (bridge.begin(format, own(which), None), Vec::new());
    let mut more = step.begun == 0 || scrape.next(&mut out, step.begun);
    let bytes = wire::restyle(step.style, &encode(step.requests.clone()));
    let answer = bridge
        .take(&bytes)
        .map_err(|what| TestCaseError::fail(format!("{what:?}")))?;
    // Nothing is lost without a word: each point is accepted, or refused for one reason.
    prop_assert_eq!(
        answer.0.total_accepted() + answer.0.total_refused(),
        points(&step.requests)
    );
    while more {
        more = scrape.next(&mut out, 100);
    }
    holds(grammar::check_changing(format, &out), format, &out)
}

/// Every format and escaping behind each step, in one style, now and then of one source alone; in every style at the end.
fn survives(history: &History, dump: &mut Option<Dump>) -> Result<(), TestCaseError> {
    let mut bridge = Bridge::with(history.limits.clone(), history.rules.clone());
    let mut time = 0;
    for (at, step) in history.steps.iter().enumerate() {
        let is_last = at + 1 == history.steps.len();
        take(&mut bridge, step, &mut time, history.own)?;
        let of_cells: usize = bridge.store.families().iter().map(|cell| cell.len()).sum();
        prop_assert_eq!(of_cells, bridge.store.series());
        let sources = bridge.store.sources();
        let source = sources.first().filter(|_| step.sweeps && !is_last);
        for syntax in SYNTAXES {
            for escaping in ESCAPINGS {
                let styles = styles(syntax);
                let chosen = step.choice.index(styles.len());
                for (at, style) in styles.into_iter().enumerate() {
                    if at != chosen && !is_last {
                        continue;
                    }
                    let format = Format {
                        syntax,
                        escaping,
                        style,
                    };
                    let mut scrape = bridge.begin(format, own(history.own), source.cloned());
                    let mut out = Vec::new();
                    while scrape.next(&mut out, 1 << 16) {}
                    holds(grammar::check(format, &out), format, &out)?;
                    // The parsers of others are slower than ours.
                    if let Some(dump) = dump.as_mut().filter(|_| at == chosen) {
                        dump.keep(format, &out);
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn f_12_whatever_comes_in_every_format_is_valid() {
    let dump = RefCell::new(Dump::asked_for());
    let settings = ProptestConfig {
        failure_persistence: None,
        cases: std::env::var("PROPTEST_CASES").map_or(64, |cases| cases.parse().unwrap()),
        ..ProptestConfig::default()
    };
    let mut runner = match dump.borrow().is_some() {
        true => TestRunner::new_with_rng(settings, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        false => TestRunner::new(settings),
    };
    match runner.run(&history(), |history| survives(&history, &mut dump.borrow_mut())) {
        Ok(()) => {}
        Err(TestError::Fail(what, history)) => panic!("{what}\n{history:#?}"),
        Err(what) => panic!("{what}"),
    }
}
