//! A connection's byte stream: one type for plain and encrypted connections.

use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, Interest, ReadBuf},
    net::{TcpStream, tcp::OwnedReadHalf},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use crate::handover::Outlet;

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 0x16;

#[derive(Debug)]
pub(super) enum ByteStream {
    /// The thread of a handler may write as well.
    Plain(TcpHalves),
    /// Boxed, because the state of a TLS session is large.
    Tls(Box<TlsStream<TcpHalves>>),
    /// During a change to TLS: the stream cannot be read or written.
    Taken,
}

impl ByteStream {
    /// Takes an accepted connection, and does the handshake if `tls` is given. The handshake may take `time`.
    ///
    /// # Errors
    /// The handshake failed or took too long, or the client has disconnected.
    pub(super) async fn accept(
        stream: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        time: Option<Duration>,
    ) -> io::Result<Self> {
        // Small writes must not wait for the client's delayed acknowledgement. A socket that refuses the option is served anyway.
        let _ = stream.set_nodelay(true);
        let plain = Self::Plain(TcpHalves::new(stream));
        match tls {
            None => Ok(plain),
            Some(tls) => plain.encrypt(BytesMut::new(), tls, time).await,
        }
    }

    /// Writes the last bytes before the end of the connection. The system may keep them until the end, which saves a packet, and
    /// wakes a client that waits for the end only once.
    pub(super) fn poll_write_last(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.outlet.poll_send(context, |socket| {
                let send = || SockRef::from(socket).send_with_flags(bytes, libc::MSG_MORE);
                socket.try_io(Interest::WRITABLE, send)
            }),
            other => Pin::new(other).poll_write(context, bytes),
        }
    }

    /// Sends the bytes that a handler's thread has left.
    ///
    /// # Errors
    /// The client has disconnected.
    pub(super) fn poll_rest(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.outlet.poll_rest(context),
            Self::Tls(_) | Self::Taken => Poll::Ready(Ok(())),
        }
    }

    /// How many bytes a handler's thread has left unsent.
    pub(super) fn left(&self) -> usize {
        match self {
            Self::Plain(socket) => socket.outlet.left(),
            Self::Tls(_) | Self::Taken => 0,
        }
    }

    /// The outlet through which a handler's thread may send. Empty for an encrypted connection.
    pub(super) fn outlet(&self) -> Weak<Outlet> {
        match self {
            Self::Plain(socket) => Arc::downgrade(&socket.outlet),
            Self::Tls(_) | Self::Taken => Weak::new(),
        }
    }

    /// The handshake on a plain connection of which `arrived` has been read already. A client that does not speak TLS gets no
    /// answer, not even an alert, because OpenSSL, which wptserve uses, sends none either.
    ///
    /// The thread of an earlier request's handler may still hold the outlet. It has no bytes left to send, and its lock keeps the
    /// order of the bytes.
    ///
    /// # Errors
    /// The handshake failed or took too long, the client has disconnected, or the connection is encrypted already.
    pub(super) async fn encrypt(
        self,
        arrived: BytesMut,
        tls: Arc<ServerConfig>,
        time: Option<Duration>,
    ) -> io::Result<Self> {
        let handshake = self.shake_hands(arrived, tls);
        match time {
            Some(time) => tokio::time::timeout(time, handshake).await?,
            None => handshake.await,
        }
    }

    async fn shake_hands(self, arrived: BytesMut, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let Self::Plain(mut socket) = self else {
            return Err(io::Error::other("the connection is encrypted already"));
        };
        socket.arrived = arrived;
        if socket.arrived.is_empty() {
            socket.reader.read_buf(&mut socket.arrived).await?;
        }
        match socket.arrived.first() {
            Some(&HANDSHAKE) => Ok(Self::Tls(Box::new(TlsAcceptor::from(tls).accept(socket).await?))),
            Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, out),
            Self::Tls(stream) => match Pin::new(stream).poll_read(context, out) {
                // The client has closed its side without `close_notify`. It may still wait for its answer.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                result => result,
            },
            Self::Taken => Poll::Pending,
        }
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Taken => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            Self::Taken => Poll::Pending,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Taken => Poll::Ready(Ok(())),
        }
    }
}

/// A TCP connection in halves, of which some bytes may have been read already.
#[derive(Debug)]
pub(super) struct TcpHalves {
    arrived: BytesMut,
    reader: OwnedReadHalf,
    outlet: Arc<Outlet>,
}

impl TcpHalves {
    fn new(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { arrived: BytesMut::new(), reader, outlet: Arc::new(Outlet::new(writer)) }
    }
}

impl AsyncRead for TcpHalves {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if socket.arrived.is_empty() {
            return Pin::new(&mut socket.reader).poll_read(context, out);
        }
        let count = socket.arrived.len().min(out.remaining());
        out.put_slice(socket.arrived.get(..count).unwrap_or_default());
        socket.arrived.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TcpHalves {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outlet.poll_send(context, |socket| socket.try_write(bytes))
    }

    /// Several records in one write, among them the alert that says why a handshake has failed.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.outlet.poll_send(context, |socket| socket.try_write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outlet = &mut self.get_mut().outlet;
        ready!(outlet.poll_settled(context))?;
        match Arc::get_mut(outlet) {
            Some(outlet) => Pin::new(outlet.half()).poll_shutdown(context),
            // A handler's thread still holds the socket, but will not send any more.
            None => Poll::Ready(SockRef::from(outlet.socket()).shutdown(Shutdown::Write)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, thread};

    use tokio_rustls::rustls::{
        AlertDescription, ClientConfig, ClientConnection, Error, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject as _},
    };

    use super::*;
    use crate::tls::{self, Source};

    /// What a client of the h2 port gets that offers this protocol.
    fn offered(protocol: &str) -> Result<Option<Vec<u8>>, Error> {
        let source = Source::OpenSsl { base_path: None, password: String::new(), force_regenerate: true, duration: 1 };
        let identity = tls::load(&source, &["web-platform.test".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(identity.ca_cert_path.as_ref().unwrap()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let mut client = ClientConnection::new(Arc::new(config), "web-platform.test".try_into().unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            runtime.block_on(async {
                ByteStream::accept(listener.accept().await?.0, Some(identity.h2), None).await.map(drop)
            })
        });
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        let mut bytes = [0; 4096];
        while client.is_handshaking() {
            client.write_tls(&mut socket).unwrap();
            let count = socket.read(&mut bytes).unwrap();
            assert!(count > 0, "the server has gone without a word");
            client.read_tls(&mut &bytes[..count]).unwrap();
            client.process_new_packets()?;
        }
        while client.wants_write() {
            client.write_tls(&mut socket).unwrap();
        }
        server.join().unwrap().unwrap();
        Ok(client.alpn_protocol().map(<[u8]>::to_vec))
    }

    #[test]
    fn a_client_hears_why_its_handshake_has_failed() {
        assert_eq!(offered("h2"), Ok(Some(b"h2".to_vec())));
        assert_eq!(offered("http/1.1"), Err(Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
    }
}
