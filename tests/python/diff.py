"""Runs generated Python programs on our interpreter and on CPython 3.11, and compares the results.

First the pinned programs (corpus/, and the examples of known.toml), then N generated ones; the same SEED makes the same
programs. Exits 1 on a difference that known.toml does not explain, and when one of its examples does not differ any more.
Run it with the Python of the reference environment. README.md beside this file says more.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import shlex
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Iterator

import generate
import known
from grammar import Program
from sides import Candidate, candidate_command, on_reference, prepare_reference

BATCH = 400
MOST_PRINTED = 60
LONGEST_PRINTED = 700


@dataclass(frozen=True)
class Difference:
    """A program whose results differ. `reason` is None when nothing explains it."""

    kind: str
    program: Program
    reference: str
    ours: str
    reason: str | None


@dataclass(frozen=True)
class Work:
    """Which of the generated batches to compare."""

    seed: str
    domains: list[str]
    batches: range

    def programs(self) -> Iterator[list[Program]]:
        for number in self.batches:
            yield generate.batch(self.domains[number % len(self.domains)], self.seed, number, BATCH)


def compare(candidate: Candidate, entries: list[known.Known], programs: list[Program]) -> list[Difference]:
    """The same programs on both sides at once."""
    sources = [program.source for program in programs]
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(candidate.results, sources)
        reference = on_reference(sources)
    found = []
    for program, want, have in zip(programs, reference, asked.result(), strict=True):
        kind = known.difference(want, have)
        if kind:
            reason = next((entry.reason for entry in entries
                           if entry.explains(kind, program.domain, program.source, want, have)), None)
            found.append(Difference(kind, program, want, have, reason))
    return found


def worker(command: list[str], work: Work, out: Connection) -> None:
    """A process: sends the number of programs and the differences of each batch."""
    prepare_reference()
    entries = known.load()
    with Candidate(command) as candidate, out:
        for programs in work.programs():
            out.send((len(programs), compare(candidate, entries, programs)))


def generated(command: list[str], seed: str, domains: list[str], count: int, jobs: int) -> Iterator[tuple[int, list[Difference]]]:
    """What the workers send; each has every jobs-th batch and a server of its own."""
    total = -(-count // BATCH)
    waiting = []
    for job in range(min(jobs, total)):
        inlet, outlet = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=worker, args=(command, Work(seed, domains, range(job, total, jobs)), outlet))
        process.start()
        outlet.close()
        waiting.append((inlet, process))
    connections = {inlet: process for inlet, process in waiting}
    while connections:
        for inlet in wait(list(connections)):
            try:
                yield inlet.recv()
            except EOFError:
                process = connections.pop(inlet)
                process.join()
                if process.exitcode:
                    raise SystemExit("FAILED: a worker ended with code %s" % process.exitcode) from None


def check_pinned(command: list[str]) -> tuple[int, int]:
    """The corpus and the examples of the known differences: how many are as they should be, and how many are not."""
    prepare_reference()
    entries = known.load()
    corpus = [Program(domain, source, source) for domain, source in known.pinned()]
    examples = [(entry, Program(next(iter(entry.domains), ""), source, source)) for entry in entries for source in entry.examples]
    failed = 0
    with Candidate(command) as candidate:
        for difference in compare(candidate, entries, corpus):
            if difference.kind != known.TEXT or not difference.reason:
                failed += 1
                print_difference("PINNED", difference, 1, command)
        differing = {difference.program: difference
                     for difference in compare(candidate, entries, [program for _, program in examples])}
    same_python = platform.python_version() == known.made_with()
    for entry, program in examples:
        met = differing.get(program)
        if not met or not entry.explains(met.kind, program.domain, program.source, met.reference, met.ours):
            failed += same_python
            print("UNEXPECTED PASS: the example %r does not differ as known.toml says (%s)%s"
                  % (program.source, entry.reason, ": %s, CPython %s, ours %s" % (met.kind, met.reference, met.ours) if met else ""))
    return len(corpus) + len(examples) - failed, failed


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_PRINTED else text[:LONGEST_PRINTED] + "..."


def print_difference(label: str, difference: Difference, count: int, command: list[str]) -> None:
    more = " and %d more from this template" % (count - 1) if count > 1 else ""
    print("\n%s %s (%s)%s" % (label, difference.kind, difference.program.domain, more))
    print("    program   " + shortened(difference.program.source.replace("\n", "\n              ")))
    print("    CPython   " + shortened(difference.reference))
    print("    ours      " + shortened(difference.ours))
    print("    again     %s %s --binary %s --program %s" % (sys.executable, Path(__file__).resolve(), shlex.quote(command[0]),
                                                           shlex.quote(difference.program.source)))


def print_differences(found: list[Difference], command: list[str]) -> None:
    """The worst first; one, the shortest, for each template and kind."""
    groups: dict[tuple[int, str, str], list[Difference]] = {}
    for difference in found:
        key = known.KINDS.index(difference.kind), difference.program.domain, difference.program.template
        groups.setdefault(key, []).append(difference)
    for number, (_, alike) in enumerate(sorted(groups.items())):
        if number == MOST_PRINTED:
            print("\n%d more templates with differences: see --report" % (len(groups) - MOST_PRINTED))
            break
        shortest = min(alike, key=lambda difference: len(difference.program.source))
        print_difference("DIFFERENT", shortest, len(alike), command)


def run(args: argparse.Namespace, command: list[str]) -> int:
    started = time.monotonic()
    passed, failed = (0, 0) if args.only else check_pinned(command)
    domains = args.only or generate.DOMAINS
    compared, unexplained, explained = 0, [], Counter()
    for count, differences in generated(command, args.seed, domains, args.n, args.jobs):
        compared += count
        for difference in differences:
            if difference.reason:
                explained[difference.reason] += 1
            else:
                unexplained.append(difference)
    print_differences(unexplained, command)
    print("\nseed %s, %d programs of %d domains in %.0f s" % (args.seed, compared, len(domains), time.monotonic() - started))
    for reason, count in explained.most_common():
        print("  known %6d  %s" % (count, reason))
    print("  unexplained: %s" % (dict(Counter(difference.kind for difference in unexplained)) or "none"))
    if args.report:
        rows = [{"kind": one.kind, **one.program._asdict(), "reference": one.reference, "ours": one.ours} for one in unexplained]
        args.report.write_text(json.dumps(rows, indent=1))
    print("%d passed, %d failed" % (passed + compared - len(unexplained), failed + len(unexplained)))
    return 1 if failed or unexplained or compared < args.n else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the binary whose interpreter is compared with this one")
    parser.add_argument("--candidate-command", help="a command line that stands in for the binary")
    parser.add_argument("-n", type=int, default=20000, help="how many programs to generate (20000)")
    parser.add_argument("--seed", default="1", help="another seed makes other programs (1)")
    parser.add_argument("--jobs", type=int, default=2, help="workers, each with a server (2)")
    parser.add_argument("--only", action="append", choices=generate.DOMAINS, help="only this domain, and nothing pinned")
    parser.add_argument("--report", type=Path, help="write the unexplained differences as JSON")
    parser.add_argument("--program", help="run this program only, and print both results")
    args = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        raise SystemExit("FAILED: the reference is CPython 3.11, this is %s" % sys.version)
    command = candidate_command(args.binary, args.candidate_command)
    if args.program is None:
        return run(args, command)
    prepare_reference()
    with Candidate(command) as candidate:
        reference, ours = on_reference([args.program])[0], candidate.results([args.program])[0]
    print("CPython   %s\nours      %s\n%s" % (reference, ours, known.difference(reference, ours) or "equal"))
    return 0 if reference == ours else 1


if __name__ == "__main__":
    sys.exit(main())
