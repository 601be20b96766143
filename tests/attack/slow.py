"""Uploads that hardly come."""

import time

import base

NAME = "1,100 uploads of a byte a second"
BOUND = "`body_rate`, `body_grace_seconds` (5 seconds here)"
BOUNDS = {"body_grace_seconds": 5}


def run(server):
    clients = []
    for _ in range(1100):
        connection = server.connect()
        base.send(connection, b"POST /length.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        clients.append(connection)
    for _ in range(10):
        clients = [connection for connection in clients if base.send(connection, b"x")]
        time.sleep(1)
    return base.tally([base.outcome(connection, 0.01) for connection in clients]) or "all closed"
