# SPDX-License-Identifier: GPL-2.0
"""vfio-user messages, as bytes: docs/interop/vfio-user.rst of QEMU.

A header and what follows it; file descriptors travel beside. Only what a PCI
device needs that QEMU uses.
"""

import enum
import struct
from dataclasses import dataclass, field

HEADER = struct.Struct("<HHIII")        # number, command, size with header, flags, errno

# What follows the header; replies begin with the same fields.
DMA_MAP = struct.Struct("<IIQQQ")       # argsz, permissions, offset in file, address, size
DMA_UNMAP = struct.Struct("<IIQQ")      # argsz, flags, address, size
DEVICE_INFO = struct.Struct("<IIII")    # argsz, flags, regions, interrupt types
REGION_INFO = struct.Struct("<IIIIQQ")  # argsz, flags, index, 0, size, offset
IRQ_INFO = struct.Struct("<IIII")       # argsz, flags, index, count
SET_IRQS = struct.Struct("<IIIII")      # argsz, flags, index, first, count
REGION_ACCESS = struct.Struct("<QII")   # offset, region, count, then data
DMA_ACCESS = struct.Struct("<QI")       # address, count, then data
VERSION = struct.Struct("<HH")          # major, minor, then JSON

# flags of the header
REPLY = 0x01
NO_REPLY = 0x10
ERROR = 0x20

UNMAP_ALL = 2
INFO_RESETS, INFO_PCI = 1, 2
REGION_READ, REGION_WRITE = 1, 2
IRQ_EVENTFD, IRQ_NO_RESIZE = 1, 8
SET_EVENTFD = 4


class Command(enum.IntEnum):
    """What a message asks for. QEMU sends all but DMA_READ and DMA_WRITE."""
    VERSION = 1
    DMA_MAP = 2
    DMA_UNMAP = 3
    GET_INFO = 4
    GET_REGION_INFO = 5
    GET_IRQ_INFO = 7
    SET_IRQS = 8
    REGION_READ = 9
    REGION_WRITE = 10
    DMA_READ = 11
    DMA_WRITE = 12
    DEVICE_RESET = 13


@dataclass
class Message:
    """One message that came in."""
    number: int
    command: int
    flags: int
    payload: bytes
    fds: list = field(default_factory=list)


def request(number, command, payload):
    """The bytes of a request that wants no answer."""
    return HEADER.pack(number, command, HEADER.size + len(payload), NO_REPLY, 0) + payload


def reply(message, payload=b"", error=0):
    """The bytes of the answer to a message; ERROR is an errno."""
    flags = REPLY | (ERROR if error else 0)
    return HEADER.pack(message.number, message.command, HEADER.size + len(payload), flags,
                       error) + payload
