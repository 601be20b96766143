"""`wptserve.stash` (wptserve 4.0.3, stash.py). The stash itself is native, and there is one for the whole server."""

from _wptserve import Stash

__all__ = ["Stash", "StashError", "load_env_config"]


class StashError(Exception):
    """A value was put where there is one already."""


def load_env_config():
    """What `Stash(path, address, authkey)` wants besides the path. There is nothing to connect to, so it means nothing."""
    return "wptserve-rs", b""
