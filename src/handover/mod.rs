//! The types that pass between a connection and a handler's thread: events and answers, the sending side of a socket, and plain
//! descriptions of a request, a WebSocket and the server.
//!
//! The room names neither RustPython nor actix. A crossing is a pair of ends; `server` holds one, `python` the other: [`Http1Link`] and
//! [`Http1Events`] for a request over HTTP/1, [`H2Link`] and [`H2Events`] for a stream of HTTP/2, [`Socket`] and [`Session`] for a
//! WebSocket. The ends in `python` block the thread that calls them.

mod environment;
mod link;
mod on_panic;
mod opening;
mod outlet;
mod socket;
mod stream;

pub use environment::{Environment, HandlerLimits, ImportPolicy, NotStarted, Routed};
pub use link::{Http1Event, Http1Events, Http1Link, Last};
pub use on_panic::OnPanic;
pub use opening::{Handshake, Opening};
pub use outlet::Outlet;
pub use socket::{Command, Frame, FrameError, Presence, Read, Session, Socket};
pub use stream::{Closing, H2Event, H2Events, H2Link};
