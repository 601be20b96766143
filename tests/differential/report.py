"""Collects verdicts, holds them against the known differences, and prints what a person needs to see.

Known differences live in expected.json: `{"handler or script": "reason"}`, or `"handler :: case": "reason"` for one
request. Each is reported with its reason; one that agrees with the reference after all is news, and fails the run.
"""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TextIO

from compare import DIFFERENT, IDENTICAL, TRACEBACK, Side, Verdict, compare, shape
from wire import Answer

LEFT_OUT = "left out"
MOST_OF_A_KIND = 25

WAITS = "wptserve leaves its client waiting for the rest of an answer; ours closes the connection"


@dataclass
class Judged:
    """One request's outcome."""

    group: str
    case: str
    kind: str
    reasons: list[str]
    reference_seconds: float
    candidate_seconds: float
    expected_reason: str = ""

    @property
    def name(self) -> str:
        return "%s :: %s" % (self.group, self.case)

    @property
    def kind_of_group(self) -> str:
        """What stands before the colon of the group's name: a handler's path, or the kind of a drawn request."""
        return self.group.split(": ", 1)[0]


def judge(group: str, case: str, expected: tuple[Answer, Side], got: tuple[Answer, Side],
          again: tuple[Answer, Side] | None) -> Judged:
    """Left out when the reference does not repeat itself, else compared; random UUIDs and gzip are no reason to leave it out.

    Of what is left out the shape of the head is still held against the reference's, when that at least repeats.
    """
    (want, reference), (have, candidate) = expected, got
    if again and compare(want, again[0], reference, again[1]).kind == DIFFERENT:
        reference, candidate, later = (replace(side, lenient=True) for side in (reference, candidate, again[1]))
        repeat = compare(want, again[0], reference, later)
        if repeat.kind != DIFFERENT:
            verdict = compare(want, have, reference, candidate)
        elif shape(want) == shape(again[0]) != shape(have):
            verdict = Verdict(DIFFERENT, ["not repeatable, but its head: wptserve %s" % (shape(want),),
                                          "                               ours %s" % (shape(have),)])
        else:
            verdict = Verdict(LEFT_OUT, repeat.reasons)
    else:
        verdict = compare(want, have, reference, candidate)
    reason = WAITS if verdict.kind == DIFFERENT and only_the_end_differs((want, reference), (have, candidate)) else ""
    return Judged(group, case, verdict.kind, verdict.reasons, want.seconds, have.seconds, reason)


def only_the_end_differs(expected: tuple[Answer, Side], got: tuple[Answer, Side]) -> bool:
    """Whether both have sent the same, and the reference then leaves its client waiting where ours closes."""
    (want, reference), (have, candidate) = expected, got
    same = reference.mask(want.raw) == candidate.mask(have.raw)
    return same and want.end == "time" and want.silent and have.end == "closed"


@dataclass
class Expectations:
    """The known differences, and which of them were met."""

    reasons: dict[str, str] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, paths: list[Path]) -> "Expectations":
        return cls({key: reason for path in paths for key, reason in json.loads(path.read_text()).items()})

    def find(self, judged: Judged) -> str | None:
        """The entry for this request: its own, its group's, or a pattern's."""
        for key in (judged.name, judged.group):
            if key in self.reasons:
                return key
        return next((key for key in self.reasons if "*" in key and fnmatch.fnmatchcase(judged.name, key)), None)


