//! `/metrics` as an operation of an OpenAPI document.

use std::collections::HashMap;

use http::Method;
use poem::{EndpointExt, endpoint::BoxEndpoint};
use poem_openapi::{
    OpenApi,
    payload::{Payload, PlainText},
    registry::{MetaApi, MetaMediaType, MetaOperation, MetaPath, MetaResponse, MetaResponses, MetaTag, Registry},
};

use super::MetricsEndpoint;

const PATH: &str = "/metrics";
const TAG: &str = "Metrics";

/// A [`MetricsEndpoint`] that stands in the document of the service: `GET /metrics` below the path of the API, with the id
/// `metrics` and the tag `Metrics`. HEAD is answered as well.
///
/// ```
/// # use meterbridge::instrument::{Instrumented, MetricsApi, MetricsEndpoint};
/// # use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};
/// # struct Api;
/// # #[OpenApi]
/// # impl Api {
/// #     #[oai(path = "/", method = "get")]
/// #     async fn index(&self) -> PlainText<&'static str> { PlainText("hello") }
/// # }
/// let metrics = MetricsEndpoint::new(prometheus::Registry::new());
/// let apis = Instrumented((Api, MetricsApi(metrics)));
/// let service = OpenApiService::new(apis, "Hello", "1.0");
/// assert!(service.spec().contains("/metrics"));
/// ```
pub struct MetricsApi(
    /// What answers.
    pub MetricsEndpoint,
);

impl OpenApi for MetricsApi {
    fn meta() -> Vec<MetaApi> {
        let response = |status, description, content_type| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type,
                schema: PlainText::<String>::schema_ref(),
            }],
            headers: Vec::new(),
        };
        let operation = MetaOperation {
            method: Method::GET,
            tags: vec![TAG],
            summary: Some("The metrics of the service"),
            description: Some("In the format that `Accept` asks for: Prometheus text, OpenMetrics or protobuf."),
            external_docs: None,
            params: Vec::new(),
            request: None,
            responses: MetaResponses {
                responses: vec![
                    response(200, "What is measured.", "text/plain"),
                    response(500, "It cannot be read.", "text/plain"),
                ],
            },
            deprecated: false,
            security: Vec::new(),
            operation_id: Some("metrics"),
            code_samples: Vec::new(),
        };
        let path = MetaPath {
            path: PATH.to_owned(),
            operations: vec![operation],
        };
        vec![MetaApi { paths: vec![path] }]
    }

    fn register(registry: &mut Registry) {
        PlainText::<String>::register(registry);
        registry.create_tag(MetaTag {
            name: TAG,
            description: None,
            external_docs: None,
        });
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let row = table.entry(PATH.to_owned()).or_default();
        row.insert(Method::HEAD, self.0.clone().map_to_response().boxed());
        row.insert(Method::GET, self.0.map_to_response().boxed());
    }
}
