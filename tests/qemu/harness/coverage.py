# SPDX-License-Identifier: GPL-2.0
"""Which lines of the module the tests executed: gcov's data, lcov's report."""

import base64
import io
import tarfile
import time
import tomllib
from collections import defaultdict

from . import cache, config, judge, report as output

# Of the lines of the module, this part must be executed ...
LEAST = 0.95
# ... and this part may be listed as out of reach
MOST_EXCUSED = 0.02
OUT = config.BUILD / "coverage"
EXCUSES = config.QEMU_DIR / "unreachable.toml"


def tree(guest):
    """Where the modules of a guest are built, which is what gcov calls them by."""
    return guest.build / "src"


def collect(guest, lines):
    """Put the data that a guest sent beside what it belongs to; returns notes."""
    for file in tree(guest).rglob("*.gcda"):
        file.unlink()
    if not lines:
        return ["no data of gcov came"]
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode("".join(lines)))) as archive:
        archive.extractall(tree(guest))
    return []


def _trace(guest, log):
    """lcov's trace file of what a guest executed."""
    trace = OUT / f"{guest.name}.info"
    cache.run(["lcov", "--quiet", "--gcov-tool", "gcov-12", "--capture",
               "--directory", tree(guest), "--base-directory", tree(guest),
               "--output-file", trace], log)
    return trace


def counts(text):
    """{file: {line: how often}} of a trace file."""
    found, file = defaultdict(dict), None
    for line in text.splitlines():
        word, _, rest = line.partition(":")
        if word == "SF":
            file = rest
        elif word == "DA":
            number, times = rest.split(",")[:2]
            found[file][int(number)] = found[file].get(int(number), 0) + int(times)
    return found


def _module(guests, log):
    """The same of the module's own files, their names being relative to the project."""
    total = defaultdict(lambda: defaultdict(int))
    for guest in guests:
        top = str(tree(guest)) + "/"
        for file, lines in counts(_trace(guest, log).read_text(encoding="utf-8")).items():
            name = file.removeprefix(top)
            if name.startswith("module/") and "/sim/" not in name:
                for number, times in lines.items():
                    total[name][number] += times
    return total


def _excuses():
    if not EXCUSES.exists():
        return []
    with open(EXCUSES, "rb") as file:
        return tomllib.load(file)["lines"]


def excused(missed, excuses):
    """(lines that have an excuse, excuses of which no line is missed). MISSED is
    {file: {number: text}}; an excuse is for all lines of a file with its text."""
    found, useless = set(), []
    for excuse in excuses:
        mine = {(excuse["file"], number) for number, text in missed.get(excuse["file"], {}).items()
                if text.strip() == excuse["line"]}
        found |= mine
        if not mine:
            useless.append(excuse)
    return found, useless


def _text(file):
    return (config.ROOT / file).read_text(encoding="utf-8").splitlines()


def report(guests, totals):
    """Say what was not executed, and judge it."""
    start = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    total = _module(guests, OUT / "lcov.log")
    missed = {file: {number: _text(file)[number - 1] for number, times in sorted(lines.items())
                     if not times} for file, lines in total.items()}
    have, useless = excused(missed, _excuses())
    everything = sum(map(len, total.values()))
    for file, lines in sorted(total.items()):
        output.say(f"coverage {file:28} {len(lines) - len(missed[file]):5} of {len(lines):5} lines "
                   f"{100 - 100 * len(missed[file]) / len(lines):6.1f} %")
    with open(OUT / "missed", "w", encoding="utf-8") as out:
        for file, lines in sorted(missed.items()):
            for number, text in lines.items():
                mark = "excused" if (file, number) in have else ""
                print(f"{file}:{number}:{mark}\t{text.strip()}", file=out)
    executed = everything - sum(map(len, missed.values()))
    results = [
        _result(f"{executed} of {everything} lines, {100 * executed / max(everything, 1):.1f} %",
                everything and executed >= LEAST * everything),
        _result(f"{len(have)} lines are out of reach", len(have) <= MOST_EXCUSED * everything),
        _result(f"{everything - executed - len(have)} lines are neither executed nor excused",
                everything and everything == executed + len(have)),
        _result(f"{len(useless)} excuses are for nothing", not useless)]
    output.say("\n".join(f"coverage {result.name}" for result in results))
    output.failures("coverage", results)
    totals.add("coverage", "lines", results, time.monotonic() - start)


def _result(name, good):
    return judge.Result("lines", name, judge.PASSED if good else judge.FAILED,
                        [] if good else [f"see {OUT / 'missed'}"])
