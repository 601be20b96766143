//! Methods that a handler replaces on its own `response` or `response.writer`: the others call them, as in wptserve 4.0.3, whose
//! answers these are.

use crate::util::Server;

/// The body of `main`, the method of the request, and the rest of the answer behind the status line, without `Server` and `Date`,
/// until the connection ends.
const CASES: &[(&str, &str, &str)] = &[
    (
        "import types\ndef end(self):\n    if self._response.add_required_headers:\n        self.write_default_headers()\n    \
         self.write('X-Body: ')\n    self._headers_complete = True\n\
         response.writer.end_headers = types.MethodType(end, response.writer)\n\
         response.send_body_for_head_request = True\nreturn [('X-Test', 'TEST')], 'body\\r\\n\\r\\n'",
        "HEAD",
        "200 OK|X-Test: TEST|Content-Length: 8|X-Body: body||",
    ),
    (
        "write = response.writer.write\n\
         response.writer.write = lambda data: write(data.upper() if data in (b'x-low', b'text') else data)\n\
         return [('x-low', 'value')], 'text'",
        "GET",
        "200 OK|X-LOW: value|Content-Length: 4||TEXT",
    ),
    (
        "status = response.writer.write_status\n\
         response.writer.write_status = lambda code, message=None: status(code + 1, message)\nreturn 'x'",
        "GET",
        "201 Created|Content-Length: 1||x",
    ),
    (
        "header = response.writer.write_header\n\
         response.writer.write_header = lambda name, value: name != b'x-b' and header(name, value)\n\
         return [('x-a', '1'), ('x-b', '2')], 'x'",
        "GET",
        "200 OK|x-a: 1|Content-Length: 1||x",
    ),
    (
        "response.writer.write_default_headers = lambda: response.writer.write_header('Content-Length', 1)\nreturn 'x'",
        "GET",
        "200 OK|Content-Length: 1||x",
    ),
    (
        "response.writer.write_content = lambda data: response.writer.write(data * 2)\nreturn 'x'",
        "GET",
        "200 OK|Content-Length: 1||xx",
    ),
    (
        "response.writer.write_raw_content = lambda data: response.writer.write(b'y')\nreturn 'x'",
        "GET",
        "200 OK|Content-Length: 1||y",
    ),
    (
        "encode = response.writer.encode\n\
         response.writer.encode = lambda data: b'Y' if data in (b'x', 'x') else encode(data)\nreturn 'x'",
        "GET",
        "200 OK|Content-Length: 1||Y",
    ),
    (
        "response.iter_content = lambda read_file=False: iter([b'other'])\nreturn [('Content-Length', 5)], 'x'",
        "GET",
        "200 OK|Content-Length: 5||other",
    ),
    (
        "response.write_content = lambda: response.writer.write('own')\nreturn [('Content-Length', 3)], 'x'",
        "GET",
        "200 OK|Content-Length: 3||own",
    ),
    (
        "response.write_status_headers = lambda: response.writer.write('HTTP/1.1 299 Own\\r\\n\\r\\n')\nreturn 'x'",
        "GET",
        "299 Own||HTTP/1.1 200 OK|Content-Length: 1||x",
    ),
    (
        "response.write = lambda: response.writer.write('HTTP/1.1 204 None\\r\\n\\r\\n')\nreturn 'x'",
        "GET",
        "204 None||",
    ),
    (
        "def fail(code, err=None):\n    response.status = 418\n    response.content = '%d %s' % (code, err)\n\
         response.set_error = fail\nraise ValueError('no')",
        "GET",
        "418 |Content-Length: 6||500 no",
    ),
    (
        "put = response.headers.append\nresponse.headers.append = lambda name, value: put('x-' + name, value)\n\
         return [('a', '1')], 'x'",
        "GET",
        "200 OK|x-a: 1|Content-Length: 1||x",
    ),
    (
        "put = response.headers.set\nresponse.headers.set = lambda name, value: put(name, b'set ' + value)\n\
         response.headers.append('a', b'1')\nresponse.headers.append('a', b'2')\nreturn 'x'",
        "GET",
        "200 OK|a: set 1|a: 2|Content-Length: 1||x",
    ),
    (
        "response.note = 'plain'\nresponse.writer.note = 'attribute'\nreturn [('x-a', 1)], iter(['a', 'b'])",
        "GET",
        "200 OK|x-a: 1||ab",
    ),
];

#[test]
fn a_method_replaced_on_the_instance_is_called_by_the_others() {
    let mut wrong = Vec::new();
    for (lines, method, expected) in CASES {
        let handler = format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
        let server = Server::start(&[("h.py", &handler)]);
        let mut client = server.connect();
        client.send(format!("{method} /h.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        let got = client.rest_text();
        let lines = got.trim_start_matches("HTTP/1.1 ").split("\r\n");
        let own: Vec<&str> =
            lines.filter(|line| !line.starts_with("Server: ") && !line.starts_with("Date: ")).collect();
        if own.join("|") != *expected {
            wrong.push(format!("{}\n     got {:?}\nexpected {expected:?}", lines_of(&handler), own.join("|")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn lines_of(handler: &str) -> &str {
    handler.trim_start_matches("def main(request, response):\n")
}
