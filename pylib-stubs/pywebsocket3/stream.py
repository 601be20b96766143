"""Frames as bytes, and the messages of an open WebSocket."""

import os
import struct
import threading
import zlib

from _wptserve import websocket_close as _parse_close
from _wptserve import websocket_mask as _mask_payload

from pywebsocket3 import common
from pywebsocket3._stream_exceptions import (
    BadOperationException,
    ConnectionTerminatedException,
    InvalidFrameException,
    InvalidUTF8Exception,
    UnsupportedFrameException,
)

_LONGEST_CONTROL_PAYLOAD = 125


class Frame:
    """A frame's header fields and its payload."""

    def __init__(self, fin=1, rsv1=0, rsv2=0, rsv3=0, opcode=None, payload=b""):
        self.fin = fin
        self.rsv1 = rsv1
        self.rsv2 = rsv2
        self.rsv3 = rsv3
        self.opcode = opcode
        self.payload = payload


def create_length_header(length, mask):
    """The second byte of a frame and its continuation: mask bit and length. ValueError if no frame is that long."""
    if not 0 <= length < 1 << 63:
        raise ValueError("a frame cannot have %d bytes of payload" % length)
    bit = 0x80 if mask else 0
    if length <= 125:
        return struct.pack("!B", bit | length)
    if length < 1 << 16:
        return struct.pack("!BH", bit | 126, length)
    return struct.pack("!BQ", bit | 127, length)


def create_header(opcode, payload_length, fin, rsv1, rsv2, rsv3, mask):
    """The header of a frame, without the masking key. Reserved bits and opcode may be what they must not be; ValueError if
    they do not fit."""
    if not 0 <= opcode <= 0xF:
        raise ValueError("an opcode has four bits")
    if any(bit not in (0, 1) for bit in (fin, rsv1, rsv2, rsv3)):
        raise ValueError("FIN and the reserved bits are 0 or 1")
    first = fin << 7 | rsv1 << 6 | rsv2 << 5 | rsv3 << 4 | opcode
    return struct.pack("!B", first) + create_length_header(payload_length, mask)


def _create_frame(payload, opcode, fin=1, rsv1=0, mask=False):
    header = create_header(opcode, len(payload), fin, rsv1, 0, 0, mask)
    if not mask:
        return header + payload
    key = os.urandom(4)
    return header + key + _mask_payload(payload, key)


def create_binary_frame(message, opcode=common.OPCODE_BINARY, fin=1, mask=False):
    """A frame of bytes."""
    return _create_frame(message, opcode, fin, mask=mask)


def create_text_frame(message, opcode=common.OPCODE_TEXT, fin=1, mask=False):
    """A frame of text."""
    return _create_frame(message.encode("utf-8"), opcode, fin, mask=mask)


def _create_control_frame(opcode, body, mask):
    if len(body) > _LONGEST_CONTROL_PAYLOAD:
        raise BadOperationException("Payload data size of control frames must be 125 bytes or less")
    return _create_frame(body, opcode, mask=mask)


def create_ping_frame(body, mask=False):
    """A Ping."""
    return _create_control_frame(common.OPCODE_PING, body, mask)


def create_pong_frame(body, mask=False):
    """A Pong."""
    return _create_control_frame(common.OPCODE_PONG, body, mask)


def create_close_frame(body, mask=False):
    """A Close."""
    return _create_control_frame(common.OPCODE_CLOSE, body, mask)


def create_closing_handshake_body(code, reason):
    """The body of a Close: empty without a code. BadOperationException for a code that must not be sent."""
    if code is None:
        return b""
    if not common.STATUS_NORMAL_CLOSURE <= code <= common.STATUS_USER_PRIVATE_MAX:
        raise BadOperationException("Status code is out of range")
    if code in (common.STATUS_NO_STATUS_RECEIVED, common.STATUS_ABNORMAL_CLOSURE, common.STATUS_TLS_HANDSHAKE):
        raise BadOperationException("Status code is reserved pseudo code")
    return struct.pack("!H", code) + reason.encode("utf-8")


class StreamOptions:
    """The settings of a Stream: masking, and the compression of its messages."""

    def __init__(self):
        self.mask_send = False
        self.unmask_receive = True
        # A `extensions.Compression`, or None.
        self.compression = None


