//! What the attributes say about a request, clamped to small sets where the client chooses.

use http::{Method, Version};
use opentelemetry::StringValue;
use poem::Request;

/// RFC 9110, PATCH (RFC 5789), and QUERY as the semantic conventions added it.
pub(super) const KNOWN_METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
];

/// What the conventions put in place of a method that is not known.
pub(super) const OTHER_METHOD: &str = "_OTHER";

/// The method as an attribute value. Methods are case-sensitive (RFC 9110, 9.1), so `get` is not known.
pub(super) fn known_method(method: &Method, known: &[StringValue]) -> StringValue {
    known
        .iter()
        .find(|name| name.as_str() == method.as_str())
        .cloned()
        .unwrap_or_else(|| OTHER_METHOD.into())
}

/// The scheme that the client used, where a proxy in between says so, otherwise that of the connection.
///
/// A header can only choose between the two values, so it need not be trusted.
pub(super) fn scheme(request: &Request) -> &'static str {
    let forwarded = request.header("forwarded").and_then(forwarded_proto);
    let proto = forwarded
        .or_else(|| {
            request
                .header("x-forwarded-proto")
                .and_then(|protos| protos.split(',').next())
        })
        .unwrap_or_else(|| request.scheme().as_str())
        .trim();
    if proto.eq_ignore_ascii_case("https") {
        "https"
    } else {
        "http"
    }
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
