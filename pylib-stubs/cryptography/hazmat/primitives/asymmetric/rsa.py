"""`cryptography.hazmat.primitives.asymmetric.rsa`: keys made from their numbers, signing and verifying with SHA-256."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from . import padding as paddings

# The DigestInfo that stands before a SHA-256 digest (RFC 8017, section 9.2, note 1).
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _encoded(data, size, padding, algorithm):
    """EMSA-PKCS1-v1_5: the number that is signed, as bytes."""
    if not isinstance(padding, paddings.PKCS1v15) or not isinstance(algorithm, hashes.SHA256):
        raise UnsupportedAlgorithm("only PKCS1v15 with SHA256 is supported")
    digest = _DIGEST_INFO + hashlib.sha256(data).digest()
    filling = size - len(digest) - 3
    if filling < 8:
        raise ValueError("Digest too large for key size. Use a larger key or different digest.")
    return b"\x00\x01" + b"\xff" * filling + b"\x00" + digest


class RSAPublicNumbers:
    """Exponent and modulus."""

    def __init__(self, e, n):
        self.e = e
        self.n = n

    def public_key(self, backend=None):
        """The key of these numbers."""
        if self.e < 3 or self.e % 2 == 0 or self.e >= self.n:
            raise ValueError("e must be odd, at least 3 and smaller than n.")
        return RSAPublicKey(self)

    def __eq__(self, other):
        return isinstance(other, RSAPublicNumbers) and (self.e, self.n) == (other.e, other.n)

    def __hash__(self):
        return hash((self.e, self.n))


class RSAPublicKey:
    """Verifies."""

    def __init__(self, numbers):
        self._numbers = numbers

    @property
    def key_size(self):
        """The length of the modulus in bits."""
        return self._numbers.n.bit_length()

    def public_numbers(self):
        """Exponent and modulus."""
        return self._numbers

    def public_bytes(self, encoding, format):
        """The key as SubjectPublicKeyInfo, in PEM or DER."""
        return serialization.dump_public_key(self._numbers, encoding, format)

    def verify(self, signature, data, padding, algorithm):
        """Raises InvalidSignature unless the signature belongs to the data."""
        size = (self.key_size + 7) // 8
        expected = _encoded(data, size, padding, algorithm)
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self._numbers.n:
            raise InvalidSignature
        found = pow(number, self._numbers.e, self._numbers.n).to_bytes(size, "big")
        if not hmac.compare_digest(found, expected):
            raise InvalidSignature


class RSAPrivateNumbers:
    """All numbers of a key pair."""

    def __init__(self, p, q, d, dmp1, dmq1, iqmp, public_numbers):
        self.p, self.q, self.d, self.dmp1, self.dmq1, self.iqmp = p, q, d, dmp1, dmq1, iqmp
        self.public_numbers = public_numbers

    def private_key(self, backend=None):
        """The key of these numbers."""
        if self.p * self.q != self.public_numbers.n:
            raise ValueError("p*q must equal n.")
        return RSAPrivateKey(self)


class RSAPrivateKey:
    """Signs."""

    def __init__(self, numbers):
        self._numbers = numbers

    @property
    def key_size(self):
        """The length of the modulus in bits."""
        return self._numbers.public_numbers.n.bit_length()

    def public_key(self):
        """The other half."""
        return self._numbers.public_numbers.public_key()

    def private_numbers(self):
        """All numbers."""
        return self._numbers

    def sign(self, data, padding, algorithm):
        """The signature of the data."""
        size = (self.key_size + 7) // 8
        number = int.from_bytes(_encoded(data, size, padding, algorithm), "big")
        return pow(number, self._numbers.d, self._numbers.public_numbers.n).to_bytes(size, "big")
