"""A value as ASCII text that says everything about it and asks the value's own `repr` nothing.

Both sides run this file, so it keeps to the plainest operations: a mistake in `repr`, `str.format` or a codec must not
hide here. Two values have the same text when their types and their contents are the same. A NaN has no sign: which one
comes out of arithmetic is the processor's choice.
"""

import array
import collections
import datetime
import decimal
import email.message
import enum
import fractions
import http.cookies
import re
import uuid

DEEPEST = 12
LONGEST = 4000
NAMED = {None: "None", True: "True", False: "False", Ellipsis: "Ellipsis", NotImplemented: "NotImplemented"}
# Classes that have another name since 3.11, under the name of 3.11.
RENAMED = {"PatternError": "error"}


def text(value):
    """A string in double quotes; all but printable ASCII as the number of the code point, lone surrogates too."""
    pieces = []
    for letter in value[:LONGEST]:
        code = ord(letter)
        if 32 <= code < 127 and code != 34 and code != 92:
            pieces.append(letter)
        else:
            pieces.append("\\" + hex(code)[2:] + ";")
    more = "" if len(value) <= LONGEST else "+%d" % (len(value) - LONGEST)
    return '"' + "".join(pieces) + '"' + more


def octets(value):
    """The bytes as hexadecimal digits."""
    value = bytes(value)
    digits = "0123456789abcdef"
    pieces = []
    for octet in value[:LONGEST]:
        pieces.append(digits[octet >> 4] + digits[octet & 15])
    more = "" if len(value) <= LONGEST else "+%d" % (len(value) - LONGEST)
    return "".join(pieces) + more


def real(value):
    """A float to its last bit."""
    return "nan" if value != value else float.hex(value)


def name(kind):
    """A class's name as it was in 3.11."""
    return RENAMED.get(kind.__qualname__, kind.__qualname__)


def several(values, depth):
    return ", ".join([canon(value, depth) for value in values])


def pairs(mapping, depth):
    return ", ".join([canon(key, depth) + ": " + canon(value, depth) for key, value in mapping.items()])


def moment(value, depth):
    """The fields of a date, a time or both."""
    fields = [getattr(value, field) for field in ("year", "month", "day", "hour", "minute", "second", "microsecond", "fold")
              if hasattr(value, field)]
    zone = getattr(value, "tzinfo", None)
    return several(fields, depth) + ("" if zone is None else "; " + canon(zone, depth))


def match(value, depth):
    return canon([value.span(group) for group in range(len(value.groups()) + 1)], depth) + canon(
        [value.lastindex, value.lastgroup, value.group(0), value.groups(), value.groupdict()], depth)


SHAPES = [
    (enum.Enum, lambda value, depth: text(value.name or "") + " " + canon(value.value, depth)),
    (int, lambda value, depth: hex(value)),
    (float, lambda value, depth: real(value)),
    (complex, lambda value, depth: real(value.real) + " " + real(value.imag)),
    (str, lambda value, depth: text(value)),
    ((bytes, bytearray, memoryview), lambda value, depth: octets(value)),
    (array.array, lambda value, depth: value.typecode + " " + several(value.tolist(), depth)),
    (http.cookies.Morsel, lambda value, depth: several([value.key, value.value, value.coded_value], depth)
        + " {" + pairs({key: value[key] for key in sorted(value) if value[key] != ""}, depth) + "}"),
    (collections.defaultdict, lambda value, depth: canon(value.default_factory, depth) + " {" + pairs(value, depth) + "}"),
    (dict, lambda value, depth: "{" + pairs(value, depth) + "}"),
    ((list, tuple, collections.deque), lambda value, depth: "[" + several(value, depth) + "]"),
    ((set, frozenset), lambda value, depth: "{" + ", ".join(sorted([canon(one, depth) for one in value])) + "}"),
    ((range, slice), lambda value, depth: several([value.start, value.stop, value.step], depth)),
    (datetime.timedelta, lambda value, depth: several([value.days, value.seconds, value.microseconds], depth)),
    (datetime.timezone, lambda value, depth: several([value.utcoffset(None), value.tzname(None)], depth)),
    ((datetime.date, datetime.time), moment),
    (re.Pattern, lambda value, depth: canon(value.pattern, depth) + " " + hex(int(value.flags))),
    (re.Match, match),
    (fractions.Fraction, lambda value, depth: several([value.numerator, value.denominator], depth)),
    (decimal.Decimal, lambda value, depth: several(value.as_tuple(), depth)),
    (uuid.UUID, lambda value, depth: hex(value.int)),
    (email.message.Message, lambda value, depth: canon([value.items(), value.get_payload()], depth)),
    (BaseException, lambda value, depth: canon(value.args, depth)),
    (type, lambda value, depth: name(value)),
]
BY_CLASS = {}


def shape(kind):
    """How to write the contents of a class's instances, or None; looked up once for each class."""
    if kind not in BY_CLASS:
        BY_CLASS[kind] = next((write for kinds, write in SHAPES if issubclass(kind, kinds)), None)
    return BY_CLASS[kind]


def canon(value, depth=0):
    """The text of a value: its type's name and its contents, to the depth of 12."""
    kind = type(value)
    if value is None or kind is bool or value is Ellipsis or value is NotImplemented:
        return NAMED[value]
    if depth > DEEPEST:
        return name(kind) + "(...)"
    write = shape(kind)
    return name(kind) + ("" if write is None else "(" + write(value, depth + 1) + ")")
