//! The sending side of a plain connection: its own thread and that of a handler send in turn.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use parking_lot::Mutex;
use tokio::net::{TcpStream, tcp::OwnedWriteHalf};

/// The sending half of a connection. A sender that cannot send everything leaves the rest here. The rest is sent before anything
/// else.
#[derive(Debug)]
pub struct Outlet {
    half: OwnedWriteHalf,
    /// The bytes that have to be sent first. A sender holds the lock while it sends, which never waits.
    rest: Mutex<Bytes>,
}

/// The result when a handler's thread sends bytes to the socket itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Direct {
    /// The socket has taken them.
    Sent,
    /// The socket has not taken all of them; the connection has to send the rest.
    Left,
    /// The bytes may not be sent directly; they are returned.
    Refused(Bytes),
}

impl Outlet {
    /// Takes the sending half. Only the outlet may send on it from now on.
    pub fn new(half: OwnedWriteHalf) -> Self {
        Self { half, rest: Mutex::default() }
    }

    /// The half, while no other thread can send.
    pub fn half(&mut self) -> &mut OwnedWriteHalf {
        &mut self.half
    }

    /// The socket, for anything but sending.
    pub fn socket(&self) -> &TcpStream {
        self.half.as_ref()
    }

    /// How many bytes a sender has left.
    pub fn left(&self) -> usize {
        self.rest.lock().len()
    }

    /// Sends at once, whatever the connection's thread is doing. `is_allowed` is called under the lock, so that no other sender can
    /// come in between.
    pub(super) fn send_directly(&self, bytes: Bytes, is_allowed: impl FnOnce() -> bool) -> Direct {
        let mut rest = self.rest.lock();
        if !rest.is_empty() || !is_allowed() {
            return Direct::Refused(bytes);
        }
        *rest = bytes;
        // If this fails, the connection will get the error itself.
        if send_rest(&mut rest, self.socket()).is_ok() { Direct::Sent } else { Direct::Left }
    }

    /// Sends with the given call, as soon as the socket can take bytes.
    ///
    /// # Errors
    /// The client has disconnected.
    pub fn poll_send(
        &self,
        context: &mut Context<'_>,
        send: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket().poll_write_ready(context))?;
            let sent = send_rest(&mut self.rest.lock(), self.socket()).and_then(|()| send(self.socket()));
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Sends the rest. Also ready while a handler's thread is sending: that thread wakes the connection if it leaves a rest.
    ///
    /// # Errors
    /// The client has disconnected.
    pub fn poll_rest(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_left = self.rest.try_lock().is_some_and(|rest| !rest.is_empty());
        if is_left { self.poll_settled(context) } else { Poll::Ready(Ok(())) }
    }

    /// Sends the rest, after the thread that is sending.
    ///
    /// # Errors
    /// The client has disconnected.
    pub fn poll_settled(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection has no bytes of its own to send after the rest.
        if self.rest.lock().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.poll_send(context, |_| Ok(0)).map_ok(drop)
    }
}

fn send_rest(rest: &mut Bytes, socket: &TcpStream) -> io::Result<()> {
    while !rest.is_empty() {
        match socket.try_write(rest)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => rest.advance(count),
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::{future::poll_fn, io::Read as _, sync::mpsc, task::Waker, thread};

    use tokio::{net::TcpListener, runtime::Runtime};

    use super::*;

    /// A client, the outlet of its connection, and the runtime of both.
    pub(in crate::handover) fn connected() -> (std::net::TcpStream, Outlet, Runtime) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let (client, half) = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_, half) = listener.accept().await.unwrap().0.into_split();
            half.writable().await.unwrap();
            (client, half)
        });
        (client, Outlet::new(half), runtime)
    }

    #[test]
    fn what_is_sent_later_comes_later() {
        let (mut client, outlet, runtime) = connected();
        let (begin, is_begun) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel();
        thread::scope(|scope| {
            let outlet = &outlet;
            let sent = scope.spawn(move || {
                outlet.send_directly(Bytes::from_static(b"first, "), || {
                    begin.send(()).unwrap();
                    goes_on.recv().is_ok()
                })
            });
            is_begun.recv().unwrap();
            // A poll that only checks for a rest does not wait.
            assert!(outlet.poll_rest(&mut Context::from_waker(Waker::noop())).is_ready());
            go_on.send(()).unwrap();
            let send = poll_fn(|context| outlet.poll_send(context, |socket| socket.try_write(b"second")));
            assert_eq!(runtime.block_on(send).unwrap(), 6);
            assert_eq!(sent.join().unwrap(), Direct::Sent);
        });
        let mut bytes = [0; 13];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"first, second");
        assert_eq!(outlet.send_directly(Bytes::from_static(b"x"), || false), Direct::Refused(Bytes::from_static(b"x")));
    }
}
