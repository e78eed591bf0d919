//! What Prometheus scrapes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use poem::error::MethodNotAllowedError;
use poem::http::{Method, StatusCode, header};
use poem::web::Query;
use poem::{Body, Endpoint, FromRequest, Request, Response, Result};

use super::scrape::{Scrape, Selection};
use super::{Bridge, problem};
use crate::exposition::{Encoder, list_of, negotiate};
use crate::store::Identity;

/// How much text is written at a time.
const PIECE: usize = 256 << 10;

/// Which families a path shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The own ones and the bridged ones, merged.
    All,
    /// The own ones.
    Own,
    /// The bridged ones.
    Bridged,
}

/// The paths and what they show.
pub const PATHS: [(&str, Part); 3] = [
    ("/metrics", Part::All),
    ("/metrics/self", Part::Own),
    ("/metrics/otlp", Part::Bridged),
];

/// The endpoint of one of the paths.
pub struct Exposition {
    pub(super) bridge: Arc<Bridge>,
    pub(super) part: Part,
    pub(super) path: &'static str,
}

impl Endpoint for Exposition {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let start = Instant::now();
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(MethodNotAllowedError.into());
        }
        let only = match self.source(&request)? {
            Ok(only) => only,
            Err(detail) => return Ok(problem::response(StatusCode::NOT_FOUND, &detail)),
        };
        let own = match self.part {
            Part::Bridged => Vec::new(),
            Part::All | Part::Own => match self.bridge.telemetry.gather() {
                Ok(own) => own,
                Err(error) => {
                    let detail = error.to_string();
                    return Ok(problem::response(StatusCode::INTERNAL_SERVER_ERROR, &detail));
                }
            },
        };
        let encoder = Encoder::negotiate(list_of(request.headers(), header::ACCEPT_ENCODING).as_deref());
        let format = negotiate(
            list_of(request.headers(), header::ACCEPT).as_deref(),
            &self.bridge.negotiation,
        );
        let mut response = Response::builder()
            .content_type(format.content_type())
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::VARY, "Accept, Accept-Encoding");
        if let Some(name) = encoder.name() {
            response = response.header(header::CONTENT_ENCODING, name);
        }
        if request.method() == Method::HEAD {
            return Ok(response.finish());
        }
        let selection = Selection {
            own,
            bridged: self.part != Part::Own,
            source: only,
        };
        let scrape = Scrape::new(Arc::clone(&self.bridge.store), format, selection, start);
        let bridge = Arc::clone(&self.bridge);
        let writing = Writing {
            scrape,
            encoder: Some(encoder),
            bridge,
            path: self.path,
            start,
            bytes: 0,
            has_begun: false,
        };
        let body = stream::unfold(writing, |mut writing| async move {
            loop {
                if std::mem::replace(&mut writing.has_begun, true) {
                    // Or a scraper that reads fast would have this thread for itself until the end, and senders would wait.
                    tokio::task::yield_now().await;
                }
                let piece = writing.next()?;
                // One that is empty would look like the end to some readers.
                if !piece.as_ref().is_ok_and(Bytes::is_empty) {
                    return Some((piece, writing));
                }
            }
        });
        Ok(response.body(Body::from_bytes_stream(body)))
    }
}

impl Exposition {
    /// The source that the query names, if it names one; an error in words where it is not held.
    fn source(&self, request: &Request) -> Result<Result<Option<Arc<crate::store::Source>>, String>> {
        if self.part != Part::Bridged || request.uri().query().is_none() {
            return Ok(Ok(None));
        }
        let query =
            futures_util::FutureExt::now_or_never(Query::<HashMap<String, String>>::from_request_without_body(request));
        let Query(query) = query.transpose()?.unwrap_or_default();
        if !query.contains_key("job") && !query.contains_key("instance") {
            return Ok(Ok(None));
        }
        let text = |name: &str| query.get(name).map_or("", String::as_str);
        let (job, instance) = (text("job"), text("instance"));
        let identity = Identity {
            job: (!job.is_empty()).then(|| job.into()),
            instance: instance.into(),
        };
        Ok(match self.bridge.store.source(&identity) {
            Some(source) => Ok(Some(source)),
            None => Err(format!(
                "job \"{job}\", instance \"{instance}\" is not held; /api/v1/sources lists what is"
            )),
        })
    }
}

/// A scrape on its way out. Counted when it ends, also where the scraper leaves before.
struct Writing {
    scrape: Scrape,
    /// Taken when the last piece is made.
    encoder: Option<Encoder>,
    bridge: Arc<Bridge>,
    path: &'static str,
    start: Instant,
    bytes: u64,
    has_begun: bool,
}

impl Writing {
    /// The next piece, which may be empty: a message is put together before it is written, and compression holds back what it is
    /// given.
    fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        let encoder = self.encoder.as_mut()?;
        let mut text = Vec::with_capacity(2 * PIECE);
        let more = self.scrape.next(&mut text, PIECE);
        self.bytes += text.len() as u64;
        let piece = encoder.encode(text);
        Some(piece.and_then(|piece| match self.encoder.take_if(|_| !more) {
            Some(encoder) => Ok([piece, encoder.finish()?].concat().into()),
            None => Ok(piece),
        }))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let metrics = &self.bridge.telemetry.metrics;
        metrics.scraped(self.path, self.bytes, self.start.elapsed(), self.scrape.left_out());
    }
}
