"""Runs a sample of a WPT checkout's own test pages in headless Chromium, from the checkout's `wpt serve` and from our binary.

Every page is opened from the one and then from the other; the results of all subtests must be the same. A page whose
results differ is opened again, as often as --repeats says: a subtest counts as different only if the two servers have no
result of it in common, else as flaky. Names need no /etc/hosts: the browser is told where they are.

Prints the list of differences and exits 1 unless it is empty.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "differential"))

import wpt_serve  # noqa: E402
from pages import DIRECTORIES, Page, find, over_https, sample  # noqa: E402
from servers import StartFailed, candidate_command  # noqa: E402
from webdriver import Browser, BrowserFailed, BrowserMissing, flags_for_names  # noqa: E402
from wpt_serve import WptServer  # noqa: E402

REFERENCE, CANDIDATE = "reference", "candidate"
ADDRESSES = {REFERENCE: "127.0.0.2", CANDIDATE: "127.0.0.3"}
POLL = 0.1
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HARNESS_STATUS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"]
TEST_STATUS = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"]
NOTHING = "NO RESULTS"
# A browser that has shown this many pages makes room for a new one.
PAGES_OF_A_BROWSER = 60

Outcome = dict[str, str]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the binary to compare with the reference")
    parser.add_argument("--candidate-command", help="a command line that stands in for the binary")
    parser.add_argument("--root", type=Path, default=os.environ.get("WPT_ROOT"), help="the checkout ($WPT_ROOT)")
    parser.add_argument("--tools", type=Path, help="the checkout whose `wpt serve` is the reference (--root)")
    parser.add_argument("--directory", action="append", metavar="DIR", help="instead of: " + " ".join(DIRECTORIES))
    parser.add_argument("--filter", metavar="GLOB", help="only pages whose path with query fits, e.g. '*.h2.*'")
    parser.add_argument("--sample", type=int, default=320, help="how many pages to draw (320); 0 takes all")
    parser.add_argument("--over-https", type=int, default=40, help="how many plain ones to open over TLS as well (40)")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other pages (1)")
    parser.add_argument("--jobs", type=int, default=2, help="pairs of browsers (2)")
    parser.add_argument("--repeats", type=int, default=3, help="how often to open a page that differs again (3)")
    parser.add_argument("--page-limit", type=float, default=20.0, help="seconds that a page may take (20)")
    parser.add_argument("--first-port", type=int, help="where to look for free ports")
    parser.add_argument("--json", type=Path, help="write everything that was seen")
    parser.add_argument("--expected", type=Path, help="known differences: {\"PAGE :: SUBTEST\": \"reason\"}")
    parser.add_argument("pages", nargs="*", help="paths of pages: only these")
    args = parser.parse_args()
    if args.root is None:
        parser.error("name the checkout: --root DIR, or WPT_ROOT in the environment")
    return args


@dataclass
class Compared:
    """What one page did, from both servers, each time it was opened."""

    page: Page
    seen: dict[str, list[Outcome]] = field(default_factory=lambda: {REFERENCE: [], CANDIDATE: []})
    messages: dict[str, dict[str, str]] = field(default_factory=lambda: {REFERENCE: {}, CANDIDATE: {}})
    seconds: float = 0.0

    @property
    def same(self) -> bool:
        """Whether the first opening had the same results."""
        return self.seen[REFERENCE][0] == self.seen[CANDIDATE][0]

    @property
    def different(self) -> list[str]:
        """The subtests whose results on the two servers have nothing in common."""
        names = dict.fromkeys(name for side in self.seen.values() for outcome in side for name in outcome)
        return [name for name in names if not self.of(REFERENCE, name) & self.of(CANDIDATE, name)]

    @property
    def silent(self) -> bool:
        """Neither server got it to say anything, so it says nothing about them."""
        return all(NOTHING in outcome.values() for side in self.seen.values() for outcome in side)

    def of(self, side: str, name: str) -> set[str]:
        return {outcome.get(name, "MISSING") for outcome in self.seen[side]}


class Window:
    """A browser that asks one server, replaced by a new one now and then."""

    def __init__(self, server: WptServer, page_limit: float) -> None:
        self._server = server
        self._limit = page_limit
        self._browser: Browser | None = None
        self._shown = 0
        hosts = ("web-platform.test", "www.web-platform.test", "www1.web-platform.test", "not-web-platform.test",
                 "www.not-web-platform.test")
        self._origins = ["%s://%s:%d" % ("http" if listener.startswith("http") and "s" not in listener else "https",
                                         host, server.ports[listener])
                         for listener in ("http", "https", "h2") for host in hosts]

    def show(self, page: Page) -> tuple[Outcome, dict[str, str]]:
        """The status of each subtest and of the harness, and the messages."""
        for trial in (1, 2):
            try:
                return self._show(page)
            except (BrowserFailed, OSError) as error:
                self.close()
                if trial == 2:
                    return {"(page)": NOTHING}, {"(page)": "the browser: %s" % error}
        raise AssertionError("not reached")

    def _show(self, page: Page) -> tuple[Outcome, dict[str, str]]:
        if self._browser is None or self._shown >= PAGES_OF_A_BROWSER:
            self.close()
            self._browser = Browser(flags_for_names(self._server.host), patient=False).__enter__()
            self._browser.script_timeout(self._limit)
        self._shown += 1
        self._browser.open_alone(page.url(self._server.ports), self._origins)
        deadline = time.monotonic() + self._limit
        results = None
        while results is None and time.monotonic() < deadline:
            time.sleep(POLL)
            try:
                results = self._browser.evaluate("return window.__results || null")
            except BrowserFailed as error:
                # A page that is just being left has no script; one that closed its window has no results.
                if "no such window" in str(error):
                    break
        if results is None:
            return {"(page)": NOTHING}, {}
        return _outcome(results)

    def close(self) -> None:
        if self._browser:
            self._browser.__exit__()
        self._browser, self._shown = None, 0


def _outcome(results: dict) -> tuple[Outcome, dict[str, str]]:
    harness = results["harness"]
    outcome = {"(harness)": HARNESS_STATUS[harness["status"]]}
    messages = {"(harness)": harness["message"] or ""}
    counts = Counter[str]()
    for test in results["tests"]:
        name = UUID.sub("<uuid>", test["name"])
        counts[name] += 1
        name += " (%d)" % counts[name] if counts[name] > 1 else ""
        outcome[name] = TEST_STATUS[test["status"]]
        messages[name] = test["message"] or ""
    return outcome, messages


def run(pages: list[Page], servers: dict[str, WptServer], args: argparse.Namespace) -> list[Compared]:
    waiting: queue.Queue[Page] = queue.Queue()
    for page in pages:
        waiting.put(page)
    done: list[Compared] = []
    told = threading.Lock()

    def work() -> None:
        windows = {side: Window(server, args.page_limit) for side, server in servers.items()}
        try:
            while all(server.alive() for server in servers.values()):
                try:
                    page = waiting.get_nowait()
                except queue.Empty:
                    return
                compared = compare(page, windows, args.repeats)
                with told:
                    done.append(compared)
                    _tell(compared, len(done), len(pages))
        finally:
            for window in windows.values():
                window.close()

    workers = [threading.Thread(target=work) for _ in range(args.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(done, key=lambda compared: pages.index(compared.page))


def compare(page: Page, windows: dict[str, Window], repeats: int) -> Compared:
    compared = Compared(page)
    started = time.monotonic()
    for _ in range(1 + repeats):
        for side, window in windows.items():
            outcome, messages = window.show(page)
            compared.seen[side].append(outcome)
            compared.messages[side].update(messages)
        if compared.same or not compared.different:
            break
    compared.seconds = time.monotonic() - started
    return compared


def _tell(compared: Compared, number: int, total: int) -> None:
    word = "silent" if compared.silent else "same" if compared.same else "DIFFERENT" if compared.different else "flaky"
    statuses = Counter(compared.seen[CANDIDATE][0].values())
    print("%4d/%d %-9s %5.1f s %s (%s)" % (number, total, word, compared.seconds, compared.page.name,
                                           ", ".join("%d %s" % (count, name) for name, count in statuses.items())),
          flush=True)


def report(done: list[Compared], expected: dict[str, str]) -> int:
    """Prints the important differences, and returns the number of unexpected ones."""
    unexpected = 0
    for compared in done:
        for name in compared.different:
            key = "%s :: %s" % (compared.page.name, name)
            reason = expected.get(key) or expected.get(compared.page.name)
            unexpected += not reason
            print("\n%s %s" % ("KNOWN" if reason else "DIFFERENT", key) + (": " + reason if reason else ""))
            for side in (REFERENCE, CANDIDATE):
                print("    %-10s %s %s" % (side, "/".join(sorted(compared.of(side, name))),
                                           compared.messages[side].get(name, "")[:300]))
    flaky = [compared for compared in done if not compared.same and not compared.different]
    if flaky:
        print("\nflaky, but with results in common:")
        for compared in flaky:
            print("  %s" % compared.page.name)
    silent = [compared.page.name for compared in done if compared.silent]
    if silent:
        print("\nwithout results on both, which says nothing:\n  %s" % "\n  ".join(silent))
    speaking = [compared for compared in done if not compared.silent]
    subtests = Counter(status for compared in speaking for name, status in compared.seen[CANDIDATE][-1].items()
                       if name != "(harness)")
    print("\n%d pages with results (%s), %d subtests (%s)" % (
        len(speaking), ", ".join("%d %s" % (count, listener) for listener, count in
                                 Counter(compared.page.listener for compared in speaking).items()),
        sum(subtests.values()), ", ".join("%d %s" % (count, status) for status, count in subtests.items())))
    print("same: %d, flaky: %d, different: %d, silent: %d" % (
        sum(compared.same for compared in speaking), len(flaky), sum(bool(compared.different) for compared in done),
        len(silent)))
    return unexpected


def as_json(done: list[Compared]) -> str:
    return json.dumps([{"page": compared.page.name, "same": compared.same, "different": compared.different,
                        "silent": compared.silent, "seconds": round(compared.seconds, 2), "seen": compared.seen,
                        "messages": compared.messages} for compared in done], indent=1)


def main() -> int:
    args = arguments()
    root = args.root.resolve()
    tools = (args.tools or root).resolve()
    found = find(root, args.directory or DIRECTORIES, args.filter)
    if args.pages:
        chosen = [page for page in found if page.path in args.pages]
    else:
        chosen = sample(found, args.sample, args.seed) if args.sample else found
        chosen += over_https(chosen, args.over_https)
    if not chosen:
        print("FAIL: no page fits")
        return 1
    ports = wpt_serve.free_ports(list(ADDRESSES.values()), args.first_port)
    commands = {REFERENCE: wpt_serve.reference_command(tools),
                CANDIDATE: candidate_command(args.binary, args.candidate_command)}
    servers = {}
    for side, command in commands.items():
        config = wpt_serve.configuration(tools, root, ADDRESSES[side], ports)
        config["aliases"] = [{"url-path": "/resources/testharnessreport.js", "local-dir": str(HERE / "report")}]
        servers[side] = WptServer(side, command, config, tools)
    print("%d pages of %d" % (len(chosen), len(found)))
    started = time.monotonic()
    try:
        with servers[REFERENCE], servers[CANDIDATE]:
            done = run(chosen, servers, args)
            ended = [server for server in servers.values() if not server.alive()]
            for server in ended:
                print("FAIL: %s ended during the run:\n%s" % (server.name, server.log_tail()))
    except (StartFailed, BrowserMissing) as error:
        print("FAIL: %s" % error)
        return 1
    if args.json:
        args.json.write_text(as_json(done))
    unexpected = report(done, json.loads(args.expected.read_text()) if args.expected else {})
    print("%.0f s; %d passed, %d failed" % (time.monotonic() - started, sum(not one.different for one in done), unexpected))
    return 1 if unexpected or ended or len(done) < len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
