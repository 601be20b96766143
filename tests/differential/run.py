"""Compares a server with wptserve 4.0.3, byte by byte: the same requests to both, in the same order.

Three servers run: the candidate, the reference, and, with --repeat-check, a second reference that starts fresh and
later. Answers that the reference does not repeat (clocks, random numbers) cannot be judged: they are left out, and listed.
Exits 1 when the judged answers that agree are fewer than --minimum percent, or when the expectations are wrong.

With --wpt-serve both servers are a whole `wpt serve` on the same full checkout: every listener, the same configuration
and ports, each on a loopback address of its own; the requests are a sample of everything it serves (wpt_urls.py).
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import wpt_serve
import wpt_urls
from cases import DEFAULT_EXCLUDES, Group, handler_groups, request, select, static_groups
from compare import Side
from report import Expectations, Report, judge
from scripts import all_scripts
from servers import REFERENCE, Server, StartFailed, candidate_command
from wire import Answer, exchange
from wpt_serve import WptServer

HERE = Path(__file__).resolve().parent
Answers = dict[tuple[str, int], Answer]
Sides = dict[str, Side]
AnyServer = Server | WptServer
# The reference, the candidate, the second reference. None of them is the address that names in /etc/hosts mean.
ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]


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
    whole = parser.add_argument_group("a whole `wpt serve`")
    whole.add_argument("--wpt-serve", action="store_true", help="compare with the checkout's own `wpt serve`")
    whole.add_argument("--tools", type=Path, help="the checkout whose `wpt serve` is the reference (--root)")
    whole.add_argument("--sample", type=int, default=4000, help="about how many requests to draw (4000)")
    whole.add_argument("--encrypted", type=int, default=600, help="how many of them to send over TLS as well (600)")
    whole.add_argument("--seed", type=int, default=1, help="another seed draws other requests (1)")
    whole.add_argument("--first-port", type=int, help="where to look for free ports")
    whole.add_argument("--no-h2", action="store_true", help="passed on to both servers")
    whole.add_argument("--inject-script", type=Path, help="passed on to both servers")
    return parser.parse_args()


def wpt_servers(args: argparse.Namespace, root: Path, command: list[str]) -> tuple[list[WptServer], list[Group]]:
    """The reference, the candidate and the second reference, not started yet; and the requests."""
    tools = (args.tools or root).resolve()
    ports = wpt_serve.free_ports(ADDRESSES, args.first_port)
    extra = ["--inject-script", str(args.inject_script.resolve())] if args.inject_script else []
    if args.no_h2:
        extra.append("--no-h2")
        del ports["h2"]
    reference = wpt_serve.reference_command(tools)
    servers = []
    for name, start, address in zip(("reference", "candidate", "second reference"), (reference, command, reference),
                                    ADDRESSES):
        config = wpt_serve.configuration(tools, root, address, ports)
        config["aliases"] = wpt_urls.aliases(root)
        servers.append(WptServer(name, start, config, tools, extra))
    groups = wpt_urls.draw(root, args.seed, args.sample, args.encrypted, ports)
    return servers, [group for group in groups if not args.include or any(
        fnmatch.fnmatchcase(group.name, glob) for glob in args.include)]


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


def ask(server: AnyServer, group: Group, time_cap: float) -> Answers:
    return {(group.name, number): exchange(server.address_of(case.listener), case.raw, half_close=case.half_close,
                                           time_cap=time_cap)
            for number, case in enumerate(group.cases)}


def ask_all(servers: list[AnyServer], groups: list[Group], args: argparse.Namespace) -> list[Answers]:
    """Every group to every server; groups run side by side, the requests of one group in order."""
    collected: list[Answers] = [{} for _ in servers]
    with ThreadPoolExecutor(args.jobs * len(servers)) as pool:
        waiting = [(number, pool.submit(ask, server, group, args.time_cap))
                   for group in groups for number, server in enumerate(servers)]
        for number, answers in waiting:
            collected[number].update(answers.result())
    return collected


def settle_endings(servers: list[AnyServer], groups: list[Group], one: Answers, two: Answers,
                   time_cap: float) -> None:
    """Whether a connection stays open is seen by waiting: where the two disagree, wait longer before believing it."""
    by_name = {group.name: group for group in groups}
    for key, answer in list(two.items()):
        other = one[key]
        if {answer.end, other.end} != {"open", "closed"} or answer.raw[:9] != other.raw[:9]:
            continue
        case = by_name[key[0]].cases[key[1]]
        for server, answers in zip(servers, (one, two)):
            again = exchange(server.address_of(case.listener), case.raw, idle=1.0, half_close=case.half_close,
                             time_cap=time_cap)
            answers[key] = replace(answers[key], end=again.end)


def sides_of(server: AnyServer, root: Path, groups: list[Group]) -> Sides:
    """By listener the server's own Server header, from an answer without a handler."""
    sides = {}
    for listener in {case.listener for group in groups for case in group.cases}:
        answer = exchange(server.address_of(listener), request("GET", "/there-is-no-such-file.for-sure"))
        named = [line[8:] for line in answer.raw.splitlines() if line.lower().startswith(b"server: ")]
        sides[listener] = Side(server.port, named[0] if named else b"", str(root))
    return sides


