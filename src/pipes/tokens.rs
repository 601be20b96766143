//! The tokens between `{{` and `}}`: `$id:uuid()`, `ports[http][0]`, `GET[name]`.
//!
//! Follows wptserve 4.0.3, `pipes.py`, `ReplacementTokenizer`, which is a `re.Scanner`: it stops without an error at the first
//! unknown character, for example a blank.

use super::{PipeError, error::decode_utf8};
use crate::http::text::{encode_latin1, parse_int, repr};

/// The content of an index: a number if it can be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Index {
    Int(i128),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `$name:`, without the colon.
    Var(String),
    /// `name` or `$name`
    Ident(String),
    /// `[…]`
    Index(Index),
    /// `(…)`, split at its commas.
    Arguments(Vec<String>),
}

impl Token {
    /// As wptserve's messages show a token: `"type %s (token '%r')"`.
    pub(super) fn describe(&self) -> String {
        let (kind, token) = match self {
            Token::Var(name) => ("var", repr(name)),
            Token::Ident(name) => ("ident", repr(name)),
            Token::Index(Index::Int(number)) => ("index", number.to_string()),
            Token::Index(Index::Text(text)) => ("index", repr(text)),
            Token::Arguments(list) => {
                let list: Vec<String> = list.iter().map(|text| repr(text)).collect();
                ("arguments", format!("[{}]", list.join(", ")))
            }
        };
        format!("{kind} (token '{token}')")
    }
}

/// The tokens of `text`, up to the first unknown character. Text in brackets or parentheses that is not UTF-8 is the only error.
pub(super) fn tokenize(text: &[u8]) -> Result<Vec<Token>, PipeError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some((token, tail)) = next(rest)? {
        tokens.push(token);
        rest = tail;
    }
    Ok(tokens)
}

fn next(text: &[u8]) -> Result<Option<(Token, &[u8])>, PipeError> {
    match text {
        [b'[', rest @ ..] => between(rest, b']', |text| Token::Index(index(text))),
        [b'(', rest @ ..] => between(rest, b')', |text| Token::Arguments(arguments(&text))),
        _ => Ok(word(text)),
    }
}

fn between(text: &[u8], end: u8, token: impl FnOnce(String) -> Token) -> Result<Option<(Token, &[u8])>, PipeError> {
    let Some(end) = memchr::memchr(end, text) else { return Ok(None) };
    let (inside, tail) = text.split_at(end);
    Ok(Some((token(decode_utf8(inside)?), tail.get(1..).unwrap_or_default())))
}

fn word(text: &[u8]) -> Option<(Token, &[u8])> {
    let sign = usize::from(text.first() == Some(&b'$'));
    let letters = text.iter().skip(sign).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if letters == 0 {
        return None;
    }
    let (name, tail) = text.split_at(sign + letters);
    let name = String::from_utf8_lossy(name).into_owned();
    match tail {
        [b':', tail @ ..] if sign == 1 => Some((Token::Var(name), tail)),
        tail => Some((Token::Ident(name), tail)),
    }
}

fn index(text: String) -> Index {
    encode_latin1(&text).and_then(|text| parse_int(&text)).map_or(Index::Text(text), Index::Int)
}

/// `re.split(r",\s*", text)`, except that nothing makes no arguments.
fn arguments(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    // Python's `\s` has four separators that Unicode's White_Space does not have.
    let space = |c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f');
    let mut items = text.split(',');
    let first = items.next().map(str::to_owned);
    first.into_iter().chain(items.map(|item| item.trim_start_matches(space).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn described(text: &[u8]) -> String {
        let tokens = tokenize(text).unwrap();
        tokens.iter().map(Token::describe).collect::<Vec<_>>().join(" ")
    }

    /// Recorded from wptserve 4.0.3.
    #[test]
    fn templates_are_read_as_in_wptserve() {
        for (text, expected) in [
            ("", ""),
            ("host", "ident (token ''host'')"),
            (" host", ""),
            ("host ", "ident (token ''host'')"),
            ("$id", "ident (token ''$id'')"),
            ("$id:uuid()", "var (token ''$id'') ident (token ''uuid'') arguments (token '[]')"),
            ("id:uuid()", "ident (token ''id'')"),
            ("$:a", ""),
            ("a$b", "ident (token ''a'') ident (token ''$b'')"),
            ("a-b", "ident (token ''a'')"),
            ("ports[http][0]", "ident (token ''ports'') index (token ''http'') index (token '0')"),
            ("a[ +1_0 ]", "ident (token ''a'') index (token '10')"),
            ("a[]", "ident (token ''a'') index (token '''')"),
            ("a[b", "ident (token ''a'')"),
            ("a[[b]]", "ident (token ''a'') index (token ''[b'')"),
            ("f(a, b,c,\n d)", "ident (token ''f'') arguments (token '['a', 'b', 'c', 'd']')"),
            ("f( a)", "ident (token ''f'') arguments (token '[' a']')"),
            ("f(a(b)c)", "ident (token ''f'') arguments (token '['a(b']') ident (token ''c'')"),
            ("f(,)", "ident (token ''f'') arguments (token '['', '']')"),
            ("f(it's)", "ident (token ''f'') arguments (token '[\"it's\"]')"),
            ("[0](x)", "index (token '0') arguments (token '['x']')"),
            ("\u{e9}", ""),
            ("a[\u{e9}]", "ident (token ''a'') index (token ''\u{e9}'')"),
            ("{host", ""),
        ] {
            assert_eq!(described(text.as_bytes()), expected, "{text}");
        }
        assert!(matches!(tokenize(b"a[\xe9]"), Err(PipeError::Decode(..))));
        assert!(tokenize(b"a\xe9").is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in proptest::collection::vec(prop_oneof![Just(b'$'), Just(b'['), Just(b']'), Just(b'('),
            Just(b')'), Just(b','), Just(b':'), Just(b'a'), any::<u8>()], 0..40)) {
            let _ = tokenize(&text);
        }
    }
}
