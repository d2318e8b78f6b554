# SPDX-License-Identifier: GPL-2.0
"""Packages of the distribution: asked of apt, downloaded and unpacked, never installed.

Those of the machine's own suite are known by the machine's apt. Another suite,
or the same for another architecture, is read from the same mirror into a state
of its own, in the cache.
"""

import re
import subprocess
from contextlib import nullcontext
from functools import cache as once

from . import cache


class Apt:
    """The machine's own apt."""

    options = ["-oAPT::Sandbox::User=root"]

    def lock(self):
        """To be held while apt works; the machine's needs none for what we ask of it."""
        return nullcontext()

    @once
    def fields(self, *names):
        """The fields of the candidate versions of packages: {name: {field: value}}.

        apt takes most of a second to answer, however many names it is given.
        """
        with self.lock():
            shown = subprocess.run(
                ["apt-cache", *self.options, "show", "--no-all-versions", *names],
                check=False, capture_output=True, text=True).stdout
        found = {}
        for stanza in shown.split("\n\n"):
            fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", stanza, re.M))
            found[fields.get("Package")] = fields
        unknown = set(names) - set(found)
        if unknown:
            raise cache.CommandError(f"apt knows no {' '.join(unknown)}: run scripts/deps")
        return found

    def version(self, name):
        """The candidate version of a package."""
        return self.fields(name)[name]["Version"]

    def depends(self, name, pattern):
        """The packages like PATTERN that the package NAME depends on."""
        fields = self.fields(name)[name]
        return [word for word in re.split(r"[,| ]+", fields.get("Depends", ""))
                if re.fullmatch(pattern, word)]

    def depend(self, name, pattern):
        """The first of them, which must be there."""
        for found in self.depends(name, pattern):
            return found
        raise cache.CommandError(f"{name} depends on nothing like {pattern}")

    def unpack(self, names, directory, log, closure=False):
        """Unpack packages below a directory; as a CLOSURE with all they depend on."""
        debs = directory / "debs"
        (debs / "partial").mkdir(parents=True)
        # apt gives up root for downloads where its own user can write
        debs.chmod(0o777)
        fields = self.fields(*names)
        wanted = [f"{name}={fields[name]['Version']}" for name in names]
        verb = ["download"]
        if closure:
            verb = ["-y", "--no-install-recommends", "--download-only", "-o",
                    f"Dir::Cache::archives={debs}", "install"]
        with self.lock():
            cache.run(["apt-get", "-q", *self.options, *verb, *wanted], log, cwd=debs)
        for deb in sorted(debs.glob("*.deb")):
            cache.run(["dpkg", "-x", deb, directory], log)
        cache.run(["rm", "-r", debs], log)


class Private(Apt):
    """The apt of another suite or another architecture, where nothing is installed."""

    def __init__(self, suite, arch):
        self._name = "-".join(filter(None, ["apt", suite, arch]))
        top = cache.root() / self._name
        settings = {"Dir::Etc::SourceList": top / "sources.list",
                    "Dir::Etc::SourceParts": "/dev/null",
                    "Dir::Etc::Preferences": "/dev/null",
                    "Dir::Etc::PreferencesParts": "/dev/null",
                    "Dir::State": top, "Dir::State::status": top / "status", "Dir::Cache": top,
                    "APT::Default-Release": "",
                    # Mirrors that stand still keep a suite longer than it says.
                    "Acquire::Check-Valid-Until": "false"}
        if arch:
            settings |= {"APT::Architecture": arch, "APT::Architectures": arch}
        self.options = Apt.options + [f"-o{key}={value}" for key, value in settings.items()]
        with self.lock():
            top.mkdir(parents=True, exist_ok=True)
            (top / "status").touch()
            (top / "sources.list").write_text(_other_suite(suite) if suite else _own_suites())
            # If the mirror cannot be reached, what is already there has to do.
            subprocess.run(["apt-get", "-q", *self.options, "update"], check=False,
                           stdout=subprocess.DEVNULL)

    def lock(self):
        return cache.lock(self._name)


def _sources(text, *wanted):
    """One line of TEXT for each of the machine's own sources of Debian packages."""
    shown = subprocess.run(["apt-get", "indextargets", "--format", text,
                            "Created-By: Packages", "Origin: Debian", *wanted],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    if not shown:
        raise cache.CommandError("apt knows no mirror of Debian: run scripts/deps")
    return shown


def _other_suite(suite):
    return f"deb {_sources('$(REPO_URI)', 'Label: Debian')[0]} {suite} main\n"


def _own_suites():
    """As the machine has them, updates and all."""
    lines = _sources("deb $(REPO_URI) $(CODENAME) $(COMPONENT)")
    return "\n".join(dict.fromkeys(lines)) + "\n"


@once
def of(suite, arch=None):
    """The apt of a suite and an architecture; None is the machine's own."""
    return Private(suite, arch) if suite or arch else Apt()
