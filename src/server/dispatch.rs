//! From one request on a connection to the bytes of its answer: route, run, write.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::{
    PORT_TARGET, Site, websocket,
    wire::{After, Answer, Connection},
};
use crate::{
    content,
    docroot::{DocPath, DocRoot, PathError},
    handover::{Event, Events, Last, Routed},
    http::{Body, Delivery, Encoder, Head, Outcome, Reply, Request, Trickle, shortage, trickle::Step},
    route::{self, Handler, Match},
};

/// The bytes of a file that are read at a time.
const FILE_CHUNK: usize = 256 * 1024;

/// The actix service of the HTTP ports.
pub(super) async fn dispatch(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    serve(request, |head, connection| plan(head, connection, site.into_inner())).await
}

/// The actix service of the WebSocket ports.
pub(super) async fn dispatch_websocket(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let plan = |head, connection| -> Answer {
        Box::pin(async move { websocket::answer(head, &connection, site.into_inner()).await })
    };
    serve(request, plan).await
}

/// Begins to answer one request. The wire drops the response that this returns, except for its keep-alive flag.
async fn serve(request: HttpRequest, plan: impl FnOnce(Head, Connection) -> Answer) -> HttpResponse {
    // Every request has both, because the wire has stored them before actix saw a byte.
    if let Some(connection) = request.conn_data::<Connection>()
        && let Some(head) = connection.take_head()
        && connection.begin(plan(head, connection.clone())).await == After::KeepAlive
    {
        return HttpResponse::Ok().finish();
    }
    HttpResponse::Ok().force_close().finish()
}

/// Plans the answer to a request, without waiting.
fn plan(mut head: Head, connection: Connection, site: Arc<Site>) -> Answer {
    let line_too_long = head.line_too_long;
    let is_head = head.method == "HEAD";
    if let Some(target) = route::rewritten(&head.method, &head.target) {
        head.target = target;
    }
    let request = match Request::new(head, site.scheme, site.host.clone(), site.port, connection.peer()) {
        Ok(request) => Box::new(request),
        Err(error) => {
            // wptserve would drop the request without an answer; this server answers with the cause.
            log::warn!("refused a request: {error}");
            return last(connection, is_head, Reply::error(error.status(), &error.to_string()));
        }
    };
    // wptserve 4.0.3, server.py, finish_handling_h1: CONNECT first, then the long line, then the router.
    if request.head.method == "CONNECT" {
        return Box::pin(async move { connect(&connection).await });
    }
    if line_too_long {
        return last(connection, is_head, Reply::error(414, ""));
    }
    log::debug!(
        target: &format!("{PORT_TARGET}{}", site.name),
        "{} {}",
        String::from_utf8_lossy(&request.head.method),
        request.url_parts.path
    );
    if site.latency.is_zero() {
        return routed(request, connection, site);
    }
    Box::pin(async move {
        pause(site.latency).await;
        routed(request, connection, site).await
    })
}

/// An answer that is this reply, after which the connection closes.
fn last(connection: Connection, is_head: bool, made: Reply) -> Answer {
    Box::pin(async move {
        let _ = reply(&connection, is_head, made).await;
        After::Close
    })
}

/// An answer that is this reply. The connection stays open afterwards if the reply allows it.
fn reply_with(connection: Connection, is_head: bool, made: Reply) -> Answer {
    Box::pin(async move { reply(&connection, is_head, made).await.unwrap_or(After::Close) })
}

async fn connect(connection: &Connection) -> After {
    let connected = async {
        let (head, _) = Encoder::reply(&Reply::new(200, Body::None));
        connection.write(&head).await?;
        connection.encrypt().await
    };
    match connected.await {
        Ok(()) => After::KeepAlive,
        Err(error) => {
            log::debug!("a CONNECT ended the connection: {error}");
            After::Close
        }
    }
}

fn routed(request: Box<Request>, connection: Connection, site: Arc<Site>) -> Answer {
    let is_head = request.is_head();
    match job(&site, &request) {
        Job::Reply(made) => reply_with(connection, is_head, made),
        Job::Script(script, routed) => run_script(connection, &site, request, script, routed),
        Job::Content(found) => {
            Box::pin(async move { serve_content(&connection, &site, request, found).await.unwrap_or(After::Close) })
        }
    }
}

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

/// Serves a file, a listing or other content without a script.
pub(super) async fn serve_content(
    connection: &Connection,
    site: &Arc<Site>,
    request: Box<Request>,
    found: Match,
) -> io::Result<After> {
    let is_head = request.is_head();
    reply(connection, is_head, content_reply(site, request, found).await).await
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

/// Writes a complete reply.
pub(super) async fn reply(connection: &Connection, is_head: bool, reply: Reply) -> io::Result<After> {
    pause(reply.wait).await;
    let (head, close) = Encoder::reply(&reply);
    let mut sent = Sent::new(is_head, close);
    sent.feed(&head);
    match reply.body {
        // The bytes of an .asis file are sent for HEAD as well, as by wptserve's AsIsHandler.
        Body::Raw(file) => send_file(connection, head, file, u64::MAX, &mut sent).await?,
        Body::File(file, size) if !is_head => {
            // If the client knows the length, bytes that are appended to the file meanwhile do not belong to the answer.
            let most = if close || size == 0 { u64::MAX } else { size };
            send_file(connection, head, file, most, &mut sent).await?;
        }
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) if !is_head => {
            sent.feed(&bytes);
            connection.write_and(sent.after(), &[head, bytes].concat()).await?;
        }
        Body::Trickle(trickle) if !is_head => {
            connection.write(&head).await?;
            let is_whole = send_trickle(connection, trickle, |bytes| sent.feed(bytes)).await?;
            return Ok(if is_whole { sent.after() } else { After::Close });
        }
        Body::None | Body::Bytes(_) | Body::ReadFile(_) | Body::File(..) | Body::Multipart(_) | Body::Trickle(_) => {
            connection.write_and(sent.after(), &head).await?
        }
    }
    Ok(sent.after())
}

