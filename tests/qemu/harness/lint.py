# SPDX-License-Identifier: GPL-2.0
"""Static checks. Each is one function that returns what it has to complain of."""

import functools
import os
import re
import shlex
import shutil
import subprocess
import threading
import time

from . import build, cache, config, judge, kernels, report

STOCK = {"from": "debian", "flavour": "amd64"}
ARM64 = {"from": "debian", "flavour": "arm64", "arch": "arm64"}
SOURCE = "linux-source-6.1"

# Rules that make no sense here: there is no MAINTAINERS file to update.
CHECKPATCH_IGNORE = ["FILE_PATH_CHANGES"]
# The manual page has typedefs and the types of <stdint.h>.
CHECKPATCH_CLASSIC = ["NEW_TYPEDEFS", "PREFER_KERNEL_TYPES"]
# libFuzzer looks for a function with such a name.
CHECKPATCH_FUZZ = ["CAMELCASE"]

# The kernel's semantic patches of each directory, without those that are not meant
# for us, with the reason.
COCCI_DIRS = ["api", "free", "iterators", "locks", "misc", "null", "tests"]
COCCI_IGNORE = {
    # Takes every counter for one of references; dmio_dma_task's counts transfers.
    "atomic_as_refcounter",
}
# Of the paths through a function as many as fit into the time, about a second a file.
ANALYZER = ["--analyze", "-Xanalyzer", "-analyzer-config", "-Xanalyzer", "max-nodes=20000",
            "-o", "/dev/null"]
# What it cannot know
ANALYZER_IGNORE = [
    # The lists of a job are as long as the job.
    r"module/cpu_ops\.c:\d+:\d+: warning: Access to field 'offset' results in a "
    r"dereference of a null pointer \(loaded from field 'sg'\)",
]
# GNU C's arithmetic on pointers to void is the kernel's.
CPPCHECK = ["cppcheck", "--quiet", "--enable=warning,performance,portability", "--std=c11",
            "--inline-suppr", "--suppress=arithOperationsOnVoidPointer", "--error-exitcode=1",
            "--template={file}:{line}: {severity}: {message} [{id}]",
            "--include=tests/qemu/config/cppcheck.h", "-Iinclude", "-Iinclude/uapi"]

CLASSIC = [
    ["gcc", "-std=c99", "-pedantic"],
    ["gcc", "-std=c11", "-m32"],
    ["gcc", "-std=c11", "-DDMIO_ABI=2"],
    ["clang", "-std=c11", "-pedantic"],
    ["g++", "-x", "c++", "-std=c++17"],
]
# Sizes on 64 and on 32 bits. The array of negative size works in any C.
CLASSIC_PROGRAM = """
#include <dev/dmover/dmover_io.h>
#define SIZE(type, on64, on32) \\
    extern char size_ok[sizeof(type) == (sizeof(void *) == 8 ? (on64) : (on32)) ? 1 : -1]
SIZE(struct dmio_setfunc, 64, 64);
SIZE(dmio_buffer, 16, 8);
SIZE(struct dmio_usrresp, 8 + 8 * (DMIO_ABI - 1), 8 + 8 * (DMIO_ABI - 1));
"""
CLASSIC_REQUEST = "SIZE(struct dmio_usrreq, 32, 20);\n"
NATIVE_PROGRAM = """
#include <linux/dmoverio.h>
extern char size_ok[sizeof(struct dmoverio_buf) == 24 && sizeof(struct dmoverio_sqe) == 80 &&
                    sizeof(struct dmoverio_cqe) == 32 ? 1 : -1];
"""


