"""Checks licences and sources of all dependencies against deny.toml, for machines without cargo-deny.

It does what `cargo deny check licenses sources` does with the same file, as far as that file goes: every package must
come from crates.io, and its licence expression must hold with the accepted licences alone (and the package's own
exceptions). It reads no licence texts and knows no advisories.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def holds(expression: str, accepted: set[str]) -> bool:
    """Whether an SPDX expression is true when the accepted licences are; `/` is the old way to write OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either() -> bool:
        result = both()
        while tokens and tokens[0].upper() == "OR":
            tokens.pop(0)
            result = both() or result
        return result

    def both() -> bool:
        result = one()
        while tokens and tokens[0].upper() == "AND":
            tokens.pop(0)
            result = one() and result
        return result

    def one() -> bool:
        token = tokens.pop(0)
        if token == "(":
            result = either()
            tokens.pop(0)
            return result
        if tokens and tokens[0].upper() == "WITH":
            tokens.pop(0)
            token += " WITH " + tokens.pop(0)
        return token in accepted

    return either()


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]
    exceptions = {entry.get("crate") or entry["name"]: set(entry["allow"]) for entry in rules.get("exceptions", [])}
    # A licence that stands in a file only: deny.toml says which it is.
    clarified = {entry["crate"]: entry["expression"] for entry in rules.get("clarify", [])}
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
    packages = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    failed = 0
    for package in packages:
        if package["source"] is None:
            continue
        name = "%s %s" % (package["name"], package["version"])
        licence = package["license"] or clarified.get(package["name"])
        accepted = set(rules["allow"]) | exceptions.get(package["name"], set())
        if package["source"] != CRATES_IO:
            print("FAIL %s comes from %s" % (name, package["source"]))
            failed += 1
        elif not licence:
            print("FAIL %s names no licence" % name)
            failed += 1
        elif not holds(licence, accepted):
            print("FAIL %s: the licence %s is not accepted in deny.toml" % (name, licence))
            failed += 1
    foreign = sum(package["source"] is not None for package in packages)
    print("%d passed, %d failed" % (foreign - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
