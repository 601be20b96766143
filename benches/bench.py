"""`make bench`: our binary beside wptserve 4.0.3, plain actix-web and actix-files, on this machine, in one run.

All servers run at the same time and are loaded in turn, round after round, so that whatever else the machine does hits all of
them; the table shows medians, and ratios of medians taken in the same rounds. Load generator and servers share the cores:
the ratios are the result, not the figures. It judges nothing and always ends with 0 unless an answer is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests/differential"))

import network  # noqa: E402
from load import Load, machine, resident, wrk  # noqa: E402
from servers import REFERENCE, Server, candidate_command  # noqa: E402
from startup import Measured, measure  # noqa: E402
from wpt_serve import configuration, free_ports, reference_command  # noqa: E402

HEAVY = sorted(path.stem for path in (HERE / "site/heavy").glob("*.py"))
LARGE = 100 * 2**20


class Bench:
    """The servers, and what has been measured: rows of (what, figure of each server, note)."""

    def __init__(self, command: list[str], peers: Path, site: Path, quick: bool) -> None:
        self.command, self.site, self.quick = command, site, quick
        self.rounds, self.seconds = (1, 1) if quick else (5, 3)
        self.rows: list[dict] = []
        self._peers_binary = peers

    def __enter__(self) -> "Bench":
        with contextlib.ExitStack() as stack:
            self.ours = stack.enter_context(Server("ours", self.command, self.site))
            self.wptserve = stack.enter_context(Server("wptserve", REFERENCE, self.site))
            self._peers = subprocess.Popen([str(self._peers_binary), str(self.site)], stdout=subprocess.PIPE, text=True)
            stack.callback(self._stop_peers)
            self.peers_port = int(self._peers.stdout.readline())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *cause: object) -> None:
        self._stack.close()

    def _stop_peers(self) -> None:
        self._peers.kill()
        self._peers.wait()

    def url(self, server: Server, path: str) -> str:
        return "http://%s:%d%s" % (server.host, server.port, path)

    def peer(self, path: str) -> str:
        return "http://127.0.0.1:%d%s" % (self.peers_port, path)

    def row(self, what: str, figures: dict[str, float], unit: str, note: str = "", **details: object) -> None:
        self.rows.append({"what": what, "unit": unit, "figures": figures, "note": note, **details})
        print("%-58s %s  %s" % (what, "  ".join("%s %.4g" % item for item in figures.items()), note), flush=True)

    def in_turn(self, runs: dict[str, Callable[[], Load]]) -> dict[str, list[Load]]:
        """Each run once a round; what is returned has one list per name, round by round."""
        results: dict[str, list[Load]] = {name: [] for name in runs}
        for _ in range(self.rounds):
            for name, run in runs.items():
                results[name].append(run())
        return results

    def compare(self, what: str, runs: dict[str, Callable[[], Load]], figure: str = "rate", unit: str = "req/s") -> None:
        results = self.in_turn(runs)
        figures = {name: statistics.median(getattr(load, figure) for load in loads) for name, loads in results.items()}
        ratios = {name: statistics.median(getattr(ours, figure) / max(getattr(other, figure), 1e-9)
                                          for ours, other in zip(results["ours"], loads))
                  for name, loads in results.items() if name != "ours"}
        errors = {name: sum(load.errors for load in loads) for name, loads in results.items()}
        note = ", ".join("%.3g x %s" % (ratio, name) for name, ratio in ratios.items())
        note += "".join(", %d errors of %s" % (count, name) for name, count in errors.items() if count)
        self.row(what, figures, unit, note, ratios=ratios, errors=errors,
                 loads={name: [load.as_dict() for load in loads] for name, loads in results.items()})


def trivial(bench: Bench) -> None:
    for connections, figure, unit in ((16, "rate", "req/s"), (1, "p50", "ms")):
        bench.compare("trivial handler, %d connection(s), %s" % (connections, unit), {
            "wptserve": lambda: wrk(bench.url(bench.wptserve, "/hello.py"), connections, bench.seconds),
            "ours": lambda: wrk(bench.url(bench.ours, "/hello.py"), connections, bench.seconds),
            "actix-web": lambda: wrk(bench.peer("/hello"), connections, bench.seconds),
        }, figure, unit)


def static(bench: Bench) -> None:
    closing = {"Connection": "close"}
    bench.compare("small static file, 16 connections", {
        "wptserve": lambda: wrk(bench.url(bench.wptserve, "/small.css"), 16, bench.seconds),
        "ours": lambda: wrk(bench.url(bench.ours, "/small.css"), 16, bench.seconds),
        "actix-files": lambda: wrk(bench.peer("/files/small.css"), 16, bench.seconds),
        "actix-files, closing": lambda: wrk(bench.peer("/files/small.css"), 16, bench.seconds, closing),
    })
    before = resident(bench.ours.pid)
    bench.compare("100 MiB static file, 1 connection", {
        "wptserve": lambda: wrk(bench.url(bench.wptserve, "/large.bin"), 1, bench.seconds),
        "ours": lambda: wrk(bench.url(bench.ours, "/large.bin"), 1, bench.seconds),
        "actix-files": lambda: wrk(bench.peer("/files/large.bin"), 1, bench.seconds),
    }, "bytes_per_second", "bytes/s")
    bench.row("memory gained by serving it", {"ours": resident(bench.ours.pid) - before}, "MiB")


def width(bench: Bench) -> None:
    """The same over few and many connections; what plain actix-web does shows how much of it is the load generator."""
    counts = (1, 16) if bench.quick else (1, 16, 256, 2000)
    runs: dict[str, Callable[[], Load]] = {}
    for count in counts:
        runs["ours, %d" % count] = lambda count=count: wrk(bench.url(bench.ours, "/hello.py"), count, bench.seconds)
        runs["actix-web, %d" % count] = lambda count=count: wrk(bench.peer("/hello"), count, bench.seconds)
    results = bench.in_turn(runs)
    rates = {name: statistics.median(load.rate for load in loads) for name, loads in results.items()}
    errors = sum(load.errors for loads in results.values() for load in loads)
    bench.row("trivial handler, by connections", rates, "req/s", ", ".join(
        "%.3g x actix-web at %d" % (rates["ours, %d" % count] / rates["actix-web, %d" % count], count)
        for count in counts) + ", %d errors" % errors)


def sleepers(bench: Bench) -> None:
    """Many handlers asleep, and a quick one meanwhile."""
    count = 50 if bench.quick else 1000
    with Server("ours", bench.command, bench.site) as server:
        idle = resident(server.pid)
        bench.row("memory when idle", {"ours": idle, "wptserve": resident(bench.wptserve.pid)}, "MiB")
        asleep: list[Load] = []
        sleep = bench.seconds + 2
        thread = threading.Thread(target=lambda: asleep.append(
            wrk(bench.url(server, "/sleep.py?seconds=%d" % sleep), count, sleep + 1)))
        thread.start()
        time.sleep(1.0)
        meanwhile = wrk(bench.url(server, "/hello.py"), 1, bench.seconds)
        full = resident(server.pid)
        thread.join()
    bench.row("memory with %d handlers asleep" % count, {"ours": full}, "MiB", "%d errors" % asleep[0].errors)
    bench.row("a quick handler meanwhile, p99", {"ours": meanwhile.p99}, "ms", "p50 %.3g ms" % meanwhile.p50)


def idle(bench: Bench) -> None:
    """What a connection costs that has had an answer and waits."""
    count = 50 if bench.quick else 1000
    figures = {}
    for name, command in (("wptserve", REFERENCE), ("ours", bench.command)):
        with Server(name, command, bench.site) as server, contextlib.ExitStack() as stack:
            wrk(bench.url(server, "/hello.py"), 16, 1)
            before = resident(server.pid)
            for _ in range(count):
                connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
                stack.callback(connection.close)
                connection.request("GET", "/hello.py")
                connection.getresponse().read()
            figures[name] = (resident(server.pid) - before) * 1024 / count
    bench.row("memory of each of %d idle connections" % count, figures, "KiB")


def fetch(server: Server, path: str, limit: float) -> tuple[int, float]:
    """The status of the answer, and milliseconds from the request to the last byte, on a new connection."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=limit)
    with contextlib.closing(connection):
        connection.connect()
        started = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - started) * 1000


