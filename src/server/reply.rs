//! Sends a complete reply over HTTP/1.

use std::{
    fs::File,
    io::{self, Read as _},
    sync::Arc,
    time::Duration,
};

use actix_web::web;
use bytes::Bytes;

use super::{
    job::content_reply,
    site::Site,
    wire::{After, Connection},
};
use crate::{
    http::{Body, Delivery, Encoder, Outcome, Reply, Request, Trickle, trickle::Step},
    route::Match,
};

/// The bytes of a file that are read at a time.
const FILE_CHUNK: usize = 256 * 1024;

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
pub(super) async fn send_trickle(
    connection: &Connection,
    trickle: Trickle,
    mut note: impl FnMut(&[u8]),
) -> io::Result<bool> {
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
                log::error!("a trickle pipe repeats its content for ever: give its last r a d or a number to repeat");
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
