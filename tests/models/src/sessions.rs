//! Streams of HTTP/2 and WebSockets: `handover::stream` and `handover::socket`.

use std::io;

use bytes::Bytes;
use shuttle::{future::block_on, rand::Rng as _, thread};

use crate::{
    cancel::Run,
    handover::{Closing, Command, H2Event, H2Link, Read, Socket},
    http::h2::{CommandResult, StreamCommand},
};

/// A stream of HTTP/2 whose handler asks, uses and finishes, or dies; the stream goes early, or not.
///
/// * Every ask is answered once and in order, or fails.
/// * A handler that dies, and a stream that goes, are noticed by the other side.
pub fn a_stream_answers_every_ask() {
    let (link, mut events) = H2Link::new();
    let mut random = shuttle::rand::thread_rng();
    let (asks, dies, takes) = (random.gen_range(0..4), random.gen_bool(0.3), random.gen_range(0..6));
    let handler = thread::spawn(move || {
        let _ends = link.ends_with_panic();
        let mut answers = Vec::new();
        for _ in 0..asks {
            match link.ask(StreamCommand::Room { stream: None }) {
                Ok(CommandResult::Room(room)) => answers.push(room),
                Ok(other) => panic!("{other:?} is no room"),
                Err(_) => break,
            }
            link.used(1);
        }
        if !dies {
            link.finish(Closing::default());
        }
        answers
    });
    let (mut answered, mut is_over) = (0, false);
    block_on(async {
        for _ in 0..takes {
            match events.next().await {
                Some(H2Event::Command(_, answer)) => {
                    answered += 1;
                    let _ = answer.send(Ok(CommandResult::Room(answered)));
                }
                Some(H2Event::Used(count)) => assert_eq!(count, 1),
                Some(H2Event::Finish(_)) => {
                    assert!(!dies);
                    is_over = true;
                    break;
                }
                None => {
                    assert!(dies, "the handler has not died");
                    is_over = true;
                    break;
                }
            }
        }
    });
    drop(events);
    let answers = handler.join().unwrap();
    assert_eq!(answers, (1..=answered).collect::<Vec<_>>());
    assert!(!is_over || answered == asks);
}

/// A WebSocket whose handler reads and writes from two threads, while its connection goes at any time.
///
/// * What is written is written once and in order; a write that is told as done was done.
/// * What comes is read once and in order.
/// * A connection that goes wakes both threads.
pub fn a_websocket_reads_and_writes_at_once() {
    let (socket, mut session) = Socket::new(None, Run::new("a_wsh.py".into(), false, None));
    let socket = std::sync::Arc::new(socket);
    let mut random = shuttle::rand::thread_rng();
    let (pieces, writes) = (random.gen_range(0..4), random.gen_range(0..4));
    let writer = thread::spawn({
        let socket = std::sync::Arc::clone(&socket);
        move || {
            let mut done = 0;
            for number in 0..3u8 {
                match socket.write(Bytes::from(vec![number])) {
                    Ok(()) => done += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                        break;
                    }
                }
            }
            socket.tell(Command::Finish);
            done
        }
    });
    let reader = thread::spawn(move || {
        let mut read = Vec::new();
        loop {
            match socket.read(Some(2)) {
                Ok(bytes) if bytes.is_empty() => break read,
                Ok(bytes) => read.extend(bytes),
                Err(_) => break read,
            }
        }
    });
    let commands = thread::spawn(move || {
        let mut written = Vec::new();
        for _ in 0..writes {
            match session.commands.blocking_recv() {
                Some(Command::Write(bytes, answer)) => {
                    written.extend_from_slice(&bytes);
                    let _ = answer.send(Ok(()));
                }
                Some(Command::Finish) | None => break,
                Some(other) => panic!("{other:?}"),
            }
        }
        drop(session.commands);
        written
    });
    let reads = thread::spawn(move || {
        let mut sent = Vec::new();
        for number in 0..pieces {
            let Some(Read(max, answer)) = session.reads.blocking_recv() else { break };
            assert!(max > 0);
            let piece = vec![number; 3];
            if answer.send(Ok(piece.clone().into())).is_ok() {
                sent.extend(piece);
            }
        }
        drop(session.reads);
        sent
    });
    let (written, sent) = (commands.join().unwrap(), reads.join().unwrap());
    let done: usize = writer.join().unwrap();
    assert_eq!(written, (0..written.len() as u8).collect::<Vec<_>>());
    assert_eq!(done, written.len());
    assert_eq!(reader.join().unwrap(), sent);
}
