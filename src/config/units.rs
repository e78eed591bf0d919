use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration as it is written in options: a whole number with `ms`, `s`, `m`, `h` or `d`. 0 means never or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(Duration);

/// A number of bytes as it is written in options: alone, or with `KiB`, `MiB` or `GiB`. 0 means that there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(usize);

const PERIODS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

impl Period {
    /// How long it is.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// How long it is, where 0 is no limit.
    pub fn limit(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }
}

impl Size {
    /// How many bytes it is; 0 is no limit.
    pub fn bytes(self) -> usize {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let millis =
            product(text, &PERIODS).ok_or("a duration is a whole number with ms, s, m, h or d, such as 30s, or 0")?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = product(text, &SIZES).and_then(|bytes| usize::try_from(bytes).ok());
        bytes
            .map(Self)
            .ok_or_else(|| "a size is a number of bytes, or one with KiB, MiB or GiB, such as 64MiB".to_owned())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            f.write_str("0")
        } else {
            shortest(f, self.0.as_millis() as u64, &PERIODS)
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            f.write_str("0")
        } else {
            shortest(f, self.0 as u64, &SIZES)
        }
    }
}

fn product(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(word, _)| *word == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// In the largest unit that leaves a whole number.
fn shortest(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    match units.iter().find(|(_, factor)| value.is_multiple_of(*factor)) {
        Some((unit, factor)) => write!(f, "{}{unit}", value / factor),
        None => write!(f, "{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis, shown) in [
            ("0", 0, "0"),
            ("0s", 0, "0"),
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("90s", 90_000, "90s"),
            ("5m", 300_000, "5m"),
            ("60m", 3_600_000, "1h"),
            ("2d", 172_800_000, "2d"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(
                (period.duration().as_millis(), period.to_string().as_str()),
                (millis, shown),
                "{text}"
            );
        }
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "1.5s",
            "5 s",
            "5S",
            "5sec",
            "99999999999999999999s",
            "99999999999999999d",
            "+5s",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        assert_eq!("0".parse::<Period>().unwrap().limit(), None);
    }

    #[test]
    fn sizes() {
        for (text, bytes, shown) in [
            ("0", 0, "0"),
            ("1000", 1000, "1000"),
            ("1024", 1024, "1KiB"),
            ("64MiB", 64 << 20, "64MiB"),
            ("1GiB", 1 << 30, "1GiB"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown), "{text}");
        }
        for text in ["", "MiB", "64MB", "64mib", "1.5MiB", "-1", "99999999999GiB", "64 MiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
