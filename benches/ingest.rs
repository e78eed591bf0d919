//! What it costs to take points in, in process: `cargo bench --bench ingest`.
//!
//! A row is one request of 10,000 points of a fleet, taken in again and again in turn with the others of that fleet, so that the
//! column is how many series the store holds. The bytes are in the cache, as they are when they have just been read from a socket.
//! `decode` is what reading them alone costs: into the generated types, and by this crate's plain decoder.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use meterbridge::otlp::{self, Metric, Point, Resource, Scope, Sink};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

mod input;

use input::{Bridge, Mix, Order, POINTS};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// Requests in turn, each copied to where the one before was.
struct Turns {
    rounds: Vec<Vec<Vec<u8>>>,
    /// Where the times stand in requests of deltas, which are new ones each time since each window counts once.
    times: Vec<Vec<usize>>,
    next: usize,
    hot: Vec<u8>,
}

impl Turns {
    fn next(&mut self) -> Vec<u8> {
        let requests = self.rounds[0].len();
        let (round, number) = (self.next / requests, self.next % requests);
        self.next += 1;
        let mut hot = std::mem::take(&mut self.hot);
        hot.clear();
        let round = round % self.rounds.len();
        let request = &mut self.rounds[round][number];
        if let Some(times) = self.times.get(number) {
            input::move_on(request, times);
        }
        hot.extend_from_slice(request);
        hot
    }
}

fn ingest(bencher: Bencher<'_, '_>, mix: Mix, order: Order, series: usize) {
    let turns: &[u64] = match order {
        Order::Go => &[0, 1, 2],
        _ => &[0],
    };
    let rounds: Vec<_> = turns
        .iter()
        .map(|turn| input::requests(mix, order, series, *turn))
        .collect();
    let times = match mix {
        Mix::Deltas => rounds[0].iter().map(|request| input::times(request)).collect(),
        _ => Vec::new(),
    };
    let turns = RefCell::new(Turns {
        rounds,
        times,
        next: 0,
        hot: Vec::new(),
    });
    let bridge = Bridge::new();
    turns.borrow().rounds[0].iter().for_each(|request| bridge.take(request));
    assert_eq!(bridge.store.series(), series);
    bencher
        .counter(ItemsCount::new(POINTS))
        .with_inputs(|| turns.borrow_mut().next())
        .input_counter(|request| BytesCount::of_slice(&**request))
        .bench_local_values(|request| {
            bridge.take(&request);
            turns.borrow_mut().hot = request;
        });
}

/// Series that are held.
#[divan::bench_group(sample_size = 1, sample_count = 300)]
mod steady {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn numbers(bencher: Bencher<'_, '_>, series: usize) {
        ingest(bencher, Mix::Numbers, Order::Prost, series);
    }

    #[divan::bench(args = SIZES)]
    fn numbers_as_the_collector_writes_them(bencher: Bencher<'_, '_>, series: usize) {
        ingest(bencher, Mix::Numbers, Order::Collector, series);
    }

    #[divan::bench(args = SIZES)]
    fn numbers_as_go_writes_them_in_a_new_order_each_time(bencher: Bencher<'_, '_>, series: usize) {
        ingest(bencher, Mix::Numbers, Order::Go, series);
    }

    #[divan::bench(args = SIZES)]
    fn deltas(bencher: Bencher<'_, '_>, series: usize) {
        ingest(bencher, Mix::Deltas, Order::Prost, series);
    }

    #[divan::bench(args = [10_000, 50_000, 200_000])]
    fn mixed(bencher: Bencher<'_, '_>, series: usize) {
        ingest(bencher, Mix::Mixed, Order::Prost, series);
    }
}

/// As many senders at once as threads, whose series are in the same families. What two take as long for as one is twice as fast.
#[divan::bench(threads = [1, 2, 4], sample_size = 5, sample_count = 100)]
fn senders(bencher: Bencher<'_, '_>) {
    let requests = input::requests(Mix::Numbers, Order::Prost, 200_000, 0);
    let bridge = Bridge::new();
    requests.iter().for_each(|request| bridge.take(request));
    let next = AtomicUsize::new(0);
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        bridge.take(&requests[number % requests.len()]);
    });
}

