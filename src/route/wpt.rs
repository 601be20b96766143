//! The routes of `wpt serve`.
//!
//! Follows `wpt serve` of January 2026, `tools/serve/serve.py`, `RoutesBuilder` and `get_route_builder`. The routes for test262 and
//! for a few well-known names came later in that year.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;

use super::{Handler, Route, Router, pattern::PatternError, wrapper::WRAPPERS};
use crate::{
    docroot::DocRoot,
    http::{
        text::encode_latin1,
        url::{latin1, urlsplit},
    },
};

/// An entry of the configuration's `aliases`: a directory, or a file in it, that is served under a path of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The path in the URL; with a slash at its end it stands for every path below it, without one for a single file.
    pub url_path: String,
    /// The directory that is served there, or the directory of the file.
    pub local_dir: PathBuf,
}

/// Paths that are allowed although [`FORBIDDEN`] matches them.
const ALLOWED: [(&str, &str, Handler); 2] =
    [("GET", "/tools/runner/*", Handler::File), ("POST", "/tools/runner/update_manifest.py", Handler::Python)];

/// Paths that are 404 for every method, also under an alias.
const FORBIDDEN: [&str; 4] = ["/_certs/*", "/tools/*", "{spec}/tools/*", "/results/"];

/// Python scripts whose names do not end in `.py`, or directories with a `default.py`.
const WELL_KNOWN: [(&str, &str); 14] = [
    ("*", "attribution-reporting/report-event-attribution"),
    ("*", "attribution-reporting/debug/report-event-attribution"),
    ("*", "attribution-reporting/report-aggregate-attribution"),
    ("*", "attribution-reporting/debug/report-aggregate-attribution"),
    ("*", "attribution-reporting/debug/report-aggregate-debug"),
    ("*", "attribution-reporting/debug/verbose"),
    ("GET", "interest-group/permissions/"),
    ("*", "interest-group/real-time-report"),
    ("*", "private-aggregation/*"),
    ("GET", "shared-storage/trusted-origins"),
    ("GET", "web-app-origin-association"),
    ("*", "web-identity"),
    ("*", "device-bound-sessions"),
    ("*", "email-verification"),
];

/// The one rewrite: method, path, and the path that replaces it.
const REWRITE: (&str, &str, &str) = ("GET", "/resources/WebIDLParser.js", "/resources/webidl2/lib/webidl2.js");

/// The new target of a request whose path is rewritten (wptserve 4.0.3, `server.py`, `RequestRewriter.rewrite`). Every property of
/// the request has the new target instead of the old one, except for the request line.
pub fn rewritten(method: &[u8], target: &[u8]) -> Option<Bytes> {
    let (rewrites, from, to) = REWRITE;
    if method != rewrites.as_bytes() || memchr::memmem::find(target, from.as_bytes()).is_none() {
        return None;
    }
    let mut parts = urlsplit(&latin1(target)).ok().filter(|parts| parts.path == from)?;
    parts.path = to.to_owned();
    encode_latin1(&parts.unsplit()).map(Bytes::from)
}

impl Router {
    /// The routes of `wpt serve`. A later alias comes before an earlier one, and every alias comes before the doc root. An alias that
    /// cannot be used is left out, with a line in the log.
    pub fn wpt(aliases: &[Alias]) -> Router {
        let mut mounts = vec![("/".to_owned(), mount("", None))];
        for Alias { url_path, local_dir } in aliases {
            if !url_path.starts_with('/') || local_dir.as_os_str().is_empty() {
                log::error!(
                    "\"url-path\" value must start with '/'. (An alias also needs a \"local-dir\": the alias {url_path:?}, \
                     {local_dir:?} is left out.)"
                );
                continue;
            }
            let (key, routes) = if url_path.ends_with('/') {
                let url_base = url_base(url_path);
                let prefix = if url_base == "/" { "" } else { url_base.as_str() };
                let routes = mount(prefix, Some(DocRoot::mounted(local_dir, &url_base)));
                (url_base, routes)
            } else {
                (url_path.clone(), file(url_path, local_dir.clone()))
            };
            // As in a Python dictionary: the second alias for a path replaces the first, at the first one's position.
            match mounts.iter_mut().find(|(known, _)| *known == key) {
                Some((_, place)) => *place = routes,
                None => mounts.push((key, routes)),
            }
        }
        let mut routes = keep("/", fixed());
        for (url_path, mounted) in mounts.into_iter().rev() {
            routes.extend(keep(&url_path, mounted));
        }
        Router { routes }
    }
}

fn keep(url_path: &str, routes: Result<Vec<Route>, PatternError>) -> Vec<Route> {
    routes.unwrap_or_else(|error| {
        log::error!(
            "the alias {url_path} is left out, because its path is not a valid route: {error}; choose a path without {{, }} and *"
        );
        Vec::new()
    })
}

fn url_base(url_path: &str) -> String {
    match url_path {
        "/" => "/".to_owned(),
        other => format!("/{}/", other.trim_matches('/')),
    }
}

fn fixed() -> Result<Vec<Route>, PatternError> {
    let allowed = ALLOWED.iter().map(|(method, pattern, handler)| Route::new(method, pattern, *handler));
    let forbidden = FORBIDDEN.iter().map(|pattern| Route::new("*", pattern, Handler::Forbidden));
    allowed.chain(forbidden).collect()
}

/// The routes for a directory. `prefix` is put in front of all patterns, also of those that begin with a slash.
fn mount(prefix: &str, root: Option<DocRoot>) -> Result<Vec<Route>, PatternError> {
    let root = root.map(Arc::new);
    let wrappers = WRAPPERS.iter().map(|wrapper| ("GET", format!("*{}", wrapper.suffix), Handler::Wrapper(wrapper)));
    let as_is = [("GET", "*.asis".to_owned(), Handler::AsIs)];
    let well_known = WELL_KNOWN.iter().map(|(method, name)| (*method, format!("/.well-known/{name}"), Handler::Python));
    let others = [("*", "*.py".to_owned(), Handler::Python), ("GET", "*".to_owned(), Handler::File)];
    let all = wrappers.chain(as_is).chain(well_known).chain(others);
    all.map(|(method, pattern, handler)| {
        let route = Route::new(method, &format!("{prefix}{pattern}"), handler)?;
        Ok(Route { mount: root.clone(), injects: true, ..route })
    })
    .collect()
}

/// The route for one file: its name in `local_dir` is the last part of `url_path`.
fn file(url_path: &str, local_dir: PathBuf) -> Result<Vec<Route>, PatternError> {
    let url_base = url_path.rsplit_once('/').map_or_else(|| "/".to_owned(), |(base, _)| format!("{base}/"));
    let route = Route::new("GET", url_path, Handler::File)?;
    Ok(vec![Route { mount: Some(Arc::new(DocRoot::mounted(&local_dir, &url_base))), ..route }])
}

#[cfg(test)]
#[path = "wpt_tests.rs"]
mod tests;
