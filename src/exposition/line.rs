use crate::model::{Exemplar, Family, is_metric_name, write_double};

use super::Escaping;
use super::exemplar;

/// What the lines of one series have in common, in every text format.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) labels: &'a str,
}

impl Line<'_> {
    /// All in front of the value: name, suffix and labels, `bound` (a label and its value, written by `write_bound`) behind the
    /// others. A name that is not legal stands in quotes among the labels (conformance F-04).
    pub(super) fn write_start(
        &self,
        out: &mut Vec<u8>,
        suffix: &str,
        bound: Option<(&str, f64)>,
        write_bound: fn(&mut Vec<u8>, f64),
    ) {
        let is_quoted = !is_metric_name(self.name);
        if !is_quoted {
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(suffix.as_bytes());
        }
        if is_quoted || !self.labels.is_empty() || bound.is_some() {
            out.push(b'{');
            let start = out.len();
            if is_quoted {
                write_quoted(out, self.name, suffix);
            }
            if !self.labels.is_empty() {
                separate(out, start);
                out.extend_from_slice(self.labels.as_bytes());
            }
            if let Some((name, value)) = bound {
                separate(out, start);
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"=\"");
                write_bound(out, value);
                out.push(b'"');
            }
            out.push(b'}');
        }
        out.push(b' ');
    }
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

/// A metric's name where it stands by itself.
pub(super) fn write_name(out: &mut Vec<u8>, name: &str) {
    match is_metric_name(name) {
        true => out.extend_from_slice(name.as_bytes()),
        false => write_quoted(out, name, ""),
    }
}

fn write_quoted(out: &mut Vec<u8>, name: &str, suffix: &str) {
    out.push(b'"');
    write_escaped(out, name, true);
    out.extend_from_slice(suffix.as_bytes());
    out.push(b'"');
}

/// Help and names escape `\` and line feed; quotes where they would end the text (conformance F-09).
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            byte => out.push(byte),
        }
    }
}

/// A help as a line can have it. A carriage return at its end would make the line one of CRLF, which fails a scrape
/// (conformance F-12, O-20); in a help it means nothing.
pub(super) fn help(family: &Family) -> &str {
    family.help.trim_end_matches('\r')
}

/// A line such as `# TYPE name text`.
pub(super) fn write_metadata(out: &mut Vec<u8>, keyword: &str, name: &str, text: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"# ");
    out.extend_from_slice(keyword.as_bytes());
    out.push(b' ');
    write_name(out, name);
    out.push(b' ');
    text(out);
    out.push(b'\n');
}

pub(super) fn write_count(out: &mut Vec<u8>, count: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
}

/// A bound as OpenMetrics has it: with `.0` where it would look whole (conformance H-02).
pub(super) fn write_openmetrics_bound(out: &mut Vec<u8>, bound: f64) {
    let start = out.len();
    write_double(out, bound);
    if bound.is_finite() && !out[start..].iter().any(|byte| matches!(byte, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

/// Nanoseconds as decimal seconds: up to nine decimals, trailing zeros cut, no exponent (conformance O-06).
pub(super) fn write_seconds(out: &mut Vec<u8>, unix_nano: u64) {
    const NANOS: u64 = 1_000_000_000;
    write_count(out, unix_nano / NANOS);
    let fraction = unix_nano % NANOS;
    if fraction > 0 {
        let digits = format!(".{fraction:09}");
        out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
}

/// ` # {labels} value time`, as both versions of OpenMetrics have it.
pub(super) fn write_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar, escaping: Escaping) {
    out.extend_from_slice(b" # {");
    exemplar::write_labels(out, exemplar, escaping);
    out.extend_from_slice(b"} ");
    exemplar.value.write(out);
    if exemplar.time_unix_nano != 0 {
        out.push(b' ');
        write_seconds(out, exemplar.time_unix_nano);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn h_02_bounds_of_openmetrics_never_look_whole() {
        for (bound, expected) in [
            (1.0, "1.0"),
            (10.0, "10.0"),
            (0.005, "0.005"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (10_485_760.0, "1.048576e+07"),
            (1e-5, "1e-05"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(text(|out| write_openmetrics_bound(out, bound)), expected);
        }
    }

    #[test]
    fn o_06_seconds_have_no_exponent_and_no_zeros_at_the_end() {
        for (nanos, expected) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_700_000_000_250_000_000, "1700000000.25"),
            (1_700_000_000_000_000_000, "1700000000"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(text(|out| write_seconds(out, nanos)), expected);
        }
    }

    #[test]
    fn f_04_names_that_are_not_legal_stand_in_quotes_among_the_labels() {
        for (name, labels, bound, expected) in [
            ("a", "", None, "a_x "),
            ("a", "b=\"c\"", None, "a_x{b=\"c\"} "),
            ("a", "", Some(("le", 1.0)), "a_x{le=\"1\"} "),
            ("a.\"\n", "", None, "{\"a.\\\"\\n_x\"} "),
            ("5", "b=\"c\"", Some(("le", 1.0)), "{\"5_x\",b=\"c\",le=\"1\"} "),
        ] {
            let line = Line { name, labels };
            assert_eq!(text(|out| line.write_start(out, "_x", bound, write_double)), expected);
        }
    }
}
