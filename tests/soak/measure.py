"""Reads from the system what the processes of a server hold."""

from __future__ import annotations

import os
import re
import statistics
import threading
from pathlib import Path

from arithmetic import Process


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path("/proc/%d/task" % pid).iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def process(pid: int) -> Process:
    status = Path("/proc/%d/status" % pid).read_text()
    return Process(int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024, len(os.listdir("/proc/%d/fd" % pid)),
                   int(re.search(r"Threads:\s+(\d+)", status)[1]))


def temporary(pid: int, folder: Path) -> float:
    """MiB in the files below a folder that a process has open; most of them have no name any more."""
    total = 0
    for entry in os.scandir("/proc/%d/fd" % pid):
        try:
            if os.readlink(entry.path).startswith(str(folder)):
                total += os.stat(entry.path).st_size
        except FileNotFoundError:
            # It has been closed in between.
            continue
    return total / 2**20


class Sample:
    """All of a server at one moment."""

    def __init__(self, pid: int, folder: Path) -> None:
        serving = children(pid)
        # Without a supervisor the process that was started serves. With one there are two children during a renewal.
        self.child_pid = max(serving) if serving else pid
        self.supervisor = process(pid) if serving else None
        self.child = process(self.child_pid)
        self.temporary = temporary(self.child_pid, folder)


def median(processes: list[Process]) -> Process:
    return Process(*(statistics.median(getattr(one, name) for one in processes) for name in ("memory", "descriptors", "threads")))


class Sampler(threading.Thread):
    """Samples a server over and over."""

    def __init__(self, pid: int, folder: Path, interval: float) -> None:
        super().__init__(daemon=True)
        self._pid, self._folder, self._interval = pid, folder, interval
        self._samples: list[Sample] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(self._interval):
            try:
                sample = Sample(self._pid, self._folder)
            except (OSError, TypeError):
                # A process has ended in the middle: its status is gone, or has no memory any more.
                continue
            with self._lock:
                self._samples.append(sample)

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def take(self) -> list[Sample]:
        """The samples since the last call."""
        with self._lock:
            samples, self._samples = self._samples, []
        return samples
