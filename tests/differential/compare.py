"""Judges two raw answers: identical, equal but for the traceback's text, or different; and says how they differ.

Pure: bytes in, a verdict out. The values of Date and Server are set aside when they are the server's own (a handler's
own are compared), and so are the digits of the server's port. Nothing else is forgiven outside 5xx answers, whose JSON
body holds a Python traceback through files that only one of the two servers has.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field
from itertools import groupby

from wire import HEAD_END, Answer

IDENTICAL, TRACEBACK, DIFFERENT = "identical", "traceback", "different"

OWN_DATE = re.compile(rb"^(date: )[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT(?=\r?$)",
                      re.IGNORECASE | re.MULTILINE)
UUID4 = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STATUS_5XX = re.compile(rb"HTTP/1\.[01] 5\d\d [^\r\n]*\r\n")
FRAME = re.compile(r'^\s*File "(?P<file>.*)", line (?P<line>\d+), in (?P<function>.*)$')


@dataclass
class Side:
    """What must be known of a server to set its own values aside. Without a port both have the same ports."""

    port: int | None
    server_header: bytes
    doc_root: str
    # For answers that even the reference gives differently each time: random UUIDs and what gzip does (which writes the
    # time) are set aside too.
    lenient: bool = False

    def mask(self, raw: bytes) -> bytes:
        if self.lenient:
            raw = _unpacked(UUID4.sub(b"<uuid>".ljust(36), raw))
        # Ephemeral ports have five digits on both sides, so lengths do not move.
        if self.port is not None:
            raw = re.sub(rb"(?<!\d)%d(?!\d)" % self.port, b"<port>", raw)
        raw = OWN_DATE.sub(rb"\1<date>", raw)
        if self.server_header:
            raw = re.sub(rb"(?im)^(server: )%s(?=\r?$)" % re.escape(self.server_header), rb"\1<server>", raw)
        return raw


def _unpacked(raw: bytes) -> bytes:
    """With what a gzip body holds, as far as it goes, instead of the body and its length."""
    head, body = _split(raw)
    if not body.startswith(b"\x1f\x8b\x08"):
        return raw
    try:
        text = zlib.decompressobj(wbits=31).decompress(body)
    except zlib.error:
        return raw
    return re.sub(rb"(?im)^(content-length: )\d+", rb"\1<packed>", head) + b"<gzip>" + text


@dataclass
class Verdict:
    kind: str
    reasons: list[str] = field(default_factory=list)


def compare(expected: Answer, got: Answer, reference: Side, candidate: Side) -> Verdict:
    """The whole judgement of one answer."""
    want, have = reference.mask(expected.raw), candidate.mask(got.raw)
    capped = expected.capped and got.capped
    if capped and not (expected.silent and got.silent):
        # Endless streams are cut where our patience ends: what both sent until then must agree.
        shorter = min(len(want), len(have))
        if shorter and want[:shorter] == have[:shorter]:
            return Verdict(IDENTICAL)
    end_differs = not capped and expected.end != got.end
    ending = ["the connection ends %r, the reference's %r" % (got.end, expected.end)] if end_differs else []
    if want == have:
        return Verdict(DIFFERENT, ending) if ending else Verdict(IDENTICAL)
    reasons = _traceback_differences(want, have, reference, candidate)
    if reasons is None:
        return Verdict(DIFFERENT, ending + _differences(want, have))
    return Verdict(DIFFERENT, ending + reasons) if ending + reasons else Verdict(TRACEBACK)


def shape(answer: Answer) -> tuple[bytes, list[bytes]]:
    """The status line and the names of the headers: what even an answer full of random numbers has in common."""
    lines = _split(answer.raw)[0].splitlines()
    return (lines[0] if lines else b"", [line.split(b":", 1)[0] for line in lines[1:] if line])


def _split(raw: bytes) -> tuple[bytes, bytes]:
    end = HEAD_END.search(raw)
    return (raw[:end.end()], raw[end.end():]) if end else (raw, b"")


def _differences(want: bytes, have: bytes) -> list[str]:
    """The first differing lines of both heads, then of both bodies."""
    out = []
    for name, one, two in zip(("head", "body"), _split(want), _split(have)):
        if one == two:
            continue
        ours, theirs = two.splitlines(keepends=True), one.splitlines(keepends=True)
        for number in range(max(len(ours), len(theirs))):
            left = theirs[number] if number < len(theirs) else None
            right = ours[number] if number < len(ours) else None
            if left != right:
                out.append("%s line %d: wptserve %s" % (name, number + 1, _short(left)))
                out.append("%s        ours %s" % (" " * (len(name) + len(str(number))), _short(right)))
                break
        if name == "body":
            out.append("body length: wptserve %d, ours %d" % (len(one), len(two)))
    return out


def _short(line: bytes | str | None, limit: int = 150) -> str:
    if line is None:
        return "(nothing)"
    return repr(line if len(line) <= limit else line[:limit // 2] + (b"..." if isinstance(line, bytes) else "...")
                + line[-limit // 2:])


# --- 5xx answers -----------------------------------------------------------------------------------------------------


@dataclass
class _Failure:
    before: bytes
    status: bytes
    headers: list[tuple[bytes, bytes]]
    shape: object
    code: object
    first: str
    frames: list[tuple[str, str, str]]
    last: list[str]
    after: bytes


def _parse_failure(raw: bytes, side: Side) -> _Failure | None:
    """A 5xx answer with wptserve's JSON body, perhaps after something a handler had already sent."""
    starts = [match.start() for match in STATUS_5XX.finditer(raw)]
    if not starts:
        return None
    before, tail = raw[:starts[-1]], raw[starts[-1]:]
    head, body = _split(tail)
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    headers = [tuple(line.split(b": ", 1)) for line in lines[1:]]
    if any(len(header) != 2 for header in headers):
        return None
    masked = [(name, b"<length>" if name.lower() == b"content-length" else value) for name, value in headers]
    if not body and (b"Content-Type", b"application/json") in headers:
        # The answer to HEAD: only its length could tell one traceback from another.
        return _Failure(before, lines[0], masked, None, None, "", [], [], b"")
    try:
        # What follows the document is the next answer of a pipeline.
        document, end = json.JSONDecoder().raw_decode(body.decode("latin-1"))
        error = document["error"]
        code, message = error["code"], error["message"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(message, str):
        return None
    shape = (list(document), list(error))
    text = message.split("\n")
    frames = _frames(text, side.doc_root)
    return _Failure(before, lines[0], masked, shape, code, text[0], frames, _last(text), body[end:])


def _frames(text: list[str], doc_root: str) -> list[tuple[str, str, str]]:
    """The frames inside the doc root; recursion repeats one as often as the interpreter likes.

    A checkout holds a wptserve of its own, whose frames are the server's.
    """
    found = []
    for line in text:
        match = FRAME.match(line)
        if match and match["file"].startswith(doc_root + "/") and not match["file"].startswith(doc_root + "/tools/"):
            found.append((match["file"][len(doc_root) + 1:], match["line"], match["function"]))
    return [frame for frame, _ in groupby(found)]


def _last(text: list[str]) -> list[str]:
    """`Type: message`, which wptserve indents by two spaces, and what follows it; without a traceback all but the URL."""
    numbers = [number for number, line in enumerate(text) if FRAME.match(line)]
    after = text[numbers[-1] + 1:] if numbers else text[1:]
    traced = bool(numbers) or bool(after and after[0].startswith("  Traceback "))
    while traced and after and not re.match(r"  (?!Traceback )\S", after[0]):
        after = after[1:]
    return [line.strip() for line in after if line.strip()]


def _traceback_differences(want: bytes, have: bytes, reference: Side, candidate: Side) -> list[str] | None:
    """None when these are not two 5xx answers of wptserve's form; else what differs beyond the traceback's text."""
    left, right = _parse_failure(want, reference), _parse_failure(have, candidate)
    if left is None or right is None:
        return None
    out = []
    for name in ("before", "status", "headers", "shape", "code", "first", "frames", "last", "after"):
        one, two = getattr(left, name), getattr(right, name)
        if one != two:
            out.append("5xx %s: wptserve %s" % (name, _short(str(one), 400)))
            out.append("%s      ours %s" % (" " * len(name), _short(str(two), 400)))
    return out