/// The bytes of an answer that have been sent: the connection stays open only if they are exactly the announced ones.
struct Sent {
    is_closing: bool,
    delivery: Delivery,
}

impl Sent {
    fn new(is_head: bool, is_closing: bool) -> Self {
        Self { is_closing, delivery: Delivery::new(is_head) }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if !self.is_closing {
            self.delivery.feed(bytes);
        }
    }

    fn after(&self) -> After {
        if !self.is_closing && self.delivery.outcome() == Outcome::Whole { After::KeepAlive } else { After::Close }
    }
}

/// Waits, unless the time is zero.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Sends content part by part, with its pauses. False if the content has not ended.
async fn send_trickle(connection: &Connection, trickle: Trickle, mut note: impl FnMut(&[u8])) -> io::Result<bool> {
    for step in trickle {
        match step {
            Step::Wait(time) => pause(time).await,
            Step::Send(bytes) => {
                note(&bytes);
                connection.write(&bytes).await?;
            }
            Step::Fail(cause) => {
                // wptserve stops here without a message and leaves the connection open.
                log::error!("a trickle pipe broke off: {cause}");
                return Ok(false);
            }
            Step::Stall => {
                log::error!(
                    "a trickle pipe never comes to the end of its content: give its last r a d or a number to repeat"
                );
                connection.closed_by_client().await;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Sends a head and then at most `most` bytes of a file, piece by piece; a small file is sent in one piece with the head.
async fn send_file(connection: &Connection, head: Bytes, file: File, most: u64, sent: &mut Sent) -> io::Result<()> {
    let (mut file, mut left) = (file, most);
    let mut buffer = head.to_vec();
    loop {
        let most = left.min(FILE_CHUNK as u64);
        let read = web::block(move || {
            let before = buffer.len();
            let result = (&mut file).take(most).read_to_end(&mut buffer);
            result.map(|_| (before, file, buffer))
        });
        let (before, next_file, next_buffer) = read.await.map_err(io::Error::other)??;
        let content = next_buffer.get(before..).unwrap_or_default();
        sent.feed(content);
        left = left.saturating_sub(content.len() as u64);
        let done = content.is_empty() || left == 0;
        connection.write(&next_buffer).await?;
        if done {
            return Ok(());
        }
        (file, buffer) = (next_file, next_buffer);
        buffer.clear();
    }
}

fn run_script(connection: Connection, site: &Site, request: Box<Request>, script: DocPath, routed: Routed) -> Answer {
    let is_head = request.is_head();
    let file = script.as_path().to_owned();
    let body = connection.take_arrived_body();
    // A connection that closes afterwards has to be woken for that.
    let outlet = if request.head.keep_alive { connection.outlet() } else { Weak::new() };
    let mut events = match site.python.call(script, request, routed, body, outlet) {
        Ok(events) => events,
        Err(error) => {
            log::error!("{}: {error}", file.display());
            return reply_with(connection, is_head, shortage::busy(&error.to_string()));
        }
    };
    // Connections keep this until their next request, so it is small.
    Box::pin(async move {
        let first = events.next(|| connection.is_idle()).await;
        if let Some(Event::Over) = first {
            return After::KeepAlive;
        }
        Box::pin(follow(&connection, first, events, is_head, &file)).await.unwrap_or(After::Close)
    })
}

/// Does what a running handler asks for until it is done.
async fn follow(
    connection: &Connection,
    first: Option<Event>,
    mut events: Events,
    is_head: bool,
    script: &Path,
) -> io::Result<After> {
    let (mut event, mut written) = (first, false);
    loop {
        match event {
            Some(Event::Write(bytes, answer)) => {
                let result = connection.write(&bytes).await;
                written = true;
                // A thread that no longer waits needs no answer.
                let _ = answer.send(result.is_ok());
                result?;
            }
            Some(Event::Read(max, answer)) => {
                let _ = answer.send(connection.read_body(max).await);
            }
            Some(Event::Finish(Last { wait, bytes, trickle, close })) => {
                let after = if close { After::Close } else { After::KeepAlive };
                pause(wait).await;
                return match trickle {
                    Some(trickle) => {
                        connection.write(&bytes).await?;
                        let is_whole = send_trickle(connection, *trickle, |_| ()).await?;
                        Ok(if is_whole { after } else { After::Close })
                    }
                    None => connection.write_and(after, &bytes).await.map(|()| after),
                };
            }
            Some(Event::Over) => return Ok(After::KeepAlive),
            None if written => {
                log::error!("{}: the handler's thread died in mid-answer", script.display());
                return Ok(After::Close);
            }
            None => {
                log::error!("{}: the handler's thread died", script.display());
                return reply(connection, is_head, Reply::error(500, "the handler's thread died")).await;
            }
        }
        event = events.next(|| connection.is_idle()).await;
    }
}
