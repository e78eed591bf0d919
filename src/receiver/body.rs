use std::fmt::Display;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body::Body;
use http_body_util::BodyExt;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::budget::Reservation;
use super::{LONG_MESSAGE, Refusal};
use crate::model::RequestReason;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
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
        if header.eq_ignore_ascii_case("zstd") {
            return Ok(Self::Zstd);
        }
        let shown: String = header.chars().take(64).collect();
        let detail = format!("the encoding \"{shown}\" is not known; send gzip, zstd or none");
        Err(Refusal {
            reason: RequestReason::UnsupportedEncoding,
            detail,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Reads a body of at most `limit` bytes, counting while it comes, since the length need not be announced.
pub(super) async fn read(
    mut body: impl Body<Data = Bytes, Error: Display> + Unpin,
    limit: usize,
    reservation: &Reservation,
) -> Result<Bytes, Refusal> {
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
    let inflate = || {
        let mut inflated = Inflated {
            bytes: Vec::new(),
            limit,
            reservation,
        };
        match compression {
            Compression::None => return Ok(body.clone()),
            Compression::Gzip => inflated.take(MultiGzDecoder::new(&*body), "gzip")?,
            Compression::Zstd => inflated.take_zstd(&body)?,
        }
        Ok(inflated.bytes.into())
    };
    if compression == Compression::None || body.len() < LONG_MESSAGE / 16 {
        inflate()
    } else {
        tokio::task::block_in_place(inflate)
    }
}

/// What has been inflated so far.
struct Inflated<'r> {
    bytes: Vec<u8>,
    limit: usize,
    reservation: &'r Reservation,
}

/// How far back zstd may refer: what every decoder has to hold (RFC 8878, section 3.1.1.1.2), and as much as it is held to here.
const MAX_ZSTD_WINDOW: u64 = 8 << 20;

impl Inflated<'_> {
    fn take(&mut self, mut from: impl Read, name: &str) -> Result<(), Refusal> {
        let mut piece = vec![0; 64 << 10];
        loop {
            let length = from.read(&mut piece).map_err(|error| not(name, error))?;
            if length == 0 {
                return Ok(());
            }
            if self.bytes.len() + length > self.limit {
                return Err(Refusal::too_large(self.limit));
            }
            self.reservation.take(length)?;
            append(&mut self.bytes, &piece[..length], self.limit);
        }
    }

    /// A zstd body is any number of frames, some of which are to be skipped.
    fn take_zstd(&mut self, mut body: &[u8]) -> Result<(), Refusal> {
        while !body.is_empty() {
            match StreamingDecoder::new_with_max_window_size(&mut body, MAX_ZSTD_WINDOW) {
                Ok(mut decoder) => {
                    self.take(&mut decoder, "zstd")?;
                    let frame = decoder.into_frame_decoder();
                    let (written, found) = (frame.get_checksum_from_data(), frame.get_calculated_checksum());
                    if written.is_some() && written != found {
                        return Err(not("zstd", "the checksum does not fit"));
                    }
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    body = body
                        .get(length as usize..)
                        .ok_or_else(|| not("zstd", "it ends within a frame"))?;
                }
                Err(error) => return Err(not("zstd", error)),
            }
        }
        Ok(())
    }
}

fn not(name: &str, error: impl Display) -> Refusal {
    Refusal {
        reason: RequestReason::Malformed,
        detail: format!("the body is not {name}: {error}"),
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
