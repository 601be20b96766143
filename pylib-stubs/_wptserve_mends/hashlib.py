"""The names of digests that OpenSSL has besides those of Python: `hashlib.new("SHA-256")`."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_new = new
_OTHER_NAMES = {
    "sha-1": "sha1",
    "shake128": "shake_128",
    "shake-128": "shake_128",
    "shake256": "shake_256",
    "shake-256": "shake_256",
    "blake2b512": "blake2b",
    "blake2b-512": "blake2b",
    "blake2s256": "blake2s",
    "blake2s-256": "blake2s",
}
for _size in ("224", "256", "384", "512"):
    _OTHER_NAMES["sha-" + _size] = _OTHER_NAMES["sha2-" + _size] = "sha" + _size
    _OTHER_NAMES["sha3-" + _size] = "sha3_" + _size
del _size


def new(name, *args, **kwargs):
    """Return a new hashing object using the named algorithm, optionally initialized with a bytes-like object."""
    if isinstance(name, str):
        name = _OTHER_NAMES.get(name.lower().removeprefix("rsa-"), name)
    return _new(name, *args, **kwargs)
