//! **wptserve-rs**: one binary that serves a web-platform-tests checkout and runs its Python handlers without Python.
//!
//! # The map of the house
//!
//! A request over HTTP/1 comes from the socket to the room that answers it, and the answer goes back through the encoder:
//!
//! ```text
//! socket ─► server::wire ─► actix App ─► route ─► server::dispatch ─┬─► content  (static files, listings, .asis)
//!                                                                   └─► python   (queue ─► VM thread ─► main())
//! socket ◄─ server::wire ◄─ http::Encoder ◄─────────────────────────────┘
//! ```
//!
//! On a port for HTTP/2 the ends of that road are others: `server::h2` moves bytes between the socket and [`http::h2`],
//! which knows frames, streams and windows, and asks `server::dispatch` what to do for every stream.
//!
//! | room | what it is | what it may name |
//! |---|---|---|
//! | [`http`] | plain values: heads, headers, URLs, cookies, replies and their encoding | nothing of ours |
//! | [`inject`] | a script in front of a page's first content: bytes in, bytes out | nothing of ours |
//! | [`docroot`] | the only way from a URL path to a file | `http` |
//! | [`stash`] | the store behind `request.server.stash`: plain data | nothing of ours |
//! | [`websocket`] | frames, close codes, and which file handles which resource: plain data | nothing of ours |
//! | [`handover`] | what passes between a connection and a handler's thread: events, answers, the sending side of a socket | `http`, `stash`, `websocket` |
//! | [`route`] | pure: method and path to the kind of handler | `http`, `docroot` |
//! | [`pipes`] | `?pipe=` and `.sub.`: substitution, trickling, slicing | `http`, `docroot` |
//! | [`content`] | files, ranges, listings, pages around scripts | `http`, `inject`, `docroot`, `route`, `pipes` |
//! | [`tls`] | keys and certificates: read, checked, minted; what rustls needs | nothing of ours |
//! | [`config`] | what to serve and where, checked | `http`, `docroot`, `route`, `stash`, `tls`, `handover` (what handlers see of the server, the import policy) |
//! | [`python`] | the only room that names RustPython: interpreter, thread pool, imports, native classes | `http`, `inject`, `docroot`, `stash`, `websocket`, `handover`, `pipes` |
//! | [`server`] | the only room that names actix: listeners, the wire, dispatch | all of the above |
//! | [`cli`] | the command line, the log, the exit code; the last place that knows flags | all of the above |
//!
//! A test (`tests/layers`) reads the sources, keeps the third column true, and fails when modules name each other in a circle, in
//! whatever room. [`python`] has a table of the same kind for what is inside.

pub mod cli;
pub mod config;
pub mod content;
pub mod docroot;
pub mod handover;
pub mod http;
pub mod inject;
pub mod pipes;
pub mod python;
pub mod route;
pub mod server;
pub mod stash;
pub mod tls;
pub mod websocket;
