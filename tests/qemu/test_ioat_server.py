# SPDX-License-Identifier: GPL-2.0
"""Proves that the emulated I/OAT controller understands QEMU: maps and messages."""

import os
import socket
import threading
import unittest

from ioat import protocol
from ioat.memory import READ, WRITE, DmaError, Memory
from ioat.protocol import Command
from ioat.server import Server
from test_ioat import (
    CHAINADDR, CHANCMP, CHANNEL0, CHANNEL1, DATA, DMACOUNT, PAGE, RING, WithGuest, copy, pattern)


class Maps(unittest.TestCase):
    """Guest memory in pieces, as behind an IOMMU."""

    def setUp(self):
        self.fd = os.memfd_create("guest")
        self.addCleanup(os.close, self.fd)
        os.pwrite(self.fd, b"".join(bytes([number]) * PAGE for number in range(8)), 0)
        self.memory = Memory()

    def test_pieces(self):
        """Reads and writes go through maps that lie anywhere in the file."""
        for place, page in ((2, 0), (0, 3), (3, 7), (1, 4)):
            self.memory.map(place * PAGE, PAGE, READ | WRITE, self.fd, page * PAGE)
        wanted = b"\3" * PAGE + b"\4" * PAGE + b"\0" * PAGE + b"\7" * PAGE
        self.assertEqual(bytes(self.memory.read(0, 4 * PAGE)), wanted)
        self.assertEqual(bytes(self.memory.read(1, 2 * PAGE - 2)), wanted[1:2 * PAGE - 1])
        self.memory.write(PAGE - 2, pattern(2 * PAGE + 4, 9))
        self.assertEqual(bytes(self.memory.read(PAGE - 2, 2 * PAGE + 4)),
                         pattern(2 * PAGE + 4, 9))
        self.assertEqual(os.pread(self.fd, 3, 7 * PAGE)[2:], b"\7")

    def test_denied(self):
        """No map, a hole, the wrong direction, unmapped, not shared; nothing is written."""
        self.memory.map(PAGE, PAGE, READ | WRITE, self.fd)
        self.memory.map(2 * PAGE, PAGE, READ, self.fd)
        self.memory.map(4 * PAGE, PAGE, READ | WRITE)
        for address, size in ((0, 1), (PAGE - 1, 2), (3 * PAGE - 1, 2), (4 * PAGE, 1)):
            with self.assertRaises(DmaError):
                self.memory.read(address, size)
        with self.assertRaises(DmaError) as caught:
            self.memory.write(2 * PAGE - 2, b"abcd")
        self.assertEqual((caught.exception.address, caught.exception.write), (2 * PAGE, True))
        self.assertEqual(os.pread(self.fd, 2, PAGE - 2), b"\0\0")
        self.memory.unmap(0, 2 * PAGE)
        with self.assertRaises(DmaError):
            self.memory.read(PAGE, 1)
        self.assertEqual(len(self.memory.read(2 * PAGE, PAGE)), PAGE)
        self.memory.unmap_all()
        with self.assertRaises(DmaError):
            self.memory.read(2 * PAGE, 1)


