use std::fmt::Display;
use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use http_body::Body;
use http_body_util::BodyExt;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::budget::Reservation;
use super::buffers::{Buffer, Buffers};
use super::{LONG_KNOWN_MESSAGE, Refusal, beside};
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

    /// Whether to inflate so many bytes takes about a millisecond or more, if they become what metrics become (see
    /// [`LONG_INFLATED`]).
    fn takes_long(self, length: usize) -> bool {
        match self {
            Self::None => false,
            Self::Gzip => length >= 256 << 10,
            Self::Zstd => length >= 16 << 10,
        }
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
    let take_part: fn(&mut _, &mut &[u8]) -> Result<(), Refusal> = match compression {
        Compression::None => return Ok(None),
        Compression::Gzip => Inflated::take_gzip_member,
        Compression::Zstd => Inflated::take_zstd_frame,
    };
    let mut inflated = Inflated {
        buffer: buffers.take(),
        limit,
        reservation,
    };
    let mut rest = body;
    beside(compression.takes_long(body.len()), || {
        take_part(&mut inflated, &mut rest)
    })?;
    // Nearly all bodies are one part, but thousands fit into a short one.
    beside(!rest.is_empty(), || {
        while !rest.is_empty() {
            take_part(&mut inflated, &mut rest)?;
        }
        Ok(Some(inflated.buffer))
    })
}

/// What has been inflated so far.
struct Inflated<'r> {
    buffer: Buffer,
    limit: usize,
    reservation: &'r Reservation,
}

/// A buffer larger than this may take a millisecond or more to fill, however short the body is: it may become a thousand times as long.
const LONG_INFLATED: usize = LONG_KNOWN_MESSAGE;

/// The window of gzip, as a power of two.
const GZIP_WINDOW: u8 = 15;

/// How far back zstd may refer: what every decoder has to hold (RFC 8878, section 3.1.1.1.2), and as much as it is held to here.
const MAX_ZSTD_WINDOW: u64 = 8 << 20;

