# SPDX-License-Identifier: GPL-2.0
"""Runs test guests: build, boot, judge, report."""

import os
import shutil
import time
from collections import defaultdict

from . import build, cache, config, coverage, initramfs, judge, kernels, machine, report
from .transcript import Transcript


def _prepare(guest, only):
    shutil.rmtree(guest.results, ignore_errors=True)
    guest.results.mkdir(parents=True)
    log = guest.results / "build.log"
    if only:
        guest.suites = [suite for suite in guest.suites if suite in only]
    kernel = kernels.get(guest.kernel)
    files = build.guest_files(guest, kernel, log)
    settings = {"MODE": "test", "SUITES": " ".join(guest.suites)}
    return kernel, initramfs.write(guest, kernel, files, settings)


def _boot(guest, kernel, image, expected):
    """Run the guest once, its lines going to a file and to a transcript."""
    transcript = Transcript()
    with open(guest.results / "channel", "w", encoding="utf-8") as copy, \
         open(guest.results / "console", "wb") as console:
        def sink(line):
            print(line, file=copy, flush=True)
            program = transcript.feed(line)
            if not program:
                return False
            results = judge.judge_program(program, expected)
            report.line(guest.name, f"{program.suite}/{program.name}", results,
                        program.ms / 1000)
            return guest.fail_fast and any(r.outcome == judge.FAILED for r in results)
        ending = machine.run(guest, kernel, image, sink, console)
    return transcript, ending


def _console(guest):
    return (guest.results / "console").read_text(encoding="utf-8", errors="replace").splitlines()


def _write(path, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _judged(guest, kernel, image):
    """(results, notes, transcript) of a guest, booted again if it never came up."""
    expected = config.expectations().of(guest)
    notes = []
    transcript, ending = _boot(guest, kernel, image, expected)
    if transcript.release is None:
        notes.append(f"did not come up after {ending.seconds:.0f} s: booted once more")
        shutil.copyfile(guest.results / "console", guest.results / "console.first")
        transcript, ending = _boot(guest, kernel, image, expected)
    if guest.gcov:
        notes += coverage.collect(guest, transcript.gcov)
    results, more = judge.judge_guest(transcript, ending, expected, guest.checkers,
                                      _console(guest), guest.busy_off, guest.kcsan)
    _write(guest.results / "dmesg", transcript.log or [])
    for program in transcript.programs:
        _write(guest.results / program.suite / program.name, program.lines)
    return results, notes + more, transcript


def run(guest, totals, only=()):
    """Run one test guest and add what came of it to the totals."""
    start = time.monotonic()
    took = defaultdict(float)
    try:
        kernel, image = _prepare(guest, only)
        built = time.monotonic()
        results, notes, transcript = _judged(guest, kernel, image)
        for program in transcript.programs:
            took[program.suite] += program.ms / 1000
        results += judge.judge_time(guest, took, os.getloadavg()[2] / os.cpu_count())
        notes.append(f"build {built - start:.1f} s, start to power off "
                     f"{time.monotonic() - built:.1f} s")
    except cache.CommandError as error:
        results, notes = [judge.Result("guest", "builds", judge.FAILED, [str(error)])], []
    took["guest"] = time.monotonic() - start
    own = [result for result in results if result.suite == "guest"]
    report.line(guest.name, "guest", own, took["guest"])
    report.failures(guest.name, results)
    for note in notes:
        report.say(f"{guest.name:16} note: {note}")
    for suite in dict.fromkeys(result.suite for result in results):
        totals.add(guest.name, suite, [r for r in results if r.suite == suite], took[suite],
                   guest.budget.get(suite))
