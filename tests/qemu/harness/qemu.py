# SPDX-License-Identifier: GPL-2.0
"""The QEMU a guest runs on: the machine's own, or a later one from another suite.

The latter is unpacked with every library it needs, down to its C library, and
started by its own dynamic loader: nothing of it is installed, and nothing of
the machine's is mixed with it.
"""

from . import cache, packages

PACKAGE = "qemu-system-x86"
PROGRAM = "qemu-system-x86_64"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"


def command(suite):
    """What a command line begins with to run the x86 QEMU of SUITE."""
    apt = packages.of(suite)

    def fill(directory, log):
        apt.unpack([PACKAGE], directory, log, closure=True)

    # Colons separate the directories of --library-path.
    version = apt.version(PACKAGE).replace(":", ".")
    top = cache.entry(f"{PACKAGE}_{version}_{suite}", fill)
    return [top / LOADER, "--library-path", top / LIBRARIES, top / "usr/bin" / PROGRAM,
            "-L", top / "usr/share/qemu", "-L", top / "usr/share/seabios"]
