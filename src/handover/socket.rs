//! The crossing between a WebSocket handler's thread and its connection: bytes out, bytes in, the beginning and the end.
//!
//! Reading and writing are independent of each other, because handlers do both from several threads at once. The connection's
//! end ([`Session`]) needs only a stream of bytes, so TCP, TLS and an HTTP/2 stream look the same here. Only the opening
//! handshakes differ (see [`Command`]).
//!
//! Every method of [`Socket`] that waits blocks the calling thread. A VM thread calls it inside `vm.allow_threads`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use bytes::{Buf as _, Bytes, BytesMut};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{mpsc, oneshot};

use crate::{
    cancel::{self, Run},
    http::{
        Reply,
        bounds::{Account, BUFFERED},
    },
    websocket::frame::{self, BadFrame, FrameStep, Header},
};

/// The longest accepted message where the configuration has no bound, in bytes.
const LONGEST: u64 = 1 << 30;
/// The most bytes that one read asks for.
const READ: usize = 256 * 1024;
/// The least that one read asks for: a read takes all bytes that have arrived, up to this.
const READ_AHEAD: usize = 2048;

/// A command of a handler for its connection. Commands are executed in order.
#[derive(Debug)]
pub enum Command {
    /// Put these bytes on the wire. Answered when the socket has taken them.
    Write(Bytes, oneshot::Sender<io::Result<()>>),
    /// HTTP/2 only: the handshake succeeds with these headers. The bytes of the stream follow.
    Accept(Vec<(Bytes, Bytes)>),
    /// HTTP/2 only: the handshake fails with this answer.
    Refuse(Reply),
    /// The handler's file cannot be loaded: continue as if it did not exist. No other command follows.
    Decline,
    /// The handler has ended: close the connection.
    Finish,
}

/// A handler's request for at most this many bytes, at least one unless the stream has ended.
#[derive(Debug)]
pub struct Read(pub usize, pub oneshot::Sender<io::Result<Bytes>>);

/// The connection's end. When it is dropped, every later call of the handler fails.
#[derive(Debug)]
pub struct Session {
    /// The commands. Ends without [`Command::Finish`] when the handler's thread died.
    pub commands: mpsc::UnboundedReceiver<Command>,
    /// The reads.
    pub reads: mpsc::UnboundedReceiver<Read>,
    /// The session has to end, because it holds most of what is too much for all together.
    pub evictions: mpsc::UnboundedReceiver<()>,
    /// The sign that the connection is open.
    pub presence: Presence,
}

/// The connection of a running handler: dropping it says that the client has disconnected.
#[derive(Debug)]
pub struct Presence(Arc<Run>);

impl Presence {
    /// The run of the handler, to tell it earlier.
    pub fn run(&self) -> Arc<Run> {
        Arc::clone(&self.0)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.client_gone();
    }
}

/// Ends a session from another thread.
struct Evict(mpsc::UnboundedSender<()>);

impl Wake for Evict {
    fn wake(self: Arc<Self>) {
        // A session that has ended already needs no end.
        let _ = self.0.send(());
    }
}

/// A frame as it came, without its mask.
#[derive(Debug)]
pub struct Frame {
    /// Opcode, flags, length and mask, as sent.
    pub header: Header,
    /// The bytes without the mask.
    pub payload: Vec<u8>,
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended before the frame did.
    #[error("the peer closed the connection")]
    Closed,
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The frame breaks the protocol.
    #[error(transparent)]
    Bad(#[from] BadFrame),
    /// The message is longer than the limit: its bytes with this frame, and the limit.
    #[error("the message has {0} bytes or more, but at most {1} are accepted (bounds.websocket_message_bytes)")]
    TooLong(u64, u64),
}

/// The handler's end.
#[derive(Debug)]
pub struct Socket {
    commands: mpsc::UnboundedSender<Command>,
    reads: mpsc::UnboundedSender<Read>,
    /// Bytes that have been read and not yet used. The reading thread holds the lock until its frame is complete.
    input: Mutex<BytesMut>,
    gone: AtomicBool,
    longest: u64,
    /// What the client has sent and the handler still has.
    account: Account,
    evict: Waker,
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "Broken pipe")
}

