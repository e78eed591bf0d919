use std::sync::Arc;
use std::time::Instant;

use meterbridge::api::scrape::{Scrape, Selection};
use meterbridge::exposition::Format;
use meterbridge::otlp::Encoding;
use meterbridge::store::{Limits, Store};
use meterbridge::translate::{self, Arrival, Memory, Rules};

use super::{Mix, Order, POINTS};

/// A bridge without its edges.
pub struct Bridge {
    pub store: Arc<Store>,
    rules: Rules,
    memory: Memory,
    now: Instant,
}

impl Bridge {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            store: Arc::new(Store::new(Limits::default(), now)),
            rules: Rules::default(),
            memory: Memory::default(),
            now,
        }
    }

    /// One that holds so many series.
    pub fn with(mix: Mix, series: usize) -> Self {
        let bridge = Self::new();
        for request in super::requests(mix, Order::Prost, series, 0) {
            bridge.take(&request);
        }
        assert_eq!(bridge.store.series(), series);
        bridge
    }

    /// Takes in a request of `POINTS` points.
    pub fn take(&self, request: &[u8]) {
        self.take_as(Encoding::Protobuf, request);
    }

    pub fn take_as(&self, encoding: Encoding, request: &[u8]) {
        let arrival = Arrival {
            instant: self.now,
            unix_nano: 0,
        };
        let outcome = translate::request(&self.store, &self.rules, &self.memory, arrival, encoding, request);
        assert_eq!(outcome.expect("it is a request").total_accepted(), POINTS as u64);
    }

    /// Writes everything into the same buffer, piece by piece; how many bytes.
    pub fn scrape(&self, format: Format, piece: &mut Vec<u8>) -> usize {
        let selection = Selection {
            own: Vec::new(),
            bridged: true,
            source: None,
        };
        let mut scrape = Scrape::new(Arc::clone(&self.store), format, selection, self.now);
        let mut length = 0;
        loop {
            piece.clear();
            let more = scrape.next(piece, 256 << 10);
            length += piece.len();
            if !more {
                return length;
            }
        }
    }
}
