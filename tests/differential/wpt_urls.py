"""Draws requests from a full WPT checkout: a sample of everything that `wpt serve` serves in a way of its own.

The same seed draws the same requests from the same checkout. A drawn request is a group of its own, named
`KIND: METHOD URL ...`; the kinds are the functions of the table at the end, each with its share.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import wpt_oddities
from cases import SLOW, Case, Group, assigns_main, takes_two, url_of
from wpt_oddities import ALIASES, META, PIPES, RANGES, WRAPPER_SUFFIXES

HOST_NAMES = ["web-platform.test", "www1.web-platform.test", "www.www2.not-web-platform.test", "localhost", "127.0.0.1",
              "xn--n8j6ds53lwwkrqhv28a.web-platform.test", "WEB-PLATFORM.test", "example.org"]
TEXT = {".html", ".htm", ".js", ".css", ".txt", ".xml", ".svg", ".xhtml", ".xht", ".json", ".vtt", ".mjs"}
# Bigger files are cut by the byte cap of the comparison and only cost time.
LARGEST = 2_000_000
MINED_PIPE = re.compile(r"""["'`]([\w./~+-]+\?[^"'`\s<>$\\]*pipe=[^"'`\s<>$\\]*)["'`]""")
# Writes MANIFEST.json into the checkout.
NEVER = {"tools/runner/update_manifest.py"}
REFUSED = re.compile(r"^(\.git|__pycache__|node_modules|_venv.*)$")


@dataclass
class Drawn:
    """One request before it has a listener."""

    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    version: str = "HTTP/1.1"
    host: str | None = "web-platform.test"
    listener: str = "http"

    def case(self, ports: dict[str, int]) -> Case:
        port = ports[self.listener]
        lines = ["%s %s%s" % (self.method, self.url, " " + self.version if self.version else "")]
        if self.host is not None:
            lines.append("Host: %s:%d" % (self.host, port))
        lines += ["%s: %s" % header for header in self.headers]
        if self.body:
            lines.append("Content-Length: %d" % len(self.body))
        raw = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body
        told = [self.method, self.url] + ["[%s: %s]" % header for header in self.headers]
        if self.host != "web-platform.test":
            told.append("[Host: %s]" % self.host)
        if self.version != "HTTP/1.1":
            told.append("[%s]" % (self.version or "no version"))
        if self.listener != "http":
            told.append("[%s]" % self.listener)
        return Case(" ".join(told), raw, listener=self.listener)


class Sampler:
    """The files of a checkout, and a random generator that every kind gets afresh."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.seed = seed
        self.random = random.Random(seed)
        everything = sorted(self._walk(root, ""))
        # Nothing below a directory `tools` is served: a kind of its own, not a tenth of every other one.
        self.forbidden = [file for file in everything if re.match(r"([^/]+/)?tools/", file)]
        self.files = sorted(set(everything) - set(self.forbidden))
        self.known = set(self.files)
        self.directories = sorted({parent for file in self.files for parent in _parents(file)})
        self.text = [file for file in self.files if Path(file).suffix in TEXT and self._small(file)]
        self.static = [file for file in self.files if not file.endswith((".py", ".asis")) and self._small(file)]

    def _walk(self, root: Path, below: str) -> Iterator[str]:
        for entry in root.iterdir():
            if REFUSED.match(entry.name):
                continue
            name = below + entry.name
            if entry.is_dir() and not entry.is_symlink():
                yield from self._walk(entry, name + "/")
            elif entry.is_file() and name not in NEVER:
                yield name

    def _small(self, file: str) -> bool:
        return (self.root / file).stat().st_size <= LARGEST

    def some(self, things: list, count: int) -> list:
        return self.random.sample(things, min(count, len(things)))

    def named(self, pattern: str) -> list[str]:
        return [file for file in self.files if re.search(pattern, file)]

    def read(self, file: str) -> str:
        return (self.root / file).read_bytes().decode("latin-1")

    def start(self, kind: str) -> None:
        """A kind draws the same whatever the others draw."""
        self.random = random.Random("%d %s" % (self.seed, kind))


def _parents(file: str) -> list[str]:
    parts = file.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def url(file: str) -> str:
    return url_of(Path(file))


