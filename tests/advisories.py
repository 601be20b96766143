"""Looks for known vulnerabilities of the dependencies, and whether those that deny.toml excuses still are in them.

With cargo-deny and its database this is `cargo deny check advisories`. Where one of them cannot be had, a line that begins with
SKIPPED says so, and `make test` repeats it at its end. An excuse in deny.toml has a reason of the form `CRATE before VERSION: why`;
it has to go as soon as Cargo.lock has that version, which needs neither.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REASON = re.compile(r"(?P<crate>[\w-]+) before (?P<version>\d+(?:\.\d+)*): \S")


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.split("-")[0].split("+")[0])]


def excuses(rules: dict, lock: dict) -> list[str]:
    """What is wrong with the excuses."""
    locked: dict[str, list[str]] = {}
    for package in lock["package"]:
        locked.setdefault(package["name"], []).append(package["version"])
    wrong = []
    for entry in rules["advisories"].get("ignore", []):
        found = REASON.match(entry.get("reason", ""))
        if not found:
            wrong.append(f"{entry['id']} has no reason of the form `CRATE before VERSION: why`")
            continue
        old = [at for at in locked.get(found["crate"], []) if numbers(at) < numbers(found["version"])]
        if not old:
            wrong.append(f"{entry['id']} is excused for nothing: no {found['crate']} before {found['version']} is used")
    return wrong


def look_up() -> bool | None:
    """Asks the database; None if that cannot be done, after saying why."""
    if not shutil.which("cargo-deny"):
        print("SKIPPED, known vulnerabilities were not looked up: cargo-deny is missing (cargo install cargo-deny --locked)")
        return None
    try:
        fetched = subprocess.run(["cargo", "deny", "fetch", "db"], cwd=ROOT, timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        fetched = False
    if not fetched:
        print("SKIPPED, known vulnerabilities were not looked up: their database cannot be fetched")
        return None
    return subprocess.run(["cargo", "deny", "check", "advisories"], cwd=ROOT).returncode == 0


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    wrong = excuses(rules, lock)
    for text in wrong:
        print(f"FAIL {text}: remove it from deny.toml, or say why it stays")
    for entry in rules["advisories"].get("ignore", []):
        print(f"known and excused: {entry['id']}, {entry.get('reason', '')}")
    found = look_up()
    if found is False:
        print("FAIL cargo deny check advisories")
    checks = [not wrong] + ([] if found is None else [found])
    print(f"{sum(checks)} passed, {len(checks) - sum(checks)} failed")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
