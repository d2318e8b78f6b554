# SPDX-License-Identifier: GPL-2.0
"""Where things are, and the tables of kernels, guests and expectations."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

QEMU_DIR = Path(__file__).resolve().parent.parent
ROOT = QEMU_DIR.parent.parent
BUILD = ROOT / "build"


@dataclass
class Guest:
    """One row of guests.toml, where each field is explained."""
    name: str
    kernel: dict
    machine: str
    memory: str
    suites: list
    bases: list = field(default_factory=list)
    cpus: int = 1
    accel: str = "tcg,thread=single"
    append: str = ""
    extra: list = field(default_factory=list)
    qemu: str = ""
    ioat: list | None = None
    channel: str = ""
    channel_modules: list = field(default_factory=list)
    modules: list = field(default_factory=list)
    sim: str = ""
    options: str = ""
    drivers: list = field(default_factory=list)
    make: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    i386: bool = False
    only: list = field(default_factory=list)
    without: list = field(default_factory=list)
    last: str = ""
    checkers: bool = False
    kcsan: bool = False
    busy_off: bool = False
    dmatest: str = "source"
    gcov: bool = False
    fail_fast: bool = False
    timeout: int = 900
    test_timeout: int = 600
    budget: dict = field(default_factory=dict)

    @property
    def build(self):
        """Everything generated for this guest is below here."""
        return BUILD / self.name

    @property
    def results(self):
        """Logs of the last run."""
        return self.build / "results"


@dataclass
class Expectations:
    """Skips and kernel log lines that are no failure, each with its reason."""
    skips: list
    log: list

    def of(self, guest):
        """Those for GUEST, or for one it is based on; "*" stands for every guest."""
        names = {guest.name, *guest.bases}

        def mine(rows):
            return [row for row in rows
                    if row["guest"] in names | {"*"} and not names & set(row.get("but", []))]
        return Expectations(mine(self.skips), mine(self.log))


def _toml(name):
    with open(QEMU_DIR / name, "rb") as file:
        return tomllib.load(file)


def _row(table, name):
    """A guest may name a base and say only what differs."""
    row = dict(table[name])
    if "base" in row:
        base = row.pop("base")
        above = _row(table, base)
        above.pop("budget", None)
        row = above | row | {"bases": [base, *above.get("bases", [])]}
    return row


def guests():
    """All guests by name."""
    tables = _toml("guests.toml")
    found = {}
    for name in tables["guests"]:
        row = _row(tables["guests"], name)
        row["kernel"] = tables["kernels"][row["kernel"]]
        found[name] = Guest(name=name, **row)
    return found


def expectations():
    """The committed list of what is known and accepted."""
    tables = _toml("expected.toml")
    return Expectations(tables.get("skip", []), tables.get("log", []))
