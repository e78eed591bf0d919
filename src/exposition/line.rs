use std::ops::Range;

use crate::model::{Exemplar, Family, is_metric_name, write_double};

use super::Escaping;
use super::exemplar;

/// A metric's name, and whether it is legal without quotes: asked once for all lines that it stands on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    text: &'a str,
    is_legal: bool,
}

impl<'a> Name<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let is_legal = is_metric_name(text);
        Self { text, is_legal }
    }
}

/// What the lines of one series have in common, in every text format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) name: Name<'a>,
    pub(super) labels: &'a str,
}

impl<'a> Line<'a> {
    /// All in front of the value: name, suffix and labels.
    pub(super) fn write_start(&self, out: &mut Vec<u8>, suffix: &str) {
        if self.is_bare() {
            self.write_name(out, suffix);
        } else {
            self.write_labels(out, suffix);
            out.push(b'}');
        }
        out.push(b' ');
    }

    /// The same for lines that have one more label, behind the others.
    pub(super) fn bounded(self, suffix: &'a str, label: &'a str) -> BoundedLines<'a> {
        BoundedLines {
            line: self,
            suffix,
            label,
            written: None,
        }
    }

    /// Whether it has nothing to put into braces.
    fn is_bare(&self) -> bool {
        self.name.is_legal && self.labels.is_empty()
    }

    fn write_name(&self, out: &mut Vec<u8>, suffix: &str) {
        out.extend_from_slice(self.name.text.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
    }

    /// Name, suffix and labels but for the closing brace. A name that is not legal stands in quotes among the labels
    /// (conformance F-04).
    fn write_labels(&self, out: &mut Vec<u8>, suffix: &str) {
        if self.name.is_legal {
            self.write_name(out, suffix);
            out.push(b'{');
        } else {
            out.push(b'{');
            write_quoted(out, self.name.text, suffix);
            if !self.labels.is_empty() {
                out.push(b',');
            }
        }
        out.extend_from_slice(self.labels.as_bytes());
    }
}

/// Lines of one series that differ in the value of their last label, and in what is behind that.
pub(super) struct BoundedLines<'a> {
    line: Line<'a>,
    suffix: &'a str,
    label: &'a str,
    /// Where what all begin with has been written.
    written: Option<Range<usize>>,
}

impl BoundedLines<'_> {
    /// All in front of the value of the next line; `out` is that of the line before. `write_bound` writes the value of the label.
    #[inline]
    pub(super) fn write_start(&mut self, out: &mut Vec<u8>, write_bound: impl FnOnce(&mut Vec<u8>)) {
        match &self.written {
            Some(written) => out.extend_from_within(written.clone()),
            None => {
                let start = out.len();
                self.line.write_labels(out, self.suffix);
                if !self.line.is_bare() {
                    out.push(b',');
                }
                out.extend_from_slice(self.label.as_bytes());
                out.extend_from_slice(b"=\"");
                self.written = Some(start..out.len());
            }
        }
        write_bound(out);
        out.extend_from_slice(b"\"} ");
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
    let mut fraction = unix_nano % NANOS;
    if fraction > 0 {
        out.push(b'.');
        let mut unit = NANOS / 10;
        while fraction > 0 {
            out.push(b'0' + (fraction / unit) as u8);
            fraction %= unit;
            unit /= 10;
        }
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
        for (name, labels, plain, bounded) in [
            ("a", "", "a_x ", "a_x{le=\"1\"} a_x{le=\"2\"} "),
            (
                "a",
                "b=\"c\"",
                "a_x{b=\"c\"} ",
                "a_x{b=\"c\",le=\"1\"} a_x{b=\"c\",le=\"2\"} ",
            ),
            (
                "a.\"\n",
                "",
                "{\"a.\\\"\\n_x\"} ",
                "{\"a.\\\"\\n_x\",le=\"1\"} {\"a.\\\"\\n_x\",le=\"2\"} ",
            ),
            (
                "5",
                "b=\"{\"",
                "{\"5_x\",b=\"{\"} ",
                "{\"5_x\",b=\"{\",le=\"1\"} {\"5_x\",b=\"{\",le=\"2\"} ",
            ),
        ] {
            let line = Line {
                name: Name::of(name),
                labels,
            };
            assert_eq!(text(|out| line.write_start(out, "_x")), plain);
            let mut lines = line.bounded("_x", "le");
            let write = |out: &mut Vec<u8>| {
                lines.write_start(out, |out| out.push(b'1'));
                lines.write_start(out, |out| out.push(b'2'));
            };
            assert_eq!(text(write), bounded);
        }
    }
}
