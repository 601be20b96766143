"""Requests written by hand for the demo site: sequences that share state, and oddities of the wire."""

from __future__ import annotations

from urllib.parse import quote

from cases import HOST, UUID, Case, Group, request

KEY = UUID.decode()


def all_scripts() -> list[Group]:
    return [_stash(), _counter(), _recovery(), _documentation(), _pipes(), *_wire()]


def _get(target: str, headers: list[tuple[bytes, bytes]] | None = None) -> Case:
    return Case("GET " + target, request("GET", target, headers))


def _stash() -> Group:
    put, take = "/stash/put.py?path=/shared/&key=" + KEY, "/stash/take.py?path=/shared/&key=" + KEY
    targets = [take, put + "&value=one", put + "&value=two", take, take, put + "&value=%ff%00", take,
               put.replace(KEY, KEY.upper()), take.replace(KEY, KEY.replace("-", "")), take,
               "/stash/put.py?key=" + KEY, "/stash/take.py?path=/other/&key=" + KEY, "/stash/take.py?key=" + KEY,
               "/stash/lock.py", "/stash/lock.py", "/stash/lock.py"]
    return Group("script: stash", [_get(target) for target in targets])


def _counter() -> Group:
    reset, add = "/imports/state.py?reset", "/imports/state.py"
    return Group("script: helper state", [_get(target) for target in (reset, add, add, reset, add)])


def _pipes() -> Group:
    """Each pipe on a file and on handlers that return or fill in; then files with templates."""
    strings = ["status(404)", "status(299)", "status(x)", "header(X-Pipe,1,true)", "header(content-type,a/b)", "slice(2,5)",
               "slice(-3,null)", "slice(x)", "sub", "sub(none)", "sub()", "trickle(3:d0.05:r2)", "trickle(d0.05)|slice(3)",
               "trickle(d1:d1)", "nope", "gzip()", "||status(202)|", "status(202)header(X-Pipe,2)", "slice(1|2,3)",
               "header(X-Pipe,\\\\\\,\\))", "status(202)&pipe=status(203)", "status(202)&pipe=", "header(X,café)"]
    cases = []
    for path in ("digits.txt", "returned.py", "filled.py", "streamed.py"):
        cases += [_get("/pipes/%s?a=b&pipe=%s" % (path, quote(string, safe="()|,:&="))) for string in strings]
    for path in ("values.sub.txt", "values.sub.svg", "values.sub.html", "digits.txt", "named.sub.py", "substitute.py",
                 "template.py", "broken.sub.txt"):
        cases += [_get("/pipes/%s?a=%s" % (path, value)) for value in ("", "%3C%22%26%27%3E", "%C3%A9", "%E9")]
    ranges = [(b"Range", b"bytes=0-3,6-9")]
    cases += [_get("/pipes/digits.txt?a=b&pipe=slice(40,60)", ranges[:0]), _get("/pipes/digits.txt?pipe=nope", ranges),
              _get("/pipes/digits.txt?pipe=slice(1,3)", [(b"Range", b"bytes=2-8")]),
              _get("/raw/hello.asis?pipe=slice(1)"), _get("/files/?pipe=nope")]
    return Group("script: pipes", cases)


def _recovery() -> Group:
    """After each failure the next request works."""
    failing = ["syntax_error", "no_main", "raises", "recursion", "memory", "one_tuple", "none_content",
               "wrong_signature"]
    cases = []
    for name in failing:
        cases += [_get("/basic/%s.py" % name), _get("/basic/text.py")]
    cases += [_get("/imports/broken_helper.py"), _get("/imports/broken_helper.py"), _get("/imports/raising_helper.py"),
              _get("/imports/raising_helper.py"), _get("/imports/complete_chain.py")]
    return Group("script: after a failure", cases)


def _documentation() -> Group:
    base = "/docs/status.py"
    return Group("script: the documentation's example", [
        _get(base), _get(base + "?content-type=text/html"), _get(base + "?content-type=text%2Fplain%3Bcharset%3Dutf-8"),
        _get(base + "?content-type="), _get(base + "?content-type=a&content-type=b"),
        _get(base + "?Content-Type=text/html"), Case("HEAD", request("HEAD", base))])


