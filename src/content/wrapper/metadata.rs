//! The `// META: key=value` lines at the top of a test that is a script.
//!
//! Follows `wpt serve` of January 2026: `tools/manifest/sourcefile.py`, `read_script_metadata` and `parse_variants`. The first other
//! line ends them. Values are kept as they are written, with blanks and a carriage return at the end.

use crate::pipes::{PipeError, decode_utf8};

/// Keys and values, in their order. Text that is not UTF-8 is the only error.
pub(crate) fn entries(script: &[u8]) -> impl Iterator<Item = Result<(String, String), PipeError>> {
    script.split_inclusive(|byte| *byte == b'\n').map_while(entry).map(|(key, value)| {
        // The key has only ASCII letters, digits and underscores.
        Ok((decode_utf8(key)?, decode_utf8(value)?))
    })
}

/// The groups of `//\s*META:\s*(\w*)=(.*)$` at the start of a line.
fn entry(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let text = skip_blanks(line.strip_prefix(b"//")?);
    let text = skip_blanks(text.strip_prefix(b"META:")?);
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
    let (key, rest) = text.split_at(end);
    Some((key, rest.strip_prefix(b"=")?))
}

/// Python's `\s*`.
fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b'\t'..=b'\r' | b' ')).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Whether a test whose `global` is `value` (empty if it names none) is meant for this scope.
pub(crate) fn is_meant_for(value: &str, scope: &str) -> bool {
    if value.is_empty() {
        return matches!(scope, "window" | "dedicatedworker");
    }
    // Python's `str.strip()` also strips four separators that are not White_Space in Unicode.
    let blank = |c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f');
    value.split(',').map(|item| item.trim_matches(blank)).any(|item| match item {
        "worker" => matches!(scope, "dedicatedworker" | "sharedworker" | "serviceworker"),
        "shadowrealm" => scope.starts_with("shadowrealm-in-"),
        item => item == scope,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(script: &[u8]) -> Result<Vec<(String, String)>, String> {
        entries(script).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// Recorded from WPT's own reader.
    #[test]
    fn the_first_other_line_ends_the_metadata() {
        let pairs = |list: &[(&str, &str)]| Ok(list.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect());
        for (script, expected) in [
            ("", pairs(&[])),
            ("// META: a=b", pairs(&[("a", "b")])),
            ("// META: a=b\n// META: c=d\n\n// META: e=f\n", pairs(&[("a", "b"), ("c", "d")])),
            ("//META:a=b\n//\t\x0b META: \t c=\n", pairs(&[("a", "b"), ("c", "")])),
            ("// META: a=b\r\n// META: c=d \r\n", pairs(&[("a", "b\r"), ("c", "d \r")])),
            ("// META: a_1= = // x\n", pairs(&[("a_1", " = // x")])),
            ("// META: =x\n", pairs(&[("", "x")])),
            ("// META: a =x\n", pairs(&[])),
            ("// META: a-b=x\n", pairs(&[])),
            ("// META: a\n", pairs(&[])),
            ("// META\n: a=b", pairs(&[])),
            (" // META: a=b\n", pairs(&[])),
            ("\u{feff}// META: a=b\n", pairs(&[])),
            ("/// META: a=b\n", pairs(&[])),
            ("// meta: a=b\n", pairs(&[])),
            ("// META: \u{e9}=b\n", pairs(&[])),
            ("// META: t=\u{e9}\u{2028}x\n", pairs(&[("t", "\u{e9}\u{2028}x")])),
        ] {
            assert_eq!(read(script.as_bytes()), expected, "{script:?}");
        }
        assert_eq!(
            read(b"// META: a=b\n// META: t=caf\xe9 x\n"),
            Err("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte"
                .into())
        );
        assert_eq!(read(b"// META: a=b\n// \xe9\n"), pairs(&[("a", "b")]));
    }

    #[test]
    fn scopes_are_those_of_the_keyword() {
        for (value, scope, expected) in [
            ("", "window", true),
            ("", "dedicatedworker", true),
            ("", "sharedworker", false),
            ("window", "dedicatedworker", false),
            ("worker", "window", false),
            ("worker", "dedicatedworker", true),
            ("worker", "serviceworker", true),
            ("worker", "serviceworker-module", false),
            ("window , dedicatedworker-module\r", "dedicatedworker-module", true),
            ("window,\x1cworker\u{a0}", "sharedworker", true),
            ("shadowrealm", "shadowrealm-in-audioworklet", true),
            ("shadowrealm", "window", false),
            ("shadowrealm-in-window", "shadowrealm-in-shadowrealm", false),
            ("jsshell,unknown", "window", false),
            (" ", "window", false),
            (",", "window", false),
            ("Window", "window", false),
        ] {
            assert_eq!(is_meant_for(value, scope), expected, "{value:?} {scope}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in proptest::collection::vec(("[a-z_0-9]{0,8}", "[^\n]{0,20}"), 0..6)) {
            let script: String = pairs.iter().map(|(key, value)| format!("// META: {key}={value}\n")).collect();
            prop_assert_eq!(read(format!("{script}\ntest();").as_bytes()).unwrap(), pairs);
        }

        #[test]
        fn never_panics(script in proptest::collection::vec(
            proptest::sample::select(vec![&b"// META:"[..], b"//", b"=", b"\n", b"\xe9", b"a", b" "]), 0..30)) {
            let _ = entries(&script.concat()).count();
        }
    }
}
