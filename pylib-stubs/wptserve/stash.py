"""`wptserve.stash` (wptserve 4.0.3, stash.py). The stash itself is native, and there is one for the whole server."""

from _wptserve import Stash

__all__ = ["Stash", "StashError", "load_env_config"]


class StashError(Exception):
    """A value was put under a key that has one already."""


def load_env_config():
    """The arguments of `Stash(path, address, authkey)` besides the path. They have no effect, because there is no connection."""
    return "wptserve-rs", b""
