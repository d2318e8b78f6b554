# SPDX-License-Identifier: GPL-2.0
"""Faults on request. A test in the guest asks for one through two registers:

    BAR 0 + 0x7000  FAULT_KIND  the next operation (not a null one) of any channel
                                1  ends with CHANERR_READ_DATA_ERR
                                2  ends with CHANERR_WRITE_DATA_ERR
                                3  hangs until the channel is reset
                                4  succeeds, but the first byte it writes is wrong
                                0x80 added: all from then on, until 0 is written
    BAR 0 + 0x7004  FAULT_SKIP  how many good operations come first; write it first

FAULT_KIND reads 0 once the fault has happened, FAULT_SKIP counts down.
"""

from .registers import FAULT, Block

READ_ERROR, WRITE_ERROR, HANG, CORRUPT = 1, 2, 3, 4
STICKY = 0x80


class Faults(Block):
    """The two registers."""

    def __init__(self):
        super().__init__(FAULT, 8)

    def next(self):
        """The fault of the operation about to be done; 0 is none."""
        kind, skip = self["FAULT_KIND"], self["FAULT_SKIP"]
        if kind and skip:
            self["FAULT_SKIP"] = skip - 1
            return 0
        if not kind & STICKY:
            self["FAULT_KIND"] = 0
        return kind & ~STICKY
