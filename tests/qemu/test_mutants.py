# SPDX-License-Identifier: GPL-2.0
"""The table of planted defects, and what is made of a run."""

import unittest

from harness import config, judge, mutants


class Table(unittest.TestCase):
    """Each has its one place in the sources, as they are now."""

    def test_places(self):
        """... and changes something."""
        guests = config.guests()
        for mutant in mutants.load():
            with self.subTest(mutant["what"]):
                text = (config.ROOT / "module" / mutant["file"]).read_text(encoding="utf-8")
                self.assertNotIn(mutants.planted(mutant, text), (None, text))
                self.assertLessEqual({words[-1] for words in mutants.runs(mutant)}, set(guests))

    def test_number(self):
        """Fewer would prove little."""
        self.assertGreaterEqual(len(mutants.load()), 40)


class Runs(unittest.TestCase):
    """Who found it last time is asked first."""

    ALL = ["--suite", "kunit", "--suite", "selftests"]

    def test_by(self):
        """... and all others, if he does not find it."""
        self.assertEqual(mutants.runs({"by": "uml-fail selftests/a_test"}),
                         [["--suite", "selftests", "--only", "a_test", "uml-fail"],
                          [*self.ALL, "uml"], [*self.ALL, "uml-fail"]])
        self.assertEqual(mutants.runs({"by": "uml kunit", "guest": "ioat"}),
                         [["--suite", "kunit", "uml"], [*self.ALL, "ioat"]])

    def test_nobody(self):
        """... or whose table is silent on it."""
        self.assertEqual(mutants.runs({"guest": "ioat"}), [[*self.ALL, "ioat"]])


class Verdict(unittest.TestCase):
    """Only a test that failed has found something."""

    FOUND = ["FAILED uml kunit/kunit: seg.cut"]

    def outcome(self, status, output, **more):
        """Of a run."""
        return mutants.verdict({"what": "-", **more}, status, output)[0]

    def test_found(self):
        """A test failed."""
        self.assertEqual(self.outcome(1, self.FOUND), judge.PASSED)

    def test_survives(self):
        """No test failed."""
        self.assertEqual(self.outcome(0, []), judge.FAILED)
        self.assertEqual(self.outcome(0, [], survives="-"), judge.SKIPPED)

    def test_excuse_for_nothing(self):
        """It is found although it has an excuse."""
        self.assertEqual(self.outcome(1, self.FOUND, survives="-"), judge.FAILED)

    def test_not_tested(self):
        """Neither a mutant that does not build, nor a harness that breaks, nor a slow
        machine says anything."""
        for line in ("FAILED uml guest/builds", "FAILED uml harness/no exception",
                     "FAILED uml kunit/keeps its budget of time"):
            self.assertEqual(self.outcome(1, [line]), judge.FAILED)
        self.assertEqual(self.outcome(1, []), judge.FAILED)


if __name__ == "__main__":
    unittest.main()
