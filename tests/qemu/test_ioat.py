# SPDX-License-Identifier: GPL-2.0
"""Proves that the emulated I/OAT controller does what the driver relies on.

Guest memory is real, a memory file as QEMU has it; QEMU is played by the test.
"""

import contextlib
import io
import mmap
import os
import struct
import unittest
import unittest.mock

from ioat import descriptors, registers
from ioat.device import Device
from ioat.memory import READ, WRITE

PAGE = 4096
RING, COMPLETION, DATA = 0x10000, 0x20000, 0x30000
CHANNEL0, CHANNEL1 = 0x80, 0x100
INT_EN, COMPL_WRITE, NULL = 1, 8, 0x20
# offsets in a channel's registers
CHANCMD, DMACOUNT, CHANSTS, CHAINADDR, CHANCMP, CHANERR = 4, 6, 8, 0x10, 0x18, 0x28
DELAY, DUE = registers.FAULT_BASE + 8, registers.FAULT_BASE + 12


def pattern(size, seed):
    """Bytes that repeat only after a prime number of them."""
    return bytes((seed + 7 * number) % 251 for number in range(size))


def copy(size, source, destination, following, ctl=INT_EN | COMPL_WRITE):
    """A copy descriptor."""
    return struct.pack("<II3Q32x", size, ctl, source, destination, following)


def xor(operation, size, sources, destination, following):
    """One or two XOR descriptors; FOLLOWING(n) is where descriptor n of the chain is."""
    ctl = operation << 24 | (len(sources) - 2) << 5 | COMPL_WRITE
    first, *rest = sources + [0] * (8 - len(sources))
    head = struct.pack("<II7Q", size, ctl, first, destination, following(1), *rest[:4])
    return [head] + ([struct.pack("<4Q32x", *rest[4:], following(2))]
                     if len(sources) > 5 else [])


class Guest:
    """The driver's side of a device: memory, mapped one to one, and registers."""

    def __init__(self, size=0x100000, **options):
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, size)
        self.ram = mmap.mmap(self.fd, size)
        self.device = Device(2, **options)
        self.device.memory.map(0, size, READ | WRITE, self.fd)
        self.denied = []
        self.device.denied = self.denied.append
        self.events = os.eventfd(0, os.EFD_NONBLOCK)
        self.device.vectors[0] = os.dup(self.events)
        self.write(3, 1, 1)                     # INTRCTRL
        self.write(CHANNEL0 + CHANCMP, COMPLETION, 8)

    def close(self):
        """Give the file descriptors back."""
        for fd in (self.fd, self.events, *self.device.vectors):
            if fd is not None:
                os.close(fd)

    def read(self, offset, size):
        """A register."""
        return int.from_bytes(self.device.read_bar(offset, size), "little")

    def write(self, offset, value, size):
        """A register."""
        self.device.write_bar(offset, value.to_bytes(size, "little"))

    def put(self, address, data):
        """Into memory, without the device."""
        self.ram[address:address + len(data)] = data

    def submit(self, *chain, count=None):
        """Put descriptors into the ring and ring the doorbell; nothing runs yet."""
        for number, raw in enumerate(chain):
            self.put(self.slot(number), raw)
        self.write(CHANNEL0 + CHAINADDR, RING & 0xffffffff, 4)
        self.write(CHANNEL0 + CHAINADDR + 4, RING >> 32, 4)
        self.write(CHANNEL0 + DMACOUNT, len(chain) if count is None else count, 2)

    def run(self, *chain):
        """The same, and let the device work."""
        self.submit(*chain)
        self.device.run()

    @staticmethod
    def slot(number):
        """Where descriptor NUMBER of the ring is."""
        return RING + number * descriptors.SIZE

    def status(self):
        """(state, number of the last descriptor done, or None) of CHANSTS."""
        value = self.read(CHANNEL0 + CHANSTS, 8)
        done = value & ~0x3f
        return value & 7, (done - RING) // descriptors.SIZE if done else None

    def completion(self):
        """CHANSTS as it was last written to memory."""
        return int.from_bytes(self.ram[COMPLETION:COMPLETION + 8], "little")

    def interrupts(self):
        """How many there were since the last call."""
        try:
            return os.eventfd_read(self.events)
        except BlockingIOError:
            return 0


