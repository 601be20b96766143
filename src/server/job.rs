//! Choosing the way to answer a request, in every version of HTTP.

use std::sync::Arc;

use actix_web::web;
use bytes::Bytes;

use super::site::Site;
use crate::{
    content,
    docroot::{DocPath, DocRoot, PathError},
    handover::Routed,
    http::{Reply, Request},
    route::{Handler, Match},
};

/// The way to answer a request, in every version of HTTP.
pub(super) enum Job {
    /// Send this reply.
    Reply(Reply),
    /// Run a script.
    Script(DocPath, Routed),
    /// Serve content without a script; see [`content_reply`].
    Content(Match),
}

/// Finds the handler of a request.
pub(super) fn job(site: &Site, request: &Request) -> Job {
    let Some(found) = site.router.route(&request.head.method, &request.url_parts.path) else {
        return Job::Reply(Reply::error(404, ""));
    };
    if found.handler != Handler::Python {
        return Job::Content(found);
    }
    let (files, seen, inject_script) = place(site, &found);
    match files.resolve(&request.url_parts.path) {
        Ok(script) => {
            let routed = Routed {
                doc_root: Arc::clone(seen.shown()),
                url_base: Arc::clone(seen.url_base()),
                inject_script: inject_script.cloned(),
                groups: found.groups,
            };
            Job::Script(script, routed)
        }
        Err(PathError::NotFound) => Job::Reply(Reply::error(404, "404")),
        Err(PathError::Nul) => Job::Reply(Reply::server_error(&request.url, "ValueError: embedded null byte")),
    }
}

/// Serves content without a script. Calls the file system, so larger content is served off the event loop.
pub(super) async fn content_reply(site: &Arc<Site>, request: Box<Request>, found: Match) -> Reply {
    let at_once = content::serve_at_once(found.handler, &ask(site, &request, &found));
    if let Some(reply) = at_once {
        return reply;
    }
    let site = Arc::clone(site);
    let made = web::block(move || content::serve(found.handler, &ask(&site, &request, &found)));
    made.await.unwrap_or_else(|error| {
        log::error!("a static file could not be served: {error}");
        Reply::error(500, "")
    })
}

fn ask<'a>(site: &'a Site, request: &'a Request, found: &'a Match) -> content::ContentRequest<'a> {
    let (files, seen, inject_script) = place(site, found);
    content::ContentRequest { request, files, seen, config: &site.config, inject_script }
}

/// The files for a route, the directory of `request.doc_root`, and the script for its pages. wptserve's injecting handler hides the
/// alias's directory of the handler inside it.
fn place<'a>(site: &'a Site, found: &'a Match) -> (&'a DocRoot, &'a DocRoot, Option<&'a Bytes>) {
    let files = found.mount.as_deref().unwrap_or(&site.root);
    let script = site.inject_script.as_ref().filter(|_| found.injects);
    (files, if script.is_some() { &site.root } else { files }, script)
}
