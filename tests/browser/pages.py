"""Finds the test pages of a WPT checkout: HTML files that load testharness.js, and what `wpt serve` wraps around scripts.

It reads names and META lines, as the checkout's own manifest tool does, but only as far as a browser without
testdriver automation can run the pages by itself.
"""

from __future__ import annotations

import fnmatch
import os
import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

DIRECTORIES = ["fetch", "xhr", "cors", "cookies", "html", "service-workers", "workers", "dom"]
NO_TESTS = {"resources", "support", "tools", "reference", "crashtests", "handlers", "print", "shadowrealm"}
HARNESS = re.compile(rb"""<(?:h:)?script[^>]*src=["']?/resources/testharness\.js""")
VARIANT = re.compile(rb"""<meta\s+name=["']?variant["']?\s+content=(?:"([^"]*)"|'([^']*)')""")
META = re.compile(rb"^// META: *(\w+)=([^\r\n]*)", re.MULTILINE)
# What a page of its own has for each `global`: the ending, and whether it needs a secure context.
GLOBALS = {
    "window": (".any.html", False), "window-module": (".any.window-module.html", False),
    "dedicatedworker": (".any.worker.html", False), "dedicatedworker-module": (".any.worker-module.html", False),
    "sharedworker": (".any.sharedworker.html", False), "sharedworker-module": (".any.sharedworker-module.html", False),
    "serviceworker": (".any.serviceworker.html", True), "serviceworker-module": (".any.serviceworker-module.html", True),
}
SHORT = {"worker": ["dedicatedworker", "sharedworker", "serviceworker"]}


@dataclass(frozen=True)
class Page:
    """A page: its path with query, and the listener of `wpt serve` and host name it is made for."""

    path: str
    listener: str
    host: str

    def url(self, ports: dict[str, int]) -> str:
        scheme = "http" if self.listener == "http" else "https"
        return "%s://%s:%d%s" % (scheme, self.host, ports[self.listener], self.path)

    @property
    def name(self) -> str:
        return "%s %s" % (self.listener, self.path)


def find(root: Path, directories: list[str], pattern: str | None) -> list[Page]:
    """All pages below these directories whose path fits the glob, in order."""
    pages: list[Page] = []
    for directory in directories:
        for where, names, files in os.walk(root / directory):
            names[:] = sorted(name for name in names if name not in NO_TESTS)
            for file in sorted(files):
                path = (Path(where) / file).relative_to(root).as_posix()
                pages += _pages_of(root, path)
    return [page for page in pages if not pattern or fnmatch.fnmatchcase(page.path, pattern)]


def _pages_of(root: Path, path: str) -> list[Page]:
    name = path.rpartition("/")[2]
    if "-manual." in name or "-ref." in name:
        return []
    if name.endswith((".html", ".htm", ".xhtml", ".xht", ".svg")):
        return _document_pages(root, path)
    for kind in ("any", "window", "worker"):
        if name.endswith(".%s.js" % kind):
            return _script_pages(root, path, kind)
    return []


def _document_pages(root: Path, path: str) -> list[Page]:
    source = (root / path).read_bytes()
    if not HARNESS.search(source) or b"testdriver" in source:
        return []
    variants = [(one or two).decode("latin-1") for one, two in VARIANT.findall(source)] or [""]
    return [_page("/" + path + variant, path, False) for variant in variants]


def _script_pages(root: Path, path: str, kind: str) -> list[Page]:
    source = (root / path).read_bytes()
    meta = [(key.decode(), value.decode("latin-1").strip()) for key, value in META.findall(source)]
    if b"testdriver" in source:
        return []
    variants = [value for key, value in meta if key == "variant"] or [""]
    if kind != "any":
        endings = [("." + kind + ".html", False)]
    else:
        wanted = [value.strip() for key, values in meta if key == "global" for value in values.split(",")]
        wanted = [part for value in wanted or ["window", "dedicatedworker"] for part in SHORT.get(value, [value])]
        endings = [GLOBALS[value] for value in wanted if value in GLOBALS]
    stem = path.removesuffix(".%s.js" % kind)
    return [_page("/" + stem + ending + variant, path, secure) for ending, secure in endings for variant in variants]


def _page(path: str, file: str, secure: bool) -> Page:
    flags = file.rpartition("/")[2].split(".")[1:]
    flags += re.findall(r"[?&]wpt_flags=(\w+)", path)
    listener = "h2" if "h2" in flags else "https" if "https" in flags or secure else "http"
    return Page(path, listener, "www.web-platform.test" if "www" in flags else "web-platform.test")


def over_https(pages: list[Page], count: int) -> list[Page]:
    """Some of the pages that are made for plain HTTP, as pages of the encrypted port."""
    plain = [page for page in pages if page.listener == "http"]
    step = max(1, len(plain) // count) if count else 0
    return [replace(page, listener="https") for page in plain[::step][:count]] if step else []


def sample(pages: list[Page], count: int, seed: int) -> list[Page]:
    """`count` pages, the same number from each top directory and, within it, from each listener and kind of page."""
    generator = random.Random(seed)
    queues: dict[str, dict[tuple, list[Page]]] = {}
    for page in pages:
        top = page.path.split("/")[1]
        ending = re.sub(r"\?.*", "", page.path).rpartition("/")[2].split(".")[1:]
        kind = ".".join(part for part in ending if part in ("any", "window", "worker", "serviceworker", "sharedworker"))
        queues.setdefault(top, {}).setdefault((page.listener, kind), []).append(page)
    for kinds in queues.values():
        for queue in kinds.values():
            generator.shuffle(queue)
    chosen: list[Page] = []
    while len(chosen) < count and any(queue for kinds in queues.values() for queue in kinds.values()):
        for kinds in queues.values():
            # The kinds of a directory take turns, the bigger ones more often.
            full = [kind for kind, queue in kinds.items() if queue]
            if full and len(chosen) < count:
                weights = [len(kinds[kind]) ** 0.5 for kind in full]
                chosen.append(kinds[generator.choices(full, weights)[0]].pop())
    return chosen
