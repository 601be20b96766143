//! The integration tests: one crate, a line a module.
