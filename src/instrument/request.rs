//! What the attributes say about a request, clamped to small sets where the client chooses.

use http::{Method, Version};
use opentelemetry::StringValue;
use poem::Request;

/// RFC 9110, PATCH (RFC 5789), and QUERY as the semantic conventions added it.
pub(super) const KNOWN_METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
];

/// How many methods can be known: their number has a byte, and one is left for the others.
pub(super) const MOST_METHODS: usize = 250;

/// What the conventions put in place of a method that is not known.
pub(super) const OTHER_METHOD: &str = "_OTHER";

/// The number of a method among those that are known; one above the last for others. Methods are case-sensitive (RFC 9110,
/// 9.1), so `get` is not known.
pub(super) fn method_number(method: &Method, known: &[StringValue]) -> u8 {
    let at = known.iter().position(|name| name.as_str() == method.as_str());
    u8::try_from(at.unwrap_or(known.len())).unwrap_or(u8::MAX)
}

/// Whether the client used `https`, where a proxy in between says so, otherwise whether the connection does.
///
/// A header can only choose between the two values, so it need not be trusted.
pub(super) fn is_https(request: &Request) -> bool {
    let forwarded = request.header("forwarded").and_then(forwarded_proto);
    let proto = forwarded
        .or_else(|| {
            request
                .header("x-forwarded-proto")
                .and_then(|protos| protos.split(',').next())
        })
        .unwrap_or_else(|| request.scheme().as_str())
        .trim();
    proto.eq_ignore_ascii_case("https")
}

/// `network.protocol.version`, which is `1.1` and not `HTTP/1.1`.
pub(super) fn protocol_version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
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
