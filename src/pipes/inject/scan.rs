//! Finding the first content of a page.
//!
//! WPT asks html5lib's tokenizer and gives up at its first parse error. So this module does not recover from errors: it reads only HTML
//! without errors and stops at anything else. It also stops at the end of the text, because html5lib would have to read the next piece
//! of the page there. The errors are those of html5lib 1.1, which differ a little from those of today's HTML.

use std::collections::HashSet;

/// The construct at a place of the text.
enum Item {
    /// The script goes behind it.
    Passed,
    /// The script goes in front of it.
    Content,
}

/// The number of characters in front of the first content; `None` if the page has to stay as it is.
pub(super) fn first_content(text: &str) -> Option<usize> {
    if text.chars().any(is_invalid) {
        return None;
    }
    let mut scanner = Scanner { rest: text };
    loop {
        let before = scanner.rest;
        if let Item::Content = scanner.item()? {
            let passed = text.len().checked_sub(before.len())?;
            return text.get(..passed).map(|passed| passed.chars().count());
        }
    }
}

/// Control characters and noncharacters, which are errors anywhere. NUL is checked at the places where it is an error.
fn is_invalid(c: char) -> bool {
    matches!(c, '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// A place in the text. `None` is an error of the page, or its end.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        (next != '\0').then_some(next)
    }

    /// Skips white space, which must not be the end of the text.
    fn skip_space(&mut self) -> Option<()> {
        self.take_until(|c| !is_space(c)).map(drop)
    }

    /// Takes the text in front of the first character for which `ends` is true.
    fn take_until(&mut self, ends: impl Fn(char) -> bool) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends)?);
        self.rest = rest;
        (!taken.contains('\0')).then_some(taken)
    }

    fn expect(&mut self, expected: char) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// A word, in any case.
    fn expect_word(&mut self, word: &str) -> Option<()> {
        let (found, rest) = self.rest.split_at_checked(word.len())?;
        self.rest = rest;
        found.eq_ignore_ascii_case(word).then_some(())
    }

    fn item(&mut self) -> Option<Item> {
        match self.next()? {
            '&' => Some(if self.reference(None)? { Item::Passed } else { Item::Content }),
            '<' => self.markup(),
            c if is_space(c) => self.skip_space().map(|()| Item::Passed),
            _ => self.rest.contains(['&', '<', '\0']).then_some(Item::Content),
        }
    }

    fn markup(&mut self) -> Option<Item> {
        match self.next()? {
            '!' if self.rest.starts_with("--") => self.comment(),
            '!' => self.doctype(),
            '/' => {
                let first = self.next().filter(char::is_ascii_alphabetic)?;
                let tag = self.tag(first)?;
                (!tag.has_attributes && !tag.closes_itself).then_some(Item::Content)
            }
            first if first.is_ascii_alphabetic() => {
                let name = self.tag(first)?.name;
                Some(if matches!(name.as_str(), "html" | "head") { Item::Passed } else { Item::Content })
            }
            _ => None,
        }
    }

    fn comment(&mut self) -> Option<Item> {
        let text = self.rest.get(2..)?;
        if text.starts_with('>') || text.starts_with("->") {
            return None;
        }
        let (inside, rest) = text.split_once("--")?;
        self.rest = rest;
        self.expect('>')?;
        (!inside.contains('\0')).then_some(Item::Passed)
    }

    fn doctype(&mut self) -> Option<Item> {
        self.expect_word("doctype")?;
        self.take_some_space()?;
        let name = self.take_until(|c| is_space(c) || c == '>')?;
        if name.is_empty() {
            return None;
        }
        self.skip_space()?;
        match self.peek()? {
            '>' => {}
            'p' | 'P' => {
                self.expect_word("public")?;
                self.take_some_space()?;
                self.identifier()?;
                let follows_space = self.peek().is_some_and(is_space);
                self.skip_space()?;
                if follows_space && self.peek()? != '>' {
                    self.identifier()?;
                }
            }
            _ => {
                self.expect_word("system")?;
                self.take_some_space()?;
                self.identifier()?;
            }
        }
        self.skip_space()?;
        self.expect('>').map(|()| Item::Passed)
    }

    fn take_some_space(&mut self) -> Option<()> {
        self.next().filter(|c| is_space(*c))?;
        self.skip_space()
    }

    /// A public or system identifier, which has no `>`.
    fn identifier(&mut self) -> Option<()> {
        let quote = self.next().filter(|c| matches!(c, '"' | '\''))?;
        self.take_until(|c| c == quote || c == '>')?;
        self.expect(quote)
    }

    /// The rest of a tag, up to its `>`.
    fn tag(&mut self, first: char) -> Option<Tag> {
        let name = self.take_until(|c| is_space(c) || matches!(c, '>' | '/'))?;
        let mut tag =
            Tag { name: format!("{first}{name}").to_ascii_lowercase(), has_attributes: false, closes_itself: false };
        let mut seen = HashSet::new();
        loop {
            self.skip_space()?;
            match self.next()? {
                '>' => return Some(tag),
                '/' => {
                    self.expect('>')?;
                    tag.closes_itself = true;
                    return Some(tag);
                }
                '"' | '\'' | '=' | '<' => return None,
                first => {
                    tag.has_attributes = true;
                    if !seen.insert(self.attribute(first)?) {
                        return None;
                    }
                }
            }
        }
    }

    /// The rest of an attribute, with its value. Returns its name.
    fn attribute(&mut self, first: char) -> Option<String> {
        let name = self.take_until(|c| is_space(c) || matches!(c, '>' | '/' | '=' | '"' | '\'' | '<'))?;
        let name = format!("{first}{name}").to_ascii_lowercase();
        self.skip_space()?;
        match self.peek()? {
            '"' | '\'' | '<' => return None,
            '=' => self.value()?,
            _ => {}
        }
        Some(name)
    }

    fn value(&mut self) -> Option<()> {
        self.expect('=')?;
        self.skip_space()?;
        match self.peek()? {
            '>' | '=' | '<' | '`' => None,
            quote @ ('"' | '\'') => {
                self.next()?;
                self.value_until(Some(quote), |c| c == quote)?;
                self.expect(quote)?;
                matches!(self.peek()?, '>' | '/' | '\t' | '\n' | '\x0c' | '\r' | ' ').then_some(())
            }
            _ => self.value_until(Some('>'), |c| is_space(c) || matches!(c, '>' | '"' | '\'' | '=' | '<' | '`')),
        }
        .and_then(|()| (!matches!(self.peek()?, '"' | '\'' | '=' | '<' | '`')).then_some(()))
    }

    fn value_until(&mut self, allowed: Option<char>, ends: impl Fn(char) -> bool) -> Option<()> {
        loop {
            self.take_until(|c| c == '&' || ends(c))?;
            if self.peek()? != '&' {
                return Some(());
            }
            self.next()?;
            self.reference(allowed)?;
        }
    }

    /// Reads the text behind an `&` and returns whether the reference is white space. In an attribute the `allowed` end may follow the
    /// `&` directly.
    fn reference(&mut self, allowed: Option<char>) -> Option<bool> {
        match self.peek()? {
            c if is_space(c) || c == '<' || c == '&' || Some(c) == allowed => Some(false),
            '#' => {
                self.next()?;
                self.number()
            }
            _ => {
                let name = self.take_until(|c| !c.is_ascii_alphanumeric())?;
                self.expect(';')?;
                // html5lib reads one character further before it decides.
                self.peek()?;
                let reference = format!("&{name};");
                // A name stands for one or two characters. A longer text only begins with a name, as in `&noti;`.
                let text = htmlize::unescape(reference.as_str());
                (text != reference && text.chars().count() <= 2).then_some(matches!(name, "Tab" | "NewLine"))
            }
        }
    }

    fn number(&mut self) -> Option<bool> {
        let radix = if matches!(self.peek()?, 'x' | 'X') {
            self.next()?;
            16
        } else {
            10
        };
        let digits = self.take_until(|c| !c.is_digit(radix))?;
        self.expect(';')?;
        // Carriage returns, surrogates, the C1 controls and numbers that are too large are errors.
        let c = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)?;
        let is_bad = matches!(c, '\0' | '\r' | '\u{80}'..='\u{9f}') || is_invalid(c);
        (!is_bad).then(|| is_space(c))
    }
}

struct Tag {
    name: String,
    has_attributes: bool,
    closes_itself: bool,
}
