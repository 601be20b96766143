"""Measures the binary beside wptserve 4.0.3 on this machine: requests a second, latency, and sleeping handlers.

Not a judgement by itself (clients and servers share the machine's cores), and no test: it prints a table. One client
process per server, keep-alive connections where the answer allows them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/differential"))

from servers import REFERENCE, Server, candidate_command  # noqa: E402

TARGETS = [("a handler", "/basic/bytes.py"), ("a handler with a helper", "/cookies/resources/set.py"),
           ("a handler that fails", "/basic/raises.py"), ("a static file", "/files/style.css"),
           ("one mebibyte", "/basic/large.py")]


def in_parallel(workers: int, body: Callable[[], None]) -> float:
    threads = [threading.Thread(target=body) for _ in range(workers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def fetch(connection: HTTPConnection, target: str) -> int:
    connection.request("GET", target)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def throughput(server: Server, target: str, workers: int, seconds: float) -> tuple[float, float, float]:
    """Requests a second, and the median and 99th percentile latency in milliseconds."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    def client() -> None:
        connection = HTTPConnection(server.host, server.port, timeout=30)
        while (before := time.perf_counter()) < until:
            fetch(connection, target)
            times.append(time.perf_counter() - before)
        connection.close()

    took = in_parallel(workers, client)
    ordered = sorted(times)
    return len(times) / took, statistics.median(ordered) * 1000, ordered[int(len(ordered) * 0.99)] * 1000


def sleepers(server: Server, count: int) -> tuple[float, int]:
    """How long `count` handlers that sleep two seconds take together, and how many answered 200."""
    good: list[int] = []

    def client() -> None:
        connection = HTTPConnection(server.host, server.port, timeout=60)
        try:
            if fetch(connection, "/basic/sleep.py?seconds=2") == 200:
                good.append(1)
        except OSError:
            pass  # counted by its absence

    return in_parallel(count, client), len(good)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary")
    parser.add_argument("--candidate-command")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--sleepers", type=int, default=300)
    args = parser.parse_args()
    command = candidate_command(args.binary, args.candidate_command)
    print("%-26s %-10s %10s %10s %10s" % ("", "", "req/s", "p50 ms", "p99 ms"))
    for name, start in (("wptserve", REFERENCE), ("ours", command)):
        with Server(name, start, ROOT / "fixtures/site") as server:
            print("%-26s %-10s %10.2f s" % ("ready after", name, server.start_seconds))
            for label, target in TARGETS:
                rate, median, tail = throughput(server, target, args.workers, args.seconds)
                print("%-26s %-10s %10.0f %10.2f %10.2f" % (label, name, rate, median, tail))
            took, good = sleepers(server, args.sleepers)
            print("%-26s %-10s %10.2f s, %d of %d answered" % ("%d sleep 2 s" % args.sleepers, name, took, good,
                                                               args.sleepers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
