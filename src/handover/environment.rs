//! The input of the interpreter at its start, and the error when it does not start.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::stash::{Local, Stash};

/// What handlers see of the server, apart from their request.
#[derive(Debug)]
pub struct Environment {
    /// `request.server.config`, as JSON.
    pub config: serde_json::Value,
    /// `request.server.stash`.
    pub stash: Arc<dyn Stash>,
}

impl Default for Environment {
    fn default() -> Self {
        Self { config: serde_json::Value::Null, stash: Arc::new(Local::default()) }
    }
}

/// The router's result for a request to a handler.
#[derive(Debug, Clone, Default)]
pub struct Routed {
    /// `request.route_match`.
    pub groups: Vec<(String, String)>,
    /// `request.doc_root`.
    pub doc_root: Arc<str>,
    /// `request.url_base`.
    pub url_base: Arc<str>,
    /// The script that goes into every page.
    pub inject_script: Option<Bytes>,
}

/// The rule for imports from a package directory without `__init__.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportPolicy {
    /// The import fails with a message that names the file to create.
    #[default]
    Strict,
    /// The import works as a namespace package does in CPython; one warning per package.
    Warn,
}

/// How long handlers may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandlerLimits {
    /// A handler that has run for this long is ended; no limit without it.
    pub handler_timeout: Option<Duration>,
    /// A handler is ended this long after its client has disconnected; it is not ended for that without it.
    pub client_gone_grace: Option<Duration>,
    /// A handler that is still running this long after it was told to end cannot be ended from inside the process.
    pub handler_kill: Duration,
}

impl Default for HandlerLimits {
    fn default() -> Self {
        Self {
            handler_timeout: None,
            client_gone_grace: Some(Duration::from_secs(60)),
            handler_kill: Duration::from_secs(30),
        }
    }
}

/// The interpreter did not start; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Python interpreter does not start: {0}")]
pub struct NotStarted(pub String);
