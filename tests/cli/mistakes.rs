//! Every flag with a wrong value and every key of the configuration with a wrong kind: one message, with the place, the cause
//! and the right form.

use std::fs;

use serde_json::{Value, json};

use super::{
    refused,
    wpt::{Start, checkout, with},
};

#[test]
fn every_flag_says_what_it_takes() {
    let site = checkout(&[("aliases", "nonsense\n"), ("list.json", "[]"), ("half.json", "{\"ports\": ")]);
    let port = "write a whole number from 0 to 65535; 0 takes any free port";
    let file = "name a file that exists and can be read";
    for (flags, code, parts) in [
        // Mistakes that the command line shows by itself.
        (&["--port", "abc"][..], 2, &["'abc' for '--port <N>'", port][..]),
        (&["--port", "65536"], 2, &["'65536' for '--port <N>'", port]),
        (&["--port", "-1"], 2, &["-1"]),
        (&["--latency", "1.5"], 2, &["'1.5' for '--latency <MS>'", "a whole number of milliseconds, such as 500"]),
        (&["--dns-wildcards", "all"], 2, &["'all' for '--dns-wildcards <N>'", "a whole number, such as 2"]),
        (&["--import-policy", "lax"], 2, &["'lax' for '--import-policy <POLICY>'", "strict", "warn"]),
        (&["--doc-root", ""], 2, &["--doc-root <DIR>", "none was supplied"]),
        (&["--host", ""], 2, &["--host <ADDRESS>", "none was supplied"]),
        (&["--config", ""], 2, &["--config <FILE>", "none was supplied"]),
        (&["--alias-file", ""], 2, &["--alias-file <FILE>", "none was supplied"]),
        (&["--port", "0", "--config", "x"], 2, &["--config <FILE>", "cannot be used with"]),
        (&["--port", "0", "--alias-file", "x"], 2, &["cannot be used with"]),
        // Mistakes that only a look at the machine shows.
        (&["--config", "missing"], 1, &["missing: No such file", file]),
        (&["--config", "tools"], 1, &["tools: Is a directory", file]),
        (
            &["--config", "half.json"],
            1,
            &["half.json is not valid JSON: EOF", "line 1 column 10", "correct the file there"],
        ),
        (&["--config", "list.json"], 1, &["the configuration must be an object, not []"]),
        (&["--alias-file", "missing"], 1, &["missing: No such file", file]),
        (&["--alias-file", "aliases"], 1, &["line 1 of the alias file aliases", "write /ALIAS_NAME/, DOC_ROOT"]),
        (&["--inject-script", "missing"], 1, &["missing: No such file", file]),
        (&["--doc-root", "missing"], 1, &["missing", "name a directory that exists and can be read"]),
        (
            &["--ws-doc-root", "missing"],
            1,
            &["WebSockets document root path", "missing does not exist; name a directory"],
        ),
        (
            &["--ws-extra", "missing"],
            1,
            &["Extra WebSockets handlers path", "missing does not exist; name a directory"],
        ),
        (&["--ready-file", "missing/file"], 1, &["missing/file", "choose another place with --ready-file"]),
        (&["--port", "0", "--host", "host.invalid"], 1, &["cannot find the address of host.invalid", "choose another"]),
    ] {
        let start = Start::new(site.path()).args(flags.iter().copied());
        let (actual, _, message) = start.run();
        assert_eq!(actual, code, "{flags:?}: {message}");
        for part in parts {
            assert_eq!(message.matches(part).count(), 1, "{flags:?}: {part:?} once in {message}");
        }
        assert!(!message.contains("invalid digit"), "{flags:?}: {message}");
    }
    refused(&["make-hosts-file", "here"], 2, &["'here' for '[ADDRESS]'", "an IP address, such as 127.0.0.1"]);
}

