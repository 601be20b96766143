//! From one request on a connection to the bytes of its answer: route, run, write.

use std::{
    io,
    path::Path,
    sync::{Arc, Weak},
};

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    job::{Job, job},
    reply::{Http1Sink, reply, serve_content},
    sink::{Sink as _, pause, send_trickle},
    site::{PORT_TARGET, Site},
    websocket,
    wire::{After, Http1Connection, Refusal, RunningAnswer},
};
use crate::{
    docroot::DocPath,
    handover::{Http1Event, Http1Events, Last, Routed},
    http::{Body, Encoder, Head, Reply, Request, shortage},
    route,
};

/// The actix service of the HTTP ports.
pub(super) async fn dispatch(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    serve(request, |head, connection| plan(head, connection, site.into_inner())).await
}

/// The actix service of the WebSocket ports.
pub(super) async fn dispatch_websocket(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let plan = |head, connection| -> RunningAnswer {
        Box::pin(async move { websocket::answer(head, &connection, site.into_inner()).await })
    };
    serve(request, plan).await
}

/// Begins to answer one request. The wire drops the response that this returns, except for its keep-alive flag.
async fn serve(request: HttpRequest, plan: impl FnOnce(Head, Http1Connection) -> RunningAnswer) -> HttpResponse {
    // Every request has both, because the wire has stored them before actix saw a byte.
    if let Some(connection) = request.conn_data::<Http1Connection>()
        && let Some(head) = connection.take_head()
    {
        let answer = match connection.refusal() {
            Some(refusal) => last(connection.clone(), head.method == "HEAD", refusal.reply()),
            None => plan(head, connection.clone()),
        };
        if connection.begin(answer).await == After::KeepAlive {
            return HttpResponse::Ok().finish();
        }
    }
    HttpResponse::Ok().force_close().finish()
}

/// Plans the answer to a request, without waiting.
fn plan(mut head: Head, connection: Http1Connection, site: Arc<Site>) -> RunningAnswer {
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
fn last(connection: Http1Connection, is_head: bool, made: Reply) -> RunningAnswer {
    Box::pin(async move {
        let _ = reply(&connection, is_head, made).await;
        After::Close
    })
}

/// An answer that is this reply. The connection stays open afterwards if the reply allows it.
fn reply_with(connection: Http1Connection, is_head: bool, made: Reply) -> RunningAnswer {
    Box::pin(async move { reply(&connection, is_head, made).await.unwrap_or(After::Close) })
}

async fn connect(connection: &Http1Connection) -> After {
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

fn routed(request: Box<Request>, connection: Http1Connection, site: Arc<Site>) -> RunningAnswer {
    let is_head = request.is_head();
    match job(&site, &request) {
        Job::Reply(made) => reply_with(connection, is_head, made),
        Job::Script(script, routed) => run_script(connection, &site, request, script, routed),
        Job::Content(found) => {
            Box::pin(async move { serve_content(&connection, &site, request, found).await.unwrap_or(After::Close) })
        }
    }
}

fn run_script(
    connection: Http1Connection,
    site: &Site,
    request: Box<Request>,
    script: DocPath,
    routed: Routed,
) -> RunningAnswer {
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
    connection.watch(events.run());
    // Connections keep this until their next request, so it is small.
    Box::pin(async move {
        let first = events.next(|| connection.is_idle()).await;
        if let Some(Http1Event::Over) = first {
            return After::KeepAlive;
        }
        Box::pin(follow(&connection, first, events, is_head, &file)).await.unwrap_or(After::Close)
    })
}

/// Executes the requests of a running handler until it ends.
async fn follow(
    connection: &Http1Connection,
    first: Option<Http1Event>,
    mut events: Http1Events,
    is_head: bool,
    script: &Path,
) -> io::Result<After> {
    let (mut event, mut written) = (first, false);
    loop {
        match event {
            Some(Http1Event::Write(bytes, mut answer)) => {
                written = true;
                let result = tokio::select! {
                    result = connection.write(&bytes) => result,
                    // The handler has been ended while the client took its time.
                    () = answer.closed() => return Ok(After::Close),
                };
                // A thread that no longer waits needs no answer.
                let _ = answer.send(result.is_ok());
                result?;
            }
            Some(Http1Event::Read(max, mut answer)) => {
                let read = tokio::select! {
                    read = connection.read_body(max) => read,
                    () = answer.closed() => Ok(bytes::Bytes::new()),
                };
                let refusal = read.as_ref().err().and_then(Refusal::of);
                let _ = answer.send(read);
                if let Some(refusal) = refusal {
                    log::info!("{}: {refusal}", script.display());
                    if !written {
                        reply(connection, is_head, refusal.reply()).await?;
                    }
                    // What the handler still sends finds the client gone.
                    return Ok(After::Close);
                }
            }
            Some(Http1Event::Finish(Last { wait, bytes, trickle, close })) => {
                let after = if close { After::Close } else { After::KeepAlive };
                pause(wait).await;
                return match trickle {
                    Some(trickle) => {
                        let mut sink = Http1Sink::rest(connection, after);
                        sink.send(bytes).await?;
                        send_trickle(&mut sink, *trickle).await?;
                        Ok(sink.after())
                    }
                    None => connection.write_and(after, &bytes).await.map(|()| after),
                };
            }
            Some(Http1Event::Over) => return Ok(After::KeepAlive),
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
