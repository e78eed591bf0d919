//! `/metrics` of a service without the bridge.

use std::io::Read;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, Request, Response, Route, get, handler};
use poem_openapi::OpenApiService;
use prometheus::{IntCounter, Registry};
use tracing_subscriber::layer::SubscriberExt;

use crate::instrument::{Instrumentation, Instrumented, MetricsApi, MetricsEndpoint};

#[handler]
fn hello() -> &'static str {
    "hello"
}

fn meters() -> (Registry, SdkMeterProvider) {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build();
    let provider = SdkMeterProvider::builder().with_reader(exporter.unwrap()).build();
    (registry, provider)
}

/// Asks an endpoint as it stands, without a socket.
struct Client<E>(E);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl<E: Endpoint<Output = Response>> Client<E> {
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri_str(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, body) = self.0.get_response(request.finish()).await.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.into_vec().await.unwrap(),
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers).await
    }
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(self) -> String {
        assert_eq!(self.status, StatusCode::OK);
        String::from_utf8(self.body).unwrap()
    }
}

fn service(registry: &Registry, provider: &SdkMeterProvider) -> Client<impl Endpoint<Output = Response> + use<>> {
    let instrumentation = Instrumentation::new(provider);
    let metrics = MetricsEndpoint::new(registry.clone()).exemplars(&instrumentation);
    let routes = Route::new().at("/hello", get(hello)).at("/metrics", metrics);
    Client(routes.with(instrumentation))
}

#[tokio::test]
async fn each_format_for_whom_it_is_for() {
    let (registry, provider) = meters();
    let own = IntCounter::new("orders_total", "Orders.").unwrap();
    registry.register(Box::new(own)).unwrap();
    let client = service(&registry, &provider);
    client.get("/hello", &[]).await.text();
    for (accept, content_type, starts, ends) in [
        (
            "*/*",
            "text/plain; version=0.0.4",
            "# HELP http_server_active_requests ",
            "} 1\n",
        ),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0",
            "# TYPE http_server_active_requests gauge\n",
            "# EOF\n",
        ),
    ] {
        let response = client.get("/metrics", &[("accept", accept)]).await;
        assert!(response.header(header::CONTENT_TYPE).starts_with(content_type));
        assert_eq!(response.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(response.header(header::VARY), "Accept, Accept-Encoding");
        let text = response.text();
        assert!(text.starts_with(starts) && text.ends_with(ends), "{text}");
        assert!(
            text.contains("http_route=\"/hello\"") && text.contains("orders_total 0"),
            "{text}"
        );
    }
    let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let response = client.get("/metrics", &[("accept", protobuf)]).await;
    assert!(
        response
            .header(header::CONTENT_TYPE)
            .starts_with("application/vnd.google.protobuf; ")
    );
    let body = response.body;
    assert!(body.windows(12).any(|window| window == b"orders_total"));
}

#[tokio::test]
async fn compressed_and_without_a_body() {
    let (registry, provider) = meters();
    let client = service(&registry, &provider);
    let response = client.get("/metrics", &[("accept-encoding", "gzip")]).await;
    assert_eq!(response.header(header::CONTENT_ENCODING), "gzip");
    let body = response.body;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.contains("http_server_active_requests"), "{text}");

    let response = client.ask(Method::HEAD, "/metrics", &[]).await;
    assert!(response.header(header::CONTENT_TYPE).starts_with("text/plain"));
    assert_eq!(response.text(), "");
    let response = client.ask(Method::POST, "/metrics", &[]).await;
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// The latest sampled span of each bucket, with the formats that have a place for it. The names of the families may have a
/// namespace in front, the series labels of scope and resource.
#[tokio::test]
async fn exemplars() {
    let traces = SdkTracerProvider::builder().build();
    let subscriber =
        tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(traces.tracer("test")));
    static OTHER: std::sync::LazyLock<tracing::Dispatch> =
        std::sync::LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));
    std::sync::LazyLock::force(&OTHER);
    let _guard = tracing::subscriber::set_default(subscriber);
    opentelemetry::global::set_text_map_propagator(opentelemetry_sdk::propagation::TraceContextPropagator::new());
    let parent = |sampled: &str| format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{sampled}");

    for has_namespace in [false, true] {
        let registry = Registry::new();
        let mut exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        if has_namespace {
            exporter = exporter
                .with_namespace("shop")
                .with_resource_selector(opentelemetry_prometheus::ResourceSelector::All);
        }
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter.build().unwrap())
            .build();
        let client = service(&registry, &provider);
        for sampled in ["01", "00"] {
            let response = client.get("/hello", &[("traceparent", &parent(sampled))]).await;
            assert_eq!(response.text(), "hello");
            let openmetrics = [("accept", "application/openmetrics-text")];
            let response = client.get("/metrics", &openmetrics).await;
            let text = response.text();
            let shown: Vec<_> = text
                .lines()
                .filter(|line| line.contains("trace_id=\"0af7651916cd43dd8448eb211c80319c\""))
                .collect();
            // Duration and size of the response; the request had no body. The second one was not sampled.
            assert_eq!(shown.len(), 2, "{text}");
            assert!(
                shown
                    .iter()
                    .all(|line| line.contains("_bucket{") && line.contains("http_route=\"/hello\""))
            );
            assert!(
                shown[1].contains("le=\"256.0\"} ") && shown[1].contains("\"} 5 "),
                "{shown:?}"
            );
        }
        let response = client.get("/metrics", &[]).await;
        let text = response.text();
        assert!(!text.contains("trace_id"), "plain text has no place for it: {text}");
    }
}

