//! The six pipes, the types of their arguments, and pipelines.
//!
//! Follows wptserve 4.0.3, `pipes.py`: `Pipeline`, `pipe` (the number of arguments), `nullable`, `boolean` and the functions
//! decorated with `@pipe`. A pipeline is parsed as a whole before its first pipe runs; arguments are converted one pipe
//! after the other.

use std::{
    io::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};

use super::{
    error::{Key, PipeError},
    tokenizer::{Token, Tokenizer},
};
use crate::http::{
    answer::trickle::{Instruction, Trickle, slice_range},
    text::{encode_latin1, parse_int, repr},
};

/// An answer that pipes work on: wptserve's `response`.
pub trait Target {
    /// The error of the target's methods.
    type Error;

    /// An exception of a pipe as the error of this target.
    fn raise(&self, error: PipeError) -> Self::Error;
    /// `response.status = code`
    fn set_status(&mut self, code: i128) -> Result<(), Self::Error>;
    /// `name in response.headers`
    fn has_header(&mut self, name: &str) -> Result<bool, Self::Error>;
    /// `response.headers.set(name, value)`
    fn set_header(&mut self, name: &str, value: &str) -> Result<(), Self::Error>;
    /// `response.headers.append(name, value)`
    fn append_header(&mut self, name: &str, value: &str) -> Result<(), Self::Error>;
    /// The whole content: wptserve's `resolve_content`. A trickle is read to its end, and its delays are added to the reply's wait.
    fn content(&mut self) -> Result<Bytes, Self::Error>;
    /// `response.content = content`
    fn set_content(&mut self, content: Bytes) -> Result<(), Self::Error>;
    /// `response.content = ` a schedule of parts with delays.
    fn set_trickle(&mut self, trickle: Trickle) -> Result<(), Self::Error>;
    /// [`template::substitute`](super::template::substitute) for the request that is being answered.
    fn substitute(&mut self, content: &Bytes, escape: Option<&str>) -> Result<Bytes, Self::Error>;
}

/// A pipe with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Pipe {
    /// Sets the status code.
    Status(i128),
    /// Sets a header, or appends to it.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
        /// Whether to keep the earlier values.
        append: bool,
    },
    /// Sends the content in parts with delays, as this schedule says.
    Trickle(String),
    /// Keeps a part of the content, with Python's rules for `[start:end]`.
    Slice(Option<i128>, Option<i128>),
    /// Substitutes `{{...}}` with this way of escaping.
    Sub(Option<String>),
    /// Compresses the content.
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Status,
    Header,
    Trickle,
    Slice,
    Sub,
    Gzip,
}

/// Pipes to be applied one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline(Vec<(Name, Vec<String>)>);

impl Pipeline {
    /// Reads a pipe string. An unknown name is a `KeyError`.
    pub fn parse(pipes: &str) -> Result<Pipeline, PipeError> {
        let mut calls: Vec<(Name, Vec<String>)> = Vec::new();
        for token in Tokenizer::new(pipes) {
            match (token?, calls.last_mut()) {
                (Token::Function(name), _) => calls.push((Name::parse(name)?, Vec::new())),
                (Token::Argument(value), Some((_, arguments))) => arguments.push(value),
                (Token::Argument(_), None) => {}
            }
        }
        Ok(Pipeline(calls))
    }

    /// Applies the pipes. When one fails, the changes of the pipes before it stay.
    pub fn apply<T: Target>(&self, target: &mut T) -> Result<(), T::Error> {
        for (name, arguments) in &self.0 {
            Pipe::new(*name, arguments).map_err(|error| target.raise(error))?.apply(target)?;
        }
        Ok(())
    }
}

impl Name {
    fn parse(name: String) -> Result<Name, PipeError> {
        Ok(match name.as_str() {
            "status" => Name::Status,
            "header" => Name::Header,
            "trickle" => Name::Trickle,
            "slice" => Name::Slice,
            "sub" => Name::Sub,
            "gzip" => Name::Gzip,
            _ => {
                log::error!("?pipe= names an unknown pipe {name:?}; use sub, trickle, slice, header, status or gzip");
                return Err(PipeError::Key(Key::Text(name)));
            }
        })
    }

    /// The least and the greatest number of arguments.
    fn arity(self) -> (usize, usize) {
        match self {
            Name::Status | Name::Trickle => (1, 1),
            Name::Header => (2, 3),
            Name::Slice => (1, 2),
            Name::Sub => (0, 1),
            Name::Gzip => (0, 0),
        }
    }
}

