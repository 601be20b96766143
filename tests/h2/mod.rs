//! HTTP/2 on the socket: the protocol's rules, floods, and what strict clients expect. The recorded answers of wptserve are
//! in tests/cases/h2.rs.

pub(crate) mod client;

use std::{path::Path, sync::Arc, time::Duration};

use client::*;

use crate::util::{Launch, Server, Shared};

static SERVER: Shared = Shared::new();

/// A server of fixtures/h2/site.
fn server() -> Arc<Server> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/h2/site");
    SERVER.get(|| Launch::new(&[]).with_root(&site).start())
}

fn connect(server: &Server) -> Connection {
    Connection::new(server.h2)
}

#[test]
fn the_greeting_and_pings() {
    let server = server();
    let mut connection = Connection::greeted(server.h2, &[]);
    let settings = connection.next().unwrap();
    assert_eq!((settings.kind, settings.payload.len()), (SETTINGS, 42));
    assert_eq!(connection.next().unwrap(), Frame { kind: SETTINGS, flags: 1, stream: 0, payload: Vec::new() });
    connection.send(PING, 0, 0, b"12345678");
    assert_eq!(connection.next().unwrap(), Frame { kind: PING, flags: 1, stream: 0, payload: b"12345678".into() });
}

#[test]
fn a_client_that_breaks_the_protocol_hears_of_it() {
    let server = server();
    let mut connection = Connection::silent(server.h2);
    connection.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(connection.ends_with(), 1);
    let mut connection = connect(&server);
    connection.data(1, "no stream", true);
    assert_eq!(connection.ends_with(), 1);
    // Only the stream is at fault here.
    let mut connection = connect(&server);
    let connect_to = [(":method", "CONNECT"), (":authority", "localhost:443")];
    let stream = connection.open(&connect_to.map(|(name, value)| (name.to_owned(), value.to_owned())), false);
    assert_eq!(connection.text(stream).0, "501");
    let stream = connection.open(&request("GET", "/file.txt")[1..], true);
    assert_eq!(connection.reset_of(stream), 1);
    let stream = connection.get("/file.txt");
    assert_eq!(connection.text(stream), ("200".into(), "plain\n".into()));
}

/// Sends a body of at least this many bytes, as fast as the server takes it. Returns its length, and the frames that came meanwhile.
fn upload(connection: &mut Connection, stream: u32, length: usize) -> (usize, Vec<Frame>) {
    let (mut sent, mut room, mut others) = (0usize, 65_535usize, Vec::new());
    while sent < length {
        while room < 16_384 {
            let frame = connection.next().expect("more room");
            if frame.stream != stream {
                continue;
            }
            if frame.kind == WINDOW_UPDATE {
                room += u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) as usize;
            } else {
                others.push(frame);
            }
        }
        connection.data(stream, vec![b'x'; 16_384], false);
        (sent, room) = (sent + 16_384, room - 16_384);
    }
    connection.data(stream, "", true);
    (sent, others)
}

#[test]
fn uploads_of_any_size_reach_the_handler() {
    let server = server();
    let mut connection = connect(&server);
    let stream = connection.post("/length.py");
    let (sent, _) = upload(&mut connection, stream, 3_000_000);
    assert_eq!(connection.text(stream), ("200".into(), format!("{sent} {sent} {sent}")));
}

#[test]
fn uploads_that_nobody_wants_are_taken_too() {
    let server = server();
    let mut connection = connect(&server);
    for path in ["/early.py", "/none.py", "/file.txt", "/stream_echo.py?"] {
        let stream = connection.post(path);
        let (_, others) = upload(&mut connection, stream, 300_000);
        // The end may have come already.
        if !others.iter().any(|frame| frame.flags & END_STREAM != 0) {
            while connection.next_of_stream().unwrap().flags & END_STREAM == 0 {}
        }
    }
}

