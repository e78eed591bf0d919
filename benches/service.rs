//! What the real binary costs, measured from outside: `cargo bench --bench service`.
//!
//! `METERBRIDGE_BIN` names another binary to measure.
//!
//! CPU is the server's own (user and system, from `/proc`), so that the sender beside it does not count; wall-clock figures on
//! a shared machine are only good for comparing them with each other. Bounded in count, on loopback, ends by itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at the first surprise"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

const RESOURCES: usize = 50;
const METRICS: usize = 20;
const POINTS: usize = 10;
const POINTS_A_REQUEST: usize = RESOURCES * METRICS * POINTS;
const REQUESTS: usize = 20;
const SCRAPES: usize = 7;

fn main() {
    let server = Server::start();
    println!(
        "{POINTS_A_REQUEST} points a request, {} bytes in protobuf",
        request(0, 1).encoded_len()
    );

    post(&mut connect(server.otlp_http), &request(0, 1).encode_to_vec()); // Series are made.
    report("HTTP", &server, http);
    report("gRPC", &server, grpc);
    generated_types();

    for batch in 1..10 {
        post(&mut connect(server.otlp_http), &request(batch, 1).encode_to_vec());
    }
    println!("resident with 100,000 series: {} KiB", server.resident_kib());
    for (name, header) in [("plain", ""), ("gzip", "accept-encoding: gzip\r\n")] {
        let cpu = server.cpu();
        let mut rows: Vec<(Duration, usize)> = (0..SCRAPES).map(|_| scrape(&server, header)).collect();
        let cpu = (server.cpu() - cpu) / SCRAPES as u32;
        rows.sort();
        let (median, bytes) = rows[SCRAPES / 2];
        println!(
            "scrape of 100,000 series, {name}: {median:.1?} (median of {SCRAPES}), {cpu:.1?} CPU each, {bytes} bytes"
        );
        if header.is_empty() {
            println!("write(2) of as many bytes: {:.1?}", sent(bytes));
        }
    }
    println!("resident after the scrapes: {} KiB", server.resident_kib());
}

fn report(name: &str, server: &Server, send: fn(&Server, usize)) {
    // Medians of five rounds: the machine is shared.
    let mut rounds: Vec<(f64, f64)> = (0..5)
        .map(|_| {
            let (cpu, start) = (server.cpu(), Instant::now());
            send(server, REQUESTS);
            let points = (REQUESTS * POINTS_A_REQUEST) as f64 / 1e6;
            (
                points / (server.cpu() - cpu).as_secs_f64(),
                points / start.elapsed().as_secs_f64(),
            )
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (per_cpu, wall) = rounds[2];
    println!("{name}: {per_cpu:.2} million points per CPU second of the server, {wall:.2} per second of one sender");
}

/// For scale: what the generated types cost before anything is translated or stored.
fn generated_types() {
    let body = request(0, 2).encode_to_vec();
    let start = Instant::now();
    for _ in 0..REQUESTS {
        std::hint::black_box(ExportMetricsServiceRequest::decode(&*body).unwrap());
    }
    let points = (REQUESTS * POINTS_A_REQUEST) as f64 / 1e6;
    println!(
        "decoding into the generated types alone: {:.2} million points per second",
        points / start.elapsed().as_secs_f64()
    );
}

struct Server {
    child: Child,
    http: std::net::SocketAddr,
    otlp_http: std::net::SocketAddr,
    otlp_grpc: std::net::SocketAddr,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(
            std::env::var_os("METERBRIDGE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_meterbridge").into()),
        )
        .args([
            "--http-listen",
            "127.0.0.1:0",
            "--otlp-http-listen",
            "127.0.0.1:0",
            "--otlp-grpc-listen",
            "127.0.0.1:0",
        ])
        .args(["--log-format", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut addresses = std::collections::HashMap::new();
        while addresses.len() < 3 {
            let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if let (Some(name), Some(address)) = (line["listener"].as_str(), line["address"].as_str()) {
                addresses.insert(name.to_owned(), address.parse().unwrap());
            }
        }
        let (http, otlp_http, otlp_grpc) = (addresses["http"], addresses["otlp_http"], addresses["otlp_grpc"]);
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            http,
            otlp_http,
            otlp_grpc,
        }
    }

    fn cpu(&self) -> Duration {
        let stat = procfs::process::Process::new(self.child.id().cast_signed())
            .unwrap()
            .stat()
            .unwrap();
        Duration::from_secs_f64((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
    }

    fn resident_kib(&self) -> u64 {
        procfs::process::Process::new(self.child.id().cast_signed())
            .unwrap()
            .status()
            .unwrap()
            .vmrss
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: std::net::SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn http(server: &Server, requests: usize) {
    let mut stream = connect(server.otlp_http);
    let body = request(0, 2).encode_to_vec();
    for _ in 0..requests {
        post(&mut stream, &body);
    }
}

fn post(stream: &mut TcpStream, body: &[u8]) {
    let head = format!(
        "POST /v1/metrics HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "the server hung up");
        answer.extend_from_slice(&piece[..length]);
    }
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

fn grpc(server: &Server, requests: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut client = MetricsServiceClient::connect(format!("http://{}", server.otlp_grpc))
            .await
            .unwrap();
        let request = request(0, 2);
        for _ in 0..requests {
            let answer = client.export(request.clone()).await.unwrap().into_inner();
            assert!(answer.partial_success.is_none(), "{answer:?}");
        }
    });
}

fn scrape(server: &Server, header: &str) -> (Duration, usize) {
    let mut stream = connect(server.http);
    let start = Instant::now();
    write!(
        stream,
        "GET /metrics/otlp HTTP/1.1\r\nhost: bench\r\n{header}connection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = 0;
    let mut piece = vec![0; 1 << 20];
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => return (start.elapsed(), bytes),
            length => bytes += length,
        }
    }
}

/// How long it takes to send so many bytes that are there already, in the pieces of a scrape.
fn sent(bytes: usize) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let text = vec![b'x'; bytes];
    let mut rows: Vec<Duration> = (0..SCRAPES)
        .map(|_| {
            let start = Instant::now();
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    let mut stream = listener.accept().unwrap().0;
                    text.chunks(256 << 10)
                        .for_each(|piece| stream.write_all(piece).unwrap());
                });
                let mut stream = connect(address);
                let mut piece = vec![0; 1 << 20];
                while stream.read(&mut piece).unwrap() > 0 {}
                start.elapsed()
            })
        })
        .collect();
    rows.sort();
    rows[SCRAPES / 2]
}

