"""An upload that does not end."""

import time

import base

NAME = "an endless upload, ended after 3 seconds or 3 GB"
BOUND = "`body_bytes`, `temporary_bytes`"


def run(server):
    connection = server.connect()
    base.send(connection, b"POST /length.py HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    sent, most, deadline = 0, 0, time.monotonic() + 3
    while sent < 3000 and time.monotonic() < deadline and base.send(connection, chunk):
        sent += 1
        if sent % 64 == 0:
            most = max(most, server.temporary_bytes())
    return f"{base.outcome(connection, 1)} after {sent} MiB, temporary files of {max(most, server.temporary_bytes())} MiB"
