# SPDX-License-Identifier: GPL-2.0
"""Builds modules, tools and tests for a guest, all below build/."""

import os
import shutil
from pathlib import Path

from . import arch, cache, config, kernels

# What the modules are made of; each guest builds in its own copy of it, so
# that kernels never fight over object files.
SOURCES = ["Makefile", "Kbuild", "module", "include", "tests/kunit"]
# Programs are the same for all guests; one builds them at a time, be it another
# run of the harness.
PROGRAMS_LOCK = "programs"


def _is_source(file):
    """What somebody wrote, not what a build in the tree left behind."""
    return file.name in ("Makefile", "Kbuild") or \
        file.suffix in (".c", ".h", ".mk") and not file.name.endswith(".mod.c")


def _mirror(top):
    """Bring TOP/src, a copy of SOURCES, up to date; what did not change is left alone."""
    top = top / "src"
    wanted = set()
    for source in SOURCES:
        path = config.ROOT / source
        for file in [path] if path.is_file() else path.rglob("*"):
            if not file.is_file() or not _is_source(file):
                continue
            copy = top / file.relative_to(config.ROOT)
            wanted.add(copy)
            if not copy.exists() or copy.read_bytes() != file.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
    for copy in top.rglob("*.[chS]"):
        if copy not in wanted and not copy.name.endswith(".mod.c"):
            copy.unlink()
    return top


def modules(kernel, top, log, *arguments):
    """Build our modules in a copy of the sources below TOP; returns the copy."""
    tree = _mirror(top)
    cache.run([*kernel.enter, "make", "-C", tree, f"KDIR={kernel.headers}", *kernel.make,
               f"-j{os.cpu_count()}", *arguments, "modules"], log)
    return tree


def _driver(guest, kernel, path, log):
    """A module of one file of the kernel's source, which its packages lack."""
    source = kernels.source("linux-source-6.1") / path
    top = guest.build / source.stem
    copy = top / source.name
    if not copy.exists() or copy.read_bytes() != source.read_bytes():
        top.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        # It includes what lies beside it there.
        (top / "Kbuild").write_text(f"obj-m := {source.stem}.o\nccflags-y := -I{source.parent}\n")
    cache.run([*kernel.enter, "make", "-C", kernel.headers, *kernel.make, f"M={top}",
               "modules"], log)
    return top / f"{source.stem}.ko"


def _dmatest(guest, kernel, log):
    """dmatest.ko: the kernel's own, or built from its source out of tree."""
    if guest.dmatest == "kernel":
        return next(kernel.modules.rglob("dmatest.ko"))
    return _driver(guest, kernel, "drivers/dma/dmatest.c", log)


def _programs(guest, suite, log):
    """The static programs of a suite that has some: {path in the guest: file}."""
    target = arch.of(guest.kernel)
    out = target.programs(config.BUILD) / suite
    out.mkdir(parents=True, exist_ok=True)
    cache.run(["make", f"-j{os.cpu_count()}", "-C", config.ROOT / "tests" / suite, f"O={out}",
               f"KSRC={kernels.source('linux-source-6.1')}", *target.toolchain], log)
    # What has no source any more is left from before.
    sources = {file.stem for file in (config.ROOT / "tests" / suite).iterdir()}

    def wanted(file):
        name, _, variant = file.name.partition(".")
        return (name in sources and os.access(file, os.X_OK)
                and (name in guest.only if guest.only else name not in guest.without)
                and (guest.i386 or "i386" not in variant))

    return {f"programs/{suite}/{file.name}": file for file in sorted(out.iterdir())
            if file.is_file() and wanted(file)}


def _tools(target, log):
    """What every guest gets besides: {path in the guest: file}."""
    out = target.programs(config.BUILD)
    out.mkdir(parents=True, exist_ok=True)
    # Only if need be: another guest may be reading it by now.
    source, program = config.QEMU_DIR / "guest/debug-exit.c", out / "debug-exit"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        cache.run([target.compiler, "-static", "-O2", "-Wall", "-Werror", "-o", program, source],
                  log)
    cache.run(["make", "-C", config.ROOT / "tools/dmo-ctl", f"O={out}", "STATIC=1",
               *target.toolchain], log)
    return {"bin/busybox": kernels.busybox(target.debian), "bin/debug-exit": out / "debug-exit",
            "bin/dmo-ctl": out / "dmo-ctl"}


def guest_files(guest, kernel, log):
    """Everything of ours that goes into a guest: {path in the guest: file}."""
    kunit = "kunit" in guest.suites
    tree = modules(kernel, guest.build, log, *guest.make, f"DMIO_KUNIT={int(kunit)}",
                   f"DMIO_GCOV={'y' if guest.gcov else 'n'}")
    ours = [tree / "module/dmoverio.ko", tree / "module/sim/dmover-sim.ko"]
    if kunit:
        ours += [tree / "tests/kunit/dmoverio-kunit.ko", tree / "tests/kunit/dmover-sim-kunit.ko"]
    # Without dmaengine in the kernel there is no simulator.
    files = {f"modules/{file.name}": file for file in ours if file.exists()}
    for path in guest.drivers:
        files[f"modules/{Path(path).stem}.ko"] = _driver(guest, kernel, path, log)
    if any(suite.startswith(("dmatest", "bench")) for suite in guest.suites):
        files["modules/dmatest.ko"] = _dmatest(guest, kernel, log)
    with cache.lock(PROGRAMS_LOCK):
        files |= _tools(arch.of(guest.kernel), log)
        for suite in guest.suites:
            if (config.ROOT / "tests" / suite / "Makefile").exists():
                files |= _programs(guest, suite, log)
    return files
