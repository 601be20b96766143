//! Aliases of the configuration: directories and files that are served under a path of the URL.
//!
//! The expected answers are those of `wpt serve` of January 2026, with the same files and the same configuration. The tests beside the
//! router check which route wins, and `fixtures/cases` has the routes without aliases.

use std::sync::Arc;

use serde_json::json;

use crate::util::{Launch, Server, Shared};

const SEEN: &str = "import os\n\n\ndef main(request, response):\n    root = os.path.basename(request.doc_root)\n    \
    return repr([root, request.url_base, request.route_match])\n";

const FILES: &[(&str, &str)] = &[
    ("root/a.txt", "root"),
    ("root/seen.py", SEEN),
    ("root/resources/report.js", "root"),
    ("root/resources/other.js", "root"),
    ("root/deep/x.txt", "root"),
    ("mnt/a.txt", "mnt"),
    ("mnt/seen.py", SEEN),
    ("mnt/t.any.js", "// META: title=Aliased\n"),
    ("mnt/t.any.js.headers", "X-A: 1\n"),
    ("mnt/sub/where.sub.txt", "{{url_base}} {{fs_path(x.txt)}} {{fs_path(/y.txt)}} {{file_hash(md5, a.txt)}}"),
    ("mnt/sub/__dir__.headers", "X-Dir: 1\n"),
    ("mnt/tools/a.txt", "forbidden"),
    ("mnt/as.asis", "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n"),
    ("mnt/d.py/default.py", SEEN),
    ("mnt/.well-known/web-identity", SEEN),
    ("mine/report.js", "mine"),
    ("mine/where.sub.js", "{{url_base}} {{fs_path(x.txt)}}"),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| {
        let launch = Launch::new(FILES);
        let site = launch.site().path().to_owned();
        let dir = |name: &str| site.join(name);
        let aliases = json!([
            {"url-path": "/gen/", "local-dir": dir("mnt")},
            {"url-path": "/deep/er/", "local-dir": "mnt"},
            {"url-path": "/missing/", "local-dir": dir("not-there")},
            {"url-path": "no-slash/", "local-dir": dir("mnt")},
            {"url-path": "/empty/", "local-dir": ""},
            {"url-path": "/{x/", "local-dir": dir("mnt")},
            {"url-path": "/resources/report.js", "local-dir": dir("mine")},
            {"url-path": "/where.sub.js", "local-dir": dir("mine")},
        ]);
        launch.doc_root("root").current_dir(&site).config(&json!({"aliases": aliases})).start()
    })
}

fn text(target: &str) -> String {
    server().get(target).text()
}

#[test]
fn directories_are_served_under_their_path() {
    for (target, expected) in [
        ("/a.txt", "root"),
        ("/gen/a.txt", "mnt"),
        ("/deep/x.txt", "root"),
        ("/deep/er/a.txt", "mnt"),
        ("/gen/../a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/gen//a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/gen/tools/a.txt", r#"{"error": {"code": 404, "message": ""}}"#),
        ("/missing/a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/no-slash/a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/empty/a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/%7Bx/a.txt", r#"{"error": {"code": 404, "message": "404"}}"#),
        ("/gen//.well-known/web-identity", r#"{"error": {"code": 404, "message": "404"}}"#),
    ] {
        assert_eq!(text(target), expected, "{target}");
    }
    assert!(server().get("/gen/as.asis").status == "HTTP/1.1 299 Odd");
}

#[test]
fn one_file_takes_the_place_of_another() {
    assert_eq!(text("/resources/report.js"), "mine");
    assert_eq!(text("/resources/other.js"), "root");
    assert_eq!(server().ask("POST /resources/report.js HTTP/1.1\r\nHost: h\r\n\r\n").code(), 404);
}

#[test]
fn handlers_see_the_directory_of_the_alias() {
    for (target, expected) in [
        ("/seen.py", "['root', '/', {'*': 'seen.py'}]"),
        ("/gen/seen.py", "['mnt', '/gen/', {'*': 'seen.py'}]"),
        ("/deep/er/seen.py?a", "['mnt', '/deep/er/', {'*': 'seen.py'}]"),
        ("/gen/d.py", "['mnt', '/gen/', {'*': 'd.py'}]"),
    ] {
        assert_eq!(text(target), expected, "{target}");
    }
}

#[test]
fn templates_see_the_directory_of_the_alias() {
    let server = server();
    let site = server.site.path();
    let shown = |path: &str| site.join(path).display().to_string();
    // The base of the URL is taken off, and the file is looked for in the directory of the alias.
    let expected =
        |base: &str| format!("{base} {} {} nNeDkIgdVk1UnGG/otwiKQ==", shown("mnt/sub/x.txt"), shown("mnt/y.txt"));
    assert_eq!(text("/gen/sub/where.sub.txt"), expected("/gen/"));
    assert_eq!(text("/deep/er/sub/where.sub.txt"), expected("/deep/er/"));
    assert_eq!(text("/where.sub.js"), format!("/ {}", shown("mine/where.sub.js/x.txt")));
    assert_eq!(server.get("/gen/sub/where.sub.txt").header("X-Dir"), Some("1"));
}

#[test]
fn pages_and_listings_show_the_path_of_the_url() {
    let page = server().get("/gen/t.any.html");
    assert_eq!(page.header("X-A"), Some("1"));
    assert!(page.text().contains("<title>Aliased</title>") && page.text().contains("<script src=\"/gen/t.any.js\">"));
    let listing = text("/deep/er/sub/");
    assert!(listing.contains("<title>Directory listing for /deep/er/sub/</title>"), "{listing}");
    assert!(listing.contains("<a href=\"/deep/er/\">..</a>"), "{listing}");
    assert!(text("/deep/er/").contains("<a href=\"/deep/\">..</a>"));
    assert!(!text("/deep/").contains("er/"), "an alias is in no listing");
    let redirect = server().get("/gen/sub?q");
    assert_eq!(redirect.code(), 301);
    assert!(redirect.header("Location").unwrap().ends_with("/gen/sub?q/"));
}

#[test]
fn what_cannot_be_an_alias_is_logged() {
    let server = server();
    server.logged(
        "\"url-path\" value must start with '/'. (An alias also needs a \"local-dir\": the alias \"no-slash/\"",
    );
    server.logged("\"/empty/\", \"\" is left out.");
    server.logged("the alias /{x/ is left out, because its path is not a valid route: ");
}
