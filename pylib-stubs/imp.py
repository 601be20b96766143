"""The `imp` module that Python 3.12 dropped and a dozen WPT handlers still import.

`load_source` is what they use. The rest is what is easily given; finding and loading modules by hand is not.
"""

import sys
import types
from _imp import acquire_lock, is_builtin, is_frozen, lock_held, release_lock

SEARCH_ERROR, PY_SOURCE, PY_COMPILED, C_EXTENSION, PY_RESOURCE, PKG_DIRECTORY = range(6)
C_BUILTIN, PY_FROZEN, PY_CODERESOURCE, IMP_HOOK = range(6, 10)

__all__ = ["acquire_lock", "is_builtin", "is_frozen", "load_source", "lock_held", "new_module", "release_lock", "reload"]


def new_module(name):
    """A new, empty module that is not in `sys.modules`."""
    return types.ModuleType(name)


def load_source(name, pathname, file=None):
    """Runs the file and gives its module, which is in `sys.modules` as `name` afterwards.

    The name may be empty. CPython runs the file in the module of that name if there is one; handlers that run at the same
    time and load different files under one name would then mix them up, so here every call makes a module of its own.
    """
    import importlib.util

    loader = _Cached(name, pathname)
    spec = importlib.util.spec_from_file_location(name, pathname, loader=loader)
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        if previous is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = previous
        raise
    return module


def reload(module):
    """As `importlib.reload`."""
    import importlib

    return importlib.reload(module)


def get_suffixes():
    """The one kind of module there is."""
    return [(".py", "r", PY_SOURCE)]


_codes = {}


def _Cached(name, path):
    """A source loader that compiles a file again only when it has changed: handlers load the same one for every request."""
    from importlib.machinery import SourceFileLoader

    class Loader(SourceFileLoader):
        def get_code(self, fullname):
            stats = self.path_stats(self.path)
            stamp = (stats["mtime"], stats["size"])
            known = _codes.get(self.path)
            if known is None or known[0] != stamp:
                known = stamp, self.source_to_code(self.get_data(self.path), self.path)
                _codes[self.path] = known
            return known[1]

    return Loader(name, path)
