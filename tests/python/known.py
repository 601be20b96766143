"""How two results differ, and which differences are known (known.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# From the worst to the least.
STOPPED, VALUE, RAISED, CLASS, TEXT = "stopped", "value", "raised", "class", "text"
KINDS = [STOPPED, VALUE, RAISED, CLASS, TEXT]


def difference(reference: str, ours: str) -> str | None:
    """None when the results are equal, else the kind.

    stopped: our server ended or never answered. value: both have a value. raised: only one raises. class: both raise,
    exceptions of different classes. text: the same class with different messages.
    """
    if reference == ours:
        return None
    if ours.startswith("stopped "):
        return STOPPED
    one, other = reference.split(" ", 2), ours.split(" ", 2)
    if one[0] != other[0]:
        return RAISED
    if one[0] == "ok":
        return VALUE
    return CLASS if one[1] != other[1] else TEXT


@dataclass(frozen=True)
class Known:
    """An entry of known.toml. Every pattern that it has must be found for it to explain a difference.

    The exception is `equal_without`: what it finds is taken out of both results, and the rest must be equal.
    """

    reason: str
    kinds: frozenset[str]
    domains: frozenset[str]
    program: re.Pattern[str]
    reference: re.Pattern[str]
    ours: re.Pattern[str]
    equal_without: re.Pattern[str] | None
    examples: tuple[str, ...]

    def explains(self, kind: str, domain: str, program: str, reference: str, ours: str) -> bool:
        if kind not in self.kinds or self.domains and domain not in self.domains:
            return False
        if not (self.program.search(program) and self.reference.search(reference) and self.ours.search(ours)):
            return False
        without = self.equal_without
        return not without or without.sub("", reference) == without.sub("", ours)


def made_with(path: Path = HERE / "known.toml") -> str:
    """The version of CPython that the known differences were found with."""
    return tomllib.loads(path.read_text(encoding="ascii"))["version"]


def load(path: Path = HERE / "known.toml") -> list[Known]:
    """The known differences, in their order: the first that explains a difference is its reason."""
    entries = tomllib.loads(path.read_text(encoding="ascii")).get("known", [])
    allowed = {"reason", "kinds", "domains", "program", "reference", "ours", "equal_without", "examples"}
    for entry in entries:
        if set(entry) - allowed or not entry.get("reason") or not entry.get("examples") or not set(entry["kinds"]) <= set(KINDS):
            raise SystemExit("%s: an entry needs reason, kinds and examples, and may have %s: %r"
                             % (path, ", ".join(sorted(allowed)), entry))
    return [Known(entry["reason"], frozenset(entry["kinds"]), frozenset(entry.get("domains", [])),
                  *(re.compile(entry.get(part, ""), re.DOTALL) for part in ("program", "reference", "ours")),
                  re.compile(entry["equal_without"]) if "equal_without" in entry else None, tuple(entry["examples"])) for entry in entries]


def pinned(folder: Path = HERE / "corpus") -> list[tuple[str, str]]:
    """The programs that must be equal for ever, with their domains: paragraphs of corpus/DOMAIN.txt without `#` lines."""
    programs = []
    for path in sorted(folder.glob("*.txt")):
        for paragraph in path.read_text(encoding="ascii").split("\n\n"):
            lines = [line for line in paragraph.strip("\n").split("\n") if not line.startswith("#")]
            if any(lines):
                programs.append((path.stem, "\n".join(lines)))
    return programs
