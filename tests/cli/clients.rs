//! The projects that start `wpt serve` today: each test starts, watches and stops the server as the project's own code does, from
//! the command line to the exit code, with the binary instead of Python. Only their fixed port numbers are free ones here.
//!
//! Their behaviour was read in undici's `wpt-runner.mjs`, jsdom's `wpt-server.js`, Deno's `runner.ts` and workerd's
//! `wpt_test.bzl` and `sidecar-supervisor.mjs`; docs/operations.md has the runs of their real code.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    sync::Arc,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{
    commands::python,
    wpt::{CERTIFICATE, Start, Wpt, ask, checkout, config, with},
};
use crate::util::{DEADLINE, Site};

/// A checkout in `suite/` of a runner's own directory, with certificates and a configuration in `runner/`.
fn runner(config: &Value) -> Site {
    let site = Site::new(&[("suite/wpt", ""), ("suite/resources/testharness.js", "")]);
    fs::create_dir_all(site.path().join("suite/websockets/handlers")).unwrap();
    site.write("runner/certs/web-platform.test.key", &CERTIFICATE.0);
    site.write("runner/certs/web-platform.test.pem", &CERTIFICATE.1);
    site.write("runner/config.json", &config.to_string());
    site
}

/// The configuration of undici and Deno: an unknown key, and paths relative to the working directory.
fn relative_certificates() -> Value {
    with(json!({"ssl": {"type": "pregenerated", "pregenerated": {
        "ca_cert_path": "../runner/certs/cacert.pem",
        "host_cert_path": "../runner/certs/web-platform.test.pem",
        "host_key_path": "../runner/certs/web-platform.test.key",
    }}}))
}

/// The head of the answer to HEAD / from a port that is plain or encrypted.
fn head(port: u16, encrypted: bool) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = b"HEAD / HTTP/1.1\r\nHost: web-platform.test\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    if encrypted {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CERTIFICATE.1.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tls = ClientConnection::new(Arc::new(config), "web-platform.test".try_into().unwrap()).unwrap();
        let mut stream = Stream::new(&mut tls, &mut socket);
        stream.write_all(request).unwrap();
        stream.read_to_string(&mut answer).unwrap();
    } else {
        socket.write_all(request).unwrap();
        socket.read_to_string(&mut answer).unwrap();
    }
    answer
}

#[test]
fn undici_waits_for_eleven_lines_and_a_page() {
    let site = runner(&relative_certificates());
    let folder = python("python3");
    let script = site.show("suite/wpt");
    let mut server = Start::new(&site.path().join("suite"))
        .program(&folder.path().join("python3"), &[&script])
        .args(["--config", "../runner/config.json"])
        .start_piped();
    let first = |server: &Wpt, scheme: &str| server.ports(scheme)[0];
    let (http, second) = (first(&server, "http"), server.ports("http")[1]);
    let [https, other] = server.ports("https")[..] else { panic!("{:?}", server.ready) };
    let h2 = first(&server, "h2");
    let mut wanted = vec![
        (format!("http on port {http}"), "Starting http server"),
        (format!(" http on port {second}] "), "Starting http server"),
        ("http-local on port".to_owned(), "Starting http server"),
        ("http-public on port".to_owned(), "Starting http server"),
        (format!("https on port {https}"), "Starting https server"),
        (format!("https on port {other}"), "Starting https server"),
        ("https-local on port".to_owned(), "Starting https server"),
        ("https-public on port".to_owned(), "Starting https server"),
        (" ws on port".to_owned(), "Listen on:"),
        ("wss on port".to_owned(), "Listen on:"),
        (format!("h2 on port {h2}"), "Starting http2 server"),
    ];
    let mut lines = BufReader::new(server.process().stdout.take().unwrap()).lines();
    while !wanted.is_empty() {
        let line = lines.next().expect("more lines").unwrap();
        wanted.retain(|(port, what)| !(line.contains(port) && line.contains(what)));
    }
    assert!(ask(http, "/").starts_with("HTTP/1.1 200 "));
    // It would send SIGKILL after a second; what is left of the log is read meanwhile.
    assert!(server.stop("INT").success());
    assert!(lines.all(|line| !line.unwrap().contains("Traceback")));
}

