"""Opens every page of the demo site in a headless browser and collects what its tests say.

Known failures lie in expected.json (`{"page.html :: test": "reason"}`): one that passes after all is news, and fails the
run. Each page must finish, must have at least one test, and every test must pass. `--reference` serves the site with
wptserve 4.0.3 instead, which tells a page's mistake from the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "differential"))

from servers import REFERENCE, Server, StartFailed, candidate_command  # noqa: E402
from webdriver import Browser, BrowserFailed, BrowserMissing  # noqa: E402

PAGE_LIMIT = 40.0
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
    print("%-4s %-16s %2d of %2d as expected, %.1f s" % (word, name, len(tests) - len(failed), len(tests),
                                                    time.monotonic() - started))
    if broken:
        print("       harness %s: %s" % (harness["status"], harness["message"]))
    for test in failed:
        print("       %s %s: %s" % (test["status"], test["name"], test["message"][:600]))
    return len(tests) - len(failed), len(failed) + broken


def main() -> int:
    args = arguments()
    command = REFERENCE if args.reference else candidate_command(args.binary, args.candidate_command)
    names = args.pages or sorted(path.name for path in (args.root / "pages").glob("*.html"))
    if not names:
        print("FAIL: %s/pages has no pages" % args.root)
        return 1
    known = {} if args.reference else json.loads((HERE / "expected.json").read_text())
    passed = failed = 0
    try:
        with Browser() as browser, Server("server", command, args.root, args.import_policy) as server:
            print("Chromium %s against %s" % (browser.version, " ".join(command)))
            browser.script_timeout(PAGE_LIMIT)
            silent = 0
            for name in names:
                if silent == 2:
                    print("FAIL: two pages in a row had no results; the others are not tried")
                    failed += 1
                    break
                page = run_page(browser, "http://%s:%d/pages/%s" % (server.host, server.port, name), name, known)
                silent = 0 if page[0] else silent + 1
                passed, failed = passed + page[0], failed + page[1]
            if not server.alive():
                print("FAIL: the server ended during the run:\n%s" % server.log_tail())
                failed += 1
    except BrowserMissing as error:
        if os.environ.get("CI") == "true":
            print("FAIL: %s" % error)
            return 1
        print("SKIPPED, the browser test did not run: %s" % error)
        return 0
    except (StartFailed, BrowserFailed) as error:
        print("FAIL: %s" % error)
        return 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
