"""The numbers and names of the protocol (RFC 6455), and the value of Sec-WebSocket-Extensions."""

from pywebsocket3 import http_header_util as _grammar

VERSION_HYBI13 = VERSION_HYBI14 = VERSION_HYBI15 = VERSION_HYBI16 = VERSION_HYBI17 = VERSION_HYBI_LATEST = 13

LOGLEVEL_FINE = 9

DEFAULT_WEB_SOCKET_PORT = 80
DEFAULT_WEB_SOCKET_SECURE_PORT = 443
WEB_SOCKET_SCHEME = "ws"
WEB_SOCKET_SECURE_SCHEME = "wss"

OPCODE_CONTINUATION, OPCODE_TEXT, OPCODE_BINARY = range(0x0, 0x3)
OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG = range(0x8, 0xB)

WEBSOCKET_ACCEPT_UUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

UPGRADE_HEADER = "Upgrade"
WEBSOCKET_UPGRADE_TYPE = "websocket"
CONNECTION_HEADER = "Connection"
UPGRADE_CONNECTION_TYPE = "Upgrade"
HOST_HEADER = "Host"
ORIGIN_HEADER = "Origin"
SEC_WEBSOCKET_KEY_HEADER = "Sec-WebSocket-Key"
SEC_WEBSOCKET_ACCEPT_HEADER = "Sec-WebSocket-Accept"
SEC_WEBSOCKET_VERSION_HEADER = "Sec-WebSocket-Version"
SEC_WEBSOCKET_PROTOCOL_HEADER = "Sec-WebSocket-Protocol"
SEC_WEBSOCKET_EXTENSIONS_HEADER = "Sec-WebSocket-Extensions"

PERMESSAGE_DEFLATE_EXTENSION = "permessage-deflate"

STATUS_NORMAL_CLOSURE = STATUS_NORMAL = 1000
STATUS_GOING_AWAY = 1001
STATUS_PROTOCOL_ERROR = 1002
STATUS_UNSUPPORTED_DATA = STATUS_UNSUPPORTED = 1003
STATUS_NO_STATUS_RECEIVED = STATUS_CODE_NOT_AVAILABLE = 1005
STATUS_ABNORMAL_CLOSURE = STATUS_ABNORMAL_CLOSE = 1006
STATUS_INVALID_FRAME_PAYLOAD_DATA = STATUS_INVALID_FRAME_PAYLOAD = 1007
STATUS_POLICY_VIOLATION = 1008
STATUS_MESSAGE_TOO_BIG = 1009
STATUS_MANDATORY_EXTENSION = STATUS_MANDATORY_EXT = 1010
STATUS_INTERNAL_ENDPOINT_ERROR = 1011
STATUS_TLS_HANDSHAKE = 1015
STATUS_USER_REGISTERED_BASE, STATUS_USER_REGISTERED_MAX = 3000, 3999
STATUS_USER_PRIVATE_BASE, STATUS_USER_PRIVATE_MAX = 4000, 4999

HTTP_STATUS_BAD_REQUEST = 400
HTTP_STATUS_FORBIDDEN = 403
HTTP_STATUS_NOT_FOUND = 404


def is_control_opcode(opcode):
    """Whether frames of this opcode are control frames."""
    return opcode >> 3 == 1


class ExtensionParameter:
    """An extension with its parameters: (name, value) pairs, the value None where there is none."""

    def __init__(self, name):
        self._name = name
        self._parameters = []

    def name(self):
        return self._name

    def add_parameter(self, name, value):
        self._parameters.append((name, value))

    def get_parameters(self):
        return self._parameters

    def get_parameter_names(self):
        return [name for name, _ in self._parameters]

    def has_parameter(self, name):
        return name in self.get_parameter_names()

    def get_parameter_value(self, name):
        """The value of the first parameter of this name; None if it has none, or there is none."""
        return next((value for other, value in self._parameters if other == name), None)


class ExtensionParsingException(Exception):
    """The value of Sec-WebSocket-Extensions cannot be read."""


def _consume_extension(state):
    name = _grammar.consume_token(state)
    if name is None:
        return None
    extension = ExtensionParameter(name)
    while True:
        _grammar.consume_lwses(state)
        if not _grammar.consume_string(state, ";"):
            return extension
        _grammar.consume_lwses(state)
        try:
            extension.add_parameter(*_consume_parameter(state))
        except ExtensionParsingException as error:
            raise ExtensionParsingException("Failed to parse parameter for %r (%r)" % (name, error))


def _consume_parameter(state):
    name = _grammar.consume_token(state)
    if name is None:
        raise ExtensionParsingException("No valid parameter name found")
    _grammar.consume_lwses(state)
    if not _grammar.consume_string(state, "="):
        return name, None
    _grammar.consume_lwses(state)
    value = _grammar.consume_token_or_quoted_string(state)
    if value is None:
        raise ExtensionParsingException(
            "No valid parameter value found on the right-hand side of parameter %r" % name)
    return name, value


def parse_extensions(data):
    """The value of Sec-WebSocket-Extensions as a list of ExtensionParameter."""
    try:
        extensions = _grammar.consume_list(_grammar.ParsingState(data), _consume_extension)
    except ValueError as error:
        raise ExtensionParsingException(
            "Failed to parse Sec-WebSocket-Extensions header: Expected a comma but found %r" % error.args)
    if not extensions:
        raise ExtensionParsingException("No valid extension entry found")
    return extensions


def format_extension(extension):
    """An ExtensionParameter as it stands in Sec-WebSocket-Extensions."""
    parts = [extension.name()]
    for name, value in extension.get_parameters():
        parts.append(name if value is None else "%s=%s" % (name, _grammar.quote_if_necessary(value)))
    return "; ".join(parts)


def format_extensions(extension_list):
    """The value of Sec-WebSocket-Extensions for a list of ExtensionParameter."""
    return ", ".join(map(format_extension, extension_list))
