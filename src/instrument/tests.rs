//! Requests over real sockets, judged by the exposition and by the finished spans.

mod endings;
mod metrics;
mod options;
mod routes;
mod sizes;
mod spans;

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use poem::{
    Body, Endpoint, EndpointExt, IntoEndpoint, Middleware, Request, Response, Result, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use prometheus::{Registry, TextEncoder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};

use super::{Instrumentation, InstrumentationBuilder};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server around some endpoint, instrumented into a registry of its own.
struct App {
    address: SocketAddr,
    registry: Registry,
    provider: SdkMeterProvider,
    ended: UnboundedReceiver<()>,
    server: JoinHandle<io::Result<()>>,
}

impl App {
    async fn serve<E>(endpoint: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        Self::serve_with(endpoint, |builder| builder).await
    }

    async fn serve_with<E>(endpoint: E, adjust: impl FnOnce(InstrumentationBuilder) -> InstrumentationBuilder) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false);
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter.build().unwrap())
            .build();
        let instrumentation = adjust(Instrumentation::builder(&provider)).build();
        let (announce, ended) = unbounded_channel();
        let endpoint = endpoint.into_endpoint().with(instrumentation).with(Announce(announce));
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        let server = tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
        Self {
            address,
            registry,
            provider,
            ended,
            server,
        }
    }

    /// Sends `request` as it stands, reads until the server closes, and waits until the request is recorded.
    async fn send(&mut self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        self.ended().await;
        String::from_utf8(answer).unwrap()
    }

    /// Waits until one more request is recorded.
    async fn ended(&mut self) {
        soon(self.ended.recv()).await.unwrap();
    }

    /// What is exposed.
    fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }

    /// The lines of the sample `name`, without the name.
    fn samples(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines.filter(|rest| rest.starts_with('{')).map(str::to_owned).collect()
    }

    /// One line for each series of the duration histogram, with its count.
    fn durations(&self) -> Vec<String> {
        self.samples("http_server_request_duration_seconds_count")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
        // The SDK's reader would otherwise be told in its own drop, which warns.
        let _ = self.provider.shutdown();
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it should have happened by now")
}

/// A request without a body, after which the server closes the connection.
fn ask(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

/// Sits outside the instrumentation and says when that is done with a request, however the request ended: the token
/// is dropped right after the record.
struct Announce(UnboundedSender<()>);

struct Announced<E>(E, UnboundedSender<()>);

struct Token(UnboundedSender<()>);

impl Drop for Token {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl<E: Endpoint<Output = Response>> Middleware<E> for Announce {
    type Output = Announced<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Announced(inner, self.0.clone())
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Announced<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let token = Token(self.1.clone());
        let mut response = self.0.call(request).await?;
        let body = Tail {
            inner: response.take_body().into(),
            _token: token,
        };
        response.set_body(Body::from(BoxBody::new(body)));
        Ok(response)
    }
}

struct Tail {
    inner: BoxBody<Bytes, io::Error>,
    _token: Token,
}

impl HttpBody for Tail {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that knows its end when it is there, but not its length before.
struct Once(Option<&'static str>);

impl HttpBody for Once {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.take().map(|text| Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}
