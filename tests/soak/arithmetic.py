"""The arithmetic of the soak test: a robust fit and the verdict. Nothing here talks to a server.

The fit is that of Theil and Sen: the slope is the median of the slopes between all pairs of rows. A few rows that are far off,
such as one during a large upload, do not move it.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from itertools import combinations

# What the memory of a process may grow by, as a share, from the end of the warm-up to the end.
MEMORY_SHARE = 0.05
# Descriptors and threads go up and down with the load of the moment: besides a share so many are no growth. The pool of threads for
# handlers is wider for a while after every moment in which many of them waited.
COUNT_SHARE, DESCRIPTOR_SLACK, THREAD_SLACK = 0.05, 3.0, 10.0
# Without clients there may be so many more than before: the pool keeps up to four idle threads, which start when needed.
REST_SLACK = 6.0
# The shares of the rows that are a warm-up: of the whole run for the supervisor, of the steady part for the child.
SUPERVISOR_WARM_UP, CHILD_WARM_UP = 0.1, 0.25
# With fewer rows behind the warm-up there is no verdict.
FEWEST_ROWS = 5


@dataclass
class Process:
    """What the system says about a process."""

    memory: float  # resident, MiB
    descriptors: float
    threads: float


@dataclass
class Row:
    """One slice of the run: medians of what was measured in it."""

    seconds: float  # since the start, at the end of the slice
    requests: int  # answered since the start
    child: Process
    supervisor: Process | None
    child_pid: int
    temporary: float  # MiB in files without a name
    is_steady: bool  # no process was made to crash


@dataclass
class Counts:
    """What became of the requests."""

    answered: int = 0
    failed: int = 0  # broken without a crash to blame
    wrong: int = 0  # answered with other bytes than expected
    lost: int = 0  # broken by a crash that was asked for
    crashes: int = 0
    # What was wrong with the first of them.
    examples: list[str] = field(default_factory=list)


@dataclass
class Finding:
    what: str
    is_well: bool
    figures: str

    def __str__(self) -> str:
        return "%-4s %s: %s" % ("ok" if self.is_well else "RED", self.what, self.figures)


@dataclass
class Line:
    slope: float
    level: float  # the value at 0
    least: float  # the slope is at least this, with a probability of 97.5 %
    most: float  # and at most this


def theil_sen(points: list[tuple[float, float]]) -> Line:
    """The line through the points. The bounds of its slope are Kendall's, for values that are independent of each other."""
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x1 != x2)
    if not slopes:
        return Line(0.0, statistics.median(y for _, y in points), 0.0, 0.0)
    slope, count = statistics.median(slopes), len(points)
    width = 1.96 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    first, last = math.floor((len(slopes) - width) / 2), math.ceil((len(slopes) + width) / 2)
    return Line(slope, statistics.median(y - slope * x for x, y in points), slopes[max(0, first)],
                slopes[min(len(slopes) - 1, last)])


def behind_warm_up(rows: list[Row], share: float) -> list[Row]:
    """Without the rows of the first `share` of the time that all of them took."""
    if len(rows) < 2:
        return []
    first, last = rows[0].seconds, rows[-1].seconds
    return [row for row in rows if row.seconds >= first + share * (last - first)]


def trend(what: str, rows: list[Row], values: list[float], unit: str, share: float, slack: float) -> Finding:
    """Well if the line through the values rises by no more than a share of its beginning and the slack."""
    line = theil_sen([(row.seconds, value) for row, value in zip(rows, values)])
    span = rows[-1].seconds - rows[0].seconds
    start = line.level + line.slope * rows[0].seconds
    percent = 100 * span / start if start else 0.0
    by_requests = theil_sen([(float(row.requests), value) for row, value in zip(rows, values)])
    figures = "%.1f%s, %+.2f in %.0f s: %+.1f %% (%+.1f to %+.1f); %+.2f an hour, %+.2f per million requests" % (
        start, unit, line.slope * span, span, line.slope * percent, line.least * percent, line.most * percent, line.slope * 3600,
        by_requests.slope * 1e6)
    return Finding(what, line.slope * span <= share * start + slack, figures)


def trends(name: str, rows: list[Row], processes: list[Process]) -> list[Finding]:
    if len(rows) < FEWEST_ROWS:
        return [Finding(name, False, "%d rows behind the warm-up, %d are needed: let it run longer" % (len(rows), FEWEST_ROWS))]
    return [
        trend("memory of the " + name, rows, [process.memory for process in processes], " MiB", MEMORY_SHARE, 0.0),
        trend("descriptors of the " + name, rows, [process.descriptors for process in processes], "", COUNT_SHARE, DESCRIPTOR_SLACK),
        trend("threads of the " + name, rows, [process.threads for process in processes], "", COUNT_SHARE, THREAD_SLACK),
    ]


def judge(rows: list[Row], counts: Counts, at_once: int, before: Process, after: Process, left: float) -> list[Finding]:
    """The verdict. At most `at_once` requests were under way at any time. `before` and `after` are the child without any client,
    `left` is MiB of temporary files then."""
    steady = behind_warm_up([row for row in rows if row.is_steady], CHILD_WARM_UP)
    findings = trends("child", steady, [row.child for row in steady])
    supervised = behind_warm_up([row for row in rows if row.supervisor], SUPERVISOR_WARM_UP)
    if any(row.supervisor for row in rows):
        findings += trends("supervisor", supervised, [row.supervisor for row in supervised if row.supervisor])
    pids = {row.child_pid for row in rows if row.is_steady}
    findings += [
        Finding("processes without a crash that was asked for", len(pids) == 1, "%d" % len(pids)),
        Finding("descriptors without clients", after.descriptors <= before.descriptors + REST_SLACK,
                "%.0f before, %.0f after" % (before.descriptors, after.descriptors)),
        Finding("threads without clients", after.threads <= before.threads + REST_SLACK,
                "%.0f before, %.0f after" % (before.threads, after.threads)),
        Finding("temporary files without clients", left == 0, "%.1f MiB" % left),
        Finding("requests that failed without a crash", counts.failed == 0, "%d" % counts.failed),
        Finding("wrong answers", counts.wrong == 0, "%d" % counts.wrong),
        Finding("requests lost by crashes", counts.lost <= counts.crashes * at_once,
                "%d by %d crashes, each with at most %d under way" % (counts.lost, counts.crashes, at_once)),
        Finding("requests answered", counts.answered > 0, "%d" % counts.answered),
    ]
    return findings
