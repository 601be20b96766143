"""Checks the shipped binary: it is static, and it works in a root directory that holds nothing but itself and a site.

There is no /proc, no /etc, no /tmp, no /dev and no Python in that root. Changing the root needs privileges or user
namespaces; where neither is allowed the check is skipped with one loud line, and fails when CI=true.
"""

from __future__ import annotations

import argparse
import grp
import http.client
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/differential"))

from cases import request  # noqa: E402
from servers import Server, StartFailed  # noqa: E402
from wire import exchange  # noqa: E402

ANSWERS = [
    ("/docs/status.py", b"HTTP/1.1 202 my status text\r\n", b"a reason of our own.\n"),
    ("/cookies/resources/set.py?name=a&value=b", b"HTTP/1.1 200 OK\r\n", b"set\n"),
    ("/common-hyphen/sub-dir/use_tool.py", b"HTTP/1.1 200 OK\r\n", b"GET from a hyphenated module\n"),
    ("/basic/uses_stdlib.py", b"HTTP/1.1 200 OK\r\n", b"zlib\n"),
    ("/basic/json_main.py", b"HTTP/1.1 200 OK\r\n", b"}"),
    ("/basic/raises.py", b"HTTP/1.1 500 Internal Server Error\r\n", b"}"),
    ("/files/text.txt", b"HTTP/1.1 200 OK\r\n", b"A text file.\n"),
]

HOST = "web-platform.test"
# One https port; key and certificate are made in the folder /certs. No random number generator lies in /dev there.
CONFIG = {
    "browser_host": HOST,
    "check_subdomains": False,
    "ports": {"http": [None], "http-local": [None], "http-public": [None], "https": ["auto"], "https-local": [None],
              "https-public": [None], "ws": [None], "wss": [None], "webtransport-h3": [None], "h2": [None]},
    "ssl": {"type": "openssl", "openssl": {"base_path": "/certs"}},
}


class Checks:
    """Counts, and prints a line each."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, good: bool, says: str) -> None:
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print("%-4s %s" % ("ok" if good else "FAIL", says))


def output_of(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=dict(os.environ, LC_ALL="C"))
    return " ".join(done.stdout.split())


def check_static(checks: Checks, binary: Path) -> None:
    linked = output_of("ldd", str(binary))
    checks.check("not a dynamic executable" in linked or "statically linked" in linked, "ldd: " + linked)
    if shutil.which("file"):
        kind = output_of("file", "-b", str(binary))
        checks.check("static" in kind and "dynamically linked" not in kind, "file: " + kind[:120])


def root_changer(jail: Path) -> list[str] | None:
    """The command prefix that changes the root, or None when this machine does not let us."""
    for prefix in (["chroot", str(jail)], ["unshare", "--user", "--map-root-user", "chroot", str(jail)]):
        if shutil.which(prefix[0]) is None:
            continue
        # The binary itself is all there is to run in there.
        done = subprocess.run(prefix + ["/wptserve", "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode == 0:
            return prefix + ["/wptserve"]
        print("  %s: %s" % (" ".join(prefix), done.stdout.strip()[:200]))
    return None


def check_empty_root(checks: Checks, binary: Path, site: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="wptserve-root-") as directory:
        jail = Path(directory)
        jail.chmod(0o755)
        shutil.copy(binary, jail / "wptserve")
        shutil.copytree(site, jail / "site", symlinks=True)
        command = root_changer(jail)
        if command is None:
            if os.environ.get("CI") == "true":
                checks.check(False, "no way to change the root directory here (root or user namespaces are needed)")
            else:
                print("SKIPPED, the empty-root check did not run: it needs root or user namespaces")
            return
        try:
            with Server("wptserve in an empty root", command, Path("/site"), "strict", jail) as server:
                checks.check(True, "started in an empty root in %.2f s: %s"
                             % (server.start_seconds, sorted(path.name for path in jail.iterdir())))
                for target, head, end in ANSWERS:
                    answer = exchange(server.address, request("GET", target))
                    good = answer.raw.startswith(head) and answer.raw.endswith(end)
                    checks.check(good, target if good else "%s: %r" % (target, answer.raw[:300]))
        except StartFailed as error:
            checks.check(False, str(error))
            return
        checks.check(server.exit_code == 0 and server.stop_seconds < 1.0,
                     "SIGTERM: exit code %s after %.2f s" % (server.exit_code, server.stop_seconds))
        (jail / "config.json").write_text(json.dumps(CONFIG))
        check_https(checks, command, jail)


ACCOUNTS = """import grp, os, pwd, socket
def missing(look_up, *args):
    try:
        return look_up(*args)
    except (KeyError, OSError):
        return "-"
