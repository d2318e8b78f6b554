# SPDX-License-Identifier: GPL-2.0
"""Prints results: lines while things run, failures, a table, the last line."""

import threading
from collections import Counter

from . import judge

_lock = threading.Lock()


def say(text):
    """Print a whole line, or several, not mixed with another thread's."""
    with _lock:
        print(text, flush=True)


def counts(results):
    """(passed, failed, skipped)"""
    by = Counter(result.outcome for result in results)
    return by[judge.PASSED], by[judge.FAILED], by[judge.SKIPPED]


def line(where, name, results, seconds):
    """One line for a test program or check that just ended."""
    passed, failed, skipped = counts(results)
    say(f"{where:16} {name:40} {passed:4} passed {failed:3} failed {skipped:3} skipped "
        f"{seconds:7.1f} s")


def failures(where, results):
    """What is known about each failure."""
    for result in results:
        if result.outcome == judge.FAILED:
            say(f"FAILED {where} {result.suite}/{result.name}\n"
                + "\n".join("    " + why for why in result.why))


class Totals:
    """The table of everything that ran."""

    def __init__(self):
        self._rows = {}
        self._all = []

    def add(self, where, suite, results, seconds, budget=None):
        """Count the results of a suite."""
        with _lock:
            rows = self._rows.setdefault((where, suite), [])
            rows.append((*counts(results), seconds, budget or 0))
            self._all += results

    def finish(self):
        """Print table and last line; returns the exit status."""
        say(f"\n{'guest':16} {'suite':12} {'passed':>7} {'failed':>7} {'skipped':>7} "
            f"{'seconds':>8} {'budget':>7}")
        for (where, suite), rows in self._rows.items():
            passed, failed, skipped, seconds, budget = map(sum, zip(*rows))
            say(f"{where:16} {suite:12} {passed:7} {failed:7} {skipped:7} {seconds:8.1f} "
                f"{budget or '-':>7}")
        passed, failed, skipped = counts(self._all)
        if passed + failed == 0:
            say("no test was run, which is a failure")
            failed = 1
        say(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        return 1 if failed else 0
