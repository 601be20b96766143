"""The exceptions of the writer of an HTTP/2 answer (hyper-h2 4.1.0, exceptions.py)."""

from h2.errors import ErrorCodes


class H2Error(Exception):
    """The base class of all."""


class ProtocolError(H2Error):
    """The frame would break the protocol."""

    error_code = ErrorCodes.PROTOCOL_ERROR


class FrameTooLargeError(ProtocolError):
    """The client does not accept frames of that size."""

    error_code = ErrorCodes.FRAME_SIZE_ERROR


class FlowControlError(ProtocolError):
    """The client's window is too small now. The server waits instead, and never raises this exception."""

    error_code = ErrorCodes.FLOW_CONTROL_ERROR


class StreamIDTooLowError(ProtocolError):
    """New streams have rising numbers."""

    def __init__(self, stream_id, max_stream_id):
        super().__init__(stream_id, max_stream_id)
        self.stream_id = stream_id
        self.max_stream_id = max_stream_id

    def __str__(self):
        return f"StreamIDTooLowError: {self.stream_id} is lower than {self.max_stream_id}"


class NoSuchStreamError(ProtocolError):
    """A stream of this number does not exist."""

    def __init__(self, stream_id):
        super().__init__(stream_id)
        self.stream_id = stream_id


class StreamClosedError(NoSuchStreamError):
    """The stream is closed, because it has ended or the client has reset it."""

    error_code = ErrorCodes.STREAM_CLOSED


__all__ = [
    "FlowControlError",
    "FrameTooLargeError",
    "H2Error",
    "NoSuchStreamError",
    "ProtocolError",
    "StreamClosedError",
    "StreamIDTooLowError",
]