class WithGuest(unittest.TestCase):
    """Has a guest, and keeps the device's log lines from the test's output."""
    options = {}

    def setUp(self):
        self.log = io.StringIO()
        self.enterContext(contextlib.redirect_stderr(self.log))
        self.guest = Guest(**self.options)
        self.addCleanup(self.guest.close)

    def assert_halted(self, error, done):
        """The channel stopped with a bit of CHANERR after descriptor DONE, and said so."""
        guest = self.guest
        self.assertEqual(guest.read(CHANNEL0 + CHANERR, 4), error)
        self.assertEqual(guest.status(), (registers.CHANSTS_HALTED, done))
        self.assertEqual(guest.completion(), guest.read(CHANNEL0 + CHANSTS, 8))


class Copies(WithGuest):
    """Copy descriptors and how they end."""

    def test_copy(self):
        """The bytes, those beside them, completion, interrupt."""
        guest, source = self.guest, pattern(3000, 1)
        guest.put(DATA + 5, source)
        guest.put(DATA + 0x8000, b"\xee" * 4096)
        guest.run(copy(3000, DATA + 5, DATA + 0x8003, guest.slot(1)))
        self.assertEqual(guest.ram[DATA + 0x8000:DATA + 0x9000],
                         b"\xee" * 3 + source + b"\xee" * 1093)
        self.assertEqual(guest.status(), (registers.CHANSTS_DONE, 0))
        self.assertEqual(guest.completion(), guest.slot(0) | registers.CHANSTS_DONE)
        self.assertEqual(guest.interrupts(), 1)

    def test_overlap(self):
        """Source and destination overlap: the source is read first."""
        source = pattern(2000, 2)
        for distance in (-100, 100):
            self.guest.put(DATA + 1000, source)
            self.guest.run(copy(2000, DATA + 1000, DATA + 1000 + distance, self.guest.slot(1)))
            self.assertEqual(self.guest.ram[DATA + 1000 + distance:][:2000], source)

    def test_flags(self):
        """No interrupt and no completion write but where asked for."""
        guest = self.guest
        guest.run(copy(1, DATA, DATA + 1, guest.slot(1), 0),
                  copy(1, 0, 0, guest.slot(2), NULL | COMPL_WRITE),
                  copy(1, DATA, DATA + 2, guest.slot(3), 0))
        self.assertEqual(guest.interrupts(), 0)
        self.assertEqual(guest.completion(), guest.slot(1) | registers.CHANSTS_ACTIVE)
        self.assertEqual(guest.status(), (registers.CHANSTS_DONE, 2))

    def test_doorbell_wraps(self):
        """The count of descriptors is modulo 65536, the ring turns round."""
        guest = self.guest
        guest.submit(copy(1, 0, 0, guest.slot(0), NULL), count=65535)
        guest.device.run()
        guest.write(CHANNEL0 + DMACOUNT, 1, 2)
        guest.device.run()
        self.assertEqual(guest.device.done["null"], 65537)

    def test_interrupts_masked(self):
        """INTRCTRL switches all of them off."""
        self.guest.write(3, 0, 1)
        self.guest.run(copy(1, DATA, DATA + 1, self.guest.slot(1)))
        self.assertEqual(self.guest.interrupts(), 0)


