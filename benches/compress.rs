//! What it costs to compress a scrape, and what it becomes: `cargo bench --bench compress`.
//!
//! `counters` are lines of about 294 bytes, two thirds of them with integers; `histograms` have sixteen buckets each;
//! `protobuf` is the same histograms in that format. Each comes in pieces, as a scrape makes them. `ours` is what this
//! crate makes of it, the others are flate2 with zlib-rs at these levels. The ratios are printed first.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use std::fmt::Write as _;
use std::io::Write as _;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use flate2::Compression;
use flate2::write::GzEncoder;
use meterbridge::exposition::Encoder;

/// How much text a scrape makes at a time.
const PIECE: usize = 256 << 10;

const LINES: [usize; 3] = [1_000, 10_000, 100_000];

const ROUTES: [&str; 10] = [
    "/api/v1/orders",
    "/api/v1/orders/{id}",
    "/api/v1/orders/{id}/items",
    "/api/v1/customers",
    "/api/v1/customers/{id}/addresses",
    "/api/v1/products",
    "/api/v1/products/{id}/reviews",
    "/api/v1/cart/{id}/items",
    "/api/v1/payments/{id}/refund",
    "/healthz",
];

const BOUNDS: [&str; 16] = [
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "25", "+Inf",
];

fn main() {
    for (name, make) in KINDS {
        for lines in LINES {
            let text = make(lines);
            let length = text.len() as f64;
            let [ours, fast, usual] =
                [meterbridge(&text), flate2(&text, 1), flate2(&text, 6)].map(|out| length / out as f64);
            println!("{name}, {lines} lines, {length} bytes: ratio {ours:.1}, flate2 1 {fast:.1}, flate2 6 {usual:.1}");
        }
    }
    divan::main();
}

type Make = fn(usize) -> Vec<u8>;

const KINDS: [(&str, Make); 3] = [
    ("counters", counters),
    ("histograms", histograms),
    ("protobuf", protobuf),
];

fn rows() -> impl Iterator<Item = (&'static str, usize)> {
    KINDS
        .iter()
        .flat_map(|(name, _)| LINES.iter().map(|lines| (*name, *lines)))
}

#[divan::bench(args = rows())]
fn ours(bencher: Bencher<'_, '_>, row: (&str, usize)) {
    measure(bencher, row, meterbridge);
}

#[divan::bench(args = rows())]
fn flate2_1(bencher: Bencher<'_, '_>, row: (&str, usize)) {
    measure(bencher, row, |text| flate2(text, 1));
}

#[divan::bench(args = rows())]
fn flate2_6(bencher: Bencher<'_, '_>, row: (&str, usize)) {
    measure(bencher, row, |text| flate2(text, 6));
}

fn measure(bencher: Bencher<'_, '_>, (kind, lines): (&str, usize), compress: impl Fn(&[u8]) -> usize + Sync) {
    let (_, make) = KINDS.iter().find(|(name, _)| *name == kind).expect("one of them");
    let text = make(lines);
    bencher
        .counter(BytesCount::of_slice(&*text))
        .bench(|| compress(black_box(&text)));
}

/// How much the text becomes.
fn meterbridge(text: &[u8]) -> usize {
    let mut encoder = Encoder::negotiate(Some("gzip"));
    let pieces = text.chunks(PIECE);
    let length: usize = pieces
        .map(|piece| encoder.encode(piece.to_vec()).expect("it writes to memory").len())
        .sum();
    length + encoder.finish().expect("it writes to memory").len()
}

fn flate2(text: &[u8], level: u32) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    let mut length = 0;
    for piece in text.chunks(PIECE) {
        // A scrape owns its pieces, here as above.
        let piece = piece.to_vec();
        encoder.write_all(&piece).expect("it writes to memory");
        length += std::mem::take(encoder.get_mut()).len();
    }
    length + encoder.finish().expect("it writes to memory").len()
}