def timed(server: Server, path: str, limit: float = 120.0) -> float:
    """Milliseconds for an answer, which has to be a success."""
    status, took = fetch(server, path, limit)
    if status >= 400:
        raise SystemExit("%s answered %d to %s:\n%s" % (server.name, status, path, server.log_tail()))
    return took


def heavy(bench: Bench) -> None:
    for name in HEAVY:
        path = "/heavy/%s.py" % name
        times: dict[str, list[float]] = {"wptserve": [], "ours": []}
        for server in (bench.wptserve, bench.ours):
            timed(server, path)  # imports and compilation are measured elsewhere
        for _ in range(2 if bench.quick else 15):
            for server in (bench.wptserve, bench.ours):
                times[server.name].append(timed(server, path))
        figures = {name: statistics.median(values) for name, values in times.items()}
        bench.row("heavy: " + name, figures, "ms", "%.3g x as long as wptserve" % (figures["ours"] / figures["wptserve"]))


def handlers_of(root: Path, most: int | None) -> list[str]:
    """The paths of a checkout's handlers, without those that wait on purpose."""
    sources = {path: path.read_bytes() for path in root.rglob("*.py")}
    return sorted("/" + str(path.relative_to(root)) for path, source in sources.items()
                  if b"def main(" in source and b"sleep" not in source)[:most]


