//! Sends a complete reply over HTTP/1.

use std::{io, sync::Arc};

use bytes::Bytes;

use super::{
    job::content_reply,
    sink::{Sink, pause, send_file, send_trickle},
    site::Site,
    wire::{After, Http1Connection},
};
use crate::{
    http::{Body, Delivery, Encoder, Outcome, Reply, Request},
    route::Match,
};

/// Serves a file, a listing or other content without a script.
pub(super) async fn serve_content(
    connection: &Http1Connection,
    site: &Arc<Site>,
    request: Box<Request>,
    found: Match,
) -> io::Result<After> {
    let is_head = request.is_head();
    reply(connection, is_head, content_reply(site, request, found).await).await
}

/// Writes a complete reply.
pub(super) async fn reply(connection: &Http1Connection, is_head: bool, reply: Reply) -> io::Result<After> {
    pause(reply.wait).await;
    let (head, close) = Encoder::reply(&reply);
    let mut sink = Http1Sink { connection, is_closing: close, delivery: Some(Delivery::new(is_head)) };
    match reply.body {
        // The bytes of an .asis file are sent for HEAD as well, as by wptserve's AsIsHandler.
        Body::Raw(file) => send_file(&mut sink, head.to_vec(), file, None).await?,
        Body::File(file, size) if !is_head => {
            // The client knows the length unless the connection closes. Files of the system itself have the size 0.
            let size = (!close && size > 0).then_some(size);
            send_file(&mut sink, head.to_vec(), file, size).await?;
        }
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) if !is_head => {
            sink.send_last(&[head, bytes].concat()).await?;
        }
        Body::Trickle(trickle) if !is_head => {
            sink.send(head).await?;
            send_trickle(&mut sink, trickle).await?;
        }
        Body::None | Body::Bytes(_) | Body::ReadFile(_) | Body::File(..) | Body::Multipart(_) | Body::Trickle(_) => {
            sink.send_last(&head).await?;
        }
    }
    Ok(sink.after())
}

/// An answer over HTTP/1, and what becomes of the connection after it.
pub(super) struct Http1Sink<'a> {
    connection: &'a Http1Connection,
    is_closing: bool,
    /// The bytes that have been sent: the connection stays open only if they are exactly the announced ones. `None` when the
    /// answer's maker has decided already.
    delivery: Option<Delivery>,
}

impl<'a> Http1Sink<'a> {
    /// The rest of an answer whose maker has decided what becomes of the connection.
    pub(super) fn rest(connection: &'a Http1Connection, after: After) -> Self {
        Self { connection, is_closing: after == After::Close, delivery: None }
    }

    /// What becomes of the connection.
    pub(super) fn after(&self) -> After {
        let is_whole = self.delivery.as_ref().is_none_or(|delivery| delivery.outcome() == Outcome::Whole);
        if !self.is_closing && is_whole { After::KeepAlive } else { After::Close }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if !self.is_closing
            && let Some(delivery) = &mut self.delivery
        {
            delivery.feed(bytes);
        }
    }

    async fn send_last(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.feed(bytes);
        self.connection.write_and(self.after(), bytes).await
    }
}

impl Sink for Http1Sink<'_> {
    type Error = io::Error;
    const FILE_CHUNK: usize = 256 * 1024;

    async fn send(&mut self, piece: Bytes) -> io::Result<()> {
        self.feed(&piece);
        self.connection.write(&piece).await
    }

    async fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn break_off(&mut self) {
        self.is_closing = true;
    }

    async fn abandoned(&mut self) {
        self.is_closing = true;
        self.connection.closed_by_client().await;
    }
}
