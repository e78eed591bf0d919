//! What the attributes say about a request, clamped to small sets where the client chooses.

use http::{HeaderName, Method, Version, header::FORWARDED};
use poem::Request;

/// RFC 9110, PATCH (RFC 5789), and QUERY as the semantic conventions added it.
pub(super) const KNOWN_METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
];

static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How many methods can be known: their number has a byte, and one is left for the others.
pub(super) const MOST_METHODS: usize = 250;

/// What the conventions put in place of a method that is not known.
pub(super) const OTHER_METHOD: &str = "_OTHER";

/// The number of a method among those that are known; one above the last for others. Methods are case-sensitive (RFC 9110,
/// 9.1), so `get` is not known.
pub(super) fn method_number(method: &Method, known: &[Method]) -> u8 {
    let at = known.iter().position(|known| known == method);
    u8::try_from(at.unwrap_or(known.len())).unwrap_or(u8::MAX)
}

/// Whether the client used `https`, where a proxy in between says so, otherwise whether the connection does.
///
/// A header can only choose between the two values, so it need not be trusted.
pub(super) fn is_https(request: &Request) -> bool {
    let header = |name: &HeaderName| request.headers().get(name)?.to_str().ok();
    let proto = header(&FORWARDED)
        .and_then(forwarded_proto)
        .or_else(|| header(&X_FORWARDED_PROTO)?.split(',').next())
        .unwrap_or_else(|| request.scheme().as_str())
        .trim();
    proto.eq_ignore_ascii_case("https")
}

/// `network.protocol.version`, which is `1.1` and not `HTTP/1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Protocol {
    Unknown,
    Http09,
    Http10,
    Http11,
    Http2,
    Http3,
}

impl Protocol {
    pub(super) fn of(version: Version) -> Self {
        match version {
            Version::HTTP_09 => Self::Http09,
            Version::HTTP_10 => Self::Http10,
            Version::HTTP_11 => Self::Http11,
            Version::HTTP_2 => Self::Http2,
            Version::HTTP_3 => Self::Http3,
            _ => Self::Unknown,
        }
    }

    pub(super) fn version(self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::Http09 => "0.9",
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
            Self::Http3 => "3",
        })
    }
}

/// The `proto` of the first element of a `Forwarded` header (RFC 7239): the hop nearest to the client.
fn forwarded_proto(header: &str) -> Option<&str> {
    let first = header.split(',').next()?;
    first.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("proto")
            .then(|| value.trim().trim_matches('"'))
    })
}
