"""Starts and stops a whole `wpt serve`, the checkout's own or our binary in its place, with the same configuration.

Answers hold port numbers, so both servers of a comparison use the same ports, each on a loopback address of its own;
the names are the same too, because nothing here asks a resolver for them. Ready is when every port takes connections.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from servers import START_LIMIT, Process, StartFailed
from wire import Address

# What a checkout of today has ports for. webtransport-h3 is not started, but substituted.
LISTENERS = ["http", "http 2", "http-local", "http-public", "https", "https 2", "https-local", "https-public",
             "ws", "wss", "h2", "webtransport-h3"]
# Before 2022 two of them had other names.
OLD_NAMES = {"http-local": "http-private", "https-local": "https-private"}
STOP_LIMIT = 15.0
# Ports that browsers refuse lie below this.
FIRST_PORT = 20000


def free_ports(addresses: list[str], first: int | None = None) -> dict[str, int]:
    """A port for every listener, free on all the addresses at this moment."""
    found: list[int] = []
    candidate = first or FIRST_PORT + os.getpid() % 4000 * 4
    while len(found) < len(LISTENERS):
        if candidate > 65000:
            raise StartFailed("no free ports from %s on" % (first or FIRST_PORT))
        if all(_is_free(address, candidate) for address in addresses):
            found.append(candidate)
        candidate += 1
    return dict(zip(LISTENERS, found))


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError:
            return False
    return True


def configuration(tools: Path, root: Path, address: str, ports: dict[str, int]) -> dict:
    """A `config.json` for the `wpt serve` of that checkout. Port names that it has not, it would drop."""
    serve = tools / "tools/serve/serve.py"
    old = serve.exists() and '"http-local"' not in serve.read_text(encoding="utf-8")
    by_scheme: dict[str, list[int]] = {}
    for listener, port in ports.items():
        scheme = listener.split()[0]
        by_scheme.setdefault(OLD_NAMES.get(scheme, scheme) if old else scheme, []).append(port)
    certificates = tools / "tools/certs"
    return {
        "server_host": address,
        "doc_root": str(root),
        "ws_doc_root": str(root / "websockets/handlers"),
        "check_subdomains": False,
        "ports": by_scheme,
        "ssl": {"type": "pregenerated", "pregenerated": {
            "host_key_path": str(certificates / "web-platform.test.key"),
            "host_cert_path": str(certificates / "web-platform.test.pem")}},
    }


def reference_command(tools: Path) -> list[str]:
    return [sys.executable, str(tools / "wpt")]


class WptServer(Process):
    """One running `wpt serve`; `address_of` names its listeners. Stopped by SIGINT, as its users do."""

    def __init__(self, name: str, command: list[str], config: dict, cwd: Path, extra: list[str] | None = None) -> None:
        self.name = name
        self.host: str = config["server_host"]
        self.ports = {}
        new_names = {old: new for new, old in OLD_NAMES.items()}
        for scheme, ports in config["ports"].items():
            for number, port in enumerate(ports):
                name = new_names.get(scheme, scheme)
                self.ports[name if number == 0 else "%s %d" % (name, number + 1)] = port
        self.port = None
        self.start_seconds = 0.0
        self.stop_seconds = 0.0
        self.exit_code: int | None = None
        self._command = command
        self._config = config
        self._cwd = cwd
        self._extra = extra or []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def __enter__(self) -> "WptServer":
        self._directory = tempfile.TemporaryDirectory(prefix="wptserve-test-")
        config = Path(self._directory.name) / "config.json"
        config.write_text(json.dumps(self._config))
        self.log_path = Path(self._directory.name) / "log.txt"
        self._log = open(self.log_path, "wb")
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        started = time.monotonic()
        # Its own process group: a reference that does not stop leaves no children behind.
        self._process = subprocess.Popen([*self._command, "serve", "--config", str(config), *self._extra],
                                         cwd=self._cwd, env=environment, stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log, start_new_session=True)
        try:
            self._wait_ready(started + START_LIMIT)
        except BaseException:
            self._stop()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def address_of(self, listener: str) -> Address:
        return Address(self.host, self.ports[listener], self._tls if listener.startswith(("https", "wss")) else None)

    def _wait_ready(self, deadline: float) -> None:
        for listener, port in self.ports.items():
            while listener != "webtransport-h3" and not self._connects(port):
                if not self.alive():
                    raise StartFailed("%s ended with code %s before %s was ready:\n%s"
                                      % (self.name, self._process.returncode, listener, self.log_tail()))
                if time.monotonic() > deadline:
                    raise StartFailed("%s: %s on port %d was not ready after %.0f s:\n%s"
                                      % (self.name, listener, port, START_LIMIT, self.log_tail()))
                time.sleep(0.005)

    def _connects(self, port: int) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex((self.host, port)) == 0

    def _stop(self) -> None:
        started = time.monotonic()
        if self.alive():
            self._process.send_signal(signal.SIGINT)
        try:
            self.exit_code = self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.exit_code = None
        self.stop_seconds = time.monotonic() - started
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all of it is gone, as it should be
        self._process.wait()
        self._log.close()
        self._directory.cleanup()
