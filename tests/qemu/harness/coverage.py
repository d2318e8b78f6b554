# SPDX-License-Identifier: GPL-2.0
"""Which lines of the module the tests executed: gcov's data, lcov's report."""

import base64
import io
import tarfile
import time
import tomllib
from collections import defaultdict

from . import cache, config, judge, report as output

# Where it is taken: other kernels have no gcov
GUESTS = ["uml", "uml-sim", "uml-fail"]
# Of the lines of the module, this part must be executed ...
LEAST = 0.95
# ... and this part may be listed as out of reach
MOST_EXCUSED = 0.02
OUT = config.BUILD / "coverage"
EXCUSES = config.QEMU_DIR / "unreachable.toml"


def guests():
    """Those guests. They have names of their own, as the usual ones may run meanwhile."""
    found = [config.guests()[name] for name in GUESTS]
    for guest in found:
        guest.bases = [guest.name, *guest.bases]
        guest.name += "-gcov"
        guest.gcov, guest.budget = True, {}
    return found


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


def listed():
    """The list of lines that no test reaches."""
    with open(EXCUSES, "rb") as file:
        return tomllib.load(file)["lines"]


def _text(file):
    return (config.ROOT / file).read_text(encoding="utf-8").splitlines()


def places(excuse, text):
    """The numbers of the lines that an excuse is for, as often as it stands in TEXT."""
    context, wanted = ([line.strip() for line in excuse.get(key, "").strip().splitlines()]
                       for key in ("after", "line"))
    text = [line.strip() for line in text]
    block = context + wanted
    return [range(first + len(context) + 1, first + len(block) + 1)
            for first in range(len(text) - len(block) + 1)
            if text[first:first + len(block)] == block]


def excused(total, excuses, text=_text):
    """(lines that have an excuse, what is wrong with excuses). TOTAL is what counts()
    gives; TEXT(file) has a file's lines."""
    found, wrong = set(), []
    for excuse in excuses:
        file, lines = excuse["file"], total.get(excuse["file"], {})
        name = f"{file}: {excuse['line'].strip()}"
        if not excuse.get("reason"):
            wrong.append(f"{name}: no reason")
        known = places(excuse, text(file)) if lines else []
        if len(known) != excuse.get("times", 1):
            wrong.append(f"{name}: stands there {len(known)} times")
        for place in known:
            code = [number for number in place if number in lines]
            if not code:
                wrong.append(f"{name}: no code, line {place[0]}")
            wrong += [f"{name}: executed, line {number}" for number in code
                      if lines[number] and not excuse.get("luck")]
            found |= {(file, number) for number in code if not lines[number]}
    return found, wrong


def judged(total, have, wrong):
    """The results: TOTAL is what counts() gives, HAVE and WRONG what excused() does."""
    everything = sum(map(len, total.values()))
    executed = sum(times > 0 for lines in total.values() for times in lines.values())
    rest = everything - executed - len(have)
    see = [f"see {OUT / 'missed'}"]
    return [
        _result("lines that are executed",
                f"{executed} of {everything}, {100 * executed / max(everything, 1):.1f} %",
                everything and executed >= LEAST * everything, see),
        _result("lines that are out of reach",
                f"{len(have)}, {100 * len(have) / max(everything, 1):.1f} %",
                everything and len(have) <= MOST_EXCUSED * everything, see),
        _result("lines that are neither", f"{rest}", everything and not rest, see),
        _result("excuses that are none", f"{len(wrong)}", not wrong, wrong)]


def _result(name, said, good, why):
    output.say(f"coverage {name}: {said}")
    return judge.Result("lines", name, judge.PASSED if good else judge.FAILED,
                        [] if good else [said, *why])


def report(guests, totals):
    """Say what was not executed, and judge it."""
    start = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    total = _module(guests, OUT / "lcov.log")
    have, wrong = excused(total, listed())
    with open(OUT / "missed", "w", encoding="utf-8") as out:
        for file, lines in sorted(total.items()):
            missed = sorted(number for number, times in lines.items() if not times)
            output.say(f"coverage {file:28} {len(lines) - len(missed):5} of {len(lines):5} lines "
                       f"{100 - 100 * len(missed) / len(lines):6.1f} %")
            for number in missed:
                mark = "excused" if (file, number) in have else ""
                print(f"{file}:{number}:{mark}\t{_text(file)[number - 1].strip()}", file=out)
    results = judged(total, have, wrong)
    output.failures("coverage", results)
    totals.add("coverage", "lines", results, time.monotonic() - start)
