"""`wptserve.utils` as handlers use it (wptserve 4.0.3, utils.py)."""
from _wptserve import isomorphic_encode
