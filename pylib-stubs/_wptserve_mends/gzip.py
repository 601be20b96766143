"""The time in the head of what `compress` makes, and the system: Python 3.14 writes 0 unless it is told, 3.11 the present time."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_compress_reproducibly = compress


def compress(data, compresslevel=9, *, mtime=None):
    """Compress data in one shot and return the compressed string."""
    made = _compress_reproducibly(data, compresslevel, mtime=time.time() if mtime is None else mtime)
    # In 3.11 zlib writes the head when there is no time in it, and names Unix.
    return made[:9] + b"\x03" + made[10:] if mtime == 0 else made