def main() -> int:
    args = arguments()
    root = args.root.resolve()
    if not root.is_dir():
        print("no such checkout: %s" % root, file=sys.stderr)
        return 2
    command = candidate_command(args.binary, args.candidate_command)
    started = time.monotonic()
    try:
        if args.wpt_serve:
            (first, other, later), groups = wpt_servers(args, root, command)
        else:
            first, other, later = (Server("reference", REFERENCE, root),
                                   Server("candidate", command, root, args.import_policy),
                                   Server("second reference", REFERENCE, root))
            groups = plan(args, root)
        with first as reference, other as candidate:
            sides = sides_of(reference, root, groups), sides_of(candidate, root, groups)
            expected, got = ask_all([reference, candidate], groups, args)
            settle_endings([reference, candidate], groups, expected, got, args.time_cap)
            died = candidate.has_died()
            log_tail = candidate.log_tail()
        exit_code = candidate.exit_code
        repeated, repeat_sides = None, sides[0]
        if args.repeat_check:
            with later as second:
                repeat_sides = sides_of(second, root, groups)
                (repeated,) = ask_all([second], groups, args)
                if second.alive():
                    settle_repeat(second, groups, expected, repeated)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 2
    report = Report(Expectations.load(args.expected))
    for group in groups:
        for number, case in enumerate(group.cases):
            key, listener = (group.name, number), case.listener
            again = (repeated[key], repeat_sides[listener]) if repeated else None
            report.add(judge(group.name, case.name, (expected[key], sides[0][listener]), (got[key], sides[1][listener]),
                             again))
    report.print(sys.stdout, time.monotonic() - started)
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(report.as_json())
        print("report: %s" % args.report)
    if died:
        print("FAILED: the candidate process ended with code %s during the run:\n%s" % (exit_code, log_tail))
        return 1
    # Which of the known differences a sample meets depends on the seed.
    return report.verdict(args.minimum, complete=not args.include and not args.wpt_serve)


def settle_repeat(second: AnyServer, groups: list[Group], expected: Answers, repeated: Answers) -> None:
    """The same patience for the second reference, which alone is still running."""
    cases = {(group.name, number): case for group in groups for number, case in enumerate(group.cases)}
    for key, answer in repeated.items():
        if {answer.end, expected[key].end} == {"open", "closed"}:
            again = exchange(second.address_of(cases[key].listener), cases[key].raw, idle=1.0,
                             half_close=cases[key].half_close)
            repeated[key] = replace(answer, end=again.end)


if __name__ == "__main__":
    sys.exit(main())
