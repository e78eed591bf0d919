//! Routes of OpenAPI operations.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use http::Method;
use poem::{
    Endpoint, EndpointExt, PathPattern, Request, Response, Result,
    endpoint::{BoxEndpoint, make_sync},
    error::MethodNotAllowedError,
};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, Registry},
};

use super::{
    Labeler,
    request::KNOWN_METHODS,
    route::{self, Matched, Route},
};

/// An API whose operations are reported under the paths of its OpenAPI document.
///
/// poem-openapi names path parameters `param0`, `param1` and so on before poem sees them; what they are really called
/// is only in the document. The wrapper is an [`OpenApi`](trait@OpenApi) itself, and changes nothing but that:
/// `OpenApiService::new(Instrumented(Api), "title", "1.0")`.
pub struct Instrumented<T>(
    /// The API itself.
    pub T,
);

impl<T: OpenApi> OpenApi for Instrumented<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let documented = documented::<T>();
        let mut own = HashMap::new();
        self.0.add_routes(&mut own);
        for (path, endpoints) in own {
            let row = table.entry(path.clone()).or_default();
            let operations = documented.get(&path);
            let any = operations.and_then(|operations| operations.values().min_by(|a, b| a.path.cmp(&b.path)));
            // poem answers 405 before it reaches any operation, and so would report `:param0`. An endpoint for each
            // method that is missing says the same with the route known. HEAD is left out: poem serves it by GET.
            for method in KNOWN_METHODS
                .iter()
                .filter_map(|name| Method::from_bytes(name.as_bytes()).ok())
            {
                if method != Method::HEAD && !endpoints.contains_key(&method) {
                    let refused = Operation {
                        id: None,
                        ..Operation::of(any, &path)
                    };
                    row.entry(method)
                        .or_insert_with(|| refused.serve(make_sync(not_allowed)).boxed());
                }
            }
            for (method, endpoint) in endpoints {
                let operation = Operation::of(operations.and_then(|operations| operations.get(&method)), &path);
                row.insert(method, operation.serve(endpoint).boxed());
            }
        }
    }
}

/// What the document says about an operation.
struct Documented {
    path: Arc<str>,
    id: Option<&'static str>,
}

/// The operations of the document by the path that poem is given, and by method: two operations may share a path and
/// yet name its parameters differently.
fn documented<T: OpenApi>() -> HashMap<String, HashMap<Method, Documented>> {
    let mut table = HashMap::<String, HashMap<Method, Documented>>::new();
    for path in T::meta().into_iter().flat_map(|api| api.paths) {
        let row = table.entry(poem_path(&path.path)).or_default();
        // A prefix with parameters stands in the document as it was written.
        let template: Arc<str> = route::template(&path.path).into();
        for operation in path.operations {
            row.insert(
                operation.method,
                Documented {
                    path: template.clone(),
                    id: operation.operation_id,
                },
            );
        }
    }
    table
}

/// Does what poem-openapi does to `/users/{id}`: `/users/:param0`.
fn poem_path(documented: &str) -> String {
    let mut parameters = 0..;
    let segments = documented.split('/').map(|segment| match segment.starts_with('{') {
        true => format!(":param{}", parameters.next().unwrap_or_default()),
        false => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn not_allowed(_: Request) -> Result<Response> {
    Err(MethodNotAllowedError.into())
}

/// One method on one path.
struct Operation {
    /// As poem has it.
    path: Arc<str>,
    /// As the document has it; hidden operations are not in there, and are reported with `{param0}`.
    template: Arc<str>,
    id: Option<&'static str>,
}

impl Operation {
    fn of(documented: Option<&Documented>, path: &str) -> Self {
        match documented {
            Some(documented) => Self {
                path: path.into(),
                template: documented.path.clone(),
                id: documented.id,
            },
            None => Self {
                path: path.into(),
                template: route::template(path).into(),
                id: None,
            },
        }
    }

    fn serve<E>(self, inner: E) -> OperationEndpoint<E> {
        OperationEndpoint {
            inner,
            operation: self,
            last: OnceLock::new(),
        }
    }

    /// The whole route, given poem's pattern, which starts with the prefixes of all nests.
    fn route(&self, pattern: &str) -> Arc<str> {
        let prefix = pattern.strip_suffix(&*self.path).unwrap_or_default();
        let route = match prefix {
            "" => return self.template.clone(),
            prefix => route::template(prefix) + &self.template,
        };
        // The root of a nested API is found with and without the slash at its end, and is one route.
        route.strip_suffix('/').unwrap_or(&route).into()
    }
}

struct OperationEndpoint<E> {
    inner: E,
    operation: Operation,
    /// The pattern of the first request, and its route: an endpoint is mounted in one place, so it stays that.
    last: OnceLock<(Arc<str>, Route)>,
}

impl<E: Endpoint> Endpoint for OperationEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        if let Some(labeler) = request.data::<Labeler>() {
            let pattern = request
                .data::<PathPattern>()
                .map(|pattern| pattern.0.clone())
                .unwrap_or_default();
            let (known, route) = self
                .last
                .get_or_init(|| (pattern.clone(), Route::new(self.operation.route(&pattern))));
            let route = if *known == pattern {
                route.clone()
            } else {
                Route::new(self.operation.route(&pattern))
            };
            labeler.matched(Matched {
                route,
                operation: self.operation.id,
            });
        }
        self.inner.call(request).await
    }
}
