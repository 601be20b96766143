"""Opens every page of the demo site in a headless browser and collects what its tests say.

First the pages from one plain port, by address; then, from a whole `wpt serve` by name, the pages over TLS and the
wrappers of `wrapped/` over both. The browser is told where the names are, so nothing asks a resolver.

Known failures lie in expected.json (`{"page.html :: test": "reason"}`): one that passes after all is news, and fails the
run. Each page must finish, must have at least one test, and every test must pass. `--reference` serves the site with
wptserve 4.0.3 instead, which tells a page's mistake from the server's; for the second part that takes a WPT checkout,
named by `--tools`, whose `wpt serve` runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "differential"))

import wpt_serve  # noqa: E402
from servers import REFERENCE, Server, StartFailed, candidate_command  # noqa: E402
from webdriver import Browser, BrowserFailed, BrowserMissing, flags_for_names  # noqa: E402
from wpt_serve import WptServer  # noqa: E402

PAGE_LIMIT = 40.0
ADDRESS = "127.0.0.1"
# What `wpt serve` makes of the scripts in wrapped/, and what must be a secure context.
WRAPPED = ["everywhere.any.html", "everywhere.any.worker.html", "everywhere.any.sharedworker.html",
           "modules.any.window-module.html", "modules.any.worker-module.html", "modules.any.sharedworker-module.html",
           "hosts.sub.window.html", "own.worker.html"]
SECURE = ["everywhere.any.serviceworker.html", "modules.any.serviceworker-module.html"]
WAIT = """
const done = arguments[arguments.length - 1];
const look = () => window.__results ? done(window.__results) : setTimeout(look, 20);
look();
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the binary to test")
    parser.add_argument("--candidate-command", help="a command line that stands in for the binary")
    parser.add_argument("--reference", action="store_true", help="test wptserve 4.0.3 instead")
    parser.add_argument("--tools", type=Path, help="with --reference: the checkout whose `wpt serve` runs")
    parser.add_argument("--root", type=Path, default=ROOT / "fixtures/site")
    parser.add_argument("--import-policy", default="strict", choices=["strict", "warn"])
    parser.add_argument("pages", nargs="*", help="names of pages; all, if none is given")
    return parser.parse_args()


def run_page(browser: Browser, url: str, name: str, known: dict[str, str]) -> tuple[int, int]:
    """How many tests of one page went as expected and how many did not, with a line for each of those."""
    started = time.monotonic()
    try:
        browser.open(url)
        results = browser.evaluate_async(WAIT)
    except BrowserFailed as error:
        print("FAIL %s: no results: %s" % (name, error))
        return 0, 1
    tests, harness = results["tests"], results["harness"]
    for test in tests:
        reason = known.get("%s :: %s" % (name, test["name"]))
        if reason and test["status"] == "PASS":
            test.update(status="UNEXPECTED PASS", message="take it out of expected.json: " + reason)
        elif reason:
            print("known  %s :: %s: %s" % (name, test["name"], reason))
            test["status"] = "PASS"
    failed = [test for test in tests if test["status"] != "PASS"]
    broken = harness["status"] != "OK"
    word = "FAIL" if failed or broken else "ok"
    print("%-4s %-42s %2d of %2d as expected, %.1f s" % (word, name, len(tests) - len(failed), len(tests),
                                                    time.monotonic() - started))
    if broken:
        print("       harness %s: %s" % (harness["status"], harness["message"]))
    for test in failed:
        print("       %s %s: %s" % (test["status"], test["name"], test["message"][:600]))
    return len(tests) - len(failed), len(failed) + broken


@dataclass
class Tally:
    """What has been counted, and whether going on makes sense."""

    known: dict[str, str]
    passed: int = 0
    failed: int = 0
    silent: int = 0

    def run(self, browser: Browser, server: Server | WptServer, pages: list[tuple[str, str]]) -> None:
        """Pages as (URL, name)."""
        for url, name in pages:
            if self.silent == 2:
                print("FAIL: two pages in a row had no results; the others are not tried")
                self.failed += 1
                break
            passed, failed = run_page(browser, url, name, self.known)
            self.silent = 0 if passed else self.silent + 1
            self.passed, self.failed = self.passed + passed, self.failed + failed
        if not server.alive():
            print("FAIL: the server ended during the run:\n%s" % server.log_tail())
            self.failed += 1


def whole_server(args: argparse.Namespace, folder: str) -> WptServer | None:
    """The site from a `wpt serve`, which makes its certificates itself: a demo site has none."""
    ports = wpt_serve.free_ports([ADDRESS])
    tools = args.tools.resolve() if args.tools else None
    if args.reference and not tools:
        print("the reference for the second part is a checkout's own: name it by --tools")
        return None
    command = wpt_serve.reference_command(tools) if args.reference else candidate_command(args.binary,
                                                                                        args.candidate_command)
    root = args.root.resolve()
    config = wpt_serve.configuration(tools or root, root, ADDRESS, ports)
    config["ssl"] = {"type": "openssl", "openssl": {"base_path": folder}}
    return WptServer("wpt serve", command, config, tools or root)


def named_pages(ports: dict[str, int], plain: list[str], args: argparse.Namespace) -> list[tuple[str, str]]:
    wanted = [("http", "/wrapped/" + name) for name in WRAPPED]
    wanted += [("https", "/wrapped/" + name) for name in WRAPPED + SECURE]
    wanted += [("https", "/pages/" + name) for name in plain]
    return [("%s://web-platform.test:%d%s" % (scheme, ports[scheme], path), "%s %s" % (path.rpartition("/")[2], scheme))
            for scheme, path in wanted if not args.pages or path.rpartition("/")[2] in args.pages]


def main() -> int:
    args = arguments()
    command = REFERENCE if args.reference else candidate_command(args.binary, args.candidate_command)
    plain = sorted(path.name for path in (args.root / "pages").glob("*.html"))
    if not plain:
        print("FAIL: %s/pages has no pages" % args.root)
        return 1
    tally = Tally({} if args.reference else json.loads((HERE / "expected.json").read_text()))
    try:
        with Browser(flags_for_names(ADDRESS)) as browser, tempfile.TemporaryDirectory() as folder:
            print("Chromium %s against %s" % (browser.version, " ".join(command)))
            browser.script_timeout(PAGE_LIMIT)
            chosen = [name for name in plain if not args.pages or name in args.pages]
            if chosen:
                with Server("server", command, args.root, args.import_policy) as server:
                    base = "http://%s:%d/pages/" % (server.host, server.port)
                    tally.run(browser, server, [(base + name, name) for name in chosen])
            whole = whole_server(args, folder)
            if whole:
                with whole:
                    tally.run(browser, whole, named_pages(whole.ports, plain, args))
    except BrowserMissing as error:
        if os.environ.get("CI") == "true":
            print("FAIL: %s" % error)
            return 1
        print("SKIPPED, the browser test did not run: %s" % error)
        return 0
    except (StartFailed, BrowserFailed) as error:
        print("FAIL: %s" % error)
        return 1
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
