//! Watching the listeners. actix keeps asking a dead listener for connections without an error. A port that takes no connections has
//! to end the process, so that its supervisor starts another one.

use std::{io, net::TcpListener, time::Duration};

use socket2::SockRef;

/// The time between two checks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Second handles of the listeners, with the names of their ports.
pub(super) struct Watch(Vec<(String, TcpListener)>);

impl Watch {
    /// # Errors
    /// The system gives no second handle.
    pub(super) fn new<'a>(listeners: impl IntoIterator<Item = (String, &'a TcpListener)>) -> io::Result<Self> {
        let second = |(name, socket): (String, &TcpListener)| Ok((name, socket.try_clone()?));
        listeners.into_iter().map(second).collect::<io::Result<_>>().map(Self)
    }

    /// Returns as soon as one of them is dead.
    pub(super) async fn death(&self) -> io::Error {
        loop {
            let dead = |(_, socket): &&(String, TcpListener)| !SockRef::from(socket).is_listener().unwrap_or(false);
            if let Some((name, _)) = self.0.iter().find(dead) {
                return io::Error::other(format!("{name} takes no connections any more"));
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_listener_is_noticed() {
        let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        let watch = Watch::new([("a".to_owned(), &listeners[0]), ("b".to_owned(), &listeners[1])]).unwrap();
        let mut death = std::pin::pin!(watch.death());
        let now = std::future::poll_fn(|context| std::task::Poll::Ready(death.as_mut().poll(context)));
        assert!(now.await.is_pending(), "they live");
        SockRef::from(&listeners[1]).shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(death.await.to_string(), "b takes no connections any more");
    }
}
