//! Whatever a handler does, its client gets an answer or the end of the connection, in every version of HTTP.
//!
//! wptserve leaves many of these clients waiting; docs/differences.md says so. Reads have a deadline of their own, so a
//! client that waits is a failed test.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::{
    h2::client::{Connection, request},
    util::{Launch, Server, until},
};

/// The server has to be done long before; a busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The body of `main`, and what comes over HTTP/1.1: the code of a whole answer; `… close` when the end of the connection ends
/// it; `… cut` when that comes before the announced length; `closed` when there is no answer.
const HANDLERS: &[(&str, &str)] = &[
    // What is returned.
    ("return 42", "500"),
    ("return 1.5", "500"),
    ("return object()", "500"),
    ("return lambda: 'x'", "500"),
    ("return main", "500"),
    ("return [1, 2]", "500"),
    ("return [None]", "200 close"),
    ("return [object()]", "500"),
    ("return ['a', 1]", "200 close"),
    ("return [lambda: 1]", "200 close"),
    ("return [lambda: 1 / 0]", "200 close"),
    ("return {'a': 1}", "200 close"),
    ("return {1: 2}", "200 close"),
    ("return bytearray(b'abc')", "200 close"),
    ("return memoryview(b'abc')", "200 close"),
    ("return u'\\ud800'", "500"),
    ("return ()", "500"),
    ("return 1, 2", "500"),
    ("return 404, 'body'", "500"),
    ("return {'X-a': 'b'}, 'body'", "500"),
    ("return '404 Not Found', [], b'x'", "500"),
    ("return [], 404, 'body'", "500"),
    ("return 200, None, 'x'", "500"),
    ("return 200, [('a', 'b', 'c')], 'x'", "500"),
    ("return 200, [('a', None)], 'x'", "500"),
    ("return 200, [('a', 1), ('b', True)], 'x'", "200"),
    ("return 200, (1 / 0 for _ in [0]), 'x'", "500"),
    ("return 200, 5, 'x'", "500"),
    ("return None, [], 'x'", "500"),
    ("return 2.5, [], 'x'", "2"),
    ("return -1, [], 'x'", "-1"),
    ("return 10**30, [], 'x'", "500"),
    ("return 100, [], ''", "100 close"),
    ("return (200, 'a', 'b'), [], 'x'", "500"),
    ("return [('Content-Length', '10')], 'abc'", "200 cut"),
    ("return [('Content-Length', '2')], 'abc'", "200 much"),
    ("return [('Content-Length', 'x')], 'abc'", "200 close"),
    ("return [('Content-Length', '10')], iter(['a', 1])", "200 cut"),
    ("return [('Content-Length', '10')], iter(['a'])", "200 cut"),
    ("return [('Content-Length', '1')], iter(['a'])", "200"),
    // What is yielded, read or awaited.
    ("yield 1 / 0", "200 close"),
    ("yield 'a'\nyield 1 / 0", "200 close"),
    ("yield 1", "200 close"),
    ("yield u'\\ud800'", "200 close"),
    ("yield 'a'\nraise SystemExit", "200 close"),
    ("yield 'a'\nraise GeneratorExit", "200 close"),
    ("yield 'a'\nraise StopIteration", "200 close"),
    ("class It:\n    def __iter__(self):\n        raise KeyError('x')\nreturn It()", "500"),
    ("class It:\n    def __iter__(self):\n        return 3\nreturn It()", "500"),
    ("class File:\n    def read(self, size):\n        return 1 / 0\nreturn File()", "500"),
    ("class File:\n    def read(self, size):\n        return None\nreturn File()", "500"),
    ("class File:\n    def read(self, size):\n        return [1]\nreturn File()", "500"),
    ("class File:\n    read = 5\nreturn File()", "500"),
    ("class File:\n    def read(self):\n        return b'x'\nreturn File()", "500"),
    ("import io\nf = io.BytesIO(b'x')\nf.close()\nreturn f", "500"),
    ("import io\nreturn io.StringIO('text')", "200 close"),
    ("async def later():\n    return 'x'\nreturn later()", "500"),
    // What is raised.
    ("raise KeyboardInterrupt", "500"),
    ("raise GeneratorExit", "500"),
    ("raise StopIteration", "500"),
    ("raise StopAsyncIteration", "500"),
    ("import sys\nsys.exit(0)", "500"),
    ("class E(Exception):\n    def __str__(self):\n        raise SystemExit\nraise E", "500"),
    ("class E(Exception):\n    def __str__(self):\n        return 3\nraise E", "500"),
    ("class E(BaseException):\n    pass\nraise E", "500"),
    ("from wptserve.utils import HTTPException\nraise HTTPException(None)", "500"),
    ("from wptserve.utils import HTTPException\nraise HTTPException(10**30)", "500"),
    ("from wptserve.utils import HTTPException\nraise HTTPException(404)", "404"),
    // What is set.
    ("response.content = 1", "500"),
    ("response.content = None", "200 close"),
    ("return [('X-a', 'b')], None", "200 close"),
    ("return 204, [], None", "204"),
    ("return 304, [], 42", "304"),
    ("response.headers = 5\nreturn 'x'", "500"),
    ("response.headers = 5", "500"),
    ("response.headers = None", "500"),
    ("response.headers = [('a',)]", "500"),
    ("response.headers = [('a', 'b', 'c')]", "500"),
    ("response.headers = [1]", "500"),
    ("response.headers = [('a', None)]", "500"),
    ("response.headers = [(None, 'a')]", "500"),
    ("response.headers = (1 / 0 for _ in [0])", "500"),
    ("response.headers.set('a', u'\\ud800')\nreturn 'x'", "500"),
    ("response.headers.set(None, 'x')", "500"),
    ("response.headers.set('Content-Length', 10)\nreturn 'abc'", "200 cut"),
    ("response.status = 'x'", "500"),
    ("response.status = 1, 2, 3", "500"),
    ("response.status = 200, None\nreturn 'x'", "200"),
    ("response.encoding = 'nonsense'\nreturn u'x'", "500"),
    ("response.encoding = 5\nreturn u'x'", "500"),
    (
        "class B:\n    def __bool__(self):\n        raise ValueError('b')\nresponse.close_connection = B()\nreturn 'x'",
        "200",
    ),
    (
        "class B:\n    def __bool__(self):\n        raise ValueError('b')\nresponse.add_required_headers = B()\nreturn 'x'",
        "500",
    ),
    ("response.add_required_headers = False\nreturn 'x'", "200 close"),
    ("response.close_connection = 'yes'\nreturn 'x'", "200"),
    ("del response.headers", "500"),
    ("response.send_body_for_head_request = True\nreturn 'x'", "200"),
    // The writer.
    ("response.writer.write_status(200)", "200 close"),
    ("response.writer.write_header('a', 'b')", "200 close"),
    ("response.writer.write_header('a', None)", "200 close"),
    ("response.writer.write_status(200)\nresponse.writer.end_headers()", "200 close"),
    ("response.writer.end_headers()\nresponse.close_connection = False", "200 close"),
    ("response.writer.write_header('Content-Length', '10')\nresponse.writer.end_headers()", "200 cut"),
    (
        "response.writer.write_header('Content-Length', '10')\nresponse.writer.end_headers()\nresponse.writer.write('abc')",
        "200 cut",
    ),
    (
        "response.writer.write_header('Content-Length', '1')\nresponse.writer.end_headers()\nresponse.writer.write('abc')",
        "200 much",
    ),
    (
        "response.writer.write_header('Content-Length', '3')\nresponse.writer.end_headers()\nresponse.writer.write('abc')",
        "200",
    ),
    ("response.writer.write_header('Content-Length', '3')\nresponse.writer.end_headers()\nreturn 1 / 0", "200 cut"),
    ("response.writer.write_content('ok')\nreturn 1 / 0", "200"),
    ("response.writer.write('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')", "200"),
    ("response.writer.write('HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok')", "200 cut"),
    ("response.writer.write('HTTP/1.1 200 OK\\r\\n\\r\\nok')", "200 close"),
    ("response.writer.write('HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nok')", "200 close"),
    ("response.writer.write('H')", "H cut"),
    ("response.writer.write('')", "500"),
    ("response.writer.write(3)", "500"),
    ("response.writer.content_written = True", "500"),
    ("response.writer.content_written = True\nresponse.close_connection = True", "closed"),
    ("import io\nresponse.writer.write_content_file(io.StringIO('text'))", "500"),
    ("response.writer._wfile.write(b'HTTP/1.1 103 Early Hints\\r\\n\\r\\n')\nresponse.content = 1", "103 500"),
    ("response.writer._wfile.write(b'HTTP/1.1 103 Early Hints\\r\\n\\r\\n')\nreturn 'x'", "103 200"),
    ("response.write_status_headers()", "200 close"),
    ("response.headers.set('Content-Length', '5')\nresponse.write_status_headers()", "200 cut"),
    ("response.content = 1\nresponse.write()", "200 close"),
    ("response.set_error(500, 'x')\nresponse.content = 1", "500"),
];