def main(request, response):
    users, groups = pwd.getpwall(), grp.getgrall()
    unknown = [missing(pwd.getpwnam, "nobody-of-that-name"), missing(pwd.getpwuid, 987654), missing(grp.getgrgid, 987654),
               missing(grp.getgrnam, "nobody-of-that-name"), missing(socket.gethostbyname, "nobody.invalid"),
               missing(socket.getservbyname, "nobody"), missing(socket.getprotobyname, "nobody"),
               os.path.expanduser("~nobody-of-that-name"), len(os.getgrouplist("nobody-of-that-name", 1))]
    return "%s %s %s %s %s" % (users[0].pw_name, groups[0].gr_name, os.path.expanduser("~" + users[0].pw_name),
                               socket.gethostbyname("localhost"), unknown)
"""
UNKNOWN = ["-"] * 7 + ["~nobody-of-that-name", 1]


def check_accounts(checks: Checks, binary: Path) -> None:
    """glibc looks names up through shared libraries, which a static binary has to do without."""
    users, groups = pwd.getpwall(), grp.getgrall()
    expected = "%s %s %s 127.0.0.1 %s" % (users[0].pw_name, groups[0].gr_name, users[0].pw_dir, UNKNOWN)
    with tempfile.TemporaryDirectory(prefix="wptserve-site-") as directory:
        site = Path(directory)
        (site / "accounts.py").write_text(ACCOUNTS)
        try:
            with Server("wptserve", [str(binary)], site, "strict") as server:
                answer = exchange(server.address, request("GET", "/accounts.py"))
                good = answer.raw.endswith(expected.encode())
                checks.check(good, "users and groups of the machine" if good else "accounts: %r" % answer.raw[-300:])
        except (StartFailed, OSError) as error:
            checks.check(False, "accounts: %s" % error)


def check_https(checks: Checks, command: list[str], jail: Path) -> None:
    try:
        with Server("wptserve in an empty root, https", command, Path("/site"), "strict", jail,
                    Path("/config.json")) as server:
            trust = ssl.create_default_context(cafile=str(jail / "certs/cacert.pem"))
            connection = http.client.HTTPSConnection(server.host, server.port, timeout=10, context=trust)
            connection.sock = trust.wrap_socket(socket.create_connection((server.host, server.port), 10),
                                                server_hostname=HOST)
            connection.request("GET", "/files/text.txt")
            body = connection.getresponse().read()
            checks.check(body == b"A text file.\n", "https with a certificate made at the start: %r" % body[:300])
    except (StartFailed, OSError) as error:
        checks.check(False, "https: %s" % error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "dist/wptserve")
    parser.add_argument("--site", type=Path, default=ROOT / "fixtures/site")
    args = parser.parse_args()
    if not args.binary.is_file():
        print("FAIL: %s is not there: run make dist" % args.binary)
        return 1
    checks = Checks()
    check_static(checks, args.binary.resolve())
    check_accounts(checks, args.binary.resolve())
    check_empty_root(checks, args.binary, args.site)
    print("%d passed, %d failed" % (checks.passed, checks.failed))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