def _wire() -> list[Group]:
    echo = "/basic/echo_headers.py"
    raw_headers = "/basic/echo_raw_headers.py"
    host = b"Host: " + HOST + b"\r\n"

    def head(line: bytes, *headers: bytes) -> bytes:
        return line + b"\r\n" + host + b"".join(header + b"\r\n" for header in headers) + b"\r\n"

    def get(target: str, *headers: bytes) -> bytes:
        return head(b"GET " + target.encode("latin-1") + b" HTTP/1.1", *headers)

    closing = b"Connection: close"
    two = get("/basic/text.py") + get("/basic/echo_url.py?second", closing)
    sets = {
        "request line": [
            ("no such file", get("/no/such/file.html")),
            ("no such handler", get("/no/such/handler.py")),
            ("a directory that is not there", get("/no/such/")),
            ("dot dot", get("/../Cargo.toml")),
            ("dot dot encoded", get("/%2e%2e/Cargo.toml")),
            ("dot dot inside", get("/files/../files/text.txt")),
            ("dots in a name", get("/files/a..b.txt")),
            ("double slash", get("//files/text.txt")),
            ("slashes inside", get("/files//text.txt")),
            ("NUL", get("/files/text.txt%00")),
            ("NUL in a handler's name", get("/basic/text%00.py")),
            ("encoded slash", get("/files%2ftext.txt")),
            ("encoded letter", get("/files/t%65xt.txt")),
            ("lower-case escape", get("/files/caf%c3%a9.txt")),
            ("raw Latin-1 in the path", get("/files/caf\xe9.txt")),
            ("raw bytes in the query", get("/basic/echo_query.py?a=\xe9\xff")),
            ("plus and semicolon", get("/basic/echo_query.py?a=1+2;b=3&a=%2B&&=x&b")),
            ("query with a question mark", get("/basic/echo_query.py?a=1?b=2")),
            ("empty query", get("/basic/echo_url.py?")),
            ("fragment", get("/basic/echo_url.py?a=1#part")),
            ("absolute form", get("http://127.0.0.1:8000/basic/echo_url.py?a")),
            ("absolute form, other host", get("http://other.test/basic/echo_url.py")),
            ("handler with a path after it", get("/basic/text.py/more")),
            ("asterisk", head(b"OPTIONS * HTTP/1.1")),
            ("no slash", get("files/text.txt")),
            ("path parameters", get("/basic/echo_url.py;v=1?x")),
            ("upper-case extension", get("/basic/text.PY")),
            ("HTTP/1.0", head(b"GET /basic/echo_url.py HTTP/1.0")),
            ("HTTP/1.2", head(b"GET /basic/echo_url.py HTTP/1.2")),
            ("HTTP/2.0", head(b"GET /basic/text.py HTTP/2.0")),
            ("HTTP/0.9", b"GET /basic/text.py\r\n"),
            ("no version, two words", b"POST /basic/text.py\r\n\r\n"),
            ("bad version", head(b"GET /basic/text.py HTTP/x.y")),
            ("version in lower case", head(b"GET /basic/text.py http/1.1")),
            ("four words", head(b"GET /basic/text.py HTTP/1.1 more")),
            ("one word", b"GARBAGE\r\n\r\n"),
            ("empty line first", b"\r\n" + get("/basic/text.py")),
            ("two spaces", head(b"GET  /basic/text.py  HTTP/1.1")),
            ("unknown method on a file", head(b"FETCH /files/text.txt HTTP/1.1")),
            ("unknown method on a handler", head(b"FETCH /basic/echo_method.py HTTP/1.1")),
            ("lower-case method", head(b"get /files/text.txt HTTP/1.1")),
            ("DELETE on a file", head(b"DELETE /files/text.txt HTTP/1.1")),
            ("bare line feeds", b"GET /basic/echo_url.py HTTP/1.1\nHost: a.test\n\n"),
            ("long line", get("/basic/echo_query.py?a=" + "x" * 8000)),
            ("too long a line", get("/" + "x" * 70000)),
        ],
        "headers": [
            ("order, case, duplicates", get(raw_headers, b"X-b: 2", b"x-A: 1", b"X-B: 3", b"X-Empty:", b"X-Space:   around   ", b"X-Tab:\ta\t")),
            ("duplicates joined", get(echo, b"X-Many: 1", b"x-many: 2", b"X-MANY:3")),
            ("as lists", get("/basic/echo_header_lists.py", b"X-Many: 1", b"x-many: 2")),
            ("Latin-1 value", get(echo + "?name=x-latin", b"X-Latin: caf\xe9")),
            ("UTF-8 value", get(raw_headers, b"X-Utf: \xe4\xb8\xad")),
            ("folded", get(raw_headers, b"X-Folded: one", b"  two", b"X-Next: 3")),
            ("space before the colon", get(raw_headers, b"X-Space : 1", b"X-Next: 2")),
            ("no colon", get(raw_headers, b"nonsense", b"X-Next: 2")),
            ("empty name", get(raw_headers, b": nameless", b"X-Next: 2")),
            ("no host", b"GET /basic/echo_url.py HTTP/1.1\r\n\r\n"),
            ("host without a port", b"GET /basic/echo_url.py HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            ("two hosts", get("/basic/echo_url.py", b"Host: b.test")),
            ("odd host", b"GET /basic/echo_url.py HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
            ("300 headers", get(echo, *[b"X-%d: %d" % (n, n) for n in range(300)])),
            ("600 headers", get(echo, *[b"X-%d: %d" % (n, n) for n in range(600)])),
            ("a long value", get(echo, b"X-Long: " + b"y" * 30000)),
            ("too long a value", get(echo, b"X-Long: " + b"y" * 70000)),
            ("one header by name", get(echo + "?name=User-Agent", b"User-Agent: differential")),
            ("auth", get("/basic/auth.py", b"Authorization: Basic dXNlcjpwYTpzcw==")),
            ("auth broken", get("/basic/auth.py", b"Authorization: Basic ???")),
            ("auth other scheme", get("/basic/auth.py", b"Authorization: Bearer abc")),
            ("cookies", get("/cookies/resources/values.py", b'Cookie: a=1; b="q s"; a=2; c=x=y', b"Cookie: d=4")),
            ("odd cookies", get("/cookies/resources/values.py", b"Cookie: =x; nameless; e=\xe9; $Path=/; f[]=1; g=a,b")),
            ("cookie list", get("/cookies/resources/list.py", b"Cookie: demo=1; other=2")),
        ],
        "bodies": [
            ("body", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: 5", b"Content-Type: a/b") + b"\x00\xffabc"),
            ("body of 1 MiB", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: 1048000") + b"z" * 1048000),
            ("body with GET", head(b"GET /basic/echo_body.py HTTP/1.1", b"Content-Length: 3") + b"get"),
            ("no length", head(b"POST /basic/echo_body.py HTTP/1.1")),
            ("empty body", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: 0")),
            ("bad length", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: abc") + b"abc"),
            ("negative length", head(b"POST /basic/echo_method.py HTTP/1.1", b"Content-Length: -5")),
            ("two lengths", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: 3", b"Content-Length: 5") + b"abcde"),
            ("seekable", head(b"POST /basic/raw_input.py HTTP/1.1", b"Content-Length: 20") + b"line one\nline two\nxy"),
            ("form with a plus", head(b"POST /basic/echo_form.py HTTP/1.1", b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: 21") + b"a=1+2&b=%ff&a=3&c=&d&"),
            ("form that is none", head(b"POST /basic/echo_form.py HTTP/1.1", b"Content-Type: text/plain", b"Content-Length: 3") + b"a=1"),
            ("expect", head(b"POST /basic/echo_body.py HTTP/1.1", b"Expect: 100-continue", b"Content-Length: 4") + b"body"),
            ("expect on 1.0", head(b"POST /basic/echo_body.py HTTP/1.0", b"Expect: 100-continue", b"Content-Length: 4") + b"body"),
            ("body unread, then the next", head(b"POST /basic/text.py HTTP/1.1", b"Content-Length: 4") + b"body" + get("/basic/echo_url.py", closing)),
            ("chunked", head(b"POST /basic/echo_body.py HTTP/1.1", b"Transfer-Encoding: chunked", closing) + b"4\r\nbody\r\n0\r\n\r\n"),
        ],
        "connections": [
            ("pipelined", two),
            ("pipelined, three", get("/files/text.txt") + two),
            ("pipelined after a failure", get("/basic/raises.py") + two),
            ("pipelined after a stream", get("/basic/generator.py") + two),
            ("pipelined after a file", get("/files/style.css") + two),
            ("pipelined HEAD", head(b"HEAD /files/text.txt HTTP/1.1") + two),
            ("pipelined after a 404", get("/no.html") + two),
            ("close", get("/basic/text.py", closing)),
            ("close in capitals", get("/basic/text.py", b"Connection: CLOSE")),
            ("keep-alive on 1.0", head(b"GET /basic/text.py HTTP/1.0", b"Connection: keep-alive")),
            ("close among others", get("/basic/text.py", b"Connection: close, te")),
            ("TRACE", head(b"TRACE /basic/echo_method.py HTTP/1.1")),
            ("garbage after", get("/basic/text.py") + b"\x00\x01\x02 garbage\r\n\r\n"),
        ],
    }
    groups = []
    for title, cases in sets.items():
        groups += [Group("wire: %s: %s" % (title, name), [Case("raw", raw)]) for name, raw in cases]
    groups.append(Group("wire: half-closed", [Case("raw", get("/basic/text.py"), half_close=True)]))
    groups.append(Group("wire: half a head", [Case("raw", b"GET /basic/text.py HTTP/1.1\r\nHost: a", half_close=True)]))
    groups.append(Group("wire: half a body", [Case(
        "raw", head(b"POST /basic/echo_body.py HTTP/1.1", b"Content-Length: 10") + b"half", half_close=True)]))
    groups.append(Group("wire: nothing at all", [Case("raw", b"", half_close=True)]))
    return groups
