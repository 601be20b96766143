//! Routes: the choice of the handler for a request, by its method and path.
//!
//! Follows wptserve 4.0.3, `router.py`, for the choice, and `wpt serve` of January 2026, `tools/serve/serve.py`, for the routes.
//! Pure: a route names the kind of handler, but this room neither runs a handler nor looks at a file.

pub(crate) mod pattern;
mod wpt;
mod wrapper;

use std::sync::Arc;

use pattern::Pattern;
pub use pattern::PatternError;
pub use wpt::{Alias, rewritten};
pub use wrapper::{Dialect, Replace, Wrapper};

use crate::docroot::DocRoot;

/// The kind of handler that answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// A Python script with a `main` function.
    Python,
    /// A file that holds a whole response.
    AsIs,
    /// A file, or the listing of a directory.
    File,
    /// A page made for a test that is only a script.
    Wrapper(&'static Wrapper),
    /// No handler: 404, even if a file exists.
    Forbidden,
}

/// A route that matches a request.
#[derive(Clone, Debug)]
pub struct Match {
    /// The handler to run.
    pub handler: Handler,
    /// wptserve's `request.route_match`: the named groups in order, then `*` if the pattern has a star.
    pub groups: Vec<(String, String)>,
    /// The directory of the alias that the route belongs to; the doc root of the server if there is none.
    pub mount: Option<Arc<DocRoot>>,
    /// Whether `--inject-script` changes the handler's answer.
    pub injects: bool,
}

impl Match {
    /// A file of the doc root, without a look at the routes.
    pub fn file() -> Match {
        Match { handler: Handler::File, groups: Vec::new(), mount: None, injects: false }
    }
}

#[derive(Clone, Debug)]
struct Route {
    /// `None` matches every method.
    method: Option<String>,
    pattern: Pattern,
    handler: Handler,
    mount: Option<Arc<DocRoot>>,
    injects: bool,
}

/// The routes of a server, in the order they are tried.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
}

impl Router {
    /// The first route that matches. `path` is still percent-encoded.
    pub fn route(&self, method: &[u8], path: &str) -> Option<Match> {
        self.routes.iter().filter(|route| route.takes(method)).find_map(|route| {
            let groups = route.pattern.match_path(path)?;
            Some(Match { handler: route.handler, groups, mount: route.mount.clone(), injects: route.injects })
        })
    }
}

impl Route {
    /// The method `*` matches every method, and `GET` matches HEAD as well.
    fn new(method: &str, pattern: &str, handler: Handler) -> Result<Route, PatternError> {
        let method = (method != "*").then(|| method.to_owned());
        Ok(Route { method, pattern: Pattern::compile(pattern)?, handler, mount: None, injects: false })
    }

    fn takes(&self, method: &[u8]) -> bool {
        match &self.method {
            None => true,
            Some(own) => own.as_bytes() == method || (own == "GET" && method == b"HEAD"),
        }
    }
}
