//! How handlers that go wrong are noticed from outside, and what is freed after them.

pub(super) mod heartbeat;
pub(super) mod recovery;
