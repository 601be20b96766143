//! How many connections are open at the same time, on all ports together.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::site::DISCONNECT;
use crate::http::{
    Body, Encoder,
    shortage::{self, SeldomLine},
};

/// Connections that have been admitted and have not ended. One number for the process, as descriptors and memory are.
static OPEN: AtomicU64 = AtomicU64::new(0);

/// A place among the open connections. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Admitted(());

impl Drop for Admitted {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

fn place(most: Option<u64>) -> Option<Admitted> {
    let before = OPEN.fetch_add(1, Ordering::Relaxed);
    let admitted = Admitted(());
    (most.is_none_or(|most| before < most)).then_some(admitted)
}

/// Gives an accepted connection its place. Without one it is closed: with a 503 if it `is_plain`, without a word if its client
/// wants to begin with a handshake, which costs more than it says.
///
/// Left in the backlog, a connection would wait without being told why, and the log could not say it.
///
/// # Errors
/// There are `most` connections already.
pub(super) async fn admit(
    mut stream: TcpStream,
    is_plain: bool,
    most: Option<u64>,
) -> io::Result<(TcpStream, Admitted)> {
    if let Some(admitted) = place(most) {
        return Ok((stream, admitted));
    }
    note(most.unwrap_or_default());
    if is_plain {
        let _ = timeout(DISCONNECT, refuse(&mut stream)).await;
    }
    Err(io::Error::other("there are too many connections"))
}

/// Says so, then reads what the client has sent: a socket that is closed with unread input resets the connection, and the client
/// may lose the answer.
async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    let mut reply = shortage::busy("there are too many connections (bounds.connections); come again");
    reply.push("Connection", "close");
    let (head, _) = Encoder::reply(&reply);
    let body = match reply.body {
        Body::Bytes(body) => body,
        _ => Bytes::new(),
    };
    stream.write_all(&[head, body].concat()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

fn note(most: u64) {
    static LINE: SeldomLine = SeldomLine::new();
    if LINE.turn().is_some() {
        log::warn!("a connection is refused, because {most} are open: raise bounds.connections if they are wanted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let open = OPEN.load(Ordering::Relaxed);
        let places: Vec<_> = (0..3).map(|_| place(Some(open + 2))).collect();
        assert!(places[1].is_some() && places[2].is_none());
        assert!(place(None).is_some());
        drop(places);
        assert!(place(Some(open + 1)).is_some());
    }
}
