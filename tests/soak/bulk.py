"""The bulk of the requests: wrk with mix.lua, a slice of the run at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from books import Books, figures

SCRIPT = Path(__file__).resolve().parent / "mix.lua"
# A thread of wrk has one connection, so that mix.lua knows which request an answer belongs to.
CONNECTIONS = 8
TIMEOUT = 30


def is_there() -> bool:
    return shutil.which("wrk") is not None


def run(url: str, site: Path, seconds: int, arguments: list[str], books: Books,
        may_lose: Callable[[], bool]) -> tuple[float, float]:
    """One slice; the arguments are those of mix.lua behind the site. What became of its requests goes to the books; p50 and p99 in
    milliseconds are returned. `may_lose` is asked at the end: a crash in the slice excuses broken connections, never wrong answers."""
    command = ["wrk", "-t%d" % CONNECTIONS, "-c%d" % CONNECTIONS, "-d%ds" % seconds, "--timeout", "%ds" % TIMEOUT,
               "-s", str(SCRIPT), url, "--", str(site), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("wrk ended with code %d:\n%s%s" % (done.returncode, done.stdout, done.stderr))
    seen = json.loads(done.stdout.splitlines()[-1])
    histograms: dict[str, Counter[int]] = defaultdict(Counter)
    for name, count in seen["histogram"].items():
        kind, number = name.split()
        histograms[kind][int(number)] += count
    broken = "lost" if may_lose() else "failed"
    example = "; ".join(seen["examples"])
    for kind, histogram in histograms.items():
        wrong, cut = seen["wrong"].get(kind, 0), seen["cut"].get(kind, 0)
        books.note(kind, "answered", sum(histogram.values()) - wrong - cut)
        books.note(kind, "wrong", wrong, example)
        books.note(kind, broken, cut, "cut short")
        books.took(kind, histogram)
    # wrk counts a read error where the end of the connection is the end of an answer; mix.lua has counted those answers. wrk says of
    # a broken connection only that it broke, not what was asked.
    kinds = {what: seen[what] for what in ("connect", "write", "timeout")}
    kinds["read"] = seen["read"] - sum(seen["closed"].values())
    count = sum(kinds.values())
    books.note("broken", "failed" if kinds["connect"] else broken, count, "wrk counts errors: %s" % kinds)
    return figures(sum(histograms.values(), Counter()))
