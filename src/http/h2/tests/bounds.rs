//! The limits of a connection: windows in both directions, floods, the number of streams.

use super::*;

#[test]
fn windows_of_the_client_are_kept() {
    let mut client = Client::new();
    // INITIAL_WINDOW_SIZE 20.
    client.send(SETTINGS, 0, 0, b"\0\x04\0\0\0\x14");
    client.request(1, &get(), END);
    client.connection.headers(1, &fields(":status=200"), false).unwrap();
    client.sent();
    let mut data = Bytes::from(vec![b'x'; 60]);
    let connection = &mut client.connection;
    // wptserve keeps nine bytes of the window free. If no room would be left, the rest is used.
    assert_eq!(connection.room(1), Ok(11));
    assert_eq!(connection.content(1, &mut data, true), Ok(Some(())));
    assert_eq!((data.len(), connection.room(1)), (49, Ok(0)));
    assert_eq!(connection.content(1, &mut data, true), Ok(Some(())));
    assert_eq!((data.len(), connection.content(1, &mut data, true)), (40, Ok(None)));
    // A smaller window makes this one negative.
    client.send(SETTINGS, 0, 0, b"\0\x04\0\0\0\x01");
    assert_eq!(client.connection.room(1), Ok(-28));
    client.send(UPDATE, 0, 1, &[0, 0, 0, 20]);
    assert_eq!(client.connection.content(1, &mut data, true), Ok(Some(())));
    assert_eq!(data.len(), 39);
    client.send(UPDATE, 0, 1, &[0, 0, 1, 0]);
    assert_eq!(client.connection.content(1, &mut data, true), Ok(Some(())));
    assert!(data.is_empty());
    assert_eq!(client.sent().last().unwrap().1, END);
}

