# SPDX-License-Identifier: GPL-2.0
"""Answers QEMU's messages with what the device says, and lets time pass for it."""

import errno
import json
import os
import select
import socket
from collections import Counter

from . import protocol
from .protocol import Command

INTERRUPT_TYPES = 5
MSIX = 2                    # VFIO_PCI_MSIX_IRQ_INDEX
REGIONS = 9                 # VFIO_PCI_NUM_REGIONS
MAX_FDS = 8                 # in a message; QEMU takes no more than 16

CAPABILITIES = {"capabilities": {"max_msg_fds": MAX_FDS, "max_data_xfer_size": 1 << 20,
                                 "max_dma_maps": 65535, "pgsizes": 4096}}


class Server:
    """One connection, which lasts as long as QEMU does."""

    def __init__(self, connection, device):
        self._connection, self._device = connection, device
        self._regions = device.regions()
        self._requests = 0
        self.seen = Counter()
        device.denied = self.denied
        self._answers = {
            Command.VERSION: self._version, Command.DMA_MAP: self._dma_map,
            Command.DMA_UNMAP: self._dma_unmap, Command.GET_INFO: self._info,
            Command.GET_REGION_INFO: self._region_info, Command.GET_IRQ_INFO: self._irq_info,
            Command.SET_IRQS: self._set_irqs, Command.REGION_READ: self._region_read,
            Command.REGION_WRITE: self._region_write, Command.DEVICE_RESET: self._reset}

    def serve(self):
        """Work until QEMU closes the connection."""
        while True:
            ready, _, _ = select.select([self._connection], [], [], self._device.wait())
            if ready:
                message = self._receive()
                if message is None:
                    return
                self._answer(message)
            self._device.run()

    def _bytes(self, size, fds):
        """SIZE bytes; none, if the connection was closed."""
        data = b""
        while len(data) < size:
            part, more, _, _ = socket.recv_fds(self._connection, size - len(data), MAX_FDS)
            fds += more
            if not part:
                return b""
            data += part
        return data

    def _receive(self):
        fds = []
        header = self._bytes(protocol.HEADER.size, fds)
        if not header:
            return None
        number, command, size, flags, _ = protocol.HEADER.unpack(header)
        payload = self._bytes(size - protocol.HEADER.size, fds)
        return protocol.Message(number, command, flags, payload, fds)

    def _answer(self, message):
        if message.flags & protocol.REPLY:
            return              # QEMU answers failed requests even if told not to
        self.seen[message.command] += 1
        answer = self._answers.get(message.command)
        payload = answer(message) if answer else b""
        # What is still needed was taken out.
        for fd in message.fds:
            os.close(fd)
        if not message.flags & protocol.NO_REPLY:
            self._connection.sendall(
                protocol.reply(message, payload, 0 if answer else errno.ENOTSUP))

    def denied(self, error):
        """Let QEMU try an access that no map allows, so that the guest's IOMMU reports it.

        The IOMMU is in QEMU and sees no access through the maps. Nobody waits
        for the result, which is known: QEMU has to hold the machine still while
        it waits for one of our answers.
        """
        self._device.log(f"no map allows: {error}")
        self._requests += 1
        command = Command.DMA_WRITE if error.write else Command.DMA_READ
        # QEMU's structure is padded, which it counts in.
        payload = protocol.DMA_ACCESS.pack(error.address, 4) + bytes(8)
        self._connection.sendall(protocol.request(self._requests & 0xffff, command, payload))

    # One method for each command; they return what follows the header of the reply.

    def _version(self, _message):
        return protocol.VERSION.pack(0, 0) + json.dumps(CAPABILITIES).encode() + b"\0"

    def _dma_map(self, message):
        _, allowed, offset, address, size = protocol.DMA_MAP.unpack_from(message.payload)
        self._device.memory.map(address, size, allowed, *message.fds[:1], offset=offset)
        return b""

    def _dma_unmap(self, message):
        _, flags, address, size = protocol.DMA_UNMAP.unpack_from(message.payload)
        if flags & protocol.UNMAP_ALL:
            self._device.memory.unmap_all()
        else:
            self._device.memory.unmap(address, size)
        return message.payload[:protocol.DMA_UNMAP.size]

    def _info(self, _message):
        return protocol.DEVICE_INFO.pack(protocol.DEVICE_INFO.size,
                                         protocol.INFO_RESETS | protocol.INFO_PCI, REGIONS,
                                         INTERRUPT_TYPES)

    def _region_info(self, message):
        index = protocol.REGION_INFO.unpack_from(message.payload)[2]
        size = self._regions[index][0] if index in self._regions else 0
        flags = protocol.REGION_READ | protocol.REGION_WRITE if size else 0
        return protocol.REGION_INFO.pack(protocol.REGION_INFO.size, flags, index, 0, size, 0)

    def _irq_info(self, message):
        index = protocol.IRQ_INFO.unpack_from(message.payload)[2]
        count = len(self._device.vectors) if index == MSIX else 0
        return protocol.IRQ_INFO.pack(protocol.IRQ_INFO.size,
                                      protocol.IRQ_EVENTFD | protocol.IRQ_NO_RESIZE, index, count)

    def _set_irqs(self, message):
        """New event file descriptors for some vectors, or, without any, for none."""
        _, flags, index, first, count = protocol.SET_IRQS.unpack_from(message.payload)
        vectors = self._device.vectors
        if index == MSIX:
            # "No data, no vectors" turns all of them off.
            numbers = range(first, first + count) if flags & protocol.SET_EVENTFD \
                else range(len(vectors)) if count == 0 else ()
            for number in numbers:
                if vectors[number] is not None:
                    os.close(vectors[number])
                vectors[number] = message.fds.pop(0) if message.fds else None
        return b""

    def _region_read(self, message):
        offset, index, count = protocol.REGION_ACCESS.unpack_from(message.payload)
        _, read, _ = self._regions[index]
        return protocol.REGION_ACCESS.pack(offset, index, count) + read(offset, count)

    def _region_write(self, message):
        offset, index, count = protocol.REGION_ACCESS.unpack_from(message.payload)
        _, _, write = self._regions[index]
        write(offset, message.payload[protocol.REGION_ACCESS.size:][:count])
        return protocol.REGION_ACCESS.pack(offset, index, count)

    def _reset(self, _message):
        self._device.reset()
        return b""
