# SPDX-License-Identifier: GPL-2.0
"""Reads what a guest says on its channel.

Lines of the guest's init begin with "@dmio":
    start RELEASE                         the channel is open
    load STATUS                           of insmod dmoverio.ko
    begin SUITE PROGRAM PINS OFF          then what the program prints
    end SUITE PROGRAM STATUS MS PINS
    unload STATUS                         of rmmod dmoverio
    lockdep N                             1: it is at work
    kmemleak ... end-kmemleak             the report between
    kcsan ... end-kcsan                   what the checker of data races counted, between
    log ... end-log                       the kernel log between
    gcov ... end-gcov                     an archive of gcov's data, in base64, between
    busy BYTES                            are in flight, and so it will power off
    done
PINS is "acquired-released"; OFF is Y if DMA-API debugging is switched off, N if not.
"""

from dataclasses import dataclass, field

MARK = "@dmio "


@dataclass
class Program:
    """One test program's run."""
    suite: str
    name: str
    pins_before: str
    dma_debug_off: bool = False
    lines: list = field(default_factory=list)
    status: int | None = None       # None: its end line never came
    ms: int = 0
    pins_after: str = ""


class Transcript:
    """All that a guest said so far."""

    def __init__(self):
        self.release = None         # None: the guest never came up
        self.load = None
        self.programs = []
        self.unload = None
        self.lockdep = None
        self.kmemleak = None
        self.kcsan = None
        self.log = None
        self.gcov = None
        self.busy = None
        self.done = False
        self.noise = []             # lines outside any bracket
        self._into = self.noise

    def feed(self, line):
        """Take one line; returns the program if this line was its end."""
        if not line.startswith(MARK):
            if line.strip():
                self._into.append(line)
            return None
        word, *rest = line[len(MARK):].split()
        return getattr(self, "_" + word.replace("-", "_"))(*rest)

    def _start(self, release):
        self.release = release

    def _load(self, status):
        self.load = int(status)

    def _begin(self, suite, name, pins, off):
        self.programs.append(Program(suite, name, pins, off == "Y"))
        self._into = self.programs[-1].lines

    def _end(self, suite, name, status, ms, pins):
        program = self.programs[-1]
        if (program.suite, program.name) != (suite, name):
            return None
        program.status, program.ms, program.pins_after = int(status), int(ms), pins
        self._into = self.noise
        return program

    def _unload(self, status):
        self.unload = int(status)

    def _lockdep(self, on):
        self.lockdep = int(on)

    def _kmemleak(self):
        self._into = self.kmemleak = []

    def _kcsan(self):
        self._into = self.kcsan = []

    def _log(self):
        self._into = self.log = []

    def _end_log(self):
        self._into = self.noise

    def _gcov(self):
        self._into = self.gcov = []

    _end_kmemleak = _end_kcsan = _end_gcov = _end_log

    def _busy(self, nr):
        self.busy = int(nr)

    def _done(self):
        self.done = True
