# SPDX-License-Identifier: GPL-2.0
"""Faults on request. A test in the guest asks for them through registers:

    BAR 0 + 0x7000  FAULT_KIND  the next operation (not a null one) of any channel
                                1  ends with CHANERR_READ_DATA_ERR
                                2  ends with CHANERR_WRITE_DATA_ERR
                                3  hangs until the channel is reset
                                4  succeeds, but the first byte it writes is wrong
                                0x80 added: all from then on, until 0 is written
    BAR 0 + 0x7004  FAULT_SKIP  how many good operations come first; write it first
    BAR 0 + 0x7008  FAULT_DELAY what a doorbell of any channel asks for from now on is
                                done so many milliseconds later; what is delayed
                                already, no later than that from now: 0 ends it
    BAR 0 + 0x700c  FAULT_DUE   how many doorbells are delayed; read only. Those of a
                                channel that was reset or suspended are not: what they
                                asked for is never done

FAULT_KIND reads 0 once the fault has happened, FAULT_SKIP counts down.
"""

from .registers import FAULT, Block

READ_ERROR, WRITE_ERROR, HANG, CORRUPT = 1, 2, 3, 4
STICKY = 0x80


class Faults(Block):
    """The registers. DELAY is what FAULT_DELAY is at first, in seconds."""

    def __init__(self, device, delay):
        super().__init__(FAULT, 16)
        self._device = device
        self["FAULT_DELAY"] = round(delay * 1000)

    def read(self, offset, size):
        """A read of any width."""
        self["FAULT_DUE"] = self._device.nr_due()
        return super().read(offset, size)

    def write(self, offset, data):
        """A write, of which the delay has an effect at once."""
        super().write(offset, data)
        self._device.hasten(self.delay())

    def delay(self):
        """Seconds from a doorbell until what it asks for is done."""
        return self["FAULT_DELAY"] / 1000

    def next(self):
        """The fault of the operation about to be done; 0 is none."""
        kind, skip = self["FAULT_KIND"], self["FAULT_SKIP"]
        if kind and skip:
            self["FAULT_SKIP"] = skip - 1
            return 0
        if not kind & STICKY:
            self["FAULT_KIND"] = 0
        return kind & ~STICKY