impl Socket {
    /// A new crossing. The queues need no bound: writes and reads wait for their answer. Messages of the client have at most
    /// `longest` bytes.
    pub fn new(longest: Option<u64>, run: Arc<Run>) -> (Self, Session) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (reads, read_receiver) = mpsc::unbounded_channel();
        let (evict, evictions) = mpsc::unbounded_channel();
        let socket = Self {
            commands,
            reads,
            input: Mutex::default(),
            gone: AtomicBool::new(false),
            longest: longest.unwrap_or(LONGEST),
            account: Account::new(&BUFFERED),
            evict: Arc::new(Evict(evict)).into(),
        };
        (socket, Session { commands: receiver, reads: read_receiver, evictions, presence: Presence(run) })
    }

    /// The most bytes that a message of the client may have.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// Says that so many bytes of messages are held by the handler's thread.
    pub fn hold(&self, bytes: u64) {
        self.account.hold(bytes, &self.evict);
    }

    /// Whether a read or a write has failed because the connection has ended.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Sends a command that needs no answer. The connection may have ended already.
    pub fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    fn wait<T>(&self, answer: oneshot::Receiver<io::Result<T>>) -> io::Result<T> {
        let result = cancel::receive(answer).map_err(io::Error::other)?.unwrap_or_else(|| Err(gone()));
        if result.is_err() {
            self.gone.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Writes all bytes and waits until the socket has taken them.
    ///
    /// # Errors
    /// The client has disconnected, or the run is cancelled.
    pub fn write(&self, bytes: Bytes) -> io::Result<()> {
        let (answer, result) = oneshot::channel();
        // If the connection's end is gone, the sender of the answer is dropped, and the wait below fails.
        self.tell(Command::Write(bytes, answer));
        self.wait(result)
    }

    /// Reads until `input` has `count` bytes; false if the stream ends before. `kept` bytes of the same message are elsewhere.
    fn fill(&self, input: &mut BytesMut, count: usize, kept: u64) -> io::Result<bool> {
        while input.len() < count {
            let held = kept.saturating_add(input.len() as u64);
            self.hold(held);
            // Only a handler that reads lines, or all there is, comes here: the length of a frame is known.
            if held > self.longest.saturating_add(READ as u64) {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, FrameError::TooLong(held, self.longest)));
            }
            let (answer, result) = oneshot::channel();
            let _ = self.reads.send(Read((count - input.len()).clamp(READ_AHEAD, READ), answer));
            let bytes = self.wait(result)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            input.extend_from_slice(&bytes);
        }
        Ok(true)
    }

    /// The bytes that have arrived, at most `count`: at least one, unless the stream has ended. Without a count, all bytes to the
    /// end. As `read` of Python's `socket.SocketIO`, from which pywebsocket3 reads.
    ///
    /// # Errors
    /// The connection broke.
    pub fn read(&self, count: Option<usize>) -> io::Result<Vec<u8>> {
        let mut input = self.input.lock();
        self.fill(&mut input, count.map_or(usize::MAX, |count| count.min(1)), 0)?;
        let length = count.unwrap_or(usize::MAX).min(input.len());
        Ok(take(&mut input, length))
    }

    /// The bytes up to and with the next line feed, fewer only at the end of the stream.
    ///
    /// # Errors
    /// The connection broke.
    pub fn read_line(&self) -> io::Result<Vec<u8>> {
        let mut input = self.input.lock();
        let mut looked_at = 0;
        loop {
            let news = input.get(looked_at..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', news) {
                return Ok(take(&mut input, looked_at + at + 1));
            }
            looked_at = input.len();
            if !self.fill(&mut input, looked_at + 1, 0)? {
                return Ok(take(&mut input, looked_at));
            }
        }
    }

    /// The next frame. With `masked` it has to be masked, without it must not be. The message that it may belong to has `kept`
    /// bytes already.
    ///
    /// # Errors
    /// See [`FrameError`]. The frame's bytes that have arrived stay unread.
    pub fn read_frame(&self, masked: bool, kept: u64) -> Result<Frame, FrameError> {
        let mut input = self.input.lock();
        let (header, size) = loop {
            match frame::header(&input, masked)? {
                FrameStep::Header(header, size) => break (header, size),
                FrameStep::More(count) => self.fill_frame(&mut input, count, kept)?,
            }
        };
        let total = kept.saturating_add(header.length);
        let length = usize::try_from(header.length)
            .ok()
            .filter(|_| total <= self.longest)
            .ok_or(FrameError::TooLong(total, self.longest))?;
        self.fill_frame(&mut input, size + length, kept)?;
        self.hold(total);
        input.advance(size);
        let mut payload = take(&mut input, length);
        if let Some(key) = header.mask {
            frame::mask(&mut payload, key);
        }
        Ok(Frame { header, payload })
    }

    fn fill_frame(&self, input: &mut MutexGuard<'_, BytesMut>, count: usize, kept: u64) -> Result<(), FrameError> {
        if self.fill(input, count, kept)? { Ok(()) } else { Err(FrameError::Closed) }
    }
}

