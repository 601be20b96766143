//! The sources of the configuration, and wrong configurations.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::json;

use super::wpt::{Start, checkout, config, with};
use crate::util::Site;

const SHOWN: (&str, &str) = ("t.sub.txt", "{{domains[]}} {{hosts[alt][]}}");

#[test]
fn config_json_then_the_config_flag_then_other_flags() {
    let site = checkout(&[SHOWN, ("other/t.sub.txt", "other {{domains[]}}")]);
    let own = with(json!({"browser_host": "own.test", "alternate_hosts": {"alt": "alt.test"}}));
    site.write("config.json", &own.to_string());
    let server = Start::new(site.path()).start();
    assert_eq!(server.get("/t.sub.txt"), "own.test alt.test");
    let given = json!({"browser_host": "given.test", "doc_root": "."});
    let server = Start::new(site.path()).config(&given).start();
    assert_eq!(server.get("/t.sub.txt"), "given.test alt.test");
    for flag in ["--doc_root=other", "--doc-root=other"] {
        let server = Start::new(site.path()).config(&given).args([flag]).start();
        assert_eq!(server.get("/t.sub.txt"), "other given.test", "{flag}");
    }
}

#[test]
fn the_configuration_may_be_a_pipe() {
    let site = checkout(&[SHOWN]);
    let text = with(json!({"browser_host": "piped.test"})).to_string();
    let server = Start::new(site.path()).args(["--config", "/dev/stdin"]).start_with(|command| {
        // As in a shell script: the text is all there is, and its end must not stop the server.
        let (read, mut write) = std::io::pipe().unwrap();
        write.write_all(text.as_bytes()).unwrap();
        command.stdin(Stdio::from(read));
    });
    assert_eq!(server.get("/t.sub.txt"), "piped.test not-web-platform.test");
}

#[test]
fn the_checkout_is_found() {
    let site = checkout(&[SHOWN]);
    let doc_root = Site::new(&[("t.sub.txt", "elsewhere {{domains[]}}")]);
    let own = |host: &str| with(json!({"browser_host": host})).to_string();
    site.write("config.json", &own("checkout.test"));
    doc_root.write("config.json", &own("doc-root.test"));
    // The tools and the served files are two trees; the configuration is in the tree of the tools.
    let server = Start::new(site.path()).args(["--doc_root"]).args([doc_root.path()]).start();
    assert_eq!(server.get("/t.sub.txt"), "elsewhere checkout.test");
    // The working directory is not a checkout.
    let nowhere = tempfile::TempDir::new().unwrap();
    let start = || Start::new(nowhere.path());
    doc_root.write(
        "tools/certs/web-platform.test.key",
        &fs::read_to_string(site.path().join("tools/certs/web-platform.test.key")).unwrap(),
    );
    doc_root.write(
        "tools/certs/web-platform.test.pem",
        &fs::read_to_string(site.path().join("tools/certs/web-platform.test.pem")).unwrap(),
    );
    let server = start().args(["--doc_root"]).args([doc_root.path()]).start();
    assert_eq!(server.get("/t.sub.txt"), "elsewhere doc-root.test");
    start().refused(1, &["is not a web-platform-tests checkout", "--doc-root"]);
}

#[test]
fn mistakes_are_told_apart() {
    let site = checkout(&[]);
    let refused = |config, code, parts: &[&str]| Start::new(site.path()).config(&config).refused(code, parts);
    // jsdom's runner looks for this on standard error.
    let (code, out, err) = Start::new(site.path()).config(&json!({"unknown_key": 1})).run();
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("KeyError: \"unknown config override 'unknown_key'\""), "{err}");
    refused(json!({"ports": {"http": [1, "two"]}}), 1, &["\"two\" in ports.http is not a port"]);
    refused(json!({"logging": null}), 1, &["logging must be an object, not null"]);
    Start::new(site.path()).args(["--config", "missing.json"]).refused(1, &["missing.json", "No such file"]);
    Start::new(site.path())
        .config(&config())
        .args(["--ws_doc_root", "missing"])
        .refused(1, &["WebSockets document root path", "does not exist"]);
    Start::new(site.path()).config(&config()).args(["--inject-script", "missing"]).refused(1, &["missing"]);
    for flags in
        [&["--dance"][..], &["--latency", "x"], &["--port", "0", "--doc-root", ".", "--config", "x"], &["extra"]]
    {
        Start::new(site.path()).args(flags.iter().copied()).refused(2, &["--help"]);
    }
}

