# SPDX-License-Identifier: GPL-2.0
"""Writes the file system a guest starts with."""

import gzip
import lzma
import shlex
import stat
import subprocess
from pathlib import Path

from . import config, coverage


class Cpio:
    """An archive in the kernel's "newc" format, which needs no root to write."""

    def __init__(self):
        self._parts = []
        self._directories = set()

    def _add(self, name, mode, data=b"", device=(0, 0)):
        fields = [len(self._parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                  len(name.encode()) + 1, 0]
        head = b"070701" + "".join(f"{field:08x}" for field in fields).encode()
        head += name.encode() + b"\0"
        self._parts.append(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    def directory(self, name):
        """A directory, its parents first."""
        if name in ("", ".") or name in self._directories:
            return
        self.directory(str(Path(name).parent))
        self._directories.add(name)
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o755):
        """A regular file."""
        self.directory(str(Path(name).parent))
        self._add(name, stat.S_IFREG | mode, data)

    def console(self):
        """The device the kernel opens for its first process."""
        self.directory("dev")
        self._add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))

    def bytes(self):
        """The finished archive."""
        self._add("TRAILER!!!", 0)
        return b"".join(self._parts)


def _dependencies(kernel):
    """What each module of the kernel needs: {name: (file, [needed files])}."""
    table = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        file, _, needs = line.partition(":")
        table[Path(file).name.partition(".ko")[0].replace("-", "_")] = (file, needs.split())
    return table


def _load_order(kernel, names, done):
    """Files of the modules NAMES and of all they need, in loading order."""
    table = _dependencies(kernel)
    order = []
    for name in names:
        file, needs = table[name.replace("-", "_")] if name.replace("-", "_") in table \
            else (None, [])     # built into this kernel
        for path in [*reversed(needs), *([file] if file else [])]:
            if path not in done:
                done.add(path)
                order.append(kernel.modules / path)
    return order


def _name(module):
    """What a module of the kernel is called in the guest, where none is packed."""
    return module.name.removesuffix(".xz")


def _contents(module):
    data = module.read_bytes()
    return lzma.decompress(data) if module.suffix == ".xz" else data


def _needed_by(module):
    """Names of the modules that one of ours depends on."""
    shown = subprocess.run(["modinfo", "-F", "depends", module], check=True,
                           capture_output=True, text=True).stdout.strip()
    return [name for name in shown.split(",") if name and name != "dmoverio"]


def write(guest, kernel, files, settings, data=None):
    """Write the initramfs of GUEST and return its path.

    FILES are ours, DATA large ones that are appended uncompressed; SETTINGS
    become the shell variables of /etc/guest.
    """
    cpio = Cpio()
    cpio.console()
    cpio.file("init", (config.QEMU_DIR / "guest/init").read_bytes())
    for suite in (config.QEMU_DIR / "guest/suites").iterdir():
        cpio.file(f"suites/{suite.name}", suite.read_bytes())

    ours = [file for name, file in files.items() if name.endswith(".ko")]
    needed = [name for file in ours for name in _needed_by(file)]
    done = set()
    channel = _load_order(kernel, guest.channel_modules, done)
    others = _load_order(kernel, [*guest.modules, *needed], done)
    for file in channel + others:
        cpio.file(f"modules/{_name(file)}", _contents(file))
    for name, file in files.items():
        cpio.file(name, file.read_bytes())

    drivers = [f"{Path(path).stem}.ko" for path in guest.drivers]
    settings = {"CHANNEL": guest.channel, "TEST_TIMEOUT": str(guest.test_timeout),
                "CHANNEL_MODULES": " ".join(map(_name, channel)),
                "MODULES": " ".join([*map(_name, others), *drivers]),
                "SIM": guest.sim, "OPTIONS": guest.options, "LAST": guest.last,
                "BUSY_OFF": "y" if guest.busy_off else "",
                "GCOV": str(coverage.tree(guest)) if guest.gcov else ""} | settings
    lines = [f"{key}={shlex.quote(value)}" for key, value in settings.items()]
    lines += [f"export {key}={shlex.quote(value)}" for key, value in guest.env.items()]
    cpio.file("etc/guest", ("\n".join(lines) + "\n").encode())
    cpio.file("etc/hint", settings.get("HINT", "").encode())

    path = guest.build / "initramfs"
    with open(path, "wb") as out:
        out.write(gzip.compress(cpio.bytes(), 1))
        if data:
            out.write(bytes(-out.tell() % 4))
            extra = Cpio()
            for name, file in data.items():
                extra.file(name, file.read_bytes(), 0o644)
            out.write(extra.bytes())
    return path
