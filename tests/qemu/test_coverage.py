# SPDX-License-Identifier: GPL-2.0
"""What is made of lcov's trace files."""

import unittest

from harness import coverage

TRACE = """TN:
SF:/x/module/a.c
DA:1,5
DA:2,0
end_of_record
SF:/x/module/a.c
DA:2,3
DA:3,0,abcdef
end_of_record
"""


class Counts(unittest.TestCase):
    """What is executed by one counts, also if the other has it, too."""

    def test_sum(self):
        """A file may come more than once."""
        self.assertEqual(coverage.counts(TRACE), {"/x/module/a.c": {1: 5, 2: 3, 3: 0}})


class Excuses(unittest.TestCase):
    """A line is excused by its text, so that its number may change."""

    MISSED = {"a.c": {7: "\treturn -EIO;", 9: "\tcpu_relax();", 11: "\treturn -EIO;"}}

    def test_all_with_the_text(self):
        """... of that file."""
        excuse = {"file": "a.c", "line": "return -EIO;", "reason": "-"}
        self.assertEqual(coverage.excused(self.MISSED, [excuse]), ({("a.c", 7), ("a.c", 11)}, []))

    def test_useless(self):
        """What is executed needs none."""
        excuse = {"file": "b.c", "line": "return -EIO;", "reason": "-"}
        self.assertEqual(coverage.excused(self.MISSED, [excuse]), (set(), [excuse]))


if __name__ == "__main__":
    unittest.main()
