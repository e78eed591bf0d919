use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::DryRun;
use crate::exposition::{Escaping, Syntax};
use crate::otlp::Encoding;
use crate::translate::reason_of;

/// What `meterbridge translate` is asked for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Files in order; `-` and no file at all are standard input.
    pub inputs: &'a [PathBuf],
    /// How they are written; told by the content of each where it is not given.
    pub encoding: Option<Encoding>,
    /// What to print.
    pub syntax: Syntax,
    /// And how names are escaped in it.
    pub escaping: Escaping,
    /// Print the names of the metrics under each strategy instead.
    pub names: bool,
}

/// What came of the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was accepted.
    Accepted,
    /// A point was refused.
    Refused,
    /// An input cannot be read or decoded.
    Undecodable,
}

/// Reads the inputs, writes to `output` what a scrape would show after all of them, and to `notes` what was refused, advised or
/// met another stream, one a line.
///
/// # Errors
///
/// Where the output cannot be written.
pub fn run(
    dry_run: &DryRun,
    request: &Request<'_>,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> std::io::Result<Verdict> {
    let mut verdict = Verdict::Accepted;
    let standard_input = [PathBuf::from("-")];
    let inputs = if request.inputs.is_empty() {
        &standard_input
    } else {
        request.inputs
    };
    for input in inputs {
        let shown = input.display();
        let bytes = match read(input) {
            Ok(bytes) => bytes,
            Err(error) => {
                writeln!(notes, "{shown}: {error}")?;
                return Ok(Verdict::Undecodable);
            }
        };
        let outcome = match dry_run.take(request.encoding, &bytes) {
            Ok(outcome) => outcome,
            Err(error) => {
                writeln!(notes, "{shown}: {}: {error}", reason_of(&error))?;
                return Ok(Verdict::Undecodable);
            }
        };
        for line in outcome.refusals().chain(outcome.advice()) {
            writeln!(notes, "{shown}: {line}")?;
        }
        for name in outcome.collided() {
            writeln!(
                notes,
                "{shown}: collision: points of metric \"{name}\" met another stream in their series"
            )?;
        }
        if outcome.total_refused() > 0 {
            verdict = Verdict::Refused;
        }
        if request.names {
            write_names(dry_run, request, &bytes, output)?;
        }
    }
    if !request.names {
        write_scrape(dry_run, request, output, notes)?;
    }
    output.flush()?;
    Ok(verdict)
}

fn write_names(dry_run: &DryRun, request: &Request<'_>, bytes: &[u8], output: &mut impl Write) -> std::io::Result<()> {
    // It has been decoded before.
    for metric in dry_run.names(request.encoding, bytes).unwrap_or_default() {
        writeln!(
            output,
            "\"{}\" ({}, unit \"{}\")",
            metric.name, metric.kind, metric.unit
        )?;
        for (strategy, name) in &metric.names {
            match name {
                Ok(name) => writeln!(output, "  {strategy}: {name}")?,
                Err(refused) => writeln!(output, "  {strategy}: refused, {}", refused.reason)?,
            }
        }
    }
    Ok(())
}

fn write_scrape(
    dry_run: &DryRun,
    request: &Request<'_>,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> std::io::Result<()> {
    let mut scrape = dry_run.scrape(request.syntax, request.escaping);
    let mut more = true;
    while more {
        let mut piece = Vec::new();
        more = scrape.next(&mut piece, 64 << 10);
        output.write_all(&piece)?;
    }
    if scrape.left_out() > 0 {
        let count = scrape.left_out();
        writeln!(
            notes,
            "collision: {count} families or series do not fit beside others in this format"
        )?;
    }
    Ok(())
}

fn read(input: &Path) -> std::io::Result<Vec<u8>> {
    if input == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(input)
}
