"""Records the answers of fixtures/cases from wptserve 4.0.3: all of them, or the cases whose names begin as given.

    python record.py [--check] [--tools CHECKOUT] [AREA[/NAME]...]

A case is a folder AREA/NAME with what it serves and these files:

* `case.json`: `shows`, a sentence; and, where needed, `difference`: why ours differs on purpose; `mask`: a list of names
  from MASKS; `connection`: "same" sends all requests on one connection, each after the answer to the one before;
  `answers`: how many answers one request file gets (pipelining); `half_close`: say that no more requests come;
  `serve`: true where wptserve alone has no such routes. Such a case is recorded only with --tools, from the routes of the
  `wpt serve` in that checkout. Those for test262 came in 2026; it needs PyYAML for them.
* `request.http`, or `request-1.http`, `request-2.http`, ...: the exact bytes; `<host>` stands for host and port,
  `<port>` for the port.
* `answer.http`, or `answer-1.http`, ...: written here. The server's own Date and Server, the port and the doc root are
  placeholders. A 5xx answer with a traceback is reduced to what two interpreters can agree upon.
* `ends.txt`: written here; a word for each connection, `open` or `closed`, found out by one more request on it.
* `ours.http`, or `ours-1.http`, ..., and `ours-ends.txt`: in a case with a `difference` our own answers, complete and in the
  same form. They are not written here but by `make record-ours`.

tests/cases/http.rs runs the cases. With --check nothing is written, and what would change is listed.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import compare
from compare import Side
from servers import REFERENCE, Server, StartFailed
from wire import Address, expected_length

CASES = Path(__file__).resolve().parents[2] / "fixtures" / "cases"
PROBE = b"GET /probe.txt HTTP/1.1\r\nHost: probe\r\n\r\n"
PROBE_BODY = (CASES / "probe.txt").read_bytes()
QUIET = 1.0
LIMIT = 15.0

MASKS = {
    # For bodies that hold the doc root, whose length differs from machine to machine.
    "length": (re.compile(rb"(?im)^(content-length: )\d+"), rb"\1<length>"),
    "uuid": (re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), rb"<uuid>"),
    # For cookies that expire some time from now.
    "expires": (re.compile(rb"(?i)(expires=)[^;\r\n]*"), rb"\1<expires>"),
    # For objects that show where in memory they are.
    "address": (re.compile(rb" at 0x[0-9a-f]+"), rb" at <address>"),
}
KEYS = {"shows", "difference", "mask", "connection", "answers", "half_close", "serve"}


@dataclass
class Case:
    name: str
    folder: Path
    options: dict
    requests: list[Path]

    @property
    def same_connection(self) -> bool:
        return self.options.get("connection") == "same"

    @property
    def needs_tools(self) -> bool:
        return self.options.get("serve", False)

    @property
    def answers(self) -> list[Path]:
        return [path.with_name(path.name.replace("request", "answer")) for path in self.requests]


def load(folder: Path) -> Case:
    name = str(folder.relative_to(CASES))
    options = json.loads((folder / "case.json").read_text())
    unknown = set(options) - KEYS
    if unknown or not options.get("shows"):
        raise SystemExit("%s/case.json: %s" % (name, "unknown: %s" % ", ".join(sorted(unknown)) or "`shows` is missing"))
    requests = sorted(folder.glob("request-*.http"), key=lambda path: int(path.stem.split("-")[1]))
    requests = requests or [folder / "request.http"]
    return Case(name, folder, options, requests)


def select(wanted: list[str]) -> list[Case]:
    folders = sorted(path.parent for path in CASES.glob("*/*/case.json"))
    cases = [load(folder) for folder in folders]
    if wanted:
        cases = [case for case in cases if any(case.name.startswith(start.strip("/")) for start in wanted)]
    return cases


# --- the wire --------------------------------------------------------------------------------------------------------


class Connection:
    """Sends bytes and reads what comes back until it is whole, or until nothing more comes."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection(address[:2], timeout=LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.closed = False

    def ask(self, request: bytes, answers: int, half_close: bool) -> bytes:
        self._send(request)
        if half_close:
            self._socket.shutdown(socket.SHUT_WR)
        return self._read(lambda raw: not half_close and _complete(raw, request, answers))

    def end(self) -> tuple[bytes, str]:
        """What still came, and how the connection ended: one more request finds out."""
        if not self.closed:
            self._send(PROBE)
            raw = self._read(lambda raw: raw.endswith(PROBE_BODY))
            if raw.endswith(PROBE_BODY):
                self._socket.close()
                return raw[:raw.rindex(b"HTTP/1.1 200 OK\r\n")], "open"
            self._socket.close()
            return raw, "closed" if self.closed else "silent"
        self._socket.close()
        return b"", "closed"

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            pass  # the server may have closed: what it said before is still to be read

    def _read(self, complete) -> bytes:
        raw = bytearray()
        deadline = time.monotonic() + LIMIT
        while not self.closed and not complete(bytes(raw)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            # What is slow is the first byte, for a handler runs before it.
            self._socket.settimeout(min(QUIET if raw else 3 * QUIET, left))
            try:
                piece = self._socket.recv(65536)
            except TimeoutError:
                break
            except OSError:
                piece = b""
            self.closed = not piece
            raw += piece
        return bytes(raw)


def _complete(raw: bytes, request: bytes, answers: int) -> bool:
    start = 0
    method = request.split(b" ", 1)[0]
    for _ in range(answers):
        length = expected_length(raw[start:], method)
        if length is None or len(raw) < start + length:
            return False
        start += length
    return True


# --- one case --------------------------------------------------------------------------------------------------------


def ask(case: Case, server: Server) -> tuple[list[bytes], list[str]]:
    """Every answer's bytes, and how every connection ended."""
    raws, ends = [], []
    host = b"%s:%d" % (server.host.encode(), server.port)
    connection = None
    for number, path in enumerate(case.requests):
        request = path.read_bytes().replace(b"<host>", host).replace(b"<port>", b"%d" % server.port)
        connection = connection or Connection(server.address)
        raws.append(connection.ask(request, case.options.get("answers", 1), case.options.get("half_close", False)))
        if not case.same_connection or number + 1 == len(case.requests):
            more, end = connection.end()
            raws[-1] += more
            ends.append(end)
            connection = None
    return raws, ends


def reduced(raw: bytes, side: Side, masks: list[str]) -> bytes:
    """What is written down of an answer."""
    masked = side.mask(raw).replace(side.doc_root.encode(), b"<root>")
    for name in masks:
        pattern, replacement = MASKS[name]
        masked = pattern.sub(replacement, masked)
    # The masked doc root is what frames inside it begin with.
    failure = compare._parse_failure(masked, Side(0, b"", "<root>"))
    if failure is None:
        return masked
    head = [failure.status, *(b"%s: %s" % header for header in failure.headers)]
    if failure.code is None:
        # The answer to a HEAD.
        return failure.before + b"\r\n".join(head) + b"\r\n\r\n"
    text = ["code: %s" % failure.code, "message: %s" % failure.first]
    text += ["frame: %s, line %s, in %s" % frame for frame in failure.frames]
    text += ["last: %s" % line for line in failure.last]
    return failure.before + b"\r\n".join(head) + b"\r\n\r\n" + "\n".join(text).encode() + b"\n" + failure.after


def server_header(server: Server) -> bytes:
    connection = Connection(server.address)
    raw = connection.ask(PROBE, 1, False)
    return re.search(rb"(?m)^Server: (.*)\r$", raw).group(1)


def ask_all(cases: list[Case], args: argparse.Namespace) -> list[tuple[Case, Side, list[bytes], list[str]]]:
    """Asks a fresh reference for cases that need the same routes."""
    command = REFERENCE + (["--tools", args.tools] if cases[0].needs_tools else [])
    with Server("reference", command, CASES) as server:
        side = Side(server.port, server_header(server), str(CASES))
        with ThreadPoolExecutor(args.jobs) as pool:
            results = list(pool.map(lambda case: ask(case, server), cases))
    return [(case, side, raws, ends) for case, (raws, ends) in zip(cases, results)]


def write(path: Path, content: bytes, check: bool) -> bool:
    """Whether it changed."""
    if path.exists() and path.read_bytes() == content:
        return False
    if not check:
        path.write_bytes(content)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="AREA or AREA/NAME; all of them without")
    parser.add_argument("--check", action="store_true", help="write nothing, list what would change")
    parser.add_argument("--tools", help="a checkout with the `wpt serve` for the cases that need one")
    parser.add_argument("--jobs", type=int, default=24)
    args = parser.parse_args()
    cases = select(args.cases)
    if not args.tools:
        left_out = [case.name for case in cases if case.needs_tools]
        cases = [case for case in cases if not case.needs_tools]
        if left_out:
            print("left out, without --tools: %d cases such as %s" % (len(left_out), left_out[0]))
    changed, wrong = [], []
    results = []
    try:
        for needs_tools in sorted({case.needs_tools for case in cases}):
            results += ask_all([case for case in cases if case.needs_tools == needs_tools], args)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 2
    for case, side, raws, ends in results:
        written = [reduced(raw, side, case.options.get("mask", [])) for raw in raws]
        files = [(path, content) for path, content in zip(case.answers, written)]
        files.append((case.folder / "ends.txt", ("\n".join(ends) + "\n").encode()))
        if [path for path, content in files if write(path, content, args.check)]:
            changed.append(case.name)
        if "silent" in ends:
            wrong.append("%s: the server neither answers nor closes" % case.name)
        if any(re.search(rb"/(home|tmp|work)/", content) for content in written):
            wrong.append("%s: a path of this machine is in its answer" % case.name)
    for name in changed:
        print("%s %s" % ("would change" if args.check else "recorded", name))
    print("%d cases, %d changed" % (len(cases), len(changed)))
    for line in wrong:
        print("WRONG %s" % line)
    return 1 if wrong or (args.check and changed) else 0


if __name__ == "__main__":
    sys.exit(main())
