//! The pattern language of routes: literals, `{groups}` and a star.
//!
//! Follows wptserve 4.0.3, `router.py`, `RouteTokenizer` and `RouteCompiler`, down to the errors.

use std::collections::{BTreeSet, HashSet};

use crate::http::text::repr;

/// Why a pattern is not valid. The text is that of wptserve's exception, or of `re.error` if only Python's `re` finds the mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A `{group}` behind a `*`.
    #[error("Group seen after star in regexp")]
    GroupAfterStar,
    /// A second `*`.
    #[error("Star seen after star in regexp")]
    StarAfterStar,
    /// A brace that does not open a group. The text is the rest of the pattern.
    #[error("{0}")]
    Unmatched(String),
    /// `{}`.
    #[error("missing group name")]
    NoGroupName,
    /// A group whose name is not a Python identifier.
    #[error("bad character in group name {}", repr(.0))]
    GroupName(String),
    /// A group name that is used twice.
    #[error("redefinition of group name {}", repr(.0))]
    GroupTwice(String),
}

/// A compiled path pattern: literals and groups, then optionally a star with literals behind it.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    /// The literals behind the star.
    after_star: Option<String>,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    /// One or more characters other than `/`.
    Group(String),
}

impl Pattern {
    /// A slash at the start is implied. A backslash keeps the next character literal, and stays in the pattern itself.
    ///
    /// The passes over the tokens are those of wptserve, so that the first error is the same.
    pub(crate) fn compile(pattern: &str) -> Result<Pattern, PatternError> {
        let tokens = tokenize(pattern)?;
        check_order(&tokens)?;
        check_names(&tokens)?;
        let mut compiled = Pattern { parts: Vec::new(), after_star: None };
        if !pattern.starts_with('/') {
            compiled.push_literal("/");
        }
        for token in tokens {
            match token {
                Token::Literal(text) => compiled.push_literal(text),
                Token::Group(name) => compiled.parts.push(Part::Group(name.to_owned())),
                Token::Star => compiled.after_star = Some(String::new()),
            }
        }
        Ok(compiled)
    }

    fn push_literal(&mut self, text: &str) {
        match (&mut self.after_star, self.parts.last_mut()) {
            (Some(after_star), _) => after_star.push_str(text),
            (None, Some(Part::Literal(literal))) => literal.push_str(text),
            (None, _) => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    pub(crate) fn match_path(&self, path: &str) -> Option<Vec<(String, String)>> {
        if !self.may_match(path) {
            return None;
        }
        let mut groups = Vec::new();
        self.match_parts(&self.parts, path, &mut groups, &mut BTreeSet::new()).then(|| {
            groups.reverse();
            groups
        })
    }

    /// A cheap test that is false for most patterns that do not match: every request is compared with dozens of patterns.
    #[inline]
    fn may_match(&self, path: &str) -> bool {
        match (self.parts.as_slice(), self.after_star.as_deref()) {
            ([Part::Literal(whole)], None) => path == whole,
            (_, Some(suffix)) if !path.ends_with(suffix) => false,
            ([Part::Literal(first), ..], _) => path.starts_with(first.as_str()),
            _ => true,
        }
    }

    /// Matches from the left and fills `groups` from the right. `failed` remembers positions that cannot match (the parts and text
    /// that were left), so that patterns with several groups stay fast on long paths.
    fn match_parts(
        &self,
        parts: &[Part],
        text: &str,
        groups: &mut Vec<(String, String)>,
        failed: &mut BTreeSet<(usize, usize)>,
    ) -> bool {
        let Some((part, parts)) = parts.split_first() else { return self.match_star(text, groups) };
        match part {
            Part::Literal(literal) => {
                text.strip_prefix(literal.as_str()).is_some_and(|rest| self.match_parts(parts, rest, groups, failed))
            }
            Part::Group(name) => {
                if failed.contains(&(parts.len(), text.len())) {
                    return false;
                }
                let longest = text.split('/').next().unwrap_or_default();
                for (at, last) in longest.char_indices().rev() {
                    let (group, rest) = text.split_at(at + last.len_utf8());
                    if self.match_parts(parts, rest, groups, failed) {
                        groups.push((name.clone(), group.to_owned()));
                        return true;
                    }
                }
                failed.insert((parts.len(), text.len()));
                false
            }
        }
    }

    fn match_star(&self, text: &str, groups: &mut Vec<(String, String)>) -> bool {
        match &self.after_star {
            None => text.is_empty(),
            // The star's group includes the literals behind it. The star matches every character except a line feed.
            Some(suffix) => {
                let fits = text.strip_suffix(suffix.as_str()).is_some_and(|star| !star.contains('\n'));
                if fits {
                    groups.push(("*".to_owned(), text.to_owned()));
                }
                fits
            }
        }
    }
}

#[derive(Debug)]
enum Token<'a> {
    Literal(&'a str),
    Group(&'a str),
    Star,
}

fn tokenize(pattern: &str) -> Result<Vec<Token<'_>>, PatternError> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let (token, len) = match first {
            '{' => {
                let name = group_name(rest).ok_or_else(|| PatternError::Unmatched(rest.to_owned()))?;
                (Token::Group(name), name.len() + 2)
            }
            '*' => (Token::Star, 1),
            _ => {
                let len = literal_len(rest);
                (Token::Literal(rest.get(..len).unwrap_or(rest)), len)
            }
        };
        tokens.push(token);
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(tokens)
}

fn check_order(tokens: &[Token<'_>]) -> Result<(), PatternError> {
    let after_star = tokens.iter().skip_while(|token| !matches!(token, Token::Star)).skip(1);
    for token in after_star {
        match token {
            Token::Literal(_) => {}
            Token::Group(_) => return Err(PatternError::GroupAfterStar),
            Token::Star => return Err(PatternError::StarAfterStar),
        }
    }
    Ok(())
}

fn check_names(tokens: &[Token<'_>]) -> Result<(), PatternError> {
    let mut names = HashSet::new();
    for token in tokens {
        let Token::Group(name) = token else { continue };
        match name.chars().next() {
            None => return Err(PatternError::NoGroupName),
            Some(first) if !first.is_ascii_digit() => {}
            Some(_) => return Err(PatternError::GroupName((*name).to_owned())),
        }
        if !names.insert(*name) {
            return Err(PatternError::GroupTwice((*name).to_owned()));
        }
    }
    Ok(())
}

/// The name in `{name}` at the start of `text`. Python's scanner knows only ASCII letters.
fn group_name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then_some(name)
}

/// The length of the literal at the start of `text`, which starts neither with `{` nor with `*`.
fn literal_len(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    if text.starts_with('/') {
        return 1;
    }
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|(_, next)| *next != '\n') => {
                chars.next();
            }
            '{' | '*' | '/' => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
        Pattern::compile(pattern).unwrap().match_path(path)
    }

