//! A panic of the interpreter ends the answer, and frees what the handler held.

use super::{Waiting, ask_all, launch};
use crate::{
    h2::client::Connection,
    util::{Launch, Server, until},
};

/// Makes RustPython 0.6.0 panic: an opcode that its regular expressions do not know.
const PANIC: &str = "import _sre\n_sre.compile('', 0, [999], 0, {}, ()).match('a')";

#[test]
fn when_the_interpreter_panics() {
    let main = |lines: &str| format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
    let bodies = [
        (main(PANIC), "", "500"),
        (format!("{PANIC}\n"), "", "500"),
        (
            main(&format!("import gc\nkept.append((request, response))\n{PANIC}")).replace("def", "kept = []\ndef"),
            "",
            "500",
        ),
        (main(&format!("response.writer.write_status(200)\n{PANIC}")), "", "200 close"),
        (
            main(&format!("response.writer.write('HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nok')\n{PANIC}")),
            "",
            "200 cut",
        ),
        (main(&format!("yield 'a'\n{PANIC}")), "", "200 close"),
        (main(&format!("yield 'a'\n{PANIC}")), "gzip", "500"),
        (main(&format!("yield 'a'\n{PANIC}")), "trickle(d0)", "500"),
        (
            main(&format!(
                "import threading\nt = threading.Thread(target=lambda: exec({PANIC:?}))\nt.start()\nreturn 'x'"
            )),
            "",
            "200",
        ),
        (
            main(
                "import gc, threading\ngc.collect()\nt = threading.Thread(target=gc.collect)\nt.start()\nt.join()\nreturn 'x'",
            ),
            "",
            "200",
        ),
    ];
    let files: Vec<(String, String, String)> = bodies
        .iter()
        .enumerate()
        .map(|(number, (text, pipe, expected))| {
            let query = if pipe.is_empty() { String::new() } else { format!("?pipe={pipe}") };
            (format!("h{number}.py{query}"), text.clone(), (*expected).to_owned())
        })
        .collect();
    let server = launch(&files).start();
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.serving())).unwrap().count();
    let ask = |target: &str, expected: &str| {
        let mut client = Waiting::new(&server, &format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let got = client.answer(false)?;
        Ok(if got == expected { String::new() } else { got })
    };
    ask_all(&server, ask, &files);
    let before = descriptors();
    for _ in 0..5 {
        ask_all(&server, ask, &files);
    }
    // Connections are closed behind the answer.
    until("the descriptors to be freed", || (descriptors() <= before + 2).then_some(()));
    server.logged("a handler thread panicked");

    let server = launch(&files).tls().start();
    for (target, text, _) in &files {
        let mut connection = Connection::new(server.h2);
        let stream = connection.get(&format!("/{target}"));
        assert!(!connection.answer(stream).is_empty(), "{text}");
        let stream = connection.get("/quick.py");
        assert_eq!(connection.text(stream).0, "200", "behind {text}");
    }
}

/// `with` and `finally` no longer run, so the server frees the locks that other handlers wait for.
#[test]
fn what_a_panic_held_is_freed() {
    let locked = format!(
        "def main(request, response):\n    with request.server.stash.lock:\n        {}\n",
        PANIC.replace('\n', "\n        ")
    );
    let files = [
        ("helpers/__init__.py", ""),
        ("helpers/bad.py", PANIC),
        ("helpers/worse.py", "from helpers import bad\n"),
        ("import.py", "from helpers import worse\ndef main(request, response):\n    return 'imported'\n"),
        ("locked.py", locked.as_str()),
        ("lock.py", "def main(request, response):\n    with request.server.stash.lock:\n        return 'locked'\n"),
    ];
    let server = Server::start(&files);
    let ask = |target: &str| {
        Waiting::new(&server, &format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).answer(false)
    };
    for _ in 0..3 {
        assert_eq!(ask("import.py").as_deref(), Ok("500"));
        assert_eq!(ask("locked.py").as_deref(), Ok("500"));
        assert_eq!(ask("lock.py").as_deref(), Ok("200"));
    }
    server.site.write("helpers/bad.py", "good = True\n");
    assert_eq!(ask("import.py").as_deref(), Ok("200"));
}

#[test]
fn when_the_interpreter_panics_in_a_websocket() {
    let handler = |shake: &str, data: &str| {
        let indented = |lines: &str| lines.replace('\n', "\n    ");
        format!(
            "def web_socket_do_extra_handshake(request):\n    {}\n\ndef web_socket_transfer_data(request):\n    {}\n",
            indented(shake),
            indented(data)
        )
    };
    let files = [
        ("websockets/handlers/shake_wsh.py", handler(PANIC, "pass")),
        ("websockets/handlers/data_wsh.py", handler("pass", &format!("request.ws_stream.send_message('in')\n{PANIC}"))),
        ("websockets/handlers/load_wsh.py", format!("{PANIC}\n{}", handler("pass", "pass"))),
        ("websockets/handlers/fine_wsh.py", handler("pass", "request.ws_stream.send_message('in')")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let server = Launch::new(&files).scheme("ws").start();
    for target in ["shake", "data", "load", "fine", "data"] {
        let request = format!(
            "GET /{target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let mut client = Waiting::new(&server, &request);
        if target == "fine" {
            // The closing frame may come with the message in one piece.
            let has_message = |bytes: &[u8]| bytes.windows(4).any(|frame| frame == b"\x81\x02in");
            client.fill(has_message).unwrap();
            assert!(has_message(&client.input), "{:?}", String::from_utf8_lossy(&client.input));
        } else {
            client.fill(|_| false).unwrap_or_else(|error| panic!("{target}: {error}"));
        }
    }
}
