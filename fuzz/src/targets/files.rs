//! What stands in files and headers about files: ranges, header files, the metadata of tests.

use bytes::Bytes;

use crate::{
    content::{
        headers, ranges,
        wrapper::{frontmatter, metadata, yaml},
    },
    input::Dice,
};

/// A `Range` header for a file of some size.
///
/// * A range is not empty and inside of the file; they are in ascending order.
/// * Bounded: all of them together are at most four times the file.
/// * decode∘encode: ranges that do not touch are read as they are written.
pub fn ranges(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let size = [0, 1, 50, 1 << 20, u64::MAX][dice.roll(5)];
    let Ok(found) = ranges::parse(text, size) else { return };
    assert!(!found.is_empty());
    assert!(found.iter().all(|range| range.start < range.end && range.end <= size), "{found:?}");
    assert!(found.is_sorted_by_key(|range| range.start), "{found:?}");
    let total = found.iter().fold(0u64, |total, range| total.saturating_add(range.len()));
    assert!(total <= size.saturating_mul(4), "{found:?} of {size}");
    if found.windows(2).all(|two| two[0].end < two[1].start) {
        let written: Vec<String> = found.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
        assert_eq!(ranges::parse(format!("bytes={}", written.join(",")).as_bytes(), size).unwrap(), found);
    }
    for range in found {
        assert!(range.content_range(size).ends_with(&format!("/{size}")));
    }
}

/// A `.headers` file.
///
/// * A line that is none is one of the file.
/// * Fields have no line ends, and names no colon.
/// * decode∘encode: fields are read as they are written.
pub fn header_files(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    let fields = match headers::parse(&file) {
        Ok(fields) => fields,
        Err(line) => {
            let lines = data.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() + 1;
            assert!((1..=lines).contains(&line));
            return;
        }
    };
    let mut written = Vec::new();
    for (name, value) in &fields {
        assert!(
            !name.contains(&b':') && ![name, value].iter().any(|text| text.contains(&b'\n') || text.contains(&b'\r'))
        );
        written.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
    }
    assert_eq!(headers::parse(&written.into()), Ok(fields));
}

/// A test of test262 with its frontmatter, and YAML by itself.
///
/// * The text is read, or refused with a reason.
/// * A tree is no deeper than sixteen levels.
/// * Bounded: what is kept is no longer than the text.
pub fn frontmatter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(Some(record)) = frontmatter::parse(&text, "/d/a.js") {
        assert!(record.includes.iter().map(String::len).sum::<usize>() <= text.len());
    }
    match yaml::read(&text) {
        Ok(node) => assert!(depth(&node) <= 16, "{node:?}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let inside = format!("/*---\n{text}\n---*/");
    let _ = frontmatter::parse(&inside, "/d/a.js");
}

fn depth(node: &yaml::Node) -> usize {
    match node {
        yaml::Node::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        yaml::Node::Mapping(pairs) => {
            1 + pairs.iter().map(|(key, value)| depth(key).max(depth(value))).max().unwrap_or_default()
        }
        _ => 0,
    }
}

/// The `// META:` lines of a script.
///
/// * Bounded: keys and values are no longer than the script.
/// * decode∘encode: entries are read as they are written.
pub fn metadata(data: &[u8]) {
    let Ok(entries) = metadata::entries(data).collect::<Result<Vec<_>, _>>() else { return };
    assert!(entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() <= data.len());
    let written: String = entries.iter().map(|(key, value)| format!("// META: {key}={value}\n")).collect();
    assert_eq!(metadata::entries(written.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap(), entries);
    for (_, value) in entries {
        let _ = metadata::is_meant_for(&value, "window");
    }
}
