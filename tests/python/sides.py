"""The two sides: a server of ours that evaluates programs in a handler, and this process, which is CPython 3.11.

Every worker has a server of its own, so that a program that stops a server does not stop that of another worker.
"""

from __future__ import annotations

import contextlib
import io
import resource
import signal
import sys
from pathlib import Path
from types import FrameType, TracebackType

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "differential"))
sys.path.insert(0, str(HERE / "site"))

from servers import REFERENCE, Server, candidate_command  # noqa: E402
from wire import exchange  # noqa: E402
from ring import evaluate  # noqa: E402

BATCH_LIMIT = 120.0
PROGRAM_LIMIT = 20.0
REFERENCE_LIMIT = 5.0
# Of the server and of this process: a program that asks for more is a mistake of its generator.
MEMORY = 6 << 30
# A server that has grown to this is replaced by a new one.
RESIDENT = 1 << 30
ANSWER_CAP = 64 << 20
STOPPED = "stopped "


class TooSlow(BaseException):
    """A program that CPython does not finish in time."""


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow("more than %d s" % REFERENCE_LIMIT)


def prepare_reference() -> None:
    """Limits this process and lets slow programs end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_slow)


def on_reference(programs: list[str]) -> list[str]:
    """The results of CPython, which is this process. The output of the programs is dropped."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return _evaluated(programs)


def _evaluated(programs: list[str]) -> list[str]:
    results = []
    for program in programs:
        signal.setitimer(signal.ITIMER_REAL, REFERENCE_LIMIT)
        try:
            result = evaluate.evaluate_all([program])
        except TooSlow as error:
            result = ["raise TooSlow " + str(error)]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        results += result
    return results


class Candidate:
    """Our server. A program that stops it, or does not end, has the result `stopped WHY`."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._server: Server | None = None

    def __enter__(self) -> "Candidate":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._server:
            self._server.__exit__(None, None, None)
            self._server = None

    def results(self, programs: list[str]) -> list[str]:
        """All results, one for each program."""
        answered = self._ask(programs, BATCH_LIMIT)
        if isinstance(answered, list):
            return answered
        self._stop()
        results = []
        for program in programs:
            alone = self._ask([program], PROGRAM_LIMIT)
            if isinstance(alone, str):
                self._stop()
                alone = [STOPPED + alone]
            results += alone
        return results

    def _ask(self, programs: list[str], limit: float) -> list[str] | str:
        """The results, or why there are none."""
        server = self._running()
        body = "\0".join(programs).encode("ascii")
        head = "POST /evaluate.py HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        answer = exchange(server.address, head.encode() + body, time_cap=limit, byte_cap=ANSWER_CAP)
        if not server.alive():
            return "the server: " + server.log_tail(3).replace("\n", " | ")
        if answer.end == "time":
            return "no answer after %d s" % limit
        _, _, content = answer.raw.partition(b"\r\n\r\n")
        if not answer.raw.startswith(b"HTTP/1.1 200 "):
            return "the handler: " + answer.raw[-400:].decode(errors="replace").replace("\n", " | ")
        results = content.decode("ascii").split("\n")
        if len(results) != len(programs):
            return "%d results for %d programs" % (len(results), len(programs))
        return results

    def _running(self) -> Server:
        if self._server and _resident(self._server.pid) > RESIDENT:
            self._stop()
        if not self._server:
            # Without a supervisor: a program that ends the process has to be seen, and the limit is for the process that runs it.
            server = Server("candidate", self._command, HERE / "site", extra=["--no-supervisor"])
            server.__enter__()
            resource.prlimit(server.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            self._server = server
        return self._server

    def _stop(self) -> None:
        """Not asked but killed: it may be in a program that has no end."""
        if self._server:
            self._server.kill()
            self._server.__exit__(None, None, None)
            self._server = None


def _resident(pid: int) -> int:
    """The resident memory of a process, in bytes; 0 when it has ended."""
    try:
        return int(Path("/proc/%d/statm" % pid).read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0
