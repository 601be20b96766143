//! The integration tests: one crate, a line a module.

mod cases; // fixtures/cases: requests and the answers of wptserve 4.0.3
