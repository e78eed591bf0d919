//! What real senders sent (`tests/recordings`), taken in again: as by the plain way, and recognised by its order. How often is
//! printed by `cargo test --test it recordings -- --nocapture`.

use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use flate2::read::GzDecoder;
use meterbridge::api::scrape::{Scrape, Selection};
use meterbridge::exposition::{Format, Style, Syntax};
use meterbridge::otlp::{self, Encoding};
use meterbridge::store::{Limits, Store};
use meterbridge::translate::{self, Arrival, Memory, Outcome, Rules, Translator};

/// The recordings, and the least share of points that has to be found where the order of last time had them, in requests that
/// bring no new series.
const RECORDINGS: [(&str, f64); 9] = [
    ("python", 0.99),
    ("node", 0.99),
    ("java", 0.99),
    ("rust", 0.93),
    ("go", 0.89),
    ("collector", 0.95),
    ("java-delta", 0.77),
    ("java-delta-some", 0.62),
    ("go-delta", 0.11),
];

#[test]
fn recordings_are_taken_as_by_the_plain_way_and_recognised_by_their_order() {
    println!("| recording | requests | points | at rest | with new series |\n|---|---|---|---|---|");
    for (name, least) in RECORDINGS {
        let requests = requests(name);
        let replay = Replay::of(name, &requests);
        let (points, at_rest) = (replay.points, replay.at_rest.share());
        let growing = replay.growing.share();
        println!(
            "| {name} | {} | {points} | {at_rest:.3} | {growing:.3} |",
            requests.len()
        );
        assert!(at_rest >= least, "{name}: {at_rest} of the points at rest");
    }
}

/// A gzip of messages, each behind its length.
fn requests(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/data");
    let file = File::open(folder.join(format!("{name}.otlp.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let mut rest = bytes.as_slice();
    let mut requests = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (request, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        requests.push(request.to_vec());
        rest = behind;
    }
    assert!(rest.is_empty() && requests.len() >= 10, "{name}: all of it is there");
    requests
}

#[derive(Default)]
struct Replay {
    points: u64,
    /// Of requests that brought no new series,
    at_rest: Found,
    /// and of those that brought some. Those that brought more new series than known ones are of the first export.
    growing: Found,
}

#[derive(Default)]
struct Found {
    predicted: u64,
    points: u64,
}

impl Found {
    fn share(&self) -> f64 {
        self.predicted as f64 / self.points as f64
    }
}

impl Replay {
    fn of(name: &str, requests: &[Vec<u8>]) -> Self {
        let now = Instant::now();
        let rules = Rules::default();
        let [store, plain] = [(); 2].map(|()| Arc::new(Store::new(Limits::default(), now)));
        let memory = Memory::default();
        let arrival = Arrival {
            instant: now,
            unix_nano: 0,
        };
        let mut replay = Self::default();
        for request in requests {
            let held = store.series();
            let before = memory.recognised();
            let outcome = translate::request(&store, &rules, &memory, arrival, Encoding::Protobuf, request).unwrap();
            assert_eq!(outcome.message(), None, "{name}");
            let mut translator = Translator::new(&plain, &rules, arrival);
            otlp::decode(request, &mut translator).unwrap();
            assert_eq!(told(&outcome), told(&translator.finish()), "{name}");

            let points = outcome.total_accepted();
            let new = (store.series() - held) as u64;
            replay.points += points;
            let found = match new {
                0 => &mut replay.at_rest,
                _ if new <= points / 2 => &mut replay.growing,
                _ => continue,
            };
            found.predicted += memory.recognised().expected - before.expected;
            found.points += points;
        }
        for syntax in [Syntax::Text, Syntax::OpenMetrics, Syntax::Protobuf] {
            assert!(scrape(&store, syntax) == scrape(&plain, syntax), "{name}: {syntax:?}");
        }
        replay
    }
}

/// What became of a request, but for the way there.
fn told(outcome: &Outcome) -> impl PartialEq + Debug + use<> {
    let accepted: Vec<_> = outcome.accepted().collect();
    let advised: Vec<_> = outcome.advised().collect();
    (
        accepted,
        outcome.total_refused(),
        advised,
        outcome.ignored,
        outcome.collisions,
        outcome.gaps,
    )
}

fn scrape(store: &Arc<Store>, syntax: Syntax) -> Vec<u8> {
    let style = Style {
        created_lines: true,
        timestamps: true,
        ..Style::default()
    };
    let format = Format {
        syntax,
        style,
        ..Format::default()
    };
    let selection = Selection {
        own: Vec::new(),
        bridged: true,
        source: None,
    };
    let mut scrape = Scrape::new(Arc::clone(store), format, selection, Instant::now());
    let mut out = Vec::new();
    while scrape.next(&mut out, 1 << 16) {}
    assert!(!out.is_empty());
    out
}
