//! Content that leaves piece by piece, in either version of HTTP: files, and what the trickle pipe makes.

use std::{
    fs::File,
    io::{self, Read as _},
    time::Duration,
};

use actix_web::web;
use bytes::Bytes;

use crate::http::{Trickle, trickle::TrickleStep};

/// The receiver of the pieces of one answer.
pub(super) trait Sink {
    /// The client has gone.
    type Error;

    /// The most bytes of a file in one piece.
    const FILE_CHUNK: usize;

    /// Sends a piece, after those before it.
    async fn send(&mut self, piece: Bytes) -> Result<(), Self::Error>;

    /// Ends the content, which is complete.
    async fn end(&mut self) -> Result<(), Self::Error>;

    /// Ends the content so that the client does not take it for complete.
    fn break_off(&mut self);

    /// Waits until the client gives up, because no piece will follow and the content is not complete.
    async fn abandoned(&mut self);
}

/// Sends a file behind the bytes `first`, which leave in one piece with its beginning: exactly `size` bytes if the client knows
/// the size, else all. Bytes that are appended to a file of known size do not belong to the answer.
///
/// # Errors
/// The client has gone.
pub(super) async fn send_file<S: Sink>(
    sink: &mut S,
    first: Vec<u8>,
    file: File,
    size: Option<u64>,
) -> Result<(), S::Error> {
    let (mut file, mut left, mut buffer) = (file, size, first);
    loop {
        let before = buffer.len();
        let most = left.unwrap_or(u64::MAX).min(S::FILE_CHUNK as u64);
        let read = web::block(move || {
            let result = (&mut file).take(most).read_to_end(&mut buffer);
            result.map(|_| (file, buffer))
        });
        let (next_file, piece) = match read.await.map_err(io::Error::other).flatten() {
            Ok(read) => read,
            Err(error) => {
                log::error!("a file could not be read to its end while it was sent: {error}");
                sink.break_off();
                return Ok(());
            }
        };
        let count = piece.len().saturating_sub(before) as u64;
        left = left.map(|left| left.saturating_sub(count));
        if !piece.is_empty() {
            sink.send(piece.into()).await?;
        }
        if count == 0 && left.is_some_and(|left| left > 0) {
            log::error!("a file has become shorter while it was sent");
            sink.break_off();
            return Ok(());
        }
        if count == 0 || left == Some(0) {
            return sink.end().await;
        }
        (file, buffer) = (next_file, Vec::with_capacity(S::FILE_CHUNK));
    }
}

/// Sends content part by part, with its pauses.
///
/// # Errors
/// The client has gone.
pub(super) async fn send_trickle<S: Sink>(sink: &mut S, trickle: Trickle) -> Result<(), S::Error> {
    for step in trickle {
        match step {
            TrickleStep::Wait(time) => pause(time).await,
            TrickleStep::Send(bytes) => sink.send(bytes).await?,
            TrickleStep::Fail(cause) => {
                // wptserve stops here without a message, and over HTTP/1 it leaves the connection open.
                log::error!("a trickle pipe broke off: {cause}");
                sink.break_off();
                return Ok(());
            }
            TrickleStep::Stall => {
                log::error!(
                    "a trickle pipe never comes to the end of its content: give its last r a d or a number to repeat"
                );
                sink.abandoned().await;
                return Ok(());
            }
        }
    }
    sink.end().await
}

/// Waits, unless the time is zero.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, io::Write as _};

    use super::*;
    use crate::http::trickle::Instruction;

    /// Notes what it is told: pieces in brackets, then how the content ended.
    #[derive(Default)]
    struct Notes(String);

    impl Sink for Notes {
        type Error = Infallible;
        const FILE_CHUNK: usize = 4;

        async fn send(&mut self, piece: Bytes) -> Result<(), Infallible> {
            self.0.push_str(&format!("[{}]", String::from_utf8_lossy(&piece)));
            Ok(())
        }

        async fn end(&mut self) -> Result<(), Infallible> {
            self.0.push_str(" end");
            Ok(())
        }

        fn break_off(&mut self) {
            self.0.push_str(" broken");
        }

        async fn abandoned(&mut self) {
            self.0.push_str(" abandoned");
        }
    }

    async fn file(first: &str, content: &str, size: Option<u64>) -> String {
        let mut notes = Notes::default();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        send_file(&mut notes, first.into(), file.reopen().unwrap(), size).await.unwrap();
        notes.0
    }

    #[tokio::test]
    async fn a_file_leaves_in_pieces_of_the_sinks_size() {
        assert_eq!(file("head ", "abcdefghi", None).await, "[head abcd][efgh][i] end");
        assert_eq!(file("", "abcdefgh", None).await, "[abcd][efgh] end");
        assert_eq!(file("head", "", None).await, "[head] end");
        assert_eq!(file("", "", Some(0)).await, " end");
    }

    #[tokio::test]
    async fn a_file_of_announced_size_is_sent_to_exactly_that_size() {
        assert_eq!(file("", "abcdefghi", Some(6)).await, "[abcd][ef] end");
        assert_eq!(file("", "abcdef", Some(6)).await, "[abcd][ef] end");
        assert_eq!(file("", "abcd", Some(6)).await, "[abcd] broken");
        assert_eq!(file("head", "", Some(6)).await, "[head] broken");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_breaks_the_content_off() {
        let mut notes = Notes::default();
        let folder = File::open(std::env::temp_dir()).unwrap();
        send_file(&mut notes, Vec::new(), folder, None).await.unwrap();
        assert_eq!(notes.0, " broken");
    }

    #[tokio::test]
    async fn a_trickle_ends_as_its_schedule_says() {
        for (parts, expected) in [
            (vec![Instruction::Bytes(2), Instruction::Delay(0.0), Instruction::Bytes(1)], "[ab][c][de] end"),
            (vec![Instruction::Bytes(2), Instruction::Delay(-1.0)], "[ab] broken"),
            (vec![Instruction::Bytes(2), Instruction::Bytes(0), Instruction::Repeat(1)], "[ab] abandoned"),
        ] {
            let mut notes = Notes::default();
            send_trickle(&mut notes, Trickle::new(Bytes::from_static(b"abcde"), parts)).await.unwrap();
            assert_eq!(notes.0, expected);
        }
    }
}
