"""Loads a server with wrk, and reads from the system what a process costs."""

from __future__ import annotations

import math
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass
class Load:
    """What one run of wrk saw."""

    rate: float  # answers a second
    p50: float  # milliseconds
    p99: float  # milliseconds
    bytes_per_second: float
    errors: int  # refused or broken connections, time-outs, and statuses that are no success

    def as_dict(self) -> dict:
        return {"rate": round(self.rate, 1), "p50_ms": self.p50, "p99_ms": self.p99,
                "mib_per_second": round(self.bytes_per_second / 2**20, 1), "errors": self.errors}


def _milliseconds(text: str) -> float:
    """Not a number where wrk has none, because no request has come to its end."""
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    return float(match[1]) * UNITS[match[2]] if match else math.nan


def wrk(url: str, connections: int, seconds: int, headers: dict[str, str] | None = None, timeout: int = 30) -> Load:
    """One run: `connections` keep-alive connections, which wrk opens again when the server closes them."""
    command = ["wrk", "-t%d" % (2 if connections > 1 else 1), "-c%d" % connections, "-d%ds" % seconds, "--latency",
               "--timeout", "%ds" % timeout]
    for name, value in (headers or {}).items():
        command += ["-H", "%s: %s" % (name, value)]
    text = subprocess.run(command + [url], check=True, capture_output=True, text=True).stdout
    requests, elapsed, amount, unit = re.search(
        r"(\d+) requests in ([\d.]+(?:us|ms|s|m)), ([\d.]+)(B|KB|MB|GB|TB) read", text).groups()
    total_seconds = _milliseconds(elapsed) / 1000
    scale = 1024 ** ["B", "KB", "MB", "GB", "TB"].index(unit)
    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    statuses = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = sum(map(int, socket.groups())) if socket else 0
    if socket and int(socket[2]) <= int(requests):
        # wrk counts it as a read error when the server ends an answer by closing the connection, as wptserve does where
        # it names no length.
        errors -= int(socket[2])
    errors += int(statuses[1]) if statuses else 0
    return Load(int(requests) / total_seconds, _milliseconds(re.search(r"50%\s+(\S+)", text)[1]),
                _milliseconds(re.search(r"99%\s+(\S+)", text)[1]), float(amount) * scale / total_seconds, errors)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended since
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def _memory(pid: int) -> float:
    """MiB of one process: its share of what it shares, or all that is resident where the system does not say."""
    try:
        for line in Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return int(Path("/proc/%d/statm" % pid).read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def resident(pid: int) -> float:
    """MiB of memory that a server holds, whose process and all below it are meant."""
    return sum(_memory(member) for member in family(pid))


def machine() -> str:
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.M))
    kernel = re.match(r"\d+\.\d+", Path("/proc/sys/kernel/osrelease").read_text())
    return "%d cores of %s, Linux %s" % (cores, model[1].strip() if model else "an unknown kind", kernel[0] if kernel else "")
