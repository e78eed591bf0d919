/// A value as it was sent: whole numbers stay exact, they never pass through a double (conformance M-05).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A double, the special values included.
    Double(f64),
}

impl Number {
    /// The sum: whole as long as both are and 64 bits hold it (conformance D-01).
    pub fn plus(self, other: Self) -> Self {
        if let (Self::Int(a), Self::Int(b)) = (self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return Self::Int(sum);
        }
        Self::Double(self.as_f64() + other.as_f64())
    }

    /// The nearest double.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// Whether a counter may have it: neither negative nor NaN.
    pub fn is_count(self) -> bool {
        match self {
            Self::Int(value) => value >= 0,
            Self::Double(value) => value >= 0.0,
        }
    }

    /// Appends the text of the number.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            Self::Double(value) => write_double(out, value),
        }
    }
}

/// Appends the shortest text that reads back as `value`, in the form of Go's `%g`: an exponent of at least two digits from
/// 1e6 up and below 1e-4, `NaN`, `+Inf`, `-Inf` (conformance H-02, M-05, G-02).
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    // Most values are small whole numbers; for them the digits are those of the integer. Zero keeps its sign.
    if value.abs() < 1e6 && value.trunc() == value && (value != 0.0 || value.is_sign_positive()) {
        return out.extend_from_slice(itoa::Buffer::new().format(value as i32).as_bytes());
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if (1e-4..1e6).contains(&value.abs()) {
        // There both write the digits out, and what is whole has been written above.
        return out.extend_from_slice(text.as_bytes());
    }
    let (negative, digits, exponent) = decimal(text);
    if negative {
        out.push(b'-');
    }
    let digits = digits.as_slice();
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-1 - exponent) as usize));
            out.extend_from_slice(digits);
        }
        0..=5 => {
            let whole = exponent as usize + 1;
            out.extend((0..whole).map(|at| digits.get(at).copied().unwrap_or(b'0')));
            if digits.len() > whole {
                out.push(b'.');
                out.extend_from_slice(&digits[whole..]);
            }
        }
        _ => {
            out.push(digits[0]);
            if digits.len() > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
            if exponent.abs() < 10 {
                out.push(b'0');
            }
            out.extend_from_slice(itoa::Buffer::new().format(exponent.abs()).as_bytes());
        }
    }
}

/// The significant digits of a finite number, at most 17.
struct Digits {
    bytes: [u8; 20],
    len: usize,
}

impl Digits {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Takes shortest text in any notation apart: sign, significant digits, and the exponent of the first of them.
fn decimal(text: &str) -> (bool, Digits, i32) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mut exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent += whole.len() as i32 - 1;
    let mut digits = Digits {
        bytes: [b'0'; 20],
        len: 0,
    };
    for byte in whole.bytes().chain(fraction.bytes()) {
        if digits.len == 0 && byte == b'0' {
            exponent -= 1; // A leading zero is not significant.
        } else if digits.len < digits.bytes.len() {
            digits.bytes[digits.len] = byte;
            digits.len += 1;
        }
    }
    while digits.len > 1 && digits.bytes[digits.len - 1] == b'0' {
        digits.len -= 1;
    }
    if digits.len == 0 {
        return (
            negative,
            Digits {
                bytes: [b'0'; 20],
                len: 1,
            },
            0,
        );
    }
    (negative, digits, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: Number) -> String {
        let mut out = Vec::new();
        number.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn h_02_m_05_g_02_doubles_are_written_as_go_writes_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (6.0, "6"),
            (-2.0, "-2"),
            (10.0, "10"),
            (0.005, "0.005"),
            (0.1, "0.1"),
            (12.5, "12.5"),
            (-12.25, "-12.25"),
            (110.2, "110.2"),
            (100_000.0, "100000"),
            (999_999.0, "999999"),
            (999_999.5, "999999.5"),
            (1e6, "1e+06"),
            (2.5e6, "2.5e+06"),
            (10_485_760.0, "1.048576e+07"),
            (0.00012345678901234567, "0.00012345678901234567"),
            (-0.0001, "-0.0001"),
            (0.000_099_999, "9.9999e-05"),
            (1e-4, "0.0001"),
            (1.5e-4, "0.00015"),
            (1e-5, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (1e21, "1e+21"),
            (1e100, "1e+100"),
            (1_700_000_000.25, "1.70000000025e+09"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(text(Number::Double(value)), expected);
        }
    }

    #[test]
    fn m_05_whole_numbers_are_exact() {
        assert_eq!(text(Number::Int(9_007_199_254_740_993)), "9007199254740993");
        assert_eq!(text(Number::Int(i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn every_text_reads_back_as_the_same_double() {
        // A fixed walk over bit patterns of every magnitude.
        let mut bits = 0x9E37_79B9_7F4A_7C15u64;
        for _ in 0..100_000 {
            bits = bits
                .wrapping_mul(0x5851_F42D_4C95_7F2D)
                .wrapping_add(0x1405_7B7E_F767_814F);
            let value = f64::from_bits(bits);
            if value.is_finite() {
                assert_eq!(
                    text(Number::Double(value)).parse::<f64>().unwrap().to_bits(),
                    bits,
                    "{value:e}"
                );
            }
        }
    }
}
