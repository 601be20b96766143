"""`cryptography.hazmat.primitives.serialization`: RSA public keys as SubjectPublicKeyInfo (RFC 5280), in PEM and DER."""

import base64
import enum

from cryptography.exceptions import UnsupportedAlgorithm

_BEGIN = b"-----BEGIN PUBLIC KEY-----"
_END = b"-----END PUBLIC KEY-----"
# SEQUENCE { OID rsaEncryption, NULL }
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")


class Encoding(enum.Enum):
    """How the bytes of a key are written."""

    PEM = "PEM"
    DER = "DER"


class PublicFormat(enum.Enum):
    """What the bytes of a public key say."""

    SubjectPublicKeyInfo = "X.509 subjectPublicKeyInfo with PKCS#1"


def _field(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 128 | size]) + length.to_bytes(size, "big") + content


def _integer(number):
    # One bit more than the number needs, so that it is not read as a negative one.
    return _field(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def dump_public_key(numbers, encoding, format):
    """The bytes of a key."""
    if format is not PublicFormat.SubjectPublicKeyInfo:
        raise UnsupportedAlgorithm("only SubjectPublicKeyInfo is supported")
    key = _field(0x30, _integer(numbers.n) + _integer(numbers.e))
    data = _field(0x30, _RSA + _field(3, b"\x00" + key))
    if encoding is Encoding.DER:
        return data
    text = base64.b64encode(data)
    lines = [text[start:start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([_BEGIN, *lines, _END]) + b"\n"


def _take(data, tag):
    """The content of the field that `data` starts with, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("Could not deserialize key data: it is not an RSA public key.")
    length, start = data[1], 2
    if length & 128:
        start = 2 + (length & 127)
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("Could not deserialize key data: it is cut short.")
    return data[start:start + length], data[start + length:]


def load_der_public_key(data, backend=None):
    """The RSA key of a SubjectPublicKeyInfo."""
    from .asymmetric import rsa

    content, _ = _take(data, 0x30)
    if not content.startswith(_RSA):
        raise UnsupportedAlgorithm("only RSA keys are supported")
    bits, _ = _take(content[len(_RSA):], 3)
    key, _ = _take(bits[1:], 0x30)
    modulus, rest = _take(key, 2)
    exponent, _ = _take(rest, 2)
    return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()


def load_pem_public_key(data, backend=None):
    """The RSA key between the lines of a PEM file."""
    begin, end = data.find(_BEGIN), data.find(_END)
    if begin < 0 or end < begin:
        raise ValueError("Unable to load PEM file: it has no PUBLIC KEY.")
    return load_der_public_key(base64.b64decode(data[begin + len(_BEGIN):end]))
