//! What the documents say is what there is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use meterbridge::model::{PointReason, RequestReason};
use meterbridge::translate::Advice;

use crate::harness::{Bridge, JSON};

/// The rows of a table in Markdown whose first cell is code: name, type and help.
fn table(file: &str) -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    text.lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
            Some((
                cells[0].trim_end_matches('`').to_owned(),
                (cells[1].to_owned(), cells[3].to_owned()),
            ))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn docs_metrics_md_lists_the_own_metrics_as_they_are() {
    let bridge = Bridge::start().await;
    // Some appear with their first event.
    bridge.post(&[JSON], "{}").await;
    bridge
        .post(
            &[JSON],
            r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"1"}]}}]}]}]}"#,
        )
        .await;
    bridge.get("/metrics").await;
    let exposition = bridge.get("/metrics/self").await;
    let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in exposition.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            found.entry(name.to_owned()).or_default().1 = help.to_owned();
        } else if let Some((name, word)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            found.entry(name.to_owned()).or_default().0 = word.to_owned();
        }
    }
    assert!(
        found.values().all(|(_, help)| !help.is_empty()),
        "every instrument has a description: {found:#?}"
    );
    let documented = table("docs/metrics.md");
    let missing: Vec<_> = found
        .iter()
        .filter(|entry| documented.get(entry.0) != Some(entry.1))
        .collect();
    let gone: Vec<_> = documented.keys().filter(|name| !found.contains_key(*name)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not as documented: {missing:#?}, not there: {gone:#?}"
    );
}

#[test]
fn docs_reasons_md_lists_the_reasons_and_kinds_of_advice_as_they_are() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reasons.md")).unwrap();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let words = |section: &str| -> Vec<String> {
        let section = sections.iter().find(|text| text.starts_with(section)).unwrap();
        let first_cells = section
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let words = first_cells.flat_map(|cell| {
            cell.split(", ")
                .filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'))
        });
        words.map(str::to_owned).collect()
    };
    let points = PointReason::ALL.iter().map(|reason| reason.as_str());
    assert_eq!(words("Points"), points.collect::<Vec<_>>());
    let requests = RequestReason::ALL.iter().map(|reason| reason.as_str());
    assert_eq!(words("Requests"), requests.collect::<Vec<_>>());
    assert_eq!(words("Advice"), Advice::ALL.map(|advice| advice.as_str()));
}