/// One export of a fleet: `batch` tells the series apart, `round` the exports.
fn request(batch: usize, round: u64) -> ExportMetricsServiceRequest {
    let resource_metrics = (0..RESOURCES)
        .map(|resource| ResourceMetrics {
            resource: Some(Resource {
                attributes: [
                    text("service.namespace", "shop"),
                    text("service.name", &format!("service-{}", resource % 5)),
                    text("service.instance.id", &format!("7d9f6c4b-{resource:04}")),
                    text("service.version", "1.14.2"),
                    text("deployment.environment.name", "production"),
                    text("host.name", &format!("node-{resource:02}.example")),
                    text("k8s.pod.name", &format!("service-{resource:02}-5d8f")),
                    text("telemetry.sdk.language", "go"),
                    text("telemetry.sdk.name", "opentelemetry"),
                    text("telemetry.sdk.version", "1.47.0"),
                ]
                .into(),
                ..Resource::default()
            }),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope {
                    name: "example.com/lib".into(),
                    ..InstrumentationScope::default()
                }),
                metrics: (0..METRICS)
                    .map(|metric| one_metric(batch * METRICS + metric, round))
                    .collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        })
        .collect();
    ExportMetricsServiceRequest { resource_metrics }
}

/// Three sums to two gauges.
fn one_metric(metric: usize, round: u64) -> Metric {
    let data_points: Vec<_> = (0..POINTS)
        .map(|point| NumberDataPoint {
            attributes: vec![
                text("http.request.method", ["GET", "POST"][point % 2]),
                text("http.route", &format!("/api/v1/orders/{{id}}/items/{point}")),
                text("url.scheme", "https"),
                text("network.protocol.version", "1.1"),
                text("server.region", "eu-central-1"),
                KeyValue {
                    key: "http.response.status_code".into(),
                    value: Some(AnyValue {
                        value: Some(any_value::Value::IntValue(200 + point as i64)),
                    }),
                    ..KeyValue::default()
                },
            ],
            start_time_unix_nano: 1_700_000_000_000_000_000,
            time_unix_nano: 1_700_000_000_000_000_000 + round * 10_000_000_000,
            value: Some(number_data_point::Value::AsInt((round * 7 + point as u64) as i64)),
            ..NumberDataPoint::default()
        })
        .collect();
    let data = if metric % 5 < 3 {
        metric::Data::Sum(Sum {
            data_points,
            aggregation_temporality: 2,
            is_monotonic: true,
        })
    } else {
        metric::Data::Gauge(Gauge { data_points })
    };
    Metric {
        name: format!("shop.orders.metric_{metric:03}"),
        description: "What the shop has been up to".into(),
        unit: "By".into(),
        data: Some(data),
        ..Metric::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
        ..KeyValue::default()
    }
}
