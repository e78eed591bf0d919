//! The load generator of `ingest.py`. Makes the reference input once, then does what standard input says, a command a line, and
//! answers each with a line of JSON:
//!
//! ```text
//! http://127.0.0.1:4318/v1/metrics 3            three rounds of OTLP over HTTP; a round is every series once
//! gzip+http://127.0.0.1:4318/v1/metrics 2s      in chunks, as SDKs do; whole rounds until two seconds have passed
//! json+http://127.0.0.1:4318/v1/metrics 2s      the first requests in JSON
//! grpc://127.0.0.1:4317 1                       OTLP over gRPC
//! remote-write+http://127.0.0.1:9090/api/v1/write 1
//! scrape+http://127.0.0.1:9464/metrics 1        reads an exposition, or gzip+scrape+http://...
//! ```
//!
//! `peer-load sink` takes whatever it is sent and says its port; `peer-load text` prints the input as an exposition.

mod input;
mod send;
mod sink;

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use input::Input;

/// No command goes on for longer than this, whatever it was asked for.
pub const LONGEST: Duration = Duration::from_secs(600);
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy)]
pub enum Until {
    Rounds(u64),
    Passed(Duration),
}

impl Until {
    fn parse(text: &str) -> Result<Self> {
        match text.strip_suffix('s') {
            Some(seconds) => Ok(Self::Passed(Duration::try_from_secs_f64(seconds.parse()?)?)),
            None => Ok(Self::Rounds(text.parse()?)),
        }
    }

    /// Whether another round, after so many, still belongs to it. The first always does.
    pub fn wants(self, done: u64, since: Instant) -> bool {
        let passed = since.elapsed();
        passed < LONGEST
            && match self {
                Self::Rounds(rounds) => done < rounds,
                Self::Passed(wanted) => done == 0 || passed < wanted,
            }
    }
}

struct Options {
    mixed: bool,
    series: usize,
    resources: usize,
    connections: usize,
    /// Nanoseconds since 1970.
    start: u64,
}

fn options(arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        mixed: false,
        series: 100_000,
        resources: 50,
        connections: 4,
        start: input::now() - 60_000_000_000,
    };
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--mix" => options.mixed = value == "mixed",
            "--series" => options.series = value.parse()?,
            "--resources" => options.resources = value.parse()?,
            "--connections" => options.connections = value.parse()?,
            "--start" => options.start = value.parse()?,
            _ => return Err(format!("there is no {name}").into()),
        }
    }
    let request = options.resources * input::POINTS;
    if request == 0 || options.series == 0 || !options.series.is_multiple_of(request) || options.connections == 0 {
        return Err(format!("--series is a multiple of {request}, the points of a request").into());
    }
    Ok(options)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let command = arguments.next_if(|first| !first.starts_with('-'));
    match command.as_deref() {
        Some("sink") => return sink::run(),
        Some("text") => {
            let options = options(arguments)?;
            return Ok(std::io::stdout().lock().write_all(&input::text(options.series))?);
        }
        Some(other) => return Err(format!("there is no {other}").into()),
        None => {}
    }
    let options = options(arguments)?;
    let mut input = Input::new(options.mixed, options.series, options.resources, options.start);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}",
        serde_json::json!({"requests": input.otlp.len(), "bytes": input.bytes()})
    )?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (target, until) = line.split_once(' ').ok_or("a command is an address and how long")?;
        let until = Until::parse(until.trim())?;
        let said = send::run(&mut input, target, until, options.connections)?;
        writeln!(out, "{said}")?;
        out.flush()?;
    }
    Ok(())
}
