"""The odd kinds of requests: each a function that does one exchange and checks what comes back.

A client opens its own connections and closes them. Numbers in requests and answers make every answer one of a kind.
"""

from __future__ import annotations

import hashlib
import http.client
import random
import socket
import ssl
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from books import Books, Cut, Wrong, check
from websocket_sessions import BINARY, CLOSE, TEXT, close, frame
from websocket_sessions import request as handshake

try:
    import http2
    from hyperframe import frame as h2_frames
except ImportError:
    http2 = None

LIMIT = 60.0
LARGE = 2 * 2**20
UPLOADS = [0, 1, 1024, 65536, 65537, 2**20, 9 * 2**20]


class Target:
    """Where the server is, and the clients' common things."""

    def __init__(self, ports: dict[str, list[int]], site: Path, books: Books) -> None:
        self.ports, self.books = ports, books
        self.file, self.large = (site / "file.txt").read_bytes(), (site / "large.bin").read_bytes()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def address(self, scheme: str) -> tuple[str, int]:
        return "127.0.0.1", self.ports[scheme][0]

    def connect(self, scheme: str) -> socket.socket:
        stream = socket.create_connection(self.address(scheme), LIMIT)
        return self.tls.wrap_socket(stream, server_hostname="localhost") if scheme in ("https", "wss") else stream

    def http(self, scheme: str = "http") -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(*self.address(scheme), timeout=LIMIT, context=self.tls)
        return http.client.HTTPConnection(*self.address(scheme), timeout=LIMIT)


def number() -> int:
    return random.randrange(1 << 40)


def ask(connection: http.client.HTTPConnection, target: str, expected: bytes | None, status: int = 200, method: str = "GET",
        body: object = None, headers: dict[str, str] | None = None) -> bytes:
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != status:
        raise Wrong("%s %s: status %d instead of %d: %r" % (method, target, answer.status, status, content[:200]))
    if expected is not None:
        check(expected, content)
    return content


def upload(target: Target) -> None:
    size = random.choice(UPLOADS)
    body = struct.pack("!Q", number()) * (size // 8) + b"x" * (size % 8)
    expected = b"%d %s" % (size, hashlib.sha1(body).hexdigest().encode())
    with target.books.attempt("upload %s" % ("> 64 KiB" if size > 65536 else "small")):
        connection = target.http(random.choice(["http", "https"]))
        if random.random() < 0.5:
            # An iterable without a length makes the client send chunks.
            ask(connection, "/digest.py", expected, method="POST", body=pieces(body))
        else:
            ask(connection, "/digest.py", expected, method="POST", body=body)
        connection.close()


def pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[at:at + 50_000] for at in range(0, len(body), 50_000))


def stream(target: Target) -> None:
    parts, size = random.randrange(1, 40), random.choice([1, 100, 10_000, 70_000])
    expected = b"".join(bytes([part]) * size for part in range(parts))
    for how in ("iterable", "writer"):
        with target.books.attempt("stream"):
            connection = target.http()
            ask(connection, "/stream.py?how=%s&parts=%d&size=%d" % (how, parts, size), expected)
            connection.close()


def trickle(target: Target) -> None:
    with target.books.attempt("trickle"):
        connection = target.http()
        ask(connection, "/file.txt?pipe=trickle(100:d0.05:500)", target.file)
        connection.close()


def file(target: Target) -> None:
    with target.books.attempt("large file"):
        connection = target.http(random.choice(["http", "https"]))
        ask(connection, "/large.bin", target.large)
        connection.close()
    start = random.randrange(1000)
    with target.books.attempt("range"):
        connection = target.http()
        ask(connection, "/file.txt", target.file[start:start + 100], 206,
            headers={"Range": "bytes=%d-%d" % (start, start + 99)})
        connection.close()
    with target.books.attempt("listing"):
        connection = target.http()
        if b"file.txt" not in ask(connection, "/", None):
            raise Wrong("the listing has no file.txt")
        connection.close()


def tls(target: Target) -> None:
    with target.books.attempt("tls", 3):
        connection = target.http("https")
        for _ in range(3):
            one = number()
            ask(connection, "/hello.py?n=%d" % one, b"hello %d" % one)
        connection.close()


def stash(target: Target) -> None:
    key, value = uuid.uuid4(), b"value %d" % number()
    with target.books.attempt("stash", 3):
        connection = target.http()
        ask(connection, "/stash.py?key=%s" % key, b"put", method="POST", body=value)
        ask(connection, "/stash.py?key=%s" % key, value)
        ask(connection, "/stash.py?key=%s" % key, b"nothing")
        connection.close()


def errors(target: Target) -> None:
    one = number()
    with target.books.attempt("error 500"):
        connection = target.http()
        if b"ValueError: failed %d" % one not in ask(connection, "/fail.py?n=%d" % one, None, 500):
            raise Wrong("the answer does not have the handler's exception")
        connection.close()
    with target.books.attempt("error 404"):
        connection = target.http()
        ask(connection, "/missing/%d" % one, None, 404)
        connection.close()
    with target.books.attempt("error 400"), target.connect("http") as raw:
        raw.sendall(b"nonsense %d\r\n\r\n" % one)
        # Without a version in the request there is no head in the answer.
        answer = raw.makefile("rb").read()
        if b"Error code: 400" not in answer:
            raise Wrong("%r to nonsense" % answer[:200])


