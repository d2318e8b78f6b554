# SPDX-License-Identifier: GPL-2.0
"""A guest for a person: a shell, one command, the demonstration."""

import shlex
import shutil
import subprocess
import sys

from . import build, config, initramfs, kernels, machine
from .transcript import MARK

HINT = """
{release}, dmoverio is loaded. Try:  dmo-ctl   ls -l /dev/dmoverio   dmesg | tail
Leave with "exit" or Ctrl-D{escape}.

"""


def _boot(guest, settings, sink, terminal, data=None, console=None):
    guest.suites = []
    guest.build.mkdir(parents=True, exist_ok=True)
    log = guest.build / "build.log"
    log.unlink(missing_ok=True)
    kernel = kernels.get(guest.kernel)
    files = build.guest_files(guest, kernel, log)
    if "HINT" in settings:
        escape = "" if guest.machine == "uml" else "; Ctrl-A X kills the machine"
        settings["HINT"] = HINT.format(release=kernel.release, escape=escape)
    image = initramfs.write(guest, kernel, files, settings, data)
    return machine.run(guest, kernel, image, sink, console, terminal)


class Command:
    """Passes on what one command in the guest prints; finds its status."""

    def __init__(self):
        self.status = None
        self._inside = False
        self._blank = False     # a newline that belongs to the next mark

    def __call__(self, line):
        if line.startswith(MARK):
            word, *rest = line[len(MARK):].split()
            self._inside = word == "begin"
            self._blank = False
            if word == "end":
                self.status = int(rest[2])
        elif self._inside:
            if self._blank:
                print(flush=True)
            self._blank = not line
            if line:
                print(line, flush=True)


def shell(guest):
    """An interactive shell on the user's terminal."""
    columns, rows = shutil.get_terminal_size()
    saved = subprocess.run(["stty", "-g"], stdout=subprocess.PIPE, check=False).stdout
    try:
        _boot(guest, {"MODE": "shell", "HINT": "", "STTY": f"rows {rows} cols {columns}"},
              lambda line: None, terminal=True)
    finally:
        if saved:
            subprocess.run(["stty", saved.strip()], check=False)
    return 0


def command(guest, words):
    """Run one command; its output and its exit status are ours."""
    sink = Command()
    console = guest.build / "console"
    console.parent.mkdir(parents=True, exist_ok=True)
    with open(console, "wb") as file:
        _boot(guest, {"MODE": "command", "COMMAND": words[0] if len(words) == 1 else shlex.join(words)}, sink, False, console=file)
    if sink.status is None:
        print(f"the guest died, see {console.relative_to(config.ROOT)}", file=sys.stderr)
    return 125 if sink.status is None else sink.status


def demonstrate(guest, script, data):
    """Run SCRIPT on the guest's console, the user watching, with the files DATA in it."""
    sink = Command()
    _boot(guest, {"MODE": "console", "COMMAND": script}, sink, False, data)
    return 125 if sink.status is None else sink.status
