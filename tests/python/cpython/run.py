"""Runs CPython's own tests inside our interpreter, in a handler, and holds the outcomes against expected.toml.

Exits 1 when a test fails, errs or stops the server that expected.toml does not name, and when one that it names passes.
With --record expected.toml and the table outcomes.md are written anew. README.md beside this file says more.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import resource
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cpython import sources  # noqa: E402
from sides import MEMORY, Server, candidate_command  # noqa: E402

EXPECTED = HERE / "expected.toml"
TABLE = HERE / "outcomes.md"
TEST_LIMIT = 60.0
BAD = ("failed", "error", "stopped")


@dataclass
class Module:
    """What became of a module's tests, by their ids; `problem` says why the rest of them did not run."""

    name: str
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0

    def count(self, outcome: str) -> int:
        return sum(one == outcome for one, _ in self.outcomes.values())


def table() -> dict:
    """What expected.toml says: `left_out`, by module and test the reason why it is not run, and `expected`."""
    return tomllib.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.exists() else {}


def expected() -> dict[str, dict[str, str]]:
    """By module and test the reason why it fails."""
    return {module: {test: reason for reason, tests in reasons.items() for test in tests}
            for module, reasons in table().get("expected", {}).items()}


def summary(module: Module) -> str:
    """A line: what became of the module's tests."""
    return ("%-24s %5d passed %4d failed %4d errors %3d stopped %4d skipped %6.1f s %s"
            % (module.name, *(module.count(outcome) for outcome in ("passed", *BAD, "skipped")), module.seconds, module.problem[:100]))


class Runner(threading.Thread):
    """Takes modules from a queue and runs them on a server of its own, which is replaced when a test stops it."""

    def __init__(self, command: list[str], root: Path, names: "queue.SimpleQueue[str]", done: list[Module]) -> None:
        super().__init__()
        self.command, self.root, self.names, self.done = command, root, names, done
        self.left_out = table().get("left_out", {})
        self.server: Server | None = None

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="wptserve-test-") as work:
            self.work = Path(work)
            while True:
                try:
                    name = self.names.get_nowait()
                except queue.Empty:
                    break
                # A module that was not cleaned up behind is not there for the next one.
                self.stop()
                module = self.module(name)
                self.done.append(module)
                print(summary(module), flush=True)
            self.stop()

    def stop(self) -> None:
        if self.server:
            self.server.kill()
            self.server.__exit__(None, None, None)
            self.server = None

    def module(self, name: str) -> Module:
        module = Module(name)
        started = time.monotonic()
        after = ""
        while True:
            ended, last = self.part(module, after)
            if ended or not last:
                break
            # The test that had started last is what stopped the server: go on behind it.
            after = last
            self.stop()
        module.seconds = time.monotonic() - started
        return module

    def part(self, module: Module, after: str) -> tuple[bool, str]:
        """Runs until the end or until the server stops; says whether it was the end, and which test was running."""
        if not self.server:
            server = Server("candidate", self.command, self.root, work=self.work)
            server.__enter__()
            resource.prlimit(server.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            self.server = server
        running = ""
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=TEST_LIMIT)
        try:
            leave = "".join("&leave=test.%s.%s" % (module.name, test) for test in self.left_out.get(module.name, {}))
            connection.request("GET", "/run_tests.py?module=test.%s&after=%s%s" % (module.name, after, leave))
            for line in connection.getresponse():
                told = json.loads(line)
                if told["outcome"] == "end":
                    return True, ""
                if told["outcome"] == "started":
                    running = told["id"]
                elif module.outcomes.get(told["id"], ("",))[0] not in BAD:
                    module.outcomes[told["id"]] = told["outcome"], told["why"]
            why = "the connection ended"
        except TimeoutError:
            why = "no end after %d s" % TEST_LIMIT
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "%s: %s" % (type(error).__name__, error)
        finally:
            connection.close()
        if not self.server.alive():
            why = "the server ended: " + self.server.log_tail(2)
        if not running or running in module.outcomes:
            module.problem = "%s; %s" % (why, self.server.log_tail(4))
            return False, ""
        module.outcomes[running] = "stopped", why
        return False, running


