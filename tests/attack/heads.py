"""Heads that do not end."""

import base

NAME = "40 unfinished heads of 512 lines of 64 KiB"
BOUND = "`head_bytes`, `head_seconds`, `buffered_bytes`"


def run(server):
    line = b"X: " + b"x" * 65_530 + b"\r\n"
    clients = []
    for _ in range(40):
        connection = server.connect()
        base.send(connection, b"GET /quick.py HTTP/1.1\r\n")
        for _ in range(511):
            if not base.send(connection, line):
                break
        clients.append(connection)
    return base.tally([base.outcome(connection, 1) for connection in clients])