class Xors(WithGuest):
    """XOR descriptors, with and without the second half."""

    def sources(self, count, size=700):
        """COUNT sources in memory: (addresses, their XOR)."""
        value = 0
        for number in range(count):
            data = pattern(size, 3 + 5 * number)
            self.guest.put(DATA + number * PAGE, data)
            value ^= int.from_bytes(data, "little")
        return [DATA + number * PAGE for number in range(count)], value.to_bytes(size, "little")

    def test_xor(self):
        """All numbers of sources; what follows in the chain is found."""
        guest, target = self.guest, DATA + 0x20000
        for count in range(2, 9):
            with self.subTest(count=count):
                sources, wanted = self.sources(count)
                chain = xor(descriptors.OP_XOR, 700, sources, target, guest.slot)
                guest.put(target, bytes(701))
                guest.run(*chain, copy(1, 0, 0, 0, NULL))
                self.assertEqual(guest.ram[target:target + 701], wanted + b"\0")
                self.assertEqual(guest.status(), (registers.CHANSTS_DONE, len(chain)))

    def test_validate(self):
        """XOR_VAL writes nothing; one wrong byte halts the channel."""
        guest, parity = self.guest, DATA + 0x20000
        for count in (2, 6):
            sources, wanted = self.sources(count)
            chain = xor(descriptors.OP_XOR_VAL, 700, sources, parity, guest.slot)
            guest.put(parity, wanted)
            guest.run(*chain)
            self.assertEqual(guest.status(), (registers.CHANSTS_DONE, 0))
            guest.put(parity + 699, bytes([wanted[699] ^ 1]))
            guest.run(*chain)
            self.assert_halted(registers.CHANERR_XOR_P_OR_CRC_ERR, 0)
            guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)


class Errors(WithGuest):
    """What the driver's error handling sees."""

    def test_denied(self):
        """Each kind of access outside the maps has its bit of CHANERR, and is reported."""
        guest, nowhere = self.guest, 0x7f0000000
        good = copy(64, DATA, DATA + 64, guest.slot(1))
        guest.device.memory.map(0x200000, PAGE, READ, guest.fd)
        cases = [
            ("source", [good, copy(64, nowhere, DATA, guest.slot(2))],
             registers.CHANERR_READ_DATA_ERR, False),
            ("destination", [good, copy(64, DATA, nowhere, guest.slot(2))],
             registers.CHANERR_WRITE_DATA_ERR, True),
            ("direction", [good, copy(64, DATA, 0x200000, guest.slot(2))],
             registers.CHANERR_WRITE_DATA_ERR, True),
            ("descriptor", [copy(64, DATA, DATA + 64, nowhere), b""],
             registers.CHANERR_NEXT_ADDR_ERR, False)]
        for name, chain, error, write in cases:
            with self.subTest(name):
                guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
                guest.denied.clear()
                guest.interrupts()
                guest.run(*chain)
                self.assert_halted(error, 0)
                self.assertEqual([denied.write for denied in guest.denied], [write])
                self.assertEqual(guest.interrupts(), 2)

    def test_nonsense(self):
        """Sizes and operations there are not."""
        for raw, error in (
                (copy(0, DATA, DATA, 0), registers.CHANERR_LENGTH_ERR),
                (copy((1 << 20) + 1, DATA, DATA, 0), registers.CHANERR_LENGTH_ERR),
                (copy(1, DATA, DATA, 0, 0x89 << 24), registers.CHANERR_CONTROL_ERR)):
            with self.subTest(error=error):
                self.guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
                self.guest.run(raw)
                self.assert_halted(error, None)

    def test_recovery(self):
        """A halted channel ignores the doorbell until reset, then works again."""
        guest = self.guest
        guest.run(copy(0, 0, 0, 0))
        guest.put(guest.slot(0), copy(1, DATA, DATA + 1, guest.slot(1)))
        guest.write(CHANNEL0 + DMACOUNT, 2, 2)
        guest.device.run()
        self.assert_halted(registers.CHANERR_LENGTH_ERR, None)
        guest.write(CHANNEL0 + CHANERR, registers.CHANERR_LENGTH_ERR, 4)
        self.assertEqual(guest.read(CHANNEL0 + CHANERR, 4), 0)
        guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
        guest.run(copy(1, DATA, DATA + 1, 0))
        self.assertEqual(guest.status(), (registers.CHANSTS_DONE, 0))


