//! What the environment asks for, and spans that arrive at a real receiver.

use std::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};

use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use opentelemetry_sdk::error::OTelSdkError;
use poem::{
    Endpoint, Route, Server,
    endpoint::make,
    listener::{Acceptor, Listener, TcpListener},
    post,
};
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::TcpListenerStream;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// `A=1 B=2` as an environment.
fn environment(variables: &str) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }
}

#[test]
fn destinations() {
    let general = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318";
    let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t:1/spans";
    let rows = [
        (String::new(), "none"),
        ("OTEL_TRACES_EXPORTER=otlp".to_owned(), "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT=".to_owned(), "none"),
        (general.to_owned(), "HttpProtobuf http://c:4318/v1/traces"),
        (format!("{general}/"), "HttpProtobuf http://c:4318/v1/traces"),
        (format!("{general}/base"), "HttpProtobuf http://c:4318/base/v1/traces"),
        (own.to_owned(), "HttpProtobuf http://t:1/spans"),
        (format!("{general} {own}"), "HttpProtobuf http://t:1/spans"),
        (
            format!("{general} OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="),
            "HttpProtobuf http://c:4318/v1/traces",
        ),
        (
            format!("{general} OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
            "Grpc http://c:4318",
        ),
        (
            format!("{general} OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"),
            "HttpProtobuf http://c:4318/v1/traces",
        ),
        (
            format!("{general} OTEL_EXPORTER_OTLP_PROTOCOL="),
            "HttpProtobuf http://c:4318/v1/traces",
        ),
        (format!("{general} OTEL_TRACES_EXPORTER=none"), "none"),
        (format!("{general} OTEL_SDK_DISABLED=TRUE"), "none"),
        (
            format!("{general} OTEL_SDK_DISABLED=false"),
            "HttpProtobuf http://c:4318/v1/traces",
        ),
        (
            format!("{general} OTEL_TRACES_EXPORTER=zipkin"),
            "OTEL_TRACES_EXPORTER is 'zipkin', which is not supported; it may be otlp or none",
        ),
        (
            format!("{general} OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json"),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is 'http/json', which is not supported; it may be grpc or http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT=https://c:4318".to_owned(),
            "OTEL_EXPORTER_OTLP_ENDPOINT is 'https://c:4318', which is not a URL of the form http://host:port; \
             TLS is not built in",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=c:4318".to_owned(),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is 'c:4318', which is not a URL of the form http://host:port; \
             TLS is not built in",
        ),
    ];
    for (variables, expected) in rows {
        let seen = match Destination::from_env(environment(&variables)) {
            Ok(None) => "none".to_owned(),
            Ok(Some(Destination { protocol, endpoint })) => format!("{protocol:?} {endpoint}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(seen, expected, "{variables}");
    }
}

/// A receiver over gRPC; what it received comes out of the channel.
struct Collector(Mutex<Sender<ExportTraceServiceRequest>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.0.lock().unwrap().send(request.into_inner()).unwrap();
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Starts a receiver and gives the variables that send spans to it.
async fn collector(protocol: Protocol) -> (String, Receiver<ExportTraceServiceRequest>) {
    let (sender, receiver) = channel();
    match protocol {
        Protocol::Grpc => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let service = TraceServiceServer::new(Collector(sender.into()));
            let server = tonic::transport::Server::builder();
            tokio::spawn(server.serve_with_incoming(service, TcpListenerStream::new(listener)));
            (
                format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{address} OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
                receiver,
            )
        }
        Protocol::HttpProtobuf => {
            let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
            let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
            let routes = Route::new().at("/v1/traces", post(receive(sender)));
            tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
            (format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}"), receiver)
        }
    }
}

fn receive(sender: Sender<ExportTraceServiceRequest>) -> impl Endpoint<Output = Vec<u8>> {
    let sender = Arc::new(Mutex::new(sender));
    make(move |request| {
        let sender = sender.clone();
        async move {
            let body = request.into_body().into_bytes().await?;
            sender
                .lock()
                .unwrap()
                .send(ExportTraceServiceRequest::decode(body).unwrap())
                .unwrap();
            Ok::<_, poem::Error>(ExportTraceServiceResponse::default().encode_to_vec())
        }
    })
}

fn make_provider(variables: &str, runtime: &Runtime) -> SdkTracerProvider {
    let resource = Resource::builder_empty().with_service_name("the service").build();
    provider(resource, environment(variables), runtime.handle()).unwrap()
}

/// Ends a span, flushes it out and shuts the provider down, as the end of a process does.
fn use_up(provider: SdkTracerProvider) {
    provider.tracer("test").start("the span").end();
    provider.force_flush().unwrap();
    provider.shutdown().unwrap();
}

#[track_caller]
fn assert_arrived(received: &Receiver<ExportTraceServiceRequest>) {
    let request = received.recv_timeout(PATIENCE).expect("a span should have arrived");
    let text = format!("{request:?}");
    assert_eq!(
        request.resource_spans[0].scope_spans[0].spans[0].name, "the span",
        "{text}"
    );
    assert!(text.contains("the service"), "{text}");
}

#[test]
fn spans_arrive() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (variables, received) = runtime.block_on(collector(protocol));

        // Made and used outside the runtime, as `main` does.
        use_up(make_provider(&variables, &runtime));
        assert_arrived(&received);

        // Made inside it, and shut down from a thread that may block.
        runtime.block_on(async {
            let provider = make_provider(&variables, &runtime);
            tokio::task::spawn_blocking(|| use_up(provider)).await.unwrap();
        });
        assert_arrived(&received);
    }
}

#[test]
fn without_a_destination_there_are_ids_and_no_more() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let provider = make_provider("", &runtime);
    let span = provider.tracer("test").start("the span");
    assert!(span.span_context().is_valid());
    assert!(!span.is_recording());
}

#[derive(Debug)]
struct Failing;

impl SpanExporter for Failing {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("nobody there".to_owned()))
    }
}

#[tokio::test]
async fn a_failing_export_is_one_line() {
    let (sender, lines) = channel();
    let sender = Mutex::new(sender);
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || Line(sender.lock().unwrap().clone()));
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let exporter = Reported::new(Failing);
    for _ in 0..5 {
        assert!(exporter.export(Vec::new()).await.is_err());
    }
    drop(guard);
    let lines: Vec<String> = lines.try_iter().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("nobody there"), "{lines:?}");
}

struct Line(Sender<String>);

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
