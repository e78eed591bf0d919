//! The `meterbridge` command.
fn main() {}
