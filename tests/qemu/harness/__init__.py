# SPDX-License-Identifier: GPL-2.0
"""Builds dmoverio for the guests of guests.toml, boots them, judges what they say.

Read in this order: config (the tables), cache and kernels (what is fetched or
built once), build and initramfs (what goes into a guest), machine (how it
runs), transcript (what it says), judge (what that means), report.
"""
