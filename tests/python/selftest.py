"""Shows that the comparison with CPython can fail: unit tests of the judgement, and whole runs against an altered candidate.

The altered candidate is wptserve on CPython, with one small thing changed: nothing changed must be found equal, and each
change must be found, of the right kind.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import unittest
from pathlib import Path

import generate
import known
from cpython import run
from sides import HERE, REFERENCE, Candidate, on_reference, prepare_reference

# The server and the processes that wptserve has started.
STOP = "[child.kill() for child in __import__('multiprocessing').active_children()], os._exit(3)"
ALTERED = "%s %s" % (sys.executable, HERE.parent / "differential/altered.py")


class Judgement(unittest.TestCase):
    def test_kinds(self) -> None:
        for reference, ours, kind in [
            ('ok int(0x1)', 'ok int(0x1)', None),
            ('ok int(0x1)', 'ok bool(0x1)', known.VALUE),
            ('ok float(0x0.0p+0)', 'ok float(-0x0.0p+0)', known.VALUE),
            ('ok None', 'raise KeyError "a"', known.RAISED),
            ('raise KeyError "a"', 'ok None', known.RAISED),
            ('raise KeyError "a"', 'raise ValueError "a"', known.CLASS),
            ('raise KeyError "a"', 'raise KeyError "b"', known.TEXT),
            ('ok None', 'stopped no answer after 20 s', known.STOPPED),
        ]:
            self.assertEqual(known.difference(reference, ours), kind, (reference, ours))

    def test_an_entry_explains_only_what_all_of_it_fits(self) -> None:
        entry = known.Known("r", frozenset(["value"]), frozenset(["str"]), *map(known.re.compile, ("strip", "a", "b")), None, ("x",))
        self.assertTrue(entry.explains("value", "str", "x.strip()", "ok a", "ok b"))
        for other in (("class", "str", "x.strip()", "ok a", "ok b"), ("value", "bytes", "x.strip()", "ok a", "ok b"),
                      ("value", "str", "x.split()", "ok a", "ok b"), ("value", "str", "x.strip()", "ok", "ok b"), ("value", "str", "x.strip()", "ok a", "ok")):
            self.assertFalse(entry.explains(*other), other)

    def test_what_an_entry_sets_aside_is_all_that_may_differ(self) -> None:
        pattern = known.re.compile("")
        entry = known.Known("r", frozenset(["value"]), frozenset(), pattern, pattern, pattern, known.re.compile("[?#]"), ("x",))
        self.assertTrue(entry.explains("value", "urls", "x", "ok a?", "ok a"))
        self.assertFalse(entry.explains("value", "urls", "x", "ok a?", "ok b"))

    def test_no_entry_explains_all_values_of_a_domain(self) -> None:
        for entry in known.load():
            if known.VALUE in entry.kinds or known.STOPPED in entry.kinds:
                self.assertTrue(entry.program.pattern or entry.equal_without or (entry.reference.pattern and entry.ours.pattern), entry.reason)


class Canonical(unittest.TestCase):
    def test_what_differs_has_another_text(self) -> None:
        programs = ["1", "True", "1.0", "-0.0", "0.0", "float('nan')", "'1'", "b'1'", "bytearray(b'1')", "[1]", "(1,)", "{1}", "{1: 1}", "[True]",
                    "'\\ud800'", "'\\\\ud800'", "'\\udc00'", "None", "'None'", "...", "0.1 + 0.2", "0.3", "1j", "-1j", "range(1)", "frozenset({1})",
                    "datetime.date(2020, 1, 1)", "datetime.datetime(2020, 1, 1)", "datetime.datetime(2020, 1, 1, fold=1)", "[1, [2]]", "[[1], 2]", "[[1, 2]]",
                    "collections.OrderedDict(a=1)", "dict(a=1)", "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", "'a' * 5000", "'a' * 5001", "[].x", "{}['x']", "{}['y']"]
        results = on_reference(programs)
        for one, result in zip(programs, results, strict=True):
            self.assertEqual([other for other, same in zip(programs, results, strict=True) if same == result], [one])

    def test_sets_have_no_order(self) -> None:
        self.assertEqual(*on_reference(["{'a', 'b', 'c'}", "{'c', 'b', 'a'}"]))


class Generators(unittest.TestCase):
    def test_the_same_seed_makes_the_same_programs(self) -> None:
        for domain in generate.DOMAINS:
            one = generate.batch(domain, "1", 0, 300)
            self.assertEqual(one, generate.batch(domain, "1", 0, 300))
            self.assertNotEqual(one, generate.batch(domain, "2", 0, 300))
            self.assertGreater(len({program.source for program in one}), 150, domain)

    def test_most_programs_have_a_value(self) -> None:
        for domain in generate.DOMAINS:
            results = on_reference([program.source for program in generate.batch(domain, "1", 0, 300)])
            self.assertGreater(sum(result.startswith("ok ") for result in results), 100, domain)
            self.assertFalse([result for result in results if result.startswith("raise TooSlow")])

    def test_all_programs_are_ascii_and_most_are_valid_python(self) -> None:
        for domain in generate.DOMAINS:
            for program in generate.batch(domain, "1", 0, 300):
                self.assertTrue(program.source.isascii(), program.source)


class CPythonsTests(unittest.TestCase):
    def news(self, outcome: str, reasons: dict[str, str]) -> int:
        module = run.Module("test_x", {"test.test_x.A.b": (outcome, "why"), "test.test_x.A.c": ("passed", "")})
        return len(run.judge([module], {"test_x": reasons})[1])

    def test_a_known_failure_passes_and_an_unknown_one_fails(self) -> None:
        self.assertEqual(self.news("failed", {"A.b": "known"}), 0)
        for outcome in run.BAD:
            self.assertEqual(self.news(outcome, {}), 1, outcome)

    def test_an_unexpected_pass_and_a_stale_entry_fail(self) -> None:
        self.assertEqual(self.news("passed", {}), 0)
        self.assertEqual(self.news("passed", {"A.b": "known"}), 1)
        self.assertEqual(self.news("passed", {"A.gone": "known"}), 1)


class WholeRuns(unittest.TestCase):
    def run_altered(self, alteration: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(HERE / "diff.py"), "--candidate-command", ALTERED, *arguments],
                              env=dict(os.environ, ALTERATION=alteration), capture_output=True, text=True)

    def test_nothing_altered_nothing_found(self) -> None:
        done = self.run_altered("pass", "-n", "1200", "--only", "str", "--only", "urls", "--only", "numbers")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alterations_are_found(self) -> None:
        for alteration, kind in [("import html\nhtml.escape = lambda text, quote=True: text", "value"),
                                 ("import html\nhtml.unescape = int", "raised"),
                                 ("import textwrap\ndef dedent(text):\n    raise KeyError(text)\ntextwrap.dedent = dedent", "raised"),
                                 ("import string\nstring.capwords = lambda text: 1 / 0", "raised")]:
            done = self.run_altered(alteration, "-n", "1200", "--only", "str")
            self.assertEqual(done.returncode, 1, alteration + "\n" + done.stdout + done.stderr)
            self.assertIn("DIFFERENT " + kind, done.stdout)

    def test_an_unexpected_pass_is_found(self) -> None:
        done = self.run_altered("pass", "-n", "0")
        self.assertEqual(done.returncode, platform.python_version() == known.made_with(), done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("UNEXPECTED PASS"), sum(len(entry.examples) for entry in known.load()))
        self.assertNotIn("PINNED", done.stdout)

    def test_a_server_that_stops_is_found_and_replaced(self) -> None:
        prepare_reference()
        with Candidate(REFERENCE) as candidate:
            results = candidate.results(["1", STOP, "2"])
        self.assertEqual([result.split()[0] for result in results], ["ok", "stopped", "ok"])


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    broken = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - broken, broken))
    sys.exit(1 if broken else 0)
