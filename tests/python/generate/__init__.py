"""The generators of programs: one module for each domain, found by their names. Each has a `GRAMMAR`."""

from __future__ import annotations

import importlib
import random
from pathlib import Path

from grammar import Program

DOMAINS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def batch(domain: str, seed: str, number: int, size: int) -> list[Program]:
    """The programs of one batch: always the same for the same seed."""
    rng = random.Random("%s %s %d" % (seed, domain, number))
    grammar = importlib.import_module("generate." + domain).GRAMMAR
    return [grammar.program(rng) for _ in range(size)]
