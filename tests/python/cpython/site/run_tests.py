"""Runs one module of CPython's own tests: `?module=test.test_re&after=ID`, the latter to go on behind a test.

The answer is a stream of lines of JSON, one when a test starts and one when it ends, so that the test that stops the
server can be told.
"""

import contextlib
import json
import sys
import types
import unittest


class Reporter(unittest.TestResult):
    def __init__(self, write):
        super().__init__()
        self.write = write

    def tell(self, test, outcome, why=""):
        self.write((json.dumps({"id": test.id(), "outcome": outcome, "why": why[:300]}) + "\n").encode())

    def message(self, error):
        kind, value, trace = error
        try:
            text = str(value)
        except Exception:
            text = "(no text)"
        lines = [line for line in text.splitlines() if line.strip()]
        return "%s: %s" % (kind.__name__, lines[0] if lines else "")

    def startTest(self, test):
        super().startTest(test)
        self.sub = None
        self.tell(test, "started")

    def addSuccess(self, test):
        self.tell(test, "failed" if self.sub else "passed", self.sub or "")

    def addSubTest(self, test, subtest, error):
        if error is not None and self.sub is None:
            self.sub = self.message(error)

    def stopTest(self, test):
        if self.sub:
            self.tell(test, "failed", self.sub)
        super().stopTest(test)

    def addFailure(self, test, error):
        self.tell(test, "failed", self.message(error))

    def addError(self, test, error):
        self.tell(test, "error", self.message(error))

    def addSkip(self, test, reason):
        self.tell(test, "skipped", reason)

    def addExpectedFailure(self, test, error):
        self.tell(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.tell(test, "failed", "unexpected success")


def flat(suite):
    """The tests of a suite with its structure undone, in their order."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


@contextlib.contextmanager
def frozen_modules(enabled=True):
    """Instead of the tests' own, which would take the standard library away: all of it is frozen here."""
    yield


def prepare():
    from test.support import import_helper

    import_helper.frozen_modules = frozen_modules
    # Tests of pickle put their classes there.
    sys.modules.setdefault("__main__", types.ModuleType("__main__"))


def main(request, response):
    name = request.GET.first(b"module").decode()
    after = request.GET.first(b"after", b"").decode()
    left_out = request.GET.get_list(b"leave")
    response.add_required_headers = False
    response.writer.write_status(200)
    response.writer.write_header("Connection", "close")
    response.writer.end_headers()
    response.close_connection = True
    reporter = Reporter(response.writer.write)
    tests = []
    try:
        prepare()
        module = __import__(name, fromlist=["x"])
        tests = list(flat(unittest.defaultTestLoader.loadTestsFromModule(module)))
    except BaseException as error:
        line = {"id": name + ".import", "outcome": "skipped" if isinstance(error, unittest.SkipTest) else "error",
                "why": "%s: %s" % (type(error).__name__, error)}
        response.writer.write((json.dumps(line) + "\n").encode())
    if after:
        tests = tests[[test.id() for test in tests].index(after) + 1:]
    unittest.TestSuite(test for test in tests if test.id().encode() not in left_out).run(reporter)
    response.writer.write(b'{"id": "", "outcome": "end", "why": ""}\n')
