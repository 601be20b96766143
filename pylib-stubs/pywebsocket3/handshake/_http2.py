"""The opening handshake of RFC 8441, on a stream of HTTP/2 (wptserve 4.0.3, ws_h2_handshake.py)."""

from pywebsocket3 import common
from pywebsocket3.handshake.base import (
    HandshakeException,
    HandshakerBase,
    get_mandatory_header,
    validate_mandatory_header,
)


class Handshaker(HandshakerBase):
    """The handshake on HTTP/2. The answer is left in `request.status` and `request.headers_out`; the connection sends it.

    wptserve also puts Upgrade and Connection there, which its HTTP/2 library takes out again.
    """

    def _header(self, name):
        return name.lower()

    def _validate_request(self):
        request = self._request
        if request.method != "CONNECT":
            raise HandshakeException("Method is not CONNECT: %r" % request.method)
        validate_mandatory_header(request, ":protocol", common.WEBSOCKET_UPGRADE_TYPE)
        get_mandatory_header(request, "authority")

    def _send_handshake(self):
        request = self._request
        request.status = 200
        if request.ws_protocol is not None:
            request.headers_out["sec-websocket-protocol"] = request.ws_protocol
        if request.ws_extensions:
            request.headers_out["sec-websocket-extensions"] = common.format_extensions(request.ws_extensions)
        for name, value in request.extra_headers:
            request.headers_out[name] = value
