# SPDX-License-Identifier: GPL-2.0
"""The guest's memory as the controller sees it: only what QEMU says is mapped.

Without an IOMMU in the guest that is all of it, in a few large maps. With one,
QEMU tells of every page the guest's kernel maps or unmaps for the controller.
The memory itself is a file that QEMU and this program share.
"""

import bisect
import mmap
import os
from dataclasses import dataclass

READ, WRITE = 1, 2          # permissions, VFIO_DMA_MAP_FLAG_*


class DmaError(Exception):
    """An access that the maps do not allow."""

    def __init__(self, address, write):
        super().__init__(f"{'write to' if write else 'read from'} {address:#x}")
        self.address, self.write = address, write


@dataclass
class _Map:
    address: int
    size: int
    allowed: int
    file: memoryview | None     # None: memory that is not shared with us
    offset: int                 # in the file


class Memory:
    """All maps, none of which overlap."""

    def __init__(self):
        self._addresses = []    # sorted
        self._maps = {}         # by address
        self._files = {}        # by device and inode

    def _open(self, fd):
        """The bytes of the whole file: one mmap, however many maps point into it."""
        status = os.fstat(fd)
        key = status.st_dev, status.st_ino
        if key not in self._files:
            self._files[key] = memoryview(mmap.mmap(fd, status.st_size))
        return self._files[key]

    def map(self, address, size, allowed, fd=None, offset=0):
        """The guest allows access to SIZE bytes, which are those at OFFSET in the file FD."""
        if address not in self._maps:
            bisect.insort(self._addresses, address)
        file = None if fd is None else self._open(fd)
        self._maps[address] = _Map(address, size, allowed, file, offset)

    def unmap(self, address, size):
        """Forget the maps in a range."""
        begin = bisect.bisect_left(self._addresses, address)
        end = bisect.bisect_left(self._addresses, address + size)
        for start in self._addresses[begin:end]:
            del self._maps[start]
        del self._addresses[begin:end]

    def unmap_all(self):
        """Forget all maps."""
        self._addresses.clear()
        self._maps.clear()

    def _spans(self, address, size, needed):
        """The pieces of files that a range is, as few as possible: [[file, begin, end]]."""
        spans = []
        while size:
            index = bisect.bisect_right(self._addresses, address) - 1
            found = self._maps[self._addresses[index]] if index >= 0 else None
            inside = address - found.address if found else 0
            if not found or inside >= found.size or not found.allowed & needed \
                    or found.file is None:
                raise DmaError(address, needed == WRITE)
            part = min(size, found.size - inside)
            begin = found.offset + inside
            if spans and spans[-1][0] is found.file and spans[-1][2] == begin:
                spans[-1][2] += part
            else:
                spans.append([found.file, begin, begin + part])
            address += part
            size -= part
        return spans

    def read(self, address, size):
        """SIZE bytes; without copying them, where they are in one piece."""
        views = [file[begin:end] for file, begin, end in self._spans(address, size, READ)]
        return views[0] if len(views) == 1 else b"".join(views)

    def write(self, address, data):
        """Write all of DATA, or nothing."""
        done = 0
        for file, begin, end in self._spans(address, len(data), WRITE):
            file[begin:end] = data[done:done + end - begin]
            done += end - begin
