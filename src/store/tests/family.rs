//! K-02, K-03, and what a family tells of its series.

use super::*;
use crate::model::{Exponential, Side};

#[test]
fn k_02_k_03_help_and_unit_are_settled_by_all_who_come() {
    let bench = Bench::new(limits());
    let ask = |help: &str, unit: &str| {
        let family = Family {
            name: "foo".into(),
            metric_type: MetricType::Gauge,
            help: help.into(),
            unit: unit.into(),
            unit_in_name: false,
        };
        let found = bench.store.family(&family, "j", bench.at(0)).unwrap();
        let family = found.cell.family();
        (family.help, family.unit, found.unit_conflict)
    };
    let settled =
        |help: &str, unit: &str, conflict: Option<&str>| (help.into(), unit.into(), conflict.map(str::to_owned));
    assert_eq!(ask("b", "s"), settled("b", "s", None));
    assert_eq!(ask("bb", "s"), settled("bb", "s", None));
    assert_eq!(ask("a", "ms"), settled("bb", "", Some("s")));
    assert_eq!(ask("aa", "s"), settled("aa", "", Some("ms")));
    assert_eq!(ask("", ""), settled("aa", "", None));
    // As long as the family lives.
    bench.store.sweep(bench.at(0));
    assert_eq!(ask("", "s"), settled("", "s", None));
}

#[test]
fn k_05_families_are_numbered_in_the_order_in_which_they_were_made() {
    let bench = Bench::new(limits());
    for family in ["b", "a", "c"] {
        bench.put(P { family, ..P }).unwrap();
        bench
            .put(P {
                family: "b",
                time: 2,
                ..P
            })
            .unwrap();
    }
    let mut cells = bench.store.families();
    cells.sort_by_key(|cell| cell.birth());
    assert_eq!(
        cells.iter().map(|cell| cell.name()).collect::<Vec<_>>(),
        ["b", "a", "c"]
    );
}

#[test]
fn a_family_tells_whether_all_its_names_are_legal() {
    let are_legal = |bench: &Bench, name| {
        let cell = bench.family(P { family: name, ..P }).unwrap();
        let (inside, _) = cell.read(bench.store.start(bench.at(0)), 9, |batch| batch.cell.are_legal());
        assert_eq!(inside, cell.are_legal());
        inside
    };
    let bench = Bench::new(limits());
    for (family, labels, legal) in [
        ("a_b", "a=\"1\"", true),
        ("a:b", "a=\",\\\"\"", true),
        ("a.b", "a=\"1\"", false),
        ("c", "\"x.y\"=\"1\"", false),
        ("d", "a=\"1\",\"x:y\"=\"1\"", false),
    ] {
        bench.put(P { family, labels, ..P }).unwrap();
        assert_eq!(are_legal(&bench, family), legal, "{family}");
    }
    // Until it is empty.
    bench.put(P { family: "c", ..P }).unwrap();
    let gone = P {
        family: "c",
        change: Change::Stale,
        time: 2,
        ..P
    };
    bench
        .put(P {
            labels: "\"x.y\"=\"1\"",
            ..gone
        })
        .unwrap();
    assert!(!are_legal(&bench, "c"));
    bench.put(gone).unwrap();
    bench.put(P { family: "c", ..P }).unwrap();
    assert!(are_legal(&bench, "c"));
    // One that expired and comes back is the only one, too.
    let bench = Bench::new(limits());
    bench
        .put(P {
            labels: "\"x.y\"=\"1\"",
            ..P
        })
        .unwrap();
    bench.put(P { at: 61, ..P }).unwrap();
    assert!(!are_legal(&bench, "g"));
}

#[test]
fn a_family_tells_whether_it_has_exponential_histograms() {
    let bench = Bench::new(limits());
    let exponential = Exponential {
        positive: Side {
            offset: 0,
            counts: vec![1],
        },
        ..Exponential::default()
    };
    let put = |labels, time, is_exponential| {
        let sample = if is_exponential {
            Sample::Exponential(exponential.sample())
        } else {
            Sample::Histogram(Histogram {
                bounds: &[],
                counts: &[1],
                sum: None,
            })
        };
        let p = P {
            metric_type: MetricType::Histogram,
            labels,
            time,
            change: Change::Sample(sample),
            ..P
        };
        bench.put(p).unwrap();
        bench.adds_up();
        bench.family(p).unwrap().has_exponential()
    };
    assert!(!put(LABELS[0], 1, false));
    assert!(put(LABELS[1], 1, true));
    assert!(put(LABELS[0], 2, true));
    assert!(put(LABELS[1], 2, false));
    assert!(!put(LABELS[0], 3, false));
}
