//! Sends the input, over a few connections in a closed loop, and reads expositions. Each connection has requests of its own, so
//! that no two points of a series can pass each other.

use std::io::{IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use serde_json::{Value, json};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::input::{Input, Request};
use crate::{LONGEST, Result, Until};

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Plain,
    Json,
    Gzip,
    Snappy,
}

/// What became of the requests of one connection.
#[derive(Default)]
struct Tally {
    requests: u64,
    points: u64,
    refused: u64,
    bytes: u64,
    latencies: Vec<Duration>,
}

impl Tally {
    fn json(shares: Vec<Self>, seconds: f64) -> Value {
        let mut all = Self::default();
        for share in shares {
            all.requests += share.requests;
            all.points += share.points;
            all.refused += share.refused;
            all.bytes += share.bytes;
            all.latencies.extend(share.latencies);
        }
        all.latencies.sort();
        let quantile = |of: f64| {
            let at = ((all.latencies.len() as f64 * of) as usize).min(all.latencies.len().saturating_sub(1));
            all.latencies.get(at).map_or(0.0, Duration::as_secs_f64)
        };
        json!({
            "points": all.points, "refused": all.refused, "requests": all.requests, "bytes": all.bytes, "seconds": seconds,
            "p50": quantile(0.5), "p99": quantile(0.99), "longest": quantile(1.0),
        })
    }
}

/// Says the first refusal in full; the number of all is in the answer.
fn complain(said: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        eprintln!("refused: {}", said.chars().take(600).collect::<String>());
    }
}

pub fn run(input: &mut Input, target: &str, until: Until, connections: usize) -> Result<Value> {
    let (scheme, rest) = target.split_once("://").ok_or("an address has a scheme")?;
    let (address, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (requests, encoding) = match scheme {
        "http" => (&mut input.otlp, Encoding::Plain),
        "json+http" => (input.json()?, Encoding::Json),
        "gzip+http" => (&mut input.otlp, Encoding::Gzip),
        "remote-write+http" => (input.remote_write()?, Encoding::Snappy),
        "grpc" => return grpc(&mut input.otlp, address, until, connections),
        "scrape+http" => return scrape(address, path, false, until),
        "gzip+scrape+http" => return scrape(address, path, true, until),
        _ => return Err(format!("nothing is sent to {scheme}").into()),
    };
    let start = Instant::now();
    let tallies: Result<Vec<_>> = std::thread::scope(|scope| {
        let send = |share| scope.spawn(move || http(share, address, path, encoding, until, start));
        let threads: Vec<_> = shares(requests, connections).into_iter().map(send).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a sender broke".into())))
            .collect()
    });
    Ok(Tally::json(tallies?, start.elapsed().as_secs_f64()))
}

fn shares(requests: &mut [Request], connections: usize) -> Vec<Vec<&mut Request>> {
    let mut shares: Vec<Vec<_>> = (0..connections.min(requests.len())).map(|_| Vec::new()).collect();
    let count = shares.len();
    for (index, request) in requests.iter_mut().enumerate() {
        shares[index % count].push(request);
    }
    shares
}

fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_write_timeout(Some(LONGEST))?;
    Ok(stream)
}

fn http(
    mut share: Vec<&mut Request>,
    address: &str,
    path: &str,
    encoding: Encoding,
    until: Until,
    start: Instant,
) -> Result<Tally> {
    let mut stream = connect(address)?;
    let mut tally = Tally::default();
    let mut buffer = Vec::new();
    let mut rounds = 0;
    while until.wants(rounds, start) {
        for request in &mut share {
            request.advance();
            let packed = pack(&request.body, encoding)?;
            let body = packed.as_ref().unwrap_or(&request.body);
            let kind = if encoding == Encoding::Json {
                "json"
            } else {
                "x-protobuf"
            };
            let length = format!("Content-Length: {}\r\n", body.len());
            let rest = match encoding {
                Encoding::Plain | Encoding::Json => length,
                Encoding::Gzip => "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n".into(),
                Encoding::Snappy => length + "Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n",
            };
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/{kind}\r\n{rest}\r\n");
            let began = Instant::now();
            write_both(&mut stream, head.as_bytes(), body)?;
            let (status, said) = answer(&mut stream, &mut buffer)?;
            tally.latencies.push(began.elapsed());
            tally.requests += 1;
            tally.bytes += body.len() as u64;
            tally.points += request.points;
            if !(200..300).contains(&status) {
                tally.refused += request.points;
                complain(&format!("{status} {}", String::from_utf8_lossy(&said)));
            } else {
                tally.refused += match encoding {
                    Encoding::Plain | Encoding::Gzip => rejected(&said),
                    Encoding::Json => rejected_json(&said),
                    Encoding::Snappy => 0,
                };
            }
        }
        rounds += 1;
    }
    Ok(tally)
}

fn pack(body: &[u8], encoding: Encoding) -> Result<Option<Vec<u8>>> {
    Ok(match encoding {
        Encoding::Plain | Encoding::Json => None,
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body)?;
            Some(chunked(&encoder.finish()?)?)
        }
        Encoding::Snappy => Some(snap::raw::Encoder::new().compress_vec(body)?),
    })
}

fn chunked(body: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 1024 + 32);
    for chunk in body.chunks(32 * 1024) {
        write!(out, "{:x}\r\n", chunk.len())?;
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    Ok(out)
}

fn rejected_json(said: &[u8]) -> u64 {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let rejected = &said["partialSuccess"]["rejectedDataPoints"];
    let rejected = rejected
        .as_u64()
        .or_else(|| rejected.as_str()?.parse().ok())
        .unwrap_or(0);
    if rejected > 0 {
        complain(said["partialSuccess"]["errorMessage"].as_str().unwrap_or_default());
    }
    rejected
}

