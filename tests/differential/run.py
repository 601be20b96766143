"""Compares a server with wptserve 4.0.3, byte by byte: the same requests to both, in the same order.

Three servers run: the candidate, the reference, and, with --repeat-check, a second reference that starts fresh and
later. What the reference does not repeat (clocks, random numbers) cannot be judged: it is left out, and listed.
Exits 1 when the judged answers that agree are fewer than --minimum percent, or when the expectations are wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from cases import DEFAULT_EXCLUDES, Group, handler_groups, request, select, static_groups
from compare import Side
from report import Expectations, Report, judge
from scripts import all_scripts
from servers import REFERENCE, Server, StartFailed, candidate_command
from wire import Answer, exchange

HERE = Path(__file__).resolve().parent
Answers = dict[tuple[str, int], Answer]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the binary to compare with the reference")
    parser.add_argument("--candidate-command", help="a command line that stands in for the binary")
    parser.add_argument("--root", type=Path, required=True, help="the checkout to serve")
    parser.add_argument("--import-policy", default="warn", choices=["strict", "warn"])
    parser.add_argument("--jobs", type=int, default=24, help="connections to each server (24)")
    parser.add_argument("--time-cap", type=float, default=12.0, help="seconds to listen to one answer (12)")
    parser.add_argument("--report", type=Path, help="write everything that was seen as JSON")
    parser.add_argument("--repeat-check", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--minimum", type=float, default=100.0, help="percent of the judged answers that must agree")
    parser.add_argument("--include", action="append", default=[], metavar="GLOB", help="only files that match")
    parser.add_argument("--exclude", action="append", metavar="GLOB", help="instead of: " + " ".join(DEFAULT_EXCLUDES))
    parser.add_argument("--no-excludes", action="store_true", help="docs/, tools/ and the rest as well")
    parser.add_argument("--rich", action="store_true", help="many requests for each handler, and static files too")
    parser.add_argument("--scripts", action="store_true", help="the demo site's written sequences and wire oddities")
    parser.add_argument("--expected", type=Path, action="append", default=[], metavar="FILE",
                        help="known differences, e.g. expected.json")
    return parser.parse_args()


def plan(args: argparse.Namespace, root: Path) -> list[Group]:
    """All groups, the slow ones first so that their waiting overlaps with everything else."""
    excludes = [] if args.no_excludes else args.exclude or DEFAULT_EXCLUDES
    found = select(root, excludes, args.include)
    print("checkout: %s" % root)
    print("handlers: %d; other Python files: %d; excluded: %d files by %s"
          % (len(found.handlers), len(found.other_python), len(found.excluded), " ".join(excludes) or "nothing"))
    groups = handler_groups(root, found.handlers, args.rich)
    if args.rich:
        groups += handler_groups(root, found.other_python, rich=False)
        groups += static_groups(root, found.static)
    if args.scripts:
        groups += all_scripts()
    return sorted(groups, key=lambda group: not group.slow)


def ask(server: Server, group: Group, time_cap: float) -> Answers:
    return {(group.name, number): exchange(server.address, case.raw, half_close=case.half_close, time_cap=time_cap)
            for number, case in enumerate(group.cases)}


def ask_all(servers: list[Server], groups: list[Group], args: argparse.Namespace) -> list[Answers]:
    """Every group to every server; groups run side by side, the requests of one group in order."""
    collected: list[Answers] = [{} for _ in servers]
    with ThreadPoolExecutor(args.jobs * len(servers)) as pool:
        waiting = [(number, pool.submit(ask, server, group, args.time_cap))
                   for group in groups for number, server in enumerate(servers)]
        for number, answers in waiting:
            collected[number].update(answers.result())
    return collected


def settle_endings(servers: list[Server], groups: list[Group], one: Answers, two: Answers,
                   time_cap: float) -> None:
    """Whether a connection stays open is seen by waiting: where the two disagree, wait longer before believing it."""
    by_name = {group.name: group for group in groups}
    for key, answer in list(two.items()):
        other = one[key]
        if {answer.end, other.end} != {"open", "closed"} or answer.raw[:9] != other.raw[:9]:
            continue
        case = by_name[key[0]].cases[key[1]]
        for server, answers in zip(servers, (one, two)):
            again = exchange(server.address, case.raw, idle=1.0, half_close=case.half_close, time_cap=time_cap)
            answers[key] = replace(answers[key], end=again.end)


def side_of(server: Server, root: Path) -> Side:
    """The server's own Server header, from an answer nobody had a hand in."""
    answer = exchange(server.address, request("GET", "/there-is-no-such-file.for-sure"))
    for line in answer.raw.splitlines():
        if line.lower().startswith(b"server: "):
            return Side(server.port, line[8:], str(root))
    return Side(server.port, b"", str(root))


def main() -> int:
    args = arguments()
    root = args.root.resolve()
    if not root.is_dir():
        print("no such checkout: %s" % root, file=sys.stderr)
        return 2
    command = candidate_command(args.binary, args.candidate_command)
    groups = plan(args, root)
    started = time.monotonic()
    try:
        with Server("reference", REFERENCE, root) as reference, \
                Server("candidate", command, root, args.import_policy) as candidate:
            sides = side_of(reference, root), side_of(candidate, root)
            expected, got = ask_all([reference, candidate], groups, args)
            settle_endings([reference, candidate], groups, expected, got, args.time_cap)
            died = not candidate.alive()
            log_tail = candidate.log_tail()
        repeated, repeat_side = None, sides[0]
        if args.repeat_check:
            with Server("second reference", REFERENCE, root) as second:
                repeat_side = side_of(second, root)
                (repeated,) = ask_all([second], groups, args)
                if second.alive():
                    settle_repeat(second, groups, expected, repeated)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 2
    report = Report(Expectations.load(args.expected))
    for group in groups:
        for number, case in enumerate(group.cases):
            key = group.name, number
            again = (repeated[key], repeat_side) if repeated else None
            report.add(judge(group.name, case.name, (expected[key], sides[0]), (got[key], sides[1]), again))
    report.print(sys.stdout, time.monotonic() - started)
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(report.as_json())
        print("report: %s" % args.report)
    if died:
        print("FAILED: the candidate process ended during the run:\n%s" % log_tail)
        return 1
    return report.verdict(args.minimum, complete=not args.include)


def settle_repeat(second: Server, groups: list[Group], expected: Answers, repeated: Answers) -> None:
    """The same patience for the second reference, which alone is still running."""
    cases = {(group.name, number): case for group in groups for number, case in enumerate(group.cases)}
    for key, answer in repeated.items():
        if {answer.end, expected[key].end} == {"open", "closed"}:
            again = exchange(second.address, cases[key].raw, idle=1.0, half_close=cases[key].half_close)
            repeated[key] = replace(answer, end=again.end)


if __name__ == "__main__":
    sys.exit(main())
