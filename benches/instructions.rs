//! The hottest paths, run so many times and nothing else, for whoever counts instructions (`benches/instructions.py`) or takes
//! profiles: `instructions PATH ROUNDS`.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use std::time::Instant;

use meterbridge::otlp::Encoding;
use meterbridge::store::{Limits, Store};
use meterbridge::translate::{self, Arrival, Memory, Rules};

mod input;

use input::{Mix, Order, POINTS};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(path), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return; // `cargo test --benches` gives none.
    };
    let rounds: usize = rounds.parse().expect("the second argument is how many rounds");
    match path.as_str() {
        "known" => ingest(Mix::Numbers, Order::Prost, &[0], rounds),
        "collector" => ingest(Mix::Numbers, Order::Collector, &[0], rounds),
        "looked-up" => ingest(Mix::Numbers, Order::Go, &[0, 1, 2], rounds),
        "mixed" => ingest(Mix::Mixed, Order::Prost, &[0], rounds),
        other => panic!("no path is called {other}"),
    }
}

fn ingest(mix: Mix, order: Order, intervals: &[u64], rounds: usize) {
    let now = Instant::now();
    let (store, rules, memory) = (Store::new(Limits::default(), now), Rules::default(), Memory::default());
    let requests: Vec<_> = intervals
        .iter()
        .flat_map(|interval| input::requests(mix, order, POINTS, *interval))
        .collect();
    let arrival = Arrival {
        instant: now,
        unix_nano: 0,
    };
    for round in 0..=rounds {
        let request = &requests[round % requests.len()];
        let outcome =
            translate::request(&store, &rules, &memory, arrival, Encoding::Protobuf, request).expect("it is a request");
        assert_eq!(outcome.total_accepted(), POINTS as u64);
    }
}
