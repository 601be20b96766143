//! The integration tests: one crate, a line a module. Each starts the real binary and talks to it over sockets.

mod bodies; // request bodies: lazy, chunked, unread, large
mod disconnects; // clients that go in mid-stream, and slow ones
mod faults; // recursion, exits, memory, endless loops, descriptors, signals
mod imports; // the import provider: rules, messages, policies, reloading, isolation
mod wire; // HTTP/1 on the socket: heads, framing, pipelining, keep-alive, bodies, odd targets

mod util; // the server process, a temporary doc root, and a client that sends and reads raw bytes
