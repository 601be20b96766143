"""Decimal arithmetic, in Python.

There is no `_decimal` in C here, and for that case the standard library's `decimal` puts `_pydecimal` in its own place
while it is being imported. A thread that imports it at the same moment is left with the empty module. This one fills
itself instead; a test fails when the interpreter brings a `_decimal`.
"""

from _pydecimal import *
from _pydecimal import __libmpdec_version__, __version__