class Stream:
    """The messages of a session.

    Several threads may send. Several may receive as well: each message goes to one of them.
    """

    def __init__(self, request, options):
        self._request = request
        self._options = options
        self._compression = options.compression
        request.client_terminated = False
        request.server_terminated = False
        self._receiving = threading.RLock()
        # The fragments of the message that is being received, their length, and its opcode.
        self._fragments = []
        self._kept = 0
        self._message_opcode = None
        self._is_compressed = False
        self._last_opcode = None
        # The opcode of the message that is being sent in fragments.
        self._sending = None

    def _write(self, data):
        self._request.connection.write(data)

    def receive_bytes(self, length):
        """This many bytes from the connection."""
        data = b""
        while len(data) < length:
            more = self._request.connection.read(length - len(data))
            if not more:
                raise ConnectionTerminatedException("the peer has closed the connection")
            data += more
        return data

    def _receive_frame(self):
        """The next frame: (opcode, payload, fin, rsv1, rsv2, rsv3)."""
        try:
            return self._request.connection._read_frame(self._options.unmask_receive, self._kept)
        except ValueError as error:
            raise InvalidFrameException(str(error))
        except MemoryError as error:
            self._refuse_message(error)
        except (EOFError, OSError) as error:
            raise ConnectionTerminatedException(str(error))

    def _refuse_message(self, error):
        """Closes because of a message that is too long. There is no waiting for the client's Close: the rest of the message
        would have to be read first."""
        self._fragments = []
        self._request.connection._report(error)
        if not self._request.server_terminated:
            self._send_closing_handshake(common.STATUS_MESSAGE_TOO_BIG, "the message is too long")
        raise ConnectionTerminatedException(str(error))

    def send_message(self, message, end=True, binary=False):
        """Sends text, or bytes with `binary`; without `end` as a fragment that a later call continues."""
        if self._request.server_terminated:
            raise BadOperationException("Requested send_message after sending out a closing handshake")
        if binary and isinstance(message, str):
            raise BadOperationException("Message for binary frame must not be instance of Unicode")
        payload = message if binary else message.encode("utf-8")
        opcode = common.OPCODE_BINARY if binary else common.OPCODE_TEXT
        if self._sending not in (None, opcode):
            raise BadOperationException("Message types are different in frames for the same message")
        is_first = self._sending is None
        rsv1 = 0
        if self._compression is not None:
            payload, is_compressed = self._compression.compress(payload, end)
            rsv1 = int(is_compressed and is_first)
        self._sending = None if end else opcode
        if not is_first:
            opcode = common.OPCODE_CONTINUATION
        self._write(_create_frame(payload, opcode, int(bool(end)), rsv1, self._options.mask_send))

    def receive_message(self):
        """The next message: str or bytes, None when the client closes. Answers Pings and Closes while it waits."""
        if self._request.client_terminated:
            raise BadOperationException("Requested receive_message after receiving a closing handshake")
        with self._receiving:
            while True:
                if self._request.client_terminated:
                    # Another thread has received the Close while this one was waiting for its turn.
                    return None
                opcode, payload, fin, rsv1, rsv2, rsv3 = self._receive_frame()
                if common.is_control_opcode(opcode):
                    if self._control_frame(opcode, payload, fin, rsv1 or rsv2 or rsv3):
                        return None
                elif self._data_frame(opcode, payload, fin, rsv1, rsv2 or rsv3):
                    return self._take_message()

    def _control_frame(self, opcode, payload, fin, rsv):
        """Handles a control frame; true if it was a Close."""
        if len(payload) > _LONGEST_CONTROL_PAYLOAD:
            raise InvalidFrameException("Payload data size of control frames must be 125 bytes or less")
        if rsv:
            raise UnsupportedFrameException("a control frame with a reserved bit")
        if not fin:
            raise InvalidFrameException("Control frames must not be fragmented")
        self._last_opcode = opcode
        if opcode == common.OPCODE_CLOSE:
            self._received_close(payload)
            return True
        if opcode == common.OPCODE_PING:
            handler = getattr(self._request, "on_ping_handler", None)
            if handler:
                handler(self._request, payload)
            else:
                self._send_pong(payload)
        elif opcode == common.OPCODE_PONG:
            handler = getattr(self._request, "on_pong_handler", None)
            if handler:
                handler(self._request, payload)
        else:
            raise UnsupportedFrameException("Opcode %d is not supported" % opcode)
        return False

    def _data_frame(self, opcode, payload, fin, rsv1, rsv):
        """Keeps the payload of a data frame; true if the message is complete."""
        if rsv1 and self._compression is not None:
            self._is_compressed = True
        elif rsv1 or rsv:
            raise UnsupportedFrameException("a data frame with a reserved bit")
        if opcode == common.OPCODE_CONTINUATION:
            if self._message_opcode is None:
                raise InvalidFrameException("a continuation without a message")
        elif self._message_opcode is not None:
            raise InvalidFrameException("a new message within a message")
        else:
            self._message_opcode = opcode
        self._fragments.append(payload)
        self._kept += len(payload)
        return bool(fin)

    def _take_message(self):
        fragments, self._fragments = self._fragments, []
        self._kept = 0
        opcode, self._message_opcode = self._message_opcode, None
        is_compressed, self._is_compressed = self._is_compressed, False
        self._last_opcode = opcode
        message = fragments[0] if len(fragments) == 1 else b"".join(fragments)
        if is_compressed:
            try:
                message = self._compression.decompress(message, self._request.connection)
            except MemoryError as error:
                self._refuse_message(error)
        if opcode == common.OPCODE_BINARY:
            return message
        if opcode != common.OPCODE_TEXT:
            raise UnsupportedFrameException("Opcode %d is not supported" % opcode)
        try:
            return message.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidUTF8Exception(error)

    def _received_close(self, body):
        request = self._request
        request.client_terminated = True
        try:
            close = _parse_close(body)
        except UnicodeError as error:
            raise InvalidUTF8Exception(error)
        except ValueError as error:
            raise InvalidFrameException(str(error))
        if close is None:
            request.ws_close_code = common.STATUS_NO_STATUS_RECEIVED
        else:
            request.ws_close_code, request.ws_close_reason = close
        if request.server_terminated:
            return
        code, reason = common.STATUS_NORMAL_CLOSURE, ""
        if hasattr(request, "_dispatcher"):
            code, reason = request._dispatcher.passive_closing_handshake(request)
        self._send_closing_handshake(code, reason or "")

    def _send_closing_handshake(self, code, reason):
        frame = create_close_frame(create_closing_handshake_body(code, reason), self._options.mask_send)
        self._request.server_terminated = True
        self._write(frame)

    def close_connection(self, code=common.STATUS_NORMAL_CLOSURE, reason="", wait_response=True):
        """Sends a Close, an empty one if `code` is None, and waits for the client's unless told not to, or the code says that
        there is none to be expected."""
        if self._request.server_terminated:
            return
        if code is None:
            if reason:
                raise BadOperationException("close reason must not be specified if code is None")
        elif not isinstance(reason, (bytes, str)):
            raise BadOperationException("close reason must be an instance of bytes or unicode")
        self._send_closing_handshake(code, reason)
        if not wait_response or code in (common.STATUS_GOING_AWAY, common.STATUS_PROTOCOL_ERROR):
            return
        if self.receive_message() is not None:
            raise ConnectionTerminatedException("Didn't receive valid ack for closing handshake")

    def send_ping(self, body, binary=False):
        """Sends a Ping."""
        if not binary and isinstance(body, str):
            body = body.encode("utf-8")
        self._write(create_ping_frame(body, self._options.mask_send))

    def _send_pong(self, body):
        self._write(create_pong_frame(body, self._options.mask_send))

    def get_last_received_opcode(self):
        """The opcode of the last received message."""
        return self._last_opcode