def cold(bench: Bench, root: Path) -> None:
    """The first request to each handler of a checkout that a bare GET makes answer with a success."""
    with Server("ours", bench.command, root) as server:
        times = []
        for path in handlers_of(root, 20 if bench.quick else None):
            with contextlib.suppress(SystemExit, OSError, http.client.HTTPException):
                times.append(timed(server, path, limit=5.0))
    figures = {"ours": statistics.median(times)}
    bench.row("first request to a handler, median of %d" % len(times), figures, "ms",
              "nine of ten under %.3g ms" % statistics.quantiles(times, n=10)[-1])


def checkout(bench: Bench, root: Path) -> None:
    """A GET for each handler of a checkout, eight at a time, of those that both servers answer within half a second: the others
    wait for something, or send gigabytes, which measures the client."""
    with Server("wptserve", REFERENCE, root) as wptserve, Server("ours", bench.command, root) as ours, \
            ThreadPoolExecutor(8) as pool:
        def answers(server: Server, path: str) -> bool:
            try:
                return fetch(server, path, limit=0.5)[1] < 500
            except (OSError, http.client.HTTPException):
                return False

        paths = handlers_of(root, None)
        for server in (wptserve, ours):
            paths = [path for path, good in zip(paths, pool.map(lambda path: answers(server, path), paths)) if good]
        times: dict[str, list[float]] = {"wptserve": [], "ours": []}
        for _ in range(bench.rounds):
            for server in (wptserve, ours):
                started = time.perf_counter()
                all(pool.map(lambda path: answers(server, path), paths))
                times[server.name].append(time.perf_counter() - started)
    figures = {name: statistics.median(values) for name, values in times.items()}
    bench.row("a GET for each of %d handlers, 8 at a time" % len(paths), figures, "s",
              "%.3g x wptserve" % (figures["wptserve"] / figures["ours"]))


