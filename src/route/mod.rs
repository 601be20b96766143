//! Which handler serves a request, by its method and path.
//!
//! Follows wptserve 4.0.3, `router.py`, for the choice, and `wpt serve` of January 2026, `tools/serve/serve.py`, for the routes.
//! Pure: it knows what kind of handler to run, not how, and looks at no file.

pub(crate) mod pattern;
mod wpt;
mod wrapper;

use std::sync::Arc;

use pattern::Pattern;
pub use pattern::PatternError;
pub use wpt::{Alias, rewritten};
pub use wrapper::{Dialect, Replace, Wrapper};

use crate::docroot::DocRoot;

/// What runs for a request.
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
    /// Nothing: 404, whatever lies there.
    Forbidden,
}

/// A route that fits.
#[derive(Clone, Debug)]
pub struct Match {
    /// What to run.
    pub handler: Handler,
    /// wptserve's `request.route_match`: the named groups in order, then `*` if the pattern has a star.
    pub groups: Vec<(String, String)>,
    /// The directory of the alias that the route belongs to; the doc root of the server if there is none.
    pub mount: Option<Arc<DocRoot>>,
    /// Whether `--inject-script` works on what the handler answers.
    pub injects: bool,
}

impl Match {
    /// A file of the doc root, whatever the routes say.
    pub fn file() -> Match {
        Match { handler: Handler::File, groups: Vec::new(), mount: None, injects: false }
    }
}

#[derive(Clone, Debug)]
struct Route {
    /// `None` fits every method.
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
    /// The first route that fits. `path` is still percent-encoded.
    pub fn route(&self, method: &[u8], path: &str) -> Option<Match> {
        self.routes.iter().filter(|route| route.takes(method)).find_map(|route| {
            let groups = route.pattern.match_path(path)?;
            Some(Match { handler: route.handler, groups, mount: route.mount.clone(), injects: route.injects })
        })
    }
}

impl Route {
    /// The method `*` fits every method, and `GET` fits HEAD as well.
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
