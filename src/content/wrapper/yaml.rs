//! A YAML document as a tree, as far as frontmatter needs it.
//!
//! The parser is `saphyr-parser`, for YAML 1.2. Plain words such as `yes` are read as PyYAML's `safe_load` does, by YAML 1.1. Aliases
//! are refused, and nodes nested deeper than [`MAX_DEPTH`] are left out.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

/// Frontmatter needs no deeper nodes, and dropping a deep tree would take too much stack.
const MAX_DEPTH: usize = 16;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Null,
    Boolean(bool),
    /// An integer, as Python shows it.
    Integer(String),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        *self == Node::Null
    }

    /// Whether Python takes the value as false.
    pub(crate) fn is_falsy(&self) -> bool {
        match self {
            Node::Null => true,
            Node::Boolean(value) => !value,
            Node::Integer(number) => number == "0",
            Node::Text(text) => text.is_empty(),
            Node::Sequence(items) => items.is_empty(),
            Node::Mapping(pairs) => pairs.is_empty(),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; empty for any other node.
    pub(crate) fn items(&self) -> &[Node] {
        match self {
            Node::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The name of the Python type.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Node::Null => "NoneType",
            Node::Boolean(_) => "bool",
            Node::Integer(_) => "int",
            Node::Text(_) => "str",
            Node::Sequence(_) => "list",
            Node::Mapping(_) => "dict",
        }
    }

    /// Python's `str()` of a scalar.
    pub(crate) fn shown(&self) -> String {
        match self {
            Node::Boolean(true) => "True".to_owned(),
            Node::Boolean(false) => "False".to_owned(),
            Node::Integer(text) | Node::Text(text) => text.clone(),
            Node::Null | Node::Sequence(_) | Node::Mapping(_) => "None".to_owned(),
        }
    }

    fn scalar(text: &str, style: ScalarStyle) -> Node {
        if style != ScalarStyle::Plain {
            return Node::Text(text.to_owned());
        }
        // PyYAML accepts three spellings of each word.
        let is_one_of = |words: &[&str]| {
            words.iter().any(|word| {
                let capital = word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
                text == *word || text == capital || text == word.to_uppercase()
            })
        };
        match text {
            "" | "~" => Node::Null,
            _ if is_one_of(&["null"]) => Node::Null,
            _ if is_one_of(&["yes", "true", "on"]) => Node::Boolean(true),
            _ if is_one_of(&["no", "false", "off"]) => Node::Boolean(false),
            _ => integer(text).map_or_else(|| Node::Text(text.to_owned()), Node::Integer),
        }
    }
}

/// A decimal integer. Other bases and floats stay as they are written.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let is_number = digits.starts_with(|c: char| matches!(c, '1'..='9'))
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    match digits {
        "0" => Some("0".to_owned()),
        _ if is_number => Some(format!("{sign}{}", digits.replace('_', ""))),
        _ => None,
    }
}

/// Why a text is not a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum YamlError {
    /// The text is not YAML.
    #[error("{0}")]
    Syntax(#[from] ScanError),
    /// There is more than one document.
    #[error("expected a single document in the stream")]
    Several,
    /// There is an alias.
    #[error("an alias such as *name cannot be used here: write the value again")]
    Alias,
}

/// Reads the one document in `text`. An empty text is [`Node::Null`].
pub(crate) fn read(text: &str) -> Result<Node, YamlError> {
    let mut open: Vec<Open> = Vec::new();
    let mut document = None;
    for event in Parser::new_from_str(text) {
        let node = match event?.0 {
            Event::Scalar(text, style, ..) => Node::scalar(&text, style),
            Event::Alias(_) => return Err(YamlError::Alias),
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(closed) => closed.close(),
                None => continue,
            },
            _ => continue,
        };
        let is_deep = open.len() >= MAX_DEPTH;
        match open.last_mut() {
            _ if is_deep => {}
            Some(parent) => parent.add(node),
            None if document.is_some() => return Err(YamlError::Several),
            None => document = Some(node),
        }
    }
    Ok(document.unwrap_or(Node::Null))
}

/// A collection whose end has not been read yet.
enum Open {
    Sequence(Vec<Node>),
    /// The pairs, and a key whose value has not been read yet.
    Mapping(Vec<(Node, Node)>, Option<Node>),
}

impl Open {
    fn add(&mut self, node: Node) {
        match self {
            Open::Sequence(items) => items.push(node),
            Open::Mapping(pairs, key) => match key.take() {
                Some(key) => pairs.push((key, node)),
                None => *key = Some(node),
            },
        }
    }

    fn close(self) -> Node {
        match self {
            Open::Sequence(items) => Node::Sequence(items),
            Open::Mapping(pairs, _) => Node::Mapping(pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        format!("{:?}", read(text).map_err(|error| error.to_string()))
    }

    /// The values of PyYAML 6's `safe_load`.
    #[test]
    fn plain_words_are_those_of_pyyaml() {
        for (text, kind, shown) in [
            ("yes", "bool", "True"),
            ("Off", "bool", "False"),
            ("TRUE", "bool", "True"),
            ("tRUE", "str", "tRUE"),
            ("y", "str", "y"),
            ("~", "NoneType", "None"),
            ("Null", "NoneType", "None"),
            ("", "NoneType", "None"),
            ("12", "int", "12"),
            ("+1_000", "int", "1000"),
            ("-0", "int", "0"),
            ("0", "int", "0"),
            ("1x", "str", "1x"),
            ("'12'", "str", "12"),
            ("\"a\\tb\"", "str", "a\tb"),
            ("a: b", "dict", "None"),
            ("[]", "list", "None"),
        ] {
            let node = read(text).unwrap();
            assert_eq!((node.kind(), node.shown().as_str()), (kind, shown), "{text:?}");
        }
    }

    #[test]
    fn collections_nest() {
        let text = |text: &str| Node::Text(text.to_owned());
        let expected = Node::Mapping(vec![
            (text("a"), Node::Sequence(vec![text("b c"), Node::Mapping(vec![(text("d"), text("e"))])])),
            (text("f"), text("g\nh\n")),
            (text("a"), Node::Null),
        ]);
        assert_eq!(read("a: [b c, {d: e}]\nf: |\n  g\n  h\na:\n"), Ok(expected));
        assert_eq!(read("- - a\n  - b\n- c\n").unwrap().items().len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for text in ["[a", "a: b: c", "a: &x 1\nb: *x", "a\n---\nb", "{", "\"", "a:\n\t- b\n  c"] {
            assert!(read(text).is_err(), "{text:?} {}", shown(text));
        }
        // Deeper than the limit, and as deep as a hostile author can write.
        let deep = format!("{}a", "- ".repeat(100_000));
        assert!(read(&deep).is_ok());
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", ":", " ", "\n", "- ", "[", "]", "{", "}", ",", "\"", "'", "|", ">", "&x", "*x", "!!", "#", "?", "---", "%", "\t",
            "\u{e9}", "0x", "~"]), 0..40)) {
            let _ = read(&parts.concat());
        }
    }
}
