"""Measures how long the binary and a checkout's own `wpt serve` take from their start until all ports answer.

The same configuration for both (eleven listeners), in turn, several times. A port answers when it has said something to
what its clients say first: an HTTP request, or a TLS greeting. Also counted: processes, threads and memory then, and how
long the end takes after SIGINT. Not a judgement by itself, and no test: it prints a table.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/differential"))

from load import family, resident  # noqa: E402
from servers import START_LIMIT, candidate_command  # noqa: E402
from wire import Address, exchange  # noqa: E402
from wpt_serve import WptServer, configuration, free_ports, reference_command  # noqa: E402

REQUEST = b"HEAD / HTTP/1.0\r\n\r\n"


@dataclass
class Measured:
    """One start. `memory` in MiB is the sum over the processes of what is theirs."""

    first: float
    all: float
    stop: float
    exit_code: int | None
    processes: int
    threads: int
    memory: float


class Timed(WptServer):
    """A `wpt serve` that is asked, not only connected to."""

    first = 0.0

    def _connects(self, port: int) -> bool:
        listener = next(name for name, own in self.ports.items() if own == port)
        answered = self._answers(self.address_of(listener), port == self.ports["h2"])
        if answered and not self.first:
            self.first = time.monotonic()
        return answered

    def _answers(self, address: Address, silent: bool) -> bool:
        if not silent:
            answer = exchange(address, REQUEST, idle=0.0)
            return answer.raw.startswith(b"HTTP/")
        # The port for HTTP/2 takes nothing else, so a finished greeting has to do.
        try:
            with socket.create_connection(address[:2], timeout=START_LIMIT) as connection:
                self._tls.wrap_socket(connection, server_hostname="web-platform.test").close()
        except OSError:
            return False
        return True


def measure(name: str, command: list[str], config: dict, root: Path) -> Measured:
    server = Timed(name, command, config, root)
    started = time.monotonic()
    with server:
        all_answer = time.monotonic() - started
        first = server.first - started
        members = family(server.pid)
        threads = sum(len(os.listdir("/proc/%d/task" % member)) for member in members)
        used = resident(server.pid)
    return Measured(first, all_answer, server.stop_seconds, server.exit_code, len(members), threads, used)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary")
    parser.add_argument("--candidate-command")
    parser.add_argument("--root", type=Path, default=os.environ.get("WPT_ROOT"), help="the checkout ($WPT_ROOT)")
    parser.add_argument("--runs", type=int, default=7, help="starts of each (7)")
    parser.add_argument("--first-port", type=int)
    args = parser.parse_args()
    if args.root is None:
        parser.error("name the checkout: --root DIR, or WPT_ROOT in the environment")
    root = args.root.resolve()
    sides = {"wpt serve": (reference_command(root), "127.0.0.2"),
             "ours": (candidate_command(args.binary, args.candidate_command), "127.0.0.3")}
    ports = free_ports([address for _, address in sides.values()], args.first_port)
    results: dict[str, list[Measured]] = {name: [] for name in sides}
    for number in range(args.runs + 1):
        for name, (command, address) in sides.items():
            measured = measure(name, command, configuration(root, root, address, ports), root)
            if number:  # the first start of each fills the caches of the system
                results[name].append(measured)
    print("%d starts of each in turn, medians (least to most); %d listeners" % (args.runs, len(ports) - 1))
    table("first port answers, s", results, lambda one: one.first, 3)
    ratio = table("all ports answer, s", results, lambda one: one.all, 3)
    table("end after SIGINT, s", results, lambda one: one.stop, 3)
    table("exit code", results, lambda one: one.exit_code if one.exit_code is not None else -1, 0)
    table("processes", results, lambda one: one.processes, 0)
    table("threads", results, lambda one: one.threads, 0)
    table("memory, MiB", results, lambda one: one.memory, 1)
    print("ours starts %.1f times as fast" % ratio)
    return 0


def table(label: str, results: dict[str, list[Measured]], value: Callable[[Measured], float], digits: int) -> float:
    """Prints a line for each side; how many times the first side's median is the second's."""
    medians = []
    for name, measured in results.items():
        values = sorted(value(one) for one in measured)
        medians.append(statistics.median(values))
        print("%-24s %-10s %10.*f  (%.*f to %.*f)" % (label, name, digits, medians[-1], digits, values[0], digits,
                                                      values[-1]))
    return medians[0] / medians[1] if medians[1] else float("inf")


if __name__ == "__main__":
    sys.exit(main())
