use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};

/// The values of one key, as text.
pub(super) type Entry = (String, Vec<String>);

/// Reads a file of options: one flat mapping, each value a scalar or a list of scalars.
///
/// # Errors
///
/// One line that names the file, and the key where there is one.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let wrong = |what: String| format!("--config {}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    entries(&text).map_err(wrong)
}

fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| format!("not YAML: {error}").replace('\n', " "))?;
    match documents.as_slice() {
        // Nothing, or nothing but comments.
        [] | [Yaml::Value(Scalar::Null)] => Ok(Vec::new()),
        [Yaml::Mapping(mapping)] => mapping.iter().map(|(key, value)| entry(key, value)).collect(),
        [_] => Err("it has to be a mapping of options to values".to_owned()),
        _ => Err("it has to be one document".to_owned()),
    }
}

fn entry(key: &Yaml<'_>, value: &Yaml<'_>) -> Result<Entry, String> {
    let key = scalar(key).ok_or("a key has to be the name of an option")?;
    let values = match value {
        Yaml::Sequence(values) => values.iter().map(scalar).collect(),
        value => scalar(value).map(|value| vec![value]),
    };
    let values = values.ok_or_else(|| format!("{key}: the value has to be text, a number, or a list of these"))?;
    Ok((key, values))
}

fn scalar(value: &Yaml<'_>) -> Option<String> {
    match value {
        Yaml::Value(Scalar::String(text)) => Some(text.to_string()),
        Yaml::Value(Scalar::Integer(number)) => Some(number.to_string()),
        Yaml::Value(Scalar::FloatingPoint(number)) => Some(number.to_string()),
        Yaml::Value(Scalar::Boolean(value)) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_mappings() {
        let one =
            |key: &str, values: &[&str]| (key.to_owned(), values.iter().map(|value| (*value).to_owned()).collect());
        assert_eq!(entries(""), Ok(vec![]));
        assert_eq!(entries("# nothing\n"), Ok(vec![]));
        assert_eq!(
            entries("expiry: 5m\nmax_series: 1000\nlog_level: 'debug'\na: true\nlist: [x, 2]\n"),
            Ok(vec![
                one("expiry", &["5m"]),
                one("max_series", &["1000"]),
                one("log_level", &["debug"]),
                one("a", &["true"]),
                one("list", &["x", "2"]),
            ])
        );
        for (text, error) in [
            ("a: {b: c}", "a: the value has to be"),
            ("a: [[b]]", "a: the value has to be"),
            ("a:", "a: the value has to be"),
            ("- a", "it has to be a mapping"),
            ("a: b\n---\nc: d", "it has to be one document"),
            ("a: b\na: c", "not YAML: "),
            ("a: 'b", "not YAML: "),
        ] {
            let found = entries(text).unwrap_err();
            assert!(found.starts_with(error) && !found.contains('\n'), "{text}: {found}");
        }
    }
}