class Report:
    """All verdicts of a run."""

    def __init__(self, expectations: Expectations) -> None:
        self.expectations = expectations
        self.all: list[Judged] = []

    def add(self, judged: Judged) -> None:
        key = self.expectations.find(judged)
        if key:
            self.expectations.seen.add(key)
            if judged.kind == DIFFERENT:
                self.expectations.met.add(key)
                judged.expected_reason = self.expectations.reasons[key]
        self.all.append(judged)

    def of(self, kind: str) -> list[Judged]:
        return [judged for judged in self.all if judged.kind == kind]

    @property
    def unexpected(self) -> list[Judged]:
        return [judged for judged in self.of(DIFFERENT) if not judged.expected_reason]

    @property
    def known(self) -> list[Judged]:
        return [judged for judged in self.of(DIFFERENT) if judged.expected_reason]

    @property
    def percent(self) -> float:
        """Of the judged answers that are not known to differ: identical, or equal but for the traceback's text."""
        agreeing = len(self.of(IDENTICAL)) + len(self.of(TRACEBACK))
        judged = agreeing + len(self.unexpected)
        return 100.0 * agreeing / judged if judged else 0.0

    def print(self, out: TextIO, seconds: float) -> None:
        self._print_differences(out)
        if self.known:
            print("\nknown differences (expected):", file=out)
            for reason, count in Counter((judged.group, judged.expected_reason) for judged in self.known).items():
                print("  %s (%d): %s" % (reason[0], count, reason[1]), file=out)
        if self.of(LEFT_OUT):
            print("\nleft out, because the reference does not repeat them:", file=out)
            for judged in self.of(LEFT_OUT):
                print("  %s: %s" % (judged.name, " ".join(judged.reasons)[:150]), file=out)
        for side in ("reference", "candidate"):
            slowest = sorted(self.all, key=lambda judged: -getattr(judged, side + "_seconds"))[:10]
            print("\nslowest on the %s:" % side, file=out)
            print("  " + "\n  ".join("%6.2f s  %s" % (getattr(judged, side + "_seconds"), judged.name)
                                     for judged in slowest), file=out)
        self._print_figures(out, seconds)

    def _print_differences(self, out: TextIO) -> None:
        """Each once: requests of one kind that differ in the same way share an entry. The JSON report has them all."""
        grouped: dict[tuple[str, tuple[str, ...]], list[Judged]] = {}
        for judged in self.unexpected:
            grouped.setdefault((judged.kind_of_group, tuple(judged.reasons)), []).append(judged)
        printed = Counter[str]()
        for (kind, reasons), alike in grouped.items():
            printed[kind] += 1
            if printed[kind] > MOST_OF_A_KIND:
                continue
            more = " and %d more" % (len(alike) - 1) if len(alike) > 1 else ""
            print("\nDIFFERENT %s%s" % (alike[0].name[:240], more), file=out)
            for reason in reasons:
                print("    " + reason, file=out)
        for kind, count in printed.items():
            if count > MOST_OF_A_KIND:
                print("\nDIFFERENT %s: %d more entries in the report" % (kind, count - MOST_OF_A_KIND), file=out)

    def _print_figures(self, out: TextIO, seconds: float) -> None:
        judged = len(self.all) - len(self.of(LEFT_OUT))
        print("\n%d requests in %.0f s, %d judged:" % (len(self.all), seconds, judged), file=out)
        for label, count in (("identical, byte for byte", len(self.of(IDENTICAL))),
                             ("equal but for the traceback text", len(self.of(TRACEBACK))),
                             ("different, known and expected", len(self.known)),
                             ("different", len(self.unexpected))):
            print("  %-34s %6d  %5.1f %%" % (label, count, 100.0 * count / judged if judged else 0), file=out)
        print("  %-34s %6d" % ("left out, not repeatable", len(self.of(LEFT_OUT))), file=out)

    def verdict(self, minimum: float, complete: bool) -> int:
        """The exit code, with a last line that says why."""
        news = self.expectations.seen - self.expectations.met
        stale = set(self.expectations.reasons) - self.expectations.seen if complete else set()
        for key in sorted(news):
            print("UNEXPECTED PASS: %s agrees with the reference; take it out of the expectations" % key)
        for key in sorted(stale):
            print("STALE EXPECTATION: %s was not requested" % key)
        if not self.all:
            print("FAILED: nothing was requested")
            return 1
        agreeing = len(self.of(IDENTICAL)) + len(self.of(TRACEBACK))
        failed = self.percent < minimum or bool(news) or bool(stale)
        print("%s: %.2f %% agree (at least %.2f %% wanted)" % ("FAILED" if failed else "ok", self.percent, minimum))
        print("%d passed, %d failed" % (agreeing + len(self.known), len(self.unexpected) + len(news) + len(stale)))
        return 1 if failed else 0

    def as_json(self) -> str:
        counts = Counter(judged.kind for judged in self.all)
        return json.dumps({"counts": counts, "known": len(self.known), "percent": self.percent,
                           "requests": [asdict(judged) for judged in self.all]}, indent=1)
