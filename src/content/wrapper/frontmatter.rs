//! The frontmatter of a test262 test: YAML between `/*---` and `---*/`.
//!
//! Follows `wpt serve` of 2026, `tools/manifest/test262.py`, `parse`, and the parts of its result that `tools/serve/serve.py` reads.

use super::yaml::{self, Node};
use crate::content::error::ContentError;

/// The metadata of a test that its page needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Type and phase of the error that the test has to end with.
    pub(crate) negative: Option<(String, String)>,
    /// Whether the test itself reports its end.
    pub(crate) is_async: bool,
    /// Names of the harness files that the test needs.
    pub(crate) includes: Vec<String>,
}

/// Reads the frontmatter of the file called `name`. `None` if the file has no frontmatter, or is not a test.
///
/// # Errors
/// The YAML cannot be read, or has another value instead of a mapping or a list of names.
pub(crate) fn parse(source: &str, name: &str) -> Result<Option<Record>, ContentError> {
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

/// CPython's message, then the value that the frontmatter has to have.
fn wrong(value: &Node, attribute: &str, name: &str, expected: &str) -> ContentError {
    let kind = value.kind();
    ContentError::Server(format!(
        "AttributeError: '{kind}' object has no attribute '{attribute}' (the frontmatter of {name} needs {expected} there)"
    ))
}

/// When a key occurs twice, the second value counts.
fn record(document: Node, name: &str) -> Result<Record, ContentError> {
    let Node::Mapping(pairs) = document else { return Err(wrong(&document, "items", name, "a mapping")) };
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
        value => Err(wrong(value, "get", name, "`negative` as a mapping")),
    }
}

fn includes(value: &Node, name: &str) -> Result<Vec<String>, ContentError> {
    let text = |item: &Node| {
        let file = item.as_text().map(str::to_owned);
        file.ok_or_else(|| wrong(item, "replace", name, "`includes` as a list of file names"))
    };
    match value {
        value if value.is_falsy() => Ok(Vec::new()),
        Node::Sequence(names) => names.iter().map(text).collect(),
        // A Python loop over a text takes its letters.
        value => Ok(text(value)?.chars().map(String::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(attributes: &str) -> Result<Option<Record>, ContentError> {
        parse(&format!("// x\n/*---\n{attributes}\n---*/\ntest();"), "/d/a.js")
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn three_keys_count() {
        let record = read(
            "description: >\n  folded: text\nincludes: [a.js, \"b.js\"]\nflags: [onlyStrict, async]\n\
             negative:\n  phase: runtime\n  type: TypeError\nesid: x",
        );
        let negative = Some(("TypeError".to_owned(), "runtime".to_owned()));
        let expected = Record { negative, is_async: true, includes: texts(&["a.js", "b.js"]) };
        assert_eq!(record.unwrap(), Some(expected));
        for (attributes, expected) in [
            ("", Record::default()),
            ("# nothing", Record::default()),
            ("flags: async", Record::default()),
            ("includes: ab", Record { includes: texts(&["a", "b"]), ..Record::default() }),
            ("includes: ~\nnegative: {}", Record::default()),
            (
                "negative: {phase: parse}",
                Record { negative: Some(("None".into(), "parse".into())), ..Record::default() },
            ),
            ("flags:\n- async\nflags:\n- raw", Record::default()),
        ] {
            assert_eq!(read(attributes).unwrap(), Some(expected), "{attributes}");
        }
    }

    #[test]
    fn no_test_has_no_record() {
        for (source, name) in [
            ("/*--- flags: [async] ---*/", "/d/a_FIXTURE.js"),
            ("test();", "a.js"),
            ("/*--- x", "a.js"),
            ("---*/ /*---", "a.js"),
        ] {
            assert_eq!(parse(source, name).unwrap(), None, "{source}");
        }
        assert_eq!(parse("/*------*/", "a.js").unwrap(), Some(Record::default()));
    }

    #[test]
    fn errors_name_the_file_and_what_is_missing() {
        for (attributes, message) in [
            (
                "- a",
                "AttributeError: 'list' object has no attribute 'items' (the frontmatter of /d/a.js needs a mapping there)",
            ),
            (
                "negative: X",
                "'str' object has no attribute 'get' (the frontmatter of /d/a.js needs `negative` as a mapping",
            ),
            ("includes: [1]", "'int' object has no attribute 'replace'"),
            ("includes: yes", "'bool' object has no attribute 'replace'"),
            ("a: [", "YAMLError: the frontmatter of /d/a.js: "),
        ] {
            let error = read(attributes).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn includes_come_back(names in proptest::collection::vec("[a-zA-Z_][a-zA-Z0-9_.-]{3,12}\\.js", 0..6), block: bool) {
            let list = if block {
                names.iter().map(|name| format!("\n  - {name}")).collect::<String>()
            } else {
                format!(" [{}]", names.join(", "))
            };
            prop_assert_eq!(read(&format!("flags: [raw]\nincludes:{list}")).unwrap().unwrap().includes, names);
        }

        #[test]
        fn never_panics(source in "(/\\*---|---\\*/|includes:|negative:|flags:|[\\[\\]{} \n,:a-]|\u{e9}|\u{85}){0,20}") {
            let _ = parse(&source, "a.js");
        }
    }
}
