"""Puts an instrumented binary through what a server does most, so that the compiler sees where the time goes.

The binary writes its profile when it ends (`make dist-fast`). The load is ours alone: the benchmark's site and the demo site.
Its amounts weigh the parts against each other; what it prints says nothing about speed.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests/differential"))

from servers import Server  # noqa: E402

CLIENTS = 8
# A page load asks for the same few things from many connections; a form and a pipe are the dearest of what is common.
COMMON = [("GET", "/hello.py", b""), ("GET", "/hello.py?a=1&b=%20c", b""), ("POST", "/hello.py", b"a=1&b=2"),
          ("GET", "/small.css", b""), ("GET", "/small.css?pipe=status(201)|header(X-A,b)", b"")]
ROUNDS = 1500
# Seconds for an answer. Some handlers of the demo site sleep or never answer: these have had their share by then.
LIMIT = 2


def client(server: Server, requests: list[tuple[str, str, bytes]], rounds: int, whole: bool) -> int:
    """Sends the requests over one connection, as long as the server keeps it open. How many were answered. An answer may be endless
    unless it is said to come as a `whole`: then its beginning will do."""
    answered = 0
    connection = http.client.HTTPConnection(server.host, server.port, timeout=LIMIT)
    for _ in range(rounds):
        for method, target, body in requests:
            try:
                connection.request(method, target, body or None, {"Accept": "*/*", "User-Agent": "train"})
                response = connection.getresponse()
                if whole:
                    response.read()
                else:
                    response.read1()
                    connection.close()
                answered += 1
            except (OSError, http.client.HTTPException):
                # The demo site has handlers that answer nothing, or nonsense.
                connection.close()
    connection.close()
    return answered


def load(command: list[str], site: Path, requests: list[tuple[str, str, bytes]], clients: int, rounds: int,
         whole: bool = True) -> None:
    with Server("instrumented", command, site) as server, ThreadPoolExecutor(clients) as pool:
        counts = list(pool.map(lambda _: client(server, requests, rounds, whole), range(clients)))
        if not all(counts):
            raise SystemExit("nothing was answered:\n" + server.log_tail())
    if server.exit_code != 0:
        raise SystemExit("the server ended with code %s and wrote no profile" % server.exit_code)
    print("%d requests to %s" % (sum(counts), site.name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path, help="the instrumented binary")
    command = [str(parser.parse_args().binary.resolve())]
    load(command, HERE / "site", COMMON, CLIENTS, ROUNDS)
    heavy = [("GET", "/heavy/%s" % path.name, b"") for path in sorted((HERE / "site/heavy").glob("*.py"))]
    load(command, HERE / "site", heavy, 1, 10)
    demo = ROOT / "fixtures/site"
    pages = [("GET", "/" + path.relative_to(demo).as_posix(), b"") for path in sorted(demo.rglob("*")) if path.is_file()]
    # Names that http.client will not send are not worth a profile.
    load(command, demo, [page for page in pages if page[1].isascii() and " " not in page[1]], 4, 1, whole=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
