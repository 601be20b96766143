"""Starts and stops a server for a test: our binary, the reference, or anything with the same command line.

Readiness is the ready file, written whole and renamed into place; nothing here sleeps and hopes.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from wire import Address

HERE = Path(__file__).resolve().parent
REFERENCE = [sys.executable, str(HERE / "reference.py")]
# What the log says when a process that served has died.
REPLACED = "; another one takes over (number "
START_LIMIT = 60.0
STOP_LIMIT = 10.0


class StartFailed(Exception):
    """The server did not come up; the message says what it printed."""


class Process:
    """What can be asked of a server's process while it runs."""

    name: str
    log_path: Path
    _process: subprocess.Popen

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def has_died(self) -> bool:
        """Whether it has ended, or has had to replace a process of its own."""
        return not self.alive() or REPLACED in self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """Ends it without asking."""
        self._process.kill()

    def log_tail(self, lines: int = 20) -> str:
        text = self.log_path.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


class Server(Process):
    """One running server: `host`, `port` and `ports` (by scheme) once entered, stopped by SIGTERM on leaving.

    With `jail` the command changes its root to that directory: the paths it is given are paths inside. With `config` the
    server gets that file instead of a port. `work` is the directory it starts in. `extra` are further flags.
    """

    def __init__(self, name: str, command: list[str], doc_root: Path, policy: str = "warn",
                 jail: Path | None = None, config: Path | None = None, work: Path | None = None,
                 extra: list[str] | None = None) -> None:
        self.name = name
        self.host = "127.0.0.1"
        self.port = 0
        self.start_seconds = 0.0
        self.stop_seconds = 0.0
        self.exit_code: int | None = None
        self._command = command
        self._doc_root = doc_root
        self._policy = policy
        self._jail = jail
        self._config = config
        self._work = work
        self._extra = extra or []

    def __enter__(self) -> "Server":
        self._directory = tempfile.TemporaryDirectory(prefix="wptserve-test-")
        self._ready = (self._jail or Path(self._directory.name)) / "ready.json"
        named = "/ready.json" if self._jail else str(self._ready)
        # A jail may have been used before.
        self._ready.unlink(missing_ok=True)
        self.log_path = Path(self._directory.name) / "log.txt"
        self._log = open(self.log_path, "wb")
        ports = ["--config", str(self._config)] if self._config else ["--port", "0"]
        arguments = ["serve", "--doc-root", str(self._doc_root), "--host", self.host, *ports,
                     "--import-policy", self._policy, "--ready-file", named, *self._extra]
        started = time.monotonic()
        self._process = subprocess.Popen(self._command + arguments, stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log, cwd=self._work)
        try:
            ready = self._wait_ready(started + START_LIMIT)
        except BaseException:
            self._stop()
            raise
        self.start_seconds = time.monotonic() - started
        self.ports: dict[str, list[int]] = ready["ports"]
        self.port = self.ports["https" if self._config else "http"][0]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop()

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)

    def address_of(self, _listener: str) -> Address:
        """Where the requests for a listener go: there is only the one."""
        return self.address

    def _wait_ready(self, deadline: float) -> dict:
        """The file is looked for again whenever a short wait on the process ends without its exit."""
        exit_watch = os.pidfd_open(self._process.pid)
        try:
            while time.monotonic() < deadline:
                if self._ready.exists():
                    return json.loads(self._ready.read_text())
                if select.select([exit_watch], [], [], 0.01)[0]:
                    raise StartFailed("%s ended with code %s before it was ready:\n%s"
                                      % (self.name, self._process.wait(), self.log_tail()))
        finally:
            os.close(exit_watch)
        raise StartFailed("%s was not ready after %.0f s:\n%s" % (self.name, START_LIMIT, self.log_tail()))

    def _stop(self) -> None:
        started = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self.exit_code = self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.exit_code = self._process.wait()
        self.stop_seconds = time.monotonic() - started
        self._log.close()
        self._directory.cleanup()


def candidate_command(binary: str | None, command: str | None) -> list[str]:
    """The command under test: a binary, or a whole command line that stands in for it."""
    if command:
        return shlex.split(command)
    if not binary:
        raise SystemExit("name what to test: --binary PATH or --candidate-command 'COMMAND'")
    path = Path(binary).resolve()
    if not os.access(path, os.X_OK):
        raise SystemExit("%s is not there or not executable: build it first" % path)
    return [str(path)]
