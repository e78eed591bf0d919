//! The grammars of all formats, each as strict as the strictest of its readers: an exposition that passes is one that nobody
//! refuses. Written from the descriptions of the formats, and apart from the writers.

mod family;
mod line;
mod openmetrics;
mod openmetrics2;
mod protobuf;
mod tests;
mod text;

use meterbridge::exposition::{Format, Syntax};

/// The same of a scrape during which something came in. In protobuf it may be the first native histogram of a family, or the
/// last one may go: then not all of its messages are cut as F-10 says.
pub fn check_changing(format: Format, exposition: &[u8]) -> Result<(), String> {
    match format.syntax {
        Syntax::Protobuf => protobuf::check(format, exposition, false),
        _ => check(format, exposition),
    }
}

/// What is wrong with an exposition, and where.
pub fn check(format: Format, exposition: &[u8]) -> Result<(), String> {
    if format.syntax == Syntax::Protobuf {
        return protobuf::check(format, exposition, true);
    }
    let text = str::from_utf8(exposition).map_err(|what| what.to_string())?;
    let lines = match format.syntax {
        Syntax::Text | Syntax::Text1 => text,
        _ => text.strip_suffix("# EOF\n").ok_or("no end")?,
    };
    if !lines.is_empty() && !lines.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    let mut families = family::Families::new(format);
    for line in lines.split_terminator('\n') {
        families.line(line).map_err(|what| format!("{what}: {line:?}"))?;
    }
    families.end()
}
