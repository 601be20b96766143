"""What goes wrong on an open WebSocket."""


class ConnectionTerminatedException(Exception):
    """The connection has ended without a closing handshake."""


class InvalidFrameException(ConnectionTerminatedException):
    """The client has sent a frame that it must not send."""


class BadOperationException(Exception):
    """The handler sends after its Close, receives after the client's, or sends what cannot be sent."""


class UnsupportedFrameException(Exception):
    """A frame with a reserved bit or an unknown opcode. It has been read; the handler may go on receiving."""


class InvalidUTF8Exception(Exception):
    """A text message, or the reason of a Close, is not UTF-8."""