#[test]
fn jsdom_asks_the_websocket_ports_for_their_root_too() {
    let config = with(json!({
        "browser_host": "localhost", "server_host": null, "doc_root": ".", "ws_doc_root": null, "bind_address": true,
        "logging": {"level": "info"},
        "ssl": {"type": "pregenerated", "encrypt_after_connect": false,
            "openssl": {"openssl_binary": "openssl", "base_path": "_certs", "force_regenerate": false, "base_conf_path": null},
            "pregenerated": {"host_key_path": "../runner/certs/web-platform.test.key",
                "host_cert_path": "../runner/certs/web-platform.test.pem"},
            "none": {}},
    }));
    let site = runner(&config);
    fs::rename(site.path().join("suite/wpt"), site.path().join("suite/wpt.py")).unwrap();
    let folder = python("python");
    let mut server = Start::new(&site.path().join("suite"))
        .program(&folder.path().join("python"), &["./wpt.py"])
        .args(["--config", "../runner/config.json"])
        .start();
    for (scheme, encrypted) in [("http", false), ("https", true), ("ws", false), ("wss", true)] {
        let answer = head(server.ports(scheme)[0], encrypted);
        assert!(answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2')), "{scheme}: {answer}");
    }
    assert!(server.stop("INT").success());
}

#[test]
fn jsdom_looks_for_a_key_error_when_the_configuration_is_refused() {
    let site = checkout(&[]);
    let folder = python("python");
    let start = Start::new(site.path()).program(&folder.path().join("python"), &["./wpt"]);
    let (code, _, message) = start.config(&with(json!({"log_levels": 1}))).run();
    assert!(code != 0 && message.contains("KeyError: \"unknown config override 'log_levels'\""), "{code}: {message}");
}

#[test]
fn deno_leaves_its_pipe_unread() {
    let site = runner(&relative_certificates());
    let folder = python("python3");
    let mut server = Start::new(&site.path().join("suite"))
        .program(&folder.path().join("python3"), &["wpt"])
        .args(["--config", "../runner/config.json"])
        .start_piped();
    assert!(ask(server.ports("http")[0], "/").starts_with("HTTP/1.1 200 "));
    assert!(server.stop("INT").success());
}

#[test]
fn workerd_writes_the_configuration_into_a_shell_script_and_connects_to_every_port() {
    const HOST: &str = "127.87.65.43";
    let site = checkout(&[("a.txt", "a")]);
    let folder: TempDir = python("python3");
    // Its supervisor binds the ports, closes them and hands their numbers on.
    let reserved: Vec<TcpListener> = (0..9).map(|_| TcpListener::bind((HOST, 0)).unwrap()).collect();
    let ports: Vec<u16> = reserved.iter().map(|port| port.local_addr().unwrap().port()).collect();
    drop(reserved);
    let [http, http2, https, https2, public, spublic, local, wss, ws] = ports[..] else { panic!("{ports:?}") };
    let config = json!({
        "server_host": HOST, "check_subdomains": false,
        "ports": {"http": [http, http2], "https": [https, https2], "http-public": [public], "https-public": [spublic],
            "http-local": [local], "wss": [wss], "ws": [ws]},
    });
    // The shell's own arguments are what the test adds: $0 is `serve`.
    let script = format!(
        "exec {} wpt \"$0\" --no-h2 --config /dev/stdin \"$@\" <<EOF\n{config}\nEOF\n",
        folder.path().join("python3").display()
    );
    let mut server = Start::new(site.path()).program("/bin/sh".as_ref(), &["-c", &script]).start();
    for port in ports {
        assert!(TcpStream::connect((HOST, port)).is_ok(), "{port}");
    }
    assert!(server.ports("h2").is_empty());
    assert_eq!(server.ports("https-local").len(), 1, "not configured, and still a default");
    assert!(server.stop("TERM").success());
}

#[test]
fn standard_input_that_ends_stops_nothing() {
    // undici gives no standard input, jsdom its own, WebKit's tools a pipe that is never written to.
    let site = checkout(&[("a.txt", "a")]);
    let mut server = Start::new(site.path()).config(&config()).start_with(|command| {
        command.stdin(Stdio::piped());
    });
    assert_eq!(server.get("/a.txt"), "a");
    drop(server.process().stdin.take());
    assert_eq!(server.get("/a.txt"), "a");
    assert!(server.stop("INT").success());
}