#[test]
fn every_key_says_what_it_holds() {
    let site = checkout(&[]);
    let (text, name) = ("a text in quotes", "the name of a host or an address, in quotes");
    let or_null = |what: &str| format!("{what}, or null");
    let (truth, paths) = ("true or false", "a list of paths, such as [\"handlers\"], or null");
    let object = "an object";
    let rows: Vec<(&str, Value, String)> = [
        ("browser_host", json!(1), name.to_owned()),
        ("browser_host", json!(null), name.into()),
        ("browser_host", json!(""), name.into()),
        ("alternate_hosts", json!(["a"]), object.into()),
        ("alternate_hosts.alt", json!(1), name.into()),
        ("server_host", json!(true), or_null(name)),
        ("server_host", json!(""), or_null(name)),
        ("doc_root", json!(null), text.into()),
        ("ws_doc_root", json!([]), or_null(text)),
        ("ws_extra", json!("x"), paths.into()),
        ("ws_extra", json!([1]), paths.into()),
        ("check_subdomains", json!("false"), truth.into()),
        ("check_subdomains", json!([]), truth.into()),
        ("bind_address", json!("127.0.0.1"), truth.into()),
        ("bind_address", json!(2), truth.into()),
        ("ports", json!([8000]), object.into()),
        ("ports.http", json!(8000), "a list of ports".into()),
        // Wanted with --dns only, and wrong without it as well.
        ("ports.dns", json!(53), "a list of ports".into()),
        ("aliases", json!({"/a/": "b"}), "a list of aliases".into()),
        ("aliases[1]", json!([{"url-path": "/a/", "local-dir": "b"}, "/a/"]), object.into()),
        ("aliases[0].local-dir", json!([{"url-path": "/a/", "local-dir": 1}]), text.into()),
        ("logging", json!("debug"), object.into()),
        ("logging.level", json!("loud"), "debug, info, warning, error or critical".into()),
        ("logging.suppress_handler_traceback", json!("no"), truth.into()),
        ("import_policy", json!("lax"), "\"strict\", \"warn\" or null".into()),
        ("ssl", json!("none"), object.into()),
        ("ssl.type", json!(1), text.into()),
        ("ssl.encrypt_after_connect", json!("false"), truth.into()),
        ("ssl.pregenerated", json!([]), object.into()),
        ("ssl.pregenerated.host_key_path", json!(1), or_null(text)),
        ("ssl.pregenerated.host_cert_path", json!({}), or_null(text)),
        ("ssl.pregenerated.mint", json!("yes"), truth.into()),
        // Keys of the type that is not in use.
        ("ssl.openssl.openssl_binary", json!(1), or_null(text)),
        ("ssl.openssl.base_path", json!(1), or_null(text)),
        ("ssl.openssl.base_conf_path", json!(1), or_null(text)),
        ("ssl.openssl.password", json!(1234), or_null(text)),
        ("ssl.openssl.force_regenerate", json!("false"), truth.into()),
        ("ssl.openssl.duration", json!("30"), "a number of days".into()),
        ("ssl.openssl.duration", json!(-1), "a number of days".into()),
    ]
    .into();
    for (key, value, expected) in rows {
        let path = key.split_once('[').map_or(key, |(list, _)| list);
        let config = path.rsplit('.').fold(value.clone(), |value, part| json!({part: value}));
        let (code, out, err) = Start::new(site.path()).config(&config).run();
        let found = if path == key { value.to_string() } else { String::new() };
        // An error of merging names its file.
        let place = if *expected == *object && !key.starts_with("aliases") { "config.json: " } else { "wptserve: " };
        let message = format!("{place}{key} must be {expected}, not {found}");
        assert!(code == 1 && out.is_empty(), "{key}: {code} {out}");
        assert!(
            err.starts_with("wptserve: ") && err.contains(&message) && err.lines().count() == 1,
            "{key}: {err}not {message}"
        );
    }
}

