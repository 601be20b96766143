"""`wptserve.utils` as handlers use it (wptserve 4.0.3, utils.py)."""

from _wptserve import isomorphic_decode, isomorphic_encode

from .logger import get_logger  # noqa: F401  (handlers may import it from here, as wptserve's module has it)

__all__ = ["HTTPException", "get_error_cause", "invert_dict", "isomorphic_decode", "isomorphic_encode"]


class HTTPException(Exception):
    """Ends a handler with the status `code`; `message` is what the client is told."""

    def __init__(self, code, message=""):
        self.code = code
        self.message = message


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
