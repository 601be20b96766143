"""Python 3.14 knows the attribute Partitioned of a cookie; for 3.11 it is a name like any other."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

Morsel._reserved.pop("partitioned", None)
Morsel._flags.discard("partitioned")
Morsel._reserved_defaults = dict.fromkeys(Morsel._reserved, "")
