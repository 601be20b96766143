"""Small things that handlers may use."""

from _wptserve import websocket_mask as _mask


def prepend_message_to_exception(message, exc):
    """Puts `message` before the text of an exception."""
    exc.args = (message + str(exc),)


def hexify(s):
    """Bytes as hexadecimal numbers with blanks between them."""
    return bytes(s).hex(" ")


def pack_byte(b):
    """A number as a byte."""
    return b.to_bytes(1, "big")


def get_class_logger(o):
    """The logger named after the class of an object."""
    import logging

    return logging.getLogger("%s.%s" % (type(o).__module__, type(o).__name__))


class NoopMasker:
    """Leaves bytes as they are."""

    def mask(self, s):
        return s


class RepeatedXorMasker:
    """Masks bytes with a key of four bytes, going on in the key where the last call has ended."""

    def __init__(self, masking_key):
        self._key = masking_key

    def mask(self, s):
        masked = _mask(s, self._key)
        turn = len(masked) % 4
        self._key = self._key[turn:] + self._key[:turn]
        return masked