    #[test]
    fn patterns_match_like_wptserve() {
        type Groups<'a> = Option<&'a [(&'a str, &'a str)]>;
        let table: &[(&str, &str, Groups)] = &[
            (
                "api/{resource}/*.json",
                "/api/test/test2/data.json",
                Some(&[("resource", "test"), ("*", "test2/data.json")]),
            ),
            ("api/{resource}/*.json", "/api/test/data.py", None),
            ("/a", "/a", Some(&[])),
            ("/a", "/a/", None),
            ("a", "/a", Some(&[])),
            ("", "/", Some(&[])),
            ("/", "/", Some(&[])),
            ("*", "/", Some(&[("*", "")])),
            ("a.c", "/abc", None),
            ("a(b|c)", "/ab", None),
            ("{a}", "/", None),
            ("{a}/{b}", "/x/y", Some(&[("a", "x"), ("b", "y")])),
            ("{a}{b}", "/xyz", Some(&[("a", "xy"), ("b", "z")])),
            ("{a}-{b}.x", "/1-2-3.x", Some(&[("a", "1-2"), ("b", "3")])),
            ("{a}*", "/xyz/", Some(&[("a", "xyz"), ("*", "/")])),
            ("{a}.x*.py", "/a.xb.x.py", Some(&[("a", "a.xb"), ("*", ".py")])),
            ("\\*", "/*", None),
            ("\\*", "/\\*", Some(&[])),
            ("\\/a", "/\\/a", Some(&[])),
            ("a\\", "/a\\", Some(&[])),
            ("\u{e9}*", "/\u{e9}", Some(&[("*", "")])),
        ];
        for (pattern, path, expected) in table {
            let expected = expected.map(|e| e.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect::<Vec<_>>());
            assert_eq!(groups(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn bad_patterns_say_what_wptserve_says() {
        for (pattern, message) in [
            ("*{a}", "Group seen after star in regexp"),
            ("a*b*", "Star seen after star in regexp"),
            ("a{b", "{b"),
            ("a/{b c}/d", "{b c}/d"),
            ("{\u{e9}}", "{\u{e9}}"),
            ("{}", "missing group name"),
            ("{1a}", "bad character in group name '1a'"),
            ("{a}/{a}", "redefinition of group name 'a'"),
        ] {
            assert_eq!(Pattern::compile(pattern).unwrap_err().to_string(), message, "{pattern}");
        }
    }

    #[test]
    fn many_groups_stay_fast() {
        let path = format!("/{}", "a-".repeat(300));
        assert_eq!(groups("{a}-{b}-{c}-{d}-{e}-{f}x", &path), None);
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "[a{}*/\\\\\u{e9}]{0,12}", path in "/[a/\\\\*\u{e9}]{0,12}") {
            if let Ok(pattern) = Pattern::compile(&pattern) {
                pattern.match_path(&path);
            }
        }
    }
}
