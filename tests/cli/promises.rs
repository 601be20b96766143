//! The documentation's promises about starting: its command lines are run unchanged.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use super::wpt::{Start, checkout, config, with};
use crate::util::{BINARY, Running, until};

/// The shell lines in docs/operations.md that contain this text.
fn documented(part: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let found: Vec<&str> = blocks.map(|(block, _)| block).filter(|block| block.contains(part)).collect();
    assert_eq!(found.len(), 1, "one block with {part:?}: {found:?}");
    found[0].to_owned()
}

/// Runs lines of the shell in a directory, with the binary on the PATH, to their end: whether it was a good one, and output.
fn shell(lines: &str, directory: &Path) -> (bool, String) {
    let bin = TempDir::new().unwrap();
    symlink(BINARY, bin.path().join("wptserve")).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let out = directory.join("out");
    let file = fs::File::create(&out).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", lines]).env("PATH", path).current_dir(directory).stdin(Stdio::null());
    let mut child = Running(command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap());
    let status = until("the end of the lines", || child.0.try_wait().unwrap());
    (status.success(), fs::read_to_string(out).unwrap())
}

#[test]
fn the_documented_wait_ends_with_the_server_or_with_its_failure() {
    let lines = documented("until [ -e ready.json ]");
    let site = checkout(&[]);
    site.write("config.json", &config().to_string());
    // One left over must not count.
    site.write("ready.json", "{}");
    let (good, out) = shell(&format!("{lines}\ncat ready.json\nkill $server\nwait $server"), site.path());
    assert!(good && out.contains("\"ports\""), "{out}");
    assert!(!site.path().join("ready.json").exists(), "it is gone with the server");
    let nowhere = TempDir::new().unwrap();
    let (good, out) = shell(&format!("{lines}\necho waited"), nowhere.path());
    assert!(!good && out.contains("is not a web-platform-tests checkout") && !out.contains("waited"), "{out}");
}

#[test]
fn a_port_alone_serves_the_checkout_it_is_started_in() {
    let files = [
        ("a.txt", "a"),
        ("helpers/helper.py", "text = b'found'\n"),
        ("h.py", "import helpers.helper\ndef main(request, response):\n    return helpers.helper.text\n"),
    ];
    let site = checkout(&files);
    // With --port the files of other schemes are not read.
    site.write("config.json", "no JSON");
    let server = Start::new(site.path()).args(["--port", "0"]).start();
    assert_eq!(server.get("/a.txt"), "a");
    assert_eq!(server.ready["ports"].as_object().unwrap().len(), 1);
    // A checkout lacks files that the rules want.
    assert_eq!(server.get("/h.py"), "found");
    server.logged("__init__.py");
    let nowhere = TempDir::new().unwrap();
    Start::new(nowhere.path())
        .args(["--port", "0"])
        .refused(1, &["is not a web-platform-tests checkout", "--doc-root"]);
}

/// Names that no machine knows stand for a machine without the lines of make-hosts-file.
#[test]
fn with_dns_no_name_has_to_be_known() {
    let site = checkout(&[("a.txt", "a")]);
    let names = json!({
        "browser_host": "unknown-host.test", "alternate_hosts": {"alt": "other-host.test"}, "server_host": null,
        "check_subdomains": true, "ports": {"dns": ["auto"]}, "ssl": {"type": "none"},
    });
    let config = with(names);
    Start::new(site.path()).config(&config).refused(1, &["cannot find the address of unknown-host.test", "--dns"]);
    let server = Start::new(site.path()).config(&config).args(["--dns"]).start();
    assert_eq!(server.get("/a.txt"), "a");
    assert_eq!(server.ready["host"], "unknown-host.test");
    // The name leads to where the server is.
    let query =
        [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x03www\x0cunknown-host\x04test\x00", &[0, 1, 0, 1]].concat();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(crate::util::DEADLINE)).unwrap();
    socket.send_to(&query, ("127.0.0.1", server.ports("dns")[0])).unwrap();
    let mut answer = [0; 512];
    let count = socket.recv(&mut answer).unwrap();
    assert!(answer[..count].ends_with(&[127, 0, 0, 1]), "{:?}", &answer[..count]);
    // A name of another site is not one of the tests' domains.
    Start::new(site.path())
        .config(&config)
        .args(["--dns", "--host", "host.invalid"])
        .refused(1, &["cannot find the address of host.invalid"]);
    let below = |flags: &[&str]| {
        Start::new(site.path()).config(&config).args(["--host", "any.unknown-host.test"]).args(flags.iter().copied())
    };
    below(&["--dns"]).refused(1, &["cannot find the address of any.unknown-host.test"]);
    assert_eq!(below(&["--dns-wildcards", "1"]).start().get("/a.txt"), "a");
}

#[test]
fn the_one_platform_is_named() {
    for page in ["README.md", "docs/operations.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        assert!(text.contains("Linux on x86-64"), "{page} names the one platform");
    }
}
