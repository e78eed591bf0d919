//! What is recognised comes to what is read, request after request, each with its length of two bytes in front and sent twice.

#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use meterbridge::api::scrape::{Scrape, Selection};
use meterbridge::exposition::{Escaping, Format, Syntax};
use meterbridge::otlp::{self, Encoding};
use meterbridge::store::{Limits, Store};
use meterbridge::translate::{self, Arrival, Memory, Rules, Translator};

fuzz_target!(|bytes: &[u8]| {
    let now = Instant::now();
    let (plain, quick) = (bridge(now), bridge(now));
    let (rules, memory) = (Rules::default(), Memory::default());
    for (second, request) in (0..).zip(requests(bytes)) {
        for _ in 0..2 {
            let arrival = Arrival {
                instant: now + Duration::from_secs(second),
                unix_nano: second * 1_000_000_000,
            };
            let mut translator = Translator::new(&plain, &rules, arrival);
            let read = otlp::decode(request, &mut translator).map(|()| translator.finish());
            let recognised = translate::request(&quick, &rules, &memory, arrival, Encoding::Protobuf, request);
            assert_eq!(format!("{read:?}"), format!("{recognised:?}"));
            assert_eq!(scrape(&plain, now), scrape(&quick, now));
        }
    }
});

fn bridge(now: Instant) -> Arc<Store> {
    // So few that the limits are met.
    let limits = Limits {
        series: 20,
        ..Limits::default()
    };
    Arc::new(Store::new(limits, now))
}

fn requests(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (request, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        bytes = rest;
        Some(request)
    })
}

fn scrape(store: &Arc<Store>, now: Instant) -> String {
    let format = Format {
        syntax: Syntax::OpenMetrics2,
        escaping: Escaping::AllowUtf8,
        ..Format::default()
    };
    let selection = Selection {
        own: Vec::new(),
        bridged: true,
        source: None,
    };
    let mut scrape = Scrape::new(Arc::clone(store), format, selection, now);
    let mut text = Vec::new();
    while scrape.next(&mut text, 1 << 16) {}
    String::from_utf8(text).expect("an exposition is text")
}
