"""What wptserve's functional tests import, put in place of the real thing: `pytest`, `httpx`, `localpaths`, `serve` and their own
`base`. Behind them our binary serves a copy of their doc root, and a function that a test registers becomes a handler's file.

A file is the source of the function with the values that it closes over. Its URL has `.py` at its end, because only such URLs are
handlers with us; the requests of the tests are sent there.
"""

from __future__ import annotations

import base64
import contextlib
import inspect
import json
import os
import shutil
import socket
import ssl
import textwrap
import types
import unittest
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

import h2.config
import h2.connection
import h2.events

TIMEOUT = 15
HELPER = '''"""The part of pytest that handlers of the tests use."""
import contextlib
@contextlib.contextmanager
def raises(kind):
    try:
        yield
    except kind:
        return
    raise AssertionError("%s was not raised" % kind.__name__)
'''


class Unmapped(Exception):
    """A test cannot be driven from outside; the text says why."""


# --- pytest ----------------------------------------------------------------------------------------------------------


class _Raises(contextlib.AbstractContextManager):
    def __init__(self, kind):
        self.kind, self.value = kind, None

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("%s was not raised" % self.kind.__name__)
        self.value = value
        return issubclass(kind, self.kind)


def pytest_module() -> types.ModuleType:
    module = types.ModuleType("pytest")
    module.importorskip = lambda name: __import__(name)
    module.raises = lambda kind, match=None: _Raises(kind)
    module.mark = types.SimpleNamespace(
        skipif=lambda *_, **__: lambda item: item, xfail=lambda *_, **__: lambda item: item,
        parametrize=lambda *_, **__: lambda item: item)
    module.fixture = lambda item=None, **_: item if item is not None else (lambda other: other)
    return module


# --- httpx -----------------------------------------------------------------------------------------------------------


class Answer:
    def __init__(self):
        self.status_code, self.headers, self.content, self.http_version = 0, Fields(), b"", "HTTP/2"