#[test]
fn misspelt_names_are_recognised() {
    let site = checkout(&[]);
    let refused = |config: Value, part| Start::new(site.path()).config(&config).refused(1, &[part]);
    refused(
        json!({"aliases": [{"url-path": "/a/", "local-dri": "."}]}),
        "aliases[0] has no \"local-dir\" but the unknown key \"local-dri\"; did you mean \"local-dir\"?; an alias is \
         {\"url-path\": \"/gen/\", \"local-dir\": \"out/gen\"}",
    );
    refused(json!({"aliases": [{"local-dir": "."}]}), "aliases[0] has no \"url-path\"; an alias is");
    refused(json!({"browserhost": "x"}), "'browserhost'\"; did you mean \"browser_host\"?");
    refused(json!({"ssl": {"type": "openssh"}}), "openssh is not a valid SSL type");
    let config = with(json!({
        "ports": {"htp": ["auto"]}, "aliases": [{"url-path": "/a/", "local-dir": ".", "note": "for us"}],
    }));
    let server = Start::new(site.path()).config(&config).start();
    server.logged("WARNING - ports.htp in config is not known and has no effect; did you mean \"http\"?");
    server.logged("WARNING - aliases[0].note in config is not known and has no effect");
}

/// Python takes these for true and false.
#[test]
fn numbers_and_null_are_truths() {
    let site = checkout(&[]);
    for (no, yes) in [(json!(0), json!(1)), (json!(null), json!(true))] {
        let config = with(json!({"check_subdomains": no, "bind_address": yes}));
        Start::new(site.path()).config(&config).start();
    }
}

#[test]
fn on_a_terminal_a_failure_is_said_once() {
    let site = checkout(&[]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let certificate = with(json!({"ssl": {"pregenerated": {"host_key_path": "missing.key"}}}));
    for (config, cause) in [
        (with(json!({"server_host": "host.invalid"})), "host.invalid"),
        (with(json!({"ports": {"http": [port]}})), "Address already in use"),
        (certificate, "missing.key"),
    ] {
        site.write("given.json", &config.to_string());
        let line = format!("{} serve --config given.json", crate::util::BINARY);
        let run = |command: &mut std::process::Command| {
            let output = command.current_dir(site.path()).stdin(std::process::Stdio::null()).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let shown = run(std::process::Command::new("script").args(["-qec", &line, "/dev/null"]));
        assert_eq!(shown.matches("wptserve: ").count(), 1, "{shown}");
        assert!(shown.contains(cause) && !shown.contains("CRITICAL"), "{shown}");
        // Both outputs go to one file. wptserve's words about a port come in addition.
        let shown = run(std::process::Command::new("sh").args(["-c", &format!("{line} 2>&1")]));
        assert_eq!(shown.matches("wptserve: ").count(), 1, "{shown}");
        assert_eq!(shown.contains("CRITICAL"), shown.contains("Failed to start HTTP server on port"), "{shown}");
    }
}

#[test]
fn the_ready_file_goes_at_the_start_and_at_the_stop() {
    let site = checkout(&[]);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("ready");
    let name = file.to_str().unwrap();
    let left_over = || fs::write(&file, "{\"pid\": 1}").unwrap();
    for flags in [&["--config", "/nonexistent"][..], &["--port", "0", "--doc-root", "/nonexistent"]] {
        left_over();
        Start::new(site.path()).args(["--ready-file", name]).args(flags.iter().copied()).refused(1, &["/nonexistent"]);
        assert!(!file.exists(), "a start that fails leaves none: {flags:?}");
    }
    for signal in ["INT", "TERM"] {
        let mut server = Start::new(site.path()).args(["--port", "0", "--doc-root", "."]).start();
        let own = server.ready_file();
        assert!(own.exists());
        assert!(server.stop(signal).success());
        assert!(!own.exists(), "{signal}");
    }
    // A server that has come meanwhile keeps its own.
    let mut server = Start::new(site.path()).args(["--port", "0", "--doc-root", "."]).start();
    let own = server.ready_file();
    fs::write(&own, "another's").unwrap();
    assert!(server.stop("TERM").success());
    assert_eq!(fs::read_to_string(&own).unwrap(), "another's");
}
