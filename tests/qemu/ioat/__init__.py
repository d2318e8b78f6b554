# SPDX-License-Identifier: GPL-2.0
"""An Intel I/OAT DMA controller, version 3.4, for guests of QEMU.

QEMU's vfio-user-pci device forwards what the guest does with the controller's
registers to this program, which moves the bytes in the guest's memory, and
raises interrupts. The guest drives it with its own kernel's ioatdma.ko. There
are copy, XOR and XOR_VAL, as many as the driver's own self test uses; no PQ.

Read in this order: registers and descriptors (the tables), memory, channel
(what the controller does), faults (what it does wrong on request), device (PCI),
protocol and server (how QEMU talks to it).

Names in capitals are those of the driver, drivers/dma/ioat/registers.h and hw.h,
without their IOAT_; there is no public data sheet. The protocol is described in
QEMU's docs/interop/vfio-user.rst.
"""