impl Pipe {
    fn new(name: Name, arguments: &[String]) -> Result<Pipe, PipeError> {
        let (least, most) = name.arity();
        let count = arguments.len();
        if !(least..=most).contains(&count) {
            return Err(PipeError::Value(format!("Expected between {least} and {most} args, got {count}")));
        }
        let text = |at: usize| arguments.get(at).cloned().unwrap_or_default();
        let nullable = |at: usize| arguments.get(at).filter(|text| text.to_lowercase() != "null");
        let nullable_int = |at: usize| nullable(at).map(|text| int(text)).transpose();
        Ok(match name {
            Name::Status => Pipe::Status(int(&text(0))?),
            Name::Header => Pipe::Header {
                name: text(0),
                value: text(1),
                append: arguments.get(2).map(|text| boolean(text)).transpose()?.unwrap_or(false),
            },
            Name::Trickle => Pipe::Trickle(text(0)),
            Name::Slice => Pipe::Slice(nullable_int(0)?, nullable_int(1)?),
            Name::Sub if arguments.is_empty() => Pipe::Sub(Some("html".to_owned())),
            Name::Sub => Pipe::Sub(nullable(0).cloned()),
            Name::Gzip => Pipe::Gzip,
        })
    }

    /// Applies this one pipe.
    pub fn apply<T: Target>(&self, target: &mut T) -> Result<(), T::Error> {
        match self {
            Pipe::Status(code) => target.set_status(*code),
            Pipe::Header { name, value, append: false } => target.set_header(name, value),
            Pipe::Header { name, value, append: true } => target.append_header(name, value),
            Pipe::Trickle(schedule) => {
                let parts = parse_schedule(schedule).map_err(|error| target.raise(error))?;
                let content = target.content()?;
                if !(target.has_header("Cache-Control")?
                    || target.has_header("Pragma")?
                    || target.has_header("Expires")?)
                {
                    target.set_header("Cache-Control", "no-cache, no-store, must-revalidate")?;
                    target.set_header("Pragma", "no-cache")?;
                    target.set_header("Expires", "0")?;
                }
                target.set_trickle(Trickle::new(content, parts))
            }
            Pipe::Slice(start, end) => {
                let content = target.content()?;
                let content = content.slice(slice_range(content.len(), *start, *end));
                let length = content.len().to_string();
                target.set_content(content)?;
                target.set_header("Content-Length", &length)
            }
            Pipe::Sub(escape) => {
                let content = target.content()?;
                let content = target.substitute(&content, escape.as_deref())?;
                target.set_content(content)
            }
            Pipe::Gzip => {
                let content = target.content()?;
                target.set_header("Content-Encoding", "gzip")?;
                let content = gzip(&content).map_err(|error| target.raise(error))?;
                let length = content.len().to_string();
                target.set_content(content)?;
                target.set_header("Content-Length", &length)
            }
        }
    }
}

/// The format of Python's `gzip.GzipFile`: no file name, the time, the best compression.
fn gzip(content: &[u8]) -> Result<Bytes, PipeError> {
    const OS_UNKNOWN: u8 = 255;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut encoder = GzBuilder::new()
        .mtime(u32::try_from(now).unwrap_or_default())
        .operating_system(OS_UNKNOWN)
        .write(Vec::new(), Compression::best());
    let compressed = encoder.write_all(content).and_then(|()| encoder.finish());
    compressed.map(Bytes::from).map_err(|error| PipeError::Memory(error.to_string()))
}

/// Python's `int(text)`, for digits of ASCII.
fn int(text: &str) -> Result<i128, PipeError> {
    let number = encode_latin1(text).and_then(|text| parse_int(&text));
    number.ok_or_else(|| PipeError::Value(format!("invalid literal for int() with base 10: {}", repr(text))))
}

/// Python's `float(text)`, for digits of ASCII.
fn float(text: &str) -> Result<f64, PipeError> {
    let digits = text.trim_matches(|c: char| matches!(c, '\t'..='\r' | ' ') || !c.is_ascii() && c.is_whitespace());
    let bytes = digits.as_bytes();
    let between_digits = |at: usize| {
        let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
    };
    let underscores = memchr::memchr_iter(b'_', bytes).all(between_digits);
    let number = if underscores { digits.replace('_', "").parse().ok() } else { None };
    number.ok_or_else(|| PipeError::Value(format!("could not convert string to float: {}", repr(text))))
}

/// wptserve 4.0.3, `pipes.py`, `boolean`.
fn boolean(text: &str) -> Result<bool, PipeError> {
    match text.to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(PipeError::Value(String::new())),
    }
}

/// A schedule such as `d1:100:r2`. Two instructions of a kind in a row are a `TypeError`: wptserve means to add them up, but
/// keeps them in tuples.
fn parse_schedule(schedule: &str) -> Result<Vec<Instruction>, PipeError> {
    let mut parts: Vec<Instruction> = Vec::new();
    for item in schedule.split(':') {
        let part = if let Some(seconds) = item.strip_prefix('d') {
            Instruction::Delay(float(seconds)?)
        } else if let Some(count) = item.strip_prefix('r') {
            match int(count)? {
                count if count % 2 == 0 => Instruction::Repeat(count),
                _ => return Err(PipeError::Value(String::new())),
            }
        } else {
            Instruction::Bytes(int(item)?)
        };
        if parts.last().is_some_and(|last| std::mem::discriminant(last) == std::mem::discriminant(&part)) {
            return Err(PipeError::Type("'tuple' object does not support item assignment".to_owned()));
        }
        parts.push(part);
    }
    Ok(parts)
}

#[cfg(test)]
#[path = "pipe_tests.rs"]
mod tests;
