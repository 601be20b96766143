//! One stream: from the header fields of its request to the end of its answer.

use std::{fs::File, io::Read as _, sync::Arc};

use actix_web::web;
use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::{tunnel, wire::Wire};
use crate::{
    handover::{Closing, H2Event, H2Events, Session},
    http::{
        Body, Reply, Request, Trickle,
        h2::{ErrorCode, Field, SendError},
        trickle::Step,
    },
    python::Conversation,
    route::{self, Match},
    server::{
        Site,
        dispatch::{self, Job, pause},
    },
};

/// The bytes of a file in one item of content (wptserve 4.0.3, response.py, `Response.iter_content`).
const FILE_CHUNK: usize = 32 * 1024;

/// The receiver of a stream's events.
pub(super) enum Hearer {
    Handler(Conversation),
    /// A WebSocket: only the bytes.
    Tunnel(UnboundedSender<Bytes>),
}

/// The way to answer a request. The flags say that it is a HEAD.
pub(super) enum Plan {
    /// Answer this, without a handler.
    Reply(Reply, bool),
    /// Serve content when the request is complete.
    Content(Match, Box<Request>),
    /// A handler gets the events.
    Script(H2Events, String, bool),
    /// A WebSocket.
    Tunnel(Session, UnboundedReceiver<Bytes>),
}

/// Chooses the way to answer a request, and the receiver of its later events.
pub(super) fn plan(site: &Arc<Site>, fields: &[Field], stream: u32, peer: (Arc<str>, u16)) -> (Plan, Option<Hearer>) {
    let rewritten = rewritten(fields);
    let fields = rewritten.as_deref().unwrap_or(fields);
    let request = match Request::http2(fields, stream, site.host.clone(), site.port, peer) {
        Ok(request) => Box::new(request),
        Err(error) => {
            log::warn!("refused a request: {error}");
            return (Plan::Reply(Reply::error(error.status(), &error.to_string()), false), None);
        }
    };
    if tunnel::is_wanted(&request) {
        return match tunnel::open(site, *request) {
            Ok(session) => {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Plan::Tunnel(session, receiver), Some(Hearer::Tunnel(sender)))
            }
            Err(reply) => (Plan::Reply(*reply, false), None),
        };
    }
    if request.head.method == "CONNECT" {
        // wptserve ends the whole connection here.
        let text = "only CONNECT with the :protocol websocket is served on a port for HTTP/2";
        return (Plan::Reply(Reply::error(501, text), false), None);
    }
    let is_head = request.is_head();
    match dispatch::job(site, &request) {
        Job::Reply(reply) => (Plan::Reply(reply, is_head), None),
        Job::Script(script, routed) => {
            let name = script.as_path().display().to_string();
            let (conversation, events) = site.python.converse(script, request, routed);
            (Plan::Script(events, name, is_head), Some(Hearer::Handler(conversation)))
        }
        Job::Content(found) => (Plan::Content(found, request), None),
    }
}

/// The header fields of a request whose path is rewritten.
fn rewritten(fields: &[Field]) -> Option<Vec<Field>> {
    let value = |wanted: &[u8]| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let target = route::rewritten(value(b":method")?, value(b":path")?)?;
    let renewed = |(name, value): &Field| {
        let value = if name == b":path".as_slice() { &target } else { value };
        (name.clone(), value.clone())
    };
    Some(fields.iter().map(renewed).collect())
}

/// Answers a request, to the end of its stream.
pub(super) async fn answer(wire: Wire, stream: u32, plan: Plan) {
    let outcome = match plan {
        Plan::Reply(reply, is_head) => {
            pause(wire.site().latency).await;
            send(&wire, stream, is_head, reply).await
        }
        Plan::Content(found, request) => serve_content(&wire, stream, found, request).await,
        Plan::Script(events, name, is_head) => follow(&wire, stream, is_head, events, &name).await,
        Plan::Tunnel(session, received) => tunnel::run(&wire, stream, session, received).await,
    };
    match outcome {
        Ok(()) | Err(SendError::Gone | SendError::Closed(_)) => {}
        Err(error) => {
            log::error!("the answer on HTTP/2 stream {stream} could not be written: {error}");
            wire.reset(stream, ErrorCode::INTERNAL_ERROR);
        }
    }
    wire.settle(stream);
    // An answer may come before its request is complete.
    wire.completed(stream).await;
    wire.release(stream);
}

async fn serve_content(wire: &Wire, stream: u32, found: Match, request: Box<Request>) -> Result<(), SendError> {
    if !wire.completed(stream).await {
        return Ok(());
    }
    pause(wire.site().latency).await;
    let is_head = request.is_head();
    let url = request.url.clone();
    let reply = match dispatch::content_reply(wire.site(), request, found).await {
        Reply { body: Body::Raw(_), .. } => {
            // wptserve's writer for HTTP/2 has no such method.
            let cause = "AttributeError: 'H2ResponseWriter' object has no attribute 'write_raw_content'";
            log::warn!("{url}: .asis files cannot be served over HTTP/2");
            Reply::server_error(&url, cause)
        }
        reply => reply,
    };
    send(wire, stream, is_head, reply).await
}

