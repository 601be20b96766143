"""Mends of Python modules of the standard library, in a tree as they lie there.

The interpreter runs a file of this tree when the module of that name is imported, and hands the code of the module itself out
under the file's own name. So a file starts with `run_original(globals())` and then puts right what has to be; a module that
nobody imports costs nothing. src/python/mends/library.rs exchanges the two.
"""

import _imp


def run_original(module):
    """Executes the module as the standard library has it, in its own dictionary."""
    exec(_imp.get_frozen_object("_wptserve_mends." + module["__name__"]), module)
