"""The old name of `pywebsocket3`. The modules are the same ones, so that exceptions are the same classes."""

import sys

import pywebsocket3
from pywebsocket3 import _stream_exceptions, common, extensions, handshake, http_header_util, msgutil, stream, util
from pywebsocket3.handshake import base, hybi

for _module in (_stream_exceptions, common, extensions, handshake, http_header_util, msgutil, stream, util, base, hybi):
    sys.modules[_module.__name__.replace(pywebsocket3.__name__, __name__, 1)] = _module
