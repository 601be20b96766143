//! The `wptserve` binary.
fn main() {}
