use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How the bytes of an answer are sent.
#[derive(Debug)]
pub enum Encoder {
    /// As they are.
    Identity,
    /// Compressed.
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// By the header `Accept-Encoding`: gzip where it is welcome (conformance F-11).
    pub fn negotiate(accept_encoding: Option<&str>) -> Self {
        if accept_encoding.is_some_and(accepts_gzip) {
            // A scrape is long and repeats itself: the fastest level already makes it a twelfth.
            Self::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::fast())))
        } else {
            Self::Identity
        }
    }

    /// The value of the header `Content-Encoding`.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip(_) => Some("gzip"),
        }
    }

    /// The next piece of the body, which may be empty.
    ///
    /// # Errors
    ///
    /// None that is known: it writes to memory.
    pub fn encode(&mut self, text: Vec<u8>) -> std::io::Result<Bytes> {
        match self {
            Self::Identity => Ok(text.into()),
            Self::Gzip(encoder) => {
                encoder.write_all(&text)?;
                Ok(std::mem::take(encoder.get_mut()).into())
            }
        }
    }

    /// The end of the body.
    ///
    /// # Errors
    ///
    /// As [`Encoder::encode`].
    pub fn finish(self) -> std::io::Result<Bytes> {
        match self {
            Self::Identity => Ok(Bytes::new()),
            Self::Gzip(encoder) => Ok(encoder.finish()?.into()),
        }
    }
}

/// Whether gzip is named, or everything is, with a weight above 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(header: &str) -> bool {
    let weight = |wanted: &str| {
        header.split(',').find_map(|clause| {
            let (coding, parameters) = clause.split_once(';').unwrap_or((clause, ""));
            if !coding.trim().eq_ignore_ascii_case(wanted) {
                return None;
            }
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok());
            Some(weight.unwrap_or(0.0))
        })
    };
    weight("gzip")
        .or_else(|| weight("*"))
        .is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_11_gzip_where_it_is_welcome() {
        for (header, welcome) in [
            ("gzip", true),
            ("identity", false),
            ("", false),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, *", false),
            ("*", true),
            ("*;q=0", false),
            ("br, *;q=0.1", true),
            ("gzip;q=odd", false),
        ] {
            assert_eq!(accepts_gzip(header), welcome, "{header}");
        }
    }
}
