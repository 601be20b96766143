"""Answers over HTTP/1 that nobody takes."""

import base

NAME = "200 clients that ask for 20 MB over HTTP/1, one after the other, and do not read"
BOUND = "`buffered_bytes`"
SIZE = 20_000_000


def run(server):
    clients = []
    for _ in range(200):
        connection = server.connect()
        base.send(connection, b"GET /large.py?size=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % SIZE)
        try:
            # Its handler is done when the first byte is there.
            connection.recv(1)
        except OSError:
            pass
        clients.append(connection)
    return base.tally([took(connection) for connection in clients])


def took(connection):
    count = 1
    try:
        while count < SIZE:
            more = connection.recv(1 << 20)
            if not more:
                return "closed in mid-answer"
            count += len(more)
    except TimeoutError:
        return "silence"
    except OSError:
        return "closed in mid-answer"
    return "whole"
