//! Unit tests of static content as a whole, on a small directory. The expectations hold for wptserve 4.0.3.

use std::fs;

use super::*;
use crate::{
    content::{ContentRequest, serve as serve_content, serve_at_once},
    docroot::DocRoot,
    http::{HeadReader, HeadStep, Scheme, text::latin1},
    route::Handler,
};

struct Site {
    _dir: tempfile::TempDir,
    root: DocRoot,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("a.txt", "0123456789"),
            ("b.html", "<p>"),
            ("b.html.headers", "X-A: 1\nx-a: 2\r\nX-B:3\n"),
            ("sub/__dir__.headers", "X-Dir: yes\nX-A: dir\n"),
            ("sub/c.txt", "c"),
            ("sub/c.txt.headers", "x-a: c\ncontent-type: text/x\n"),
            ("d.sub.html", "{{GET[q]}} {{host}}"),
            ("d.sub.txt", "{{GET[q]}} {{host}}"),
            ("sub.sub.d/e.txt", "{{GET[q]}}"),
            ("bad.txt", ""),
            ("bad.txt.headers", "no colon"),
            ("later.txt", "l"),
            ("later.txt.sub.headers", "X-Host: {{host}}\n"),
            ("later.txt.headers", "X-Not: read\n"),
            ("x.asis", "HTTP/1.1 299 Odd\r\n\r\n"),
            ("dir.asis/empty", ""),
            ("empty.txt", ""),
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = DocRoot::new(dir.path()).unwrap();
        Site { _dir: dir, root }
    }

    fn ask(&self, handler: Handler, target: &str, headers: &str) -> Reply {
        self.asking(target, headers, |ask| serve_content(handler, ask))
    }

    fn asking<R>(&self, target: &str, headers: &str, serve: impl FnOnce(&ContentRequest<'_>) -> R) -> R {
        let text = format!("GET {target} HTTP/1.1\r\nHost: h:1\r\n{headers}\r\n");
        let HeadStep::Head { head, .. } = HeadReader::default().step(text.as_bytes(), true) else { panic!("{text}") };
        let request = Request::new(head, Scheme::Http, "h".into(), 1, ("c".into(), 2)).unwrap();
        let config = serde_json::json!({"browser_host": "web-platform.test"});
        serve(&ContentRequest {
            request: &request,
            files: &self.root,
            seen: &self.root,
            config: &config,
            inject_script: None,
        })
    }

    /// Status, headers and content.
    fn get(&self, target: &str, headers: &str) -> (i64, String, String) {
        describe(self.ask(Handler::File, target, headers))
    }
}

fn describe(reply: Reply) -> (i64, String, String) {
    let headers: Vec<String> = reply.headers.iter().map(|(n, v)| format!("{}: {}", latin1(n), latin1(v))).collect();
    let body = match reply.body {
        Body::None => String::new(),
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) => latin1(&bytes),
        Body::Trickle(trickle) => format!("{:?}", trickle.collect::<Vec<_>>()),
        Body::File(mut file, _) | Body::Raw(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            text
        }
    };
    (reply.status, headers.join("\n"), body)
}

#[test]
fn files_have_their_headers() {
    let site = Site::new();
    for (target, headers, body) in [
        ("/a.txt", "Content-Type: text/plain", "0123456789"),
        ("/a.txt?x#y", "Content-Type: text/plain", "0123456789"),
        ("http://other/a.txt", "Content-Type: text/plain", "0123456789"),
        ("/b.html", "Content-Type: text/html\nX-A: 1\nX-A: 2\nX-B: 3", "<p>"),
        ("/b.html.headers", "Content-Type: application/octet-stream", "X-A: 1\nx-a: 2\r\nX-B:3\n"),
        ("/sub/c.txt", "X-Dir: yes\nX-A: dir\nX-A: c\ncontent-type: text/x", "c"),
        ("/later.txt", "Content-Type: text/plain\nX-Host: web-platform.test", "l"),
    ] {
        assert_eq!(site.get(target, ""), (200, headers.into(), body.into()), "{target}");
    }
}

