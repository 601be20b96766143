"""A headless Chromium through chromedriver: the few WebDriver commands the page tests need, as plain JSON.

Both programs are Debian's (packages chromium and chromium-driver). Nothing here downloads a browser or a driver.
"""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

START_LIMIT = 60.0
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


def flags_for_names(address: str) -> list[str]:
    """What lets a browser find WPT's host names at an address, and believe the certificates there."""
    rules = ["MAP nonexistent.*.test ^NOTFOUND"] + ["MAP *.test%s %s" % (dot, address) for dot in ("", ".")]
    return ["--host-resolver-rules=" + ", ".join(rules), "--ignore-certificate-errors",
            "--autoplay-policy=no-user-gesture-required"]


class BrowserMissing(Exception):
    """Chromium or chromedriver is not installed."""


class BrowserFailed(Exception):
    """The driver refused a command, or did not start."""


class Browser:
    """One browser with a fresh profile, gone with all its processes on leaving.

    With `patient=False` opening a page does not wait for it to load.
    """

    def __init__(self, flags: list[str] | None = None, patient: bool = True) -> None:
        self._flags = flags or []
        self._patient = patient

    def __enter__(self) -> "Browser":
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("chromium-browser")
        if not driver or not chromium:
            raise BrowserMissing("chromium and chromedriver are not installed "
                                 "(Debian: apt-get install chromium chromium-driver)")
        self._profile = tempfile.TemporaryDirectory(prefix="wptserve-browser-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen([driver, "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL)
        self._session = ""
        # The address is this machine: a proxy in the environment has no say.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            self._base = "http://127.0.0.1:%d" % self._driver_port()
            options = {"args": FLAGS + self._flags + ["--user-data-dir=" + self._profile.name], "binary": chromium}
            capabilities = {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options, "unhandledPromptBehavior": "dismiss",
                "pageLoadStrategy": "normal" if self._patient else "none"}}
            session = self._call("POST", "/session", {"capabilities": capabilities})
            self._session = "/session/" + session["sessionId"]
            self.version = session["capabilities"].get("browserVersion", "unknown")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._session:
            try:
                self._call("DELETE", self._session)
            except (BrowserFailed, OSError):
                pass  # it is being ended anyway
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def open(self, url: str) -> None:
        self._call("POST", self._session + "/url", {"url": url})

    def open_alone(self, url: str, origins: list[str]) -> None:
        """Opens a page in a new window, without the windows, the cookies and these origins' data of the pages before."""
        fresh = self._call("POST", self._session + "/window/new", {"type": "tab"})["handle"]
        for handle in self._call("GET", self._session + "/window/handles"):
            if handle != fresh:
                self._call("POST", self._session + "/window", {"handle": handle})
                self._call("DELETE", self._session + "/window")
        self._call("POST", self._session + "/window", {"handle": fresh})
        self.devtools("Network.clearBrowserCookies")
        for origin in origins:
            self.devtools("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self.open(url)

    def devtools(self, command: str, parameters: dict | None = None) -> Any:
        """A command of the Chrome DevTools Protocol to the current window."""
        return self._call("POST", self._session + "/goog/cdp/execute", {"cmd": command, "params": parameters or {}})

    def evaluate(self, script: str) -> Any:
        """The value of `script`, the body of a function."""
        return self._call("POST", self._session + "/execute/sync", {"script": script, "args": []})

    def evaluate_async(self, script: str) -> Any:
        """The value that `script` hands to its last argument, a callback."""
        return self._call("POST", self._session + "/execute/async", {"script": script, "args": []})

    def script_timeout(self, seconds: float) -> None:
        milliseconds = int(seconds * 1000)
        self._call("POST", self._session + "/timeouts", {"script": milliseconds, "pageLoad": milliseconds})

    def _driver_port(self) -> int:
        """The driver prints the port it was given; wait on its output, not on the clock."""
        deadline = time.monotonic() + START_LIMIT
        seen = b""
        stream = self._process.stdout
        assert stream is not None
        while time.monotonic() < deadline:
            if not select.select([stream], [], [], 1.0)[0]:
                continue
            piece = stream.read1(4096)
            if not piece:
                break
            seen += piece
            match = re.search(rb"successfully on port (\d+)", seen)
            if match:
                return int(match.group(1))
        raise BrowserFailed("chromedriver did not say its port: %r" % seen)

    def _call(self, method: str, path: str, body: dict | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserFailed("%s %s: %s" % (method, path, error.read().decode(errors="replace")[:500])) from error
