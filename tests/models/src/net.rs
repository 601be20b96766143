//! What [`Outlet`](crate::handover) uses of `tokio::net`: the sending side of a socket whose buffer has little room, and the client
//! that reads from it.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::lock::{Condvar, Mutex};

/// A socket's buffer.
#[derive(Default)]
struct State {
    /// What the client has not read yet.
    buffered: Vec<u8>,
    /// How much the buffer takes.
    room: usize,
    /// Who waits for room.
    writer: Option<Waker>,
}

/// `tokio::net::TcpStream`.
#[derive(Clone, Default)]
pub struct TcpStream {
    state: Arc<Mutex<State>>,
    came: Arc<Condvar>,
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TcpStream")
    }
}

impl TcpStream {
    /// A socket whose buffer takes so many bytes.
    pub fn with_room(room: usize) -> Self {
        let socket = Self::default();
        socket.state.lock().room = room;
        socket
    }

    pub fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.lock();
        if state.buffered.len() < state.room {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock();
        let count = bytes.len().min(state.room - state.buffered.len());
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.buffered.extend_from_slice(&bytes[..count]);
        drop(state);
        self.came.notify_one();
        Ok(count)
    }

    /// The client reads what there is, and waits for something.
    pub fn read(&self) -> Vec<u8> {
        let mut state = self.state.lock();
        while state.buffered.is_empty() {
            self.came.wait(&mut state);
        }
        let read = std::mem::take(&mut state.buffered);
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        read
    }
}

/// `tokio::net::tcp`.
pub mod tcp {
    use super::TcpStream;

    /// The sending half.
    #[derive(Debug)]
    pub struct OwnedWriteHalf(pub TcpStream);

    impl AsRef<TcpStream> for OwnedWriteHalf {
        fn as_ref(&self) -> &TcpStream {
            &self.0
        }
    }
}