/// Sends a complete reply. Nothing is added to its header fields.
pub(super) async fn send(wire: &Wire, stream: u32, is_head: bool, reply: Reply) -> Result<(), SendError> {
    pause(reply.wait).await;
    let mut fields: Vec<Field> = vec![(Bytes::from_static(b":status"), reply.status.to_string().into())];
    let announced = reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    fields.extend(reply.headers);
    wire.headers(stream, &fields, is_head).await?;
    if is_head {
        return Ok(());
    }
    match reply.body {
        Body::None => Ok(()),
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) => {
            if bytes.is_empty() {
                Ok(())
            } else {
                wire.content(stream, bytes, true).await
            }
        }
        Body::File(file, size) => send_file(wire, stream, file, announced.then_some(size)).await,
        Body::Raw(file) => send_file(wire, stream, file, None).await,
        Body::Trickle(trickle) => send_trickle(wire, stream, trickle).await,
    }
}

/// Sends a file, exactly `size` bytes if its length has been announced. The last chunk ends the stream, so each chunk is sent when the
/// next one has been read.
async fn send_file(wire: &Wire, stream: u32, mut file: File, size: Option<u64>) -> Result<(), SendError> {
    let mut held = Bytes::new();
    let mut left = size;
    loop {
        let most = left.map_or(FILE_CHUNK as u64, |left| left.min(FILE_CHUNK as u64));
        let read = web::block(move || {
            let mut chunk = Vec::with_capacity(FILE_CHUNK);
            let result = (&mut file).take(most).read_to_end(&mut chunk);
            result.map(|_| (file, chunk))
        });
        let Ok(Ok((next_file, chunk))) = read.await else {
            log::error!("a static file could not be read to its end");
            wire.reset(stream, ErrorCode::INTERNAL_ERROR);
            return Ok(());
        };
        let is_last = chunk.is_empty();
        left = left.map(|left| left.saturating_sub(chunk.len() as u64));
        if is_last && left.is_some_and(|left| left > 0) {
            log::error!("a static file has become shorter while it was sent");
            wire.reset(stream, ErrorCode::INTERNAL_ERROR);
            return Ok(());
        }
        if !held.is_empty() {
            wire.content(stream, held, is_last).await?;
        }
        if is_last {
            return Ok(());
        }
        (file, held) = (next_file, chunk.into());
    }
}

/// Sends content part by part, with its pauses. A part is sent when the next one is ready, as in wptserve, because the last one ends
/// the stream.
async fn send_trickle(wire: &Wire, stream: u32, trickle: Trickle) -> Result<(), SendError> {
    let mut held = Bytes::new();
    for step in trickle {
        match step {
            Step::Wait(time) => pause(time).await,
            Step::Send(bytes) => {
                let before = std::mem::replace(&mut held, bytes);
                if !before.is_empty() {
                    wire.content(stream, before, false).await?;
                } else if !wire.is_there(stream) {
                    return Err(SendError::Closed(stream));
                }
            }
            Step::Fail(cause) => {
                log::error!("a trickle pipe broke off: {cause}");
                wire.reset(stream, ErrorCode::INTERNAL_ERROR);
                return Ok(());
            }
            Step::Stall => {
                log::error!(
                    "a trickle pipe never comes to the end of its content: give its last r a d or a number to repeat"
                );
                wire.abandoned(stream).await;
                return Ok(());
            }
        }
    }
    if held.is_empty() { Ok(()) } else { wire.content(stream, held, true).await }
}

/// Executes the requests of a running handler until it ends.
async fn follow(wire: &Wire, stream: u32, is_head: bool, mut events: H2Events, script: &str) -> Result<(), SendError> {
    let mut pushed = Vec::new();
    let mut is_begun = false;
    let outcome = loop {
        let event = events.next().await;
        if !is_begun && !matches!(event, Some(H2Event::Used(_))) {
            pause(wire.site().latency).await;
        }
        match event {
            Some(H2Event::Ask(ask, answer)) => {
                is_begun = true;
                let result = wire.perform(stream, ask).await;
                if let Ok(crate::http::h2::Sent::Promised(promised)) = result {
                    pushed.push(promised);
                }
                // A thread that no longer waits needs no answer.
                let _ = answer.send(result);
            }
            Some(H2Event::Used(count)) => wire.used(stream, count),
            Some(H2Event::Finish(closing)) => break close(wire, stream, closing).await,
            None if !wire.is_there(stream) => break Ok(()),
            None => {
                log::error!("{script}: the handler's thread died, or there was none for it");
                if is_begun {
                    wire.reset(stream, ErrorCode::INTERNAL_ERROR);
                    break Ok(());
                }
                break send(wire, stream, is_head, Reply::error(500, "the handler's thread died")).await;
            }
        }
    };
    for promised in pushed {
        wire.release(promised);
    }
    outcome
}

/// Sends the rest of a handler's answer.
async fn close(wire: &Wire, stream: u32, closing: Closing) -> Result<(), SendError> {
    pause(closing.wait).await;
    if closing.broken {
        wire.reset(stream, ErrorCode::INTERNAL_ERROR);
    }
    let sent = async {
        if let Some((fields, end)) = closing.head {
            wire.headers(stream, &fields, end).await?;
        }
        if !closing.body.is_empty() {
            wire.content(stream, closing.body, true).await?;
        }
        match closing.trickle {
            Some(trickle) => send_trickle(wire, stream, trickle).await,
            None => Ok(()),
        }
    };
    let outcome = sent.await;
    if closing.close {
        wire.close();
    }
    outcome
}
