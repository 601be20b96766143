//! What bounds a connection: windows in both directions, floods, the number of streams.

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
    // wptserve keeps nine bytes of the window free; where nothing would be left, the rest is used.
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
