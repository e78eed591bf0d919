//! What a scrape costs beside the socket: `cargo bench --bench render`.
//!
//! A row writes all series that are held, in pieces, into a buffer that is used again. `copy` copies as many bytes as the text has
//! to the same buffer, which is as fast as memory is.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first thing that is not as expected"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use meterbridge::exposition::{Escaping, Format, Syntax};

mod input;

use input::{Bridge, Mix};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

fn format(syntax: Syntax) -> Format {
    Format {
        syntax,
        escaping: Escaping::AllowUtf8,
        ..Format::default()
    }
}

fn render(bencher: Bencher<'_, '_>, mix: Mix, series: usize, syntax: Syntax) {
    let bridge = Bridge::with(mix, series);
    let mut piece = Vec::new();
    let length = bridge.scrape(format(syntax), &mut piece);
    bencher
        .counter(ItemsCount::new(series))
        .counter(BytesCount::new(length))
        .bench_local(|| black_box(bridge.scrape(format(syntax), &mut piece)));
}

const SYNTAXES: [Syntax; 4] = [
    Syntax::Text,
    Syntax::OpenMetrics,
    Syntax::OpenMetrics2,
    Syntax::Protobuf,
];

fn rows(series: [usize; 3]) -> impl Iterator<Item = (Syntax, usize)> {
    SYNTAXES
        .into_iter()
        .flat_map(move |syntax| series.map(|series| (syntax, series)))
}

#[divan::bench(args = SIZES, sample_size = 1, sample_count = 11)]
fn copy(bencher: Bencher<'_, '_>, series: usize) {
    let length = Bridge::with(Mix::Numbers, series).scrape(format(Syntax::Text), &mut Vec::new());
    let (text, mut piece) = (vec![b'x'; length], Vec::new());
    bencher.counter(BytesCount::new(length)).bench_local(|| {
        for from in black_box(&text).chunks(256 << 10) {
            piece.clear();
            piece.extend_from_slice(from);
            black_box(&mut piece);
        }
    });
}

#[divan::bench(args = rows(SIZES), sample_size = 1, sample_count = 11)]
fn numbers(bencher: Bencher<'_, '_>, (syntax, series): (Syntax, usize)) {
    render(bencher, Mix::Numbers, series, syntax);
}

#[divan::bench(args = rows([10_000, 50_000, 200_000]), sample_size = 1, sample_count = 11)]
fn mixed(bencher: Bencher<'_, '_>, (syntax, series): (Syntax, usize)) {
    render(bencher, Mix::Mixed, series, syntax);
}