/// A callback that panics ends all metrics of the SDK for good (opentelemetry-rust issue 3640). An empty scrape that succeeds
/// would hide it, with other collectors in the registry even more so.
#[tokio::test]
async fn a_broken_pipeline_is_an_error() {
    let (registry, provider) = meters();
    registry
        .register(Box::new(IntCounter::new("orders_total", "Orders.").unwrap()))
        .unwrap();
    let client = service(&registry, &provider);
    client.get("/metrics", &[]).await.text();
    let _gauge = provider
        .meter("test")
        .u64_observable_gauge("broken")
        .with_callback(|_| panic!("this panic is part of the test"))
        .build();
    for _ in 0..2 {
        let response = client.get("/metrics", &[]).await;
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
        let text = String::from_utf8(response.body).unwrap();
        assert!(text.contains("cannot be gathered"), "{text}");
        client.get("/hello", &[]).await.text();
    }
}

/// A name that the exporter would write as it is, and Prometheus would not read.
#[tokio::test]
async fn no_attribute_spoils_the_scrape() {
    let (registry, provider) = meters();
    let instrumentation = Instrumentation::builder(&provider)
        .request_attributes(|_| {
            let names = ["le", "9lives", "a:b", "", "quantile", "ünïcode", "__name__", "a b"];
            names
                .map(|name| opentelemetry::KeyValue::new(name, "\"quoted\"\n\\"))
                .to_vec()
        })
        .build();
    let metrics = MetricsEndpoint::new(registry);
    let routes = Route::new().at("/hello", get(hello)).at("/metrics", metrics);
    let client = Client(routes.with(instrumentation));
    client.get("/hello", &[]).await.text();
    let response = client.get("/metrics", &[]).await;
    let text = response.text();
    let line = text
        .lines()
        .find(|line| line.starts_with("http_server_request_duration_seconds_count"))
        .unwrap();
    let labels = line.split_once('{').unwrap().1;
    let mut names: Vec<_> = labels
        .split("=\"")
        .map(|part| part.rsplit(',').next().unwrap())
        .collect();
    names.pop();
    assert_eq!(names.iter().filter(|name| **name == "le").count(), 0, "{line}");
    for name in names.iter().filter(|name| !name.contains('\\')) {
        let is_legal = crate::model::is_label_name(name) && !name.starts_with("__");
        assert!(is_legal, "{name} in {line}");
    }
}

#[tokio::test]
async fn an_operation_of_the_document() {
    let (registry, provider) = meters();
    let instrumentation = Instrumentation::new(&provider);
    let metrics = MetricsEndpoint::new(registry).exemplars(&instrumentation);
    let service = OpenApiService::new(Instrumented(MetricsApi(metrics)), "test", "1");
    let document: serde_json::Value = serde_json::from_str(&service.spec()).unwrap();
    let operation = &document["paths"]["/metrics"]["get"];
    assert_eq!(operation["operationId"], "metrics");
    assert_eq!(operation["tags"], serde_json::json!(["Metrics"]));
    let client = Client(Route::new().nest("/api", service).with(instrumentation));
    client.get("/api/metrics", &[]).await.text();
    assert_eq!(client.ask(Method::HEAD, "/api/metrics", &[]).await.text(), "");
    let response = client.ask(Method::POST, "/api/metrics", &[]).await;
    assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
    let response = client.get("/api/metrics", &[]).await;
    let text = response.text();
    assert!(
        text.contains("http_request_method=\"HEAD\",http_response_status_code=\"200\",http_route=\"/api/metrics\""),
        "{text}"
    );
}
