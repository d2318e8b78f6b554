# SPDX-License-Identifier: GPL-2.0
"""What follows from the architecture of a guest's kernel, the key "arch" of its row.

Without the key it is the machine's own. Modules and programs for another one
are cross compiled; the tools that build them stay the machine's.
"""

from dataclasses import dataclass
from pathlib import Path

from . import cache, packages


@dataclass(frozen=True)
class Arch:
    """One architecture."""
    kernel: str | None = None       # ARCH of the kernel's build, if not the machine's own
    debian: str | None = None       # Debian's name of it, if its programs are foreign here
    triplet: str | None = None      # and what its tools' names begin with

    @property
    def compiler(self):
        """The compiler of programs."""
        return _cross_compiler(self.triplet) if self.triplet else "gcc"

    @property
    def toolchain(self):
        """Arguments of make for programs; the machine's own are built as users build them."""
        return [f"CC={self.compiler}", "I386=n"] if self.triplet else []

    @property
    def make(self):
        """Arguments of make for the kernel and its modules."""
        return [*([f"ARCH={self.kernel}"] if self.kernel else []),
                *([f"CROSS_COMPILE={self.triplet}-", f"CC={self.compiler}"]
                  if self.triplet else [])]

    def programs(self, top):
        """Where below the directory TOP programs are built."""
        return top / "-".join(filter(None, ["programs", self.debian]))


ARCHS = {
    None: Arch(),
    "um": Arch("um"),
    "arm64": Arch("arm64", "arm64", "aarch64-linux-gnu"),
    "armhf": Arch("arm", "armhf", "arm-linux-gnueabihf"),
}


def of(kernel):
    """The architecture of a row of [kernels]."""
    return ARCHS[kernel.get("arch")]


def _cross_compiler(triplet):
    """Debian's cross compiler, unpacked: to be installed, it would oust gcc-multilib."""
    apt = packages.of(None)
    gcc = apt.depend(f"gcc-{triplet}", rf"gcc-\d+-{triplet}")
    parts = [gcc, *apt.depends(gcc, r"cpp-.*|libgcc-\d+-dev-.*-cross")]

    def fill(directory, log):
        apt.unpack(parts, directory, log)
        # It looks for C library, assembler, linker here, and these are installed.
        (directory / "usr" / triplet).symlink_to(Path("/usr") / triplet)

    name = gcc.removesuffix(f"-{triplet}")
    return cache.entry(f"{gcc}_{apt.version(gcc)}", fill) / f"usr/bin/{triplet}-{name}"
