"""Frees the locks of a thread that has died inside an import."""

import _frozen_importlib
import sys


def free_imports(dead):
    """Releases the locks of the modules that the thread `dead` was importing, and removes these unfinished modules."""
    for reference in list(_frozen_importlib._module_locks.values()):
        lock = reference()
        if lock is None or lock.owner != dead:
            continue
        with lock.lock:
            module = sys.modules.get(lock.name)
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                del sys.modules[lock.name]
            lock.count.clear()
            lock.owner = None
            if lock.waiters:
                lock.waiters.pop()
                lock.wakeup.release()
    _frozen_importlib._blocking_on.pop(dead, None)