/// Numbers that look random, and are always the same ones.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        self.0 ^ (self.0 >> 32)
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The labels of one of ten series of a resource: ten resources are one service.
fn labels(metric: usize, resource: usize, point: usize) -> [(&'static str, String); 8] {
    let mut numbers = Numbers(resource as u64);
    let (a, b) = (numbers.next(), numbers.next());
    let service = format!("svc-{:03}", resource / 10);
    [
        ("job", format!("shop/{service}")),
        (
            "instance",
            format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                a as u32,
                a as u16,
                b % 4096,
                (b >> 12) % 4096,
                b >> 16
            ),
        ),
        (
            "http_request_method",
            ["GET", "POST", "PUT", "DELETE"][(metric + point) % 4].to_owned(),
        ),
        (
            "http_response_status_code",
            [200, 201, 204, 400, 404, 500][(point * 5 + metric) % 6].to_string(),
        ),
        ("http_route", ROUTES[(metric * 7 + point) % 10].to_owned()),
        ("network_protocol_version", ["1.1", "2"][point % 2].to_owned()),
        ("server_address", format!("{service}.shop.internal.example.com")),
        ("url_scheme", "https".to_owned()),
    ]
}

fn text_of(labels: &[(&str, String)]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    labels.join(",")
}

/// Twenty families.
fn counters(lines: usize) -> Vec<u8> {
    let mut numbers = Numbers(7);
    let mut text = String::new();
    for metric in 0..20 {
        writeln!(text, "# TYPE shop_http_server_metric_{metric:02}_total counter").expect("it writes to memory");
        for series in 0..lines / 20 {
            let labels = text_of(&labels(metric, series / 10, series % 10));
            write!(text, "shop_http_server_metric_{metric:02}_total{{{labels}}} ").expect("it writes to memory");
            let end = match metric % 3 {
                0 => writeln!(text, "{}", numbers.fraction() * 1e6),
                _ => writeln!(text, "{}", numbers.next() % 10_000_000),
            };
            end.expect("it writes to memory");
        }
    }
    text.into_bytes()
}

/// A series: what each bucket counts cumulatively, and the sum.
fn histogram(numbers: &mut Numbers) -> ([u64; 16], f64) {
    let mut count = 0;
    let counts = std::array::from_fn(|bucket| {
        count += numbers.next() % 500 / (1 + bucket.abs_diff(6) as u64);
        count
    });
    (counts, count as f64 * numbers.fraction())
}

fn histograms(lines: usize) -> Vec<u8> {
    let mut numbers = Numbers(7);
    let mut text = b"# TYPE http_server_request_duration_seconds histogram\n".to_vec();
    for series in 0..lines / 18 {
        let labels = text_of(&labels(0, series / 10, series % 10));
        let (counts, sum) = histogram(&mut numbers);
        let name = "http_server_request_duration_seconds";
        for (bound, count) in BOUNDS.iter().zip(counts) {
            writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}").expect("it writes to memory");
        }
        writeln!(
            text,
            "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {}",
            counts[15]
        )
        .expect("it writes to memory");
    }
    text
}

/// The series of one `io.prometheus.client.MetricFamily`, as many as have so many lines.
fn protobuf(lines: usize) -> Vec<u8> {
    let mut numbers = Numbers(7);
    let mut out = Vec::new();
    for series in 0..lines / 18 {
        let mut metric = Vec::new();
        for (name, value) in labels(0, series / 10, series % 10) {
            let mut pair = Vec::new();
            field(&mut pair, 1, name.as_bytes());
            field(&mut pair, 2, value.as_bytes());
            field(&mut metric, 1, &pair);
        }
        let (counts, sum) = histogram(&mut numbers);
        let mut histogram = Vec::new();
        tagged(&mut histogram, 1, counts[15]);
        double(&mut histogram, 2, sum);
        for (bound, count) in BOUNDS.iter().zip(counts) {
            let mut bucket = Vec::new();
            tagged(&mut bucket, 1, count);
            double(&mut bucket, 2, bound.parse().expect("a number"));
            field(&mut histogram, 3, &bucket);
        }
        field(&mut metric, 7, &histogram);
        field(&mut out, 4, &metric);
    }
    out
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    prost::encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn tagged(out: &mut Vec<u8>, number: u8, value: u64) {
    out.push(number << 3);
    prost::encoding::encode_varint(value, out);
}

fn double(out: &mut Vec<u8>, number: u8, value: f64) {
    out.push(number << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}
