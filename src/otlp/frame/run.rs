use super::delimited;
use crate::otlp::Kind;

/// The attributes of a point: all fields of one number, one behind the other, their keys included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether they are those that were expected.
    pub is_expected: bool,
}

impl<'a> Run<'a> {
    /// The attributes of a point of any kind.
    #[inline]
    pub fn of(kind: Kind, point: &'a [u8], expected: &[u8]) -> Option<Self> {
        let key = match kind {
            Kind::Gauge | Kind::Sum { .. } | Kind::Summary => 0x3A,
            Kind::Histogram(_) => 0x4A,
            Kind::ExponentialHistogram(_) => 0x0A,
        };
        let mut run = None;
        let mut rest = point;
        while let [next, behind @ ..] = rest {
            rest = match next {
                _ if *next == key => {
                    let found;
                    (found, rest) = Self::take(rest, key, expected)?;
                    if run.replace(found).is_some() {
                        return None;
                    }
                    continue;
                }
                // Keys of two bytes are those of fields that no kind of point has.
                0x80.. => return None,
                _ => match next & 7 {
                    0 => {
                        let length = behind.iter().position(|byte| *byte < 0x80)?;
                        behind.get(length + 1..)?
                    }
                    1 => behind.get(8..)?,
                    2 => delimited(behind)?.1,
                    _ => return None,
                },
            };
        }
        Some(run.unwrap_or_else(|| Self::absent(expected)))
    }

    /// A point has no attributes.
    pub(super) fn absent(expected: &[u8]) -> Self {
        Self {
            bytes: &[],
            is_expected: expected.is_empty(),
        }
    }

    /// The run that `bytes` begin with, and what is behind.
    #[inline]
    pub(super) fn take(bytes: &'a [u8], key: u8, expected: &[u8]) -> Option<(Self, &'a [u8])> {
        let is_expected =
            !expected.is_empty() && bytes.starts_with(expected) && bytes.get(expected.len()) != Some(&key);
        let length = if is_expected {
            expected.len()
        } else {
            length(bytes, key)?
        };
        let (bytes, behind) = bytes.split_at_checked(length)?;
        Some((Self { bytes, is_expected }, behind))
    }
}

/// How long the run of fields with this key is that `bytes` begin with.
fn length(bytes: &[u8], key: u8) -> Option<usize> {
    let mut rest = bytes;
    while let [next, behind @ ..] = rest
        && *next == key
    {
        rest = delimited(behind)?.1;
    }
    Some(bytes.len() - rest.len())
}
