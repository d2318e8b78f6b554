# SPDX-License-Identifier: GPL-2.0
"""The registers in BAR 0: where they are, and how they are read and written.

    0x0000          the controller's own, DEVICE
    0x0080 * (1+n)  those of channel n, CHANNEL
    0x7000          FAULT: no hardware has these, see faults.py
    0x8000, 0xc000  the MSI-X table and its pending bits, which QEMU emulates
"""

from typing import NamedTuple

BAR_SIZE = 0x10000
CHANNEL_SIZE = 0x80         # CHANNEL_MMIO_SIZE
FAULT_BASE = 0x7000
MSIX_TABLE = 0x8000
MSIX_PENDING = 0xc000


class Register(NamedTuple):
    """One row of the tables below."""
    name: str
    offset: int
    size: int
    writable: bool = False


DEVICE = [
    Register("CHANCNT", 0x00, 1),           # number of channels
    Register("XFERCAP", 0x01, 1),           # log2 of the longest transfer of a descriptor
    Register("GENCTRL", 0x02, 1, True),
    Register("INTRCTRL", 0x03, 1, True),    # INTRCTRL_*
    Register("VER", 0x08, 1),               # major and minor, four bits each
    Register("INTRDELAY", 0x0c, 2, True),
    Register("DMA_CAP", 0x10, 4),           # CAP_*
    Register("PREFETCH_LIMIT", 0x4c, 1, True),
]

CHANNEL = [
    Register("CHANCTRL", 0x00, 2, True),
    Register("DMA_COMP", 0x02, 2),          # compatible with version 2
    Register("CHANCMD", 0x04, 1, True),     # CHANCMD_*; always reads 0: done at once
    Register("DMACOUNT", 0x06, 2, True),    # doorbell: descriptors given out so far
    Register("CHANSTS", 0x08, 8),           # address of the last one done | CHANSTS_*
    Register("CHAINADDR", 0x10, 8, True),   # of the first descriptor
    Register("CHANCMP", 0x18, 8, True),     # where CHANSTS is written on completion
    Register("CHANERR", 0x28, 4, True),     # CHANERR_*; cleared by writing ones
    Register("CHANERR_MASK", 0x2c, 4, True),
    Register("DCACTRL", 0x30, 4, True),
]

FAULT = [
    Register("FAULT_KIND", 0x00, 4, True),
    Register("FAULT_SKIP", 0x04, 4, True),
    Register("FAULT_DELAY", 0x08, 4, True),
    Register("FAULT_DUE", 0x0c, 4),
]

INTRCTRL_MASTER_INT_EN = 0x01

CAP_XOR = 0x100

CHANCMD_RESET = 0x20
CHANCMD_SUSPEND = 0x04

CHANSTS_ACTIVE, CHANSTS_DONE, CHANSTS_SUSPENDED, CHANSTS_HALTED = range(4)

CHANERR_NEXT_ADDR_ERR = 0x0004
CHANERR_READ_DATA_ERR = 0x0100
CHANERR_WRITE_DATA_ERR = 0x0200
CHANERR_CONTROL_ERR = 0x0400
CHANERR_LENGTH_ERR = 0x0800
CHANERR_COMPLETION_ADDR_ERR = 0x1000
CHANERR_XOR_P_OR_CRC_ERR = 0x10000


class Block:
    """The registers of one table. They are values by name inside, bytes outside."""

    def __init__(self, table, size):
        self._table = {register.name: register for register in table}
        self._bytes = bytearray(size)

    def __getitem__(self, name):
        register = self._table[name]
        return int.from_bytes(self._bytes[register.offset:register.offset + register.size],
                              "little")

    def __setitem__(self, name, value):
        register = self._table[name]
        self._bytes[register.offset:register.offset + register.size] = \
            value.to_bytes(register.size, "little")

    def read(self, offset, size):
        """What an access of any width sees; what is no register is 0."""
        return bytes(self._bytes[offset:offset + size])

    def written(self, offset, data):
        """The registers that an access of any width writes, with the values they would get."""
        after = bytearray(self._bytes)
        after[offset:offset + len(data)] = data
        for register in self._table.values():
            end = register.offset + register.size
            if register.writable and register.offset < offset + len(data) and offset < end:
                yield register.name, int.from_bytes(after[register.offset:end], "little")

    def write(self, offset, data):
        """A write to registers that do no more than keep what is written."""
        for name, value in self.written(offset, data):
            self[name] = value
