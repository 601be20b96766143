"""Where time zones are: the directories that CPython is built with. RustPython has no such variable in sysconfig."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_DIRECTORIES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")

_reset = reset_tzpath


def reset_tzpath(to=None):
    _reset(_DIRECTORIES if to is None and "PYTHONTZPATH" not in os.environ else to)


reset_tzpath()
