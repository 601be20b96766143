"""Finds what there is to request in a checkout, and makes the requests.

Handlers are found by reading, never by running: a file `*.py` whose module level defines, imports or assigns `main`.
A *group* is one handler's (or one script's) requests in order, sent one after the other, so that state they leave
behind is the same on both servers.
"""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import uuid
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

HOST = b"127.0.0.1:8000"
# The same rules as our survey of handlers: documentation, tools and the WebDriver tests are Python, but no handlers.
DEFAULT_EXCLUDES = ["docs/*", "tools/*", "webdriver/tests/*.py", "*_wsh.py", "*.h2.py", "*.quic.py"]
# webdriver/tests/ also holds the handlers of its own pages.
DEFAULT_KEEPS = ["webdriver/tests/support/*.py"]
# Stands in the values below for a UUID of the group's own: two groups must not meet in the stash.
UUID = b"2b0f3f6e-5d35-4a3c-9f1e-0c9f5e3a7d11"
SLOW = re.compile(rb"\bsleep\b|while True|while 1")


@dataclass
class Case:
    """One request. `name` is what the report calls it, `listener` the port of a whole `wpt serve` that it goes to."""

    name: str
    raw: bytes
    half_close: bool = False
    listener: str = "http"


@dataclass
class Group:
    """Requests that are sent in order, on one connection each."""

    name: str
    cases: list[Case]
    slow: bool = False


@dataclass
class Selection:
    """The files of a checkout that are handlers, and the others that were looked at."""

    handlers: list[Path] = field(default_factory=list)
    other_python: list[Path] = field(default_factory=list)
    excluded: list[Path] = field(default_factory=list)
    static: list[Path] = field(default_factory=list)


def assigns_main(source: bytes) -> bool | None:
    """Whether the module level names `main`; None when the file does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == "main":
            return True
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "main" for target in targets):
                return True
        if isinstance(node, (ast.Import, ast.ImportFrom)) and any((name.asname or name.name) == "main"
                                                                  for name in node.names):
            return True
    return False


def takes_two(source: bytes) -> bool:
    """Build tools have a main() as well: a handler's takes two arguments, or cannot be seen (assigned, imported)."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    if not functions:
        return True
    arguments = functions[-1].args
    return len(arguments.posonlyargs) + len(arguments.args) == 2 or arguments.vararg is not None


def select(root: Path, excludes: list[str], includes: list[str]) -> Selection:
    """Walks the checkout; files that cannot be read (a sparse checkout, a broken link) are passed over."""
    found = Selection()
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in (".git", "__pycache__", "node_modules"))
        for name in sorted(files):
            path = Path(directory, name).relative_to(root)
            text = str(path)
            if includes and not any(fnmatch.fnmatch(text, glob) for glob in includes):
                continue
            if not name.endswith(".py"):
                found.static.append(path)
                continue
            kept = any(fnmatch.fnmatch(text, glob) for glob in DEFAULT_KEEPS)
            if not kept and any(fnmatch.fnmatch(text, glob) for glob in excludes):
                found.excluded.append(path)
                continue
            try:
                source = (root / path).read_bytes()
            except OSError:
                continue
            is_handler = assigns_main(source) and takes_two(source)
            (found.handlers if is_handler else found.other_python).append(path)
    return found


def request(method: str, target: str, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"",
            version: str = "HTTP/1.1") -> bytes:
    """One request's bytes."""
    lines = [b"%s %s %s" % (method.encode(), target.encode("latin-1"), version.encode()), b"Host: " + HOST]
    lines += [b"%s: %s" % header for header in headers or []]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def url_of(path: Path) -> str:
    return "/" + quote(str(path), safe="/")


# --- the generated set -----------------------------------------------------------------------------------------------

BY_NAME = [
    (re.compile(rb"^(key|uuid|id|token|nonce|stash|ref|\w*_?id)$", re.I), UUID),
    (re.compile(rb"status|code", re.I), b"203"),
    (re.compile(rb"delay|sleep|seconds|ms|time|wait", re.I), b"0.05"),
    (re.compile(rb"count|num|length|size|max|repeat", re.I), b"3"),
    (re.compile(rb"location|url|redirect|target|dest", re.I), b"/files/text.txt"),
    (re.compile(rb"type|mime", re.I), b"text/html"),
    (re.compile(rb"charset|encoding", re.I), b"utf-8"),
    (re.compile(rb"origin", re.I), b"http://example.test"),
]


