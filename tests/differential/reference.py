"""Starts wptserve 4.0.3, the server whose bytes we reproduce, with the command line of our own binary.

It is the reference side of the comparison and nothing else: no TLS, no WebSocket, no logging. Because it understands
`serve --doc-root DIR --port 0 --ready-file FILE`, it can also stand in for the binary, which is how the comparison
itself is tested: `run.py --candidate-command 'python reference.py'` must find no difference.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="serve a doc root with wptserve 4.0.3")
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve")
    parser.add_argument("--doc-root", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--import-policy", help="accepted and ignored: CPython has one policy")
    parser.add_argument("--ready-file")
    return parser.parse_args()


def prepare_interpreter(doc_root: str) -> None:
    """What `wpt serve` does for its handlers, and what keeps a comparison repeatable."""
    # The directory of this script must not be importable by handlers; the doc root must be, as in `wpt serve`.
    sys.path[0] = doc_root
    # A __pycache__ directory would show up in directory listings.
    sys.dont_write_bytecode = True
    os.chdir(doc_root)
    logging.basicConfig(handlers=[logging.NullHandler()])
    logging.disable(logging.CRITICAL)


def write_ready(args: argparse.Namespace, port: int) -> None:
    line = json.dumps({"pid": os.getpid(), "host": args.host, "ports": {"http": [port]},
                       "urls": ["http://%s:%d/" % (args.host, port)]})
    print(line, flush=True)
    if args.ready_file:
        with open(args.ready_file + ".part", "w") as ready:
            ready.write(line + "\n")
        os.replace(args.ready_file + ".part", args.ready_file)


def main() -> int:
    args = arguments()
    if args.ready_file:
        args.ready_file = os.path.abspath(args.ready_file)
    doc_root = os.path.realpath(args.doc_root)
    if not os.path.isdir(doc_root):
        print("reference: no such doc root: %s" % doc_root, file=sys.stderr)
        return 1
    prepare_interpreter(doc_root)

    from wptserve import server, stash
    from wptserve.config import ConfigBuilder

    stopped = threading.Event()
    with stash.StashServer():
        # The signals are set after the stash has forked, so that only this process answers them.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        # wptserve writes the configuration it is given into a class attribute, before any request: the port is known
        # only once the socket is bound, so the configuration is made a second time for the real one.
        httpd = server.WebTestHttpd(host=args.host, port=args.port, doc_root=doc_root, config={})
        with ConfigBuilder(logging.getLogger(), browser_host=args.host, doc_root=doc_root,
                           ports={"http": [httpd.port]}) as config:
            server.Server.config = config
        httpd.start()
        write_ready(args, httpd.port)
        # Handlers print; nothing of that belongs anywhere.
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        stopped.wait()
    # Handlers that never end run in daemon threads: leave without waiting for them.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
