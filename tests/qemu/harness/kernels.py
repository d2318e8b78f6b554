# SPDX-License-Identifier: GPL-2.0
"""Kernels to test on: fetched as packages of the distribution, or built from its source.

Their versions are asked of apt each time, so a kernel update is picked up by
itself. A kernel of another suite wants compiler and tools of that suite: they
are unpacked beside it, and modules are built with that directory as the root.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from . import arch, cache, config, packages

# What a build needs beside compiler and linux-kbuild. base-files has the links
# from /bin to /usr/bin, dash is the shell.
TOOLS = ["base-files", "bash", "binutils", "coreutils", "dash", "diffutils", "findutils",
         "gawk", "grep", "libc6-dev", "make", "perl", "sed"]


@dataclass
class Kernel:
    """A kernel that can be booted and built against."""
    release: str
    image: Path
    headers: Path       # what make -C gets to build modules
    modules: Path       # its own modules, with modules.dep
    make: list          # further arguments of make
    dtbs: Path | None = None    # the device trees that came with it
    enter: list = field(default_factory=list)   # what commands of a build begin with


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def source(package, suite=None):
    """The unpacked source tree of a linux-source package, with our patch if there is one.

    "linux-source" is the newest of its suite.
    """
    apt = packages.of(suite)
    if package == "linux-source":
        package = apt.depend(package, r"linux-source-\d.*")
    patch = config.QEMU_DIR / f"patches/{package}.patch"
    key = f"{package}_{apt.version(package)}"
    if patch.exists():
        key += "-" + _digest(patch.read_text().partition("\n--- ")[2])

    def fill(directory, log):
        apt.unpack([package], directory, log)
        tar, = (directory / "usr/src").glob("linux-source-*.tar.xz")
        cache.run(["tar", "-xf", tar, "-C", directory, "--strip-components=1"], log)
        tar.unlink()
        if patch.exists():
            cache.run(["patch", "-d", directory, "-p1", "-i", patch], log)

    return cache.entry(key, fill)


def busybox(foreign):
    """A static busybox of a foreign architecture; None is the machine's own."""
    if not foreign:
        return Path("/bin/busybox")
    apt = packages.of(None, foreign)
    version = apt.version("busybox-static").partition(":")[2]

    def fill(directory, log):
        apt.unpack(["busybox-static"], directory, log)

    return cache.entry(f"busybox-static_{version}_{foreign}", fill) / "bin/busybox"


def _unpack_debian(apt, image, headers, own_tools, directory, log):
    """A kernel and what modules for it need; all tools, too, if they are its OWN_TOOLS."""
    kbuild = apt.depend(headers, r"linux-kbuild-.*")
    names = [image, *apt.depends(image, r"linux-(binary|modules)-.*"), headers,
             apt.depend(headers, r"linux-headers-.*-common(-rt)?")]
    if own_tools:
        # First of all, because of the links in base-files
        apt.unpack([*TOOLS, apt.depend(headers, r"gcc-\d+(-for-host)?"), kbuild], directory, log,
                   closure=True)
        (directory / "usr/bin/awk").symlink_to("gawk")
        apt.unpack(names, directory, log)
    else:
        apt.unpack(names, directory, log)
        # What builds is the machine's, whatever it builds for.
        packages.of(None).unpack([kbuild], directory, log)
        # The headers' Makefile names its other half by where dpkg would put it.
        makefile = directory / f"usr/src/{headers}/Makefile"
        makefile.write_text(makefile.read_text().replace(
            "include /usr/src/", "include $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)/"))
    cache.run(["depmod", "-b", directory, image.removeprefix("linux-image-")], log)


def _debian(kernel):
    """A kernel as users run it, from the packages its meta packages point to."""
    suite, target = kernel.get("suite"), arch.of(kernel)
    apt = packages.of(suite, target.debian)
    metas = [f"linux-image-{kernel['flavour']}", f"linux-headers-{kernel['flavour']}"]
    version = apt.fields(*metas)[metas[0]]["Version"]
    image = apt.depend(metas[0], r"linux-image-\d.*")
    headers = apt.depend(metas[1], r"linux-headers-\d.*")
    release = image.removeprefix("linux-image-")

    def fill(directory, log):
        _unpack_debian(apt, image, headers, suite is not None, directory, log)

    top = cache.entry("_".join(filter(None, [image, version, suite])), fill)
    modules = top / f"lib/modules/{release}"
    vmlinuz = next(file for file in (top / f"boot/vmlinuz-{release}", modules / "vmlinuz")
                   if file.exists())
    source_dir = f"usr/src/{headers}"
    if not suite:
        return Kernel(release, vmlinuz, top / source_dir, modules, target.make,
                      top / f"usr/lib/{image}")
    private = "-m" if os.geteuid() == 0 else "-mr"
    return Kernel(release, vmlinuz, Path("/") / source_dir, modules, target.make,
                  top / f"usr/lib/{image}",
                  ["unshare", private, config.QEMU_DIR / "enter", top, config.BUILD])


def _lines(fragments):
    """The settings of configuration fragments, comments aside."""
    return sorted(line for fragment in fragments for line in fragment.read_text().splitlines()
                  if line.startswith("CONFIG_"))


def _unset(lines, dotconfig):
    """The settings that did not survive the kernel's own dependencies."""
    have = set(dotconfig.read_text().splitlines())
    names = {line.partition("=")[0] for line in have}
    return [line for line in lines
            if (line.partition("=")[0] in names if line.endswith("=n") else line not in have)]


def _built(kernel):
    """A kernel built from the distribution's source with fragments of ours."""
    fragments = [config.QEMU_DIR / "config" / name for name in kernel["config"]]
    name, lines = fragments[-1].stem, _lines(fragments)
    target, own = arch.of(kernel), kernel.get("make", [])
    tree = source(kernel["package"], kernel.get("suite"))

    def fill(directory, log):
        make = ["make", "-C", tree, f"O={directory}", *target.make]
        wanted = directory / "fragments.config"
        wanted.write_text("\n".join([*lines, ""]))
        cache.run(make + [f"KCONFIG_ALLCONFIG={wanted}", "allnoconfig"], log)
        unset = _unset(lines, directory / ".config")
        if unset:
            raise cache.CommandError(f"{name}: without effect: {' '.join(unset)}")
        cache.run(make + own + [f"-j{os.cpu_count()}", "all"], log)
        cache.run(make + [f"INSTALL_MOD_PATH={directory}", "modules_install"], log)
        # Later kernels note where they were built, which is not where they will be.
        makefile = directory / "Makefile"
        makefile.write_text(makefile.read_text().replace(
            f" = {directory}\n", " := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))\n"))

    digest = _digest("\n".join(lines + own))
    top = cache.entry(f"{tree.name}_{name}-{digest}", fill)
    release = (top / "include/config/kernel.release").read_text().strip()
    return Kernel(release, top / kernel["image"], top, top / f"lib/modules/{release}",
                  target.make)


def get(kernel):
    """The kernel of a row of [kernels], made if it is not in the cache."""
    return {"debian": _debian, "source": _built}[kernel["from"]](kernel)
