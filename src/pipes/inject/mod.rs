//! `--inject-script`: a script in front of the first content of every page.
//!
//! Follows `wpt serve` of January 2026, `tools/serve/serve.py`, `HtmlScriptInjectorHandlerWrapper` and `inject_script`. Pure: bytes in,
//! bytes out. The callers decide which answers are pages.

mod encoding;
mod scan;

use bytes::Bytes;

/// Whether an answer with this `Content-Type`, the first one it has, is a page.
pub fn is_page(content_type: &[u8]) -> bool {
    content_type == b"text/html"
}

/// The page with an element for `script` behind doctype, comments and the tags `<html>` and `<head>`, in front of all other content.
///
/// As in WPT, the page stays as it is if its beginning is not clean HTML, or if its first content does not begin within the first
/// 10240 bytes. The place is counted in characters but used as a number of bytes: characters of several bytes, CR LF and a byte order
/// mark in front of the place move it to the left.
pub fn into_page(page: Bytes, script: &[u8]) -> Bytes {
    const BEFORE: &[u8] = b"<script>\n";
    const BEHIND: &[u8] =
        b"\n// Remove the injected script tag from the DOM.\ndocument.currentScript.remove();\n</script>\n";
    let beginning = encoding::first_chunk(&page);
    match scan::first_content(&beginning) {
        Some(place) => {
            let (before, behind) = page.split_at(place.min(page.len()));
            [before, BEFORE, script, BEHIND, behind].concat().into()
        }
        None => page,
    }
}

#[cfg(test)]
#[path = "inject_tests.rs"]
mod tests;
