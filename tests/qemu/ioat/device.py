# SPDX-License-Identifier: GPL-2.0
"""The controller as a PCI device: configuration space, BAR 0, interrupts, time."""

import os
import struct
import sys
import time
from collections import Counter, deque

from .channel import XFERCAP, Channel
from .descriptors import OP_COPY, OP_XOR, OP_XOR_VAL
from .faults import Faults
from .memory import Memory
from .registers import (
    BAR_SIZE, CAP_XOR, CHANNEL_SIZE, DEVICE, FAULT_BASE, INTRCTRL_MASTER_INT_EN, MSIX_PENDING,
    MSIX_TABLE, Block)

VERSION_3_4 = 0x34          # VER_3_4
PCI_ID = 0x8086, 0x0b00     # PCI_DEVICE_ID_INTEL_IOAT_ICX
CONFIG_SIZE = 4096

_NAMES = {OP_COPY: "copy", OP_XOR: "xor", OP_XOR_VAL: "xor_val"}


def _config(vectors):
    """The configuration space: a header, and MSI-X as the only capability."""
    space = bytearray(CONFIG_SIZE)
    status_has_capabilities, class_system_other, capability = 0x10, 0x08800000, 0x40
    struct.pack_into("<HHHHI", space, 0, *PCI_ID, 0, status_has_capabilities,
                     class_system_other)
    bar_64_bits = 4
    struct.pack_into("<I", space, 0x10, bar_64_bits)
    struct.pack_into("<HH", space, 0x2c, *PCI_ID)
    space[0x34] = capability
    msix = 0x11
    struct.pack_into("<BBHII", space, capability, msix, 0, vectors - 1, MSIX_TABLE, MSIX_PENDING)
    return space


# What the guest may write there: command, BAR 0, interrupt line, MSI-X enable
_CONFIG_WRITABLE = {0x04: b"\xff\xff", 0x10: b"\x00\x00\xff\xff\xff\xff\xff\xff", 0x3c: b"\xff",
                    0x42: b"\x00\xc0"}


class Config:
    """The configuration space."""

    def __init__(self, vectors):
        self._bytes = _config(vectors)
        self._mask = bytearray(CONFIG_SIZE)
        for offset, mask in _CONFIG_WRITABLE.items():
            self._mask[offset:offset + len(mask)] = mask

    def read(self, offset, size):
        """A read of any width."""
        return bytes(self._bytes[offset:offset + size])

    def write(self, offset, data):
        """A write, which changes only what may change."""
        for at, byte in enumerate(data, offset):
            mask = self._mask[at]
            self._bytes[at] = self._bytes[at] & ~mask | byte & mask


class Device:
    """A controller with CHANNELS channels. DELAY: see FAULT_DELAY in faults.py, but in seconds."""

    def __init__(self, channels, delay=0.0, copy_only=False):
        self.memory, self.faults = Memory(), Faults(self, delay)
        self.config = Config(channels)
        self.denied = lambda error: None    # told of accesses that the maps do not allow
        self.vectors = [None] * channels    # MSI-X: a file descriptor to write to, or None
        self.done = Counter()
        self._due = deque()                 # (time, channel, its chain, doorbell value), by time
        self._registers = Block(DEVICE, CHANNEL_SIZE)
        for name, value in (("CHANCNT", channels), ("XFERCAP", XFERCAP), ("VER", VERSION_3_4),
                            ("DMA_CAP", 0 if copy_only else CAP_XOR)):
            self._registers[name] = value
        self._channels = [Channel(self, number) for number in range(channels)]

    @staticmethod
    def log(text):
        """One line for whoever looks into it later."""
        print(f"{time.monotonic():.3f} {text}", file=sys.stderr, flush=True)

    def count(self, operation, null):
        """Keep the figures of what was done."""
        self.done["null" if null else _NAMES[operation]] += 1

    # BAR 0

    def _at(self, offset):
        """Whose register it is, and its offset there."""
        if offset >= FAULT_BASE:
            return self.faults, offset - FAULT_BASE
        number, inside = divmod(offset, CHANNEL_SIZE)
        blocks = [self._registers, *self._channels]
        return (blocks[number] if number < len(blocks) else None), inside

    def read_bar(self, offset, size):
        """A read in BAR 0; where nothing is, it gives 0."""
        block, inside = self._at(offset)
        data = block.read(inside, size) if block else b""
        return data.ljust(size, b"\0")

    def write_bar(self, offset, data):
        """A write in BAR 0."""
        block, inside = self._at(offset)
        if block:
            block.write(inside, data)

    # PCI as the protocol sees it

    def regions(self):
        """{VFIO's index of a region: (size, read, write)}"""
        bar0, config_space = 0, 7
        return {bar0: (BAR_SIZE, self.read_bar, self.write_bar),
                config_space: (CONFIG_SIZE, self.config.read, self.config.write)}

    def reset(self):
        """What QEMU does when the guest starts."""
        self._registers["INTRCTRL"] = 0
        for channel in self._channels:
            channel.reset()

    def interrupt(self, number):
        """The interrupt of a channel."""
        self.done["interrupt"] += 1
        fd = self.vectors[number]
        if fd is not None and self._registers["INTRCTRL"] & INTRCTRL_MASTER_INT_EN:
            os.write(fd, (1).to_bytes(8, sys.byteorder))

    # Time

    def schedule(self, channel, until):
        """Let the channel run to the doorbell value UNTIL when the delay has passed."""
        # That is after all others: none is due later than the delay says, see hasten()
        due = time.monotonic() + self.faults.delay()
        self._due.append((due, channel, channel.chain, until))

    def hasten(self, delay):
        """Nothing is due later than DELAY seconds from now."""
        latest = time.monotonic() + delay
        self._due = deque((min(due, latest), *what) for due, *what in self._due)

    def nr_due(self):
        """How many doorbells are delayed, of those that count."""
        return sum(chain == channel.chain for _, channel, chain, _ in self._due)

    def wait(self):
        """Seconds to the next thing to do, or None."""
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def run(self):
        """Do what is due, unless its chain was abandoned."""
        while self._due and self._due[0][0] <= time.monotonic():
            _, channel, chain, until = self._due.popleft()
            if chain == channel.chain:
                channel.run(until)
