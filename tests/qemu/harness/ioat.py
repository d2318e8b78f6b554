# SPDX-License-Identifier: GPL-2.0
"""The emulated DMA controller of a guest: the program ../ioat, a process beside QEMU."""

import json
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import config

# It ends by itself when QEMU has ended.
PATIENCE = 120
LOG = "ioat.log"


def _arguments(guest, path):
    """What QEMU needs for it: memory that it can share, and the device."""
    device = {"driver": "vfio-user-pci", "addr": "5", "x-msg-timeout": 60000,
              "socket": {"type": "unix", "path": str(path)}}
    return ["-object", f"memory-backend-memfd,id=ram,size={guest.memory},share=on",
            "-machine", "memory-backend=ram", "-device", json.dumps(device)]


def _start(path, options, log):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        return subprocess.Popen(
            [sys.executable, "-B", "-m", "ioat", "--listen", str(listener.fileno()), *options],
            pass_fds=[listener.fileno()], cwd=config.QEMU_DIR, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True)


def _end(process):
    """What is wrong with how it ended; nothing, as a rule."""
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return ["the emulated controller did not end and was killed"]
    return [f"the emulated controller ended with status {status}"] if status else []


@contextmanager
def attached(guest, complaints):
    """Runs a controller if the guest is to have one; gives the arguments QEMU needs for it.

    What goes wrong is added to COMPLAINTS.
    """
    if guest.ioat is None:
        yield []
        return
    guest.results.mkdir(parents=True, exist_ok=True)
    path = guest.results / LOG
    with tempfile.TemporaryDirectory() as directory, open(path, "ab") as log:
        process = _start(Path(directory) / "socket", guest.ioat, log)
        try:
            yield _arguments(guest, Path(directory) / "socket")
            found = _end(process)
        finally:
            process.kill()
            process.wait()
    if found:
        complaints += found + path.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
