"""Pieces that several domains share: literals that lie where mistakes lie."""

from __future__ import annotations

import random
import unicodedata

from grammar import Pieces

LETTERS = [
    "a", "b", "A", "Z", "z", "0", "9", " ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\0", "\x7f", "-", "+", "_", ".", ",",
    "%", "{", "}", "'", '"', "\\", "/", "=", ";", "&", "<", ":", "\x80", "\x85", "\xa0", "\xad", "\xb2", "\xb5", "\xbc", "\xdf", "\xe9",
    "\xff", "\u0130", "\u0131", "\u0149", "\u0161", "\u017f", "\u01c5", "\u0300", "\u0301", "\u0345", "\u0391", "\u03a3", "\u03c3",
    "\u03c2", "\u05d0", "\u0660", "\u0669", "\u06f5", "\u0967", "\u1e9e", "\u1ec7", "\u2000", "\u2028", "\u2029", "\u200b", "\u200d",
    "\u20ac", "\u2160", "\u2460", "\u3000", "\u4e2d", "\u6587", "\uac00", "\ud800", "\udc80", "\udcff", "\udfff", "\ue000", "\ufb01",
    "\ufeff", "\ufffd", "\uffff", "\U00010400", "\U0001d7ce", "\U0001f600", "\U000e0100", "\U0010ffff",
]
PLAIN = "abcxyzABC0123456789 _-.,;:/%&=+"
WORDS = ["", "a", "abc", "Hello World", "hello", "ab ab ab", "  x  ", "a,b,,c", "1,234", "key=value; other=2", "line one\nline two\r\n",
         "\u4e2d\u6587", "caf\xe9", "stra\xdfe", "\u0391\u03a3", "\u01c5ungla", "o'clock", "tab\tbed", "x\u2028y", "-12", " 42 ", "1e5",
         "0x1F", "nan", "True", "a" * 20, "ab" * 15]
OCTETS = [0, 9, 10, 11, 12, 13, 28, 31, 32, 37, 43, 45, 46, 47, 48, 57, 61, 65, 90, 95, 97, 122, 123, 127, 128, 0x85, 0xA0, 0xAA, 0xB5,
          0xBF, 0xC0, 0xC2, 0xC3, 0xDF, 0xE0, 0xE4, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFE, 0xFF]
BLOBS = [b"", b"a", b"abc", b"Hello World", b"a,b,,c", b"  x  ", b"\xff\xff1\xff", b"a\xc2\xa0", b"\xe4\xb8\xad", b"\xed\xa0\x80",
         b"key=value", b"one\ntwo\r\nthree", b"tab\tbed", b"0x1f", b"12", b"ab" * 10]
INTEGERS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 255, 256, 999, 1000, 1023, 1024, 65535, 65536, 10**6,
            2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**18, 10**19, 10**30, 2**100]
FLOATS = ["0.0", "-0.0", "1.0", "-1.0", "0.5", "1.5", "2.5", "0.1", "0.2", "0.3", "1e-5", "1e-4", "9.5", "99.95", "0.05", "123.456", "100.0",
          "1000.0", "1e15", "1e16", "1e17", "123456789.123456789", "1e22", "1e23", "5e-324", "2.2250738585072014e-308",
          "1.7976931348623157e308", "float('inf')", "-float('inf')", "float('nan')", "3.141592653589793", "2.675", "1e100", "-7.0", "-0.3",
          "4503599627370496.5", "9007199254740993.0", "0.30000000000000004"]


def escaped(text: str) -> str:
    """A str literal in ASCII."""
    return ascii(text)


def assigned(rng: random.Random) -> str:
    """A character that Unicode 14 knows: later versions are allowed to know more."""
    while True:
        letter = chr(rng.randrange(rng.choice([0x250, 0x3000, 0x20000])))
        if unicodedata.category(letter) != "Cn":
            return letter


def string(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(WORDS)
    if kind < 0.45:
        return "".join(rng.choice(PLAIN) for _ in range(rng.randrange(12)))
    if kind < 0.5:
        return "".join(assigned(rng) for _ in range(rng.randrange(1, 4)))
    return "".join(rng.choice(LETTERS) for _ in range(rng.choice([0, 1, 1, 2, 3, 4, 6])))


def octets(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(BLOBS)
    if kind < 0.5:
        return "".join(rng.choice(PLAIN) for _ in range(rng.randrange(12))).encode()
    return bytes(rng.choice(OCTETS) for _ in range(rng.choice([0, 1, 1, 2, 3, 4, 6, 9])))


def integer(rng: random.Random) -> int:
    value = rng.choice(INTEGERS) if rng.random() < 0.7 else rng.randrange(1 << rng.choice([4, 8, 16, 40, 70, 130]))
    return -value if rng.random() < 0.3 else value


def real(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(FLOATS)
    if kind < 0.8:
        return repr(round(rng.uniform(-1000, 1000), rng.randrange(5)))
    return repr(rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30))


def hidden(rng: random.Random, source: str) -> str:
    """The source, half of the time where no compiler folds it."""
    return "v(%s)" % source if rng.random() < 0.5 else "(%s)" % source if source.startswith("-") else source


SHARED: Pieces = {
    "Str": lambda rng: escaped(string(rng)),
    "Char": lambda rng: escaped(rng.choice(LETTERS)),
    "Bytes": lambda rng: repr(octets(rng)),
    "Octet": lambda rng: str(rng.choice(OCTETS)),
    "Array": lambda rng: "bytearray(%r)" % octets(rng),
    "Int": lambda rng: hidden(rng, str(integer(rng))),
    "Small": lambda rng: str(rng.choice([-100, -8, -5, -3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 8, 12, 20, 100])),
    "Count": lambda rng: str(rng.choice([0, 1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 40])),
    "Float": lambda rng: hidden(rng, real(rng)),
    "Bool": ["True", "False"],
    "Bound": ["$Small", "None", "$Count"],
    "Slice": ["$Bound:$Bound", "$Bound:$Bound:$Step", ":", "::$Step", "$Small:", ":$Small"],
    "Step": ["1", "2", "3", "-1", "-2", "-3", "None"],
    "Any": ["None", "$Bool", "$Small", "$Float", "$Str", "$Bytes", "[]", "()", "{}", "[$Small]", "($Str,)", "{$Str: $Small}", "1j", "object",
            "...", "{1}", "$Array"],
}
