# SPDX-License-Identifier: GPL-2.0
"""Keeps what is expensive to make: unpacked packages and built kernels.

An entry is a directory that is complete or not there: it is made under a
temporary name and renamed, so that an interrupted run leaves nothing that
could be used by mistake, and under a lock, so that two runs make it once.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


def root():
    """The directory of all entries."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("DMOVERIO_CACHE") or Path(base) / "dmoverio")


@contextmanager
def lock(key):
    """Keeps others, threads and processes, from what belongs to the entry KEY."""
    root().mkdir(parents=True, exist_ok=True)
    with open(root() / f".{key}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def entry(key, fill):
    """The directory of the entry KEY; fill(directory, log) makes it if need be."""
    top = root()
    final = top / key
    if final.is_dir():
        return final
    with lock(key):
        if not final.is_dir():
            print(f"making {final}", file=sys.stderr, flush=True)
            temporary = top / f".{key}.tmp"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            fill(temporary, top / f".{key}.log")
            temporary.rename(final)
    return final


class CommandError(Exception):
    """A command failed; the message ends with the last lines it said."""


def run(command, log, **options):
    """Run a command that only matters if it fails, its output going to LOG."""
    command = [str(word) for word in command]
    with open(log, "a", encoding="utf-8") as out:
        print("+", *command, file=out, flush=True)
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, check=False, **options)
    if status.returncode:
        tail = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()[-25:]
        raise CommandError(f"{' '.join(command)}: status {status.returncode}, see {log}\n"
                           + "\n".join("  " + line for line in tail))
