//! The ports: all schemes from one process, announced in the words that test runners wait for, refused with the true cause.

use std::net::{TcpListener, TcpStream, UdpSocket};

use serde_json::json;

use super::wpt::{Start, ask, checkout, config, with};

const SCHEMES: [(&str, usize); 9] = [
    ("http", 2),
    ("http-local", 1),
    ("http-public", 1),
    ("https", 2),
    ("https-local", 1),
    ("https-public", 1),
    ("ws", 1),
    ("wss", 1),
    ("h2", 1),
];

#[test]
fn all_schemes_are_served_and_announced() {
    let site = checkout(&[
        ("a.txt", "a"),
        (
            "t.sub.txt",
            "{{ports[http][0]}} {{ports[https][1]}} {{ports[ws][0]}} {{ports[h2][0]}} {{ports[http-private][0]}}",
        ),
        (
            "h.sub.txt",
            "{{host}} {{domains[www1]}} {{hosts[alt][www]}} {{hosts[alt][]}} {{hosts[][nonexistent]}} {{domains[élève]}}",
        ),
        (
            "c.py",
            "def main(request, response):\n    c = request.server.config\n    return repr((c.ssl_config['encrypt_after_connect'], c['paths'] == {'doc_root': c.doc_root, 'ws_doc_root': c.doc_root + '/websockets/handlers', 'ws_extra': None}, len(c.domains_set), 'import_policy' in c))\n",
        ),
    ]);
    let mut server = Start::new(site.path()).config(&config()).start();
    // The last of them.
    server.logged("Starting http2 server on ");
    let log = server.log();
    for (scheme, count) in SCHEMES {
        let ports = server.ports(scheme);
        assert_eq!(ports.len(), count, "{scheme}");
        for port in ports {
            let said = match scheme {
                "ws" | "wss" => "Listen on: ".to_owned(),
                "h2" => format!("Starting http2 server on https://127.0.0.1:{port}\n"),
                _ => format!("Starting {} server on {0}://127.0.0.1:{port}\n", scheme.split('-').next().unwrap()),
            };
            assert!(log.contains(&format!(" {scheme} on port {port}] INFO - {said}")), "{scheme} {port}: {log}");
            assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "{scheme} {port}");
            if scheme.starts_with("http") && !scheme.starts_with("https") {
                assert!(ask(port, "/a.txt").ends_with("\r\n\r\na"), "{scheme}");
            }
        }
    }
    assert_eq!(log.lines().count(), 11, "a line a port and no more: {log}");
    let first = |scheme: &str| server.ports(scheme)[0];
    let numbers = [first("http"), server.ports("https")[1], first("ws"), first("h2"), first("http-local")];
    assert_eq!(server.get("/t.sub.txt"), numbers.map(|number| number.to_string()).join(" "));
    assert_eq!(
        server.get("/h.sub.txt"),
        "web-platform.test www1.web-platform.test www.not-web-platform.test not-web-platform.test \
         nonexistent.web-platform.test xn--lve-6lad.web-platform.test"
    );
    assert_eq!(server.get("/c.py"), "(False, True, 62, False)");
    assert_eq!(server.ready["host"], "127.0.0.1");
    assert_eq!(server.ready["urls"].as_array().unwrap().len(), 9, "all but ws and wss");
    assert!(server.stop("INT").success());
}

