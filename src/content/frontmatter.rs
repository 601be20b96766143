//! The frontmatter of a test262 test: YAML between `/*---` and `---*/`.
//!
//! Follows `wpt serve` of 2026, `tools/manifest/test262.py`, `parse`, and what `tools/serve/serve.py` reads of its result. The YAML
//! is 1.2, that of PyYAML 1.1; the difference is in words such as `yes`, which no test uses here.

use super::ContentError;
use super::yaml::{self, Node};

/// What a page needs to know of a test.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Type and phase of the error that the test has to end with.
    pub(super) negative: Option<(String, String)>,
    /// Whether the test says itself when it is done.
    pub(super) is_async: bool,
    /// Names of the harness files it needs.
    pub(super) includes: Vec<String>,
}

/// Reads the frontmatter of the file called `name`. `None` if there is none, or if the file is no test.
///
/// # Errors
/// The YAML cannot be read, or has something else where a mapping or a list of names has to be.
pub(super) fn parse(source: &str, name: &str) -> Result<Option<Record>, ContentError> {
    if name.ends_with("_FIXTURE.js") {
        return Ok(None);
    }
    let Some(attributes) = attributes(source) else {
        log::error!("Missing frontmatter: {name}");
        return Ok(None);
    };
    let attributes = attributes.replace(|c| matches!(c, '\x7f'..='\u{9f}'), " ");
    if attributes.is_empty() {
        return Ok(Some(Record::default()));
    }
    match yaml::read(&attributes) {
        Err(error) => Err(ContentError::Server(format!("YAMLError: the frontmatter of {name}: {error}"))),
        Ok(document) if document.is_null() => {
            log::error!("Failed to parse yaml in name {name}");
            Ok(Some(Record::default()))
        }
        Ok(document) => record(document, name).map(Some),
    }
}

/// From the first `/*---` to the last `---*/`.
fn attributes(source: &str) -> Option<&str> {
    let (_, rest) = source.split_once("/*---")?;
    let (attributes, _) = rest.rsplit_once("---*/")?;
    Some(attributes.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f')))
}

fn wrong(name: &str, expected: &str) -> ContentError {
    ContentError::Server(format!(
        "AttributeError: the frontmatter of {name} has something else where {expected} has to be"
    ))
}

/// Of a key that stands there twice the second one counts.
fn record(document: Node, name: &str) -> Result<Record, ContentError> {
    let Node::Mapping(pairs) = document else { return Err(wrong(name, "a mapping")) };
    let mut record = Record::default();
    for (key, value) in pairs {
        match key.as_text() {
            Some("negative") => record.negative = negative(&value, name)?,
            Some("flags") => record.is_async = value.items().iter().any(|flag| flag.as_text() == Some("async")),
            Some("includes") => record.includes = includes(&value, name)?,
            _ => {}
        }
    }
    Ok(record)
}

fn negative(value: &Node, name: &str) -> Result<Option<(String, String)>, ContentError> {
    match value {
        value if value.is_falsy() => Ok(None),
        Node::Mapping(pairs) => {
            let text = |wanted| {
                let found = pairs.iter().rfind(|(key, _)| key.as_text() == Some(wanted));
                found.map_or_else(|| "None".to_owned(), |(_, value)| value.shown())
            };
            Ok(Some((text("type"), text("phase"))))
        }
        _ => Err(wrong(name, "the mapping of `negative`")),
    }
}

fn includes(value: &Node, name: &str) -> Result<Vec<String>, ContentError> {
    let wrong = || wrong(name, "the list of file names of `includes`");
    match value {
        value if value.is_falsy() => Ok(Vec::new()),
        Node::Sequence(names) => names.iter().map(|item| item.as_text().map(str::to_owned).ok_or_else(wrong)).collect(),
        // A Python loop over a text takes its letters.
        value => Ok(value.as_text().ok_or_else(wrong)?.chars().map(String::from).collect()),
    }
}