#[test]
fn a_handler_waits_for_the_client_s_window() {
    let server = server();
    // INITIAL_WINDOW_SIZE 10.
    let mut connection = Connection::greeted(server.h2, &[(4, 10)]);
    let stream = connection.get("/writer.py?do=headers_data");
    let mut body = Vec::new();
    loop {
        let frame = connection.next_of_stream().unwrap();
        if frame.kind == DATA {
            body.extend(frame.payload);
            if frame.flags & END_STREAM != 0 {
                break;
            }
            connection.send(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1]);
        }
    }
    assert_eq!(body, b"textbytes");
    // A stream that waits does not block other streams.
    let held = connection.get("/large.txt");
    let other = connection.open(&request("HEAD", "/file.txt"), true);
    let mut is_answered = false;
    while !is_answered {
        let frame = connection.next_of_stream().unwrap();
        is_answered = frame.stream == other && frame.kind == HEADERS;
        if frame.kind == HEADERS {
            connection.fields(&frame.payload);
        }
    }
    connection.send(RST_STREAM, 0, held, &[0, 0, 0, 8]);
}

#[test]
fn resets_are_seen_by_handlers() {
    let server = server();
    let mut connection = connect(&server);
    let key = "0f7f7d2c-1a9c-4a5e-8f0e-5d3f0e6b1a01";
    let stream = connection.get(&format!("/until_reset.py?key={key}"));
    assert_eq!(connection.next_of_stream().unwrap().kind, HEADERS);
    connection.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    let told = crate::util::until("the handler's exception", || {
        let mut other = connect(&server);
        let stream = other.get(&format!("/report.py?key={key}"));
        let (_, text) = other.text(stream);
        (text != "None").then_some(text)
    });
    assert_eq!(told, format!("StreamClosedError {stream}"));
    // A stream that was reset while its request was coming costs nothing any more.
    let stream = connection.post("/stream_echo.py");
    connection.data(stream, "begun", false);
    connection.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    let stream = connection.get("/file.txt");
    while connection.next_of_stream().unwrap().stream != stream {}
}

