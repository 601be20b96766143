"""`make soak`: a mix of everything against one server for a long time, then a verdict about memory, descriptors, threads and answers.

wrk sends the bulk of the requests (mix.lua); Python threads beside it do what wrk cannot: uploads, streams, TLS, HTTP/2, WebSocket, the
stash, errors, and leaving at any point. Every answer is compared with what it has to be. In the first quarter of the run the process
that serves is made to crash over and over, if there is a supervisor; then a process serves to the end, and its memory is judged.

Exit code 0 if all findings are well, 1 if one is not.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[1:1] = [str(ROOT / "tests/differential"), str(ROOT / "benches")]

import bulk  # noqa: E402
import clients  # noqa: E402
import network  # noqa: E402
from arithmetic import Finding, Row, judge  # noqa: E402
from books import Books  # noqa: E402
from measure import Sample, Sampler, median  # noqa: E402
from servers import Server, candidate_command  # noqa: E402

CRASH_SHARE = 0.25
# Seconds from one crash to the next; shorter when that would be fewer than so many crashes.
CRASH_PAUSE, FEWEST_CRASHES = 5.0, 6
CRASHES = ["abort", "exit", "kill"]
# An odd client rests for so many times as long as it has worked, so that all of them together leave the cores to wrk and the server.
REST, LEAST_REST = 3.0, 0.05
# Seconds from one look at the processes to the next.
SAMPLE = 0.25
# Seconds that the server has for clearing up when all clients have gone.
CLEAR_UP = 30.0
HEADER = ("   time    requests  child MiB  superv. MiB  temp. MiB  descriptors  threads  bulk p50 ms  p99 ms   lost  failed  wrong")


def configuration(work: Path) -> dict:
    ports = {scheme: ["auto"] for scheme in ("http", "https", "h2", "ws", "wss")}
    ports.update({scheme: [] for scheme in ("http-local", "http-public", "https-local", "https-public")})
    return {"browser_host": "localhost", "server_host": "127.0.0.1", "check_subdomains": False, "ports": ports,
            "ssl": {"type": "openssl", "openssl": {"base_path": str(work / "certificates")}}}


def over_and_over(client: Callable[[clients.Target], None], target: clients.Target, is_over: threading.Event) -> None:
    pause = 0.0
    while not is_over.wait(pause):
        begun = time.monotonic()
        client(target)
        pause = max(LEAST_REST, REST * (time.monotonic() - begun)) * random.uniform(0.5, 1.5)


def crashes(target: clients.Target, until: float) -> None:
    number, rest = 0, min(CRASH_PAUSE, (until - time.monotonic()) / FEWEST_CRASHES)
    while time.monotonic() < until:
        clients.crash(target, CRASHES[number % len(CRASHES)])
        number += 1
        time.sleep(max(0.0, min(rest, until - time.monotonic())))


def cells(child: float, supervisor: float | None) -> str:
    return "%.0f" % child if supervisor is None else "%.0f+%.0f" % (child, supervisor)


def shown(row: Row, latency: tuple[float, float], counts: object) -> str:
    supervisor = row.supervisor
    return "%6.0f s %11d %10.1f %12s %10.1f %12s %8s %12.1f %7.1f %6d %7d %6d%s" % (
        row.seconds, row.requests, row.child.memory, "%.1f" % supervisor.memory if supervisor else "-", row.temporary,
        cells(row.child.descriptors, supervisor and supervisor.descriptors),
        cells(row.child.threads, supervisor and supervisor.threads), *latency, counts.lost, counts.failed, counts.wrong,
        "" if row.is_steady else "  crashes")


class Soak:
    def __init__(self, server: Server, site: Path, temporary: Path, seconds: float, mix: list[str]) -> None:
        self.server, self.site, self.temporary, self.mix = server, site, temporary, mix
        self.seconds, self.slice = seconds, max(1, min(60, round(seconds / 60)))
        self.books = Books(seconds)
        self.target = clients.Target(server.ports, site, self.books)
        self.rows: list[Row] = []

    def run(self) -> list[Finding]:
        clients.tls(self.target)
        before = Sample(self.server.pid, self.temporary)
        is_over, started = threading.Event(), time.monotonic()
        steady_from = started + (CRASH_SHARE * self.seconds if before.supervisor else 0.0)
        odd = [threading.Thread(target=over_and_over, args=(client, self.target, is_over), daemon=True)
               for client in clients.ODD]
        if before.supervisor:
            odd.append(threading.Thread(target=crashes, args=(self.target, steady_from), daemon=True))
        else:
            print("SKIPPED: no process is made to crash, because this server has no supervisor")
        sampler = Sampler(self.server.pid, self.temporary, SAMPLE)
        for thread in [*odd, sampler]:
            thread.start()
        print(HEADER, flush=True)
        while time.monotonic() < started + self.seconds and self.server.alive():
            self.one_slice(sampler, started, steady_from)
        is_over.set()
        for thread in odd:
            thread.join()
        sampler.stop()
        if not self.server.alive():
            return [Finding("the server's process", False, "it has ended:\n" + self.server.log_tail())]
        after = self.cleared_up(before)
        at_once = bulk.CONNECTIONS + len(clients.ODD)
        return judge(self.rows, self.books.counts, at_once, before.child, after.child, after.temporary)

    def one_slice(self, sampler: Sampler, started: float, steady_from: float) -> None:
        begun = time.monotonic()
        if bulk.is_there():
            url = "http://%s:%d" % self.target.address("http")
            # A crash is over when there is service again; wrk may see it until the end of its slice.
            latency = bulk.run(url, self.site, self.slice, self.mix, self.books, lambda: self.books.crashed_since(begun))
        else:
            latency = (math.nan, math.nan)
            time.sleep(self.slice)
        samples = sampler.take()
        if not samples:
            return
        newest = samples[-1].child_pid
        same = [sample for sample in samples if sample.child_pid == newest]
        supervisors = [sample.supervisor for sample in samples if sample.supervisor]
        # A crash may reach a little beyond its time.
        is_steady = begun >= steady_from and not self.books.crashed_since(begun)
        row = Row(time.monotonic() - started, self.books.counts.answered, median([sample.child for sample in same]),
                  median(supervisors) if supervisors else None, newest, max(sample.temporary for sample in samples), is_steady)
        self.rows.append(row)
        print(shown(row, latency, self.books.counts), flush=True)

    def cleared_up(self, before: Sample) -> Sample:
        """The server when all clients have gone, as soon as it holds no more than before, or when its time is up."""
        deadline = time.monotonic() + CLEAR_UP
        while True:
            now = Sample(self.server.pid, self.temporary)
            if time.monotonic() > deadline or (now.child.descriptors <= before.child.descriptors
                                               and now.child.threads <= before.child.threads and not now.temporary):
                return now
            time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--minutes", type=float, default=10.0, help="a fraction will do: 0.3")
    parser.add_argument("--classes", type=int, default=4, help="of about a hundred requests, how many run class statements")
    parser.add_argument("--leak", choices=["list", "class"], help="ask for a handler that leaks, to see the verdict red")
    arguments = parser.parse_args()
    print(network.enter())
    if not bulk.is_there():
        print("SKIPPED: wrk is not installed, so the odd kinds are all that is asked for (apt-get install wrk)")
    if clients.http2 is None:
        print("SKIPPED: HTTP/2, because this Python has no hpack (make reference has it)")
    with tempfile.TemporaryDirectory(prefix="wptserve-soak-") as folder:
        work = Path(folder)
        # A copy, so that nothing that the server or the run writes lands in the sources.
        site, temporary = work / "site", work / "temporary"
        shutil.copytree(HERE / "site", site)
        (site / "large.bin").write_bytes(random.randbytes(clients.LARGE))
        temporary.mkdir()
        (work / "config.json").write_text(json.dumps(configuration(work)))
        os.environ["TMPDIR"] = str(temporary)
        with Server("soak", candidate_command(arguments.binary, None), site, config=work / "config.json") as server:
            soak = Soak(server, site, temporary, arguments.minutes * 60,
                        [str(arguments.classes), *([arguments.leak] if arguments.leak else [])])
            findings = soak.run()
            print("\n" + soak.books.latencies() + "\n")
            is_well = all(finding.is_well for finding in findings)
            if not is_well:
                print("".join("%s\n" % example for example in soak.books.counts.examples) + server.log_tail() + "\n")
        print("\n".join(map(str, findings)))
        print("verdict: %s" % ("well" if is_well else "RED"))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
