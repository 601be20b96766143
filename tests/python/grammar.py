"""Templates that become programs.

A template is Python source in which `$Name` stands for a piece. A piece is a list of templates, one of which is taken,
or a function that makes source text from a random generator.
"""

from __future__ import annotations

import random
import re
from typing import Callable, NamedTuple, Union

Piece = Union[list[str], Callable[[random.Random], str]]
Pieces = dict[str, Piece]
HOLE = re.compile(r"\$(?:([A-Z][A-Za-z]*)|\{([A-Z][A-Za-z]*)\})")
DEEPEST = 8


class Program(NamedTuple):
    """A program, and the template that it comes from: differences are grouped by that."""

    domain: str
    template: str
    source: str


class Grammar:
    """A domain's templates, all equally likely, and its pieces."""

    def __init__(self, domain: str, templates: str, *pieces: Pieces) -> None:
        self.domain = domain.rpartition(".")[2]
        self.templates = [line.strip().replace("\\n", "\n") for line in templates.strip().splitlines() if line.strip()]
        self.pieces = {name: piece for some in pieces for name, piece in some.items()}
        for template in self.templates:
            self._check(template)
        for piece in self.pieces.values():
            for template in piece if isinstance(piece, list) else []:
                self._check(template)

    def _check(self, template: str) -> None:
        for name in ("".join(names) for names in HOLE.findall(template)):
            if name not in self.pieces:
                raise KeyError("%s: the template %r has a piece that is not there: %s" % (self.domain, template, name))

    def program(self, rng: random.Random) -> Program:
        template = rng.choice(self.templates)
        return Program(self.domain, template, self._fill(template, rng, 0))

    def _fill(self, template: str, rng: random.Random, depth: int) -> str:
        def fill(hole: re.Match[str]) -> str:
            piece = self.pieces[hole.group(1) or hole.group(2)]
            if not isinstance(piece, list):
                return piece(rng)
            # The first template of a recursive piece is the one that ends the recursion.
            return self._fill(piece[0] if depth > DEEPEST else rng.choice(piece), rng, depth + 1)

        return HOLE.sub(fill, template)
