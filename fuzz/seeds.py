"""Seeds for the fuzz targets, made from the fixtures each time: nothing to keep up to date by hand.

A seed of a target whose input begins with dice has four bytes in front: zeros, so nothing is cut (fuzz/src/input.rs).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
NO_DICE = b"\0\0\0\0"
# Longer fixtures are cut: libFuzzer's inputs are short, and the beginnings of files are what matters.
LONGEST = 2048


def files(*patterns: str) -> Iterator[bytes]:
    for pattern in patterns:
        for path in sorted(FIXTURES.glob(pattern)):
            if path.is_file():
                yield path.read_bytes()[:LONGEST]


def requests() -> Iterator[tuple[bytes, bytes]]:
    """Heads, line ends included, and what follows, of the recorded requests."""
    for data in files("cases/**/request*.http"):
        head, end, body = data.partition(b"\r\n\r\n")
        yield head + end, body


def fields(name: bytes) -> Iterator[bytes]:
    for head, _ in requests():
        for line in head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                yield value.strip()


def targets() -> Iterator[bytes]:
    for head, _ in requests():
        words = head.split(b"\r\n")[0].split()
        if len(words) > 1:
            yield words[1]


def queries() -> Iterator[bytes]:
    return (target.partition(b"?")[2] for target in targets() if b"?" in target)


def unquote(text: bytes) -> bytes:
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), text.replace(b"+", b" "))


def forms() -> Iterator[bytes]:
    for head, body in requests():
        kind = re.search(rb"(?im)^content-type: *(.*?)\r$", head)
        if kind or body:
            yield (kind[1] if kind else b"") + b"\n" + body


def pipes() -> Iterator[bytes]:
    for query in queries():
        for pair in query.split(b"&"):
            if pair.startswith(b"pipe="):
                yield unquote(pair[5:])


def templates() -> Iterator[bytes]:
    for line in (ROOT / "src/pipes/tables/templates.txt").read_bytes().splitlines():
        yield line.partition(b" => ")[0]
    yield from files("**/*.sub.*")


def literal(text: bytes) -> bytes:
    """What lines such as `> \\x88\\x82` of fixtures/websocket stand for."""
    return text.decode("unicode_escape").encode("latin-1", "replace")


def websocket_frames() -> Iterator[bytes]:
    for line in (FIXTURES / "websocket/sessions.txt").read_bytes().splitlines():
        if line.startswith((b"> \\x", b"< \\x")):
            yield literal(line[2:])


def text(data: bytes) -> bytes:
    """A text behind its length, as fuzz/src/input.rs takes it."""
    return bytes([min(len(data), 255)]) + data[:255]


def h2_block(fields: list[tuple[str, str]]) -> bytes:
    """A header block without tables and Huffman codes."""
    parts = [b"\x00" + text(name.encode()[:126]) + text(str(value).encode()[:126]) for name, value in fields]
    return b"".join(parts)


def h2_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """An act of fuzz/src/targets/h2.rs."""
    return bytes([kind, flags, stream]) + text(payload)


def h2_sessions() -> Iterator[bytes]:
    settings = h2_frame(4, 0, 0) + h2_frame(4, 1, 0)
    for case in json.loads((FIXTURES / "h2/cases.json").read_text()):
        request = case["request"]
        if isinstance(request, str):
            request = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", request)]
        body = [part for part in case.get("body", []) if isinstance(part, str)]
        session = settings + h2_frame(1, 4 if body else 5, 1, h2_block(request))
        for at, part in enumerate(body):
            session += h2_frame(0, int(at == len(body) - 1), 1, part.encode()[:255])
        answer = bytes([0x40, 1]) + text(text(b"content-type") + text(b"text/plain"))
        yield session + answer + bytes([0x82, 1]) + text(b"content") + bytes([0x3B, 1, 0])
    # One of every kind of frame.
    ping, update = h2_frame(6, 0, 0, bytes(8)), h2_frame(8, 0, 0, b"\0\0\1\0")
    priority, reset = h2_frame(2, 0, 1, b"\0\0\0\0\x10"), h2_frame(3, 0, 1, b"\0\0\0\x08")
    request = bytes([0x10, 4, 1, 0])
    split = h2_frame(1, 0, 3, b"\x82\x87\x84") + h2_frame(9, 4, 3, b"\x01\x01a")
    go_away = h2_frame(7, 0, 0, bytes(8))
    padded = h2_frame(0, 8, 1, b"\x02abc\0\0") + h2_frame(1, 0x2D, 5, b"\x01\0\0\0\0\x10\x82\x87\x84\0")
    yield settings + request + ping + update + priority + padded + split + reset + go_away
    push = bytes([0x36, 1]) + text(b"\0" + text(b":path") + text(b"/x"))
    yield settings + request + push + bytes([0x20, 0, 1, 0x38, 1, 1, 0x40, 0x39, 1, 0])


def html() -> Iterator[bytes]:
    yield from files("**/*.html", "**/*.xht", "**/*.svg")
    yield b"\xef\xbb\xbf<!doctype html><!-- c --><html lang=a><head class='b'>&amp;<meta charset=utf-8>"
    yield b'<!DOCTYPE html PUBLIC "a" "b"><meta http-equiv=content-type content="text/html; charset=shift_jis">'
    yield b"\xff\xfe<\0p\0>\0"
    yield b"\xfe\xff\0<\0p\0>"


def hpack() -> Iterator[bytes]:
    for case in json.loads((FIXTURES / "h2/cases.json").read_text()):
        if not isinstance(case["request"], str):
            yield text(h2_block(case["request"])) + b"\x10"
    yield text(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")) + b"\xff" + text(bytes.fromhex("828684be5886a8eb10649cbf"))


FRONTMATTER = [
    b"// c\n/*---\ndescription: >\n  folded: text\nincludes: [a.js, \"b.js\"]\nflags: [onlyStrict, async]\n"
    b"negative:\n  phase: runtime\n  type: TypeError\nesid: x\n---*/\ntest();",
    b"/*---\nincludes:\n- a.js\n- 'b.js'\nnegative: {type: E, phase: parse}\n? |\n  k\n: &a [1, ~, yes, 0x10]\n---*/",
]
ROUTES = [b"/a/{x}/*.json\n/a/b/c/d.json", b"{a}-{b}.x\n/1-2-3.x", b"\\*{a}\n/\\*b", b"/a/\n/a/b.any.html", b"/f.js\n/f.js"]
CONFIGS = [
    b'{"ports": {"http": [8000, "auto"], "https": [null], "http-private": []}, "ssl": {"type": "none", "openssl": {"duration": 1}}}',
    b'{"browser_host": "a.test", "alternate_hosts": {"alt": "b.test"}, "aliases": [{"url-path": "/x/", "local-dir": "y"}]}',
    b'{"host": "h", "external_host": null, "bind_hostname": true, "log_level": "debug", "logging": {"level": "info"}}',
]


def plain(data: Iterator[bytes]) -> list[bytes]:
    return list(data)


def diced(data: Iterator[bytes]) -> list[bytes]:
    seeds = []
    for at, seed in enumerate(data):
        seeds.append(NO_DICE + seed)
        # The same with cuts.
        seeds.append((at * 2654435761 % 2**32).to_bytes(4, "little") + seed)
    return seeds


def chunked() -> Iterator[bytes]:
    yield from (body for head, body in requests() if b"chunked" in head.lower())
    yield b"3;a=b;c=\"d e\"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nNEXT"


def header_fields() -> Iterator[bytes]:
    for head, _ in requests():
        lines = [line.partition(b":") for line in head.split(b"\r\n")[1:] if b":" in line]
        yield b"\x32" + text(b"") + b"".join(text(name) + text(value.strip()) for name, _, value in lines)
    yield b"\x32" + text(b"OK") + text(b"server") + text(b"x") + text(b"DATE") + text(b"") + text(b"Content-Length") + text(b"7")


def scripts() -> Iterator[bytes]:
    yield from files("**/*.js")
    yield b"// META: title=a b\n//META:\tglobal=window,worker\n// META: script=/x.js\r\n// META: timeout=long\n\ntest();"


def all_seeds() -> dict[str, list[bytes]]:
    """The seeds of every target."""
    return {
        "head": diced(head for head, _ in requests()) + diced(head * 2 for head, _ in list(requests())[::20]),
        "chunks": diced(chunked()),
        "form": diced(forms()),
        "h2": diced(h2_sessions()),
        "hpack": plain(hpack()),
        "websocket": diced(websocket_frames()),
        "cookies": plain(fields(b"cookie")) + [b'a="b\\"c"; $Path=/; d=Mon, 01-Jan-2024 00:00:00 GMT; secure; path="\\141"'],
        "query": plain(queries()),
        "url": plain(targets()) + [b"http://u:p@[::1%25a]:8/a?b#c", b"//h:65536", b"http://[v1.a]/"],
        "pipes": diced(pipes()),
        "template": diced(templates()),
        "ranges": diced(fields(b"range")) + diced(iter([b"bytes=0-3,5-,-1"])),
        "header-files": plain(files("**/*.headers")),
        "frontmatter": plain(scripts()) + FRONTMATTER,
        "metadata": plain(scripts()),
        "inject": plain(html()),
        "docroot": plain(targets()) + [b"/g/x/a", b"/%2e%2e/a", b"/%2Fsrv/root"],
        "routes": ROUTES + [b"/\n" + target for target in list(targets())[::5]],
        "config": CONFIGS,
        "encoder": plain(header_fields()),
    }