#[test]
fn two_hundred_handlers_sleep_on_one_connection() {
    let server = server();
    // The limit of a hundred streams holds from when the client has agreed to it.
    let mut connection = Connection::greeted(server.h2, &[]);
    let gate = "5b0e6c0e-3c1d-4f0e-9a53-8f6d9a1f2c77";
    let streams: Vec<u32> = (0..200).map(|_| connection.get(&format!("/gate.py?key={gate}"))).collect();
    // All of them are inside before one may leave.
    let mut other = connect(&server);
    crate::util::until("all handlers at the gate", || {
        let stream = other.get(&format!("/gate.py?key={gate}&count=1"));
        (other.text(stream).1 == "200").then_some(())
    });
    let stream = other.get(&format!("/gate.py?key={gate}&open=1"));
    assert_eq!(other.text(stream).0, "200");
    let mut ended = Vec::new();
    while ended.len() < streams.len() {
        let frame = connection.next().unwrap();
        if frame.stream != 0 && frame.kind == DATA && frame.flags & END_STREAM != 0 {
            ended.push(frame.stream);
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, streams);
}

#[test]
fn streams_that_wait_for_their_clients_have_no_threads() {
    let server = Launch::new(&[("wait.py", "def main(request, response):\n    return 'done'\n")]).tls().start();
    // More than there may be threads.
    let mut waiting: Vec<(Connection, u32)> = Vec::new();
    for _ in 0..12 {
        let mut connection = connect(&server);
        let streams: Vec<u32> = (0..90).map(|_| connection.post("/wait.py")).collect();
        waiting.push((connection, streams[0]));
    }
    let mut connection = connect(&server);
    let stream = connection.get("/wait.py");
    assert_eq!(connection.text(stream).1, "done");
    for (mut connection, stream) in waiting {
        connection.data(stream, "", true);
        assert_eq!(connection.text(stream).1, "done");
    }
}

#[test]
fn floods_are_ended() {
    let server = server();
    let mut connection = connect(&server);
    for _ in 0..1500 {
        let stream = connection.get("/file.txt");
        connection.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    }
    assert_eq!(connection.ends_with(), 11);
    // Blocks that do not end.
    let mut connection = connect(&server);
    connection.send(HEADERS, 0, 1, b"");
    for _ in 0..100 {
        connection.send(9, 0, 1, b"");
    }
    assert_eq!(connection.ends_with(), 11);
    // Header fields without an end.
    let mut connection = connect(&server);
    let mut fields = request("GET", "/file.txt");
    fields.extend((0..20).map(|at| (format!("x-{at}"), "x".repeat(4000))));
    let block = connection.block(&fields);
    let mut pieces = block.chunks(16_384).peekable();
    connection.send(HEADERS, END_STREAM, 1, pieces.next().unwrap());
    while let Some(piece) = pieces.next() {
        connection.send(9, if pieces.peek().is_none() { END_HEADERS } else { 0 }, 1, piece);
    }
    assert_eq!(connection.ends_with(), 11);
    // Pings are answered only up to a limit, and so are all other frames that are neither requests nor content.
    let mut connection = connect(&server);
    for _ in 0..5_000 {
        connection.send(PING, 0, 0, b"12345678");
    }
    let stream = connection.get("/file.txt");
    assert_eq!(connection.text(stream).0, "200");
    let frame = |kind: u8, stream: u8, payload: &[u8]| {
        [&[0, 0, u8::try_from(payload.len()).unwrap(), kind, 0, 0, 0, 0, stream], payload].concat()
    };
    for flood in [
        frame(PING, 0, b"12345678"),
        frame(SETTINGS, 0, b""),
        frame(WINDOW_UPDATE, 0, &[0, 0, 0, 1]),
        frame(WINDOW_UPDATE, 1, &[0, 0, 0, 1]),
        frame(2, 1, &[0, 0, 0, 0, 16]),
        frame(0x77, 0, b"?"),
    ] {
        let mut connection = connect(&server);
        connection.post("/stream_echo.py");
        connection.raw(&flood.repeat(50_000));
        assert_eq!(connection.ends_with(), 11, "{flood:?}");
    }
}

#[test]
fn an_upload_of_single_bytes_arrives_and_is_not_remembered_byte_by_byte() {
    const HANDLER: &str = "def main(request, response):\n    frames = request.frames\n    data = b''.join(f.data for f in frames \
        if type(f).__name__ == 'DataReceived')\n    return '%d %d %s' % (len(frames), len(request.body), data == request.body)\n";
    let launch = Launch::new(&[
        ("kept.py", HANDLER),
        ("told.py", &format!("def handle_data(frame, request, response):\n    request.frames\n\n{HANDLER}")),
    ]);
    let root = launch.site().path().to_owned();
    let server = launch.with_root(&root).start();
    for (path, length) in [("/kept.py", 500), ("/kept.py", 30_000)] {
        let mut connection = connect(&server);
        let stream = connection.post(path);
        let frame = [&[0, 0, 1, DATA, 0], &stream.to_be_bytes()[..], b"x"].concat();
        connection.raw(&frame.repeat(length));
        connection.data(stream, b"", true);
        let (status, text) = connection.text(stream);
        assert_eq!(status, "200", "{text}");
        let [frames, body, is_whole] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((body, is_whole), (&*length.to_string(), "True"), "{path}");
        let frames: usize = frames.parse().unwrap();
        // The head, each byte, the end.
        if length == 500 { assert_eq!(frames, length + 2) } else { assert!(frames <= 10_001, "{frames}") }
    }
    // A handler that has looked at the list has the beginning of it; the body is whole.
    let mut connection = connect(&server);
    let stream = connection.post("/told.py");
    let frame = [&[0, 0, 1, DATA, 0], &stream.to_be_bytes()[..], b"x"].concat();
    connection.raw(&frame.repeat(15_000));
    connection.data(stream, b"", true);
    let text = connection.text(stream).1;
    assert!(text.contains(" 15000 "), "{text}");
}

#[test]
fn it_outlives_clients_that_go_in_mid_stream() {
    let server = server();
    for (path, end) in [("/large.txt", true), ("/writer.py?do=long", true), ("/stream_echo.py", false)] {
        let mut connection = Connection::greeted(server.h2, &[(4, 100)]);
        connection.open(&request("GET", path), end);
        connection.next_of_stream();
        drop(connection);
    }
    let mut connection = connect(&server);
    let stream = connection.get("/file.txt");
    assert_eq!(connection.text(stream).0, "200");
}

#[test]
fn a_goaway_of_the_client_lets_its_streams_end() {
    let server = server();
    let mut connection = connect(&server);
    let stream = connection.post("/data_only.py");
    connection.data(stream, "abc", false);
    connection.send(GOAWAY, 0, 0, &[0; 8]);
    connection.data(stream, "", true);
    let frames: Vec<Frame> = std::iter::from_fn(|| connection.next()).collect();
    let data: Vec<&[u8]> = frames.iter().filter(|frame| frame.kind == DATA).map(|frame| &frame.payload[..]).collect();
    assert_eq!(data, [b"ABC"]);
    assert!(frames.iter().any(|frame| frame.kind == GOAWAY && frame.payload[4..8] == [0; 4]), "{frames:?}");
}

#[test]
fn latency_delays_answers() {
    let site = [("a.txt", "a"), ("b.py", "def main(request, response):\n    return 'b'\n")];
    let server = Launch::new(&site).arg("--latency").arg("300").tls().start();
    for path in ["/a.txt", "/b.py", "/none"] {
        let mut connection = connect(&server);
        let start = std::time::Instant::now();
        let stream = connection.get(path);
        connection.text(stream);
        assert!(start.elapsed() >= Duration::from_millis(300), "{path}");
    }
}

#[test]
fn a_websocket_lives_on_a_stream() {
    let echo = "def web_socket_do_extra_handshake(request):\n    request.ws_protocol = request.ws_requested_protocols[0]\n\n\
                def web_socket_transfer_data(request):\n    while True:\n        line = request.ws_stream.receive_message()\n\
                \x20       if line is None:\n            return\n        request.ws_stream.send_message(line[::-1], binary=isinstance(line, bytes))\n";
    let refuse = "from pywebsocket3 import handshake\n\ndef web_socket_do_extra_handshake(request):\n\
                  \x20   raise handshake.HandshakeException('no', 403)\n\ndef web_socket_transfer_data(request):\n    pass\n";
    let files = [
        ("websockets/handlers/turn_wsh.py", echo),
        ("websockets/handlers/refuse_wsh.py", refuse),
        ("large.txt", "other streams go on"),
    ];
    let server = Launch::new(&files).tls().start();
    let mut connection = connect(&server);
    let handshake = |path: &str| {
        let mut fields = request("CONNECT", path);
        for (name, value) in [
            (":protocol", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "one, two"),
            ("origin", "https://localhost"),
        ] {
            fields.push((name.to_owned(), value.to_owned()));
        }
        // Pseudo-header fields come first.
        fields.sort_by_key(|(name, _)| !name.starts_with(':'));
        fields
    };
    for (path, status) in [("/refuse", "403"), ("/none", "404")] {
        let stream = connection.open(&handshake(path), false);
        assert_eq!(connection.text(stream).0, status);
        connection.data(stream, "", true);
    }
    let stream = connection.open(&handshake("/turn"), false);
    let head = connection.next_of_stream().unwrap();
    assert_eq!((head.kind, head.flags), (HEADERS, END_HEADERS));
    let fields = connection.fields(&head.payload);
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((field(":status"), field("sec-websocket-protocol")), (Some("200"), Some("one")));
    assert_eq!(field("upgrade"), None);
    // Masked with zeros; in two pieces.
    connection.data(stream, b"\x81\x83\0\0", false);
    connection.data(stream, b"\0\0abc", false);
    assert_eq!(connection.next_of_stream().unwrap().payload, b"\x81\x03cba");
    // More than all windows hold, and another stream in between.
    let other = connection.get("/large.txt");
    assert_eq!(connection.text(other).1, "other streams go on");
    let long = [&b"\x82\xff\0\0\0\0\0\x03\x0d\x40\0\0\0\0"[..], &vec![b'x'; 200_000]].concat();
    let (mut room, mut echoed) = (60_000usize, Vec::new());
    for piece in long.chunks(10_000) {
        while room < piece.len() {
            let frame = connection.next().expect("more room");
            if frame.stream == stream && frame.kind == WINDOW_UPDATE {
                room += u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) as usize;
            }
        }
        connection.data(stream, piece, false);
        room -= piece.len();
    }
    while echoed.len() < 200_010 {
        let frame = connection.next_of_stream().expect("the echo");
        assert_eq!((frame.kind, frame.stream), (DATA, stream));
        echoed.extend(frame.payload);
    }
    assert_eq!(echoed[..10], *b"\x82\x7f\0\0\0\0\0\x03\x0d\x40");
    // The closing handshake, then the end of the stream.
    connection.data(stream, b"\x88\x82\0\0\0\0\x03\xe8", false);
    let mut end = Vec::new();
    loop {
        let frame = connection.next_of_stream().expect("the end");
        end.extend(frame.payload);
        if frame.flags & END_STREAM != 0 {
            break;
        }
    }
    assert_eq!(end, b"\x88\x02\x03\xe8");
}