impl Inflated<'_> {
    /// A gzip body is any number of members, but not none. One is inflated into the buffer itself, where the decoder finds what it
    /// refers back to as well.
    fn take_gzip_member(&mut self, body: &mut &[u8]) -> Result<(), Refusal> {
        let mut decoder = Decompress::new_gzip(GZIP_WINDOW);
        loop {
            let (read, length) = (decoder.total_in(), self.buffer.len());
            let status = self
                .buffer
                .fill(self.limit, |room| {
                    beside(room.capacity() > LONG_INFLATED, || {
                        decoder.decompress_vec(body, room, FlushDecompress::Finish)
                    })
                })
                .map_err(|error| not("gzip", error))?;
            let read = (decoder.total_in() - read) as usize;
            *body = body.get(read..).unwrap_or_default();
            let written = self.buffer.len() - length;
            self.took(written)?;
            match status {
                Status::StreamEnd => return Ok(()),
                _ if read == 0 && written == 0 => return Err(not("gzip", "it ends too early")),
                _ => {}
            }
        }
    }

    /// So many bytes more are in the buffer.
    fn took(&self, more: usize) -> Result<(), Refusal> {
        if self.buffer.len() > self.limit {
            return Err(Refusal::too_large(self.limit));
        }
        self.reservation.take(more)
    }

    /// A zstd body is any number of frames, some of which are to be skipped.
    fn take_zstd_frame(&mut self, body: &mut &[u8]) -> Result<(), Refusal> {
        if body.is_empty() {
            return Ok(());
        }
        match StreamingDecoder::new_with_max_window_size(&mut *body, MAX_ZSTD_WINDOW) {
            Ok(mut decoder) => {
                self.take_zstd_content(&mut decoder)?;
                let frame = decoder.into_frame_decoder();
                let (written, found) = (frame.get_checksum_from_data(), frame.get_calculated_checksum());
                if written.is_some() && written != found {
                    return Err(not("zstd", "the checksum does not fit"));
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                *body = body
                    .get(length as usize..)
                    .ok_or_else(|| not("zstd", "it ends within a frame"))?;
            }
            Err(error) => return Err(not("zstd", error)),
        }
        Ok(())
    }

    fn take_zstd_content(&mut self, mut frame: impl Read) -> Result<(), Refusal> {
        let mut piece = vec![0; 64 << 10];
        loop {
            let is_long = self.buffer.len() > LONG_INFLATED;
            let length = beside(is_long, || frame.read(&mut piece)).map_err(|error| not("zstd", error))?;
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
}

fn not(name: &str, error: impl Display) -> Refusal {
    Refusal {
        reason: RequestReason::Malformed,
        detail: format!("the body is not {name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression as Level;
    use flate2::read::MultiGzDecoder;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::receiver::budget::Budget;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(body: &[u8], limit: usize, budget: usize) -> Result<Vec<u8>, Refusal> {
        let reservation = Budget::new(budget).reserve();
        let inflated = inflate(Compression::Gzip, body, limit, &reservation, &Arc::default())?;
        Ok(inflated.unwrap().to_vec())
    }

    #[test]
    fn p_07_gzip_is_any_number_of_members_and_nothing_else() {
        let long: Vec<u8> = (0..300_000_u32)
            .map(|number| (number.wrapping_mul(number) >> 7) as u8)
            .collect();
        let members = [gzip(b""), gzip(b"abc"), gzip(&long), gzip(&vec![0; 1 << 20])];
        let mut bodies = vec![
            Vec::new(),
            members.concat(),
            [&members[1][..], b"\0"].concat(),
            b"abc".to_vec(),
        ];
        bodies.push([&members[1][..], &members[1][..5]].concat());
        bodies.extend(members.clone());
        bodies.extend((0..members[1].len()).map(|end| members[1][..end].to_vec()));
        bodies.extend((1..20).map(|part| members[2][..members[2].len() * part / 20].to_vec()));
        bodies.extend((0..members[1].len()).map(|at| {
            let mut damaged = members[1].clone();
            damaged[at] ^= 0x5A;
            damaged
        }));
        for body in bodies {
            let mut expected = Vec::new();
            let is_gzip = MultiGzDecoder::new(&*body).read_to_end(&mut expected).is_ok();
            let start = &body[..body.len().min(30)];
            match inflated(&body, 2 << 20, usize::MAX) {
                Ok(found) => assert!(is_gzip && found == expected, "{start:?}"),
                Err(refusal) => {
                    assert!(
                        !is_gzip && refusal.detail.starts_with("the body is not gzip: "),
                        "{start:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_takes_long_is_done_beside_the_other_requests() {
        // On a runtime of one thread there is nowhere beside, which is a panic.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let is_beside = |body: &[u8]| {
            let inflate = || inflated(body, 64 << 20, usize::MAX).unwrap();
            runtime.block_on(async { std::panic::catch_unwind(inflate).is_err() })
        };
        let noise: Vec<u8> = (0..100_000_u32)
            .flat_map(|number| number.wrapping_mul(0x9E37_79B1).to_be_bytes())
            .collect();
        for (what, body, expected) in [
            ("a short one", gzip(&noise[..100_000]), false),
            ("a long one", gzip(&noise), true),
            ("one that becomes long", gzip(&vec![0; LONG_INFLATED]), false),
            ("one that becomes longer", gzip(&vec![0; LONG_INFLATED + 1]), true),
            ("one of two members", [gzip(b"a"), gzip(b"b")].concat(), true),
        ] {
            assert_eq!(is_beside(&body), expected, "{what}, {} bytes", body.len());
        }
    }

    #[test]
    fn p_05_p_06_what_is_inflated_counts_against_limit_and_budget() {
        for length in [0, 1, 1000, 100_000, 1 << 20] {
            let body = gzip(&vec![7; length]);
            assert_eq!(inflated(&body, length, length).unwrap().len(), length);
            if length > 0 {
                let reason = |limit, budget| inflated(&body, limit, budget).unwrap_err().reason;
                assert_eq!(reason(length - 1, length), RequestReason::RequestTooLarge);
                assert_eq!(reason(length, length - 1), RequestReason::Overloaded);
            }
        }
    }
}
