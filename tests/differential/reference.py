"""Starts wptserve 4.0.3, the server whose bytes we reproduce, with the command line of our own binary.

It is the reference side of the comparison and nothing else: no TLS, no WebSocket, no logging. Because it understands
`serve --doc-root DIR --port 0 --ready-file FILE`, it can also stand in for the binary, which is how the comparison
itself is tested: `run.py --candidate-command 'python reference.py'` must find no difference.

wptserve alone has few routes. With --tools it has those of the `wpt serve` in that checkout, wrappers and all; without,
the ones that need no code of WPT's.
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
    parser.add_argument("--no-supervisor", action="store_true", help="accepted and ignored: this is one process")
    parser.add_argument("--ready-file")
    parser.add_argument("--tools", help="a checkout whose `wpt serve` has the routes")
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


def plain_routes() -> tuple[list, list]:
    """What `wpt serve` forbids, allows and rewrites, and its scripts without an extension."""
    from wptserve import handlers, routes

    found = [("GET", "/tools/runner/*", handlers.file_handler),
             ("POST", "/tools/runner/update_manifest.py", handlers.python_script_handler)]
    for pattern in ("/_certs/*", "/tools/*", "{spec}/tools/*", "/results/"):
        found.append(("*", pattern, handlers.ErrorHandler(404)))
    for name in ("attribution-reporting/report-event-attribution", "attribution-reporting/report-aggregate-attribution",
                 "attribution-reporting/debug/report-event-attribution",
                 "attribution-reporting/debug/report-aggregate-attribution",
                 "attribution-reporting/debug/report-aggregate-debug", "attribution-reporting/debug/verbose",
                 "interest-group/real-time-report", "private-aggregation/*", "web-identity", "device-bound-sessions",
                 "email-verification"):
        found.append(("*", "/.well-known/" + name, handlers.python_script_handler))
    for name in ("interest-group/permissions/", "shared-storage/trusted-origins", "web-app-origin-association"):
        found.append(("GET", "/.well-known/" + name, handlers.python_script_handler))
    return found + routes.routes, [("GET", "/resources/WebIDLParser.js", "/resources/webidl2/lib/webidl2.js")]


def routes_of(tools: str) -> tuple[list, list]:
    """The routes and rewrites of a checkout's `wpt serve`. The wptserve they run on stays the one that is installed."""
    sys.path.insert(1, os.path.join(tools, "tools"))
    import localpaths  # noqa: F401  (puts the packages of the checkout into sys.path)
    from serve import serve

    return serve.RoutesBuilder().get_routes(), serve.rewrites


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
    tools = args.tools and os.path.abspath(args.tools)
    doc_root = os.path.realpath(args.doc_root)
    if not os.path.isdir(doc_root):
        print("reference: no such doc root: %s" % doc_root, file=sys.stderr)
        return 1
    prepare_interpreter(doc_root)

    from wptserve import server, stash
    from wptserve.config import ConfigBuilder

    routes, rewrites = routes_of(tools) if tools else plain_routes()
    stopped = threading.Event()
    with stash.StashServer():
        # The signals are set after the stash has forked, so that only this process answers them.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        # wptserve writes the configuration it is given into a class attribute, before any request: the port is known
        # only once the socket is bound, so the configuration is made a second time for the real one.
        httpd = server.WebTestHttpd(host=args.host, port=args.port, doc_root=doc_root, config={},
                                     routes=routes, rewrites=rewrites)
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
