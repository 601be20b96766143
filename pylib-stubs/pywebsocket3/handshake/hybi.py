"""The opening handshake of RFC 6455, on HTTP/1.1."""

import re

from _wptserve import websocket_accept as _accept

from pywebsocket3 import common
from pywebsocket3.handshake.base import (
    HandshakeException,
    HandshakerBase,
    get_mandatory_header,
    parse_token_list,
    validate_mandatory_header,
)

# 16 bytes in base64; the last digit has two bits only.
_KEY = re.compile(r"[+/0-9A-Za-z]{21}[AQgw]==")


def check_request_line(request):
    """HandshakeException if the request is not a GET of HTTP/1.1."""
    if request.method != "GET":
        raise HandshakeException("Method is not GET: %r" % request.method)
    if request.protocol != "HTTP/1.1":
        raise HandshakeException("Version is not HTTP/1.1: %r" % request.protocol)


def compute_accept(key):
    """The value of Sec-WebSocket-Accept for a key; both are bytes."""
    return _accept(key)


def compute_accept_from_unicode(unicode_key):
    """The same for a key that is text."""
    return compute_accept(unicode_key.encode("utf-8"))


def format_header(name, value):
    """A header line. Name and value are not checked."""
    return "%s: %s\r\n" % (name, value)


class Handshaker(HandshakerBase):
    """The handshake on HTTP/1.1."""

    def _validate_request(self):
        request = self._request
        check_request_line(request)
        validate_mandatory_header(request, common.UPGRADE_HEADER, common.WEBSOCKET_UPGRADE_TYPE)
        connection = get_mandatory_header(request, common.CONNECTION_HEADER)
        upgrade = common.UPGRADE_CONNECTION_TYPE
        if upgrade.lower() not in [token.lower() for token in parse_token_list(connection)]:
            raise HandshakeException('%s header doesn\'t contain "%s"' % (common.CONNECTION_HEADER, upgrade))
        get_mandatory_header(request, common.HOST_HEADER)

    def _set_accept(self):
        key = get_mandatory_header(self._request, common.SEC_WEBSOCKET_KEY_HEADER)
        if not _KEY.fullmatch(key):
            raise HandshakeException("Illegal value for header %s: %r" % (common.SEC_WEBSOCKET_KEY_HEADER, key))
        self._request._accept = compute_accept_from_unicode(key)

    def _send_handshake(self):
        request = self._request
        headers = [
            (common.UPGRADE_HEADER, common.WEBSOCKET_UPGRADE_TYPE),
            (common.CONNECTION_HEADER, common.UPGRADE_CONNECTION_TYPE),
            (common.SEC_WEBSOCKET_ACCEPT_HEADER, request._accept.decode("ascii")),
        ]
        if request.ws_protocol is not None:
            headers.append((common.SEC_WEBSOCKET_PROTOCOL_HEADER, request.ws_protocol))
        if request.ws_extensions:
            extensions = common.format_extensions(request.ws_extensions)
            headers.append((common.SEC_WEBSOCKET_EXTENSIONS_HEADER, extensions))
        headers.extend(request.extra_headers)
        lines = ["HTTP/1.1 101 Switching Protocols\r\n"]
        lines += [format_header(name, value) for name, value in headers]
        request.connection.write("".join(lines + ["\r\n"]).encode("utf-8"))
