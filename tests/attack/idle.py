"""Connections that say nothing."""

import resource

import base

NAME = "more connections than there may be, nothing sent"
BOUND = "`connections` (2,000 here), `idle_seconds`"
BOUNDS = {"connections": 2000}


def run(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(2500, hard - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 100), hard))
    clients = [server.connect() for _ in range(count)]
    refused = [base.outcome(connection, 1) for connection in clients[2000:2020]]
    for connection in clients:
        connection.close()
    return f"of those beyond the bound: {base.tally(refused)}"