def _said(command, cwd=None, ignore=None, **options):
    """What a command that should be silent and successful said, but for what to IGNORE."""
    done = subprocess.run([str(word) for word in command], check=False, text=True,
                          cwd=cwd or config.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    lines = [line for line in done.stdout.splitlines()
             if not (ignore and re.search(ignore, line))]
    if done.returncode and not lines:
        lines = [f"exit status {done.returncode}"]
    return lines


def _module(name, *arguments, kernel=None):
    """Warnings of a build of the module."""
    top = config.BUILD / f"lint-{name}"
    # Afresh each time: what is up to date is not compiled and would not warn.
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    log = top / "log"
    build.modules(kernels.get(kernel or STOCK), top, log, "DMIO_KUNIT=0", *arguments)
    return [line for line in log.read_text().splitlines()
            if re.search(r"(warning|error):|WARNING", line) and "skipping BTF" not in line.lower()]


def _module_gcc():
    return _module("gcc", "W=1", "C=2", "KCFLAGS=-Werror")


def _module_arm64():
    return _module("arm64", "W=1", "KCFLAGS=-Werror", kernel=ARM64)


# One build by clang serves two checks.
_clang_lock = threading.Lock()


@functools.cache
def _clang_build():
    return _module("clang", "W=1", "KCFLAGS=-Werror", "CC=clang")


def _module_clang():
    with _clang_lock:
        return _clang_build()


def _analyzer_commands(tree):
    """How clang compiled each file, as commands that analyze it."""
    for file in sorted((tree / "module").rglob(".*.o.cmd")):
        found = re.match(r"\S+ := (.*?) -c -o \S+ (\S+\.c)\b", file.read_text())
        if found and not found[2].endswith(".mod.c"):
            words = [word for word in shlex.split(found[1])
                     if word != "-Werror" and not word.startswith("-Wp,-MMD")]
            yield [*words, *ANALYZER, found[2]]


def _analyzer():
    _module_clang()
    tree = config.BUILD / "lint-clang/src"
    said, nr = [], 0
    for nr, command in enumerate(_analyzer_commands(tree), 1):
        # Not the lines of code that it quotes, and not the kernel's headers
        said += [line.removeprefix(f"{tree}/")
                 for line in _said(command, cwd=kernels.get(STOCK).headers)
                 if re.search(r"error:|^exit status", line)
                 or line.startswith(f"{tree}/") and "warning:" in line]
    said = [line for line in said if not any(re.search(known, line) for known in ANALYZER_IGNORE)]
    return said if nr else ["no file was analyzed"]


def _coccicheck(directory):
    scripts = sorted((kernels.source(SOURCE) / "scripts/coccinelle" / directory).rglob("*.cocci"))
    files = _files("module/**/*.c")
    said = [] if scripts else [f"no semantic patch in {directory}"]
    for script in scripts:
        if script.stem in COCCI_IGNORE:
            continue
        options = re.findall(r"^// *Options:(.*)", script.read_text(), re.MULTILINE)
        # What is ignored it says of the patches themselves.
        said += _said(["spatch", "-D", "report", "--very-quiet", "--no-show-diff",
                       *" ".join(options).split(), "--cocci-file", script, *files],
                      ignore="^warning: line ")
    return said


def _cppcheck():
    return _said([*CPPCHECK, "module", "tools", "tests/selftests", "tests/bench", "tests/fuzz",
                  "tests/kunit", "tests/qemu/guest"])


def _files(*patterns):
    return sorted(file for pattern in patterns for file in config.ROOT.glob(pattern)
                  if not file.name.endswith(".mod.c"))


def _checkpatch():
    script = kernels.source(SOURCE) / "scripts/checkpatch.pl"

    def check(files, ignored):
        return _said(["perl", script, "--strict", "--no-tree", "--quiet", "--terse",
                      "--no-summary", "--show-types", "--ignore", ",".join(ignored),
                      "-f", *files])
    classic = _files("include/dev/**/*.h")
    fuzz = _files("tests/fuzz/*.c")
    others = _files("module/**/*.[ch]", "include/uapi/**/*.h", "tests/kunit/*.[ch]")
    return (check(others, CHECKPATCH_IGNORE)
            + check(classic, CHECKPATCH_IGNORE + CHECKPATCH_CLASSIC)
            + check(fuzz, CHECKPATCH_IGNORE + CHECKPATCH_FUZZ))


def _kernel_doc():
    script = kernels.source(SOURCE) / "scripts/kernel-doc"
    return _said(["perl", script, "-none", "-Werror",
                  *_files("module/**/*.[ch]", "include/uapi/**/*.h")])


def _scripts():
    """Files that start as shell scripts, wherever they are."""
    for file in _files("scripts/*", ".ci/*", "tests/**/*"):
        if file.is_file() and config.BUILD not in file.parents:
            with open(file, "rb") as stream:
                if re.match(rb"#!\s*/\S*/(env )?(busybox )?(ba|da)?sh\b", stream.read(64)):
                    yield file


def _shellcheck():
    return _said(["shellcheck", *_scripts()])


def _codespell():
    tracked = [config.ROOT / name for name in os.listdir(config.ROOT)
               if name not in (".git", "build")]
    # mdoc has a macro of that name
    return _said(["codespell", "--skip", "*.ko,*.o,*.pyc", "--ignore-words-list", "nd",
                  *tracked])


def _manual_pages():
    return _said(["mandoc", "-Tlint", "-Wwarning",
                  *sorted((config.ROOT / "tools/man").glob("*.[48]"))])


def _include_direction():
    return _said([config.ROOT / "scripts/check-includes"])


def _compiles(compiler, program):
    return _said([*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", "include",
                  "-I", "include/uapi", *([] if "-x" in compiler else ["-x", "c"]), "-"],
                 input=program)


def _classic(compiler):
    abi = 2 if "-DDMIO_ABI=2" in compiler else 1
    program = CLASSIC_PROGRAM.replace("DMIO_ABI", str(abi))
    return _compiles(compiler, program + (CLASSIC_REQUEST if abi == 1 else ""))


def _native(compiler):
    return _compiles([word for word in compiler if word != "-pedantic"], NATIVE_PROGRAM)


def _has(header, word):
    """Whether a header has come so far."""
    return word in (config.ROOT / "include" / header).read_text(encoding="utf-8")


def checks():
    """(name, function, arguments...) of every check, the slow ones first."""
    table = [("module, gcc W=1, sparse", _module_gcc),
             ("module, clang W=1", _module_clang), ("module, arm64 W=1", _module_arm64),
             ("module, clang's analyzer", _analyzer),
             *((f"coccicheck, {directory}", _coccicheck, directory) for directory in COCCI_DIRS),
             ("cppcheck", _cppcheck), ("checkpatch", _checkpatch),
             ("kernel-doc", _kernel_doc), ("shellcheck", _shellcheck),
             ("codespell", _codespell), ("manual pages", _manual_pages),
             ("direction of includes", _include_direction)]
    for compiler in CLASSIC:
        name = " ".join(compiler)
        if "-DDMIO_ABI=2" not in compiler or _has("dev/dmover/dmover_io.h", "DMIO_ABI"):
            table.append((f"classic header, {name}", _classic, compiler))
        if "-DDMIO_ABI=2" not in compiler and _has("uapi/linux/dmoverio.h", "dmoverio_sqe"):
            table.append((f"native header, {name}", _native, compiler))
    return table


def run(check, totals):
    """Run one check and count it."""
    name, function, *arguments = check
    start = time.monotonic()
    try:
        why = function(*arguments)
    except cache.CommandError as error:
        why = str(error).splitlines()
    seconds = time.monotonic() - start
    results = [judge.Result("lint", name, judge.FAILED if why else judge.PASSED, why[:60])]
    report.line("lint", name, results, seconds)
    report.failures("lint", results)
    totals.add("host", "lint", results, seconds)
