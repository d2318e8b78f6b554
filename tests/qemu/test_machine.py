# SPDX-License-Identifier: GPL-2.0
"""Proves that a guest may take as long as it likes, but not be silent for so long."""

import subprocess
import unittest
from unittest import mock

from harness import machine


class Wait(unittest.TestCase):
    """The end of a guest, by a clock of the test's own."""

    def setUp(self):
        self.now = 1000
        patch = mock.patch.object(machine.time, "monotonic", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)
        self.spoke = 1000
        self.process = mock.Mock(wait=self.wait)
        self.speaks_at, self.ends_at = [], None

    def wait(self, seconds):
        """Time passes; lines come meanwhile, or the end."""
        until = self.now + seconds
        if self.ends_at is not None and self.ends_at <= until:
            self.now = self.ends_at
            return 3
        self.spoke = max([self.spoke, *(at for at in self.speaks_at if at <= until)])
        self.now = until
        raise subprocess.TimeoutExpired("guest", seconds)

    def waited(self):
        """What comes of it if the guest may be silent for 10 seconds."""
        return machine._wait(self.process, 10, lambda: self.spoke)  # pylint: disable=protected-access

    def test_end(self):
        """It ends soon, without a word."""
        self.ends_at = 1009
        self.assertEqual(self.waited(), 3)

    def test_slow(self):
        """It takes its time, and says so."""
        self.speaks_at, self.ends_at = range(1009, 2000, 9), 2000
        self.assertEqual(self.waited(), 3)

    def test_silence(self):
        """It says something, and then no more."""
        self.speaks_at = [1001, 1008]
        self.assertEqual((self.waited(), self.now), (None, 1018))


if __name__ == "__main__":
    unittest.main()
