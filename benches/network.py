"""A network of its own for a run, where closing connections leave nothing behind.

A connection that the server closes keeps its client's port for a minute. wptserve names no length for files, so each one is a
connection: after two seconds all ports are taken, and every server that is fast enough shows the same rate, that of ports
becoming free. Here the system forgets closed connections at once.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys

INSIDE = "WPTSERVE_BENCH_NETWORK"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]
SETTINGS = {"ip_local_port_range": "1024 65535", "tcp_max_tw_buckets": "0"}
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40


def enter() -> str:
    """Starts this program again in a network of its own, or says why its figures for closing connections are too low."""
    if INSIDE not in os.environ:
        try:
            subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return "Without a network of its own (unshare is refused): files are limited by the client's ports."
        sys.stdout.flush()
        os.execvpe(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        fcntl.ioctl(anything, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
    for name, value in SETTINGS.items():
        with open("/proc/sys/net/ipv4/" + name, "w") as setting:
            setting.write(value)
    return "In a network of its own, where closed connections are forgotten at once."
