//! The output of handlers, printed or logged, is in the server's log at once, with the handler's file and a level.

use std::sync::Arc;

use serde_json::json;

use crate::util::{Launch, Server, get};

/// The lines about `h.py` in the log, without their stamps, once the line `end` has come.
fn said(server: &Arc<Server>) -> Vec<String> {
    server.get("/end.py");
    server.logged("/end.py: the end");
    let file = server.site.show("h.py");
    let lines = server.log();
    let own =
        lines.lines().filter_map(|line| line.split_once("MainProcess] ").map(|(_, rest)| rest.replace(&file, "h.py")));
    own.filter(|line| !line.contains("the end")).collect()
}

/// A server whose handler `h.py` has been asked for; its file has these lines in `main`.
fn told(launch: impl FnOnce(Launch) -> Launch, lines: &str) -> Arc<Server> {
    let handler = format!(
        "import sys, logging\ndef main(request, response):\n    {}\n    return 'x'\n",
        lines.replace('\n', "\n    ")
    );
    let end = "def main(request, response):\n    print('the end')\n";
    let server = launch(Launch::new(&[("h.py", &handler), ("end.py", end)])).start();
    assert_eq!(server.get("/h.py").ok(), "x", "{lines}");
    server
}

#[test]
fn every_way_to_print_is_a_line_of_the_log() {
    let cases: &[(&str, &[&str])] = &[
        ("print('one')\nprint('two', 2)", &["INFO - h.py: one", "INFO - h.py: two 2"]),
        ("sys.stdout.write('no line end')", &["INFO - h.py: no line end"]),
        ("print('be', end='')\nprint('gun')", &["INFO - h.py: begun"]),
        ("print('a', end='', flush=True)\nprint('b')", &["INFO - h.py: a", "INFO - h.py: b"]),
        ("print('a\\nb\\n\\nc')", &["INFO - h.py: a", "INFO - h.py: b", "INFO - h.py: ", "INFO - h.py: c"]),
        ("sys.stdout.buffer.write(b'by\\xfftes\\r\\n')", &["INFO - h.py: by\u{fffd}tes"]),
        ("sys.stdout.writelines(['a\\n', 'b\\n'])", &["INFO - h.py: a", "INFO - h.py: b"]),
        ("print('to error', file=sys.stderr)", &["WARNING - h.py: to error"]),
        ("sys.__stdout__.write('raw')", &["INFO - h.py: raw"]),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError:\n    import traceback\n    traceback.print_exc(limit=0)",
            &["WARNING - h.py: ZeroDivisionError: division by zero"],
        ),
        ("print('\\ud800 \\0 \\x1b[31mred \\x7f')", &["INFO - h.py: \\ud800 \\x00 \\x1b[31mred \\x7f"]),
        ("logging.getLogger('x').info('said %d', 3)", &["INFO - h.py: said 3"]),
        ("logging.getLogger('x').debug('unsaid')", &[]),
        ("logging.warning('a\\nb')", &["WARNING - h.py: a", "WARNING - h.py: b"]),
        ("response.logger.error('bad')\nresponse.logger.info('good')", &["ERROR - h.py: bad", "INFO - h.py: good"]),
        (
            "import logging.handlers\nkept = logging.handlers.MemoryHandler(9)\nkept.emit(logging.makeLogRecord({'msg': 'kept', 'levelno': 20}))\n\
             print(kept.buffer[0].getMessage())",
            &["INFO - h.py: kept"],
        ),
        ("logging.critical('worst')", &["ERROR - h.py: worst"]),
        ("logging.info('%d', 'no number')", &[]),
        ("from wptserve.logger import get_logger\nget_logger().info('own')", &["INFO - h.py: own"]),
        ("logging.basicConfig(level=10)\nlogging.info('once')\nlogging.debug('no')", &["INFO - h.py: once"]),
        (
            "import threading\nt = threading.Thread(target=lambda: sys.stdout.write('in a thread'))\nt.start()\nt.join()",
            &["INFO - h.py: in a thread"],
        ),
        ("sys.stdout.close()\nprint('still there')", &["INFO - h.py: still there"]),
        (
            "assert not sys.stdout.isatty() and sys.stdout.encoding == 'utf-8' and sys.stdout.fileno() == 1\n\
             import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as kept:\n    print('kept')\n\
             print(kept.getvalue() + 'said')",
            &["INFO - h.py: kept", "INFO - h.py: said"],
        ),
        (
            "try:\n    sys.stdout.write(3)\nexcept TypeError as e:\n    print(e)",
            &["INFO - h.py: write() argument must be str, not int"],
        ),
    ];
    for (lines, expected) in cases {
        let server = told(|launch| launch, lines);
        let got = said(&server);
        if lines.contains("no number") {
            assert!(got.iter().any(|line| line.starts_with("WARNING - h.py: TypeError: ")), "{got:?}");
        } else {
            assert_eq!(got, *expected, "{lines}");
        }
    }
}

