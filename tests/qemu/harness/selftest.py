# SPDX-License-Identifier: GPL-2.0
"""Runs the harness's own unit tests and counts them like any others."""

import time
import unittest

from . import config, judge, report


class _Results(unittest.TestResult):
    """Keeps one result per test or subtest that has something to say."""

    def __init__(self):
        super().__init__()
        self.found = []

    def _note(self, test, outcome, why=""):
        self.found.append(judge.Result("harness", str(test), outcome, why.splitlines()))

    def addSuccess(self, test):
        self._note(test, judge.PASSED)

    def addFailure(self, test, err):
        self._note(test, judge.FAILED, self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(subtest, err)
        else:
            self._note(subtest, judge.PASSED)


def run(totals):
    """Run tests/qemu/test_*.py."""
    start = time.monotonic()
    results = _Results()
    unittest.TestLoader().discover(str(config.QEMU_DIR)).run(results)
    seconds = time.monotonic() - start
    report.line("harness", "self tests", results.found, seconds)
    report.failures("harness", results.found)
    totals.add("harness", "self tests", results.found, seconds)