class Fields(dict):
    """Header fields by name in any case, in the order in which they came."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())


class H2Client:
    """One connection of HTTP/2, a stream for each request."""

    def __init__(self, host: str, port: int):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.authority = "%s:%d" % (host, port)
        self.socket = context.wrap_socket(socket.create_connection((host, port), TIMEOUT), server_hostname=host)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.map = lambda path: path

    def get(self, path: str, headers=()) -> Answer:
        return self._ask("GET", path, b"", headers)

    def post(self, path: str, content: bytes = b"", headers=()) -> Answer:
        return self._ask("POST", path, content, headers)

    def _ask(self, method: str, path: str, body: bytes, headers) -> Answer:
        connection, stream = self.connection, self.connection.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", self.authority), (":path", self.map(path))]
        connection.send_headers(stream, fields + list(dict(headers).items()), end_stream=not body)
        if body:
            connection.send_data(stream, body, end_stream=True)
        self.socket.sendall(connection.data_to_send())
        answer, content = Answer(), []
        while True:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError("the connection has ended")
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    for name, value in event.headers:
                        if name == ":status":
                            answer.status_code = int(value)
                        else:
                            answer.headers[name] = value
                elif isinstance(event, h2.events.DataReceived):
                    content.append(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    raise AssertionError("the stream was reset with the code %d" % event.error_code)
                elif isinstance(event, h2.events.StreamEnded):
                    self.socket.sendall(connection.data_to_send())
                    answer.content = b"".join(content)
                    return answer
            self.socket.sendall(connection.data_to_send())

    def close(self) -> None:
        self.socket.close()


# --- handlers --------------------------------------------------------------------------------------------------------


def _literal(name: str, value: object) -> str:
    """A line of Python that makes this value."""
    if isinstance(value, types.ModuleType):
        return "import %s" % value.__name__ if value.__name__ == name else "import %s as %s" % (value.__name__, name)
    if isinstance(value, types.FunctionType):
        return source(value)
    if isinstance(value, type):
        return "from %s import %s as %s" % (value.__module__.lstrip("_"), value.__name__, name)
    if repr(value).startswith("<"):
        raise Unmapped("its handler uses %s, an object of the test's own process" % name)
    return "%s = %r" % (name, value)


def source(function: types.FunctionType) -> str:
    """The source of a function, without decorators, behind all that it refers to."""
    text = textwrap.dedent(inspect.getsource(function))
    text = text[text.index("def "):]
    used = inspect.getclosurevars(function)
    lines = [_literal(name, value) for name, value in {**used.globals, **used.nonlocals}.items()]
    return "\n".join([*lines, text])


def handler_file(handler: object) -> str:
    """The file for what a test has registered."""
    function, names = handler, "main"
    wrapped = getattr(handler, "func", None)
    if type(handler).__name__ == "JsonHandler":
        function, names = wrapped, "main = wptserve.handlers.json_handler(%s)"
    elif type(handler).__name__ == "FunctionHandler":
        function, names = wrapped, "main = %s"
    if not isinstance(function, types.FunctionType):
        raise Unmapped("it registers an object of a class of the server's own, which our routes do not have")
    head = "import wptserve.handlers, wptserve.utils\n"
    return "%s%s\n%s\n" % (head, source(function), names % function.__name__)


# --- their own base --------------------------------------------------------------------------------------------------


class Router:
    """`server.router`: writes a file for every handler."""

    def __init__(self, doc_root: Path):
        self.doc_root, self.paths = doc_root, {}

    def register(self, method, path, handler):
        if getattr(handler, "is_wrapper", False):
            return
        if "{" in path or "*" in path:
            raise Unmapped("it routes a pattern of its own; ours are the routes of wpt serve")
        target = path.rstrip("/") + ".py"
        file = self.doc_root / target.lstrip("/")
        if getattr(handler, "__name__", "") == "python_script_handler" or type(handler).__name__ == "PythonScriptHandler":
            shutil.copytree(self.doc_root / path.lstrip("/"), file, dirs_exist_ok=True)
        else:
            text = handler_file(handler)
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            os.replace(part, file)
        self.paths[path] = target

    def map(self, path: str) -> str:
        parts = urlsplit(path)
        return urlunsplit(parts._replace(path=self.paths.get(parts.path, parts.path)))


class Rewriter:
    def register(self, method, path, target):
        raise Unmapped("it adds a rewrite of its own; ours are those of wpt serve")


class Running:
    """What a test sees as its server."""

    host = "localhost"

    def __init__(self, doc_root: Path, port: int):
        self.port, self.router, self.rewriter = port, Router(doc_root), Rewriter()

    def start(self):
        """It runs already."""

    def stop(self):
        """It runs for the next test as well."""


def base_module(doc_root: Path, ports: dict[str, int]) -> types.ModuleType:
    """Their `base`, with our servers on these ports."""

    class TestUsingServer(unittest.TestCase):
        def setUp(self):
            self.server = Running(doc_root, ports["http"])

        def tearDown(self):
            pass

        def abs_url(self, path, query=None):
            path = self.server.router.map(path)
            return urlunsplit(("http", "localhost:%d" % self.server.port, path, query, None))

        def request(self, path, query=None, method="GET", headers=None, body=None, auth=None):
            if hasattr(body, "items"):
                body = urlencode(body).encode("ascii")
            request = Request(self.abs_url(path, query), data=body, method=method)
            for name, value in (headers or {}).items():
                request.add_header(name, value)
            if body is not None:
                request.add_header("Content-Length", str(len(body)))
            if auth is not None:
                request.add_header("Authorization", b"Basic " + base64.b64encode(b":".join(auth)))
            return urlopen(request, timeout=TIMEOUT)

        def assert_multiple_headers(self, answer, name, values):
            assert answer.info().get_all(name) == values

    class TestUsingH2Server:
        def setup_method(self, _):
            self.server = Running(doc_root, ports["h2"])
            self.client = H2Client("localhost", ports["h2"])
            self.client.map = self.server.router.map

        def teardown_method(self, _):
            self.client.close()

    class TestWrapperHandlerUsingServer(TestUsingServer):
        dummy_files: dict[str, bytes] = {}

        def setUp(self):
            super().setUp()
            for name, content in self.dummy_files.items():
                (doc_root / name).write_bytes(content)

        def tearDown(self):
            for name in self.dummy_files:
                (doc_root / name).unlink()

        def run_wrapper_test(self, file, content_type, wrapper, headers=None):
            expected = (doc_root / file).read_bytes()
            # The file itself would be served otherwise.
            with _without(doc_root / file):
                answer = self.request("/" + file)
                self.assertEqual(200, answer.getcode())
                self.assertEqual(content_type, answer.info()["Content-Type"])
                for name, value in headers or []:
                    self.assertEqual(value, answer.info()[name])
                self.assertEqual(expected, answer.read())

    module = types.ModuleType("functional.base")
    module.TestUsingServer, module.TestUsingH2Server = TestUsingServer, TestUsingH2Server
    module.TestWrapperHandlerUsingServer, module.doc_root = TestWrapperHandlerUsingServer, str(doc_root)
    return module


@contextlib.contextmanager
def _without(file: Path):
    content = file.read_bytes()
    file.unlink()
    try:
        yield
    finally:
        file.write_bytes(content)


def serve_module() -> types.ModuleType:
    """`serve.serve`: its handlers are routes of ours already."""
    module = types.ModuleType("serve.serve")
    module.__getattr__ = lambda name: type(name, (), {"is_wrapper": True})
    return module


def httpx_module() -> types.ModuleType:
    module = types.ModuleType("httpx")
    module.Client = H2Client
    return module


def configuration(doc_root: Path, root: Path, tls: bool) -> str:
    """One port for http with `localhost` in all names, or ports for https and h2 with the certificate of the checkout."""
    none = [None]
    ports = {name: none for name in ("http", "http-local", "http-public", "https", "https-local", "https-public", "ws", "wss",
                                     "webtransport-h3", "h2")}
    for name in ("https", "h2") if tls else ("http",):
        ports[name] = ["auto"]
    certificates = root / "tools/certs"
    pregenerated = {"host_key_path": str(certificates / "web-platform.test.key"),
                    "host_cert_path": str(certificates / "web-platform.test.pem"),
                    "ca_cert_path": str(certificates / "cacert.pem")}
    return json.dumps({
        "browser_host": "web-platform.test" if tls else "localhost", "server_host": "localhost", "check_subdomains": False,
        "ports": ports, "doc_root": str(doc_root), "import_policy": "warn",
        "ssl": {"type": "pregenerated", "pregenerated": pregenerated} if tls else {"type": "none"}})
