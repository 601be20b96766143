//! TLS on the socket: handshakes that are late, missing or follow a CONNECT; ends of connections; and the log's messages about the
//! certificate. The tests in `src/tls` check the certificates that clients see.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::util::{Client, Launch, Server, Shared, get};

const FILES: &[(&str, &str)] = &[
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    (
        "abort.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\npart')\n    \
         response.close_connection = True\n",
    ),
    ("seen.sub.txt", "{{location[scheme]}} {{location[server]}} {{url_base}} {{ports[https][0]}} {{host}}"),
    (
        "seen.py",
        "def main(request, response):\n    response.set_cookie(b'a', b'b', secure=True)\n    ssl = \
         request.server.config['ssl_config']\n    return ' '.join([request.url, request.url_parts.scheme, \
         request.server.config['ssl']['type'], ssl['cert_path'].rsplit('/', 1)[1], str(ssl['encrypt_after_connect'])])\n",
    ),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| Launch::new(FILES).tls().start())
}

#[test]
fn handlers_and_templates_see_https() {
    let server = server();
    let port = server.address.port();
    let answer = server.ask(format!("GET /seen.py?x HTTP/1.1\r\nHost: www.web-platform.test:{port}\r\n\r\n"));
    assert_eq!(answer.header("Set-Cookie"), Some("a=b; Path=/; Secure"));
    let url = format!("https://www.web-platform.test:{port}/seen.py?x");
    assert_eq!(answer.ok(), format!("{url} https openssl web-platform.test.pem False"));
    let text = server.ask(format!("GET /seen.sub.txt HTTP/1.1\r\nHost: www.web-platform.test:{port}\r\n\r\n")).ok();
    assert_eq!(text, format!("https https://www.web-platform.test:{port} / {port} web-platform.test"));
}

#[test]
fn clients_that_do_not_begin_their_handshake_hold_up_nobody() {
    let server = server();
    let silent: Vec<Client> = (0..100).map(|_| server.connect_plain()).collect();
    let mut half: Vec<Client> = (0..100).map(|_| server.connect_plain()).collect();
    for client in &mut half {
        // The beginning of a ClientHello.
        client.send(b"\x16\x03\x01\x02\x00\x01\x00");
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
    // A late handshake works as any other.
    let mut late = silent.into_iter().next().unwrap();
    late.encrypt();
    late.send(get("/quick.py"));
    assert_eq!(late.answer().ok(), "quick");
    assert!(server.is_alive());
}

#[test]
fn a_client_in_mid_handshake_does_not_hold_up_the_end() {
    let server = Launch::new(FILES).tls().start();
    let clients: Vec<Client> = (0..20).map(|_| server.connect_plain()).collect();
    assert_eq!(server.get("/quick.py").ok(), "quick");
    let started = Instant::now();
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(clients);
}

#[test]
fn who_does_not_speak_tls_is_not_answered() {
    let server = server();
    let post = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    for bytes in [get("/quick.py").as_bytes(), post.as_bytes(), b"G", b"\0\x01\x02", &[0xff; 70_000]] {
        let mut client = server.connect_plain();
        // A long one may be cut off in the middle.
        let _ = std::io::Write::write_all(&mut client.stream, bytes);
        client.expect_close();
    }
    // The client has disconnected, so it cannot get an alert.
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut client = server.connect_plain();
        client.send(bytes);
        client.half_close();
        client.expect_close();
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}

#[test]
fn either_way_of_closing_one_side_leaves_the_other_open() {
    let server = server();
    for politely in [true, false] {
        let mut client = server.connect();
        client.send([get("/quick.py"), get("/quick.py")].concat());
        if politely {
            client.half_close_politely();
        } else {
            client.half_close();
        }
        assert_eq!(client.answer().ok(), "quick", "{politely}");
        assert_eq!(client.answer().ok(), "quick", "{politely}");
        // This fails unless the server sends `close_notify`.
        client.expect_close();
    }
}

#[test]
fn an_answer_that_is_cut_short_ends_with_a_goodbye() {
    let mut client = server().connect();
    client.send(get("/abort.py"));
    assert_eq!(client.rest_text(), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
}

/// The request of a proxy's client. The names have no meaning here.
const CONNECT: &str = "CONNECT web-platform.test:443 HTTP/1.1\r\nHost: web-platform.test:443\r\n\r\n";

#[test]
fn a_port_can_wait_for_a_connect_before_it_encrypts() {
    let server = Launch::new(FILES).ssl(&json!({"encrypt_after_connect": true})).start();
    let connected = |client: &mut Client| {
        let head = client.head();
        assert_eq!((head.code(), head.names()), (200, vec!["Server", "Date"]));
    };
    // Requests before it are answered in the open.
    let mut client = server.connect_plain();
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
    client.send(CONNECT);
    connected(&mut client);
    client.expect_quiet();
    client.encrypt();
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
    // A second one is answered, and no TLS is put into TLS.
    client.send(CONNECT);
    connected(&mut client);
    let port = server.address.port();
    client.send(format!("GET /seen.py HTTP/1.1\r\nHost: a.test:{port}\r\n\r\n"));
    let url = format!("https://a.test:{port}/seen.py");
    assert_eq!(client.answer().ok(), format!("{url} https openssl web-platform.test.pem True"));

    // The body of a CONNECT is never read, whatever its headers announce.
    let mut client = server.connect_plain();
    client.send(CONNECT.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n"));
    connected(&mut client);
    client.encrypt();
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
    let mut client = server.connect_plain();
    client.send(CONNECT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    connected(&mut client);
    client.encrypt();
    client.expect_close();

    // A client that continues without TLS is not answered.
    let mut client = server.connect_plain();
    client.send(CONNECT);
    connected(&mut client);
    client.send(get("/quick.py"));
    client.expect_close();
    let mut client = server.connect_plain();
    client.send(CONNECT);
    client.half_close();
    connected(&mut client);
    client.expect_close();
}

#[test]
fn a_handshake_may_begin_before_the_connect_is_answered() {
    let server = Launch::new(FILES).ssl(&json!({"encrypt_after_connect": true})).start();
    let mut client = server.connect_plain();
    let hello = client.hello();
    client.send([CONNECT.as_bytes(), &hello].concat());
    assert_eq!(client.head().code(), 200);
    client.finish_handshake();
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
}

#[test]
fn a_certificate_that_clients_will_refuse_is_said() {
    let launch = Launch::new(&[("quick.py", FILES[0].1)]);
    let certs = launch.site().path().join("tools/certs");
    fs::create_dir_all(&certs).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["other.test".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2024, 6, 1);
    fs::write(certs.join("web-platform.test.key"), key.serialize_pem()).unwrap();
    fs::write(certs.join("web-platform.test.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let server = launch.ssl(&json!({"type": "pregenerated"})).start();
    let cert = server.site.show("tools/certs/web-platform.test.pem");
    server.logged(&format!("WARNING - the certificate {cert} expired "));
    server.logged(&format!("WARNING - the certificate {cert} is not for web-platform.test, "));
    let log = server.log();
    assert!(log.contains(" days ago, on 2024-06-01; make new files, or "), "{log}");
}