#[test]
fn small_files_are_read_at_once() {
    let site = Site::new();
    let write = |name: &str, len: u64| fs::write(site.root.path().join(name), vec![b'x'; len as usize]).unwrap();
    write("small.txt", SMALL);
    write("large.txt", SMALL + 1);
    write("small.sub.txt", 1);
    assert!(
        matches!(site.ask(Handler::File, "/small.txt", "").body, Body::ReadFile(bytes) if bytes.len() as u64 == SMALL)
    );
    assert!(matches!(site.ask(Handler::File, "/large.txt", "").body, Body::File(_, size) if size == SMALL + 1));

    let at_once = |handler, target| {
        site.asking(target, "", |ask| serve_at_once(handler, ask)).map(|reply| describe(reply).2.len() as u64)
    };
    assert_eq!(at_once(Handler::File, "/small.txt?x"), Some(SMALL));
    for target in ["/large.txt", "/small.sub.txt", "/small.txt?pipe=slice(0,1)", "/", "/sub", "/none.txt", "/a..b"] {
        assert_eq!(at_once(Handler::File, target), None, "{target}");
    }
    assert_eq!(at_once(Handler::AsIs, "/small.txt"), None);
}

#[test]
fn pipes_work_on_what_was_asked_for() {
    let site = Site::new();
    for (target, headers, expected) in [
        ("/a.txt?pipe=slice(2,5)", "", (200, "Content-Type: text/plain\nContent-Length: 3", "234")),
        (
            "/a.txt?pipe=slice(1,3)",
            "Range: bytes=4-7\r\n",
            (206, "Content-Type: text/plain\nContent-Range: bytes 4-7/10\nContent-Length: 2", "56"),
        ),
        (
            "/a.txt?pipe=status(200)",
            "Range: bytes=4-7\r\n",
            (200, "Content-Type: text/plain\nContent-Range: bytes 4-7/10", "4567"),
        ),
        (
            "/b.html?pipe=header(x-a,3,1)|header(X-B,4)",
            "",
            (200, "Content-Type: text/html\nX-A: 1\nX-A: 2\nX-A: 3\nX-B: 4", "<p>"),
        ),
        ("/d.sub.html?q=%3C", "", (200, "Content-Type: text/html", "&lt; web-platform.test")),
        (
            "/d.sub.txt?q=%3C&pipe=slice(2)",
            "",
            (200, "Content-Type: text/plain\nContent-Length: 17", "web-platform.test"),
        ),
        ("/sub.sub.d/e.txt?q=%3C", "", (200, "Content-Type: text/plain", "<")),
        ("/sub?pipe=nope", "", (301, "Location: http://h:1/sub?pipe=nope/", "")),
    ] {
        let (status, fields, body) = expected;
        assert_eq!(site.get(target, headers), (status, fields.into(), body.into()), "{target} {headers}");
    }
    let (status, _, body) = site.get("/a.txt?pipe=nope", "");
    assert_eq!((status, body.contains("KeyError: 'nope'")), (500, true), "{body}");
    // The missing file counts before the unknown pipe.
    assert_eq!(site.get("/no?pipe=nope", "").0, 404);
    // Pipes have no effect on .asis files, even if they fail.
    assert!(matches!(site.ask(Handler::AsIs, "/x.asis?pipe=nope", "").body, Body::Raw(_)));
    let reply = site.ask(Handler::File, "/a.txt?pipe=trickle(d0.5)|trickle(x)", "");
    assert_eq!((reply.status, reply.wait.as_millis()), (500, 0));
    let reply = site.ask(Handler::File, "/a.txt?pipe=trickle(d0.5)|sub|status(x)", "");
    assert_eq!((reply.status, reply.wait.as_millis()), (500, 500));
}