class FaultsOnRequest(WithGuest):
    """The registers at 0x7000."""

    def ask(self, kind, skip=0):
        """Request a fault; the channel is reset."""
        self.guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
        self.guest.write(registers.FAULT_BASE + 4, skip, 4)
        self.guest.write(registers.FAULT_BASE, kind, 4)

    def three(self):
        """A null descriptor and two copies: the bytes copied, b"" being none."""
        guest = self.guest
        guest.put(DATA, b"AB" + bytes(254))
        guest.run(copy(1, 0, 0, guest.slot(1), NULL),
                  copy(1, DATA, DATA + 128, guest.slot(2)),
                  copy(1, DATA + 1, DATA + 129, guest.slot(3)))
        return guest.ram[DATA + 128:DATA + 130].rstrip(b"\0")

    def test_errors(self):
        """One error, on the operation it was asked for."""
        for kind, error in ((1, registers.CHANERR_READ_DATA_ERR),
                            (2, registers.CHANERR_WRITE_DATA_ERR)):
            for skip in (0, 1):
                with self.subTest(kind=kind, skip=skip):
                    self.ask(kind, skip)
                    self.assertEqual(self.three(), b"A"[:skip])
                    self.assert_halted(error, skip)
                    self.guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
                    self.assertEqual(self.three(), b"AB")

    def test_hang(self):
        """It stays active until it is reset."""
        self.ask(3)
        self.assertEqual(self.three(), b"")
        self.assertEqual(self.guest.status(), (registers.CHANSTS_ACTIVE, 0))
        self.guest.write(CHANNEL0 + DMACOUNT, 4, 2)
        self.guest.device.run()
        self.assertEqual(self.guest.status(), (registers.CHANSTS_ACTIVE, 0))
        self.guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
        self.assertEqual(self.three(), b"AB")

    def test_corrupt(self):
        """One wrong bit and no error; sticky faults last until they are taken back."""
        self.ask(4)
        self.assertEqual(self.three(), b"@B")
        self.ask(0x84, 1)
        self.assertEqual(self.three(), b"AC")
        self.assertEqual(self.three(), b"@C")
        self.assertEqual(self.guest.read(registers.FAULT_BASE, 4), 0x84)
        self.ask(0)
        self.assertEqual(self.three(), b"AB")


