"""Keeps count of the soak test's requests: what became of each, how long it took, and which crash it may be blamed on."""

from __future__ import annotations

import contextlib
import http.client
import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from arithmetic import Counts

# A bucket of a histogram is a twentieth of a power of two wide, here and in mix.lua.
BUCKETS = 20
# The parts of the run that latencies are shown for.
PERIODS = 4
EXAMPLES = 10


class Wrong(Exception):
    """An answer that is not what the request gives."""


class Cut(ConnectionError):
    """An answer that ended too early."""


def check(expected: bytes, got: bytes) -> None:
    if got == expected:
        return
    if expected.startswith(got):
        raise Cut("%d bytes of %d" % (len(got), len(expected)))
    raise Wrong("%r instead of %r" % (got[:100], expected[:100]))


def bucket(milliseconds: float) -> int:
    return math.floor(math.log2(max(milliseconds, 0.001)) * BUCKETS)


def figures(histogram: Counter[int]) -> tuple[float, float]:
    """p50 and p99 in milliseconds: the upper ends of their buckets."""
    if not histogram:
        return math.nan, math.nan
    total, seen, found = sum(histogram.values()), 0, []
    wanted = [math.ceil(share * total) for share in (0.5, 0.99)]
    for number in sorted(histogram):
        seen += histogram[number]
        while len(found) < 2 and seen >= wanted[len(found)]:
            found.append(2 ** ((number + 1) / BUCKETS))
    return found[0], found[1]


class Books:
    def __init__(self, seconds: float) -> None:
        self.counts = Counts()
        self.by_kind: dict[str, Counter[str]] = defaultdict(Counter)
        self.started = time.monotonic()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._latencies: dict[tuple[str, int], Counter[int]] = defaultdict(Counter)
        # Beginning and end of each crash, from before it is asked for until the service is back.
        self._crashes: list[list[float]] = []

    def _period(self) -> int:
        return min(PERIODS - 1, int((time.monotonic() - self.started) / self._seconds * PERIODS))

    @contextlib.contextmanager
    def crash(self) -> Iterator[None]:
        window = [time.monotonic(), math.inf]
        with self._lock:
            self._crashes.append(window)
            self.counts.crashes += 1
        yield
        window[1] = time.monotonic()

    def crashed_since(self, begun: float) -> bool:
        return any(end >= begun for _, end in self._crashes)

    @contextlib.contextmanager
    def attempt(self, kind: str, answers: int = 1) -> Iterator[None]:
        """One exchange, from the opening of its connection on, that gives so many answers when all goes well."""
        begun = time.monotonic()
        try:
            yield
        except Wrong as error:
            self.note(kind, "wrong", 1, str(error))
        except (OSError, http.client.HTTPException) as error:
            # The ports stay open through every crash: a refused connection is never excused.
            is_lost = self.crashed_since(begun) and not isinstance(error, ConnectionRefusedError)
            self.note(kind, "lost" if is_lost else "failed", 1, "%s: %s" % (type(error).__name__, error))
        else:
            self.note(kind, "answered", answers)
            self.took(kind, Counter([bucket((time.monotonic() - begun) * 1000)]))

    def note(self, kind: str, outcome: str, count: int, example: str = "") -> None:
        """`outcome` is a field of Counts."""
        if not count:
            return
        with self._lock:
            setattr(self.counts, outcome, getattr(self.counts, outcome) + count)
            self.by_kind[kind][outcome] += count
            if outcome in ("failed", "wrong") and example and len(self.counts.examples) < EXAMPLES:
                self.counts.examples.append("%.0f s, %s, %s: %s" % (
                    time.monotonic() - self.started, kind, outcome, example))

    def took(self, kind: str, histogram: Counter[int]) -> None:
        with self._lock:
            self._latencies[kind, self._period()].update(histogram)

    def latencies(self) -> str:
        """A table: for each kind what became of its requests, and p50 and p99 in each part of the run."""
        lines = ["%-12s %10s %7s %7s %7s  %s" % ("kind", "answered", "lost", "failed", "wrong", "p50/p99 ms in each %.0f s"
                                                 % (self._seconds / PERIODS))]
        for kind, outcomes in sorted(self.by_kind.items()):
            parts = ["%8.1f/%8.1f" % figures(self._latencies[kind, period]) for period in range(PERIODS)]
            lines.append("%-12s %10d %7d %7d %7d  %s" % (kind, outcomes["answered"], outcomes["lost"], outcomes["failed"],
                                                         outcomes["wrong"], "  ".join(parts)))
        return "\n".join(lines)
