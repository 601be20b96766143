//! A plain reply as the target of pipes.
//!
//! Follows wptserve 4.0.3, `response.py`: `ResponseHeaders` for the headers (one name, one place) and `Response.iter_content`
//! for the content. This code reads files, so keep it off the event loop.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use bytes::Bytes;

use super::{
    context::Context,
    error::{PipeError, encode_latin1},
    pipe::Target,
    template::substitute,
};
use crate::http::{
    Body, Reply,
    answer::trickle::{Trickle, Undrainable},
};

/// Why a reply could not be piped.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// A pipe has raised an exception.
    #[error(transparent)]
    Pipe(#[from] PipeError),
    /// The content could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A reply, and the context that pipes need.
#[derive(Debug)]
pub struct Piped<'a> {
    reply: Reply,
    context: Context<'a>,
}

impl<'a> Piped<'a> {
    /// Takes a reply for pipes to change.
    pub fn new(reply: Reply, context: Context<'a>) -> Piped<'a> {
        Piped { reply, context }
    }

    /// The reply after the pipes.
    pub fn into_reply(self) -> Reply {
        self.reply
    }

    /// How long the reply has to wait before its first byte.
    pub fn wait(&self) -> Duration {
        self.reply.wait
    }

    fn is_called(name: &[u8]) -> impl Fn(&(Bytes, Bytes)) -> bool {
        move |(known, _)| known.eq_ignore_ascii_case(name)
    }
}

impl Target for Piped<'_> {
    type Error = ReplyError;

    fn raise(&self, error: PipeError) -> ReplyError {
        error.into()
    }

    fn set_status(&mut self, code: i128) -> Result<(), ReplyError> {
        self.reply.status = i64::try_from(code).unwrap_or(if code < 0 { i64::MIN } else { i64::MAX });
        self.reply.reason = None;
        Ok(())
    }

    fn has_header(&mut self, name: &str) -> Result<bool, ReplyError> {
        Ok(self.reply.headers.iter().any(Self::is_called(name.as_bytes())))
    }

    fn set_header(&mut self, name: &str, value: &str) -> Result<(), ReplyError> {
        let (name, value) = (Bytes::from(encode_latin1(name)?), Bytes::from(encode_latin1(value)?));
        let headers = &mut self.reply.headers;
        let is_called = Self::is_called(&name);
        match headers.iter().position(&is_called) {
            Some(place) => {
                let mut at = 0;
                headers.retain(|header| {
                    at += 1;
                    at - 1 <= place || !is_called(header)
                });
                if let Some(header) = headers.get_mut(place) {
                    *header = (name.clone(), value);
                }
            }
            None => headers.push((name.clone(), value)),
        }
        Ok(())
    }

    fn append_header(&mut self, name: &str, value: &str) -> Result<(), ReplyError> {
        let (name, value) = (Bytes::from(encode_latin1(name)?), Bytes::from(encode_latin1(value)?));
        let headers = &mut self.reply.headers;
        match headers.iter().rposition(Self::is_called(&name)) {
            Some(last) => {
                let spelling = headers.get(last).map_or(name, |(known, _)| known.clone());
                headers.insert(last + 1, (spelling, value));
            }
            None => headers.push((name, value)),
        }
        Ok(())
    }

    fn content(&mut self) -> Result<Bytes, ReplyError> {
        match std::mem::replace(&mut self.reply.body, Body::None) {
            Body::None => Ok(Bytes::new()),
            Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) => Ok(bytes),
            Body::File(mut file, _) | Body::Raw(mut file) => {
                let mut content = Vec::new();
                file.read_to_end(&mut content)?;
                Ok(content.into())
            }
            Body::Trickle(mut trickle) => {
                let (waited, content) = trickle.drain();
                self.reply.wait = self.reply.wait.saturating_add(waited);
                content.map_err(|error| PipeError::from(error).into())
            }
        }
    }

    fn set_content(&mut self, content: Bytes) -> Result<(), ReplyError> {
        self.reply.body = Body::Bytes(content);
        Ok(())
    }

    fn set_trickle(&mut self, trickle: Trickle) -> Result<(), ReplyError> {
        self.reply.body = Body::Trickle(trickle);
        Ok(())
    }

    fn substitute(&mut self, content: &Bytes, escape: Option<&str>) -> Result<Bytes, ReplyError> {
        Ok(substitute(content, escape, &self.context)?)
    }
}

impl From<Undrainable> for PipeError {
    fn from(error: Undrainable) -> PipeError {
        use crate::http::answer::trickle::BadDelay;
        let message = error.to_string();
        match error {
            Undrainable::Delay(BadDelay::TooLong) => PipeError::Overflow(message),
            Undrainable::Delay(BadDelay::Negative | BadDelay::Nan) => PipeError::Value(message),
            Undrainable::Endless => PipeError::Memory(message),
        }
    }
}
