//! Bodies that count what passes through them.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use poem::{Body, Request};

use super::record::{Ending, Record, content_length};

type PoemBody = BoxBody<Bytes, io::Error>;

/// The size of the body of a request, as far as it becomes known.
#[derive(Default)]
pub(super) struct RequestSize {
    declared: Option<u64>,
    read: Option<Arc<Reading>>,
}

#[derive(Default)]
struct Reading {
    bytes: AtomicU64,
    to_the_end: AtomicBool,
}

impl RequestSize {
    /// Counts the body of `request` from now on, as it is read.
    pub(super) fn count(request: &mut Request) -> Self {
        let declared = content_length(request.headers());
        let inner = PoemBody::from(request.take_body());
        if inner.is_end_stream() {
            request.set_body(inner);
            return Self { declared, read: None };
        }
        let reading = Arc::new(Reading::default());
        request.set_body(PoemBody::new(RequestBody {
            inner,
            reading: reading.clone(),
        }));
        Self {
            declared,
            read: Some(reading),
        }
    }

    /// What was read if that was all, otherwise what the client declared. Unknown is not zero.
    pub(super) fn bytes(&self) -> Option<u64> {
        let read = self
            .read
            .as_ref()
            .filter(|read| read.to_the_end.load(Ordering::Acquire));
        read.map(|read| read.bytes.load(Ordering::Relaxed)).or(self.declared)
    }
}

struct RequestBody {
    inner: PoemBody,
    reading: Arc<Reading>,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.reading.bytes.fetch_add(data_len(frame), Ordering::Relaxed);
                if self.inner.is_end_stream() {
                    self.reading.to_the_end.store(true, Ordering::Release);
                }
            }
            Poll::Ready(None) => self.reading.to_the_end.store(true, Ordering::Release),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of an answer, which carries the record of its request to the end. Its size stays known, and so does the
/// Content-Length that hyper derives from it.
pub(super) struct ResponseBody {
    inner: PoemBody,
    record: Record,
    /// With a declared length the transport stops there, and may never ask for the end.
    length: Option<u64>,
}

impl ResponseBody {
    /// `declared` is the Content-Length that the handler has set, if any.
    pub(super) fn new(body: Body, declared: Option<u64>, mut record: Record) -> Self {
        let inner = PoemBody::from(body);
        let length = inner.size_hint().exact().or(declared);
        record.headed(length.is_some());
        Self { inner, record, length }
    }
}

impl From<ResponseBody> for Body {
    fn from(body: ResponseBody) -> Self {
        PoemBody::new(body).into()
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self { inner, record, length } = &mut *self;
        let mut poll = || Pin::new(&mut *inner).poll_frame(cx);
        let polled = match record.span() {
            Some(span) => span.in_scope(poll),
            None => poll(),
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let sent = record.sent(data_len(frame));
                if inner.is_end_stream() || length.is_some_and(|length| sent >= length) {
                    record.end(Ending::Complete);
                }
            }
            Poll::Ready(Some(Err(_))) => record.end(Ending::BodyError),
            Poll::Ready(None) => record.end(Ending::Complete),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn data_len(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}
