//! The values that a handler may return, raise and write, and the answers of wptserve 4.0.3 to them.
//!
//! `tests/differential` compares the exact heads of many more forms with wptserve. These tests cover the forms that the
//! documentation promises, and the errors with their messages.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use crate::util::{Answer, Client, Server, get};

/// A server whose `h.py` has this `main`.
fn main_is(lines: &str) -> Arc<Server> {
    serve(&format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    ")))
}

fn serve(handler: &str) -> Arc<Server> {
    Server::start(&[("h.py", handler), ("quick.py", "def main(request, response):\n    return b'quick'\n")])
}

/// Status line, the handler's own headers, body, and whether the connection stays open.
fn told(server: &Arc<Server>) -> (String, String, String, bool) {
    let mut client: Client = server.connect();
    client.send(get("/h.py"));
    let answer: Answer = client.answer();
    let own = |name: &&(String, String)| !matches!(name.0.as_str(), "Server" | "Date" | "Content-Length");
    let headers: Vec<String> =
        answer.headers.iter().filter(own).map(|(name, value)| format!("{name}: {value}")).collect();
    let open = answer.header("Content-Length").is_some();
    if open {
        client.expect_quiet();
    } else {
        client.expect_close();
    }
    (answer.status.clone(), headers.join("|"), answer.text(), open)
}

#[test]
fn every_form_of_return_value_is_an_answer() {
    let cases: &[(&str, &str, &str, &str, bool)] = &[
        ("return 'text'", "200 OK", "", "text", true),
        ("return b'bytes'", "200 OK", "", "bytes", true),
        ("return u'caf\\xe9'", "200 OK", "", "caf\u{e9}", true),
        ("return ''", "200 OK", "", "", true),
        ("return [('X-a', 'b')], 'content'", "200 OK", "X-a: b", "content", true),
        ("return [(b'X-a', b'b'), (b'x-A', b'c')], b'content'", "200 OK", "X-a: b|X-a: c", "content", true),
        ("return 404, [('X-a', 'b')], 'content'", "404 Not Found", "X-a: b", "content", true),
        ("return (299, 'Own Reason'), [], 'content'", "299 Own Reason", "", "content", true),
        ("return (299, b'Own'), [('X-a', b'b')], b''", "299 Own", "X-a: b", "", true),
        ("return 299, [], ''", "299 ", "", "", true),
        (
            "response.status = 202\nresponse.headers.set('X-a', 'b')\nresponse.content = 'set'",
            "202 Accepted",
            "X-a: b",
            "set",
            true,
        ),
        ("response.status = 202\nreturn 'returned'", "202 Accepted", "", "returned", true),
        ("pass", "200 OK", "", "", false),
        ("return None", "200 OK", "", "", false),
        ("return iter(['a', b'b', 'c'])", "200 OK", "", "abc", false),
        ("return ['a', '', b'b']", "200 OK", "", "ab", false),
        ("def parts():\n    yield 'a'\n    yield b'b'\nreturn parts()", "200 OK", "", "ab", false),
        ("return [('Content-Length', '2')], iter('ab')", "200 OK", "", "ab", true),
        ("return [lambda: 'a', lambda: b'b']", "200 OK", "", "ab", false),
        ("import io\nreturn io.BytesIO(b'file')", "200 OK", "", "file", false),
        (
            "return [('Content-Type', 'text/x')], open(__file__, 'rb').read(3)",
            "200 OK",
            "Content-Type: text/x",
            "def",
            true,
        ),
        ("import os\nreturn os.getcwd() == request.doc_root and 'root'", "200 OK", "", "root", true),
        ("response.add_required_headers = False\nreturn 'bare'", "200 OK", "", "bare", false),
    ];
    for (lines, status, headers, body, open) in cases {
        let server = main_is(lines);
        let expected = (format!("HTTP/1.1 {status}"), (*headers).to_owned(), (*body).to_owned(), *open);
        assert_eq!(told(&server), expected, "{lines}");
    }
}

#[test]
fn main_may_be_anything_callable_with_two_arguments() {
    for handler in [
        "main = lambda request, response: 'ok'\n",
        "class Main:\n    def __call__(self, request, response):\n        return 'ok'\nmain = Main()\n",
        "import functools\ndef f(word, request, response):\n    return word\nmain = functools.partial(f, 'ok')\n",
        "def f(request, response):\n    return 'ok'\nmain = f\n",
        "def main(*args):\n    return 'ok' if len(args) == 2 else 'not'\n",
        "from wptserve.utils import isomorphic_decode\ndef main(request, response):\n    return isomorphic_decode(b'ok')\n",
    ] {
        assert_eq!(serve(handler).get("/h.py").ok(), "ok", "{handler}");
    }
}

#[test]
fn writer_methods_write_and_say_so() {
    let server = main_is(
        "w = response.writer\nsaid = [w.write_status(203, 'Own')]\nsaid.append(w.write_header('X-a', 'b'))\n\
         said.append(w.write_header(b'X-Number', 3))\nsaid.append(w.end_headers())\nsaid.append(w.write_content('text,'))\n\
         said.append(w.write('more,'))\nsaid.append(w.write_raw_content(b'raw,'))\nw.write(repr(said))\nreturn 'unused'",
    );
    let answer = server.get("/h.py");
    assert_eq!(answer.status, "HTTP/1.1 203 Own");
    assert_eq!(answer.names(), ["X-a", "X-Number", "Server", "Date"]);
    assert_eq!(answer.text(), "text,more,raw,[None, True, True, True, True, True, True]");

    let server = main_is("response.writer.write_content('only')");
    let answer = server.get("/h.py");
    assert_eq!((answer.status.as_str(), answer.text().as_str()), ("HTTP/1.1 200 OK", "only"));
    assert_eq!(answer.header("Content-Length"), Some("4"));

    let server = main_is("response.write_status_headers()\nresponse.writer.write('x')\nreturn 'unused'");
    assert_eq!(server.get("/h.py").text(), "x");

    let server =
        main_is("try:\n    response.writer.write(3)\nexcept ValueError as e:\n    return 'ValueError: %s' % e");
    // A failed write counts as one in wptserve, which then sends nothing and keeps the client waiting.
    assert!(
        server.get("/h.py").error(500).contains("response.writer was used, but no answer has been written with it")
    );
}

#[test]
fn errors_have_the_code_and_the_json_of_wptserve() {
    let cases: &[(&str, u16, &[&str])] = &[
        ("x = 1\n", 500, &["No main function in script", "h.py"]),
        ("def main(request, response)\n    pass\n", 500, &["SyntaxError", "h.py\", line 1"]),
        ("x = 1\nraise ValueError('early')\n", 500, &["ValueError: early", "h.py\", line 2"]),
        ("def main(request):\n    pass\n", 500, &["TypeError", "main()"]),
        ("main = 3\n", 500, &["TypeError", "not callable"]),
        (
            "def main(request, response):\n    x = 1\n    return 1 / 0\n",
            500,
            &[
                "Internal server error loading http://localhost:",
                "/h.py",
                "ZeroDivisionError: division by zero",
                "h.py\", line 3, in main",
                "return 1 / 0",
            ],
        ),
        ("def main(request, response):\n    return ('x',)\n", 500, &["Internal server error loading"]),
        ("def main(request, response):\n    return (1, 2, 3, 4)\n", 500, &["Internal server error loading"]),
        ("def main(request, response):\n    return 'bad', [], 'x'\n", 500, &["ValueError"]),
        ("def main(request, response):\n    return [1], 'x'\n", 500, &["TypeError"]),
        (
            "import wptserve.utils\ndef main(request, response):\n    raise wptserve.utils.HTTPException(418, 'teapot')\n",
            418,
            &[],
        ),
        ("def main(request, response):\n    response.set_error(400, 'my words')\n", 400, &["my words"]),
        ("def main(request, response):\n    open('/nonexistent')\n", 500, &["FileNotFoundError"]),
    ];
    for (handler, code, parts) in cases {
        let server = serve(handler);
        let message = server.get("/h.py").error(*code);
        for part in *parts {
            assert!(message.contains(part), "{handler}: no {part:?} in {message}");
        }
        if *code == 500 {
            server.logged("h.py");
        }
        // The next request works, and the handler can be mended.
        assert_eq!(server.get("/quick.py").ok(), "quick");
        server.site.write("h.py", "def main(request, response):\n    return 'mended'\n");
        assert_eq!(server.get("/h.py").ok(), "mended", "{handler}");
    }
}

#[test]
fn wrong_return_values_are_logged_with_their_cause() {
    let server = main_is("return ('x',)");
    server.get("/h.py").error(500);
    server.logged("main() returned (str,); return content, (headers, content) or (status, headers, content)");
    // wptserve has sent the head by the time it notices.
    let server = main_is("return 3");
    assert!(server.get("/h.py").error(500).contains("TypeError: 'int' object is not iterable"));
    server.logged("content must be str, bytes, a file or an iterable");
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

/// The client gets wptserve's words; the log says where, why, and what to write instead.
#[test]
fn mistakes_are_logged_with_their_place_and_the_right_form() {
    let main = |lines: &str| format!("def main(request, response):\n    {lines}\n");
    let cases: &[(String, &str, &str)] = &[
        (
            main("return [], 404, 'body'"),
            "",
            "ValueError: main() returned (list, int, str); the status comes first: `return status, headers, content`",
        ),
        (
            main("return '404 Not Found', [], b'x'"),
            "",
            "main() returned (str, list, bytes); the status must be a number or a pair of number and text",
        ),
        (
            main("return 404, 'body'"),
            "",
            "main() returned (int, str); with a status, return three values: `return 404, [], \"body\"`",
        ),
        (
            main("return {'X-Long': 'b'}, 'body'"),
            "",
            "main() returned (dict, str); headers must be a list of pairs; make it from the dict with `list(headers.items())`",
        ),
        (
            main("return 200, {'X-Long': 'b'}, 'body'"),
            "",
            "main() returned (int, dict, str); headers must be a list of pairs",
        ),
        (
            main("return 200, None, 'body'"),
            "",
            "main() returned (int, NoneType, str); write an empty list, `[]`, for no headers",
        ),
        (
            main("return 200, [('a', None)], 'body'"),
            "",
            "main() returned (int, list, str); the status must be a number",
        ),
        (
            "\ndef main():\n    return 'x'\n".to_owned(),
            "",
            "h.py: line 2: main cannot be called with (request, response): TypeError: ",
        ),
        (
            "main = 3\n".to_owned(),
            "",
            "h.py: main cannot be called with (request, response): TypeError: 'int' object is not callable",
        ),
        (
            "async def main(request, response):\n    return 'x'\n".to_owned(),
            "",
            "write `def main`, not `async def main`",
        ),
        (
            main("return 'x'"),
            "?pipe=statu(404)",
            "?pipe= names an unknown pipe \"statu\"; use sub, trickle, slice, header, status or gzip",
        ),
        (main("return 'x'"), "?pipe=slice(x)", "h.py: a pipe cannot be applied to this answer: ValueError: "),
        (
            main("return '{{ports[http]}}'"),
            "?pipe=sub",
            "the value of the template {{ports…}} is not a text or a number",
        ),
    ];
    for (handler, query, line) in cases {
        let server = serve(handler);
        server.get(&format!("/h.py{query}")).error(500);
        server.logged(line);
        // The traceback may be in another line than the advice.
        server.logged("h.py");
    }
    // A mistake inside main has a line of its own, and needs no advice.
    let server = serve(&main("return open(3, 4, 5)"));
    server.get("/h.py").error(500);
    server.logged("line 2, in main");
    assert!(!server.log().contains("cannot be called with"), "{}", server.log());
}

#[test]
fn scripts_that_cannot_be_read_are_not_found() {
    let server = main_is("return 'ok'");
    assert_eq!(server.get("/absent.py").error(404), "404");
    server.site.write("folder.py/file.txt", "");
    server.get("/folder.py").error(404);
    let path = server.site.path().join("h.py");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if fs::read(&path).is_err() {
        server.get("/h.py").error(404);
        server.logged("Permission denied");
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn globals_are_fresh_for_every_request() {
    let server = serve(
        "n = 0\ndef main(request, response):\n    global n\n    n += 1\n    return '%d %s' % (n, sorted(k for k in globals() if k != '__builtins__'))\n",
    );
    for _ in 0..3 {
        assert_eq!(server.get("/h.py").ok(), "1 ['__file__', 'main', 'n']");
    }
}

#[test]
fn what_a_handler_leaves_behind_keeps_its_globals() {
    // Functions that outlive their request are called by the next request, and still find their global names.
    const KEEP: &str = "\
import threading
from shared import kept
NAME = 'global'
def plain(): return NAME
class Thing:
    def method(self): return NAME
def steps():
    while True: yield NAME
def later(go, seen):
    go.wait()
    seen.append(NAME)
def main(request, response):
    def inner(): return NAME
    WHAT
    return 'kept'
";
    const CALL: &str = "\
from shared import kept
def main(request, response):
    return kept.pop()()
";
    for what in [
        "kept.append(plain)",
        "kept.append(inner)",
        "kept.append(lambda: NAME)",
        "kept.append(Thing().method)",
        "kept.append(steps().__next__)",
        "kept.append(globals().copy()['plain'])",
        "kept.append(lambda names=globals(): names['NAME'])",
        "go, seen = threading.Event(), []; thread = threading.Thread(target=later, args=(go, seen)); thread.start(); \
         kept.append(lambda: (go.set(), thread.join(), seen[0])[2])",
    ] {
        let keep = KEEP.replace("WHAT", what);
        let files = [("shared/__init__.py", "kept = []\n"), ("keep.py", keep.as_str()), ("call.py", CALL)];
        let server = Server::start(&files);
        assert_eq!(server.get("/keep.py").ok(), "kept", "{what}");
        // Another request in between may meet the same thread, and the same memory.
        assert_eq!(server.get("/keep.py").ok(), "kept", "{what}");
        assert_eq!(server.get("/call.py").ok(), "global", "{what}");
    }
}

#[test]
fn the_examples_of_the_documentation_work() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/handlers.md")).unwrap();
    let examples: Vec<&str> = text
        .split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|example| example.contains("def main("))
        .collect();
    assert!(!examples.is_empty(), "docs/handlers.md has lost its examples");
    for example in examples {
        let server = serve(example);
        let answer = server.get("/h.py?content-type=text/plain");
        assert!(answer.code() < 400, "{example}\n{}", answer.text());
        assert_eq!(answer.header("Content-Type"), Some("text/plain"), "{example}");
    }
}

#[test]
fn the_codecs_of_east_asia_are_there() {
    let server = serve(
        "def main(request, response):\n    return 'あ'.encode('shift_jis') + 'あ'.encode('euc-jp') + '中'.encode('big5')\n",
    );
    assert_eq!(server.get("/h.py").body, b"\x82\xa0\xa4\xa2\xa4\xa4");
}

/// The digests are those of the package `cryptography` 50.0.2 for the same key.
#[test]
fn signatures_are_those_of_the_package_cryptography() {
    let handler = "
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

P = int('df27b474402615f619baa4a49f0ac0170928ca2ceca468e9ce6ba18b8ad12fc9a0d4f2e345ffb65d9f9bc6d3adae2c57eafd6a994409a2329ef50006a43e3769', 16)
Q = int('ffb941d2b225999d15f5b42d2c57fad0d64b960d01374711cc63bbb911eeded90770623545be83c28f87425fb9c25afb6989b3ac88ec029f9873a6aa03d75a09', 16)
E = 65537


def digest(data):
    hash = hashes.Hash(hashes.SHA256())
    hash.update(data)
    return hash.finalize().hex()


def main(request, response):
    d = pow(E, -1, (P - 1) * (Q - 1))
    public = rsa.RSAPublicNumbers(E, P * Q)
    key = rsa.RSAPrivateNumbers(P, Q, d, d % (P - 1), d % (Q - 1), pow(Q, -1, P), public).private_key()
    signature = key.sign(b'data', padding.PKCS1v15(), hashes.SHA256())
    pem = key.public_key().public_bytes(
        encoding=serialization.Encoding.PEM, format=serialization.PublicFormat.SubjectPublicKeyInfo)
    loaded = serialization.load_pem_public_key(pem)
    loaded.verify(signature, b'data', padding.PKCS1v15(), hashes.SHA256())
    refused = 0
    for bad, data in [(signature, b'other'), (signature[:-1], b'data'), (b'\\xff' * 128, b'data'), (b'', b'data')]:
        try:
            loaded.verify(bad, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            refused += 1
    return '%s %s %d' % (digest(signature), digest(pem), refused)
";
    let server = serve(handler);
    assert_eq!(
        server.get("/h.py").ok(),
        "7f63e9fb962a0990e83553d8d946a77ba8d1dad9725bcbce20bdfe7aa01e669e 326dea9b84117364062f26d9cd1d92478119d8d496cb72ef3fb41a8504a1804e 4"
    );
}