def start_all(bench: Bench, root: Path) -> None:
    """The start of the whole `wpt serve`, for a checkout that has one."""
    sides = {"wpt serve": (reference_command(root), "127.0.0.2"), "ours": (bench.command, "127.0.0.3")}
    ports = free_ports([address for _, address in sides.values()])
    measured: dict[str, list[Measured]] = {name: [] for name in sides}
    for _ in range(bench.rounds + 1):
        for name, (command, address) in sides.items():
            measured[name].append(measure(name, command, configuration(root, root, address, ports), root))
    # The first start of each fills the caches of the system.
    figures = {name: {what: statistics.median(getattr(one, what) for one in ones[1:])
                      for what in ("all", "processes", "memory")} for name, ones in measured.items()}
    bench.row("start, until all %d ports answer" % (len(ports) - 1), {name: of["all"] * 1000 for name, of in figures.items()},
              "ms", "%.3g times as fast" % (figures["wpt serve"]["all"] / figures["ours"]["all"]))
    for what, unit in (("processes", ""), ("memory", "MiB")):
        bench.row("%s then" % what, {name: of[what] for name, of in figures.items()}, unit)


def start(bench: Bench) -> None:
    times: dict[str, list[float]] = {"wptserve": [], "ours": []}
    for _ in range(bench.rounds):
        for name, command in (("wptserve", REFERENCE), ("ours", bench.command)):
            with Server(name, command, bench.site) as server:
                times[name].append(server.start_seconds * 1000)
    figures = {name: statistics.median(values) for name, values in times.items()}
    bench.row("start of one port, until it answers", figures, "ms", "benches/startup.py measures the whole wpt serve")


def leak(bench: Bench, requests: int) -> None:
    """Memory after many requests: it has to stay flat."""
    url = bench.url(bench.ours, "/hello.py")
    wrk(url, 16, bench.seconds)
    before = resident(bench.ours.pid)
    served = 0.0
    while served < requests:
        served += wrk(url, 16, bench.seconds).rate * bench.seconds
    after = resident(bench.ours.pid)
    bench.row("memory after %d more requests" % served, {"before": before, "after": after}, "MiB",
              "%+.1f %%" % ((after / before - 1) * 100))


def markdown(bench: Bench, command: str, place: str) -> str:
    lines = ["# The last run of `make bench`", "",
             "Made with `%s` on %s, %s." % (command, datetime.now(timezone.utc).strftime("%Y-%m-%d"), machine()),
             "Load generator and servers share these cores. Ratios are medians over rounds in which all servers took turns.",
             "Ours is the binary of `make dist-fast`. " + place,
             "", "| what | unit | figures | |", "|---|---|---|---|"]
    for row in bench.rows:
        figures = ", ".join("%s %s" % (name, format(value, ".3g") if value < 1000 else format(round(value), ","))
                            for name, value in row["figures"].items())
        lines.append("| %s | %s | %s | %s |" % (row["what"], row["unit"], figures, row["note"]))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary")
    parser.add_argument("--candidate-command")
    parser.add_argument("--peers", type=Path, required=True, help="the example `peers`, built")
    parser.add_argument("--root", type=Path, default=ROOT / "fixtures/site", help="whose handlers are called for the first time")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that everything still works")
    parser.add_argument("--requests", type=int, default=1_000_000, help="how many the memory has to survive")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--results", type=Path, help="write the table there, as Markdown")
    args = parser.parse_args()
    command = candidate_command(args.binary, args.candidate_command)
    if not shutil.which("wrk"):
        raise SystemExit("the load generator is missing: apt-get install wrk")
    place = network.enter()
    with tempfile.TemporaryDirectory(prefix="wptserve-bench-") as directory:
        site = Path(directory) / "site"
        shutil.copytree(HERE / "site", site)
        with open(site / "large.bin", "wb") as file:
            for _ in range(LARGE // 2**20):
                file.write(bytes(2**20))
        with Bench(command, args.peers, site, args.quick) as bench:
            for part in (trivial, static, width, sleepers, idle, heavy, start):
                part(bench)
            root = site if args.quick else args.root.resolve()
            cold(bench, root)
            checkout(bench, root)
            if (root / "wpt").exists():
                start_all(bench, root)
            leak(bench, 20_000 if args.quick else args.requests)
            if args.json:
                args.json.write_text(json.dumps({"machine": machine(), "rows": bench.rows}, indent=1) + "\n")
            if args.results:
                args.results.write_text(markdown(bench, "make bench", place))
    print("%d passed, 0 failed" % len(bench.rows) if args.quick else "done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