#[test]
fn errors_are_wptserves() {
    let site = Site::new();
    let json = |code: i64, message: &str| {
        let body = format!(r#"{{"error": {{"code": {code}, "message": "{message}"}}}}"#);
        (code, format!("Content-Type: application/json\nContent-Length: {}", body.len()), body)
    };
    for target in ["/no", "/no/", "/a.txt/", "/../a.txt", "/%2Fetc/passwd", &format!("/{}", "a".repeat(300))] {
        assert_eq!(site.get(target, ""), json(404, "404"), "{target}");
    }
    assert_eq!(site.get("/a.txt", "Range: bytes=99-\r\n"), json(416, "(416, 'Bad range specifier 99-')"));
    assert_eq!(site.get("/a.txt", "Range: x\r\n"), json(416, "416"));
    assert_eq!(site.get("/empty.txt", "Range: bytes=-\r\n"), json(416, "(416, 'Bad range specifier -')"));
    for (target, cause) in [
        ("/a%00b", "Internal server error loading http://h:1/a%00b:\\n  ValueError: embedded null byte"),
        ("/bad.txt", "line 1 has no colon"),
    ] {
        let (status, _, body) = site.get(target, "");
        assert!(status == 500 && body.contains(cause), "{body}");
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_opened() {
    let site = Site::new();
    std::os::unix::fs::symlink("/dev/zero", site.root.path().join("endless")).unwrap();
    std::os::unix::fs::symlink("a.txt", site.root.path().join("link.txt")).unwrap();
    assert_eq!(site.get("/endless", "").0, 404);
    assert_eq!(site.get("/link.txt", "").2, "0123456789");
}

#[test]
fn directories_redirect_or_are_listed() {
    let site = Site::new();
    assert_eq!(site.get("/sub", ""), (301, "Location: http://h:1/sub/".into(), String::new()));
    assert_eq!(site.get("/sub?q", "").1, "Location: http://h:1/sub?q/");
    assert_eq!(site.get("/sub%2F", "").1, "Location: http://h:1/sub%2F/");
    let (status, headers, body) = site.get("/sub/?q", "");
    assert_eq!((status, headers.as_str()), (200, "Content-Type: text/html"));
    assert!(
        body.contains("<li class=\"dir\"><a href=\"/\">..</a></li>\n<li class=\"file\"><a href=\"__dir__.headers\">")
    );
}

#[test]
fn one_range_is_a_part_with_a_length() {
    let site = Site::new();
    let reply = site.ask(Handler::File, "/a.txt", "Range: bytes=2-4\r\nRange: bytes=7-\r\n");
    assert!(matches!(reply.body, Body::Bytes(_)));
    let headers = "Content-Type: text/plain\nContent-Range: bytes 2-4/10";
    assert_eq!(describe(reply), (206, headers.into(), "234".into()));
}

#[test]
fn several_ranges_are_multipart_without_a_length() {
    let site = Site::new();
    let reply = site.ask(Handler::File, "/sub/c.txt", "Range: bytes=0-0\r\n");
    assert_eq!(describe(reply).1, "X-Dir: yes\nX-A: dir\nX-A: c\ncontent-type: text/x\nContent-Range: bytes 0-0/1");

    let reply = site.ask(Handler::File, "/a.txt", "Range: bytes=8-,0-1\r\n");
    assert!(matches!(reply.body, Body::Multipart(_)));
    let (status, headers, body) = describe(reply);
    let boundary = headers.strip_prefix("Content-Type: multipart/byteranges; boundary=").unwrap();
    assert_eq!((status, boundary.len()), (206, 36));
    let expected = "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
                    \r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--";
    assert_eq!(body.replace(boundary, "B"), expected);
}

#[test]
fn as_is_files_are_the_response() {
    let site = Site::new();
    let reply = site.ask(Handler::AsIs, "/x.asis", "");
    assert!(matches!(reply.body, Body::Raw(_)));
    assert_eq!(describe(reply).2, "HTTP/1.1 299 Odd\r\n\r\n");
    assert_eq!(describe(site.ask(Handler::AsIs, "/no.asis", "")).2, r#"{"error": {"code": 404, "message": "404"}}"#);
    let (status, _, body) = describe(site.ask(Handler::AsIs, "/dir.asis", ""));
    assert!(status == 500 && body.contains("AsIsHandler cannot process directory, "), "{body}");
    assert_eq!(site.ask(Handler::Python, "/x.py", "").status, 500);
}