/// Files that are no body of `main`.
const FILES: &[(&str, &str)] = &[
    ("main = 3\n", "500"),
    ("def main():\n    return 'x'\n", "500"),
    ("def main(a, b, c):\n    return 'x'\n", "500"),
    ("async def main(request, response):\n    return 'x'\n", "500"),
    ("async def main(request, response):\n    yield 'x'\n", "500"),
    ("class main:\n    def __init__(self, request, response):\n        pass\n", "500"),
    ("raise SystemExit\n", "500"),
    ("main = None\n", "500"),
    ("import sys\nsys.modules['x'] = None\nimport x\n", "500"),
];

/// Handlers whose answer passes through a pipe, and the pipe.
const PIPED: &[(&str, &str, &str)] = &[
    ("return 42", "trickle(d0)", "500"),
    ("return 42", "gzip", "500"),
    ("return 42", "sub", "500"),
    ("return [1]", "sub", "500"),
    ("return 'x'", "status(0x)", "500"),
    ("return 'x'", "none", "500"),
    ("return 'x'", "trickle(5:d-1)", "500"),
    ("return 'x'", "header(Content-Length,9)", "200 cut"),
    ("return [('Content-Length', '9')], 'x'", "trickle(1)", "200 cut"),
    ("return [('Content-Length', '1')], 'x'", "trickle(1)", "200"),
    ("return [('Content-Length', '9')], 'xxxxxxxxx'", "slice(1,2)", "200"),
    ("yield 1 / 0", "gzip", "500"),
    ("yield 1 / 0", "trickle(1)", "500"),
];

