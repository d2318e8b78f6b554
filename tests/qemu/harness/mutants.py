# SPDX-License-Identifier: GPL-2.0
"""Plants the defects of mutants.toml, one at a time, and sees whether the tests notice."""

import queue
import shutil
import subprocess
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

from . import config, judge, report

TABLE = config.QEMU_DIR / "mutants.toml"
OUT = config.BUILD / "mutants"
# They run at the same time, each in a copy of the project
COPIES = 2
SUITES = ["kunit", "selftests"]
# Where one is looked for that does not say where, until it is found
GUESTS = ["uml", "uml-fail"]


def load():
    """The table."""
    with open(TABLE, "rb") as file:
        return tomllib.load(file)["mutant"]


def where(mutant):
    """The guests that its tests run in, one after the other."""
    return [mutant["guest"]] if "guest" in mutant else GUESTS


def planted(mutant, text):
    """The text of the file with the defect; None if it has no place for it, or several."""
    return text.replace(mutant["from"], mutant["to"]) if text.count(mutant["from"]) == 1 else None


def verdict(mutant, status, output):
    """(outcome, what to say) of a run of the tests on a mutant."""
    first = next((line for line in output if line.startswith("FAILED ")), "")
    reason = mutant.get("survives")
    if status == 0:
        return (judge.SKIPPED, f"survives: {reason}") if reason else (judge.FAILED, "survives")
    found = first.split(maxsplit=2)[2] if first else "guest/builds"
    if found == "guest/builds" or found.startswith("harness/") or found.endswith(judge.IN_TIME):
        return judge.FAILED, "it was not tested"
    if reason:
        return judge.FAILED, f"it has an excuse, but was found by {found}"
    return judge.PASSED, f"found by {found}"


def _copy(name):
    """A copy of the project to plant defects in; what was built in it before is kept."""
    top = OUT / name
    listed = subprocess.run(["git", "-C", config.ROOT, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    files = {file for file in listed.split("\0") if file and (config.ROOT / file).is_file()}
    for copy in top.rglob("*.[ch]"):
        file = copy.relative_to(top)
        if file.parts[0] != "build" and str(file) not in files:
            copy.unlink()
    for file in files:
        source, copy = config.ROOT / file, top / file
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return top


def runs(mutant):
    """The arguments of the runs that look for it, until one finds it."""
    where_by, _, by = mutant.get("by", "").partition(" ")
    suite, _, program = by.partition("/")
    first = [["--suite", suite, *(["--only", program] if program else []), where_by]] if by else []
    every = [word for suite in SUITES for word in ("--suite", suite)]
    return first + [[*every, guest] for guest in where(mutant)]


def _test(top, all_runs):
    """Run the tests of a copy, up to a failure: (exit status, lines)."""
    for words in all_runs:
        done = subprocess.run([top / "tests/qemu/run", "--fail-fast", *words], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            break
    return done.returncode, done.stdout.splitlines()


def _try(mutant, top):
    """Plant it, test, and remove it: (outcome, what to say)."""
    file = top / "module" / mutant["file"]
    sound = file.read_text(encoding="utf-8")
    text = planted(mutant, sound)
    if text is None:
        return judge.FAILED, "it has not one place in the file"
    file.write_text(text, encoding="utf-8")
    try:
        status, output = _test(top, runs(mutant))
    finally:
        file.write_text(sound, encoding="utf-8")
    return verdict(mutant, status, output)


def _is_sound(top, guest, totals):
    """Without a defect all passes: else a failure would say nothing of any."""
    start = time.monotonic()
    status, output = _test(top, runs({"guest": guest}))
    result = judge.Result("mutants", f"{guest} without a defect",
                          judge.FAILED if status else judge.PASSED,
                          [line for line in output if line.startswith("FAILED ")])
    totals.add("mutants", "sound", [result], time.monotonic() - start)
    report.failures("mutants", [result])
    return not status


def run(totals):
    """Try all mutants."""
    tops = queue.Queue()
    for number in range(COPIES):
        tops.put(_copy(str(number)))

    def guests_of(mutant):
        return {words[-1] for words in runs(mutant)}

    guests = {guest for mutant in load() for guest in guests_of(mutant)}
    sound = {guest for guest in sorted(guests) if _is_sound(OUT / "0", guest, totals)}

    def one(mutant):
        top, start = tops.get(), time.monotonic()
        try:
            outcome, why = _try(mutant, top)
        finally:
            tops.put(top)
        result = judge.Result("mutants", f"{mutant['file']}: {mutant['what']}", outcome,
                              [] if outcome == judge.PASSED else [why])
        report.say(f"mutant {mutant['file']:13} {mutant['what']:52} {why} "
                   f"({time.monotonic() - start:.0f} s)")
        totals.add("mutants", "module", [result], time.monotonic() - start)
        report.failures("mutants", [result])

    with ThreadPoolExecutor(COPIES) as pool:
        list(pool.map(one, (m for m in load() if sound.issuperset(guests_of(m)))))
