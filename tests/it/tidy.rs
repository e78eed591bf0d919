//! The invariants of ARCHITECTURE.md that can be read from the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, code));
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The stage that a file belongs to: the first name under `src`.
fn stage(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The lines of code (not comments) that contain one of the words.
fn mentions<'t>(code: &'t str, words: &'t [&str]) -> impl Iterator<Item = &'t str> {
    code.lines()
        .filter(move |line| !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word)))
}

fn check(stages: impl Fn(&str) -> bool, words: &[&str]) {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(all.len() > 30, "the sources were found");
    for (path, code) in all.iter().filter(|(path, _)| stages(&stage(path))) {
        if let Some(line) = mentions(code, words).next() {
            panic!("{} says: {}", path.display(), line.trim());
        }
    }
}

#[test]
fn only_the_edge_knows_the_frameworks() {
    let edge = [
        "receiver",
        "api",
        "instrument",
        "telemetry",
        "app",
        "main",
        "demo",
        "healthcheck",
    ];
    check(
        |stage| !edge.contains(&stage),
        &["poem::", "poem_openapi::", "tonic::", "tonic_types::", "tokio::"],
    );
}

#[test]
fn otlp_does_not_know_prometheus() {
    check(
        |stage| stage == "otlp",
        &[
            "crate::model",
            "crate::store",
            "crate::translate",
            "crate::exposition",
            "prometheus::",
        ],
    );
}

#[test]
fn store_and_exposition_know_the_model_only() {
    check(
        |stage| ["store", "exposition", "model"].contains(&stage),
        &[
            "crate::otlp",
            "crate::translate",
            "crate::receiver",
            "crate::api",
            "crate::telemetry",
            "opentelemetry",
        ],
    );
    check(|stage| stage == "model", &["crate::store", "crate::exposition"]);
}

#[test]
fn the_instrumentation_knows_nothing_of_the_bridge() {
    check(
        |stage| stage == "instrument",
        &[
            "crate::otlp",
            "crate::translate",
            "crate::store",
            "crate::receiver",
            "crate::api",
            "crate::telemetry",
            "crate::config",
        ],
    );
}

#[test]
fn below_the_edge_nothing_reads_a_clock_or_logs() {
    let below = ["otlp", "translate", "model", "store", "exposition"];
    check(
        |stage| below.contains(&stage),
        &[
            "Instant::now",
            "SystemTime::now",
            "tracing::",
            "std::fs",
            "std::net",
            "println!",
        ],
    );
}