fn files() -> Vec<(String, String, String)> {
    let file = |number: usize| format!("h{number}.py");
    let main = |lines: &str| format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
    let bodies = HANDLERS.iter().map(|(lines, expected)| (main(lines), "", *expected));
    let files = FILES.iter().map(|(text, expected)| ((*text).to_owned(), "", *expected));
    let piped = PIPED.iter().map(|(lines, pipe, expected)| (main(lines), *pipe, *expected));
    let all = bodies.chain(files).chain(piped).enumerate();
    let target =
        |number, pipe: &str| if pipe.is_empty() { file(number) } else { format!("{}?pipe={pipe}", file(number)) };
    all.map(|(number, (text, pipe, expected))| (target(number, pipe), text, expected.to_owned())).collect()
}

fn launch(files: &[(String, String, String)]) -> Launch {
    let name = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    let mut all: Vec<(String, String)> = files.iter().map(|(target, text, _)| (name(target), text.clone())).collect();
    all.push(("quick.py".to_owned(), "def main(request, response):\n    return b'quick'\n".to_owned()));
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Launch::new(&all)
}

/// A connection that gives up when nothing comes.
struct Waiting {
    stream: TcpStream,
    input: Vec<u8>,
    has_ended: bool,
}

impl Waiting {
    fn new(server: &Server, request: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Self { stream, input: Vec::new(), has_ended: false }
    }

    /// Reads until `is_enough` of what has come, or the end. An error text when nothing comes any more.
    fn fill(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        let mut chunk = [0; 65_536];
        while !self.has_ended && !is_enough(&self.input) {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.has_ended = true,
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => self.has_ended = true,
                Err(error) => return Err(format!("{error} behind {:?}", String::from_utf8_lossy(&self.input))),
            }
        }
        Ok(())
    }

    /// What the client makes of the next answer.
    fn answer(&mut self, is_head: bool) -> Result<String, String> {
        let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        self.fill(|bytes| end(bytes).is_some())?;
        if self.input.is_empty() {
            return Ok("closed".to_owned());
        }
        let head = end(&self.input).map_or(self.input.len(), |at| at + 4);
        let text: String = self.input.drain(..head).map(char::from).collect();
        let code = text.split(' ').nth(1).unwrap_or(&text).to_owned();
        if !text.ends_with("\r\n\r\n") {
            return Ok(if text.starts_with("HTTP/1.1 ") { format!("{code} close") } else { format!("{text} cut") });
        }
        if code == "103" {
            return Ok(format!("103 {}", self.answer(is_head)?));
        }
        let length: Option<usize> =
            text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let is_final = code.parse::<u16>().map_or(true, |code| code >= 200 || code == 2);
        match length {
            _ if is_head || code == "204" || code == "304" => Ok(code),
            Some(length) if is_final => {
                self.fill(|bytes| bytes.len() >= length)?;
                if self.input.len() < length {
                    return Ok(format!("{code} cut"));
                }
                self.input.drain(..length);
                // Not a part of the next answer.
                if !self.input.is_empty() && !self.input.starts_with(b"HTTP/1.1 200 OK") {
                    self.fill(|_| false)?;
                    return Ok(format!("{code} much"));
                }
                Ok(code)
            }
            _ => {
                self.fill(|_| false)?;
                Ok(format!("{code} close"))
            }
        }
    }
}

