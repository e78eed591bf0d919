//! Options from flags, variables and a file, in that order of precedence.
//!
//! An option is one field of [`Options`], and has all three spellings by that: the flag `--max-series`, the variable
//! `METERBRIDGE_MAX_SERIES`, the key `max_series`. Values from each source go through the same parser, so the message for a
//! bad one is the same wherever it stands.

mod choice;
mod file;
mod options;
mod parts;
mod resolve;
mod units;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use options::Options;
pub use units::{Period, Size};

use crate::api::Setting;
use crate::exposition::{Escaping, Syntax};
use crate::otlp::Encoding;
use choice::Choice;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Run the bridge.
    Serve,
    /// Show what OTLP becomes.
    Translate(Translate),
    /// Ask a bridge whether it is ready.
    Healthcheck,
    /// Print the OpenAPI document.
    Openapi,
    /// Play some services.
    Demo(Demo),
}

/// The command line, read and checked.
#[derive(Debug)]
pub struct Config {
    /// What to do.
    pub command: Command,
    /// The options in force.
    pub options: Options,
    /// The same to show, each with where it is from.
    pub settings: Vec<Setting>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Exit {
    /// Help or version was asked for; here it is.
    Shown(String),
    /// Something is wrong; one line says what, and where it stands.
    Wrong(String),
}

/// Takes OpenTelemetry metrics that applications push, and serves them to Prometheus, which pulls.
///
/// Without a command it runs the bridge. Every option can be set by a flag, by the variable named beside it, or by a key in
/// the file that --config names (the flag's name with underscores); a flag wins over a variable, and that over the file.
#[derive(Debug, Parser)]
#[command(
    name = "meterbridge",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Run the bridge in the foreground until SIGINT or SIGTERM, then drain.
    Serve {
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Read OTLP and print what a scrape would show of it.
    ///
    /// Exit status 0 if everything was accepted, 1 if a point was refused, 2 if an input cannot be decoded. Refusals, advice
    /// and collisions go to standard error, one a line. The options of the bridge change what is printed as they change it.
    Translate {
        #[command(flatten)]
        translate: Translate,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Ask the bridge at --http-listen whether it is ready: exit status 0 if so, else 1.
    Healthcheck {
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Play a few services that send metrics to a bridge.
    Demo(Demo),
}

/// The arguments of `translate`.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Translate {
    /// Files with OTLP in protobuf or JSON; `-` or nothing is standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What to print.
    #[arg(long, value_name = "FORMAT", value_parser = Syntax::parser(), default_value = "text")]
    pub format: Syntax,
    /// How names are escaped: `underscores` for text, `allow-utf-8` for the others if not given.
    #[arg(long, value_name = "SCHEME", value_parser = Escaping::parser())]
    pub escaping: Option<Escaping>,
    /// How the inputs are written; told by their content if not given.
    #[arg(long, value_name = "FORMAT", value_parser = Encoding::parser())]
    pub input_format: Option<Encoding>,
    /// Print the names of the metrics under each strategy instead.
    #[arg(long)]
    pub names: bool,
}

/// The arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Demo {
    /// Where to send. HTTP where the port is 4318 or the path /v1/metrics, else gRPC.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4317")]
    pub endpoint: String,
    /// For how long, such as 5m; until it is stopped if not given.
    #[arg(long = "for", value_name = "DURATION")]
    pub duration: Option<Period>,
}

/// Reads the command line. `variable` looks a variable up; one that is empty counts as not set.
///
/// # Errors
///
/// See [`Exit`].
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Config, Exit> {
    let matches = command().try_get_matches_from(arguments).map_err(Exit::from)?;
    let cli = Cli::from_arg_matches(&matches).map_err(Exit::from)?;
    let (command, given): (Command, Option<&ArgMatches>) = match (cli.command, matches.subcommand()) {
        (None, _) => (Command::Serve, Some(&matches)),
        (Some(Sub::Serve { .. }), Some((_, given))) => (Command::Serve, Some(given)),
        (Some(Sub::Translate { translate, .. }), Some((_, given))) => (Command::Translate(translate), Some(given)),
        (Some(Sub::Healthcheck { .. }), Some((_, given))) => (Command::Healthcheck, Some(given)),
        (Some(Sub::Demo(demo)), _) => (Command::Demo(demo), None),
        (Some(_), _) => (Command::Openapi, None),
    };
    let resolved = match given {
        Some(given) => resolve::resolve::<Options>(given, &variable).map_err(Exit::Wrong)?,
        // Without options of their own these commands read neither variables nor file.
        None => resolve::resolve::<Options>(&ArgMatches::default(), &|_: &str| None).map_err(Exit::Wrong)?,
    };
    Ok(Config {
        command,
        options: resolved.options,
        settings: resolved.settings,
    })
}

fn command() -> clap::Command {
    let mut command = resolve::name_variables::<Options>(Cli::command());
    for name in ["serve", "translate", "healthcheck"] {
        command = command.mut_subcommand(name, resolve::name_variables::<Options>);
    }
    command
}

impl From<clap::Error> for Exit {
    fn from(error: clap::Error) -> Self {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        match error.kind() {
            DisplayHelp | DisplayVersion => Self::Shown(error.render().to_string()),
            _ => Self::Wrong(resolve::one_line(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
