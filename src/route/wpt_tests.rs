//! The routes of `wpt serve` as a whole. The expectations are those of its own router.

use std::path::Path;

use super::*;
use crate::route::Match;

/// The kind of handler that serves a path, or the ending of the wrapper.
fn kind(found: &Match) -> String {
    match found.handler {
        Handler::Wrapper(wrapper) => wrapper.suffix.to_owned(),
        other => format!("{other:?}"),
    }
}

fn serves(router: &Router, method: &str, path: &str) -> String {
    router.route(method.as_bytes(), path).map_or_else(|| "none".to_owned(), |found| kind(&found))
}

fn alias(url_path: &str, local_dir: &str) -> Alias {
    Alias { url_path: url_path.to_owned(), local_dir: local_dir.into() }
}

#[test]
fn files_and_scripts() {
    let router = Router::wpt(&[]);
    for (method, path, expected) in [
        ("GET", "/a.py", "Python"),
        ("POST", "/d/a.py", "Python"),
        ("FOO", "/.py", "Python"),
        ("GET", "/a.asis", "AsIs"),
        ("HEAD", "/a.asis", "AsIs"),
        ("POST", "/a.asis", "none"),
        ("GET", "/", "File"),
        ("HEAD", "/a.html", "File"),
        ("head", "/a.html", "none"),
        ("POST", "/a.html", "none"),
        ("OPTIONS", "/", "none"),
        ("GET", "/a.py/", "File"),
        ("GET", "/a.PY", "File"),
        ("GET", "/a%2Epy", "File"),
        ("GET", "*", "none"),
        ("GET", "", "none"),
    ] {
        assert_eq!(serves(&router, method, path), expected, "{method} {path}");
    }
    let found = router.route(b"GET", "/d/a.py").unwrap();
    assert_eq!(found.groups, [("*".to_owned(), "d/a.py".to_owned())]);
    assert!(found.mount.is_none() && found.injects);
}

#[test]
fn some_paths_are_forbidden() {
    let router = Router::wpt(&[alias("/tools/", "/mnt")]);
    for (method, path, expected) in [
        ("GET", "/_certs/cacert.pem", "Forbidden"),
        ("POST", "/_certs/", "Forbidden"),
        ("GET", "/_certs", "File"),
        ("GET", "/tools/serve/serve.py", "Forbidden"),
        ("POST", "/tools/", "Forbidden"),
        ("GET", "/tools", "File"),
        ("GET", "/tools/runner/index.html", "File"),
        ("HEAD", "/tools/runner/a.py", "File"),
        ("POST", "/tools/runner/update_manifest.py", "Python"),
        ("GET", "/tools/runner/update_manifest.py", "File"),
        ("POST", "/tools/runner/index.html", "Forbidden"),
        ("GET", "/css/tools/a.any.html", "Forbidden"),
        ("GET", "/css/x/tools/a.py", "Python"),
        ("GET", "/results/", "Forbidden"),
        ("POST", "/results/", "Forbidden"),
        ("GET", "/results/a", "File"),
    ] {
        assert_eq!(serves(&router, method, path), expected, "{method} {path}");
        let found = router.route(method.as_bytes(), path).unwrap();
        let is_fixed = expected == "Forbidden" || path.starts_with("/tools/");
        assert_eq!((found.mount.is_none(), found.injects), (true, !is_fixed), "{method} {path}");
    }
}

#[test]
fn well_known_scripts_need_no_extension() {
    let router = Router::wpt(&[]);
    for (method, path, expected) in [
        ("POST", "/.well-known/attribution-reporting/debug/verbose", "Python"),
        ("GET", "/.well-known/attribution-reporting/other", "File"),
        ("GET", "/.well-known/interest-group/permissions/", "Python"),
        ("GET", "/.well-known/interest-group/permissions", "File"),
        ("POST", "/.well-known/interest-group/permissions/", "none"),
        ("PUT", "/.well-known/private-aggregation/debug/x", "Python"),
        ("HEAD", "/.well-known/shared-storage/trusted-origins", "Python"),
        ("POST", "/.well-known/shared-storage/trusted-origins", "none"),
        ("GET", "/.well-known/web-app-origin-association", "Python"),
        ("GET", "/.well-known/web-identity", "Python"),
        ("GET", "/.well-known/web-identity/", "File"),
        ("POST", "/.well-known/device-bound-sessions", "Python"),
        ("GET", "/.well-known/email-verification", "Python"),
        ("POST", "/.well-known/email-verification", "Python"),
        ("GET", "/.well-known/email-verification/", "File"),
        ("HEAD", "/.well-known/web-app-origin-association", "Python"),
        ("POST", "/.well-known/web-app-origin-association", "none"),
        ("GET", "/d/.well-known/web-identity", "File"),
    ] {
        assert_eq!(serves(&router, method, path), expected, "{method} {path}");
    }
}

