# SPDX-License-Identifier: GPL-2.0
"""Replays the corpora of tests/fuzz and counts each input like any other test."""

import os
import subprocess
import time

from . import cache, config, judge, report, transcript

FUZZ_DIR = config.ROOT / "tests/fuzz"
# No input takes a second; one that ends never must not stop everything.
TIMEOUT = 300


def _replay(name, top):
    """What a target said of its corpus."""
    program = transcript.Program("fuzz", name, "0-0", pins_after="0-0")
    try:
        done = subprocess.run([top / f"{name}-replay", FUZZ_DIR / "corpus" / name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=TIMEOUT, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})
        program.status, program.lines = done.returncode, done.stdout.splitlines()
    except subprocess.TimeoutExpired:
        program.status = 124
    return judge.judge_program(program, config.Expectations([], []))


def run(totals):
    """Build and replay everything."""
    top = config.BUILD / "fuzz"
    top.mkdir(parents=True, exist_ok=True)
    cache.run(["make", f"-j{os.cpu_count()}", "-C", FUZZ_DIR, f"O={top}", "replays"],
              top / "build.log")
    for corpus in sorted((FUZZ_DIR / "corpus").iterdir()):
        start = time.monotonic()
        results = _replay(corpus.name, top)
        seconds = time.monotonic() - start
        report.line("fuzz", corpus.name, results, seconds)
        report.failures("fuzz", results)
        totals.add("host", "fuzz", results, seconds)