class Messages(WithGuest):
    """The protocol, with a server on the other end of a socket."""

    def setUp(self):
        super().setUp()
        self.qemu, end = socket.socketpair()
        self.qemu.settimeout(60)
        server = Server(end, self.guest.device)
        thread = threading.Thread(target=server.serve)
        thread.start()
        self.addCleanup(end.close)
        self.addCleanup(thread.join, 60)
        self.addCleanup(self.qemu.close)

    def send(self, command, payload=b"", fds=(), flags=0):
        """A request as QEMU sends it."""
        size = protocol.HEADER.size + len(payload)
        socket.send_fds(self.qemu, [protocol.HEADER.pack(7, command, size, flags, 0) + payload],
                        fds)

    def receive(self):
        """(number, command, flags, errno, payload) of the next message."""
        head = self.qemu.recv(protocol.HEADER.size, socket.MSG_WAITALL)
        number, command, size, flags, error = protocol.HEADER.unpack(head)
        rest = size - len(head)
        return (number, command, flags, error,
                self.qemu.recv(rest, socket.MSG_WAITALL) if rest else b"")

    def ask(self, command, payload=b"", fds=()):
        """The payload of the answer to a request, which must succeed."""
        self.send(command, payload, fds)
        number, answered, flags, error, payload = self.receive()
        self.assertEqual((number, answered, flags, error), (7, command, protocol.REPLY, 0))
        return payload

    def test_description(self):
        """What QEMU wants to know first."""
        self.assertIn(b"max_msg_fds", self.ask(Command.VERSION, b"\0\0\1\0{}\0"))
        self.assertEqual(protocol.DEVICE_INFO.unpack(self.ask(Command.GET_INFO, bytes(16)))[1:],
                         (3, 9, 5))
        sizes = [protocol.REGION_INFO.unpack(self.ask(
            Command.GET_REGION_INFO, protocol.REGION_INFO.pack(32, 0, index, 0, 0, 0)))[4]
            for index in range(9)]
        self.assertEqual(sizes, [0x10000, 0, 0, 0, 0, 0, 0, 4096, 0])
        counts = [protocol.IRQ_INFO.unpack(self.ask(
            Command.GET_IRQ_INFO, protocol.IRQ_INFO.pack(16, 0, index, 0)))[3]
            for index in range(5)]
        self.assertEqual(counts, [0, 0, 2, 0, 0])

    def test_unknown(self):
        """A request that is not known fails, and the next one works."""
        self.send(14)
        self.assertEqual(self.receive()[2:4], (protocol.REPLY | protocol.ERROR, 95))
        self.ask(Command.GET_INFO, bytes(16))

    def test_registers(self):
        """Reads and writes of both regions; no answer where none is wanted."""
        access = protocol.REGION_ACCESS
        self.send(Command.REGION_WRITE, access.pack(CHANNEL1 + CHANCMP, 0, 4) + b"abcd",
                  flags=protocol.NO_REPLY)
        answer = self.ask(Command.REGION_READ, access.pack(CHANNEL1 + CHANCMP, 0, 4))
        self.assertEqual(answer, access.pack(CHANNEL1 + CHANCMP, 0, 4) + b"abcd")
        self.assertEqual(self.ask(Command.REGION_READ, access.pack(0, 7, 2))[16:], b"\x86\x80")

    def test_interrupts(self):
        """A vector gets an event file descriptor, then loses it."""
        event = os.eventfd(0)
        self.addCleanup(os.close, event)
        set_irqs = protocol.SET_IRQS
        self.ask(Command.SET_IRQS, set_irqs.pack(20, 0x24, 2, 1, 1), [event])
        self.guest.device.interrupt(1)
        self.assertEqual(os.eventfd_read(event), 1)
        self.ask(Command.SET_IRQS, set_irqs.pack(20, 0x24, 2, 1, 1))
        self.assertEqual(self.guest.device.vectors[1], None)
        self.ask(Command.SET_IRQS, set_irqs.pack(20, 0x21, 2, 0, 0))
        self.assertEqual(self.guest.device.vectors, [None, None])

    def test_copy(self):
        """Memory comes and goes by messages; what is denied is tried by QEMU."""
        self.ask(Command.DMA_UNMAP, protocol.DMA_UNMAP.pack(32, protocol.UNMAP_ALL, 0, 0))
        with self.assertRaises(DmaError):
            self.guest.device.memory.read(0, 1)
        self.ask(Command.DMA_MAP, protocol.DMA_MAP.pack(32, 3, 0, 0, 0x40000), [self.guest.fd])
        self.guest.put(DATA, b"x\0")
        self.guest.put(RING, copy(1, DATA, DATA + 1, self.guest.slot(1))
                       + copy(1, DATA, 0x50000, self.guest.slot(2)))
        for offset, value, size in ((CHAINADDR, RING, 8), (DMACOUNT, 2, 2)):
            self.ask(Command.REGION_WRITE, protocol.REGION_ACCESS.pack(
                CHANNEL0 + offset, 0, size) + value.to_bytes(size, "little"))
        _, command, flags, _, payload = self.receive()
        self.assertEqual((command, flags), (Command.DMA_WRITE, protocol.NO_REPLY))
        self.assertEqual(protocol.DMA_ACCESS.unpack_from(payload)[0], 0x50000)
        self.assertEqual(self.guest.ram[DATA:DATA + 2], b"xx")
        # QEMU answers although it was told not to.
        self.send(command, flags=protocol.REPLY | protocol.ERROR)
        self.ask(Command.GET_INFO, bytes(16))


if __name__ == "__main__":
    unittest.main()
