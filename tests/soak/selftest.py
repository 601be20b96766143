"""Shows that the verdict of the soak test can be red, and is not red for nothing."""

from __future__ import annotations

import random
import time
import unittest
from collections import Counter
from dataclasses import replace

from arithmetic import Counts, Line, Process, Row, judge, theil_sen
from books import Books, Cut, Wrong, bucket, check, figures

IDLE = Process(50.0, 30.0, 10.0)
AT_ONCE = 10


def rows(count: int = 60, memory: float = 0.0, descriptors: float = 0.0, threads: float = 0.0, noise: float = 1.0,
         supervisor_memory: float = 0.0) -> list[Row]:
    """A run of an hour whose first quarter has crashes. The growth is in MiB and counts over the whole hour."""
    chance = random.Random(1)
    found = []
    for number in range(count):
        share = number / count
        child = Process(80 + memory * share + chance.uniform(-noise, noise), 40 + descriptors * share + chance.randrange(3),
                        30 + threads * share + chance.randrange(2))
        found.append(Row(3600 * share, int(1e6 * share), child, Process(15 + supervisor_memory * share, 12, 1), 1 + (share >= 0.25),
                         0.0, share >= 0.25))
    return found


def red(these: list[Row], counts: Counts | None = None, after: Process = IDLE, left: float = 0.0) -> list[str]:
    findings = judge(these, counts or Counts(answered=1), AT_ONCE, IDLE, after, left)
    return [finding.what for finding in findings if not finding.is_well]


class Verdict(unittest.TestCase):
    def test_a_flat_run_is_well(self) -> None:
        self.assertEqual(red(rows()), [])
        self.assertEqual(red([replace(row, supervisor=None) for row in rows()]), [])

    def test_a_leak_of_memory_is_red(self) -> None:
        # Nine sixteenths of the hour are judged: 10 MiB an hour are 6.6 % there, 6 MiB 4 %.
        self.assertEqual(red(rows(memory=10.0)), ["memory of the child"])
        self.assertEqual(red(rows(memory=6.0)), [])
        self.assertEqual(red(rows(supervisor_memory=1.5)), ["memory of the supervisor"])

    def test_a_leak_of_descriptors_or_threads_is_red(self) -> None:
        self.assertEqual(red(rows(descriptors=12.0)), ["descriptors of the child"])
        self.assertEqual(red(rows(threads=30.0)), ["threads of the child"])
        self.assertEqual(red(rows(), after=replace(IDLE, descriptors=40.0)), ["descriptors without clients"])
        self.assertEqual(red(rows(), after=replace(IDLE, threads=20.0)), ["threads without clients"])
        self.assertEqual(red(rows(), left=9.0), ["temporary files without clients"])

    def test_growth_in_the_warm_up_is_not_a_leak(self) -> None:
        warm = [replace(row, child=replace(row.child, memory=40.0)) if row.seconds < 1500 else row for row in rows()]
        self.assertEqual(red(warm), [])

    def test_a_few_peaks_are_not_a_leak(self) -> None:
        peaks = [replace(row, child=replace(row.child, memory=500.0)) if number % 9 == 0 else row
                 for number, row in enumerate(rows())]
        self.assertEqual(red(peaks), [])
        self.assertEqual(red([*rows()[:-3], *peaks[-3:]]), [])

    def test_failures_are_red(self) -> None:
        self.assertEqual(red(rows(), Counts(answered=9, failed=1)), ["requests that failed without a crash"])
        self.assertEqual(red(rows(), Counts(answered=9, wrong=1)), ["wrong answers"])
        self.assertEqual(red(rows(), Counts()), ["requests answered"])
        self.assertEqual(red(rows(), Counts(answered=9, crashes=2, lost=2 * AT_ONCE)), [])
        self.assertEqual(red(rows(), Counts(answered=9, crashes=2, lost=2 * AT_ONCE + 1)), ["requests lost by crashes"])

    def test_a_process_that_is_replaced_in_silence_is_red(self) -> None:
        self.assertEqual(red([replace(row, child_pid=int(row.seconds > 3000)) for row in rows()]),
                         ["processes without a crash that was asked for"])

    def test_too_short_a_run_is_red(self) -> None:
        self.assertEqual(red(rows(6)), ["child"])
        self.assertIn("child", red([]))


class Arithmetic(unittest.TestCase):
    def test_the_fit_is_exact_and_robust(self) -> None:
        line = [(float(x), 3.0 * x + 7) for x in range(20)]
        self.assertEqual(theil_sen(line), Line(3.0, 7.0, 3.0, 3.0))
        line[4], line[17] = (4.0, 1e6), (17.0, -1e6)
        fit = theil_sen(line)
        self.assertEqual((fit.slope, fit.level), (3.0, 7.0))
        self.assertEqual(theil_sen([(1.0, 5.0)]), Line(0.0, 5.0, 0.0, 0.0))

    def test_the_bounds_of_a_slope_hold_as_often_as_they_say(self) -> None:
        chance, outside = random.Random(2), 0
        for _ in range(400):
            fit = theil_sen([(float(x), 0.5 * x + chance.gauss(0, 5)) for x in range(15)])
            outside += not fit.least <= 0.5 <= fit.most
        # 5 percent of 400, and more than four times the spread of that.
        self.assertTrue(1 <= outside <= 40, outside)

    def test_quantiles_of_a_histogram_are_within_a_bucket(self) -> None:
        p50, p99 = figures(Counter(bucket(value / 10) for value in range(1, 1001)))
        self.assertTrue(50 <= p50 <= 50 * 1.04, p50)
        self.assertTrue(99 <= p99 <= 99 * 1.04, p99)


class Blame(unittest.TestCase):
    def outcomes(self, error: Exception, has_crash: bool) -> Counts:
        books = Books(60)
        with books.attempt("kind"):
            if has_crash:
                with books.crash():
                    pass
            raise error
        return books.counts

    def test_only_a_crash_excuses_a_broken_connection(self) -> None:
        self.assertEqual(self.outcomes(ConnectionResetError(), True).lost, 1)
        self.assertEqual(self.outcomes(ConnectionResetError(), False).failed, 1)
        self.assertEqual(self.outcomes(Cut(), True).lost, 1)

    def test_nothing_excuses_a_wrong_answer_or_a_refused_connection(self) -> None:
        self.assertEqual(self.outcomes(Wrong("other"), True).wrong, 1)
        self.assertEqual(self.outcomes(ConnectionRefusedError(), True).failed, 1)

    def test_a_crash_that_was_over_before_excuses_nothing(self) -> None:
        books = Books(60)
        with books.crash():
            pass
        self.assertFalse(books.crashed_since(time.monotonic()))

    def test_a_beginning_is_cut_and_other_bytes_are_wrong(self) -> None:
        check(b"abc", b"abc")
        self.assertRaises(Cut, check, b"abc", b"ab")
        self.assertRaises(Wrong, check, b"abc", b"abd")
        self.assertRaises(Wrong, check, b"abc", b"abcd")


def main() -> int:
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__("__main__"))
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
