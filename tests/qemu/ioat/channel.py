# SPDX-License-Identifier: GPL-2.0
"""One DMA channel: walks a chain of descriptors and does what they say.

The driver keeps its descriptors in a ring, writes the address of the first to
CHAINADDR, and from then on rings DMACOUNT with the number of descriptors given
out since, modulo 65536. On an error the channel halts on the descriptor.
"""

from . import descriptors, faults
from .descriptors import OP_COPY, OP_XOR, OP_XOR_VAL
from .memory import DmaError
from .registers import (
    CHANCMD_RESET, CHANCMD_SUSPEND, CHANERR_COMPLETION_ADDR_ERR, CHANERR_CONTROL_ERR,
    CHANERR_LENGTH_ERR, CHANERR_NEXT_ADDR_ERR, CHANERR_READ_DATA_ERR, CHANERR_WRITE_DATA_ERR,
    CHANERR_XOR_P_OR_CRC_ERR, CHANNEL, CHANNEL_SIZE, CHANSTS_ACTIVE, CHANSTS_DONE,
    CHANSTS_HALTED, CHANSTS_SUSPENDED, Block)

# Longest transfer of one descriptor, log2; the driver cuts what is longer
XFERCAP = 20

_INJECTED = {faults.READ_ERROR: CHANERR_READ_DATA_ERR,
             faults.WRITE_ERROR: CHANERR_WRITE_DATA_ERR}


class _Halt(Exception):
    """The operation cannot be done; ERROR is the bit of CHANERR to say so."""

    def __init__(self, error):
        super().__init__(f"CHANERR {error:#x}")
        self.error = error


class Channel:
    """A channel of DEVICE, which has memory, faults, interrupt() and schedule()."""

    def __init__(self, device, number):
        self._device, self._number = device, number
        self._registers = Block(CHANNEL, CHANNEL_SIZE)
        self._registers["DMA_COMP"] = 2
        self._next = 0          # address of the descriptor to do next
        self._count = 0         # descriptors done since CHAINADDR was written
        self._target = 0        # the same once all are done
        self._hung = False
        self.chain = 0          # how many there were: what was scheduled for others is void
        self._stop(CHANSTS_HALTED)

    def read(self, offset, size):
        """A read of a register of any width."""
        return self._registers.read(offset, size)

    def write(self, offset, data):
        """A write to registers."""
        act = {"CHANCMD": self._command, "DMACOUNT": self._doorbell,
               "CHANERR": self._clear_errors, "CHAINADDR": self._new_chain}
        for name, value in self._registers.written(offset, data):
            if name in act:
                act[name](value)
            else:
                self._registers[name] = value

    def _set_status(self, status, done=None):
        """CHANSTS: how it stands, and the last descriptor DONE if there is a later one."""
        if done is None:
            done = self._registers["CHANSTS"] & ~0x3f
        self._registers["CHANSTS"] = done | status

    def _status(self):
        return self._registers["CHANSTS"] & 7

    def _stop(self, status):
        self.chain += 1
        self._set_status(status)

    def _command(self, value):
        if value & CHANCMD_RESET:
            self.reset()
        elif value & CHANCMD_SUSPEND and self._status() != CHANSTS_HALTED:
            self._stop(CHANSTS_SUSPENDED)

    def reset(self):
        """As the driver does after errors, and when it stops using a channel."""
        self._registers["CHANSTS"] = self._registers["CHANERR"] = 0
        self._new_chain(0)
        self._hung = False
        self._stop(CHANSTS_HALTED)

    def _clear_errors(self, value):
        self._registers["CHANERR"] &= ~value

    def _new_chain(self, value):
        self.chain += 1
        self._registers["CHAINADDR"] = self._next = value
        self._count = self._target = 0

    def _doorbell(self, value):
        self._registers["DMACOUNT"] = value
        if self._registers["CHANERR"]:
            return
        self._target = value
        self._set_status(CHANSTS_ACTIVE)
        self._device.schedule(self, value)

    def run(self, until):
        """Do what the doorbell value UNTIL has asked for."""
        while self._count != until and not self._hung:
            try:
                self._one()
            except _Halt as halt:
                self._halt(halt.error)
                return

    def _halt(self, error):
        self._device.log(f"channel {self._number}: CHANERR {error:#x} at {self._next:#x}")
        self._registers["CHANERR"] |= error
        self._stop(CHANSTS_HALTED)
        self._write_completion()
        self._device.interrupt(self._number)

    def _one(self):
        """One operation, then what it wants to be done on completion."""
        try:
            descriptor = descriptors.read(self._device.memory.read, self._next)
        except DmaError as error:
            self._device.denied(error)
            raise _Halt(CHANERR_NEXT_ADDR_ERR) from error
        fault = 0 if descriptor.null else self._device.faults.next()
        if fault:
            self._device.log(f"channel {self._number}: fault {fault} as asked for")
        if fault == faults.HANG:
            self._hung = True
            return
        if fault in _INJECTED:
            raise _Halt(_INJECTED[fault])
        if not descriptor.null:
            self._execute(descriptor, fault == faults.CORRUPT)
        self._completed(descriptor)

    def _completed(self, descriptor):
        self._count = self._count + descriptor.slots & 0xffff
        done, self._next = self._next, descriptor.next
        self._set_status(CHANSTS_DONE if self._count == self._target else CHANSTS_ACTIVE, done)
        self._device.count(descriptor.operation, descriptor.null)
        if descriptor.write_completion and not self._write_completion():
            raise _Halt(CHANERR_COMPLETION_ADDR_ERR)
        if descriptor.interrupt:
            self._device.interrupt(self._number)

    def _write_completion(self):
        try:
            self._device.memory.write(self._registers["CHANCMP"],
                                      self._registers["CHANSTS"].to_bytes(8, "little"))
        except DmaError as error:
            self._device.denied(error)
            return False
        return True

    def _execute(self, descriptor, corrupt):
        if not 0 < descriptor.size <= 1 << XFERCAP:
            raise _Halt(CHANERR_LENGTH_ERR)
        try:
            self._move(descriptor, corrupt)
        except DmaError as error:
            self._device.denied(error)
            raise _Halt(CHANERR_WRITE_DATA_ERR if error.write
                        else CHANERR_READ_DATA_ERR) from error

    def _move(self, descriptor, corrupt):
        memory, size = self._device.memory, descriptor.size
        if descriptor.operation == OP_COPY:
            data = memory.read(descriptor.sources[0], size)
        elif descriptor.operation == OP_XOR:
            data = self._xor(descriptor.sources, size).to_bytes(size, "little")
        elif descriptor.operation == OP_XOR_VAL:
            # The parity to be checked is at the destination's address.
            if self._xor([descriptor.destination, *descriptor.sources], size):
                raise _Halt(CHANERR_XOR_P_OR_CRC_ERR)
            return
        else:
            raise _Halt(CHANERR_CONTROL_ERR)
        if corrupt:
            data = bytes([data[0] ^ 1]) + data[1:]
        memory.write(descriptor.destination, data)

    def _xor(self, sources, size):
        """The XOR of all sources, as one large number: Python has no faster way."""
        value = 0
        for address in sources:
            value ^= int.from_bytes(self._device.memory.read(address, size), "little")
        return value