#[test]
fn schemes_can_be_left_out() {
    let site = checkout(&[]);
    let names = |server: &super::wpt::Wpt| {
        server.ready["ports"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let server = Start::new(site.path()).config(&with(json!({"ssl": {"type": "none"}}))).start();
    assert_eq!(names(&server), "http http-local http-public ws");
    let some = with(json!({"ports": {"https": [null, null], "http": ["auto", null], "http-local": [], "ws": []}}));
    let server = Start::new(site.path()).config(&some).args(["--no-h2"]).start();
    assert_eq!(names(&server), "http http-public https-local https-public wss");
    assert_eq!(server.ready["ports"]["http"][1], json!(null), "its place is kept");
    assert!(!server.log().contains("WARNING"), "{}", server.log());
    // The last of the two counts.
    let server = Start::new(site.path()).config(&config()).args(["--no-h2", "--h2"]).start();
    assert_eq!(server.ports("h2").len(), 1);
    // Without a single http port there is something to serve as well.
    let server = Start::new(site.path())
        .config(&with(json!({"ports": {"http": [], "http-local": [], "http-public": []}})))
        .start();
    assert_eq!(server.ports("https").len(), 2);
}

#[test]
fn a_port_in_use_is_named_in_wptserves_words() {
    let site = checkout(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    Start::new(site.path()).config(&with(json!({"ports": {"https-local": [port]}}))).refused(
        1,
        &[
            &format!("https-local on port {port}] CRITICAL - Failed to start HTTP server on port {port}: Address already in use"),
            &format!("CRITICAL - Socket error on port {port}"),
            &format!("wptserve: cannot listen on 127.0.0.1:{port} for https-local: Address already in use"),
        ],
    );
    // An automatic port is never one that the configuration names.
    drop(listener);
    let server = Start::new(site.path()).config(&with(json!({"ports": {"h2": [port]}}))).start();
    assert_eq!(server.ports("h2"), [port]);
}

#[test]
fn a_host_that_is_not_here_is_named() {
    let site = checkout(&[]);
    let refused = |host: &str, parts: &[&str]| {
        Start::new(site.path()).config(&with(json!({"server_host": host}))).refused(1, parts);
    };
    refused("host.invalid", &["CRITICAL", "cannot find the address of host.invalid", "make-hosts-file"]);
    // An address for documentation (RFC 5737): no machine has it.
    refused("192.0.2.1", &["cannot listen on 192.0.2.1:0 for http", "this machine does not have that address"]);
    Start::new(site.path())
        .config(&with(json!({"ssl": {"pregenerated": {"host_key_path": "missing.key"}}})))
        .refused(1, &["CRITICAL", "missing.key", "\"type\": \"none\""]);
}

#[test]
fn bind_address_chooses_between_one_and_all_interfaces() {
    let site = checkout(&[("a.txt", "a")]);
    let other = |server: &super::wpt::Wpt| TcpStream::connect(("127.0.0.2", server.ports("http")[0]));
    let server = Start::new(site.path()).config(&config()).start();
    assert!(other(&server).is_err());
    let server = Start::new(site.path()).config(&with(json!({"bind_address": false, "server_host": null}))).start();
    assert!(other(&server).is_ok());
    let url = format!("http://web-platform.test:{}/", server.ports("http")[0]);
    assert_eq!(server.ready["urls"][0], url, "the name is not the address");
    assert_eq!(server.get("/a.txt"), "a");
    // Another address of this machine, as workerd's tests choose one.
    let server = Start::new(site.path()).config(&config()).args(["--host", "127.0.0.2"]).start();
    assert!(other(&server).is_ok());
}

#[test]
fn dns_answers_for_the_domains() {
    use simple_dns::{CLASS, Name, Packet, QCLASS, Question, RCODE, TYPE};
    let site = checkout(&[("t.sub.txt", "{{ports[dns][0]}}")]);
    // The names need not lead here otherwise.
    let changes = json!({"ports": {"dns": ["auto"]}, "check_subdomains": true, "browser_host": "host.invalid"});
    for (flags, name) in [
        (&["--dns"][..], "www1.host.invalid"),
        (&["--enable-dns"], "not-web-platform.test"),
        (&["--dns-wildcards", "2"], "some.name.host.invalid"),
        (&["--dns", "--wildcard-dns=0"], "any.host.invalid"),
    ] {
        let server = Start::new(site.path()).config(&with(changes.clone())).args(flags.iter().copied()).start();
        let port = server.ports("dns")[0];
        server.logged(&format!("dns on port {port}] INFO - Starting DNS server on 127.0.0.1:{port}"));
        assert_eq!(server.get("/t.sub.txt"), port.to_string());
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(crate::util::DEADLINE)).unwrap();
        let ask = |name: &str| {
            let mut query = Packet::new_query(1);
            query.questions.push(Question::new(
                Name::new(name).unwrap(),
                TYPE::A.into(),
                QCLASS::CLASS(CLASS::IN),
                false,
            ));
            socket.send_to(&query.build_bytes_vec().unwrap(), ("127.0.0.1", port)).unwrap();
            let mut answer = [0; 512];
            let count = socket.recv(&mut answer).unwrap();
            let answer = Packet::parse(&answer[..count]).unwrap();
            (answer.rcode(), answer.answers.len())
        };
        assert_eq!(ask(name), (RCODE::NoError, 1), "{name}");
        assert_eq!(ask("nonexistent.host.invalid"), (RCODE::NameError, 0));
    }
}

#[test]
fn the_port_of_webtransport_is_a_number_and_with_its_flag_held() {
    let site = checkout(&[("t.sub.txt", "{{ports[webtransport-h3][0]}}")]);
    let config = with(json!({"ports": {"webtransport-h3": ["auto"]}}));
    let port = |server: &super::wpt::Wpt| server.get("/t.sub.txt").parse::<u16>().unwrap();
    let server = Start::new(site.path()).config(&config).start();
    assert!(UdpSocket::bind(("127.0.0.1", port(&server))).is_ok());
    assert!(server.ports("webtransport-h3").is_empty(), "nothing is served there");
    // WebKit's tools take a port that cannot be bound for one that is served.
    let server = Start::new(site.path()).config(&config).args(["--webtransport-h3"]).start();
    assert!(UdpSocket::bind(("127.0.0.1", port(&server))).is_err());
    server.logged("WARNING - WebTransport is not served");
}

/// RFC 238 of web-platform-tests.
#[test]
fn the_port_of_http3_is_held_if_it_is_asked_for() {
    let site = checkout(&[("t.sub.txt", "{{ports[h3][0]}}"), ("a.txt", "a")]);
    let server = Start::new(site.path()).config(&with(json!({"ports": {"h3": ["auto"]}}))).start();
    let port: u16 = server.get("/t.sub.txt").parse().unwrap();
    assert!(UdpSocket::bind(("127.0.0.1", port)).is_err());
    assert!(server.ports("h3").is_empty(), "nothing is served there");
    server.logged("WARNING - HTTP/3 is not served");
    for ports in [json!({}), json!({"h3": []}), json!({"h3": [null]})] {
        let server = Start::new(site.path()).config(&with(json!({"ports": ports}))).start();
        assert_eq!(server.get("/a.txt"), "a");
        assert!(!server.log().contains("HTTP/3"), "{}", server.log());
    }
}

/// wpt#53779.
#[test]
fn an_empty_list_switches_any_port_off() {
    let site = checkout(&[("t.sub.txt", "{{ports[h2][0]}}"), ("a.txt", "a")]);
    for empty in [json!([]), json!([null])] {
        let server = Start::new(site.path()).config(&with(json!({"ports": {"h2": empty}}))).start();
        assert!(server.ports("h2").is_empty(), "{empty}");
        assert_eq!(server.get("/a.txt"), "a");
        assert!(!server.log().contains("http2"), "{}", server.log());
        assert!(!server.log().contains("WARNING"), "{}", server.log());
    }
    // As of any other scheme that is not there.
    let server = Start::new(site.path()).config(&with(json!({"ports": {"h2": []}}))).start();
    assert!(ask(server.ports("http")[0], "/t.sub.txt").starts_with("HTTP/1.1 500 "));
    for scheme in ["https", "https-local", "https-public", "ws", "wss", "http-local", "http-public", "webtransport-h3"]
    {
        let mut ports = json!({});
        ports[scheme] = json!([]);
        let server = Start::new(site.path()).config(&with(json!({"ports": ports}))).start();
        assert!(server.ports(scheme).is_empty(), "{scheme}");
        assert_eq!(server.get("/a.txt"), "a");
    }
}

/// WebKit gives every port its number (WebKit#73968), and its tools and wptrunner ask for WebTransport (wpt#57737, WebKit#69325).
#[test]
fn fixed_numbers_are_taken_for_every_scheme() {
    const SCHEMES: [(&str, usize); 9] = [
        ("http", 2),
        ("https", 2),
        ("http-local", 1),
        ("http-public", 1),
        ("https-local", 1),
        ("https-public", 1),
        ("ws", 1),
        ("wss", 1),
        ("h2", 1),
    ];
    let template = SCHEMES.map(|(scheme, _)| format!("{{{{ports[{scheme}][0]}}}}")).join(" ");
    let site = checkout(&[("t.sub.txt", &format!("{template} {{{{ports[webtransport-h3][0]}}}}"))]);
    // These ports are free at this moment, and the system gives others first.
    let free: Vec<TcpListener> = (0..11).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let mut numbers = free.iter().map(|socket| socket.local_addr().unwrap().port());
    let mut ports = json!({});
    for (scheme, count) in SCHEMES {
        ports[scheme] = json!(numbers.by_ref().take(count).collect::<Vec<_>>());
    }
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    ports["webtransport-h3"] = json!([udp]);
    drop(free);
    let server = Start::new(site.path()).config(&with(json!({"ports": ports}))).args(["--webtransport-h3"]).start();
    for (scheme, count) in SCHEMES {
        assert_eq!(
            (json!(server.ports(scheme)), server.ports(scheme).len()),
            (ports[scheme].clone(), count),
            "{scheme}"
        );
    }
    let first = SCHEMES.map(|(scheme, _)| server.ports(scheme)[0].to_string()).join(" ");
    assert_eq!(server.get("/t.sub.txt"), format!("{first} {udp}"));
    assert!(UdpSocket::bind(("127.0.0.1", udp)).is_err());
    for scheme in ["http-local", "http-public"] {
        assert!(ask(server.ports(scheme)[0], "/t.sub.txt").ends_with(&udp.to_string()), "{scheme}");
    }
}

#[test]
fn two_servers_with_free_ports_do_not_meet() {
    let site = checkout(&[("a.txt", "a")]);
    let servers = [0, 1].map(|_| Start::new(site.path()).config(&config()).start());
    assert_ne!(servers[0].ports("http")[0], servers[1].ports("http")[0]);
    assert!(servers.iter().all(|server| server.get("/a.txt") == "a"));
}

#[test]
fn every_domain_has_to_lead_here() {
    let site = checkout(&[]);
    Start::new(site.path()).config(&with(json!({"check_subdomains": true, "browser_host": "host.invalid"}))).refused(
        1,
        &[
            "MainProcess] CRITICAL - Failed probing domain host.invalid. ",
            "host.invalid does not lead to this server: the name does not resolve",
            "others do not",
            "make-hosts-file",
        ],
    );
}
