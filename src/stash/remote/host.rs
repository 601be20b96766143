//! The side of the process that keeps the stash: sockets around a [`Keeper`]. Nothing here blocks; a poll loop says what is ready.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixStream,
    },
    time::Instant,
};

use super::{
    keeper::{ClientId, Keeper, SocketId},
    protocol::{self, Answer, Ask, PREFIX},
};

/// How much is read from a socket at a time.
const CHUNK: usize = 64 * 1024;

/// The stash of other processes, which reach it with [`Remote`](super::Remote).
#[derive(Debug, Default)]
pub struct Host {
    keeper: Keeper,
    sockets: BTreeMap<SocketId, Socket>,
    last_socket: u64,
}

#[derive(Debug)]
struct Socket {
    stream: UnixStream,
    client: ClientId,
    input: Vec<u8>,
    /// Bytes of a value for which there is no room: read and forgotten.
    skipped: usize,
    output: Vec<u8>,
    /// How much of the output has been sent.
    sent: usize,
}

/// A question that has come as a whole.
enum Question {
    /// With the bytes of its value.
    Whole(Ask, Vec<u8>),
    /// Its value does not fit.
    TooLarge,
    /// More has to be read first.
    Unfinished,
}

impl Socket {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<()> {
        let count = self.stream.read(chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        self.input.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        Ok(())
    }

    fn question(&mut self, has_room: impl Fn(usize) -> bool) -> io::Result<Question> {
        let Some((prefix, rest)) = self.input.split_first_chunk::<PREFIX>() else { return Ok(Question::Unfinished) };
        let (header, value) = protocol::lengths(*prefix)?;
        let Some((header, value_bytes)) = rest.split_at_checked(header) else { return Ok(Question::Unfinished) };
        let ask = protocol::header(header)?;
        if let Some(bytes) = value_bytes.get(..value) {
            let bytes = bytes.to_vec();
            let end = self.input.len() - (value_bytes.len() - value);
            self.input.drain(..end);
            return Ok(Question::Whole(ask, bytes));
        }
        if !has_room(value) {
            self.skipped = value - value_bytes.len();
            self.input = Vec::new();
            return Ok(Question::TooLarge);
        }
        Ok(Question::Unfinished)
    }

    fn send(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output = Vec::new();
        self.sent = 0;
        Ok(())
    }
}

impl Host {
    /// Takes a socket of a process.
    ///
    /// # Errors
    /// The socket cannot be made non-blocking.
    pub fn adopt(&mut self, client: ClientId, stream: UnixStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        self.last_socket += 1;
        let socket = Socket { stream, client, input: Vec::new(), skipped: 0, output: Vec::new(), sent: 0 };
        self.sockets.insert(SocketId(self.last_socket), socket);
        Ok(())
    }

    /// The sockets to wait for: whether each has something to read is of interest, and whether it can be written to where the
    /// boolean is true.
    pub fn sockets(&self) -> impl Iterator<Item = (u64, BorrowedFd<'_>, bool)> {
        self.sockets.iter().map(|(id, socket)| (id.0, socket.stream.as_fd(), !socket.output.is_empty()))
    }

    /// When [`Self::serve`] is due even if no socket is ready.
    pub fn deadline(&self) -> Option<Instant> {
        self.keeper.deadline()
    }

    /// Does what can be done on the sockets that are ready, and for those who have waited long enough.
    pub fn serve(&mut self, ready: &[u64], now: Instant) {
        let mut chunk = if ready.is_empty() { Vec::new() } else { vec![0; CHUNK] };
        for id in ready.iter().copied().map(SocketId) {
            if let Err(error) = self.attend(id, &mut chunk, now)
                && error.kind() != io::ErrorKind::WouldBlock
            {
                self.close(id);
            }
        }
        self.keeper.expire(now);
        self.send();
    }

    /// A process has ended: its sockets, its lock and its queues are given up.
    pub fn end(&mut self, client: ClientId) {
        let ended: Vec<SocketId> =
            self.sockets.iter().filter(|(_, socket)| socket.client == client).map(|(id, _)| *id).collect();
        ended.into_iter().for_each(|id| self.close(id));
        self.keeper.end(client);
        self.send();
    }

    fn close(&mut self, id: SocketId) {
        self.sockets.remove(&id);
        self.keeper.leave(id);
    }

    fn attend(&mut self, id: SocketId, chunk: &mut [u8], now: Instant) -> io::Result<()> {
        // What is on its way on other sockets counts as well.
        let others = self.sockets.iter().filter(|(other, _)| **other != id);
        let buffered: usize = others.map(|(_, socket)| socket.input.len() + socket.output.len()).sum();
        let Some(socket) = self.sockets.get_mut(&id) else { return Ok(()) };
        socket.send()?;
        if let Err(error) = socket.read(chunk)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        loop {
            match socket.question(|length| self.keeper.has_room(length.saturating_add(buffered)))? {
                Question::Whole(ask, value) => self.keeper.ask(socket.client, id, ask, value, now),
                Question::TooLarge => put(socket, &Answer::Full, &[])?,
                Question::Unfinished => return Ok(()),
            }
        }
    }

    fn send(&mut self) {
        let mut broken = Vec::new();
        for (id, answer, value) in self.keeper.take_outgoing() {
            if let Some(socket) = self.sockets.get_mut(&id)
                && put(socket, &answer, &value).and_then(|()| socket.send()).is_err()
            {
                broken.push(id);
            }
        }
        broken.into_iter().for_each(|id| self.close(id));
    }
}

fn put(socket: &mut Socket, answer: &Answer, value: &[u8]) -> io::Result<()> {
    socket.output.extend(protocol::message(answer, value)?);
    Ok(())
}
