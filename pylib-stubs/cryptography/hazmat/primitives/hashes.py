"""`cryptography.hazmat.primitives.hashes`: SHA-256."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm


class HashAlgorithm:
    """What an algorithm is told by."""

    name = ""
    digest_size = 0
    block_size = 64


class SHA256(HashAlgorithm):
    """SHA-256."""

    name = "sha256"
    digest_size = 32


class Hash:
    """A digest that is fed piece by piece."""

    def __init__(self, algorithm, backend=None):
        if not isinstance(algorithm, SHA256):
            raise UnsupportedAlgorithm("only SHA256 is supported")
        self.algorithm = algorithm
        self._hash = hashlib.sha256()

    def update(self, data):
        """Take more data."""
        self._hash.update(data)

    def finalize(self):
        """The digest."""
        return self._hash.digest()

    def copy(self):
        """Another digest that goes on from here."""
        copy = Hash(self.algorithm)
        copy._hash = self._hash.copy()
        return copy
