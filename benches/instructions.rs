//! The hottest paths, run so many times and nothing else, for whoever counts instructions (`benches/instructions.py`) or takes
//! profiles: `instructions PATH ROUNDS`.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use meterbridge::exposition::Format;

mod input;

use input::{Bridge, Mix, Order, POINTS};

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
        "deltas" => deltas(rounds),
        "mixed" => ingest(Mix::Mixed, Order::Prost, &[0], rounds),
        "first-sight" => first_sight(rounds),
        "scrape" => scrape(rounds),
        other => panic!("no path is called {other}"),
    }
}

fn ingest(mix: Mix, order: Order, turns: &[u64], rounds: usize) {
    let bridge = Bridge::new();
    let requests: Vec<_> = turns
        .iter()
        .flat_map(|turn| input::requests(mix, order, POINTS, *turn))
        .collect();
    for round in 0..=rounds {
        bridge.take(&requests[round % requests.len()]);
    }
}

fn deltas(rounds: usize) {
    let bridge = Bridge::new();
    let request = &mut input::requests(Mix::Deltas, Order::Prost, POINTS, 0)[0];
    let times = input::times(request);
    for _ in 0..=rounds {
        bridge.take(request);
        input::move_on(request, &times);
    }
}

fn scrape(rounds: usize) {
    let bridge = Bridge::with(Mix::Numbers, POINTS);
    let mut piece = Vec::new();
    for _ in 0..=rounds {
        bridge.scrape(Format::default(), &mut piece);
    }
}

fn first_sight(rounds: usize) {
    let request = &input::requests(Mix::Numbers, Order::Prost, POINTS, 0)[0];
    for _ in 0..rounds {
        Bridge::new().take(request);
    }
}