class Delayed(WithGuest):
    """Operations that are in flight for an hour."""
    options = {"delay": 3600}

    def setUp(self):
        super().setUp()
        clock = unittest.mock.patch("ioat.device.time.monotonic", return_value=1000)
        self.clock = clock.start()
        self.addCleanup(clock.stop)
        self.rung = 0

    def copied(self, before_its_end):
        """Whether a copy is done an hour later; BEFORE_ITS_END is called earlier."""
        guest = self.guest
        guest.put(DATA, b"x\0")
        guest.run(copy(1, DATA, DATA + 1, guest.slot(1)))
        self.assertEqual(guest.status(), (registers.CHANSTS_ACTIVE, None))
        self.assertEqual(guest.device.wait(), 3600)
        self.clock.return_value += 3599
        guest.device.run()
        self.assertEqual(guest.status(), (registers.CHANSTS_ACTIVE, None))
        before_its_end()
        self.clock.return_value += 1
        guest.device.run()
        self.assertEqual(guest.device.wait(), None)
        return guest.ram[DATA:DATA + 2] == b"xx"

    def test_in_flight(self):
        """Nothing happens before its time; suspending or resetting drops it."""
        for command, state in ((registers.CHANCMD_SUSPEND, registers.CHANSTS_SUSPENDED),
                               (registers.CHANCMD_RESET, registers.CHANSTS_HALTED)):
            self.assertFalse(self.copied(lambda c=command: self.guest.write(
                CHANNEL0 + CHANCMD, c, 1)))
            self.assertEqual(self.guest.status(), (state, None))
        self.assertTrue(self.copied(lambda: None))
        self.assertEqual(self.guest.status(), (registers.CHANSTS_DONE, 0))

    def test_several(self):
        """It is active until the last one is done."""
        guest = self.guest
        guest.run(copy(1, DATA, DATA, guest.slot(1)))
        self.clock.return_value += 3000
        guest.put(guest.slot(1), copy(1, DATA, DATA, guest.slot(2)))
        guest.write(CHANNEL0 + DMACOUNT, 2, 2)
        self.clock.return_value += 600
        guest.device.run()
        self.assertEqual(guest.status(), (registers.CHANSTS_ACTIVE, 0))
        self.clock.return_value += 3000
        guest.device.run()
        self.assertEqual(guest.status(), (registers.CHANSTS_DONE, 1))

    def ring(self, delay_ms):
        """One more copy, whose doorbell is rung after a write of FAULT_DELAY."""
        guest, number = self.guest, self.rung
        self.rung += 1
        guest.write(DELAY, delay_ms, 4)
        guest.put(guest.slot(number), copy(1, DATA, DATA + 1 + number, guest.slot(number + 1)))
        if not number:
            guest.write(CHANNEL0 + CHAINADDR, RING, 8)
        guest.write(CHANNEL0 + DMACOUNT, self.rung, 2)

    def done(self, seconds):
        """How many copies are done so much later, and how many doorbells are delayed then."""
        self.clock.return_value += seconds
        self.guest.device.run()
        return (self.guest.ram[DATA:DATA + 9].count(b"x") - 1,
                self.guest.read(DUE, 4))

    def test_register(self):
        """It counts from the next doorbell on; a shorter delay hastens what is delayed."""
        self.assertEqual(self.guest.read(DELAY, 4), 3600000)
        self.guest.put(DATA, b"x" + bytes(8))
        self.ring(0)
        self.assertEqual(self.done(0), (1, 0))
        self.ring(5000)
        self.ring(9000)
        self.assertEqual(self.done(4.5), (1, 2))
        self.assertEqual(self.done(1), (2, 1))
        self.guest.write(DELAY, 2000, 4)
        self.assertEqual(self.done(1), (2, 1))
        # Neither a longer delay, nor any write of the other registers, changes what is due
        self.guest.write(DELAY, 20000, 4)
        self.guest.write(DELAY - 4, 0, 4)
        self.assertEqual(self.done(1), (3, 0))
        self.ring(20000)
        self.ring(20000)
        self.guest.write(DUE, 7, 4)
        self.assertEqual(self.done(0), (3, 2))
        self.guest.write(DELAY, 0, 4)
        self.assertEqual(self.done(0), (5, 0))

    def test_abandoned(self):
        """What a reset channel was asked for is given up."""
        self.guest.put(DATA, b"x" + bytes(8))
        self.ring(5000)
        self.assertEqual(self.done(1), (0, 1))
        self.guest.write(CHANNEL0 + CHANCMD, registers.CHANCMD_RESET, 1)
        self.assertEqual(self.done(0), (0, 0))
        self.guest.write(DELAY, 0, 4)
        self.assertEqual(self.done(5), (0, 0))


class Registers(WithGuest):
    """Accesses as the driver makes them."""

    def test_identity(self):
        """What the driver asks first."""
        read = self.guest.read
        self.assertEqual([read(0, 1), read(1, 1), read(8, 1), read(0x10, 4)],
                         [2, 20, 0x34, registers.CAP_XOR])

    def test_read_only(self):
        """Writes to the wrong places, or beyond the last channel, change nothing."""
        for offset in (0, 8, 0x10, CHANNEL0 + CHANSTS, CHANNEL1 + 0x80, 0x6ff8):
            before = self.guest.read(offset, 8)
            self.guest.write(offset, 0x55, 1)
            self.assertEqual(self.guest.read(offset, 8), before)

    def test_channels_are_apart(self):
        """A register of one channel is none of another's; halves make a whole."""
        self.guest.write(CHANNEL1 + CHANCMP + 4, 0x12, 4)
        self.guest.write(CHANNEL1 + CHANCMP, 0x3456789, 4)
        self.assertEqual(self.guest.read(CHANNEL1 + CHANCMP, 8), 0x1203456789)
        self.assertEqual(self.guest.read(CHANNEL0 + CHANCMP, 8), COMPLETION)

    def test_configuration(self):
        """BAR 0 has its size, the rest of the header cannot be written."""
        config = self.guest.device.config
        config.write(0, b"\xff" * 64)
        self.assertEqual(config.read(0, 4), b"\x86\x80\x00\x0b")
        self.assertEqual(config.read(0x10, 12), b"\x04\x00" + b"\xff" * 6 + bytes(4))


if __name__ == "__main__":
    unittest.main()