def static(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """Some files of each extension, and others as they come; now and then by HEAD."""
    by_extension: dict[str, list[str]] = {}
    for file in sampler.static:
        by_extension.setdefault(Path(file).suffix.lower(), []).append(file)
    for extension in sorted(by_extension):
        for file in sampler.some(by_extension[extension], 3):
            yield Drawn("GET", url(file))
    for number, file in enumerate(sampler.some(sampler.static, share)):
        yield Drawn("HEAD" if number % 4 == 0 else "GET", url(file) + ("?a=b" if number % 5 == 0 else ""))


def listings(sampler: Sampler, share: int) -> Iterator[Drawn]:
    for number, directory in enumerate(sampler.some(sampler.directories, share)):
        path = url(directory)
        yield Drawn("HEAD" if number % 6 == 0 else "GET", path + "/" + ("?x" if number % 5 == 0 else ""))
        if number % 3 == 0:
            yield Drawn("GET", path + ("?x=y" if number % 2 else ""))


def any_wrappers(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """Every wrapper of a file, those that its `global` forbids included; files chosen so that their META lines vary."""
    by_meta: dict[tuple, list[str]] = {}
    for file in sampler.named(r"\.any\.js$"):
        lines = META.findall(sampler.read(file))
        wanted = [value for key, value in lines if key == "global"]
        keys = tuple(sorted({key for key, _ in lines} - {"global"}))
        by_meta.setdefault((tuple(wanted), keys, ".sub." in file, ".https." in file), []).append(file)
    chosen = [sampler.random.choice(by_meta[meta]) for meta in sorted(by_meta)]
    chosen = sampler.some(chosen, share)
    for file in chosen:
        for suffix in WRAPPER_SUFFIXES:
            yield Drawn("GET", url(file.removesuffix(".any.js") + suffix))


def wrapper_variants(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """Wrappers with queries (META variant), pipes, HEAD, ranges, other methods and names that are none."""
    files = sampler.named(r"\.any\.js$")
    for number, file in enumerate(sampler.some(files, share)):
        stem = url(file.removesuffix(".any.js"))
        suffix = sampler.random.choice(WRAPPER_SUFFIXES)
        variants = [value for key, value in META.findall(sampler.read(file)) if key == "variant"]
        yield Drawn("GET", stem + ".any.html" + (variants[0] if variants else "?wss&a=%22%3C"))
        if variants:
            yield Drawn("GET", stem + ".any.worker.html" + variants[-1])
        yield Drawn(["HEAD", "POST", "OPTIONS"][number % 3], stem + suffix)
        yield Drawn("GET", stem + suffix + "?pipe=" + sampler.random.choice(PIPES))
        yield Drawn("GET", stem + "-is-not-there" + suffix)
        yield Drawn("GET", stem + ".any.html", [("Range", sampler.random.choice(RANGES))])
        yield Drawn("GET", stem + suffix.replace(".any", "%2eany", 1))
    for file in sampler.some(sampler.named(r"\.any\.js(\.sub)?\.headers$"), 40):
        stem = url(re.sub(r"\.any\.js(\.sub)?\.headers$", "", file))
        yield Drawn("GET", stem + ".any.html")
        yield Drawn("GET", stem + ".any.worker.js")


def other_wrappers(sampler: Sampler, share: int) -> Iterator[Drawn]:
    for ending, wrapped in ((".window.js", [".window.html", ".any.html"]),
                            (".worker.js", [".worker.html", ".worker-module.html", ".any.worker.html"]),
                            (".extension.js", [".extension.html"])):
        for number, file in enumerate(sampler.some(sampler.named(re.escape(ending) + "$"), share)):
            stem = url(file.removesuffix(ending))
            variants = [value for key, value in META.findall(sampler.read(file)) if key == "variant"]
            for suffix in wrapped:
                yield Drawn("HEAD" if number % 7 == 6 else "GET", stem + suffix + (variants[0] if variants else ""))
            if number % 4 == 0:
                yield Drawn("GET", stem + wrapped[0] + "?pipe=sub&x={{host}}")
                yield Drawn("GET", stem + "-is-not-there" + wrapped[0])
    for file in sampler.some(sampler.named(r"\.(window|worker)\.js(\.sub)?\.headers$"), share):
        yield Drawn("GET", url(re.sub(r"\.js(\.sub)?\.headers$", ".html", file)))


def as_is(sampler: Sampler, _share: int) -> Iterator[Drawn]:
    for file in sampler.named(r"\.asis$"):
        yield Drawn("GET", url(file))
        yield Drawn("HEAD", url(file))
        yield Drawn("POST", url(file), body=b"x")
        yield Drawn("GET", url(file) + "?pipe=" + sampler.random.choice(PIPES))


def sidecars(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """Files with a sidecar, files below a `__dir__` sidecar, and sidecars themselves."""
    beside = [file.removesuffix(".headers").removesuffix(".sub") for file in sampler.named(r"\.headers$")]
    for number, file in enumerate(sampler.some([file for file in beside if file in sampler.known], share)):
        yield Drawn("HEAD" if number % 9 == 0 else "GET", url(file))
    for file in sampler.some(sampler.named(r"\.sub\.headers$"), share):
        yield Drawn("GET", url(file.removesuffix(".sub.headers")) + "?x=1&id=a", host=sampler.random.choice(HOST_NAMES))
    for file in sampler.named(r"__dir__(\.sub)?\.headers$"):
        directory = file.rpartition("/")[0]
        for other in sampler.some([one for one in sampler.files if one.rpartition("/")[0] == directory], 4):
            yield Drawn("GET", url(other))
        yield Drawn("GET", url(directory) + "/")
    for file in sampler.some(sampler.named(r"\.headers$"), 10):
        yield Drawn("GET", url(file))


def substituted(sampler: Sampler, share: int) -> Iterator[Drawn]:
    for number, file in enumerate(sampler.some(sampler.named(r"\.sub\.[^/]*$"), share)):
        headers = [("Origin", "http://example.org"), ("X-Test", "a b")] if number % 3 == 0 else []
        query = "?a=1&b=%3Cx%3E&id=5" if number % 2 else ""
        yield Drawn("HEAD" if number % 10 == 9 else "GET", url(file) + query, headers,
                    host=sampler.random.choice(HOST_NAMES))
        if number % 8 == 0:
            yield Drawn("GET", url(file) + "?pipe=" + sampler.random.choice(PIPES))
        if number % 8 == 4:
            yield Drawn("GET", url(file), version="HTTP/1.0", host=None)


def piped(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """Each pipe at least once, on files of all sizes."""
    for number, file in enumerate(sampler.some(sampler.text, share)):
        pipe = PIPES[number % len(PIPES)]
        yield Drawn("HEAD" if number % 11 == 10 else "GET", "%s?pipe=%s" % (url(file), pipe))
    for number, file in enumerate(sampler.some(sampler.static, share // 4)):
        yield Drawn("GET", "%s?x=y&pipe=%s" % (url(file), PIPES[number * 7 % len(PIPES)]),
                    [("Range", RANGES[number % len(RANGES)])] if number % 3 == 0 else [])


def mined_pipes(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """What the tests themselves ask for, wherever it is written out."""
    found: set[str] = set()
    for file in sampler.text:
        for target in MINED_PIPE.findall(sampler.read(file)):
            path = target.split("?")[0]
            base = "" if path.startswith("/") else file.rpartition("/")[0]
            plain = _normal(base + "/" + path)
            if plain in sampler.known:
                found.add(url(plain) + "?" + target.split("?", 1)[1].replace("&amp;", "&"))
    slow = [target for target in sorted(found) if re.search(r"d[2-9]|d\d\d|r\d*\)", target)]
    quick = sorted(found - set(slow))
    for target in sampler.some(quick, share) + sampler.some(slow, 6):
        yield Drawn("GET", target)


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def ranges(sampler: Sampler, share: int) -> Iterator[Drawn]:
    for number, file in enumerate(sampler.some(sampler.static, share)):
        method = "HEAD" if number % 9 == 8 else "GET"
        yield Drawn(method, url(file), [("Range", RANGES[number % len(RANGES)])])


def methods(sampler: Sampler, share: int) -> Iterator[Drawn]:
    names = ["POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "Head", "X-OWN", "HEAD"]
    for number, file in enumerate(sampler.some(sampler.static, share)):
        method = names[number % len(names)]
        body = b"a=b" if method in ("POST", "PUT", "PATCH") else b""
        yield Drawn(method, url(file), [("Origin", "http://example.org")] if number % 2 else [], body)
    for directory in sampler.some(sampler.directories, share // 4):
        yield Drawn(sampler.random.choice(names), url(directory) + "/")


def well_known(sampler: Sampler, _share: int) -> Iterator[Drawn]:
    for file in sampler.named(r"^\.well-known/"):
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            yield Drawn(method, url(file), body=b"{}" if method == "POST" else b"")
    for directory in [one for one in sampler.directories if one.startswith(".well-known")] + [".well-known"]:
        yield Drawn("GET", url(directory) + "/")
        yield Drawn("GET", url(directory))


def handlers(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """A few Python handlers as well, because here they run in the server that everyone uses."""
    found = []
    for file in sampler.named(r"\.py$"):
        if file.startswith(("tools/", "webdriver/", "docs/")) or file.endswith(("_wsh.py", ".h2.py")):
            continue
        source = (sampler.root / file).read_bytes()
        if assigns_main(source) and takes_two(source) and not SLOW.search(source):
            found.append(file)
    for number, file in enumerate(sampler.some(found, share)):
        yield Drawn(["GET", "GET", "POST", "HEAD"][number % 4], url(file) + ("?pipe=sub" if number % 9 == 0 else ""))


def other_listeners(sampler: Sampler, share: int) -> Iterator[Drawn]:
    """The second and the special ports; and plain HTTP on the WebSocket ports, where clients ask whether they are up."""
    for listener in ("http 2", "http-local", "http-public", "https 2", "https-local", "https-public"):
        for file in sampler.some(sampler.named(r"\.sub\.[^/]*$"), share):
            yield Drawn("GET", url(file), listener=listener)
        yield Drawn("GET", "/", listener=listener)
    for listener in ("ws", "wss"):
        for method, target in wpt_oddities.WEBSOCKET_PORT:
            yield Drawn(method, target, listener=listener)


def forbidden(sampler: Sampler, share: int) -> Iterator[Drawn]:
    for file in sampler.some(sampler.forbidden, share) + sampler.some(
            [file for file in sampler.forbidden if file.startswith("tools/runner/")], share):
        yield Drawn("GET", url(file))


def written(requests: list[tuple]) -> Callable[[Sampler, int], Iterator[Drawn]]:
    """The hand-written requests of wpt_oddities: as many as there are."""
    def draw(_sampler: Sampler, _share: int) -> Iterator[Drawn]:
        for method, target, *rest in requests:
            yield Drawn(method, target, **(rest[0] if rest else {}))
    return draw


# Their answers depend on the requests before: one group, asked in order.
IN_ORDER = {"well-known"}
# Kind, function, and its share of a run that asks for 1000.
KINDS: list[tuple[str, Callable[[Sampler, int], Iterator[Drawn]], int]] = [
    ("static", static, 75), ("listing", listings, 35), ("any", any_wrappers, 14), ("any variant", wrapper_variants, 12),
    ("wrapper", other_wrappers, 12), ("asis", as_is, 0), ("sidecar", sidecars, 28), ("sub", substituted, 55),
    ("pipe", piped, 60), ("mined pipe", mined_pipes, 50), ("range", ranges, 35), ("method", methods, 22),
    ("well-known", well_known, 0), ("handler", handlers, 30), ("listener", other_listeners, 4),
    ("forbidden", forbidden, 5),
    ("route", written(wpt_oddities.ROUTES), 0), ("alias", written(wpt_oddities.alias_requests()), 0),
    ("odd path", written(wpt_oddities.PATHS), 0),
]


def aliases(root: Path) -> list[dict[str, str]]:
    """The configuration's `aliases` that the requests of kind `alias` are about."""
    return [{"url-path": path, "local-dir": str(root / directory)} for path, directory in ALIASES]


def draw(root: Path, seed: int, total: int, encrypted: int, ports: dict[str, int]) -> list[Group]:
    """About `total` requests over plain HTTP, and of these `encrypted` once more over TLS."""
    sampler = Sampler(root, seed)
    groups: dict[str, Group] = {}
    plain: list[tuple[str, Drawn]] = []

    def add(kind: str, drawn: Drawn) -> bool:
        case = drawn.case(ports)
        if kind in IN_ORDER:
            groups.setdefault(kind, Group(kind, [])).cases.append(case)
            return True
        name = "%s: %s" % (kind, case.name)
        case.name = drawn.listener
        return groups.setdefault(name, group := Group(name, [case], "trickle" in drawn.url)) is group

    for kind, function, share in KINDS:
        sampler.start(kind)
        for drawn in function(sampler, share * total // 1000):
            if add(kind, drawn) and drawn.listener == "http" and kind not in IN_ORDER:
                plain.append((kind, drawn))
    sampler.start("encrypted")
    for kind, drawn in sampler.some(plain, encrypted):
        add(kind, replace(drawn, listener="https"))
    return list(groups.values())
