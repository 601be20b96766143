//! `--inject-script` on the socket: the answers that get the script, and their heads.
//!
//! The tests in `src/pipes/inject` check the place of the script in a page. The heads are those of `wpt serve --inject-script` of January
//! 2026: content that was bytes or a file becomes bytes, so its length is announced and the connection stays open.

use std::sync::Arc;

use crate::{
    h2,
    util::{Launch, Server, get},
};

const SCRIPT: &str = "self.injected = true;";
const PAGE: &str = "<!doctype html>\n<p>page</p>\n";

/// The page, with the script in its place.
fn injected(page: &str) -> String {
    let place = page.find("<p>").expect("a paragraph");
    let (before, behind) = page.split_at(place);
    format!(
        "{before}<script>\n{SCRIPT}\n// Remove the injected script tag from the DOM.\ndocument.currentScript.remove();\n\
         </script>\n{behind}"
    )
}

/// A page of about this many bytes.
fn page(size: usize) -> String {
    format!("{PAGE}{}", "x".repeat(size - PAGE.len()))
}

fn files() -> Vec<(&'static str, String)> {
    let text = |text: &str| text.to_owned();
    vec![
        ("small.html", text(PAGE)),
        ("full.html", page(65_536)),
        ("large.html", page(65_537)),
        ("plain.txt", text(PAGE)),
        ("empty.html", String::new()),
        ("typed.txt", text(PAGE)),
        ("typed.txt.headers", text("Content-Type: text/html\n")),
        ("charset.html", text(PAGE)),
        ("charset.html.headers", text("Content-Type: text/html; charset=utf-8\n")),
        ("sized.html", text(PAGE)),
        ("sized.html.headers", text("Content-Length: 10\n")),
        ("host.sub.html", text("<!doctype html>\n<p>{{GET[q]}}</p>\n")),
        ("x.asis", text("HTTP/1.1 299 Odd\r\nContent-Type: text/html\r\n\r\n<p>as is</p>")),
        ("t.window.js", text("// META: title=t\ntest(() => {});\n")),
        ("dir/a.txt", text("a")),
        ("page.py", format!("def main(request, response):\n    return [(b'Content-Type', b'text/html')], {PAGE:?}\n")),
        (
            "file.py",
            text(
                "import os\ndef main(request, response):\n    response.headers.set(b'Content-Type', b'text/html')\n    \
                 return open(os.path.join(request.doc_root, 'small.html'), 'rb')\n",
            ),
        ),
        (
            "parts.py",
            format!(
                "def main(request, response):\n    response.headers.set(b'Content-Type', b'text/html')\n    \
                 return iter([{PAGE:?}])\n"
            ),
        ),
    ]
}

fn start(is_encrypted: bool) -> Arc<Server> {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&script, SCRIPT).unwrap();
    let launch = Launch::new(&files).arg("--inject-script").arg(script.path());
    let root = launch.site().path().to_owned();
    // The server has read the file before the ports answer.
    if is_encrypted { launch.with_root(&root).start() } else { launch.start() }
}

#[test]
fn pages_from_files_get_the_script_and_a_length() {
    let server = start(false);
    let mut client = server.connect();
    for (target, body) in [
        ("/small.html", injected(PAGE)),
        ("/full.html", injected(&page(65_536))),
        ("/large.html", injected(&page(65_537))),
        ("/typed.txt", injected(PAGE)),
        ("/empty.html", String::new()),
        ("/small.html?pipe=header(X-A,b)", injected(PAGE)),
        ("/host.sub.html?q=1", injected("<!doctype html>\n<p>1</p>\n")),
        ("/plain.txt?pipe=header(Content-Type,text/html)", injected(PAGE)),
        ("/page.py", injected(PAGE)),
        ("/file.py", injected(PAGE)),
    ] {
        client.send(get(target));
        let answer = client.answer();
        assert_eq!((answer.code(), answer.text()), (200, body.clone()), "{target}");
        let lengths: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "Content-Length").collect();
        assert_eq!(lengths, [&("Content-Length".to_owned(), body.len().to_string())], "{target}");
        // HEAD gets the same head, and the connection stays open.
        client.send(get(target).replace("GET", "HEAD"));
        assert_eq!(client.head().header("Content-Length"), Some(&*body.len().to_string()), "{target}");
    }
    client.expect_quiet();
}