def run(command: list[str], names: list[str], folders: list[Path], jobs: int) -> list[Module]:
    done: list[Module] = []
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    with tempfile.TemporaryDirectory(prefix="wptserve-test-") as folder:
        root = Path(folder)
        sources.doc_root(root, folders)
        runners = [Runner(command, root, waiting, done) for _ in range(jobs)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()
    return sorted(done, key=lambda module: names.index(module.name))
UNJUDGED = "UNJUDGED"


def short(module: Module, test: str) -> str:
    return test.removeprefix("test.%s." % module.name)


def judge(modules: list[Module], known: dict[str, dict[str, str]]) -> tuple[int, list[str]]:
    """How many outcomes are as they should be, and what is news."""
    good, news = 0, []
    for module in modules:
        reasons = known.get(module.name, {})
        if module.problem:
            news.append("NOT RUN to its end: %s: %s" % (module.name, module.problem))
        seen = set()
        for test, (outcome, why) in module.outcomes.items():
            name = short(module, test)
            seen.add(name)
            if reasons.get(name) == UNJUDGED:
                news.append("UNJUDGED: %s %s: look at it, and write into expected.toml why it fails\n    %s" % (module.name, name, why))
            elif (outcome in BAD) == (name in reasons):
                good += 1
            elif outcome in BAD:
                news.append("NEW %s: %s %s\n    %s" % (outcome.upper(), module.name, name, why))
            elif outcome == "passed":
                news.append("UNEXPECTED PASS: %s %s (%s); take it out of expected.toml" % (module.name, name, reasons[name]))
        news += ["STALE: %s %s was not run; take it out of expected.toml" % (module.name, name) for name in sorted(set(reasons) - seen)]
    return good, news


def record(modules: list[Module], known: dict[str, dict[str, str]]) -> None:
    lines = ["# CPython's own tests that fail inside our interpreter, by module and reason; written by run.py --record, judged by people.",
             "version = %s" % json.dumps(sources.version()), ""]
    for module, tests in sorted(table().get("left_out", {}).items()):
        lines += ["[left_out.%s]" % module, *("%s = %s" % (json.dumps(test), json.dumps(reason)) for test, reason in tests.items()), ""]
    for module in modules:
        reasons: dict[str, list[str]] = {}
        for test, (outcome, _) in sorted(module.outcomes.items()):
            if outcome in BAD:
                name = short(module, test)
                reasons.setdefault(known.get(module.name, {}).get(name, UNJUDGED), []).append(name)
        if reasons:
            lines.append("[expected.%s]" % module.name)
            for reason, tests in sorted(reasons.items()):
                lines += ["%s = [" % json.dumps(reason), *("    %s," % json.dumps(test) for test in tests), "]"]
            lines.append("")
    EXPECTED.write_text("\n".join(lines), encoding="utf-8")


def record_table(modules: list[Module]) -> None:
    """The counts for people: a table of modules, and how often which reason is given."""
    columns = ("passed", *BAD, "skipped")
    lines = ["# CPython %s's own tests inside our interpreter" % sources.version(), "",
             "Written by `make python-cpython MODULES=all RECORD=--record`. A *stopped* test ends the server or does not end. Which tests fail,",
             "and why, is in `expected.toml`; the reasons and how often they are given stand below the table.", "",
             "| module | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    totals = [sum(module.count(outcome) for module in modules) for outcome in columns]
    for name, counts in [*((module.name, [module.count(outcome) for outcome in columns]) for module in modules), ("all", totals)]:
        lines.append("| %s | %s |" % (name, " | ".join(str(count) for count in counts)))
    reasons = Counter(reason for tests in expected().values() for reason in tests.values())
    lines += ["", "| reason | tests |", "|---|---|", *("| %s | %d |" % pair for pair in reasons.most_common())]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the binary whose interpreter runs the tests")
    parser.add_argument("--candidate-command", help="a command line that stands in for the binary")
    parser.add_argument("--cache", type=Path, default=Path("target/cpython-tests"), help="where to unpack the distribution's package")
    parser.add_argument("--only", action="append", metavar="MODULE", help="only this module, such as test_re")
    parser.add_argument("--modules", choices=["quick", "all"], default="all", help="without those that take long, or all (all)")
    parser.add_argument("--jobs", type=int, default=2, help="servers that run modules side by side (2)")
    parser.add_argument("--record", action="store_true", help="write expected.toml and outcomes.md anew")
    parser.add_argument("--report", type=Path, help="write all outcomes as JSON")
    args = parser.parse_args()
    folders = sources.folders(args.cache.resolve())
    if not folders:
        strict = os.environ.get("CI") == "true"
        print("%s: CPython's own tests are not to be had" % ("FAILED" if strict else "SKIPPED"))
        return 1 if strict else 0
    known = expected()
    names = args.only or [name for name in sources.MODULES if args.modules == "all" or name not in sources.SLOW]
    if args.record and (args.only or args.modules != "all"):
        parser.error("--record is for all modules")
    modules = run(candidate_command(args.binary, args.candidate_command), names, folders, args.jobs)
    if args.report:
        args.report.write_text(json.dumps([{"module": module.name, "problem": module.problem, "seconds": module.seconds,
                                            "outcomes": module.outcomes} for module in modules], indent=1))
    if args.record:
        record(modules, known)
        record_table(modules)
        known = expected()
    if table().get("version") != sources.version():
        print("The tests are those of CPython %s, expected.toml is for %s: only what stops the server is judged." %
              (sources.version(), table().get("version")))
        good, news = sum(len(module.outcomes) for module in modules), [
            "NEW STOPPED: %s %s" % (module.name, test) for module in modules for test, (outcome, _) in module.outcomes.items() if outcome == "stopped"]
        print("\n".join(news))
        print("%d passed, %d failed" % (good - len(news), len(news)))
        return 1 if news else 0
    good, news = judge(modules, known)
    news += ["NOT RUN: %s" % name for name in names if name not in {module.name for module in modules}]
    print("\n".join(news))
    print("%d passed, %d failed" % (good, len(news)))
    return 1 if news else 0


if __name__ == "__main__":
    sys.exit(main())
