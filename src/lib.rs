//! **wptserve-rs**: one binary that serves a web-platform-tests checkout and runs its Python handlers without Python.
//!
//! # The map
//!
//! The path of a request over HTTP/1, and of its answer:
//!
//! ```text
//! socket ─► server::wire ─► actix App ─► server::dispatch ─► server::job ─┬─► content  (static files, listings, .asis)
//!                                                              └ route    └─► python   (queue ─► VM thread ─► main())
//! socket ◄─ server::wire ◄─ http::Encoder ◄───────────────────────────────────┘
//! ```
//!
//! On a port for HTTP/2, `server::h2` stands at both ends instead of `server::wire`: it moves bytes between the socket and
//! [`http::h2`], which handles frames, streams and windows, and asks `server::job` for the handler of every stream.
//!
//! | room | contents | rooms that it may name |
//! |---|---|---|
//! | [`http`] | plain values: heads, headers, URLs, cookies, replies and their encoding; what clients may take | nothing of ours |
//! | [`docroot`] | the only way from a URL path to a file, but for WebSocket handlers | `http` |
//! | [`cancel`] | the run of a handler as other threads know it, how they end it, and waits that end with it | nothing of ours |
//! | [`stash`] | the store behind `request.server.stash`, in this process or in another one: plain data | nothing of ours |
//! | [`supervisor`] | the process that the user starts: it runs the server in a child, and replaces a child that dies, hangs or grows | `stash` |
//! | [`websocket`] | frames, close codes, and the search for the file that handles a resource | nothing of ours |
//! | [`handover`] | the types that pass between a connection and a handler's thread: events, answers, the sending side of a socket | `cancel`, `http`, `stash`, `websocket` |
//! | [`route`] | pure: method and path to the kind of handler | `http`, `docroot` |
//! | [`pipes`] | what changes an answer: `?pipe=` and `.sub.` (substitution, trickling, slicing), the script of `--inject-script` | `http`, `docroot` |
//! | [`content`] | files, ranges, listings, pages around scripts | `http`, `docroot`, `route`, `pipes` |
//! | [`tls`] | keys and certificates: read, checked, made; the settings of rustls | nothing of ours |
//! | [`config`] | the checked configuration | `http`, `docroot`, `route`, `stash`, `supervisor`, `tls`, `handover` (the configuration for handlers, the import policy) |
//! | [`python`] | the only room that names RustPython: interpreter, thread pool, imports, native classes | `cancel`, `http`, `docroot`, `stash`, `supervisor`, `websocket`, `handover`, `pipes` |
//! | [`server`] | the only room that names actix: listeners, the wire, dispatch | all of the above |
//! | [`cli`] | the command line, the log, the exit code; the only room besides `config` that knows flags | all of the above |
//!
//! A test (`tests/layers`) reads the sources, keeps the third column true, and fails when modules name each other in a circle, in
//! whatever room. The larger rooms have a table of the same kind for what is inside, in the documentation of their `mod.rs`.

pub mod cancel;
pub mod cli;
pub mod config;
pub mod content;
pub mod docroot;
pub mod handover;
pub mod http;
pub mod pipes;
pub mod python;
pub mod route;
pub mod server;
pub mod stash;
pub mod supervisor;
pub mod tls;
pub mod websocket;