def mined_parameters(source: bytes) -> dict[bytes, bytes]:
    """The query names a handler reads, each with a value that probably suits it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    numbers = {id(node) for call in ast.walk(tree) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
               and call.func.id in ("int", "float") for node in ast.walk(call)}
    names: dict[bytes, bytes] = {}

    def note(node: ast.AST, where: ast.AST) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, (bytes, str)):
            name = node.value if isinstance(node.value, bytes) else node.value.encode()
            names.setdefault(name, _value_for(name, id(where) in numbers))

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr in ("first", "get_list", "last"):
                note(node.args[0], node)
        elif isinstance(node, ast.Subscript) and _is_query(node.value):
            note(node.slice, node)
        elif isinstance(node, ast.Compare) and len(node.comparators) == 1 and _is_query(node.comparators[0]):
            note(node.left, node)
    return names


def _is_query(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in ("GET", "POST")) or (
        isinstance(node, ast.Name) and node.id in ("query", "params", "GET", "POST"))


def _value_for(name: bytes, number: bool) -> bytes:
    for pattern, value in BY_NAME:
        if pattern.search(name):
            return b"2" if number and not re.fullmatch(rb"[\d.]+", value) else value
    return b"2" if number else b"value"


PECULIAR = [
    (b"Accept", b"*/*"), (b"X-Many", b"1"), (b"x-many", b"  2  "), (b"X-MANY", b""), (b"X-Latin", b"caf\xe9"),
    (b"Cookie", b'a=1; b="two words"; a=3; demo=old'), (b"Origin", b"http://example.test"),
    (b"Authorization", b"Basic dXNlcjpwYXNz"), (b"Referer", b"http://example.test/from"),
    (b"Access-Control-Request-Headers", b"x-one, x-two"), (b"Range", b"bytes=2-5"),
]


def handler_cases(path: Path, source: bytes, rich: bool) -> list[Case]:
    """The bare GET alone, or the whole set."""
    url = url_of(path)
    cases = [Case("GET", request("GET", url))]
    if not rich:
        return cases
    own = str(uuid.uuid5(uuid.NAMESPACE_URL, str(path))).encode()
    parameters = {name: own if value == UUID else value for name, value in mined_parameters(source).items()}
    query = "&".join("%s=%s" % (quote(name), quote(value, safe="/")) for name, value in parameters.items())
    target = url + "?" + query if query else url
    if query:
        cases.append(Case("GET ?" + query, request("GET", target)))
        doubled = target + "&" + query.replace("=", "=x", 1) + "&odd=%e9+%00;&=&a&b="
        cases.append(Case("GET duplicated", request("GET", doubled)))
    form = (query or "a=1&b=two+words&a=%e9").encode()
    kind = [(b"Content-Type", b"application/x-www-form-urlencoded")]
    cases.append(Case("HEAD", request("HEAD", target)))
    cases.append(Case("POST form", request("POST", target, kind, form)))
    parts = [(b"Content-Type", b"multipart/form-data; boundary=cut")]
    cases.append(Case("POST multipart", request("POST", target, parts, MULTIPART)))
    cases.append(Case("OPTIONS", request("OPTIONS", target, [(b"Origin", b"http://example.test")])))
    cases.append(Case("PATCH of its own", request("PaTcH", target, None, b"patch\n")))
    cases.append(Case("GET with peculiar headers", request("GET", target, PECULIAR)))
    cases.append(Case("GET HTTP/1.0", request("GET", target, version="HTTP/1.0")))
    keep_alive = [(b"Connection", b"keep-alive")]
    cases.append(Case("GET keep-alive 1.0", request("GET", target, keep_alive, version="HTTP/1.0")))
    cases.append(Case("GET close", request("GET", target, [(b"Connection", b"close")])))
    return cases


MULTIPART = (b'--cut\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue \xe9\r\n'
             b'--cut\r\nContent-Disposition: form-data; name="file"; filename="name.txt"\r\n'
             b'Content-Type: text/plain\r\n\r\nline one\r\nline two\r\n--cut--\r\n')


def handler_groups(root: Path, paths: list[Path], rich: bool) -> list[Group]:
    groups = []
    for path in paths:
        source = (root / path).read_bytes()
        groups.append(Group(str(path), handler_cases(path, source, rich), bool(SLOW.search(source))))
    return groups


def static_groups(root: Path, paths: list[Path]) -> list[Group]:
    """Every other file, and the listing of every directory, with and without its slash."""
    groups = []
    for path in paths:
        url = url_of(path)
        cases = [Case("GET", request("GET", url)), Case("HEAD", request("HEAD", url)),
                 Case("POST", request("POST", url, None, b"x=1"))]
        cases += [Case("GET " + spec, request("GET", url, [(b"Range", spec.encode())]))
                  for spec in ("bytes=0-3", "bytes=2-", "bytes=-3", "bytes=99999-", "bytes=3-1", "lines=1-2")]
        groups.append(Group(str(path), cases))
    directories = sorted({parent for path in paths for parent in path.parents})
    for directory in directories:
        url = "/" if str(directory) == "." else url_of(directory) + "/"
        cases = [Case("GET", request("GET", url)), Case("HEAD", request("HEAD", url))]
        if url != "/":
            cases.append(Case("GET without its slash", request("GET", url[:-1])))
            cases.append(Case("GET without its slash, with a query", request("GET", url[:-1] + "?a=b")))
        groups.append(Group(str(directory) + "/", cases))
    return groups
