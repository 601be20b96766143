//! The site that is served on one port, and the settings of every port.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    docroot::DocRoot,
    http::{Scheme, bounds::Bounds},
    python::Python,
    route::Router,
    websocket::Handlers,
};

/// How long a closing connection waits for the client to close its side.
pub(super) const DISCONNECT: Duration = Duration::from_secs(1);
/// The beginning of the target of a log line about a port; the port's name follows.
pub const PORT_TARGET: &str = "wptserve::port::";

/// The site that is served on one port.
pub struct Site {
    /// The port's name in the log: "http-local on port 8002".
    pub name: String,
    /// The scheme of the port, as `request.url` shows it.
    pub scheme: Scheme,
    /// The host of `request.url` when the request names none.
    pub host: Arc<str>,
    /// The port, likewise.
    pub port: u16,
    /// The files.
    pub root: DocRoot,
    /// The configuration, as templates see it.
    pub config: Arc<serde_json::Value>,
    /// How long every answer waits.
    pub latency: Duration,
    /// The script that goes into every page, the content of the file that `--inject-script` names.
    pub inject_script: Option<Bytes>,
    /// The routes.
    pub router: Router,
    /// Runs the handlers.
    pub python: Arc<Python>,
    /// The directories of the WebSocket handlers; `None` on a port without WebSockets.
    pub ws: Option<Handlers>,
    /// What clients may take.
    pub bounds: Arc<Bounds>,
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}
