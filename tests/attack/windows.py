"""Answers that nobody takes."""

import base

NAME = "20 HTTP/2 connections with closed windows, 100 answers of 1.7 MB each"
BOUND = "`h2_buffered_bytes`, `buffered_bytes`"


def run(server):
    clients = []
    for _ in range(20):
        client = base.H2(server, 0)
        for _ in range(100):
            client.request("/large.py?size=1700000")
        clients.append(client)
    first = base.tally([clients[0].goaway(10)])
    return ", ".join([first, base.tally([client.goaway(0.5) for client in clients[1:]])])