# So much of a message is decompressed until it is counted.
_STEP = 1 << 22
# The end of every flushed block, which RFC 7692 leaves out.
_FLUSH = b"\x00\x00\xff\xff"


class Compression:
    """permessage-deflate (RFC 7692) in both directions."""

    def __init__(self, window_bits=None, no_context_takeover=False):
        # zlib has no window of 256 bytes; one of 512 never refers back further than that.
        self._window_bits = max(window_bits or zlib.MAX_WBITS, 9)
        self._no_context_takeover = no_context_takeover
        self._deflater = None
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self.bfinal = False
        self.enabled = True

    def compress(self, payload, end):
        """The payload of a fragment, and whether it is compressed."""
        if not self.enabled:
            return payload, False
        if self._deflater is None:
            self._deflater = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -self._window_bits)
        data = self._deflater.compress(payload)
        if self.bfinal:
            data += self._deflater.flush(zlib.Z_FINISH) + b"\x00"
            self._deflater = None
            return data, True
        data += self._deflater.flush(zlib.Z_SYNC_FLUSH)
        # Ours leaves out an empty block behind an empty block. A client could not read a message without one.
        data = data or b"\x00" + _FLUSH
        if end:
            data = data[:-len(_FLUSH)]
            if self._no_context_takeover:
                self._deflater = None
        return data, True

    def decompress(self, message, connection):
        """A message as it was before it was compressed. MemoryError if it is longer than the connection takes."""
        rest = message + _FLUSH
        parts = []
        length = 0
        while True:
            part = self._inflater.decompress(rest, _STEP)
            parts.append(part)
            length += len(part)
            if length > connection._longest_message:
                raise MemoryError(
                    "a compressed message of more than %d bytes (bounds.websocket_message_bytes)"
                    % connection._longest_message
                )
            if length > _STEP:
                connection._hold(length + len(message))
            if self._inflater.eof:
                # A block that says it is the last one; the next one starts afresh.
                rest = self._inflater.unused_data
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            else:
                rest = self._inflater.unconsumed_tail
            if not rest and len(part) < _STEP:
                return b"".join(parts)
