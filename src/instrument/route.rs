//! Which route served a request, as `http.route` wants it: `/api/users/{id}`, the form of the OpenAPI document.
//!
//! poem tells an outer layer its pattern only through the response or the error, so a panic, a dropped future and a
//! response made anew all lose it. Hence the [`Labeler`]: the outer layer puts it into the request, and whoever knows the
//! route writes it there before the handler runs.

use std::hash::BuildHasher;
use std::sync::Arc;

use poem::{Endpoint, Middleware, PathPattern, Request, Response, Result};

use super::Labeler;

/// Response data that says: this was an error of the kind [`NotFoundError`](poem::error::NotFoundError).
///
/// A layer inside [`Instrumentation`](super::Instrumentation) that turns errors into responses sets it, and copies
/// poem's [`PathPattern`] over from the error. Without it a 404 below a nest would be reported under the prefix of
/// the nest, which is no route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmatched;

/// Names the route of the endpoint it is put on.
///
/// Needed only where poem's own pattern can get lost: for the route of a request that panicked, was cancelled, or
/// passed a layer that answers with a response of its own. Where several apply, the innermost wins.
#[derive(Clone, Debug)]
pub struct RouteProbe {
    matched: Matched,
}

impl RouteProbe {
    /// `template` is the whole path with the prefixes of all nests, parameters in braces: `/api/users/{id}`.
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self {
            matched: Matched {
                route: Route::new(template.into()),
                operation: None,
            },
        }
    }
}

impl<E: Endpoint> Middleware<E> for RouteProbe {
    type Output = ProbedEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ProbedEndpoint {
            inner,
            matched: self.matched.clone(),
        }
    }
}

/// The endpoint that [`RouteProbe`] makes.
pub struct ProbedEndpoint<E> {
    inner: E,
    matched: Matched,
}

impl<E: Endpoint> Endpoint for ProbedEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        if let Some(labeler) = request.data::<Labeler>() {
            labeler.matched(self.matched.clone());
        }
        self.inner.call(request).await
    }
}

/// A route, and its hash, so that it is hashed once.
#[derive(Clone, Debug)]
pub(super) struct Route {
    template: Arc<str>,
    hash: u64,
}

impl Route {
    pub(super) fn new(template: Arc<str>) -> Self {
        let hash = foldhash::fast::FixedState::default().hash_one(&*template);
        Self { template, hash }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.template
    }

    pub(super) fn shared(&self) -> &Arc<str> {
        &self.template
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.template, &other.template) || self.template == other.template
    }
}

impl Eq for Route {}

/// A route, and the id of the OpenAPI operation where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) route: Route,
    pub(super) operation: Option<&'static str>,
}

/// The route that poem left in the response, for requests that met no probe. `segments` is how many the whole path has.
pub(super) fn from_response(response: &Response, segments: usize) -> Option<Route> {
    let pattern = &response.data::<PathPattern>()?.0;
    let matched = response.data::<Unmatched>().is_none() || covers(pattern, segments);
    (matched && !pattern.is_empty()).then(|| {
        let is_plain = !pattern.contains([':', '*', '<']);
        Route::new(if is_plain {
            Arc::clone(pattern)
        } else {
            template(pattern).into()
        })
    })
}

/// How many segments a path has: the slashes within count, not those around it.
pub(super) fn segments(path: &str) -> usize {
    let path = path.as_bytes();
    let start = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
    let end = path.iter().rposition(|byte| *byte != b'/').unwrap_or(start);
    let within = path.get(start..end).unwrap_or_default();
    within.iter().filter(|byte| **byte == b'/').count() + 1
}

/// poem's pattern in the form of the OpenAPI document: `:id` and `:id<re>` become `{id}`, `<re>` becomes `{}`, and
/// `*rest` becomes `{*rest}`.
pub(super) fn template(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut rest = pattern;
    while let Some(at) = rest.find([':', '*', '<']) {
        out.push_str(&rest[..at]);
        let (kind, tail) = rest[at..].split_at(1);
        let end = match kind {
            ":" => tail.find(['/', '<', '*']).unwrap_or(tail.len()),
            "*" => tail.len(),
            _ => 0,
        };
        out.push('{');
        if kind == "*" {
            out.push('*');
        }
        out.push_str(&tail[..end]);
        out.push('}');
        let expression = if kind == "<" {
            Some(tail)
        } else {
            tail[end..].strip_prefix('<')
        };
        rest = match expression {
            Some(expression) => expression.split_once('>').map_or("", |(_, after)| after),
            None => &tail[end..],
        };
    }
    out.push_str(rest);
    out
}

/// Whether a pattern that came with a 404 is that of an endpoint, which then said so itself.
///
/// Otherwise it is the prefix of a nest in which nothing matched, and has fewer segments than the path. A request for
/// the bare prefix cannot be told apart, and counts as matched.
fn covers(pattern: &str, segments_of_path: usize) -> bool {
    pattern.contains('*') || segments(pattern) == segments_of_path
}
