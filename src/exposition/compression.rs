use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::deflate::Gzip;

/// How the bytes of an answer are sent.
#[derive(Debug)]
pub enum Encoder {
    /// As they are.
    Identity,
    /// Compressed, from the first byte on.
    Gzip(Option<Compressor>),
}

/// What compresses best and fastest.
#[derive(Debug)]
pub enum Compressor {
    /// Lines.
    Text(Box<Gzip>),
    /// Messages of protobuf, in which no line is like the one before: both become as small, but here it takes half the time.
    Messages(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// By the header `Accept-Encoding`: gzip where it is welcome (conformance F-11).
    pub fn negotiate(accept_encoding: Option<&str>) -> Self {
        if accept_encoding.is_some_and(accepts_gzip) {
            Self::Gzip(None)
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
            Self::Gzip(_) if text.is_empty() => Ok(Bytes::new()),
            Self::Gzip(compressor) => {
                let compressor = compressor.get_or_insert_with(|| Compressor::of(&text));
                compressor.write(&text)
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
            Self::Gzip(None) => Ok(Gzip::new().finish().into()),
            Self::Gzip(Some(compressor)) => compressor.finish(),
        }
    }
}

impl Compressor {
    /// Text begins with a line about its first family or its end, and a message with its length. One that is as long as `#` is a
    /// number is taken for text, which costs no more than time.
    fn of(body: &[u8]) -> Self {
        match body.first() {
            Some(b'#') => Self::Text(Box::new(Gzip::new())),
            _ => Self::Messages(Box::new(GzEncoder::new(Vec::new(), Compression::fast()))),
        }
    }

    fn write(&mut self, body: &[u8]) -> std::io::Result<Bytes> {
        match self {
            Self::Text(gzip) => Ok(gzip.write(body).into()),
            Self::Messages(encoder) => {
                encoder.write_all(body)?;
                Ok(std::mem::take(encoder.get_mut()).into())
            }
        }
    }

    fn finish(self) -> std::io::Result<Bytes> {
        match self {
            Self::Text(gzip) => Ok(gzip.finish().into()),
            Self::Messages(encoder) => Ok(encoder.finish()?.into()),
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
    use std::io::Read;

    use super::*;

    #[test]
    fn whatever_is_encoded_can_be_decoded() {
        for pieces in [
            [b"" as &[u8], b"", b""],
            [b"# TYPE a gauge\n", b"", b"a 1\na 1\n"],
            [b"", b"# EOF\n", b""],
            [b"\x05\x0a\x01a\x18\x01", b"\x05\x0a\x01b\x18\x01", b""],
            // A message of 35 bytes.
            [b"#\x0a\x21", b"abcdefghijklmnopqrstuvwxyz0123456", b""],
        ] {
            let mut encoder = Encoder::negotiate(Some("gzip"));
            let mut bytes = Vec::new();
            for piece in pieces {
                bytes.extend(encoder.encode(piece.to_vec()).unwrap());
            }
            bytes.extend(encoder.finish().unwrap());
            let mut body = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut body).unwrap();
            assert_eq!(body, pieces.concat());
        }
    }

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
