//! Watching the listeners. actix keeps asking a dead listener for connections without an error. A port that takes no connections has
//! to end the process, so that its supervisor starts another one.

use std::{future, io, net::TcpListener};

use socket2::SockRef;
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::JoinSet,
};

/// A task for each listener, which ends with the death of the listener.
pub(super) struct Watch(JoinSet<io::Error>);

impl Watch {
    /// Watches second handles of the listeners, which come with the names of their ports. Needs a runtime of tokio.
    ///
    /// # Errors
    /// The system gives no second handle.
    pub(super) fn new<'a>(listeners: impl IntoIterator<Item = (String, &'a TcpListener)>) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        for (name, socket) in listeners {
            // The system reports the end of a socket whatever the interest is. This interest is not woken by new connections.
            #[expect(
                deprecated,
                reason = "it is unsound for types that do not own their descriptor; the replacement is unsafe"
            )]
            let socket = AsyncFd::with_interest(socket.try_clone()?, Interest::PRIORITY)?;
            tasks.spawn(death(name, socket));
        }
        Ok(Self(tasks))
    }

    /// Returns as soon as one of them is dead.
    pub(super) async fn death(&mut self) -> io::Error {
        match self.0.join_next().await {
            Some(Ok(error)) => error,
            Some(Err(error)) => io::Error::other(error),
            None => future::pending().await,
        }
    }
}

async fn death(name: String, socket: AsyncFd<TcpListener>) -> io::Error {
    while SockRef::from(socket.get_ref()).is_listener().unwrap_or(false) {
        match socket.ready(Interest::PRIORITY).await {
            Ok(mut guard) => guard.clear_ready(),
            Err(error) => return error,
        }
    }
    io::Error::other(format!("{name} takes no connections any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_listener_is_noticed() {
        let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        let mut watch = Watch::new([("a".to_owned(), &listeners[0]), ("b".to_owned(), &listeners[1])]).unwrap();
        let mut death = std::pin::pin!(watch.death());
        let now = future::poll_fn(|context| std::task::Poll::Ready(death.as_mut().poll(context)));
        assert!(now.await.is_pending(), "they live");
        SockRef::from(&listeners[1]).shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(death.await.to_string(), "b takes no connections any more");
    }
}