/// Asks for every handler on a connection of its own, and behind each for another one on a fresh connection.
fn ask_all(server: &Server, ask: impl Fn(&str, &str) -> Result<String, String>, files: &[(String, String, String)]) {
    let mut wrong = Vec::new();
    for (target, text, expected) in files {
        let got = ask(target, expected).unwrap_or_else(|error| format!("waits: {error}"));
        if !got.is_empty() {
            wrong.push(format!("{text} {target}: {got}, not {expected}"));
        }
        let mut quick = Waiting::new(server, "GET /quick.py HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(quick.answer(false).as_deref(), Ok("200"), "behind {text}");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn over_http_1_1_with_another_request_behind() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, expected: &str| {
        let next = "GET /quick.py HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut client = Waiting::new(&server, &format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n{next}"));
        let got = client.answer(false)?;
        if got != expected {
            return Ok(got);
        }
        if client.has_ended {
            return Ok(String::new());
        }
        // A whole answer leaves the connection open for the next one, unless the handler closes it.
        let next = client.answer(false)?;
        Ok(if next == "200" || next == "closed" { String::new() } else { format!("{got}, then {next}") })
    };
    ask_all(&server, ask, &files);
}

#[test]
fn over_http_1_0() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, _: &str| {
        let mut client = Waiting::new(&server, &format!("GET /{target} HTTP/1.0\r\n\r\n"));
        client.fill(|_| false).map(|()| String::new())
    };
    ask_all(&server, ask, &files);
}

#[test]
fn to_a_head_request() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, _: &str| {
        Waiting::new(&server, &format!("HEAD /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).answer(true)?;
        Ok(String::new())
    };
    ask_all(&server, ask, &files);
}

#[test]
fn over_http_2() {
    let files = files();
    let server = launch(&files).tls().start();
    for method in ["GET", "HEAD"] {
        for (target, text, _) in &files {
            let mut connection = Connection::new(server.h2);
            // The client panics when nothing comes.
            let stream = connection.open(&request(method, &format!("/{target}")), true);
            let frames = connection.answer(stream);
            assert!(!frames.is_empty(), "{text}");
        }
        let mut connection = Connection::new(server.h2);
        let stream = connection.get("/quick.py");
        assert_eq!(connection.text(stream), ("200".to_owned(), "quick".to_owned()));
    }
}

/// Bodies of `main` that use the writer for HTTP/2 and stop half-way.
const HTTP2: &[&str] = &[
    "response.writer.write_headers([('a', 'b')], 200)",
    "response.writer.write_headers([('content-length', '9')], 200)\nresponse.writer.write_data('abc')",
    "response.writer.write_headers([('content-length', '1')], 200)\nresponse.writer.write_data('abc')",
    "response.writer.write_headers([('a', 'b')], 200)\nreturn 1 / 0",
    "response.writer.write_headers([('a', None)], 'x')",
    "response.writer.write_data('abc')",
    "response.writer.write_raw_header_frame([(':status', '200')])",
    "response.writer.write_raw_header_frame([(':status', '200')])\nreturn 1 / 0",
    "response.writer.write_raw_data_frame(b'abc')",
    "response.writer.write_push([(':path', '/x'), (':method', 'GET'), (':scheme', 'https'), (':authority', 'localhost')])",
    "response.writer.content_written = True",
    "response.writer.stream_ended = True",
    "response.writer.content_written = response.writer.stream_ended = True",
    "response.writer.write_data = None\nreturn 'x'",
    "response.writer.write_headers = lambda *args: None\nreturn 'x'",
];

#[test]
fn over_http_2_with_its_own_writer() {
    let files: Vec<(String, String, String)> = HTTP2
        .iter()
        .enumerate()
        .map(|(number, lines)| {
            let text = format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
            (format!("h{number}.py"), text, String::new())
        })
        .collect();
    let server = launch(&files).tls().start();
    for (target, text, _) in &files {
        let mut connection = Connection::new(server.h2);
        let stream = connection.get(&format!("/{target}"));
        let frames = connection.answer(stream);
        assert!(!frames.is_empty(), "{text}");
        let mut connection = Connection::new(server.h2);
        let stream = connection.get("/quick.py");
        assert_eq!(connection.text(stream), ("200".to_owned(), "quick".to_owned()), "behind {text}");
    }
}

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
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
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

/// Neither `with` nor `finally` runs any more, so the server frees what others wait for.
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
            client.fill(|bytes| bytes.ends_with(b"in")).unwrap();
            assert!(client.input.ends_with(b"in"), "{:?}", String::from_utf8_lossy(&client.input));
        } else {
            client.fill(|_| false).unwrap_or_else(|error| panic!("{target}: {error}"));
        }
    }
}