#[test]
fn ranges_are_pages_of_their_own_and_parts_are_none() {
    let server = start(false);
    let mut client = server.connect();
    let range = |range: &str| get("/small.html").replace("\r\n\r\n", &format!("\r\nRange: bytes={range}\r\n\r\n"));
    client.send(range("16-19"));
    let answer = client.answer();
    let body = injected("<p>p");
    assert_eq!((answer.code(), answer.text()), (206, body.clone()));
    assert_eq!(answer.header("Content-Range"), Some("bytes 16-19/28"));
    assert_eq!(answer.header("Content-Length"), Some(&*body.len().to_string()));
    // The beginning of a page without its first content has no place for it.
    client.send(range("0-15"));
    assert_eq!(client.answer().text(), "<!doctype html>\n");
    client.send(range("0-2,16-18"));
    let answer = client.answer();
    assert!(answer.header("Content-Type").unwrap().starts_with("multipart/byteranges"), "{answer:?}");
    assert_eq!((answer.header("Content-Length"), answer.text().contains("<script>")), (None, false));
    client.expect_close();
    // The script is left out even if the Content-Type is that of a page.
    let answer = server.ask(range("0-2,16-18").replace("small.html", "small.html?pipe=header(Content-Type,text/html)"));
    assert_eq!((answer.header("Content-Type"), answer.text().contains("<script>")), (Some("text/html"), false));
}

#[test]
fn wrappers_get_the_script_in_front_of_their_first_content() {
    let text = start(false).get("/t.window.html").ok();
    assert_eq!(text.matches(SCRIPT).count(), 1, "{text}");
    assert!(text.find(SCRIPT) < text.find("testharness.js"), "{text}");
}

#[test]
fn everything_else_stays_as_it_is() {
    let server = start(false);
    for (target, body) in [
        ("/plain.txt", PAGE),
        ("/charset.html", PAGE),
        ("/small.html?pipe=header(Content-Type,text/plain)", PAGE),
        ("/small.html?pipe=trickle(5)", PAGE),
        ("/parts.py", PAGE),
        ("/x.asis", "<p>as is</p>"),
    ] {
        let answer = server.get(target);
        assert_eq!((answer.header("Content-Length"), answer.text()), (None, body.to_owned()), "{target}");
    }
    // Neither listings nor errors, though the first are pages.
    assert!(server.get("/dir/").ok().contains("Directory listing"));
    assert!(!server.get("/dir/").text().contains(SCRIPT));
    server.get("/absent.html").error(404);
    // A length that a sidecar or a pipe announces is not changed. If the content is longer, the connection closes.
    for (target, length, body) in
        [("/sized.html", "10", injected(PAGE)), ("/small.html?pipe=slice(16)", "12", injected("<p>page</p>\n"))]
    {
        let mut client = server.connect();
        client.send([get(target), get("/small.html")].concat());
        assert_eq!(client.head().header("Content-Length"), Some(length));
        assert_eq!(client.rest_text(), body, "{target}");
    }
}

#[test]
fn pages_get_the_script_over_http2() {
    let server = start(true);
    let mut connection = h2::client::Connection::new(server.h2);
    for (target, body) in [
        ("/small.html", injected(PAGE)),
        ("/typed.txt", injected(PAGE)),
        ("/host.sub.html?q=1", injected("<!doctype html>\n<p>1</p>\n")),
        ("/page.py", injected(PAGE)),
        ("/plain.txt", PAGE.to_owned()),
        ("/small.html?pipe=trickle(5)", PAGE.to_owned()),
    ] {
        let stream = connection.get(target);
        assert_eq!(connection.text(stream), ("200".to_owned(), body), "{target}");
    }
    for size in [65_536, 65_537] {
        let stream = connection.get(if size == 65_536 { "/full.html" } else { "/large.html" });
        let length = connection.data_of(stream).len();
        assert_eq!(length, injected(&page(size)).len());
    }
}
