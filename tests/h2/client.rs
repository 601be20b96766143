//! A client that knows only frames and HPACK, so that it can show frames that an HTTP library would refuse.
//!
//! tests/differential/http2.py asks the same with a client that shares no code with the server.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use serde_json::{Value, json};
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use wptserve::http::h2::{Decoder, Encoder, Field};

use crate::util::DEADLINE;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
const NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RSTSTREAM",
    "SETTINGS",
    "PUSHPROMISE",
    "PING",
    "GOAWAY",
    "WINDOWUPDATE",
    "CONTINUATION",
];

/// Takes every certificate: these tests are about what passes inside.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub struct Connection {
    tls: StreamOwned<ClientConnection, TcpStream>,
    encoder: Encoder,
    decoder: Decoder,
    stream: u32,
    input: Vec<u8>,
}

impl Connection {
    /// A connection behind its greetings, with windows that never matter.
    pub fn new(port: u16) -> Self {
        let mut connection = Self::greeted(port, &[(4, 1 << 24)]);
        connection.send(WINDOW_UPDATE, 0, 0, &(1u32 << 24).to_be_bytes());
        connection
    }

    /// A connection that has said which settings it wants.
    pub fn greeted(port: u16, settings: &[(u16, u32)]) -> Self {
        let mut connection = Self::silent(port);
        connection.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        connection.send(SETTINGS, 0, 0, &settings);
        connection
    }

    /// A connection without any bytes sent.
    pub fn silent(port: u16) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().dangerous();
        let mut config = config.with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let tls = StreamOwned::new(client, socket);
        Self { tls, encoder: Encoder::default(), decoder: Decoder::default(), stream: 1, input: Vec::new() }
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        // A server that has ended the connection is found out by reading.
        let _ = self.tls.write_all(bytes).and_then(|()| self.tls.flush());
    }

    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.raw(&frame);
    }

    pub fn block(&mut self, fields: &[(String, String)]) -> Vec<u8> {
        let fields: Vec<Field> =
            fields.iter().map(|(name, value)| (latin1(name).into(), latin1(value).into())).collect();
        self.encoder.encode(&fields)
    }

    /// Opens the next stream.
    pub fn open(&mut self, fields: &[(String, String)], end: bool) -> u32 {
        let (stream, block) = (self.stream, self.block(fields));
        self.stream += 2;
        self.send(HEADERS, END_HEADERS | if end { END_STREAM } else { 0 }, stream, &block);
        stream
    }

    pub fn get(&mut self, path: &str) -> u32 {
        self.open(&request("GET", path), true)
    }

    pub fn post(&mut self, path: &str) -> u32 {
        self.open(&request("POST", path), false)
    }

    pub fn data(&mut self, stream: u32, data: impl AsRef<[u8]>, end: bool) {
        self.send(DATA, u8::from(end), stream, data.as_ref());
    }

    /// The next frame; `None` at the end of the connection.
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(head) = self.input.get(..9) {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                if self.input.len() >= 9 + length {
                    let frame: Vec<u8> = self.input.drain(..9 + length).collect();
                    let stream = u32::from_be_bytes(frame[5..9].try_into().unwrap());
                    return Some(Frame { kind: frame[3], flags: frame[4], stream, payload: frame[9..].to_vec() });
                }
            }
            let mut chunk = [0; 65_536];
            match self.tls.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    panic!("nothing comes; so far {:?}", self.input)
                }
                Err(_) => return None,
            }
        }
    }

    /// The next frame that is about a stream. Settings are agreed to.
    pub fn next_of_stream(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == SETTINGS && frame.flags & ACK == 0 {
                self.send(SETTINGS, ACK, 0, b"");
            }
            if frame.kind == GOAWAY {
                return None;
            }
            if frame.stream != 0 && frame.kind != WINDOW_UPDATE {
                return Some(frame);
            }
        }
    }

    pub fn fields(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
        let fields = self.decoder.decode(block, usize::MAX).expect("a header block");
        fields.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// What comes until the stream and all that were promised on it have ended, as fixtures/h2 writes it down.
    pub fn answer(&mut self, stream: u32) -> Vec<Value> {
        let (mut seen, mut block, mut open) = (Vec::new(), Vec::new(), vec![stream]);
        while !open.is_empty() {
            let Some(frame) = self.next_of_stream() else {
                seen.push(json!(["closed", 0, "", ""]));
                break;
            };
            let Frame { kind, flags, stream, payload } = frame;
            let mut names = Vec::new();
            let mut content = json!("");
            let mut has_ended = kind == RST_STREAM;
            match kind {
                DATA => content = json!(shown(&payload)),
                RST_STREAM => content = json!(u32::from_be_bytes(payload[..4].try_into().unwrap())),
                HEADERS | CONTINUATION | PUSH_PROMISE => {
                    let start = if kind == PUSH_PROMISE { 4 } else { 0 };
                    block.extend_from_slice(&payload[start..]);
                    if flags & END_HEADERS != 0 {
                        names.push("END_HEADERS");
                        content = json!(self.fields(&std::mem::take(&mut block)));
                    }
                    if kind == PUSH_PROMISE {
                        let promised = u32::from_be_bytes(payload[..4].try_into().unwrap());
                        content = json!([promised, content]);
                        open.push(promised);
                    }
                }
                _ => {}
            }
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                names.push("END_STREAM");
                has_ended = true;
            }
            if has_ended {
                open.retain(|other| *other != stream);
            }
            seen.push(json!([NAMES[usize::from(kind)], stream, names.join(" "), content]));
        }
        seen
    }

    /// Status and body of an answer.
    #[track_caller]
    pub fn text(&mut self, stream: u32) -> (String, String) {
        let frames = self.answer(stream);
        let status = frames.first().and_then(|frame| frame[3][0][1].as_str()).unwrap_or_else(|| panic!("{frames:?}"));
        let body = frames.iter().filter(|frame| frame[0] == "DATA").filter_map(|frame| frame[3].as_str()).collect();
        (status.to_owned(), body)
    }

    /// The body of an answer that ends in order.
    #[track_caller]
    pub fn data_of(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let frame = self.next_of_stream().expect("the end of the stream before that of the connection");
            assert!(frame.kind != RST_STREAM, "stream {} was reset: {:?}", frame.stream, frame.payload);
            if frame.kind == DATA && frame.stream == stream {
                body.extend(frame.payload);
                if frame.flags & END_STREAM != 0 {
                    return body;
                }
            }
        }
    }

    /// The code of the GOAWAY that ends the connection.
    #[track_caller]
    pub fn ends_with(&mut self) -> u32 {
        let mut code = None;
        while let Some(frame) = self.next() {
            if frame.kind == GOAWAY {
                code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        code.expect("a GOAWAY before the end")
    }

    /// The code of the reset of a stream.
    #[track_caller]
    pub fn reset_of(&mut self, stream: u32) -> u32 {
        loop {
            let frame = self.next_of_stream().expect("a RST_STREAM before the end");
            if frame.kind == RST_STREAM && frame.stream == stream {
                return u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
            }
        }
    }
}

pub fn request(method: &str, path: &str) -> Vec<(String, String)> {
    [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|sign| u8::try_from(sign).unwrap()).collect()
}

fn shown(data: &[u8]) -> String {
    let text: String = data.iter().copied().map(char::from).collect();
    if data.len() <= 2000 { text } else { format!("{}... {} bytes", &text[..20], data.len()) }
}
