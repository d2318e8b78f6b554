# SPDX-License-Identifier: GPL-2.0
"""What is made of lcov's trace files."""

import contextlib
import io
import unittest

from harness import config, coverage, judge

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


SOURCE = """int f(void)
{
	if (a())
		return -EIO;
	if (b())
		return -EIO;
	cpu_relax();
	/* ... */
	return 0;
}
"""


class Excuses(unittest.TestCase):
    """A line is excused by its text, so that its number may change."""

    def excused(self, *missed, **excuse):
        """The same of SOURCE, whose other lines of code are executed."""
        lines = {number: int(number not in missed) for number in (1, 3, 4, 5, 6, 7, 9)}
        row = {"file": "a.c", "reason": "-"} | excuse
        return coverage.excused({"a.c": lines}, [row], lambda _: SOURCE.splitlines())

    def test_line(self):
        """One that is not executed."""
        self.assertEqual(self.excused(7, line="cpu_relax();"), ({("a.c", 7)}, []))

    def test_executed(self):
        """... needs an excuse, and others have none."""
        found, wrong = self.excused(4, line="cpu_relax();")
        self.assertEqual((found, wrong), (set(), ["a.c: cpu_relax();: executed, line 7"]))

    def test_luck(self):
        """... or it is executed now and then."""
        self.assertEqual(self.excused(4, line="cpu_relax();", luck=True), (set(), []))
        self.assertEqual(self.excused(7, line="cpu_relax();", luck=True), ({("a.c", 7)}, []))

    def test_twice(self):
        """Each is meant, or it is said which."""
        self.assertEqual(self.excused(4, 6, line="return -EIO;", times=2),
                         ({("a.c", 4), ("a.c", 6)}, []))
        self.assertEqual(self.excused(6, line="return -EIO;", after="if (b())"),
                         ({("a.c", 6)}, []))
        self.assertEqual(len(self.excused(4, 6, line="return -EIO;")[1]), 1)
        self.assertEqual(len(self.excused(4, line="return -EIO;", times=2)[1]), 1)

    def test_several_lines(self):
        """They follow each other, and some of them may be no code."""
        self.assertEqual(self.excused(6, 7, 9, line="""
            return -EIO;
            cpu_relax();
            /* ... */
            return 0;
            """), ({("a.c", 6), ("a.c", 7), ("a.c", 9)}, []))

    def test_none_there(self):
        """Neither such a line, nor such a file, nor code."""
        self.assertEqual(len(self.excused(7, line="return 1;")[1]), 1)
        self.assertEqual(len(self.excused(7, line="cpu_relax();", file="b.c")[1]), 1)
        self.assertEqual(len(self.excused(7, line="/* ... */")[1]), 1)

    def test_reason(self):
        """There must be one."""
        self.assertEqual(len(self.excused(7, line="cpu_relax();", reason="")[1]), 1)


class Judged(unittest.TestCase):
    """All are executed, but for few, of which fewer are out of reach."""

    def outcomes(self, executed, missed, excused, wrong=()):
        """Of so many lines."""
        lines = dict(enumerate([1] * executed + [0] * missed))
        have = {("a.c", executed + number) for number in range(excused)}
        with contextlib.redirect_stdout(io.StringIO()):
            results = coverage.judged({"a.c": lines}, have, list(wrong))
        return [result.outcome == judge.PASSED for result in results]

    def test_limits(self):
        """95 % and 2 %."""
        self.assertEqual(self.outcomes(980, 20, 20), [True, True, True, True])
        self.assertEqual(self.outcomes(979, 21, 21), [True, False, True, True])
        self.assertEqual(self.outcomes(950, 50, 20), [True, True, False, True])
        self.assertEqual(self.outcomes(949, 51, 20), [False, True, False, True])

    def test_wrong(self):
        """An excuse that is none is a failure."""
        self.assertEqual(self.outcomes(1000, 0, 0, ["a.c: ..."]), [True, True, True, False])

    def test_nothing(self):
        """Without data, nothing is as it should be."""
        self.assertEqual(self.outcomes(0, 0, 0), [False, False, False, True])


class Committed(unittest.TestCase):
    """The list as it is."""

    def test_stands_there(self):
        """Each row is about what stands in its file, as often as it says."""
        for row in coverage.listed():
            with self.subTest(**row):
                text = (config.ROOT / row["file"]).read_text(encoding="utf-8").splitlines()
                self.assertEqual(len(coverage.places(row, text)), row.get("times", 1))
                self.assertTrue(row["reason"])


if __name__ == "__main__":
    unittest.main()