def exactly(raw: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = raw.recv(size - len(data))
        if not more:
            raise Cut("the connection ended")
        data += more
    return data


def open_websocket(raw: socket.socket) -> None:
    raw.sendall(handshake("/echo"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(raw, 1)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Wrong("%r to a handshake" % head[:200])


def receive(raw: socket.socket) -> tuple[int, bytes]:
    """One whole frame: its opcode and payload."""
    first, length = exactly(raw, 2)
    if length == 126:
        (length,) = struct.unpack("!H", exactly(raw, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", exactly(raw, 8))
    return first & 15, exactly(raw, length)


def websocket(target: Target) -> None:
    with target.books.attempt("websocket", 4), target.connect(random.choice(["ws", "wss"])) as raw:
        open_websocket(raw)
        for size, opcode in ((0, TEXT), (100, TEXT), (20_000, BINARY)):
            message = (b"%d " % number() * size)[:size]
            raw.sendall(frame(opcode, message))
            got, payload = receive(raw)
            check(message, payload)
            if got != opcode:
                raise Wrong("opcode %d instead of %d" % (got, opcode))
        raw.sendall(close(1000))
        if receive(raw) != (CLOSE, struct.pack("!H", 1000)):
            raise Wrong("no closing frame with 1000")


def h2_answer(connection: http2.Connection, streams: set[int]) -> dict[int, tuple[bytes, bytes]]:
    """Status and body of each of the streams."""
    found = {one: (b"", b"") for one in streams}
    left, block = set(streams), b""
    while left:
        got = connection.next(LIMIT)
        if got is None or isinstance(got, (h2_frames.GoAwayFrame, h2_frames.RstStreamFrame)):
            raise Cut("%s instead of the rest of the answers" % got)
        if isinstance(got, h2_frames.SettingsFrame) and "ACK" not in got.flags:
            connection.send(h2_frames.SettingsFrame(0), "ACK")
        if isinstance(got, (h2_frames.HeadersFrame, h2_frames.ContinuationFrame)):
            block += bytes(got.data)
            if "END_HEADERS" in got.flags:
                fields, block = dict(connection.decoder.decode(block, raw=True)), b""
                found[got.stream_id] = (fields[b":status"], b"")
        elif isinstance(got, h2_frames.DataFrame):
            status, body = found[got.stream_id]
            found[got.stream_id] = (status, body + bytes(got.data))
        if "END_STREAM" in got.flags:
            left.discard(got.stream_id)
    return found


def h2(target: Target) -> None:
    def fields(path: str, method: str = "GET") -> list[tuple[str, str]]:
        return [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]

    with target.books.attempt("http/2", 6):
        connection = http2.Connection(target.address("h2"))
        expected = {}
        for _ in range(3):
            one = number()
            expected[connection.request(fields("/hello.py?n=%d" % one), [], None)] = b"hello %d" % one
        expected[connection.request(fields("/echo.py", "POST"), ["body ", "in parts"], None)] = b"body in parts"
        expected[connection.request(fields("/file.txt"), [], None)] = target.file
        expected[connection.request(fields("/stream.py?how=iterable&parts=9&size=9000"), [], None)] = b"".join(
            bytes([part]) * 9000 for part in range(9))
        for stream_id, (status, body) in h2_answer(connection, set(expected)).items():
            if status != b"200":
                raise Wrong("status %r: %r" % (status, body[:200]))
            check(expected[stream_id], body)
        connection.close()


def disconnect(target: Target) -> None:
    """Leaves at any point of a request or an answer, with an end or with a reset."""
    body = b"POST /digest.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
    scheme, data, taken = random.choice([
        ("http", body[:random.randrange(60)], 0),
        ("http", body[:random.randrange(200_000)], 0),
        ("http", b"GET /stream.py?how=writer&parts=200&size=20000 HTTP/1.1\r\nHost: localhost\r\n\r\n", random.randrange(99_999)),
        ("http", b"GET /stream.py?how=iterable&parts=200&size=20000 HTTP/1.1\r\nHost: localhost\r\n\r\n", random.randrange(99_999)),
        ("http", b"GET /file.txt?pipe=trickle(1:d0.1:r2) HTTP/1.1\r\nHost: localhost\r\n\r\n", random.randrange(200)),
        ("https", b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", random.randrange(99_999)),
        ("ws", handshake("/echo") + frame(TEXT, b"x" * random.randrange(70_000))[:random.randrange(1, 70_000)], 0),
        ("h2", b"\x16\x03\x01" + bytes(random.randrange(100)), 0),
    ])
    with target.books.attempt("disconnect"), target.connect(scheme) as raw:
        raw.sendall(data)
        while taken > 0:
            # A part of the answer has to be there to be left.
            taken -= len(exactly(raw, min(taken, 4096)))
        if random.random() < 0.5:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def crash(target: Target, how: str) -> None:
    """Has the process that serves ended, and waits until there is service again. Its latency is the time without service."""
    with target.books.crash():
        with target.books.attempt("crash"):
            connection = target.http()
            try:
                connection.request("GET", "/crash.py?how=" + how)
                raise Wrong("status %d instead of a crash" % connection.getresponse().status)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                pass
            begun = time.monotonic()
            while True:
                try:
                    again = target.http()
                    ask(again, "/hello.py?n=1", b"hello 1")
                    again.close()
                    break
                except (http.client.HTTPException, ConnectionResetError, TimeoutError) as error:
                    # The dead process had taken the connection.
                    if time.monotonic() > begun + LIMIT:
                        raise Wrong("no service %.0f s after a crash" % LIMIT) from error


ODD: list[Callable[[Target], None]] = [upload, stream, trickle, file, tls, stash, errors, websocket, disconnect, disconnect]
if http2:
    ODD.append(h2)
