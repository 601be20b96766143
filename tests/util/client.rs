//! A client of raw bytes, plain or encrypted.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_rustls::rustls::{self, ClientConnection};

use super::{Answer, DEADLINE, HOST, QUIET, Server};

/// A connection of raw bytes, plain or encrypted.
pub struct Client {
    pub stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// A handshake that has begun.
    hello: Option<Box<ClientConnection>>,
    buffer: Vec<u8>,
    /// Keeps the server running as long as the connection exists.
    server: Arc<Server>,
}

impl Client {
    pub(super) fn connect(server: &Arc<Server>) -> Self {
        let stream = TcpStream::connect_timeout(&server.address, DEADLINE).expect("the port accepts");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { stream, tls: None, hello: None, buffer: Vec::new(), server: Arc::clone(server) }
    }

    /// The handshake, now.
    #[track_caller]
    pub fn encrypt(&mut self) {
        let hello = self.hello();
        self.stream.write_all(&hello).unwrap();
        self.finish_handshake();
    }

    /// The first bytes of a handshake.
    pub fn hello(&mut self) -> Vec<u8> {
        let config = Arc::clone(self.server.client_config.as_ref().expect("a server with TLS"));
        let mut tls = Box::new(ClientConnection::new(config, HOST.try_into().unwrap()).unwrap());
        tls.set_buffer_limit(None);
        let mut hello = Vec::new();
        tls.write_tls(&mut hello).unwrap();
        self.hello = Some(tls);
        hello
    }

    /// The handshake, unless the server closes the connection before it is done.
    pub fn encrypts(&mut self) -> bool {
        let hello = self.hello();
        self.stream.write_all(&hello).is_ok() && self.try_finish_handshake().is_ok()
    }

    /// The rest of the handshake.
    #[track_caller]
    pub fn finish_handshake(&mut self) {
        self.try_finish_handshake().expect("the handshake succeeds");
    }

    fn try_finish_handshake(&mut self) -> io::Result<()> {
        let mut tls = self.hello.take().expect("a handshake that has begun");
        let arrived = std::mem::take(&mut self.buffer);
        let mut arrived = arrived.as_slice();
        while !arrived.is_empty() {
            tls.read_tls(&mut arrived).unwrap();
            tls.process_new_packets().expect("the handshake succeeds");
        }
        tls.complete_io(&mut self.stream)?;
        self.tls = Some(tls);
        Ok(())
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sealed = self.sealed(bytes);
        self.stream.write_all(&sealed).expect("the server takes what is sent");
    }

    /// These bytes as they have to be written to the socket.
    pub fn sealed(&mut self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let Some(tls) = &mut self.tls else { return bytes.as_ref().to_vec() };
        tls.writer().write_all(bytes.as_ref()).unwrap();
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        sealed
    }

    /// Ends our side of the connection; the server's answers can still be read.
    pub fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Sends `close_notify` first, as a correct client does.
    pub fn half_close_politely(&mut self) {
        let tls = self.tls.as_mut().expect("a connection with TLS");
        tls.send_close_notify();
        let farewell = self.sealed([]);
        self.stream.write_all(&farewell).unwrap();
        self.half_close();
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads what comes next into the buffer; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 64 * 1024];
        let read = match &mut self.tls {
            None => self.stream.read(&mut chunk),
            // The end of the connection is an error here, unless the server has said in TLS that it comes.
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut chunk),
        };
        match read {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}; so far: {:?}", String::from_utf8_lossy(&self.buffer)),
        }
    }

    /// The bytes that come next, as soon as there are any; none at the end of the connection.
    pub fn some(&mut self) -> Vec<u8> {
        if self.buffer.is_empty() {
            self.fill();
        }
        std::mem::take(&mut self.buffer)
    }

    /// Everything until the server closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let deadline = Instant::now() + DEADLINE;
        while self.fill() {
            assert!(Instant::now() < deadline, "the connection does not end");
        }
        std::mem::take(&mut self.buffer)
    }

    pub fn rest_text(&mut self) -> String {
        String::from_utf8_lossy(&self.rest()).into_owned()
    }

    /// Exactly these bytes come next.
    #[track_caller]
    pub fn expect(&mut self, bytes: &str) {
        while self.buffer.len() < bytes.len() && self.fill() {}
        let count = bytes.len().min(self.buffer.len());
        assert_eq!(String::from_utf8_lossy(&self.buffer[..count]), bytes);
        self.buffer.drain(..count);
    }

    /// This many bytes.
    #[track_caller]
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill(), "closed after {:?}", String::from_utf8_lossy(&self.buffer));
        }
        self.buffer.drain(..count).collect()
    }

    /// Reads to the end of a head. The body is left in the buffer.
    #[track_caller]
    pub fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill(), "closed in mid-head: {:?}", String::from_utf8_lossy(&self.buffer));
        };
        Answer::parse(&self.buffer.drain(..end).collect::<Vec<u8>>())
    }

    /// One answer: its body ends by Content-Length, or else with the connection.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        answer.body = match answer.header("Content-Length").map(str::parse::<usize>) {
            Some(length) => {
                let length = length.expect("a length");
                while self.buffer.len() < length {
                    assert!(self.fill(), "closed in mid-body of {answer:?}");
                }
                self.buffer.drain(..length).collect()
            }
            None => self.rest(),
        };
        answer
    }

    /// The server has closed, and nothing was left to read.
    #[track_caller]
    pub fn expect_close(&mut self) {
        assert_eq!(self.rest_text(), "");
    }

    /// Nothing comes, and the connection stays open.
    #[track_caller]
    pub fn expect_quiet(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.buffer), "");
        self.stream.set_read_timeout(Some(QUIET)).unwrap();
        let mut byte = [0];
        let read = match &mut self.tls {
            None => self.stream.read(&mut byte),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.stream).read(&mut byte),
        };
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        match read {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            other => panic!("the connection was expected to be open and quiet: {other:?} {byte:?}"),
        }
    }
}
