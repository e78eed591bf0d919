use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;

use super::budget::Reservation;
use super::{LONG_MESSAGE, Refusal};
use crate::model::RequestReason;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
}

impl Compression {
    /// Reads `Content-Encoding` or `grpc-encoding` (conformance P-07).
    pub(super) fn of(header: Option<&str>) -> Result<Self, Refusal> {
        let header = header.unwrap_or("").trim();
        if header.is_empty() || header.eq_ignore_ascii_case("identity") {
            return Ok(Self::None);
        }
        if header.eq_ignore_ascii_case("gzip") {
            return Ok(Self::Gzip);
        }
        let shown: String = header.chars().take(64).collect();
        let detail = format!("the encoding \"{shown}\" is not known; send gzip or none");
        Err(Refusal {
            reason: RequestReason::UnsupportedEncoding,
            detail,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }
}

/// Reads a body of at most `limit` bytes, counting while it comes, since the length need not be announced.
pub(super) async fn read(body: poem::Body, limit: usize, reservation: &Reservation) -> Result<Bytes, Refusal> {
    let mut body: http_body_util::combinators::BoxBody<Bytes, std::io::Error> = body.into();
    let mut first = Bytes::new();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal {
            reason: RequestReason::Malformed,
            detail: format!("the body broke off: {error}"),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + bytes.len() + data.len() > limit {
            return Err(Refusal::too_large(limit));
        }
        reservation.take(data.len())?;
        if first.is_empty() && bytes.is_empty() {
            first = data; // Most bodies are one frame, which need not be copied.
            continue;
        }
        if bytes.is_empty() {
            append(&mut bytes, &std::mem::take(&mut first), limit);
        }
        append(&mut bytes, &data, limit);
    }
    Ok(if bytes.is_empty() { first } else { bytes.into() })
}

/// Undoes the compression of a whole body, at most `limit` bytes of it.
pub(super) fn inflate(
    compression: Compression,
    body: Bytes,
    limit: usize,
    reservation: &Reservation,
) -> Result<Bytes, Refusal> {
    match compression {
        Compression::None => Ok(body),
        Compression::Gzip if body.len() < LONG_MESSAGE / 16 => gunzip(&body, limit, reservation),
        Compression::Gzip => tokio::task::block_in_place(|| gunzip(&body, limit, reservation)),
    }
}

fn gunzip(body: &[u8], limit: usize, reservation: &Reservation) -> Result<Bytes, Refusal> {
    let mut decoder = MultiGzDecoder::new(body);
    let mut piece = vec![0; 64 << 10];
    let mut bytes = Vec::new();
    loop {
        let length = decoder.read(&mut piece).map_err(|error| Refusal {
            reason: RequestReason::Malformed,
            detail: format!("the body is not gzip: {error}"),
        })?;
        if length == 0 {
            return Ok(bytes.into());
        }
        if bytes.len() + length > limit {
            return Err(Refusal::too_large(limit));
        }
        reservation.take(length)?;
        append(&mut bytes, &piece[..length], limit);
    }
}

/// Appends, growing by doubling but never past `limit`: a buffer of twice the limit would be memory that nobody can use.
fn append(bytes: &mut Vec<u8>, more: &[u8], limit: usize) {
    let needed = bytes.len() + more.len();
    if needed > bytes.capacity() {
        let target = needed.max(bytes.capacity() * 2).min(limit.max(needed));
        bytes.reserve_exact(target - bytes.len());
    }
    bytes.extend_from_slice(more);
}
