use std::fmt::Write;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;

use super::Gzip;

/// The lengths go round.
fn compressed(text: &[u8], lengths: &[usize]) -> Vec<u8> {
    let mut gzip = Gzip::new();
    let mut out = Vec::new();
    let mut rest = text;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        out.extend(gzip.write(piece));
        rest = behind;
    }
    out.extend(gzip.finish());
    out
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

fn check(text: &[u8], lengths: &[usize]) -> usize {
    let bytes = compressed(text, lengths);
    assert!(
        decompressed(&bytes) == text,
        "{} bytes in pieces of {lengths:?}",
        text.len()
    );
    // Fixed codes have nine bits at most, and no match has more than the bytes that it stands for.
    assert!(
        bytes.len() <= text.len() / 8 * 9 + text.len() / 4096 + 32,
        "{} of {}",
        bytes.len(),
        text.len()
    );
    bytes.len()
}

/// Numbers that look random, and are always the same ones.
fn numbers(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        seed = seed
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        seed ^ (seed >> 32)
    })
}

/// Ten series of each resource, a third of them with values of many digits.
fn counters(lines: usize) -> String {
    let mut numbers = numbers(1);
    let mut next = || numbers.next().unwrap();
    let mut text =
        "# HELP http_server_requests_total What was asked\n# TYPE http_server_requests_total counter\n".to_owned();
    for resource in 0..lines / 10 {
        let instance = format!("{:08x}-{:04x}-4af3-{:012x}", next() as u32, next() as u16, next() >> 16);
        for point in 0..10 {
            write!(
                text,
                "http_server_requests_total{{job=\"shop/service-{:03}\",instance=\"{instance}\",http_request_method=\"{}\",\
                 http_response_status_code=\"{}\",http_route=\"/api/v1/{}\",network_protocol_version=\"1.1\",\
                 server_address=\"service-{:03}.shop.internal.example.com\",url_scheme=\"https\"}} ",
                resource / 10,
                ["GET", "POST", "PUT", "DELETE"][point % 4],
                [200, 201, 204, 400, 404, 500][point * 5 % 6],
                ["orders", "orders/{id}", "customers", "customers/{id}/addresses", "products"][point / 2],
                resource / 10,
            )
            .unwrap();
            match point % 3 {
                0 => writeln!(text, "{}", (next() >> 11) as f64 / 1e9).unwrap(),
                _ => writeln!(text, "{}", next() % 10_000_000).unwrap(),
            }
        }
    }
    text
}

#[test]
fn what_goes_in_comes_out() {
    let random: Vec<u8> = numbers(2).map(|number| number as u8).take(300_000).collect();
    let all_bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let line = format!("{}\n", "x".repeat(700));
    let periods = |length: usize| -> Vec<u8> { random[..length].iter().copied().cycle().take(150_000).collect() };
    for text in [
        b"" as &[u8],
        b"a",
        b"\n",
        b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
        b"} 1\n} 1\n} 1\n} 1\n} 1\n} 1\n} 1\n",
        b"a 1\na 2\nb 1\n",
        &[0; 1_000_000],
        &random,
        &all_bytes,
        line.repeat(500).as_bytes(),
        // As far back as a match may be, and a byte further.
        &periods(32 << 10),
        &periods((32 << 10) + 1),
        counters(3000).as_bytes(),
    ] {
        for lengths in [[usize::MAX].as_slice(), &[64 << 10], &[100_000, 1, 3], &[7]] {
            check(text, lengths);
        }
        if text.len() < 10_000 {
            check(text, &[1]);
        }
    }
}

#[test]
fn a_scrape_becomes_less_than_a_fourteenth() {
    let text = counters(10_000);
    for lengths in [[usize::MAX].as_slice(), &[64 << 10], &[100]] {
        let length = check(text.as_bytes(), lengths);
        assert!(
            length * 14 < text.len(),
            "{} becomes {length} in pieces of {lengths:?}",
            text.len()
        );
    }
}

#[test]
fn the_header_is_there_at_once() {
    let mut gzip = Gzip::new();
    assert_eq!(gzip.write(b"a"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
    assert!(gzip.write(b"b").is_empty());
}

/// Lines that are alike in some ways, some of them no lines at all.
fn lines() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("0".to_owned()),
        "[0-9]{1,7}",
        "[0-9]{1,3}\\.[0-9]{1,17}",
        "[ }\"\n]{0,5}"
    ];
    let line = (0..3_usize, 0..4_usize, "[a-c]{1,9}", value).prop_map(|(name, label, other, value)| {
        let name = ["requests_total", "duration_seconds_bucket", "# HELP x"][name];
        let label = ["a", "some_longer_value", "/api/{id} /x", "\u{e4}"][label];
        format!("{name}{{job=\"shop\",label=\"{label}\",other=\"{other}\",le=\"+Inf\"}} {value}\n")
    });
    vec(line, 0..400).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_come_out_again(text in vec(any::<u8>(), 0..20_000), lengths in vec(1..5000_usize, 1..8)) {
        check(&text, &lengths);
    }

    #[test]
    fn few_kinds_of_bytes_come_out_again(
        text in vec(prop::sample::select(b"ab\n} 1".as_slice()), 0..20_000),
        lengths in vec(1..5000_usize, 1..8),
    ) {
        check(&text, &lengths);
    }

    #[test]
    fn lines_come_out_again(text in lines(), times in 1..20_usize, lengths in vec(1..100_000_usize, 1..8)) {
        check(text.repeat(times).as_bytes(), &lengths);
    }
}
