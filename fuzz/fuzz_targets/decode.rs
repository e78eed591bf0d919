//! The decoder reads what the generated types read.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/conformance/generated.rs"]
mod generated;

fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = generated::compare(bytes) {
        panic!("{difference}");
    }
});