#[test]
fn odd_keys_are_warned_about_and_ignored() {
    let site = checkout(&[SHOWN]);
    let config = with(json!({
        "ssl": {"pregenerated": {"ca_cert_path": "x"}}, "host": "renamed.test", "log_level": "info",
    }));
    let server = Start::new(site.path()).config(&config).args(["--webtransport-h3"]).start();
    assert_eq!(server.get("/t.sub.txt"), "renamed.test not-web-platform.test");
    for warning in [
        "WARNING - ssl.pregenerated.ca_cert_path in config is not known and has no effect",
        "WARNING - host in config is deprecated; use browser_host instead",
        "WARNING - log_level in config is deprecated; use logging.level instead",
        "WARNING - WebTransport is not served",
    ] {
        server.logged(warning);
    }
}

#[test]
fn flags_may_be_shortened_and_spelled_both_ways() {
    let site = checkout(&[SHOWN]);
    let own = Start::new(site.path());
    let path = site.path().join("given.json");
    fs::write(&path, config().to_string()).unwrap();
    // Python's argparse accepts a shortened flag as long as no other flag begins in the same way.
    let server = own.args(["--conf"]).args([path]).args(["--exit"]).run();
    assert_eq!(server.0, 0, "{}{}", server.1, server.2);
    assert!(server.1.contains("http on port"), "all ports were announced: {}", server.1);
}

#[test]
fn latency_delays_every_answer() {
    let site = checkout(&[SHOWN]);
    let server = Start::new(site.path()).config(&config()).args(["--latency", "80"]).start();
    let started = std::time::Instant::now();
    server.get("/t.sub.txt");
    assert!(started.elapsed() >= std::time::Duration::from_millis(80));
}

#[test]
fn the_import_policy_of_a_checkout_is_warn_unless_said_otherwise() {
    let files = [("a/helper.py", ""), ("h.py", "import a.helper\ndef main(request, response):\n    return b'found'\n")];
    let site = checkout(&files);
    let code = |start: Start| super::wpt::ask(start.start().ports("http")[0], "/h.py")[9..12].to_owned();
    let start = |config| Start::new(site.path()).config(&config);
    assert_eq!(code(start(config())), "200");
    assert_eq!(code(start(with(json!({"import_policy": null})))), "200");
    assert_eq!(code(start(with(json!({"import_policy": "strict"})))), "500");
    // What is served counts, and where the tools are.
    let other = Site::new(&files);
    let served = |start: Start| start.args(["--doc-root"]).args([other.path()]);
    assert_eq!(code(served(start(config()))), "200");
    let bare = with(json!({"ssl": {"type": "none"}}));
    assert_eq!(code(served(Start::new(other.path()).config(&bare))), "500");
    assert_eq!(code(start(with(json!({"import_policy": "strict"}))).args(["--import-policy", "warn"])), "200");
    assert_eq!(code(start(config()).args(["--import-policy=strict"])), "500");
}

#[test]
fn one_port_serves_the_checkout_around_it() {
    let files = [("a/helper.py", ""), ("h.py", "import a.helper\ndef main(request, response):\n    return b'found'\n")];
    let site = checkout(&files);
    // Without config.json: this one would be refused.
    site.write("config.json", "[1]");
    let server = Start::new(site.path()).args(["--port", "0"]).start();
    assert_eq!((server.get("/h.py").as_str(), server.ready["ports"].as_object().unwrap().len()), ("found", 1));
    let script = site.show("wpt");
    let elsewhere = tempfile::TempDir::new().unwrap();
    let folder = super::commands::python("python3");
    let start = Start::new(elsewhere.path()).program(&folder.path().join("python3"), &[&script]);
    assert_eq!(start.args(["--port", "0"]).start().get("/h.py"), "found");
}
