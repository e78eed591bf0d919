use std::fmt::Display;
use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body::Body;
use http_body_util::BodyExt;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::budget::Reservation;
use super::buffers::{Buffer, Buffers};
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

/// A body that has been read.
pub(super) enum Message {
    /// As it came in one frame.
    Whole(Bytes),
    /// Put together of several.
    Joined(Buffer),
}

impl Deref for Message {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Joined(buffer) => buffer,
        }
    }
}

/// Reads a body of at most `limit` bytes, counting while it comes, since the length need not be announced.
pub(super) async fn read(
    mut body: impl Body<Data = Bytes, Error: Display> + Unpin,
    limit: usize,
    reservation: &Reservation,
    buffers: &Arc<Buffers>,
) -> Result<Message, Refusal> {
    let mut message = Message::Whole(Bytes::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal {
            reason: RequestReason::Malformed,
            detail: format!("the body broke off: {error}"),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if message.len() + data.len() > limit {
            return Err(Refusal::too_large(limit));
        }
        reservation.take(data.len())?;
        match &mut message {
            // Most bodies are one frame, which need not be copied.
            Message::Whole(first) if first.is_empty() => *first = data,
            Message::Whole(first) => {
                let mut joined = buffers.take();
                joined.append(first, limit);
                joined.append(&data, limit);
                message = Message::Joined(joined);
            }
            Message::Joined(joined) => joined.append(&data, limit),
        }
    }
    Ok(message)
}

/// Undoes the compression of a whole body, at most `limit` bytes of it. `None` where there is none to undo.
pub(super) fn inflate(
    compression: Compression,
    body: &[u8],
    limit: usize,
    reservation: &Reservation,
    buffers: &Arc<Buffers>,
) -> Result<Option<Buffer>, Refusal> {
    let inflate = || {
        let mut inflated = Inflated {
            buffer: buffers.take(),
            limit,
            reservation,
        };
        match compression {
            Compression::None => return Ok(None),
            Compression::Gzip => inflated.take(MultiGzDecoder::new(body), "gzip")?,
            Compression::Zstd => inflated.take_zstd(body)?,
        }
        Ok(Some(inflated.buffer))
    };
    if compression == Compression::None || body.len() < LONG_MESSAGE / 16 {
        inflate()
    } else {
        tokio::task::block_in_place(inflate)
    }
}

/// What has been inflated so far.
struct Inflated<'r> {
    buffer: Buffer,
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
            if self.buffer.len() + length > self.limit {
                return Err(Refusal::too_large(self.limit));
            }
            self.reservation.take(length)?;
            self.buffer.append(&piece[..length], self.limit);
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
