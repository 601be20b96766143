//! Nothing outside the doc root is ever served, run or listed, however the path is spelled; symbolic links inside it are
//! followed, because checkouts are made of them.
//!
//! The secrets lie beside the doc root, once in a directory whose name begins like that of the doc root, because
//! wptserve 4.0.3 compares paths as text.

use std::{fs, os::unix::fs::symlink, sync::Arc};

use crate::util::{Launch, Server, get};

const SECRET: &str = "secret";

/// A doc root `…/site/root` with secrets around it. Returns the server and the absolute path of the doc root.
fn server() -> (Arc<Server>, String) {
    let launch = Launch::new(&[
        ("root/a.txt", "inside"),
        ("root/sub/b.txt", "inside, too"),
        ("root/run.py", "def main(request, response):\n    return b'ran'\n"),
        ("secret.txt", SECRET),
        ("secret.py", "def main(request, response):\n    return b'secret'\n"),
        ("root-sibling/secret.txt", SECRET),
        ("root-sibling/secret.py", "def main(request, response):\n    return b'secret'\n"),
    ]);
    let server = launch.doc_root("root").start();
    let root = server.site.show("root");
    (server, root)
}

#[test]
fn no_spelling_leads_out_of_the_doc_root() {
    let (server, root) = server();
    let parent = server.site.path().display().to_string();
    let encoded = |path: &str| path.replace('/', "%2F");
    let mut targets = Vec::new();
    for name in ["secret.txt", "secret.py", "root-sibling/secret.txt", "root-sibling/secret.py"] {
        for dots in ["..", "%2e%2e", ".%2E", "%2e.", "sub/../..", "sub/%2e%2e/%2e%2e", "./..", "x/../.."] {
            targets.push(format!("/{dots}/{name}"));
            targets.push(format!("/{dots}%2F{name}"));
            targets.push(format!("/{dots}%2f{name}?a#b"));
            targets.push(format!("{dots}/{name}"));
            targets.push(format!("http://localhost/{dots}/{name}"));
        }
        for absolute in [format!("{parent}/{name}"), format!("{root}/../{name}")] {
            targets.push(format!("/{absolute}"));
            targets.push(format!("//{absolute}"));
            targets.push(format!("/{}", encoded(&absolute)));
            targets.push(format!("/%2F{}", encoded(&absolute)));
            targets.push(format!("/.{absolute}"));
        }
        for odd in [
            "..\\",
            "%5c..%5c",
            "..%5c",
            "..%c0%af",
            "%c0%ae%c0%ae/",
            "..%252f",
            "%252e%252e/",
            "..;/",
            "..%00/",
            "%00/../",
            "..\u{1}/",
        ] {
            targets.push(format!("/{odd}{name}"));
        }
    }
    for name in ["/etc/passwd", "/etc/hostname"] {
        targets.extend([
            format!("/{name}"),
            format!("/%2F{}", &name[1..]),
            format!("/file://{name}"),
            format!("file://{name}"),
        ]);
    }
    for target in &targets {
        let answer = server.ask(get(target));
        assert!(matches!(answer.code(), 400 | 404 | 500), "{target}: {answer:?}");
        assert!(!answer.text().contains("secret\"") && answer.text() != SECRET, "{target}: {}", answer.text());
        assert!(!answer.text().contains("root:"), "{target}");
    }
    println!("{} spellings", targets.len());
    assert_eq!(server.get("/a.txt").ok(), "inside");
}

#[test]
fn listings_stay_inside() {
    let (server, _) = server();
    for target in ["/..", "/../", "/%2e%2e/", "/sub/../../", "/%2F"] {
        let answer = server.get(target);
        assert!(!answer.text().contains("root-sibling"), "{target}: {}", answer.text());
    }
}

#[test]
fn nul_bytes_name_no_file() {
    let (server, _) = server();
    for target in ["/a.txt%00", "/a.txt%00.py", "/%00", "/run.py%00", "/run.py%00.py", "/sub%00/b.txt"] {
        let message = server.get(target).error(500);
        assert!(message.contains("embedded null byte"), "{target}: {message}");
    }
    assert_eq!(server.get("/run.py").ok(), "ran");
}

#[test]
fn imports_stay_inside() {
    let (server, root) = server();
    fs::write(
        format!("{root}/imports.py"),
        "import importlib\ndef main(request, response):\n    name = request.GET.first(b'm').decode()\n    \
         return importlib.import_module(name).__name__\n",
    )
    .unwrap();
    for name in ["secret", "../secret", "..secret", "/secret", "root-sibling.secret", "sub/b", "."] {
        let answer = server.get(&format!("/imports.py?m={name}"));
        answer.error(500);
    }
}

#[test]
fn symbolic_links_are_followed() {
    let (server, root) = server();
    let site = server.site.path();
    symlink(site.join("secret.txt"), format!("{root}/link.txt")).unwrap();
    symlink(site.join("secret.py"), format!("{root}/link.py")).unwrap();
    symlink(site.join("root-sibling"), format!("{root}/folder")).unwrap();
    symlink("nowhere", format!("{root}/dangling.txt")).unwrap();
    symlink("loop.txt", format!("{root}/loop.txt")).unwrap();
    for target in ["/link.txt", "/link.py", "/folder/secret.txt", "/folder/secret.py"] {
        assert_eq!(server.get(target).ok(), SECRET, "{target}");
    }
    assert!(server.get("/folder/").ok().contains("secret.txt"));
    for target in ["/dangling.txt", "/loop.txt"] {
        server.get(target).error(404);
    }
    // And a link to the whole doc root, as build systems make it.
    let linked = Launch::new(&[
        ("real/a.txt", "inside"),
        ("real/run.py", "def main(request, response):\n    return __file__\n"),
    ]);
    symlink("real", linked.site().path().join("root")).unwrap();
    let server = linked.doc_root("root").start();
    assert_eq!(server.get("/a.txt").ok(), "inside");
    assert_eq!(server.get("/run.py").ok(), server.site.show("root/run.py"));
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let (server, root) = server();
    // Opening a pipe would block until a writer opens it.
    let made =
        std::process::Command::new("mkfifo").args([format!("{root}/pipe.txt"), format!("{root}/pipe.py")]).status();
    assert!(made.unwrap().success());
    server.get("/pipe.txt").error(404);
    let code = server.get("/pipe.py").code();
    assert!(matches!(code, 404 | 500), "{code}");
    assert_eq!(server.get("/run.py").ok(), "ran");
}