#[test]
fn windows_of_the_server_are_refilled_as_the_request_is_used() {
    let mut client = Client::new();
    client.request(1, &get(), 0);
    client.sent();
    for _ in 0..3 {
        client.send(frame::DATA, 0, 1, &[0; 16_384]);
    }
    // The connection's window does not wait for the handler, the stream's does.
    assert_eq!(client.kinds(), [(UPDATE, 0, 0)]);
    client.connection.used(1, 3 * 16_384);
    assert_eq!(client.sent(), [(UPDATE, 0, 1, (3u32 * 16_384).to_be_bytes().to_vec())]);
    for _ in 0..3 {
        client.send(frame::DATA, 0, 1, &[0; 16_384]);
    }
    client.send(frame::DATA, 0, 1, &vec![0; WINDOW as usize - 3 * 16_384]);
    client.sent();
    client.send(frame::DATA, 0, 1, b"x");
    client.expect_reset(1, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn floods_are_bounded() {
    let mut client = Client::new();
    for stream in (1..).step_by(2) {
        client.request(stream, &get(), 0);
        client.send(RESET, 0, stream, &[0; 4]);
        client.connection.release(stream);
        if client.connection.is_over() {
            assert_eq!(stream, 2001);
            break;
        }
    }
    client.expect_end(ErrorCode::ENHANCE_YOUR_CALM);

    let mut client = Client::new();
    client.send(frame::HEADERS, 0, 1, b"");
    for _ in 0..64 {
        client.send(frame::CONTINUATION, 0, 1, b"");
    }
    assert!(!client.connection.is_over());
    client.send(frame::CONTINUATION, 0, 1, b"");
    client.expect_end(ErrorCode::ENHANCE_YOUR_CALM);

    let mut client = Client::new();
    let mut large = get();
    // A few bytes on the wire each, because the field is in the table.
    large.extend(vec![(Bytes::from_static(b"x"), Bytes::from(vec![b'x'; 3000])); 30]);
    client.request(1, &large, END);
    client.expect_end(ErrorCode::ENHANCE_YOUR_CALM);

    let mut client = Client::new();
    client.request(1, &get(), 0);
    for _ in 0..2000 {
        client.send(frame::DATA, 0, 1, b"");
    }
    client.expect_end(ErrorCode::ENHANCE_YOUR_CALM);
}

/// Exactly `expected` frames of a kind are accepted at once.
#[track_caller]
fn ends_after(kind: u8, flags: u8, stream: u32, payload: &[u8], expected: u32) {
    let mut client = Client::new();
    client.request(1, &get(), 0);
    let mut count = 0;
    while !client.connection.is_over() && count <= expected {
        client.send(kind, flags, stream, payload);
        client.connection.output().clear();
        client.connection.used(1, payload.len() as u32);
        client.events.clear();
        count += 1;
    }
    assert_eq!(count, expected + 1, "frames of kind {kind} on stream {stream}");
    // The cause was in the output, which has been taken already.
    assert!(client.connection.is_over());
}

#[test]
fn talk_without_end_is_ended() {
    // The greeting has cost two, and the request has earned more.
    for (kind, flags, stream, payload) in [
        (2, 0, 1, &b"\0\0\0\0\x10"[..]),
        (2, 0, 99, b"\0\0\0\0\x10"),
        (SETTINGS, 0, 0, b""),
        (SETTINGS, 0, 0, b"\0\x04\0\0\0\x14"),
        (SETTINGS, 1, 0, b""),
        (6, 0, 0, b"12345678"),
        (6, 1, 0, b"12345678"),
        (UPDATE, 0, 0, &[0, 0, 0, 1]),
        (UPDATE, 0, 1, &[0, 0, 0, 1]),
        (0x10, 0, 0, b"\0\0\0\x01u=1"),
        (0xaa, 0xff, 77, b""),
    ] {
        ends_after(kind, flags, stream, payload, 10_000);
    }
    ends_after(frame::DATA, 0, 1, b"x", 100_000);
    ends_after(frame::DATA, 8, 1, b"\x01x\0", 100_000);

    // Header blocks in many frames, request after request.
    let mut client = Client::new();
    let mut requests = 0;
    for stream in (1..).step_by(2) {
        let block = client.encoder.encode(&get());
        client.send(frame::HEADERS, END, stream, &block);
        for _ in 0..63 {
            client.send(frame::CONTINUATION, 0, stream, b"");
        }
        client.send(frame::CONTINUATION, WHOLE, stream, b"");
        client.connection.release(stream);
        client.connection.output().clear();
        if client.connection.is_over() {
            break;
        }
        requests += 1;
    }
    assert_eq!(requests, 207);
}

#[test]
fn the_end_of_a_flood_says_why() {
    let mut client = Client::new();
    for _ in 0..10_001 {
        client.send(6, 0, 0, b"12345678");
    }
    client.expect_end(ErrorCode::ENHANCE_YOUR_CALM);
}

/// All of this happens within one moment, so no budget refills.
#[test]
fn browsers_never_meet_the_bounds() {
    let mut client = Client::new();
    // A large download whose windows are enlarged after each frame.
    client.request(1, &get(), END);
    client.connection.headers(1, &fields(":status=200"), false).unwrap();
    for _ in 0..100_000 {
        client.connection.data(1, &[0; 1000], false).unwrap();
        client.connection.output().clear();
        client.send(UPDATE, 0, 0, &[0, 0, 3, 0xe8]);
        client.send(UPDATE, 0, 1, &[0, 0, 3, 0xe8]);
    }
    // As much byte by byte.
    for _ in 0..100_000 {
        client.connection.data(1, b"x", false).unwrap();
        client.send(UPDATE, 0, 0, &[0, 0, 0, 1]);
        client.send(UPDATE, 0, 1, &[0, 0, 0, 1]);
    }
    // Thousands of requests, each with what Firefox and Chrome say about it.
    for stream in (3..40_003).step_by(2) {
        client.request(stream, &get(), END);
        client.send(2, 0, stream, b"\0\0\0\0\x10");
        client.send(UPDATE, 0, stream, &[0, 0xc0, 0, 0]);
        client.send(0x10, 0, 0, b"\0\0\0\x01u=1");
        client.connection.release(stream);
        client.connection.output().clear();
        client.events.clear();
    }
    // An upload of a page byte by byte, with pings in between.
    client.request(50_001, &get(), 0);
    for count in 0..50_000 {
        client.send(frame::DATA, 0, 50_001, b"x");
        client.connection.used(50_001, 1);
        if count % 100 == 0 {
            client.send(6, 0, 0, b"12345678");
        }
    }
    // And one in frames of any useful size.
    for _ in 0..200_000 {
        client.send(frame::DATA, 0, 50_001, &[0; 256]);
        client.connection.used(50_001, 256);
        client.connection.output().clear();
        client.events.clear();
    }
    assert!(!client.connection.is_over());
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let mut client = Client::new();
    for number in 0..100 {
        client.request(number * 2 + 1, &get(), if number % 2 == 0 { END } else { 0 });
    }
    assert_eq!(client.connection.open_streams(), 100);
    client.request(201, &get(), END);
    client.expect_reset(201, ErrorCode::REFUSED_STREAM);
    client.connection.release(1);
    client.request(203, &get(), END);
    assert_eq!(client.connection.progress(203), Progress::Complete);
}
