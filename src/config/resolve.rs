use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};
use std::path::Path;

use super::file;
use crate::api::Setting;

/// The options in force, and where each is from.
pub(super) struct Resolved<O> {
    pub(super) options: O,
    pub(super) settings: Vec<Setting>,
}

/// The value of an option from the strongest source that has one.
struct Chosen {
    values: Vec<String>,
    source: String,
}

/// Takes each option from the flags in `given`, else its variable, else the file that the option `config` names, else its
/// default. A stronger source replaces a list whole.
pub(super) fn resolve<O: Args>(
    given: &ArgMatches,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Resolved<O>, String> {
    let definitions = alone::<O>();
    let options: Vec<&Arg> = definitions
        .get_arguments()
        .filter(|option| option.get_long().is_some())
        .collect();
    let stronger = |option: &Arg| from_flags(given, option).or_else(|| from_variable(option, variable));
    let config = options
        .iter()
        .find(|option| option.get_id() == "config")
        .and_then(|option| stronger(option));
    let path = config
        .and_then(|config| config.values.into_iter().next())
        .unwrap_or_default();
    let entries = if path.is_empty() {
        Vec::new()
    } else {
        file::read(Path::new(&path))?
    };
    for (key, _) in &entries {
        if key == "config" || !options.iter().any(|option| option.get_id().as_str() == key) {
            return Err(format!(
                "--config {path}: the key {key} is no option{}",
                nearest(key, &options)
            ));
        }
    }

    let mut line = vec!["meterbridge".to_owned()];
    let mut sources = Vec::new();
    for option in &options {
        let from_file = || {
            let (_, values) = entries.iter().find(|(key, _)| option.get_id().as_str() == key)?;
            Some(Chosen {
                values: values.clone(),
                source: "file".to_owned(),
            })
        };
        let chosen = stronger(option).or_else(from_file);
        if let Some(chosen) = &chosen {
            let flags = flags(option, &chosen.values);
            // One by one, so that the message can say where the value stands.
            alone::<O>()
                .try_get_matches_from(["".to_owned()].iter().chain(&flags))
                .map_err(|error| {
                    let place = match chosen.source.as_str() {
                        "flag" => String::new(),
                        "file" => format!("--config {path}: {}: ", option.get_id()),
                        variable => format!("{variable}: "),
                    };
                    format!("{place}{}", one_line(&error))
                })?;
            line.extend(flags);
        }
        sources.push(chosen.map_or_else(|| "default".to_owned(), |chosen| chosen.source));
    }
    let matches = alone::<O>()
        .try_get_matches_from(&line)
        .map_err(|error| one_line(&error))?;
    let settings = options
        .iter()
        .zip(sources)
        .map(|(option, source)| {
            let id = option.get_id().as_str();
            let values = matches
                .get_raw(id)
                .map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>());
            Setting {
                name: id.to_owned(),
                value: values.unwrap_or_default().join(","),
                source,
            }
        })
        .collect();
    let options = O::from_arg_matches(&matches).map_err(|error| one_line(&error))?;
    Ok(Resolved { options, settings })
}

/// A command of nothing but these options.
fn alone<O: Args>() -> Command {
    O::augment_args(Command::new("meterbridge")).mut_args(switch)
}

/// A switch may be said without a value, which then turns it on.
fn switch(option: Arg) -> Arg {
    let names = option.get_value_names().unwrap_or_default();
    match names.iter().any(|name| name.as_str() == "SWITCH") {
        true => option
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        false => option,
    }
}

fn from_flags(given: &ArgMatches, option: &Arg) -> Option<Chosen> {
    let id = option.get_id().as_str();
    let is_given = given.try_contains_id(id).is_ok() && given.value_source(id) == Some(ValueSource::CommandLine);
    let values = given.try_get_raw(id).ok().flatten().filter(|_| is_given)?;
    let values = values.map(|value| value.to_string_lossy().into_owned()).collect();
    Some(Chosen {
        values,
        source: "flag".to_owned(),
    })
}

fn from_variable(option: &Arg, variable: &impl Fn(&str) -> Option<String>) -> Option<Chosen> {
    let name = variable_name(option);
    let value = variable(&name).filter(|value| !value.is_empty())?;
    Some(Chosen {
        values: vec![value],
        source: name,
    })
}

fn variable_name(option: &Arg) -> String {
    format!("METERBRIDGE_{}", option.get_id().as_str().to_uppercase())
}

fn flags(option: &Arg, values: &[String]) -> Vec<String> {
    let long = option.get_long().unwrap_or_default();
    values.iter().map(|value| format!("--{long}={value}")).collect()
}

/// Shows the variable of each option in its help.
pub(super) fn name_variables<O: Args>(command: Command) -> Command {
    let names: Vec<String> = alone::<O>()
        .get_arguments()
        .map(|option| option.get_id().to_string())
        .collect();
    command.mut_args(|option| {
        if !names.contains(&option.get_id().to_string()) || option.get_long().is_none() {
            return option;
        }
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = variable_name(&option);
        // -5 is a bad value, not an option of its own.
        switch(option)
            .help(format!("{help} [env: {variable}]"))
            .allow_negative_numbers(true)
    })
}

/// What clap says in several lines, without usage and the advice to read the help.
pub(super) fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// The shortest option that shares the longest beginning with an unknown key, if it shares more than a few letters.
fn nearest(key: &str, options: &[&Arg]) -> String {
    let key = key.replace('-', "_");
    let shared = |name: &str| name.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
    let best = options
        .iter()
        .map(|option| option.get_id().as_str())
        .max_by_key(|name| (shared(name), std::cmp::Reverse(name.len())));
    best.filter(|name| shared(name) > 3)
        .map(|name| format!("; is {name} meant?"))
        .unwrap_or_default()
}
