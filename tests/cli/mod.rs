//! The command line as scripts and CI use it: exit codes, messages, the ready file, pipes that are not read.
//!
//! A server that cannot start ends with exit code 1 and names cause and next step; a wrong command line ends with exit code 2.
//! Both end within a second.

mod clients;
mod commands;
mod configuration;
mod logging;
mod mistakes;
mod ports;
mod promises;
mod wpt;

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::util::{BINARY, Launch, Running, Server, Site, get, until};

/// Runs the binary to its end: exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let started = Instant::now();
    let mut command = Command::new(BINARY);
    command.args(arguments).env_remove("WPTSERVE_IMPORT_POLICY").stdin(Stdio::null());
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let status = until("the command to end", || child.0.try_wait().unwrap());
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    println!("{arguments:?}: {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(5), "{arguments:?} took {:?}", started.elapsed());
    (status.code().unwrap_or(-1), stdout, stderr)
}

/// The command line is refused with this code, and the message has all these parts.
#[track_caller]
fn refused(arguments: &[&str], code: i32, parts: &[&str]) {
    let (actual, _, message) = run(arguments);
    assert_eq!(actual, code, "{arguments:?}: {message}");
    for part in parts {
        assert!(message.contains(part), "{arguments:?}: no {part:?} in {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn a_doc_root_that_cannot_be_served_is_refused() {
    let site = Site::new(&[("file.txt", "")]);
    let (missing, file) = (site.show("missing"), site.show("file.txt"));
    let next = "name a directory that exists and can be read";
    refused(&["serve", "--port", "0", "--doc-root", &missing], 1, &[&missing, "No such file", next]);
    refused(&["serve", "--port", "0", "--doc-root", &file], 1, &[&file, "Not a directory", next]);
    refused(&["serve", "--port", "0", "--doc-root", ""], 2, &["--doc-root"]);
}

#[test]
fn a_port_in_use_is_refused() {
    let site = Site::new(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let root = site.path().to_str().unwrap();
    let line = ["serve", "--doc-root", root, "--port", &port];
    refused(&line, 1, &[&format!("cannot listen on 127.0.0.1:{port} for http"), "in use", "or with --port"]);
    refused(
        &["serve", "--doc-root", root, "--port", "0", "--host", "host.invalid"],
        1,
        &["cannot find the address of host.invalid", "choose another"],
    );
}

#[test]
fn a_ready_file_without_a_place_is_refused() {
    let site = Site::new(&[("folder/file.txt", "")]);
    let root = site.path().to_str().unwrap();
    for place in ["folder", "missing/ready", "folder/file.txt/ready"] {
        let file = site.show(place);
        refused(
            &["serve", "--doc-root", root, "--port", "0", "--ready-file", &file],
            1,
            &[&file, "choose another place with --ready-file"],
        );
    }
}

#[test]
fn bad_flags_are_told_from_bad_surroundings() {
    let site = Site::new(&[]);
    let root = site.path().to_str().unwrap();
    refused(&[], 2, &["Usage: wptserve", "serve"]);
    refused(&["serve", "--port", "0"], 1, &["is not a web-platform-tests checkout", "--doc-root"]);
    refused(&["serve", "--doc-root"], 2, &["--doc-root"]);
    refused(&["dance"], 2, &["dance"]);
    refused(&["serve", "--doc-root", root, "--dance"], 2, &["--dance"]);
    refused(&["serve", "--doc-root", root, "--port", "65536"], 2, &["65536", "--port"]);
    refused(&["serve", "--doc-root", root, "--import-policy", "lax"], 2, &["lax", "strict", "warn"]);
}

#[test]
fn help_and_version_are_no_failures() {
    let (code, help, _) = run(&["serve", "--help"]);
    assert_eq!(code, 0);
    for flag in ["--doc-root", "--host", "--port", "--import-policy", "--ready-file", "WPTSERVE_IMPORT_POLICY"] {
        assert!(help.contains(flag), "no {flag} in {help}");
    }
    let (code, output, _) = run(&["--version"]);
    assert_eq!((code, output), (0, concat!("wptserve ", env!("CARGO_PKG_VERSION"), "\n").into()));
    let (code, output, _) = run(&["--help"]);
    assert!(code == 0 && output.contains("serve"));
}

#[test]
fn pipes_that_nobody_reads_do_no_harm() {
    let site = Site::new(&[
        (
            "noisy.py",
            "import sys\ndef main(request, response):\n    print('out')\n    sys.stdout.flush()\n    sys.stderr.write('err')\n    return b'said'\n",
        ),
        ("fails.py", "def main(request, response):\n    return 1 / 0\n"),
    ]);
    let ready = tempfile::TempDir::new().unwrap();
    let file = ready.path().join("ready");
    let mut command = Command::new(BINARY);
    command.args(["serve", "--port", "0", "--doc-root"]).arg(site.path()).arg("--ready-file").arg(&file);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map(Running).unwrap();
    drop((child.0.stdout.take(), child.0.stderr.take()));
    let text = until("the ready file", || fs::read_to_string(&file).ok());
    let port = port_of(&text);
    for (target, status) in [("/noisy.py", "200"), ("/fails.py", "500"), ("/noisy.py", "200")] {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(crate::util::DEADLINE)).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
    crate::util::signal(child.0.id(), "TERM");
    assert!(until("the server's end", || child.0.try_wait().unwrap()).success());
    // The same before it serves anything.
    for arguments in [&["--help"][..], &["serve", "--help"], &["--version"], &["serve", "--doc-root", "/nonexistent"]] {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Running)
            .unwrap();
        drop((child.0.stdout.take(), child.0.stderr.take()));
        let status = until("the command to end", || child.0.try_wait().unwrap());
        assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}: {status}");
    }
}

fn port_of(ready: &str) -> u16 {
    let ready: serde_json::Value = serde_json::from_str(ready).expect("the ready file is whole");
    u16::try_from(ready["ports"]["http"][0].as_u64().unwrap()).unwrap()
}

#[test]
fn the_ready_file_says_what_is_served_and_replaces_an_old_one() {
    let (site, folder) = (Site::new(&[("a.txt", "a")]), tempfile::TempDir::new().unwrap());
    let file = folder.path().join("ready");
    fs::write(&file, "stale").unwrap();
    let started = Instant::now();
    let mut command = Command::new(BINARY);
    command
        .args(["serve", "--port", "0", "--ready-file", "ready", "--doc-root"])
        .arg(site.path())
        .current_dir(folder.path());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Running).unwrap();
    // At any moment the file has the stale text or the whole new one, never a part.
    let text = until("the ready file", || fs::read_to_string(&file).ok().filter(|text| text != "stale"));
    println!("ready after {:?}", started.elapsed());
    let port = port_of(&text);
    let expected = serde_json::json!({
        "pid": child.0.id(), "host": "127.0.0.1", "ports": {"http": [port]}, "urls": [format!("http://127.0.0.1:{port}/")],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text:?}");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), "the port answers as soon as the file is there");
    let others: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(others, ["ready"], "nothing is left beside it");
    crate::util::signal(child.0.id(), "INT");
    assert!(until("the server's end", || child.0.try_wait().unwrap()).success());
}

#[test]
fn the_policy_comes_from_the_flag_then_the_environment_then_the_directory() {
    let files = [
        ("a/helper.py", ""),
        ("h.py", "import a.helper\ndef main(request, response):\n    return b'found'\n"),
        // Not the sign of a checkout: it has to be in the doc root.
        ("a/resources/testharness.js", ""),
    ];
    let code = |server: &std::sync::Arc<Server>| server.get("/h.py").code();
    for sign in ["resources/testharness.js", "wpt"] {
        let checkout = [files[0], files[1], (sign, "")];
        assert_eq!(code(&Launch::new(&checkout).start()), 200, "{sign}");
        assert_eq!(code(&Launch::new(&checkout).arg("--import-policy").arg("strict").start()), 500, "{sign}");
        assert_eq!(code(&Launch::new(&checkout).env("WPTSERVE_IMPORT_POLICY", "strict").start()), 500, "{sign}");
    }
    assert_eq!(code(&Launch::new(&files).start()), 500);
    assert_eq!(code(&Launch::new(&files).env("WPTSERVE_IMPORT_POLICY", "warn").start()), 200);
    let server = Launch::new(&files).env("WPTSERVE_IMPORT_POLICY", "warn").arg("--import-policy").arg("strict").start();
    assert_eq!(code(&server), 500);
    let mut command = Command::new(BINARY);
    command
        .args(["serve", "--port", "0", "--doc-root", "."])
        .env("WPTSERVE_IMPORT_POLICY", "lax")
        .current_dir(Path::new("/"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Running).unwrap();
    assert_eq!(until("the refusal", || child.0.try_wait().unwrap()).code(), Some(2));
}

#[test]
fn an_ended_server_leaves_its_port_free() {
    let first = Server::start(&[("a.txt", "a")]);
    let port = first.address.port();
    // A connection the server closes itself stays in TIME_WAIT on its side.
    let mut client = first.connect();
    client.send(get("/a.txt"));
    client.answer();
    client.expect_close();
    first.signal("TERM");
    assert!(first.wait().success());
    let second = Launch::new(&[("a.txt", "b")]).arg("--host").arg("127.0.0.1").port(port).start();
    assert_eq!(second.address.port(), port);
    assert_eq!(second.get("/a.txt").ok(), "b");
}
