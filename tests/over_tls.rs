//! The tests that hold for any connection, run once more over TLS.

use std::sync::Arc;

use crate::util::{Launch, Server};

#[path = "bodies.rs"]
mod bodies;
#[path = "disconnects.rs"]
mod disconnects;
#[path = "wire.rs"]
mod wire;

fn start(files: &[(&str, &str)]) -> Arc<Server> {
    Launch::new(files).tls().start()
}
