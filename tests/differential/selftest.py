"""Shows that the comparison can fail: unit tests of the judgement, and whole runs against an altered candidate.

The altered candidate is the reference with one small thing changed; run.py must see each change, and must see nothing
when nothing is changed.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from cases import assigns_main, mined_parameters
from compare import DIFFERENT, IDENTICAL, TRACEBACK, Side, compare
from report import LEFT_OUT, Expectations, Judged, Report, judge
from wire import Answer, expected_length

HERE = Path(__file__).resolve().parent
SITE = HERE.parent.parent / "fixtures/site"
ONE = Side(40001, b"BaseHTTP/0.6 Python/3.11.2", "/srv/site")
TWO = Side(50002, b"Other", "/srv/site")


def answer(raw: bytes, end: str = "open", silent: bool = False) -> Answer:
    return Answer(raw, end, 0.0, silent)


def failure(trace: str, port: int = 40001, url: str = "/a.py", code: int = 500) -> Answer:
    message = "Internal server error loading http://h:%d%s:\n  %s" % (port, url, trace)
    body = json.dumps({"error": {"code": code, "message": message}})
    head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return answer((head % len(body) + body).encode())


TRACE = ('Traceback (most recent call last):\n    File "/lib/python/wptserve/handlers.py", line 333, in __call__\n'
         '    rv = self.func(request, response)\n         ^^^^^^^^^^^^\n\n    File "/srv/site/a.py", line 3, in main\n'
         '    raise KeyError("x")\n  KeyError: \'x\'\n')
OURS = ('Traceback (most recent call last):\n    File "/srv/site/a.py", line 3, in main\n    raise KeyError("x")\n'
        '  KeyError: \'x\'\n')


class Judgement(unittest.TestCase):
    def kind(self, want: Answer, have: Answer) -> str:
        return compare(want, have, ONE, TWO).kind

    def test_own_date_server_and_port_are_set_aside(self) -> None:
        want = answer(b"HTTP/1.1 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\n"
                      b"Date: Sun, 01 Jan 2023 00:00:00 GMT\r\n\r\n:40001")
        have = answer(b"HTTP/1.1 200 OK\r\nServer: Other\r\nDate: Mon, 02 Jan 2023 00:00:01 GMT\r\n\r\n:50002")
        self.assertEqual(self.kind(want, have), IDENTICAL)

    def test_a_handlers_own_date_is_compared(self) -> None:
        self.assertEqual(self.kind(answer(b"HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n"),
                                   answer(b"HTTP/1.1 200 OK\r\nDate: today\r\n\r\n")), DIFFERENT)

    def test_every_byte_counts(self) -> None:
        base = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\n\r\nbody"
        for other in (base.replace(b"OK", b"Ok"), base.replace(b"X-A", b"x-a"), base.replace(b"\r\n", b"\n"),
                      base.replace(b"X-A: 1\r\nX-B: 2", b"X-B: 2\r\nX-A: 1"), base + b"\n", base[:-1]):
            self.assertEqual(self.kind(answer(base), answer(other)), DIFFERENT, other)

    def test_a_connection_that_stays_open_counts(self) -> None:
        self.assertEqual(self.kind(answer(b"x", "open"), answer(b"x", "closed")), DIFFERENT)

    def test_streams_are_cut_alike(self) -> None:
        self.assertEqual(self.kind(answer(b"abcd", "time"), answer(b"abc", "time")), IDENTICAL)
        self.assertEqual(self.kind(answer(b"abcd", "time"), answer(b"abx", "time")), DIFFERENT)
        self.assertEqual(self.kind(answer(b"abcd", "time", True), answer(b"abc", "time", True)), DIFFERENT)
        self.assertEqual(self.kind(answer(b"abcd", "time"), answer(b"", "time")), DIFFERENT)

    def test_a_client_that_waits_for_the_reference_alone_is_known(self) -> None:
        waits = (answer(b"abc", "time", True), ONE)
        self.assertTrue(judge("g", "c", waits, (answer(b"abc", "closed"), TWO), None).expected_reason)
        for other in (answer(b"ab", "closed"), answer(b"abc", "reset"), answer(b"", "closed"), answer(b"abcd", "closed")):
            self.assertEqual(judge("g", "c", waits, (other, TWO), None).expected_reason, "", other)
        streams = (answer(b"abc", "time"), ONE)
        self.assertEqual(judge("g", "c", streams, (answer(b"abc", "closed"), TWO), None).expected_reason, "")

    def test_traceback_text_is_its_own_verdict(self) -> None:
        self.assertEqual(self.kind(failure(TRACE), failure(OURS, 50002)), TRACEBACK)

    def test_tracebacks_must_agree_in_what_matters(self) -> None:
        for other in (OURS.replace("line 3", "line 4"), OURS.replace("in main", "in other"),
                      OURS.replace("a.py", "b.py"), OURS.replace("KeyError: 'x'", "KeyError: 'y'"), OURS.replace("  KeyError: ", "  ValueError: ")):
            self.assertEqual(self.kind(failure(TRACE), failure(other, 50002)), DIFFERENT, other)
        self.assertEqual(self.kind(failure(TRACE), failure(OURS, 50002, "/b.py")), DIFFERENT)
        self.assertEqual(self.kind(failure(TRACE), failure(OURS, 50002, code=501)), DIFFERENT)

    def test_what_came_before_a_late_failure_is_compared(self) -> None:
        late, ours = failure(TRACE), failure(OURS, 50002)
        self.assertEqual(self.kind(answer(b"head" + late.raw), answer(b"head" + ours.raw)), TRACEBACK)
        self.assertEqual(self.kind(answer(b"head" + late.raw), answer(b"HEAD" + ours.raw)), DIFFERENT)

    def test_what_does_not_repeat_is_left_out_but_its_shape_counts(self) -> None:
        one, two = (answer(b"HTTP/1.1 200 OK\r\nX-A: %d\r\n\r\nrandom %d" % (n, n)) for n in (1, 2))
        other = answer(b"HTTP/1.1 200 OK\r\nX-B: 1\r\n\r\nrandom 3")
        self.assertEqual(judge("g", "c", (one, ONE), (two, TWO), (two, ONE)).kind, LEFT_OUT)
        self.assertEqual(judge("g", "c", (one, ONE), (other, TWO), (two, ONE)).kind, DIFFERENT)


    def test_random_uuids_are_set_aside_only_where_the_reference_does_not_repeat(self) -> None:
        one, two, three = (answer(b"HTTP/1.1 200 OK\r\n\r\n%da0ce9a1-8b97-42d0-8a92-a613636c8507" % n) for n in (1, 2, 3))
        other = answer(three.raw.replace(b"OK", b"Ok"))
        self.assertEqual(judge("g", "c", (one, ONE), (three, TWO), (two, ONE)).kind, IDENTICAL)
        self.assertEqual(judge("g", "c", (one, ONE), (three, TWO), (one, ONE)).kind, DIFFERENT)
        self.assertEqual(judge("g", "c", (one, ONE), (other, TWO), (two, ONE)).kind, DIFFERENT)


    def test_gzip_is_compared_by_what_it_holds(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        packed = [gzip.compress(b"text" * 50, level, mtime=level) for level in (1, 2, 9)]
        one, two, three = (answer(head % len(body) + body) for body in packed)
        other = gzip.compress(b"test" * 50)
        self.assertEqual(judge("g", "c", (one, ONE), (three, TWO), (two, ONE)).kind, IDENTICAL)
        self.assertEqual(judge("g", "c", (one, ONE), (answer(head % len(other) + other), TWO), (two, ONE)).kind, DIFFERENT)


class Expected(unittest.TestCase):
    def report(self, kind: str, reasons: dict[str, str]) -> Report:
        report = Report(Expectations(reasons))
        report.add(Judged("ok.py", "GET", IDENTICAL, [], 0, 0))
        report.add(Judged("a.py", "GET", kind, ["why"], 0, 0))
        return report

    def code(self, report: Report, minimum: float = 100.0) -> int:
        stdout, sys.stdout = sys.stdout, open(os.devnull, "w")
        try:
            return report.verdict(minimum, complete=True)
        finally:
            sys.stdout.close()
            sys.stdout = stdout

    def test_a_known_difference_passes_and_an_unknown_one_fails(self) -> None:
        self.assertEqual(self.code(self.report(DIFFERENT, {"a.py": "known"})), 0)
        self.assertEqual(self.code(self.report(DIFFERENT, {"a.py :: GET": "known"})), 0)
        self.assertEqual(self.code(self.report(DIFFERENT, {})), 1)
        self.assertEqual(self.code(self.report(DIFFERENT, {}), 50.0), 0)

    def test_an_unexpected_pass_and_a_stale_entry_fail(self) -> None:
        self.assertEqual(self.code(self.report(IDENTICAL, {"a.py": "known"})), 1)
        self.assertEqual(self.code(self.report(IDENTICAL, {"gone.py": "known"})), 1)


class Reading(unittest.TestCase):
    def test_main_is_found_however_it_is_named(self) -> None:
        for source in (b"def main(a, b): pass", b"main = 1", b"from x import main", b"from x import y as main"):
            self.assertTrue(assigns_main(source), source)
        self.assertFalse(assigns_main(b"def other():\n def main(): pass"))
        self.assertIsNone(assigns_main(b"def ("))

    def test_parameters_are_mined(self) -> None:
        found = mined_parameters(b"def main(r, s):\n a = int(r.GET.first(b'n'))\n if b'f' in r.GET: r.GET[b'status']")
        self.assertEqual(found, {b"n": b"2", b"f": b"value", b"status": b"203"})

    def test_lengths(self) -> None:
        interim = b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        self.assertEqual(expected_length(interim, b"GET"), len(interim) + 2)
        self.assertIsNone(expected_length(b"HTTP/1.1 200 OK\r\n\r\n", b"GET"))


class WholeRuns(unittest.TestCase):
    """Each alteration is a statement run in the candidate before it serves."""

    def run_altered(self, alteration: str) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ, ALTERATION=alteration)
        command = "%s %s" % (sys.executable, HERE / "altered.py")
        includes = ["--include", "basic/t*.py", "--include", "basic/raises.py", "--include", "files/text.txt"]
        return subprocess.run([sys.executable, str(HERE / "run.py"), "--candidate-command", command, "--root", str(SITE),
                               "--rich", "--no-repeat-check", "--time-cap", "1", *includes],
                              env=environment, capture_output=True, text=True)

    def test_nothing_altered_nothing_found(self) -> None:
        done = self.run_altered("pass")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alterations_are_found(self) -> None:
        for alteration in ("response.ResponseWriter.write_default_headers = lambda self: True",
                           "constants.response_codes[404] = ('Missing', '')",
                           "constants.content_types['txt'] = 'text/plain; charset=utf-8'",
                           "handlers.FunctionHandler.__call__ = lambda self, q, r: r.set_error(500, 'no traceback')"):
            done = self.run_altered(alteration)
            self.assertEqual(done.returncode, 1, alteration + "\n" + done.stdout + done.stderr)
            self.assertIn("DIFFERENT", done.stdout)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    broken = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - broken, broken))
    sys.exit(1 if broken else 0)
