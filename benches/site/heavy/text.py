"""What many handlers do, many times: headers encoded, JSON dumped, hashes and base64."""

import base64
import hashlib
import json

from wptserve.utils import isomorphic_encode


def main(request, response):
    out = []
    for turn in range(300):
        record = {"turn": turn, "headers": {name.lower().decode("latin-1"): str(turn) for name in request.headers}}
        text = json.dumps(record)
        out.append(base64.b64encode(hashlib.sha256(isomorphic_encode(text)).digest()))
    return b"\n".join(out)
