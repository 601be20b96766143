"""Sends one raw request and reads the raw answer: bytes in, bytes out, no HTTP library in between.

It knows just enough HTTP to see where an answer ends; it judges nothing.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import NamedTuple

BYTE_CAP = 1 << 20
TIME_CAP = 12.0
IDLE = 0.06
# Which certificate is served is not compared here, and no client of this kind asks for another one.
TLS_NAME = "web-platform.test"

STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})")
LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
HEAD_END = re.compile(rb"\r?\n\r?\n")


class Address(NamedTuple):
    """Where to connect, and whether to encrypt."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass
class Answer:
    """What came back. `end` is how it ended: closed, open, reset, refused, no TLS, bytes (cap), time (cap).

    `silent` says of a time cap that nothing had come for the second half of it: no stream, but an answer whose end
    nobody announced, on a connection that nobody closes.
    """

    raw: bytes
    end: str
    seconds: float
    silent: bool = False

    @property
    def capped(self) -> bool:
        return self.end in ("bytes", "time")


def expected_length(raw: bytes, method: bytes) -> int | None:
    """How long the whole answer is, if its head says so; interim answers (1xx) are stepped over."""
    start = 0
    while True:
        end = HEAD_END.search(raw, start)
        if not end:
            return None
        head = raw[start:end.start()]
        status = STATUS.match(head)
        if not status:
            return None
        code = int(status.group(1))
        if code < 200 and code != 101:
            start = end.end()
            continue
        length = LENGTH.search(head)
        if not length:
            return None
        if method == b"HEAD" or code in (204, 304):
            return end.end()
        return end.end() + int(length.group(1))


def exchange(address: Address, request: bytes, *, idle: float = IDLE, byte_cap: int = BYTE_CAP,
             time_cap: float = TIME_CAP, half_close: bool = False) -> Answer:
    """One connection, one request, everything that comes back within the limits."""
    started = time.monotonic()
    deadline = started + time_cap
    method = request.split(b" ", 1)[0]
    raw = bytearray()
    last_byte = started

    def answer(end: str, waited: float = 0.0) -> Answer:
        now = time.monotonic()
        return Answer(bytes(raw[:byte_cap]), end, now - started - waited, now - last_byte > time_cap / 2)

    try:
        connection = socket.create_connection(address[:2], timeout=time_cap)
    except OSError:
        return answer("refused")
    if address.tls:
        try:
            connection = address.tls.wrap_socket(connection, server_hostname=TLS_NAME)
        except OSError:
            connection.close()
            return answer("no TLS")
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server may have answered and closed before it read everything: read what it said
        wanted: int | None = None
        while True:
            if wanted is None:
                wanted = expected_length(bytes(raw[:65536]), method)
            complete = wanted is not None and len(raw) >= wanted
            left = deadline - time.monotonic()
            if left <= 0:
                return answer("time")
            connection.settimeout(min(idle, left) if complete else left)
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return answer("open", idle) if complete else answer("time")
            except OSError:
                return answer("reset")
            if not piece:
                return answer("closed")
            raw += piece
            last_byte = time.monotonic()
            if len(raw) >= byte_cap:
                return answer("bytes")