/// Series that are not held yet.
#[divan::bench(sample_size = 1, sample_count = 20)]
fn first_sight(bencher: Bencher<'_, '_>) {
    let request = &input::requests(Mix::Numbers, Order::Prost, POINTS, 0)[0];
    bencher
        .counter(ItemsCount::new(POINTS))
        .with_inputs(Bridge::new)
        .bench_local_values(|bridge| {
            bridge.take(request);
            bridge
        });
}

/// What so many series take of memory, which is in the column of what is allocated at most.
#[divan::bench(args = [Mix::Numbers, Mix::Unshared, Mix::Mixed], sample_size = 1, sample_count = 3)]
fn held(bencher: Bencher<'_, '_>, mix: Mix) {
    let requests = input::requests(mix, Order::Prost, 100_000, 0);
    bencher
        .counter(ItemsCount::new(10 * POINTS))
        .with_inputs(Bridge::new)
        .bench_local_values(|bridge| {
            requests.iter().for_each(|request| bridge.take(request));
            bridge
        });
}

#[divan::bench_group(sample_size = 1, sample_count = 50)]
mod decode {
    use super::*;

    struct Nothing;

    impl Sink for Nothing {
        fn resource(&mut self, resource: &Resource<'_>) {
            black_box(resource);
        }
        fn scope(&mut self, scope: &Scope<'_>) {
            black_box(scope);
        }
        fn metric(&mut self, metric: &Metric<'_>) {
            black_box(metric);
        }
        fn point(&mut self, point: &Point<'_>) {
            black_box(point);
        }
    }

    fn bytes(bencher: Bencher<'_, '_>, mix: Mix, decode: impl Fn(&[u8])) {
        let request = &input::requests(mix, Order::Prost, POINTS, 0)[0];
        bencher
            .counter(ItemsCount::new(POINTS))
            .counter(BytesCount::of_slice(&**request))
            .bench_local(|| decode(black_box(request)));
    }

    fn text(bencher: Bencher<'_, '_>, mix: Mix, decode: impl Fn(&[u8])) {
        let text = serde_json::to_vec(&input::generated(mix, 0, 0)).expect("it is a request");
        bencher
            .counter(ItemsCount::new(POINTS))
            .counter(BytesCount::of_slice(&*text))
            .bench_local(|| decode(black_box(&text)));
    }

    #[divan::bench(args = [Mix::Numbers, Mix::Mixed])]
    fn json_into_generated_types(bencher: Bencher<'_, '_>, mix: Mix) {
        text(bencher, mix, |text| {
            black_box(serde_json::from_slice::<ExportMetricsServiceRequest>(text)).expect("it is a request");
        });
    }

    #[divan::bench(args = [Mix::Numbers, Mix::Mixed])]
    fn json(bencher: Bencher<'_, '_>, mix: Mix) {
        text(bencher, mix, |text| {
            let transcoded = otlp::json::transcode(text).expect("it is a request");
            otlp::decode(&transcoded.protobuf, &mut Nothing).expect("it is a request");
        });
    }

    #[divan::bench(args = [Mix::Numbers, Mix::Mixed])]
    fn generated_types(bencher: Bencher<'_, '_>, mix: Mix) {
        bytes(bencher, mix, |request| {
            black_box(ExportMetricsServiceRequest::decode(request)).expect("it is a request");
        });
    }

    /// The least that reading them can cost.
    #[divan::bench]
    fn walk(bencher: Bencher<'_, '_>) {
        bytes(bencher, Mix::Numbers, |request| {
            black_box(input::walk::numbers(request));
        });
    }

    #[divan::bench(args = [Mix::Numbers, Mix::Mixed])]
    fn plain(bencher: Bencher<'_, '_>, mix: Mix) {
        bytes(bencher, mix, |request| {
            otlp::decode(request, &mut Nothing).expect("it is a request");
        });
    }
}
