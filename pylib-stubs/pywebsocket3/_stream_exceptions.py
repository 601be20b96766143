"""The errors of an open WebSocket."""


class ConnectionTerminatedException(Exception):
    """The connection has ended without a closing handshake."""


class InvalidFrameException(ConnectionTerminatedException):
    """The client has sent a frame that it must not send."""


class BadOperationException(Exception):
    """The handler sends after its Close, receives after the client's, or sends a message that cannot be sent."""


class UnsupportedFrameException(Exception):
    """A frame with a reserved bit or an unknown opcode. It has been read; the handler may continue to receive."""


class InvalidUTF8Exception(Exception):
    """A text message, or the reason of a Close, is not UTF-8."""