#[test]
fn every_wrapper_has_its_route() {
    let router = Router::wpt(&[]);
    for wrapper in &WRAPPERS {
        for (method, expected) in [("GET", wrapper.suffix), ("HEAD", wrapper.suffix), ("POST", "none")] {
            assert_eq!(serves(&router, method, &format!("/d/x{}", wrapper.suffix)), expected, "{method}");
        }
        // The page loads a script, or another wrapper.
        for replace in wrapper.replace {
            let ends = [".js", ".html"].iter().any(|end| replace.loads.ends_with(end));
            assert!(ends && replace.file.ends_with(".js") && replace.from != replace.loads, "{replace:?}");
        }
        // The signs around names come in pairs; otherwise the rest of the page would be taken for names.
        for piece in wrapper.page {
            let names: Vec<&str> = piece.split('@').skip(1).step_by(2).collect();
            assert!(names.iter().all(|name| ["meta", "script", "path", "query"].contains(name)), "{piece}");
            assert_eq!(piece.matches('@').count() % 2, 0, "{piece}");
        }
    }
    for (path, expected) in [
        ("/a.any.worker.html", ".worker.html"),
        ("/a.any.worker-module.html", ".worker-module.html"),
        ("/a.https.any.shadowrealm-in-serviceworker.html", ".any.shadowrealm-in-serviceworker.html"),
        ("/.any.html", ".any.html"),
        ("/a.any.HTML", "File"),
        ("/a.any.html/", "File"),
        ("/a.any%2Ehtml", "File"),
        ("/a.any.js", "File"),
        ("/a.worker.js", "File"),
    ] {
        assert_eq!(serves(&router, "GET", path), expected, "{path}");
    }
}

#[test]
fn later_aliases_win() {
    let router = Router::wpt(&[
        alias("/gen/", "/one/"),
        alias("/gen/x/", "/two"),
        alias("no/slash/", "/three"),
        alias("/empty/", ""),
        alias("/resources/testharnessreport.js", "/four"),
        alias("/gen/x/y.js", "/five"),
        alias("//a//", "/six"),
        alias("/brace{/", "/seven"),
    ]);
    for (path, expected, dir, url_base) in [
        ("/gen/a.any.html", ".any.html", "/one", "/gen/"),
        ("/gen/a.py", "Python", "/one", "/gen/"),
        ("/gen/", "File", "/one", "/gen/"),
        ("/gen", "File", "", "/"),
        ("/gen/x/a.asis", "AsIs", "/two", "/gen/x/"),
        ("/gen/x/y.js", "File", "/five", "/gen/x/"),
        ("/gen//.well-known/web-identity", "Python", "/one", "/gen/"),
        ("/gen/.well-known/web-identity", "File", "/one", "/gen/"),
        ("/resources/testharnessreport.js", "File", "/four", "/resources/"),
        ("/resources/testharness.js", "File", "", "/"),
        ("/a/b", "File", "/six", "/a/"),
        ("/no/slash/a", "File", "", "/"),
        ("/empty/a", "File", "", "/"),
        ("/brace{/a", "File", "", "/"),
    ] {
        let found = router.route(b"GET", path).unwrap();
        assert_eq!(kind(&found), expected, "{path}");
        let mount = found.mount.as_deref().map_or((Path::new(""), "/"), |root| (root.path(), &**root.url_base()));
        assert_eq!(mount, (Path::new(dir), url_base), "{path}");
        assert_eq!(found.injects, !path.ends_with(".js") || dir.is_empty(), "{path}");
    }
    // A file alias has a route for GET only: other methods match the directory around it.
    let found = router.route(b"GET", "/gen/x/y.js").unwrap();
    assert!(found.groups.is_empty());
    assert_eq!(serves(&router, "POST", "/gen/x/y.js"), "none");
}

#[test]
fn the_second_alias_for_a_path_takes_the_place_of_the_first() {
    let dir = |router: &Router, path: &str| {
        let found = router.route(b"GET", path).unwrap();
        found.mount.map(|root| root.path().display().to_string()).unwrap_or_default()
    };
    let router = Router::wpt(&[alias("/a/", "/one"), alias("/a/b/", "/two"), alias("/a/", "/three")]);
    assert_eq!(dir(&router, "/a/x"), "/three");
    assert_eq!(dir(&router, "/a/b/x"), "/two", "the place of the first is behind /a/b/");
    let router = Router::wpt(&[alias("/a/", "/one"), alias("/", "/root")]);
    assert_eq!(dir(&router, "/a/x"), "/one", "the doc root stays the last");
    assert_eq!(dir(&router, "/x"), "/root");
}

#[test]
fn one_path_is_rewritten() {
    for (method, target, expected) in [
        ("GET", "/resources/WebIDLParser.js", Some("/resources/webidl2/lib/webidl2.js")),
        ("GET", "/resources/WebIDLParser.js?a=b#c", Some("/resources/webidl2/lib/webidl2.js?a=b#c")),
        ("GET", "/resources/WebIDLParser.js?", Some("/resources/webidl2/lib/webidl2.js")),
        ("GET", "http://h:1/resources/WebIDLParser.js", Some("http://h:1/resources/webidl2/lib/webidl2.js")),
        ("GET", "HTTP:/resources/WebIDLParser.js", Some("http:///resources/webidl2/lib/webidl2.js")),
        ("GET", "/resources/WebIDLParser.js?\u{e9}", Some("/resources/webidl2/lib/webidl2.js?\u{e9}")),
        ("HEAD", "/resources/WebIDLParser.js", None),
        ("GET", "/resources/WebIDLParser.js/", None),
        ("GET", "/x/resources/WebIDLParser.js", None),
        ("GET", "/resources/WebIDLParser%2Ejs", None),
        ("GET", "/?/resources/WebIDLParser.js", None),
    ] {
        let target = encode_latin1(target).unwrap();
        let found = rewritten(method.as_bytes(), &target).map(|target| latin1(&target));
        assert_eq!(found.as_deref(), expected, "{method}");
    }
}
