//! Templates: `{{...}}` in content, which the `sub` pipe, `.sub.` files and `.sub.headers` files substitute.
//!
//! Follows wptserve 4.0.3, `pipes.py`, `template`. Content is bytes; the substituted values are UTF-8. A template that cannot be
//! read is an error and never stays in the content.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::{
    context::Context,
    error::{Key, PipeError},
    tokens::{Index, Token, tokenize},
    value::Value,
};
use crate::http::text::escape_html;

/// Replaces every `{{...}}` in `content`. `escape` is "html" or "none"; anything else is a `KeyError` as soon as there is
/// something to escape.
pub fn substitute(content: &Bytes, escape: Option<&str>, context: &Context<'_>) -> Result<Bytes, PipeError> {
    let mut variables = HashMap::new();
    let mut out = BytesMut::new();
    let mut copied = 0;
    for found in templates(content) {
        out.extend_from_slice(content.get(copied..found.start).unwrap_or_default());
        let inside = content.get(found.start + 2..found.end - 2).unwrap_or_default();
        out.extend_from_slice(replacement(inside, escape, &mut variables, context)?.as_bytes());
        copied = found.end;
    }
    if copied == 0 {
        return Ok(content.clone());
    }
    out.extend_from_slice(content.get(copied..).unwrap_or_default());
    Ok(out.freeze())
}

/// The matches of the expression `{{([^}]*)}}`: the first `{{` after which the next closing brace is a double one.
fn templates(content: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = 0;
    let mut closing = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + memchr::memmem::find(content.get(at..)?, b"{{")?;
            if closing < start + 2 {
                closing = start + 2 + memchr::memchr(b'}', content.get(start + 2..)?)?;
            }
            if content.get(closing + 1) == Some(&b'}') {
                at = closing + 2;
                return Some(start..at);
            }
            at = start + 1;
        }
    })
}

fn replacement<'a>(
    inside: &[u8],
    escape: Option<&str>,
    variables: &mut HashMap<String, Value<'a>>,
    context: &Context<'a>,
) -> Result<String, PipeError> {
    let mut tokens = VecDeque::from(tokenize(inside)?);
    let mut variable = None;
    let mut first = pop(&mut tokens)?;
    if let Token::Var(name) = first {
        variable = Some(name);
        first = pop(&mut tokens)?;
    }
    let name = match first {
        Token::Ident(name) => name,
        Token::Index(Index::Int(_)) | Token::Arguments(_) => return Err(PipeError::assertion()),
        other => return Err(unexpected(&other, "ident")),
    };
    let mut value = match variables.get(&name) {
        Some(value) => value.clone(),
        None => Value::named(&name, context)?,
    };
    while let Some(token) = tokens.pop_front() {
        value = match token {
            Token::Index(index) => value.index(index, context)?,
            Token::Arguments(arguments) => value.call(arguments, context)?,
            other => return Err(unexpected(&other, "ident or arguments")),
        };
    }
    if !value.has_text() {
        log::error!(
            "the value of the template {{{{{name}…}}}} is not a text or a number but a list, a dictionary, or null (for a port that \
             is not served); name one item that exists, such as {{{{ports[http][0]}}}}"
        );
        return Err(PipeError::Assertion("deque([])".to_owned()));
    }
    if let Some(variable) = variable {
        variables.insert(variable, value.clone());
    }
    match escape {
        Some("html") => Ok(escape_html(&value.text()?, true)),
        Some("none") => value.text(),
        Some(other) => Err(PipeError::Key(Key::Text(other.to_owned()))),
        None => Err(PipeError::Key(Key::None)),
    }
}

fn pop(tokens: &mut VecDeque<Token>) -> Result<Token, PipeError> {
    tokens.pop_front().ok_or(PipeError::Index("pop from an empty deque"))
}

fn unexpected(token: &Token, expected: &str) -> PipeError {
    PipeError::Plain(format!("unexpected token type {}, expected {expected}", token.describe()))
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
