//! The operations of the OpenAPI document.

use std::sync::Arc;

use poem::error::InternalServerError;
use poem::http::StatusCode;
use poem_openapi::param::Query;
use poem_openapi::payload::{Html, Json, PlainText};
use poem_openapi::{ApiResponse, OpenApi, Tags};
use tokio::sync::Semaphore;

use super::objects::{Configuration, Families, Family, Problem, Source, Sources, Status};
use super::translation::{self, Otlp, Translation};
use super::{Bridge, page};
use crate::translate::reason_of;

/// Who translates for somebody.
static TRANSLATING: Semaphore = Semaphore::const_new(1);

/// How many items a page has that does not ask for a number.
const PAGE_SIZE: u32 = 100;

/// The API. Without a bridge it has a document but no answers.
pub struct Operations(pub(super) Option<Arc<Bridge>>);

#[derive(Tags)]
enum Group {
    /// What the bridge holds.
    Bridge,
    /// Whether it lives.
    Health,
}

#[derive(ApiResponse)]
#[oai(bad_request_handler = "bad_request")]
enum Answer<T: Send + poem_openapi::types::Type + poem_openapi::types::ToJSON> {
    /// As asked.
    #[oai(status = 200)]
    Ok(Json<T>),
    /// A parameter is not as it has to be.
    #[oai(status = 400, content_type = "application/problem+json")]
    BadRequest(Json<Problem>),
}

#[derive(ApiResponse)]
enum Health {
    /// Yes.
    #[oai(status = 200)]
    Yes(PlainText<String>),
    /// Not now.
    #[oai(status = 503, content_type = "application/problem+json")]
    No(Json<Problem>),
}

fn bad_request<T: Send + poem_openapi::types::Type + poem_openapi::types::ToJSON>(error: poem::Error) -> Answer<T> {
    Answer::BadRequest(problem(StatusCode::BAD_REQUEST, error.to_string()))
}

fn problem(status: StatusCode, detail: String) -> Json<Problem> {
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    Json(Problem {
        title,
        status: status.as_u16(),
        detail,
    })
}

#[OpenApi]
impl Operations {
    /// A page to start from.
    #[oai(path = "/", method = "get", operation_id = "start", tag = "Group::Bridge")]
    async fn start(&self) -> poem::Result<Html<String>> {
        Ok(Html(page::render(self.bridge()?)))
    }

    /// How the bridge is.
    #[oai(
        path = "/api/v1/status",
        method = "get",
        operation_id = "status",
        tag = "Group::Bridge"
    )]
    async fn status(&self) -> poem::Result<Answer<Status>> {
        Ok(Answer::Ok(Json(Status::of(self.bridge()?))))
    }

    /// Who sends.
    #[oai(
        path = "/api/v1/sources",
        method = "get",
        operation_id = "sources",
        tag = "Group::Bridge"
    )]
    async fn sources(
        &self,
        /// Only the sources of this job.
        job: Query<Option<String>>,
        /// How many to list.
        #[oai(default = "page_size", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// How many to skip.
        #[oai(default)]
        offset: Query<u32>,
    ) -> poem::Result<Answer<Sources>> {
        let bridge = self.bridge()?;
        let mut sources = bridge.store.sources();
        sources.retain(|source| source.series() > 0);
        if let Some(job) = job.0 {
            sources.retain(|source| source.identity().job.as_deref().unwrap_or("") == job);
        }
        let items = slice(&sources, limit.0, offset.0)
            .iter()
            .map(|source| Source::of(bridge, source))
            .collect();
        Ok(Answer::Ok(Json(Sources {
            total: sources.len() as u64,
            items,
        })))
    }

    /// What is held, by name.
    #[oai(
        path = "/api/v1/families",
        method = "get",
        operation_id = "families",
        tag = "Group::Bridge"
    )]
    async fn families(
        &self,
        /// Only families with this text in their name.
        name: Query<Option<String>>,
        /// How many to list.
        #[oai(default = "page_size", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// How many to skip.
        #[oai(default)]
        offset: Query<u32>,
    ) -> poem::Result<Answer<Families>> {
        let mut families = self.bridge()?.store.families();
        families.retain(|family| !family.is_empty());
        if let Some(name) = name.0 {
            families.retain(|family| family.name().contains(&name));
        }
        let items = slice(&families, limit.0, offset.0)
            .iter()
            .map(|family| Family::of(family))
            .collect();
        Ok(Answer::Ok(Json(Families {
            total: families.len() as u64,
            items,
        })))
    }

    /// The options in force, and where each is from.
    #[oai(
        path = "/api/v1/config",
        method = "get",
        operation_id = "config",
        tag = "Group::Bridge"
    )]
    async fn config(&self) -> poem::Result<Answer<Configuration>> {
        Ok(Answer::Ok(Json(Configuration {
            settings: self.bridge()?.settings.clone(),
        })))
    }

    /// What some OTLP would become here. Nothing of it is kept.
    ///
    /// At most 256 KiB, and 1000 series of it.
    #[oai(
        path = "/api/v1/translate",
        method = "post",
        operation_id = "translate",
        tag = "Group::Bridge"
    )]
    async fn translate(&self, otlp: Otlp) -> poem::Result<Answer<Translation>> {
        let bridge = Arc::clone(self.bridge()?);
        let (encoding, body) = otlp.into_parts();
        let message = match body.into_bytes_limit(translation::MAX_BYTES).await {
            Ok(message) => message,
            Err(error) => return Ok(bad_request(error.into())),
        };
        // One at a time: each may take many times the memory of its request.
        let _turn = TRANSLATING.acquire().await.ok();
        let translated = tokio::task::spawn_blocking(move || translation::translate(&bridge, encoding, &message)).await;
        Ok(match translated.map_err(InternalServerError)? {
            Ok(translation) => Answer::Ok(Json(translation)),
            Err(error) => {
                let detail = format!("{}: {error}", reason_of(&error));
                Answer::BadRequest(problem(StatusCode::BAD_REQUEST, detail))
            }
        })
    }

    /// Whether the process lives. Restart it if not.
    #[oai(path = "/-/healthy", method = "get", operation_id = "healthy", tag = "Group::Health")]
    async fn healthy(&self) -> Health {
        Health::Yes(PlainText("Meterbridge is healthy.\n".to_owned()))
    }

    /// Whether it takes requests. False while it starts and while it drains.
    #[oai(path = "/-/ready", method = "get", operation_id = "ready", tag = "Group::Health")]
    async fn ready(&self) -> poem::Result<Health> {
        if self.bridge()?.is_ready() {
            return Ok(Health::Yes(PlainText("Meterbridge is ready.\n".to_owned())));
        }
        let detail = "the bridge is starting, or about to stop".to_owned();
        Ok(Health::No(problem(StatusCode::SERVICE_UNAVAILABLE, detail)))
    }
}

impl Operations {
    fn bridge(&self) -> poem::Result<&Arc<Bridge>> {
        self.0
            .as_ref()
            .ok_or_else(|| poem::Error::from_status(StatusCode::NOT_IMPLEMENTED))
    }
}

fn page_size() -> u32 {
    PAGE_SIZE
}

fn slice<T>(all: &[T], limit: u32, offset: u32) -> &[T] {
    let rest = all.get(offset as usize..).unwrap_or(&[]);
    &rest[..rest.len().min(limit as usize)]
}
