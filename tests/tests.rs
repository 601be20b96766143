//! The integration tests: one crate, with a line for each module. The recorded answers are another crate, tests/cases.rs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::duplicate_mod,
    reason = "a test says that it failed by panicking, and prints what it has measured"
)]

mod aliases; // aliases for directories and files: what handlers, templates and listings see there
mod bodies; // request bodies: lazy, chunked, unread, large
mod bounds; // what one client may take, and all together: what it gets when that is too much
mod cli; // flags, exit codes, messages, the ready file, closed pipes
mod cycles; // what handlers tie into reference cycles is freed
mod deadlines; // handlers that never end: their time is up, or their client has disconnected
mod descriptors; // no more files can be opened
mod disconnects; // clients that go in mid-stream, and slow ones
mod docs; // links of the documentation, and whether every page can be reached
mod faults; // recursion, exits, memory, endless loops, descriptors, signals
mod h2; // HTTP/2: the protocol's rules, flow control, floods
mod handlers; // return forms, the writer, errors and their JSON
mod imports; // the import provider: rules, messages, policies, reloading, isolation
mod injection; // --inject-script: which answers get it
mod interpreter; // RustPython's mistakes are put right wherever handlers meet them
mod layers; // the rooms of src/ that each room may name
mod lengths; // answers have the length that they announce, or the connection ends
mod malformed; // bad input of every kind is answered
mod never_wait; // every handler's client gets an answer or the end of the connection
mod output; // the output of handlers is in the server's log
mod over_tls; // wire, bodies and disconnects again, encrypted
mod pipes; // ?pipe=: timing and cost of trickles, endless ones
mod replaced; // methods that handlers replace on their own response and writer
mod safety; // no path leads out of the doc root; symbolic links are followed
mod smuggling; // requests that two readers could end in different places
mod style; // the style rules that rustfmt and clippy do not know
mod supervisor; // crashes, hangs, renewals, signals, limits: the ports stay open
mod tls; // handshakes: late, none at all, after a CONNECT; certificates as clients see them
mod websocket; // connections at once, TLS, files, faults
mod wire; // HTTP/1 on the socket: heads, framing, pipelining, keep-alive, bodies, odd targets

mod util; // the server process, a temporary doc root, and a client that sends and reads raw bytes

/// A server for modules that [`over_tls`] runs once more.
fn start(files: &[(&str, &str)]) -> std::sync::Arc<util::Server> {
    util::Server::start(files)
}
