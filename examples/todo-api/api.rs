//! The operations on the list.

use std::sync::Arc;

use opentelemetry::KeyValue;
use poem::error::InternalServerError;
use poem::http::StatusCode;
use poem::middleware::SizeLimit;
use poem::web::Data;
use poem::{Endpoint, EndpointExt};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use meterbridge::instrument::Labeler;

use super::problem::{Problem, problem};
use super::store::Store;

/// Of a body, in bytes: the longest title fits, whatever it is made of.
const LONGEST: usize = 16 * 1024;

pub struct Todos(Arc<Store>);

/// What is to be done.
#[derive(Object)]
struct Entry {
    #[oai(validator(max_length = 200, pattern = r"\S"))]
    title: String,
    #[oai(default)]
    done: bool,
}

/// An entry of the list.
#[derive(Object)]
struct Todo {
    id: u64,
    title: String,
    done: bool,
}

/// A part of the list.
#[derive(Object)]
struct Page {
    todos: Vec<Todo>,
    /// What to ask for as `after` to get more; absent at the end.
    #[oai(skip_serializing_if_is_none)]
    next: Option<u64>,
}

#[derive(ApiResponse)]
#[oai(bad_request_handler = "unfit")]
enum Answer {
    /// Here it is.
    #[oai(status = 200)]
    Found(Json<Todo>),
    /// It is on the list now.
    #[oai(status = 201)]
    Created(
        Json<Todo>,
        /// Where it can be read.
        #[oai(header = "Location")]
        String,
    ),
    /// It is gone.
    #[oai(status = 204)]
    Removed,
    /// There is none of that id.
    #[oai(status = 404, content_type = "application/problem+json")]
    Missing(Json<Problem>),
    /// What was sent cannot be used.
    #[oai(content_type = "application/problem+json")]
    Unfit(StatusCode, Json<Problem>),
}

#[derive(ApiResponse)]
#[oai(bad_request_handler = "unfit_list")]
enum Listed {
    /// As asked.
    #[oai(status = 200)]
    Page(Json<Page>),
    /// A parameter is not as it has to be.
    #[oai(content_type = "application/problem+json")]
    Unfit(StatusCode, Json<Problem>),
}

fn unfit(error: poem::Error) -> Answer {
    Answer::Unfit(error.status(), problem(error.status(), error.to_string()))
}

fn unfit_list(error: poem::Error) -> Listed {
    Listed::Unfit(error.status(), problem(error.status(), error.to_string()))
}

fn missing(id: u64) -> Answer {
    let detail = format!("there is no entry {id}; GET /api/todos lists what there is");
    Answer::Missing(problem(StatusCode::NOT_FOUND, detail))
}

/// Bodies are read into memory, so there is a limit.
fn limited(endpoint: impl Endpoint) -> impl Endpoint {
    endpoint.with(SizeLimit::new(LONGEST))
}

impl Todos {
    pub fn new(store: Store) -> Self {
        Self(Arc::new(store))
    }

    /// Runs what reads or writes the file where it keeps nobody waiting.
    async fn on<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Store) -> Result<T, redb::Error> + Send + 'static,
    ) -> poem::Result<T> {
        let store = Arc::clone(&self.0);
        let result = tokio::task::spawn_blocking(move || run(&store)).await;
        result.map_err(InternalServerError)?.map_err(InternalServerError)
    }
}

#[OpenApi]
impl Todos {
    /// Lists the entries in the order in which they came.
    #[oai(path = "/todos", method = "get", operation_id = "list_todos")]
    async fn list(
        &self,
        /// Only entries with an id above this one.
        #[oai(default)]
        after: Query<u64>,
        /// How many at most.
        #[oai(default = "page_size", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<usize>,
    ) -> poem::Result<Listed> {
        let (after, limit) = (after.0, limit.0);
        let mut found = self.on(move |store| store.list(after, limit + 1)).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let todos = found
            .iter()
            .map(|(id, text)| todo(*id, text))
            .collect::<Result<Vec<_>, _>>()?;
        let next = todos.last().map(|todo| todo.id).filter(|_| has_more);
        Ok(Listed::Page(Json(Page { todos, next })))
    }

    /// Adds an entry.
    #[oai(path = "/todos", method = "post", operation_id = "add_todo", transform = "limited")]
    async fn add(&self, entry: Json<Entry>, labeler: Data<&Labeler>) -> poem::Result<Answer> {
        // A label of one's own, with two values: how many come with the work already done?
        labeler.add(KeyValue::new("todo.done", entry.done));
        let text = text(&entry.0);
        let id = self.on(move |store| store.add(&text)).await?;
        let Entry { title, done } = entry.0;
        // Relative to the path that was asked, whatever stands in front of it.
        let location = format!("todos/{id}");
        Ok(Answer::Created(Json(Todo { id, title, done }), location))
    }

    /// Gives one entry.
    #[oai(path = "/todos/:id", method = "get", operation_id = "get_todo")]
    async fn get(&self, id: Path<u64>) -> poem::Result<Answer> {
        let id = id.0;
        Ok(match self.on(move |store| store.get(id)).await? {
            Some(text) => Answer::Found(Json(todo(id, &text)?)),
            None => missing(id),
        })
    }

    /// Replaces one entry.
    #[oai(
        path = "/todos/:id",
        method = "put",
        operation_id = "replace_todo",
        transform = "limited"
    )]
    async fn replace(&self, id: Path<u64>, entry: Json<Entry>) -> poem::Result<Answer> {
        let (id, text) = (id.0, text(&entry.0));
        let Entry { title, done } = entry.0;
        Ok(match self.on(move |store| store.replace(id, &text)).await? {
            true => Answer::Found(Json(Todo { id, title, done })),
            false => missing(id),
        })
    }

    /// Removes one entry.
    #[oai(path = "/todos/:id", method = "delete", operation_id = "remove_todo")]
    async fn remove(&self, id: Path<u64>) -> poem::Result<Answer> {
        let id = id.0;
        Ok(match self.on(move |store| store.remove(id)).await? {
            true => Answer::Removed,
            false => missing(id),
        })
    }
}

fn page_size() -> usize {
    20
}

/// As it is kept.
fn text(entry: &Entry) -> String {
    serde_json::json!({ "title": entry.title, "done": entry.done }).to_string()
}

fn todo(id: u64, text: &str) -> poem::Result<Todo> {
    let entry: serde_json::Value = serde_json::from_str(text).map_err(InternalServerError)?;
    Ok(Todo {
        id,
        title: entry["title"].as_str().unwrap_or_default().to_owned(),
        done: entry["done"].as_bool().unwrap_or_default(),
    })
}
