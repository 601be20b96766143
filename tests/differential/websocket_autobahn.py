"""Runs the Autobahn test suite's fuzzing client against our binary: RFC 6455 and permessage-deflate, more than 500 cases.

    python websocket_autobahn.py --binary dist/wptserve --python PYTHON2 [--cases '1.*' ...]

The suite needs a Python 2.7 that has it: `python2.7 -m virtualenv v && v/bin/pip install autobahntestsuite`. A case fails if
its behaviour or that of the closing is anything but OK, non-strict or informational.

pywebsocket3 declines the offer `client_no_context_takeover`, which the suite always makes, and so do we: without more the
cases of permessage-deflate would be left out ("unimplemented"). They are run without that part of the offer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from websocket_record import Ours

CLIENT = """
from autobahn.websocket.compress_deflate import PerMessageDeflateOffer as Offer
whole = Offer.getExtensionString
Offer.getExtensionString = lambda self: whole(self).replace("; client_no_context_takeover", "")
from autobahntestsuite.wstest import run
run()
"""
GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--python", required=True, help="a Python 2.7 with autobahntestsuite")
    parser.add_argument("--cases", nargs="*", default=["*"])
    args = parser.parse_args()
    ours = Ours(args.binary)
    try:
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "spec.json"
            spec.write_text(json.dumps({
                "outdir": folder, "servers": [{"agent": "ours", "url": "ws://127.0.0.1:%d/echo" % ours.port}],
                "cases": args.cases, "exclude-cases": [], "exclude-agent-cases": {}}))
            subprocess.run([args.python, "-c", CLIENT, "-m", "fuzzingclient", "-s", str(spec)], check=True,
                           cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            cases = json.loads((Path(folder) / "index.json").read_text())["ours"]
    finally:
        ours.stop()
    failed = {name: case for name, case in cases.items() if {case["behavior"], case["behaviorClose"]} - set(GOOD)}
    for name, case in sorted(failed.items()):
        print("%s: %s, closing: %s, code %s" % (name, case["behavior"], case["behaviorClose"], case["remoteCloseCode"]))
    for behaviour, count in Counter(case["behavior"] for case in cases.values()).most_common():
        print("%4d %s" % (count, behaviour))
    print("%d passed, %d failed" % (len(cases) - len(failed), len(failed)))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
