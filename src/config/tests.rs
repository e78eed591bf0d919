use std::io::Write;

use super::*;

fn parse_line(line: &str, variables: &[(&str, &str)]) -> Result<Config, Exit> {
    let arguments = std::iter::once("meterbridge")
        .chain(line.split_whitespace())
        .map(OsString::from);
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    parse(arguments, variable)
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[track_caller]
fn wrong(line: &str, variables: &[(&str, &str)], expected: &str) {
    match parse_line(line, variables) {
        Err(Exit::Wrong(message)) => {
            assert!(
                message.starts_with(expected),
                "{message:?} does not begin with {expected:?}"
            );
            assert!(!message.contains('\n'), "{message:?} is one line");
        }
        other => panic!("{line} gave {other:?}"),
    }
}

#[test]
fn flag_wins_over_variable_over_file_over_default() {
    let file = file("expiry: 1m\nmax_series: 7\nmax_labels: 10\n");
    let path = file.path().display();
    let variables = [
        ("METERBRIDGE_EXPIRY", "2m"),
        ("METERBRIDGE_MAX_SERIES", "8"),
        ("METERBRIDGE_LOG_LEVEL", ""),
    ];
    let config = parse_line(&format!("--config {path} --expiry 3m"), &variables).unwrap();
    assert!(matches!(config.command, Command::Serve));
    let options = &config.options;
    assert_eq!(
        (
            options.expiry.to_string().as_str(),
            options.max_series,
            options.max_labels
        ),
        ("3m", 8, 10)
    );
    let setting = |name: &str| {
        let setting = config.settings.iter().find(|setting| setting.name == name).unwrap();
        (setting.value.clone(), setting.source.clone())
    };
    let row = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(setting("expiry"), row("3m", "flag"));
    assert_eq!(setting("max_series"), row("8", "METERBRIDGE_MAX_SERIES"));
    assert_eq!(setting("max_labels"), row("10", "file"));
    assert_eq!(setting("log_level"), row("info", "default"));
    assert_eq!(setting("max_request_bytes"), row("64MiB", "default"));
}

#[test]
fn the_file_may_be_named_by_its_variable_and_serve_may_be_said() {
    let file = file("http_listen: 127.0.0.1:1\n");
    let path = file.path().display().to_string();
    let config = parse_line("serve --max-series=3", &[("METERBRIDGE_CONFIG", &path)]).unwrap();
    assert_eq!(
        (config.options.http_listen.as_str(), config.options.max_series),
        ("127.0.0.1:1", 3)
    );
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_its_place() {
    wrong(
        "--expiry soon",
        &[],
        "invalid value 'soon' for '--expiry <DURATION>': a duration is a whole number",
    );
    wrong("--max-series -5", &[], "invalid value '-5' for '--max-series <NUMBER>'");
    wrong(
        "--expirx 5m",
        &[],
        "unexpected argument '--expirx' found tip: a similar argument exists: '--expiry'",
    );
    wrong("fly", &[], "unrecognized subcommand 'fly'");
    wrong(
        "--log-level loud",
        &[],
        "invalid value 'loud' for '--log-level <LOG_LEVEL>' [possible values: error, warn",
    );
    wrong(
        "translate --format xml",
        &[],
        "invalid value 'xml' for '--format <FORMAT>' [possible values: text, openmetrics, text1",
    );
    wrong(
        "",
        &[("METERBRIDGE_EXPIRY", "x")],
        "METERBRIDGE_EXPIRY: invalid value 'x' for '--expiry <DURATION>'",
    );
    wrong(
        "--config /nowhere/at/all.yaml",
        &[],
        "--config /nowhere/at/all.yaml: No such file",
    );
    for (text, expected) in [
        ("expiry: x", "expiry: invalid value 'x'"),
        ("expiri: 5m", "the key expiri is no option; is expiry meant?"),
        ("max-series: 5", "the key max-series is no option; is max_"),
        ("config: x", "the key config is no option"),
        (
            "max_series: [1, 2]",
            "max_series: the argument '--max-series <NUMBER>' cannot be used multiple",
        ),
    ] {
        let file = file(text);
        let line = format!("--config {}", file.path().display());
        wrong(&line, &[], &format!("{line}: {expected}"));
    }
}

#[test]
fn help_and_version_are_shown() {
    let Err(Exit::Shown(help)) = parse_line("--help", &[]) else {
        panic!("no help")
    };
    for part in [
        "--max-request-bytes <SIZE>",
        "[env: METERBRIDGE_MAX_REQUEST_BYTES]",
        "[default: 64MiB]",
        "healthcheck",
    ] {
        assert!(help.contains(part), "{part} is not in {help}");
    }
    let Err(Exit::Shown(help)) = parse_line("translate --help", &[]) else {
        panic!("no help")
    };
    assert!(help.contains("--input-format") && help.contains("METERBRIDGE_MAX_LABELS"));
    let Err(Exit::Shown(version)) = parse_line("--version", &[]) else {
        panic!("no version")
    };
    assert_eq!(version, concat!("meterbridge ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn commands_have_their_arguments() {
    let config = parse_line("translate a.json - --max-labels 3 --format openmetrics2 --names", &[]).unwrap();
    let Command::Translate(translate) = config.command else {
        panic!("not translate")
    };
    assert_eq!((translate.files.len(), config.options.max_labels), (2, 3));
    assert_eq!(
        (translate.format, translate.escaping, translate.names),
        (Syntax::OpenMetrics2, None, true)
    );
    let Command::Demo(demo) = parse_line("demo --for 5m", &[]).unwrap().command else {
        panic!("not demo")
    };
    assert_eq!(
        (demo.endpoint.as_str(), demo.duration.unwrap().to_string().as_str()),
        ("http://127.0.0.1:4317", "5m")
    );
    assert!(matches!(
        parse_line("openapi", &[("METERBRIDGE_EXPIRY", "x")]).unwrap().command,
        Command::Openapi
    ));
    assert!(matches!(
        parse_line("healthcheck", &[]).unwrap().command,
        Command::Healthcheck
    ));
}

#[test]
fn switches_and_lists_from_every_source() {
    let file = file("created_lines: true\npromote_resource_attributes: [a, b]\n");
    let path = file.path().display().to_string();
    for (flags, variables, switch, list) in [
        (vec![], vec![], false, vec![]),
        (
            vec!["--created-lines"],
            vec![("METERBRIDGE_PROMOTE_RESOURCE_ATTRIBUTES", "c,d")],
            true,
            vec!["c", "d"],
        ),
        (
            vec![
                "--created-lines=false",
                "--promote-resource-attributes=x",
                "--promote-resource-attributes=y,z",
            ],
            vec![("METERBRIDGE_CREATED_LINES", "true")],
            false,
            vec!["x", "y", "z"],
        ),
        (
            vec![],
            vec![("METERBRIDGE_CONFIG", path.as_str())],
            true,
            vec!["a", "b"],
        ),
        (
            vec!["--promote-resource-attributes", "only"],
            vec![("METERBRIDGE_CONFIG", path.as_str())],
            true,
            vec!["only"],
        ),
    ] {
        let options = parse_line(&flags.join(" "), &variables).unwrap().options;
        assert_eq!(
            (options.created_lines, options.promote_resource_attributes),
            (switch, list.into_iter().map(str::to_owned).collect())
        );
    }
}

#[test]
fn the_page_of_options_is_complete_and_says_the_defaults() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md")).unwrap();
    let mut rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .map(|line| line.split('|').map(str::trim).skip(1).collect())
        .collect();
    let definitions = <Options as clap::Args>::augment_args(clap::Command::new("meterbridge"));
    for option in definitions.get_arguments() {
        let flag = format!("`--{}`", option.get_long().unwrap());
        let at = rows
            .iter()
            .position(|row| row[0] == flag)
            .unwrap_or_else(|| panic!("{flag} is not on the page"));
        let row = rows.swap_remove(at);
        let defaults: Vec<_> = option
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        let expected = if defaults.is_empty() {
            "none".to_owned()
        } else {
            format!("`{}`", defaults.join(","))
        };
        assert_eq!(row[2], expected, "the default of {flag}");
        let words: Vec<String> = option
            .get_possible_values()
            .iter()
            .map(|word| format!("`{}`", word.get_name()))
            .collect();
        if words.is_empty() || words.contains(&"`true`".to_owned()) {
            assert!(
                !row[1].contains('`') || row[1].starts_with("list of") || row[1].contains('*'),
                "{flag}"
            );
        } else {
            assert_eq!(row[1], words.join(", "), "the values of {flag}");
        }
    }
    assert!(rows.is_empty(), "no options: {rows:?}");
}
