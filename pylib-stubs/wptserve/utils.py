"""`wptserve.utils` as handlers use it (wptserve 4.0.3, utils.py)."""

from _wptserve import isomorphic_decode, isomorphic_encode

from .logger import get_logger  # noqa: F401  (handlers may import it from here, as wptserve's module has it)

__all__ = ["HTTPException", "get_error_cause", "invert_dict", "is_bad_port", "isomorphic_decode",
           "isomorphic_encode"]

_BAD_PORTS = frozenset([
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 999, 993, 995, 1719, 1720, 1723, 2049,
    3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
])


class HTTPException(Exception):
    """Ends a handler with the status `code`; the client gets `message`."""

    def __init__(self, code, message=""):
        self.code = code
        self.message = message


def is_bad_port(port):
    """Whether browsers refuse to connect to the port (https://fetch.spec.whatwg.org/#port-blocking)."""
    return port in _BAD_PORTS


def invert_dict(dict):
    """A dict from every value in the lists of `dict` to its key; ValueError if a value occurs twice."""
    inverted = {}
    for key, values in dict.items():
        for value in values:
            if value in inverted:
                raise ValueError
            inverted[value] = key
    return inverted


def get_error_cause(exc):
    """The exception that `exc` was raised from or during, else `exc` itself."""
    for cause in (exc.__cause__, exc.__context__):
        if cause is not None:
            return cause
    return exc
