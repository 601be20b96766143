//! The threads and the clock of the pool. The models in `tests/models` put their own in this place.

pub(super) use std::{
    thread::{self, Thread, ThreadId},
    time::Instant,
};
