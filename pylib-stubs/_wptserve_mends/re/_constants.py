"""The class of a pattern's mistakes is called error; Python 3.13 renamed it, which shows in tracebacks."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

PatternError.__name__ = PatternError.__qualname__ = "error"
