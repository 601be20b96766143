"""The common part of the opening handshakes on HTTP/1.1 and HTTP/2."""

from pywebsocket3 import common
from pywebsocket3 import http_header_util as _grammar
from pywebsocket3.extensions import get_extension_processor
from pywebsocket3.stream import Stream, StreamOptions


class AbortedByUserException(Exception):
    """Raised by a handler: close the connection and send nothing more."""


class HandshakeException(Exception):
    """The handshake fails with this HTTP status, 400 if None."""

    def __init__(self, name, status=None):
        super().__init__(name)
        self.status = status


class VersionException(Exception):
    """The client speaks another version of the protocol."""

    def __init__(self, name, supported_versions=""):
        super().__init__(name)
        self.supported_versions = supported_versions


def get_default_port(is_secure):
    """The port of ws: or wss: URLs that name none."""
    return common.DEFAULT_WEB_SOCKET_SECURE_PORT if is_secure else common.DEFAULT_WEB_SOCKET_PORT


def validate_subprotocol(subprotocol):
    """Whether Sec-WebSocket-Protocol may have this value: a token. HandshakeException if not."""
    if not subprotocol:
        raise HandshakeException("Invalid subprotocol name: empty")
    state = _grammar.ParsingState(subprotocol)
    _grammar.consume_token(state)
    if _grammar.peek(state) is not None:
        raise HandshakeException("Invalid non-token string in subprotocol name: %r" % _grammar.peek(state))


def get_mandatory_header(request, key):
    """The value of a header; HandshakeException if there is none."""
    value = request.headers_in.get(key)
    if value is None:
        raise HandshakeException("Header %s is not defined" % key)
    return value


def validate_mandatory_header(request, key, expected_value, fail_status=None):
    """Whether a header has a value, whatever its case; HandshakeException if not."""
    value = get_mandatory_header(request, key)
    if value.lower() != expected_value.lower():
        raise HandshakeException(
            "Expected %r for header %s but found %r (case-insensitive)" % (expected_value, key, value), fail_status)


def parse_token_list(data):
    """The tokens of a comma-separated list. HandshakeException if the value is not such a list, or empty."""
    try:
        tokens = _grammar.consume_list(_grammar.ParsingState(data), _grammar.consume_token)
    except ValueError as error:
        raise HandshakeException("Expected a comma but found %r" % error.args)
    if not tokens:
        raise HandshakeException("No valid token found")
    return tokens


class HandshakerBase:
    """The steps of a handshake. Subclasses know how the request is checked and how the answer is sent."""

    def __init__(self, request, dispatcher):
        self._request = request
        self._dispatcher = dispatcher

    def _header(self, name):
        """The name of a header as it is looked up."""
        return name

    def _validate_request(self):
        """HandshakeException if the request is not an opening handshake."""

    def _set_accept(self):
        """Computes the answer's value from the key."""

    def _send_handshake(self):
        """Sends the answer."""

    def do_handshake(self):
        """Does the handshake; `request` has its `ws_` attributes and its stream afterwards."""
        try:
            self._do_handshake(self._request)
        except HandshakeException as error:
            error.status = error.status or common.HTTP_STATUS_BAD_REQUEST
            raise

    def _do_handshake(self, request):
        request.ws_close_code = None
        request.ws_close_reason = None
        self._validate_request()
        request.ws_resource = request.uri
        request.ws_version = self._check_version()
        request.ws_origin = request.headers_in.get(self._header(common.ORIGIN_HEADER))
        request.ws_protocol = None
        protocols = request.headers_in.get(self._header(common.SEC_WEBSOCKET_PROTOCOL_HEADER))
        request.ws_requested_protocols = None if protocols is None else parse_token_list(protocols)
        request.ws_requested_extensions = self._parse_extensions()
        self._set_accept()
        processors = map(get_extension_processor, request.ws_requested_extensions or [])
        request.ws_extension_processors = [processor for processor in processors if processor is not None]
        request.extra_headers = []

        self._dispatcher.do_extra_handshake(request)

        options = StreamOptions()
        request.ws_extensions = self._accept_extensions(options) or None
        request.ws_stream = Stream(request, options)
        if request.ws_requested_protocols is None:
            if request.ws_protocol is not None:
                raise HandshakeException("ws_protocol must be None when the client didn't request any subprotocol")
        elif request.ws_protocol is None:
            raise HandshakeException(
                "do_extra_handshake must choose one subprotocol from ws_requested_protocols and set it to ws_protocol")
        else:
            validate_subprotocol(request.ws_protocol)
        self._send_handshake()

    def _check_version(self):
        name = self._header(common.SEC_WEBSOCKET_VERSION_HEADER)
        version = get_mandatory_header(self._request, name)
        if version == str(common.VERSION_HYBI_LATEST):
            return common.VERSION_HYBI_LATEST
        if "," in version:
            raise HandshakeException("Multiple versions (%r) are not allowed for header %s" % (version, name))
        raise VersionException(
            "Unsupported version %r for header %s" % (version, name), str(common.VERSION_HYBI_LATEST))

    def _parse_extensions(self):
        value = self._request.headers_in.get(self._header(common.SEC_WEBSOCKET_EXTENSIONS_HEADER))
        if not value:
            return None
        try:
            return common.parse_extensions(value)
        except common.ExtensionParsingException as error:
            raise HandshakeException("Failed to parse sec-websocket-extensions header: %r" % error)

    def _accept_extensions(self, options):
        """Asks the processors that the handler has left; the first compression that is accepted is the only one."""
        processors = [processor for processor in self._request.ws_extension_processors if processor is not None]
        for processor in reversed(processors):
            if processor.is_active():
                processor.check_consistency_with_other_processors(processors)
        accepted = []
        for processor in processors:
            if accepted:
                processor.set_active(False)
            response = processor.get_extension_response() if processor.is_active() else None
            if response is not None:
                accepted.append(response)
                processor.setup_stream_options(options)
        return accepted
