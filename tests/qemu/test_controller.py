# SPDX-License-Identifier: GPL-2.0
"""Proves that a controller that fails is seen, and that none is left behind."""

import json
import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from harness import ioat


class Controller(unittest.TestCase):
    """The process beside QEMU; the test plays QEMU."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.results = Path(directory.name)
        self.complaints = []

    def attached(self, *options):
        """A controller with these options; what was started is in self.process."""
        guest = mock.Mock(ioat=list(options), memory="64M", results=self.results)
        start = ioat._start     # pylint: disable=protected-access

        def started(*arguments):
            self.process = start(*arguments)
            return self.process

        patch = mock.patch.object(ioat, "_start", started)
        patch.start()
        self.addCleanup(patch.stop)
        return ioat.attached(guest, self.complaints)

    @staticmethod
    def connect(arguments):
        """As QEMU would."""
        device = json.loads(arguments[-1])
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(device["socket"]["path"])
        return connection

    def test_good_end(self):
        """It ends with QEMU, says what it has seen, and there is nothing to complain of."""
        with self.attached("--channels=1") as arguments:
            self.connect(arguments).close()
        self.assertEqual((self.process.returncode, self.complaints), (0, []))
        self.assertIn("messages:", (self.results / ioat.LOG).read_text())

    def test_failure(self):
        """An exit status, with what it said."""
        with self.attached("--no-such-option"):
            pass
        self.assertIn("status 2", self.complaints[0])
        self.assertIn("no-such-option", "\n".join(self.complaints))

    def test_death(self):
        """It was killed while the guest ran."""
        with self.attached() as arguments, self.connect(arguments):
            self.process.kill()
            self.process.wait()
        self.assertIn("status -9", self.complaints[0])

    @mock.patch.object(ioat, "PATIENCE", 0.01)
    def test_hang(self):
        """QEMU has ended, and it has not."""
        with self.attached():
            pass
        self.assertIn("did not end", self.complaints[0])
        self.assert_gone()

    def test_failed_guest(self):
        """Whatever goes wrong elsewhere, it does not stay."""
        with self.assertRaises(subprocess.TimeoutExpired):
            with self.attached():
                raise subprocess.TimeoutExpired("qemu", 1)
        self.assert_gone()

    def assert_gone(self):
        """No process is left, not even a zombie."""
        with self.assertRaises(ProcessLookupError):
            os.kill(self.process.pid, 0)

    def test_none(self):
        """A guest without one."""
        with ioat.attached(mock.Mock(ioat=None), self.complaints) as arguments:
            self.assertEqual(arguments, [])


if __name__ == "__main__":
    unittest.main()