/// Takes bytes off the front. An idle connection keeps no buffer.
fn take(input: &mut BytesMut, length: usize) -> Vec<u8> {
    if length == input.len() {
        return std::mem::take(input).into();
    }
    input.split_to(length.min(input.len())).to_vec()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A socket whose client sends `pieces` and then closes.
    fn socket(pieces: &[&[u8]]) -> Socket {
        let (socket, mut session) = Socket::new(None, Run::new("a_wsh.py".into(), false, None));
        let pieces: Vec<Bytes> = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
        thread::spawn(move || {
            let mut pieces = pieces.into_iter();
            while let Some(Read(max, answer)) = session.reads.blocking_recv() {
                let piece = pieces.next().unwrap_or_default();
                assert!(piece.len() <= max);
                let _ = answer.send(Ok(piece));
            }
        });
        socket
    }

    #[test]
    fn reads_take_what_is_there() {
        let socket = socket(&[b"ab", b"c\nd", b"e\nfg", b"hi"]);
        assert_eq!(socket.read(Some(0)).unwrap(), b"");
        assert_eq!(socket.read(Some(1)).unwrap(), b"a");
        assert_eq!(socket.read(Some(3)).unwrap(), b"b");
        assert_eq!(socket.read(Some(1)).unwrap(), b"c");
        assert_eq!(socket.read_line().unwrap(), b"\n");
        assert_eq!(socket.read_line().unwrap(), b"de\n");
        assert_eq!(socket.read(None).unwrap(), b"fghi");
        assert_eq!(socket.read(Some(1)).unwrap(), b"");
        assert_eq!(socket.read_line().unwrap(), b"");
    }

    #[test]
    fn a_frame_may_come_in_pieces() {
        let socket = socket(&[b"\x81", b"\x83\x01\x02", b"\x03\x04", b"`", b"``\x82\x80\0\0", b"\0\0\x81\x81\0\0"]);
        let frame = socket.read_frame(true, 0).unwrap();
        assert_eq!((frame.payload, frame.header.opcode()), (b"abc".to_vec(), 1));
        let frame = socket.read_frame(true, 0).unwrap();
        assert_eq!((frame.payload, frame.header.opcode()), (Vec::new(), 2));
        assert!(matches!(socket.read_frame(true, 0), Err(FrameError::Closed)));
    }

    #[test]
    fn a_long_frame_is_refused_before_its_bytes_are_waited_for() {
        let socket = socket(&[b"\x82\xff\0\0\0\x01\0\0\0\0\0\0\0\0"]);
        assert!(matches!(socket.read_frame(true, 0), Err(FrameError::TooLong(0x1_0000_0000, LONGEST))));
    }

    #[test]
    fn the_fragments_of_a_message_are_counted_together() {
        let socket = socket(&[b"\x82\x83\0\0\0\0abc\x80\x83\0\0\0\0def"]);
        let kept = LONGEST - 5;
        assert_eq!(socket.read_frame(true, kept).unwrap().payload, b"abc");
        assert!(matches!(socket.read_frame(true, kept + 3), Err(FrameError::TooLong(_, LONGEST))));
    }

    #[test]
    fn a_connection_that_is_gone_fails_everything() {
        let (socket, session) = Socket::new(None, Run::new("a_wsh.py".into(), false, None));
        drop(session);
        assert!(!socket.is_gone());
        assert!(socket.write(Bytes::from_static(b"x")).is_err());
        assert!(socket.read(Some(1)).is_err());
        assert!(socket.is_gone());
    }
}