#[test]
fn warnings_and_threads_that_fail_are_in_the_log() {
    let server = told(|launch| launch, "import warnings\nwarnings.warn('odd')");
    server.logged("UserWarning: odd");
    let server = told(
        |launch| launch,
        "import threading\ndef work():\n    raise KeyError('in the thread')\nt = threading.Thread(target=work)\nt.start()\nt.join()",
    );
    server.logged("WARNING - KeyError: 'in the thread'");
}

#[test]
fn a_very_long_line_is_one_line() {
    let server = told(|launch| launch, "print('x' * 200000 + 'end')");
    let got = said(&server);
    assert_eq!((got.len(), got[0].len()), (1, "INFO - h.py: end".len() + 200_000));
}

#[test]
fn the_level_of_the_log_decides() {
    let lines = "print('printed')\nprint('error', file=sys.stderr)\nlogging.info('info')\nlogging.error('grave')\n\
                 logging.debug('debug')\nassert logging.getLogger().isEnabledFor(logging.INFO) == (LEVEL <= 20)";
    for (level, number, is_in, is_not) in [
        ("error", "40", vec!["grave"], vec!["printed", "h.py: error", "info"]),
        ("debug", "10", vec!["debug", "printed"], vec![]),
    ] {
        let config = json!({"logging": {"level": level}});
        let server = told(|launch| launch.config(&config), &lines.replace("LEVEL", number));
        is_in.iter().for_each(|text| server.logged(&format!("h.py: {text}")));
        is_not.iter().for_each(|text| assert!(!server.log().contains(text), "{level}: {}", server.log()));
    }
}

#[test]
fn nothing_is_lost_at_the_stop() {
    let handler = "import sys, threading\ndef main(request, response):\n    print('whole')\n    sys.stdout.write('begun')\n    \
                   response.writer.write_content('x')\n    threading.Event().wait()\n";
    let server = Server::start(&[("h.py", handler)]);
    let mut client = server.connect();
    client.send(get("/h.py"));
    assert_eq!(client.answer().ok(), "x");
    server.signal("TERM");
    assert!(server.wait().success());
    let log = server.log();
    assert!(log.contains("h.py: whole\n") && log.contains("h.py: begun\n"), "{log}");
}

#[test]
fn a_helper_and_a_websocket_name_the_handler() {
    let files = [
        ("helpers/__init__.py", ""),
        ("helpers/speak.py", "def speak():\n    print('helped')\n"),
        ("h.py", "from helpers.speak import speak\ndef main(request, response):\n    speak()\n    return 'x'\n"),
    ];
    let server = Server::start(&files);
    assert_eq!(server.get("/h.py").ok(), "x");
    server.logged("/h.py: helped\n");

    let handler = "def web_socket_do_extra_handshake(request):\n    print('shaken')\n\n\
                   def web_socket_transfer_data(request):\n    print('sent')\n";
    let server = Launch::new(&[("websockets/handlers/a_wsh.py", handler)]).scheme("ws").start();
    let mut client = server.connect();
    client.send(
        "GET /a HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    client.head();
    server.logged("/a_wsh.py: shaken\n");
    server.logged("/a_wsh.py: sent\n");
}
