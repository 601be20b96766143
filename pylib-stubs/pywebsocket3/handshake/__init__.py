"""The opening handshake, and the exceptions by which a handler refuses it."""

from pywebsocket3 import common  # noqa: F401  (handlers import it from here)
from pywebsocket3.handshake import hybi
from pywebsocket3.handshake.base import AbortedByUserException, HandshakeException, VersionException  # noqa: F401


def do_handshake(request, dispatcher):
    """Does the opening handshake of RFC 6455; `dispatcher.do_extra_handshake(request)` asks the handler."""
    hybi.Handshaker(request, dispatcher).do_handshake()
