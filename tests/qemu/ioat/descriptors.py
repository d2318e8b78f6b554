# SPDX-License-Identifier: GPL-2.0
"""The descriptors in the guest's memory, 64 bytes each, in a chain.

struct ioat_dma_descriptor and struct ioat_xor_descriptor of hw.h:

    bytes   name            bits
    0..3    size            of the transfer
    4..7    ctl             0      int_en: interrupt when done
                            3      compl_write: write CHANSTS to CHANCMP when done
                            5      null: do nothing (copy)
                            5..7   src_cnt: number of sources less 2 (XOR)
                            24..31 op
    8..15   src_addr
    16..23  dst_addr
    24..31  next
    32..63  src_addr2..5    (XOR)

A XOR of more than five sources goes on in the next descriptor of the chain,
struct ioat_xor_ext_descriptor: src_addr6..8 in bytes 0..23, next in 24..31.
"""

import struct
from dataclasses import dataclass

SIZE = 64                   # DESC_SZ
OP_COPY, OP_XOR, OP_XOR_VAL = 0x00, 0x87, 0x88

_LAYOUT = struct.Struct("<II7Q")
_EXTENSION = struct.Struct("<4Q")
_IN_PLACE = 5               # sources that need no extension

_INT_EN = 1 << 0
_COMPL_WRITE = 1 << 3
_NULL = 1 << 5


@dataclass
class Descriptor:
    """One operation, a second descriptor that belongs to it included."""
    operation: int
    size: int
    sources: list
    destination: int
    next: int
    interrupt: bool
    write_completion: bool
    null: bool
    slots: int              # how many descriptors of the chain it takes


def read(fetch, address):
    """Decode the operation at ADDRESS; fetch(address, size) reads the guest's memory."""
    size, ctl, first, destination, following, *more = _LAYOUT.unpack(fetch(address, SIZE))
    operation = ctl >> 24
    sources, slots = [first], 1
    if operation in (OP_XOR, OP_XOR_VAL):
        count = (ctl >> 5 & 7) + 2
        sources += more
        if count > _IN_PLACE:
            *more, following = _EXTENSION.unpack(fetch(following, SIZE)[:_EXTENSION.size])
            sources += more
            slots = 2
        del sources[count:]
    return Descriptor(operation, size, sources, destination, following, bool(ctl & _INT_EN),
                      bool(ctl & _COMPL_WRITE), operation == OP_COPY and bool(ctl & _NULL),
                      slots)