fn rejected(said: &[u8]) -> u64 {
    let partial = ExportMetricsServiceResponse::decode(said)
        .ok()
        .and_then(|answer| answer.partial_success);
    let Some(partial) = partial else { return 0 };
    if partial.rejected_data_points > 0 {
        complain(&partial.error_message);
    }
    partial.rejected_data_points.unsigned_abs()
}

fn write_both(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let written = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
    if written < head.len() {
        stream.write_all(&head[written..])?;
    }
    stream.write_all(&body[written.saturating_sub(head.len())..])
}

/// Status and body; the answers of a push are short and have a length.
fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(u16, Vec<u8>)> {
    buffer.clear();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let status = status(&head)?;
            let length = header(&head, "content-length").and_then(|value| value.parse().ok());
            let length: usize = match length {
                Some(length) => length,
                None if status == 204 => 0,
                None => return Err(format!("an answer without a length: {head}").into()),
            };
            if buffer.len() >= end + 4 + length {
                return Ok((status, buffer[end + 4..end + 4 + length].to_vec()));
            }
        }
        match stream.read(&mut chunk)? {
            0 => return Err("the connection was closed".into()),
            count => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

fn status(head: &str) -> Result<u16> {
    Ok(head.split(' ').nth(1).ok_or("no status")?.parse()?)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// Reads expositions one after the other; the times are those of the last.
fn scrape(address: &str, path: &str, gzip: bool, until: Until) -> Result<Value> {
    let start = Instant::now();
    let coding = if gzip { "Accept-Encoding: gzip\r\n" } else { "" };
    let mut chunk = vec![0; 1 << 20];
    let mut scrapes = 0;
    let mut last = Value::Null;
    while until.wants(scrapes, start) {
        let began = Instant::now();
        let mut stream = connect(address)?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain;version=0.0.4\r\n{coding}Connection: close\r\n\r\n"
        )?;
        let mut head = Vec::new();
        let end = loop {
            match stream.read(&mut chunk)? {
                0 => return Err("the exposition ends in its head".into()),
                count => head.extend_from_slice(&chunk[..count]),
            }
            // With its first byte.
            match memchr::memmem::find(&head, b"\r\n\r\n") {
                Some(end) if head.len() > end + 4 => break end,
                _ => {}
            }
        };
        let first = began.elapsed();
        let mut bytes = (head.len() - end - 4) as u64;
        let mut lines = memchr::memchr_iter(b'\n', &head[end + 4..]).count();
        let mut tail = head[head.len().saturating_sub(5)..].to_vec();
        loop {
            let count = stream.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            bytes += count as u64;
            lines += memchr::memchr_iter(b'\n', &chunk[..count]).count();
            tail.extend_from_slice(&chunk[count.saturating_sub(5)..count]);
            tail.drain(..tail.len().saturating_sub(5));
        }
        let head = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
        if status(&head)? != 200 || (header(&head, "content-encoding") == Some("gzip")) != gzip {
            return Err(format!("not the exposition that was asked for: {head}").into());
        }
        let whole = match header(&head, "content-length") {
            Some(length) => length.parse() == Ok(bytes),
            None => tail == b"0\r\n\r\n",
        };
        if !whole {
            return Err(format!("an exposition was cut after {bytes} bytes").into());
        }
        scrapes += 1;
        last = json!({
            "bytes": bytes, "first_byte": first.as_secs_f64(), "seconds": began.elapsed().as_secs_f64(), "scrapes": scrapes,
            // Those of chunks as well.
            "lines": lines,
        });
    }
    Ok(last)
}

/// Takes messages that are encoded already.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Arc<Vec<u8>>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Arc<Vec<u8>>;
    type Error = tonic::Status;

    fn encode(&mut self, item: Self::Item, out: &mut EncodeBuf<'_>) -> std::result::Result<(), tonic::Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, input: &mut DecodeBuf<'_>) -> std::result::Result<Option<Bytes>, tonic::Status> {
        Ok(Some(input.copy_to_bytes(input.remaining())))
    }
}

fn grpc(requests: &mut [Request], address: &str, until: Until, connections: usize) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let start = Instant::now();
    let send = |share| one_grpc(share, address, until, start);
    let all = futures_util::future::join_all(shares(requests, connections).into_iter().map(send));
    let tallies: Result<Vec<_>> = runtime.block_on(all).into_iter().collect();
    Ok(Tally::json(tallies?, start.elapsed().as_secs_f64()))
}

async fn one_grpc(mut share: Vec<&mut Request>, address: &str, until: Until, start: Instant) -> Result<Tally> {
    let endpoint = tonic::transport::Endpoint::new(format!("http://{address}"))?.timeout(LONGEST);
    let mut client = tonic::client::Grpc::new(endpoint.connect().await?);
    let mut tally = Tally::default();
    let mut rounds = 0;
    while until.wants(rounds, start) {
        for request in &mut share {
            request.advance();
            let path =
                http::uri::PathAndQuery::from_static("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
            let began = Instant::now();
            client.ready().await?;
            let answer = client.unary(tonic::Request::new(request.body.clone()), path, Raw).await;
            tally.latencies.push(began.elapsed());
            tally.requests += 1;
            tally.bytes += request.body.len() as u64;
            tally.points += request.points;
            match answer {
                Ok(answer) => tally.refused += rejected(answer.get_ref()),
                Err(status) => {
                    tally.refused += request.points;
                    complain(&status.to_string());
                }
            }
        }
        rounds += 1;
    }
    Ok(tally)
}
