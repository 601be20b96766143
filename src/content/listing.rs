//! The page that lists a directory.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `DirectoryHandler.list_items`. The `.headers` file of another file is shown in the line
//! of that file. Only files of the file system are listed, not the other paths that routes answer.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

use crate::http::{text::escape_html, url::quote_bytes};

const SIDECAR: &[u8] = b".headers";

struct Item {
    name: OsString,
    sidecar: Option<OsString>,
}

/// The page for the directory at `path`. `url_path` is its path in the URL, still encoded, with a slash at the end.
pub(super) fn page(url_path: &str, path: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    if url_path != "/" {
        lines.push(format!("<li class=\"dir\"><a href=\"{}\">..</a></li>", parent(url_path)));
    }
    lines.extend(items(path)?.iter().map(|item| line(path, item)));
    let title = escape_html(url_path, true);
    Ok([
        "<!doctype html>",
        "<meta name=\"viewport\" content=\"width=device-width\">",
        &format!("<title>Directory listing for {title}</title>"),
        &format!("<h1>Directory listing for {title}</h1>"),
        "<ul>",
        &lines.join("\n"),
        "</ul>",
        "",
    ]
    .join("\n"))
}

fn items(path: &Path) -> io::Result<Vec<Item>> {
    let mut names = std::fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    // A header file sorts by the name of its file, right behind it: x, x.headers, x-y.
    names.sort_by(|a, b| (stem(a), a).cmp(&(stem(b), b)));
    let mut items: Vec<Item> = Vec::new();
    for name in names {
        match items.last_mut() {
            Some(last) if last.sidecar.is_none() && is_sidecar_of(&name, &last.name) => last.sidecar = Some(name),
            _ => items.push(Item { name, sidecar: None }),
        }
    }
    Ok(items)
}

fn stem(name: &OsStr) -> &[u8] {
    let name = name.as_encoded_bytes();
    name.strip_suffix(SIDECAR).unwrap_or(name)
}

fn is_sidecar_of(name: &OsStr, file: &OsStr) -> bool {
    name.as_encoded_bytes().strip_suffix(SIDECAR) == Some(file.as_encoded_bytes())
}

fn line(path: &Path, item: &Item) -> String {
    let (class, slash) = if path.join(&item.name).is_dir() { ("dir", "/") } else { ("file", "") };
    let sidecar = match &item.sidecar {
        Some(name) => format!(" (<a href=\"{}\">.headers</a>)", link(name)),
        None => String::new(),
    };
    let name = escape_html(&item.name.to_string_lossy(), true);
    format!("<li class=\"{class}\"><a href=\"{}{slash}\">{name}</a>{sidecar}</li>", link(&item.name))
}

/// A name as a relative link. wptserve fails on a name that is not UTF-8; this server escapes its bytes.
fn link(name: &OsStr) -> String {
    quote_bytes(name.as_encoded_bytes())
}

/// Python's `urljoin(url_path, "..")`, not escaped for HTML, as in wptserve.
fn parent(url_path: &str) -> String {
    let mut segments: Vec<&str> = url_path.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
    segments.pop();
    segments.iter().fold(String::from("/"), |path, segment| path + segment + "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_files_stand_with_their_files() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["x", "x.headers", "x-y", "b.headers", "a<\"&'>\u{e9}.txt", "A"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        let page = page("/a%20b&/c/", dir.path()).unwrap();
        let expected = "<!doctype html>\n\
            <meta name=\"viewport\" content=\"width=device-width\">\n\
            <title>Directory listing for /a%20b&amp;/c/</title>\n\
            <h1>Directory listing for /a%20b&amp;/c/</h1>\n\
            <ul>\n\
            <li class=\"dir\"><a href=\"/a%20b&/\">..</a></li>\n\
            <li class=\"file\"><a href=\"A\">A</a></li>\n\
            <li class=\"file\"><a href=\"a%3C%22%26%27%3E%C3%A9.txt\">a&lt;&quot;&amp;&#x27;&gt;\u{e9}.txt</a></li>\n\
            <li class=\"file\"><a href=\"b.headers\">b.headers</a></li>\n\
            <li class=\"dir\"><a href=\"sub/\">sub</a></li>\n\
            <li class=\"file\"><a href=\"x\">x</a> (<a href=\"x.headers\">.headers</a>)</li>\n\
            <li class=\"file\"><a href=\"x-y\">x-y</a></li>\n\
            </ul>\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn an_empty_root_has_an_empty_line() {
        let dir = tempfile::tempdir().unwrap();
        assert!(page("/", dir.path()).unwrap().ends_with("<ul>\n\n</ul>\n"));
    }

    #[test]
    fn parents_are_joined_like_python_does() {
        for (path, expected) in [("/a/", "/"), ("/a/b/", "/a/"), ("/a//b/", "/a/"), ("/a/./", "/"), ("/./", "/")] {
            assert_eq!(parent(path), expected, "{path}");
        }
    }
}
