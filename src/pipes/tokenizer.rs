//! The tokens of pipe strings such as `sub(html)|trickle(d1:r2)`.
//!
//! Follows wptserve 4.0.3, `pipes.py`, `PipeTokenizer`, for odd strings as well: an opening parenthesis begins an argument even if it
//! is empty, `|` is optional after a closing one, and unbalanced parentheses are not an error.

use super::PipeError;

/// A function's name, or one of its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Function(String),
    Argument(String),
}

/// The tokens of a pipe string, one by one: a mistake is found only when its token is read.
#[derive(Debug)]
pub(super) struct Tokenizer<'a> {
    rest: std::str::Chars<'a>,
    in_arguments: bool,
    done: bool,
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(pipes: &'a str) -> Tokenizer<'a> {
        Tokenizer { rest: pipes.chars(), in_arguments: false, done: false }
    }

    fn function(&mut self) -> Option<Token> {
        let mut name = String::new();
        loop {
            match self.rest.next() {
                None => {
                    self.done = true;
                    return (!name.is_empty()).then_some(Token::Function(name));
                }
                Some('(') => {
                    self.in_arguments = true;
                    return Some(Token::Function(name));
                }
                Some('|') if !name.is_empty() => return Some(Token::Function(name)),
                Some('|') => {}
                Some(c) => name.push(c),
            }
        }
    }

    fn argument(&mut self) -> Result<Token, PipeError> {
        let mut value = String::new();
        loop {
            match self.rest.next() {
                None => {
                    self.done = true;
                    return Ok(Token::Argument(value));
                }
                Some('\\') => match self.rest.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(c) => value.push(c),
                    None => {
                        self.done = true;
                        let message = "can only concatenate str (not \"NoneType\") to str";
                        return Err(PipeError::Type(message.to_owned()));
                    }
                },
                Some(',') => return Ok(Token::Argument(value)),
                Some(')') => {
                    self.in_arguments = false;
                    return Ok(Token::Argument(value));
                }
                Some(c) => value.push(c),
            }
        }
    }
}

impl Iterator for Tokenizer<'_> {
    type Item = Result<Token, PipeError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.done, self.in_arguments) {
            (true, _) => None,
            (false, true) => Some(self.argument()),
            (false, false) => self.function().map(Ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `name` for a function, `=value` for an argument, `!` for an error.
    fn tokens(pipes: &str) -> Vec<String> {
        let text = |token| match token {
            Ok(Token::Function(name)) => name,
            Ok(Token::Argument(value)) => format!("={value}"),
            Err(_) => "!".to_owned(),
        };
        Tokenizer::new(pipes).map(text).collect()
    }

    /// Recorded from wptserve 4.0.3.
    #[test]
    fn odd_strings_are_read_as_in_wptserve() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("|", &[]),
            ("||gzip||", &["gzip"]),
            ("gzip", &["gzip"]),
            ("gzip()", &["gzip", "="]),
            ("gzip(", &["gzip", "="]),
            ("(", &["", "="]),
            ("()", &["", "="]),
            ("a(b,c)", &["a", "=b", "=c"]),
            ("a(b, c)|d(e", &["a", "=b", "= c", "d", "=e"]),
            ("a(b)c|d", &["a", "=b", "c", "d"]),
            ("a(b)c(d)", &["a", "=b", "c", "=d"]),
            ("a(b))|c", &["a", "=b", ")", "c"]),
            ("a)b", &["a)b"]),
            ("a(b(c)", &["a", "=b(c"]),
            ("a(,)", &["a", "=", "="]),
            ("a(\\,\\)\\(\\\\\\n\\r\\t\\x)", &["a", "=,)(\\\n\r\tx"]),
            ("a\\(b)", &["a\\", "=b"]),
            ("a(b\\", &["a", "!"]),
            ("a(b\\)", &["a", "=b)"]),
            ("a(|)", &["a", "=|"]),
            (" a ( b )", &[" a ", "= b "]),
            ("\u{e9}(\u{1f600})", &["\u{e9}", "=\u{1f600}"]),
        ];
        for (pipes, expected) in table {
            assert_eq!(tokens(pipes), *expected, "{pipes}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(pipes in "([a(),|\\\\n]|\\PC){0,30}") {
            let tokens = tokens(&pipes);
            prop_assert!(tokens.len() <= pipes.chars().count() + 1);
        }
    }
}
