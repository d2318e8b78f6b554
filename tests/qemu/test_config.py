# SPDX-License-Identifier: GPL-2.0
"""What a guest has from the one it is based on."""

import unittest

from harness import config


class Based(unittest.TestCase):
    """Everything but how long its suites take."""

    TABLE = {"a": {"kernel": "k", "suites": ["s"], "budget": {"s": 1}},
             "b": {"base": "a", "cpus": 2},
             "c": {"base": "b", "budget": {"s": 3}}}

    def row(self, name):
        """Of the table."""
        return config._row(self.TABLE, name)    # pylint: disable=protected-access

    def test_inherited(self):
        """From near and far."""
        self.assertEqual(self.row("c")["suites"], ["s"])
        self.assertEqual(self.row("c")["cpus"], 2)
        self.assertEqual(self.row("c")["bases"], ["b", "a"])

    def test_budget(self):
        """Its own, or none."""
        self.assertEqual(self.row("a")["budget"], {"s": 1})
        self.assertNotIn("budget", self.row("b"))
        self.assertEqual(self.row("c")["budget"], {"s": 3})

    def test_suites(self):
        """A budget for what a guest does not run would never be kept or broken."""
        for guest in config.guests().values():
            with self.subTest(guest.name):
                self.assertLessEqual(set(guest.budget), set(guest.suites))


if __name__ == "__main__":
    unittest.main()
