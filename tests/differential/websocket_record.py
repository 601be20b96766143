"""Records the sessions of websocket_sessions.py from pywebsocket3 4.0.2 into fixtures/websocket/sessions.txt.

    python websocket_record.py --binary dist/wptserve [--check] [NAME...]

Our own server is asked as well: a session with a `difference` is recorded from both, and any other one in which the two
differ is reported and fails this. With --check nothing is written. Given names (beginnings), only these are compared and
nothing is written.

The file has, for each session, its name and what it shows, then for each step `>` what is sent (`> EOF`: the client closes
its side), `<` what comes back, `=` what comes back from us instead, and `| closed` or `| open` at the end. Lines of one kind
that follow each other belong together; bytes are escaped as in Python. tests/cases/websocket.rs plays it.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from websocket_sessions import EOF, SESSIONS, Session

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "websocket"
RECORD = ROOT / "sessions.txt"
QUIET = 0.4
LIMIT = 10.0

HEAD = """# WebSocket sessions, and the answers of pywebsocket3 4.0.2. Written by tests/differential/websocket_record.py, which says
# what is what; the sessions are in tests/differential/websocket_sessions.py.
"""


def mask(data: bytes) -> bytes:
    data = re.sub(rb"(?m)^(Server: )[^\r\n]*", rb"\1<server>", data)
    return re.sub(rb"(?m)^(Date: )[^\r\n]*", rb"\1<date>", data)


def play(session: Session, port: int) -> tuple[list[bytes], str]:
    """What comes back after each step, and whether the connection is open at the end."""
    answers, ends = [], "open"
    with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
        for step in session.steps:
            try:
                client.shutdown(socket.SHUT_WR) if step is EOF else client.sendall(step)
            except OSError:
                ends = "closed"
            received = b""
            deadline = time.monotonic() + LIMIT
            while ends == "open" and time.monotonic() < deadline:
                client.settimeout(QUIET)
                try:
                    data = client.recv(1 << 16)
                except TimeoutError:
                    break
                except ConnectionError:
                    data = b""
                if not data:
                    ends = "closed"
                received += data
            answers.append(mask(received))
    return answers, ends


def escape(data: bytes) -> list[str]:
    """Lines of text for bytes; a line ends behind a line feed, or where it gets long."""
    pieces = re.findall(rb"[^\n]{0,90}\n|[^\n]{1,90}", data)
    return [repr(piece)[2:-1].replace("\\'", "'") if b'"' in piece or b"'" not in piece else repr(piece)[2:-1]
            for piece in pieces]


def write(session: Session, reference: tuple, ours: tuple | None) -> str:
    lines = ["", "# %s: %s" % (session.name, session.shows)]
    if session.difference:
        lines.append("! %s" % session.difference)
    for number, step in enumerate(session.steps):
        lines += ["> EOF"] if step is EOF else ["> " + line for line in escape(step)]
        lines += ["< " + line for line in escape(reference[0][number])] or ["<"]
        if ours and ours[0][number] != reference[0][number]:
            lines += ["= " + line for line in escape(ours[0][number])] or ["="]
    lines.append("| %s" % reference[1])
    if ours and ours[1] != reference[1]:
        lines.append("|= %s" % ours[1])
    return "\n".join(lines) + "\n"


def start_reference() -> int:
    """pywebsocket3's server as `wpt serve` starts it, on a thread of this process."""
    from pywebsocket3 import standalone
    from wptserve import stash

    logging.disable(logging.CRITICAL)
    server = stash.StashServer()
    server.__enter__()
    options, _ = standalone._parse_args_and_config(
        ["-H", "127.0.0.1", "-p", "0", "-d", str(ROOT), "-w", str(ROOT / "handlers")])
    options.cgi_directories = []
    options.is_executable_method = None
    server = standalone.WebSocketServer(options)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server._sockets[0][0].getsockname()[1]


class Ours:
    """Our server on the same handlers."""

    def __init__(self, binary: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        config = folder / "config.json"
        config.write_text(json.dumps({
            "check_subdomains": False, "server_host": "127.0.0.1", "ssl": {"type": "none"},
            "ports": {"http": ["auto", "auto"], "ws": ["auto"]}}))
        ready = folder / "ready"
        command = [binary, "serve", "--doc_root", str(ROOT), "--ws_doc_root", str(ROOT / "handlers"), "--config", str(config),
                   "--ready-file", str(ready)]
        self._log = open(folder / "log", "wb")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + 30
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("our server did not start:\n" + (folder / "log").read_text())
            time.sleep(0.02)
        self.port = json.loads(ready.read_text())["ports"]["ws"][0]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        self._log.close()
        self._folder.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    sys.dont_write_bytecode = True
    sessions = [session for session in SESSIONS if not args.names or session.name.startswith(tuple(args.names))]

    port = start_reference()
    ours = Ours(args.binary)
    try:
        with ThreadPoolExecutor(12) as pool:
            expected = list(pool.map(lambda session: play(session, port), sessions))
            got = list(pool.map(lambda session: play(session, ours.port), sessions))
    finally:
        ours.stop()

    text, failed = HEAD, 0
    for session, reference, candidate in zip(sessions, expected, got):
        if (reference != candidate) != bool(session.difference):
            failed += 1
            print("%s: %s" % (session.name, "no longer differs" if session.difference else "differs"))
            print(write(session, reference, candidate))
        text += write(session, reference, candidate if session.difference else None)
    if not args.check and not args.names and not failed:
        RECORD.write_text(text)
    elif args.check and RECORD.read_text() != text:
        failed += 1
        print("%s is not what it would be now" % RECORD)
    print("%d passed, %d failed" % (len(sessions) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
