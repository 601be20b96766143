//! One stream: from the header fields of its request to the end of its answer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::{
    reply::{StreamSink, send},
    tunnel,
    wire::{H2Wire, StreamReceiver},
};
use crate::{
    handover::{Closing, H2Event, H2Events, Session},
    http::{
        Body, Reply, Request,
        h2::{CommandResult, ErrorCode, Field, SendError},
    },
    route::{self, Match},
    server::{
        job::{self, Job},
        sink::{pause, send_trickle},
        site::Site,
        wire::Refusal,
    },
};

/// The way to answer a request. The flags say that it is a HEAD.
enum Plan {
    /// Answer this, without a handler.
    Reply(Reply, bool),
    /// Serve content when the request is complete.
    Content(Match, Box<Request>),
    /// A handler gets the events.
    Script(H2Events, String, bool),
    /// A WebSocket.
    Tunnel(Session, UnboundedReceiver<Bytes>),
}

/// Begins to answer a request. What it gives back is told what comes on the stream.
pub(super) fn begin(wire: &H2Wire, fields: &[Field], stream: u32) -> Option<StreamReceiver> {
    let (plan, receiver) = plan(wire.site(), fields, stream, wire.peer());
    actix_web::rt::spawn(answer(wire.clone(), stream, plan));
    receiver
}

/// Chooses the way to answer a request, and the receiver of its later events.
fn plan(site: &Arc<Site>, fields: &[Field], stream: u32, peer: (Arc<str>, u16)) -> (Plan, Option<StreamReceiver>) {
    let rewritten = rewritten(fields);
    let fields = rewritten.as_deref().unwrap_or(fields);
    let request = match Request::http2(fields, stream, site.host.clone(), site.port, peer) {
        Ok(request) => Box::new(request),
        Err(error) => {
            log::warn!("refused a request: {error}");
            return (Plan::Reply(Reply::error(error.status(), &error.to_string()), false), None);
        }
    };
    let length = request.head.headers.get("content-length").and_then(|value| str::from_utf8(value).ok()?.parse().ok());
    if length.zip(site.bounds.body_bytes).is_some_and(|(length, most): (u64, u64)| length > most) {
        let reply = Refusal::BodyTooLong.reply();
        return (Plan::Reply(reply, request.is_head()), None);
    }
    if tunnel::is_wanted(&request) {
        return match tunnel::open(site, *request) {
            Ok(session) => {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Plan::Tunnel(session, receiver), Some(StreamReceiver::Tunnel(sender)))
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
    match job::job(site, &request) {
        Job::Reply(reply) => (Plan::Reply(reply, is_head), None),
        Job::Script(script, routed) => {
            let name = script.as_path().display().to_string();
            let (conversation, events) = site.python.converse(script, request, routed);
            (Plan::Script(events, name, is_head), Some(StreamReceiver::Handler(conversation)))
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
async fn answer(wire: H2Wire, stream: u32, plan: Plan) {
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

async fn serve_content(wire: &H2Wire, stream: u32, found: Match, request: Box<Request>) -> Result<(), SendError> {
    if !wire.completed(stream).await {
        return Ok(());
    }
    pause(wire.site().latency).await;
    let is_head = request.is_head();
    let url = request.url.clone();
    let reply = match job::content_reply(wire.site(), request, found).await {
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

/// Executes the requests of a running handler until it ends.
async fn follow(
    wire: &H2Wire,
    stream: u32,
    is_head: bool,
    mut events: H2Events,
    script: &str,
) -> Result<(), SendError> {
    let mut pushed = Vec::new();
    let mut is_begun = false;
    let outcome = loop {
        let event = events.next().await;
        if !is_begun && !matches!(event, Some(H2Event::Used(_))) {
            pause(wire.site().latency).await;
        }
        match event {
            Some(H2Event::Command(ask, mut answer)) => {
                is_begun = true;
                let result = tokio::select! {
                    result = wire.perform(stream, ask) => result,
                    // The handler has been ended while the client took its time.
                    () = answer.closed() => {
                        wire.reset(stream, ErrorCode::INTERNAL_ERROR);
                        break Ok(());
                    }
                };
                if let Ok(CommandResult::Promised(promised)) = result {
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
async fn close(wire: &H2Wire, stream: u32, closing: Closing) -> Result<(), SendError> {
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
            Some(trickle) => send_trickle(&mut StreamSink::new(wire, stream), trickle).await,
            None => Ok(()),
        }
    };
    let outcome = sent.await;
    if closing.close {
        wire.close();
    }
    outcome
}
