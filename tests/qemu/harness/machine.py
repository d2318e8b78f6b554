# SPDX-License-Identifier: GPL-2.0
"""Runs a guest and hands on what it says, line by line."""

import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

from . import cache, ioat, qemu

# Added to the command line of every kernel: panic=-1 ends a guest at once.
APPEND = "panic=-1 oops=panic"


@dataclass(frozen=True)
class Machine:
    """What differs between the machines QEMU emulates, beside the rows' own "extra"."""
    program: str
    options: list       # the processor, and a way out with an exit status
    console: str        # the first serial line, as its kernel calls it
    bus: str | None = None      # the device that virtio serial ports hang on; without one,
                                # the channel is the second serial line
    dtb: str | None = None      # its device tree, of those that come with the kernel
    without: tuple = ()         # nodes that are taken out of it


# The ways out are those guest/debug-exit.c takes.
SEMIHOSTING = ["-semihosting-config", "enable=on,userspace=on"]
MACHINES = {
    "q35": Machine("qemu-system-x86_64",
                   ["-cpu", "max", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
                   "ttyS0", "virtio-serial-pci"),
    # Its processors are what the SoC has.
    "xlnx-versal-virt": Machine("qemu-system-aarch64", SEMIHOSTING, "ttyAMA0",
                                "virtio-serial-device"),
    # Bluetooth would have the first serial line to itself.
    "raspi3b": Machine("qemu-system-aarch64", SEMIHOSTING, "ttyAMA0",
                       dtb="broadcom/bcm2837-rpi-3-b.dtb",
                       without=("/soc/serial@7e201000/bluetooth",)),
    "smdkc210": Machine("qemu-system-arm", SEMIHOSTING, "ttySAC0",
                        dtb="exynos4210-smdkv310.dtb"),
}


@dataclass
class Ending:
    """How a guest came to its end."""
    status: int         # 0: as if it had powered off in good order
    hung: bool
    seconds: float
    complaints: list = field(default_factory=list)  # of what was attached to it


def _uml(guest, _kernel, initramfs, channel, terminal):
    con = "con0=fd:0,fd:1" if terminal else "con0=null,fd:1"
    return [f"mem={guest.memory}", f"initrd={initramfs}", con, "con=null",
            f"ssl0=null,fd:{channel}", "ssl=null", *(["quiet"] if terminal else []),
            *guest.append.split(), *APPEND.split()]


def _device_tree(guest, kernel, machine):
    """The machine's device tree, as an argument, if the kernel has to be told."""
    if not machine.dtb:
        return []
    dtb = guest.build / "dtb"
    shutil.copyfile(kernel.dtbs / machine.dtb, dtb)
    for node in machine.without:
        cache.run(["fdtput", "-r", dtb, node], guest.build / "dtb.log")
    return ["-dtb", dtb]


def _qemu(guest, kernel, initramfs, channel, terminal):
    # "-display none" and not "-nographic", which makes the firmware chatty.
    serial = "mon:stdio" if terminal else "stdio"
    machine = MACHINES[guest.machine]
    port = ["-device", machine.bus, "-device", "virtserialport,chardev=results"] \
        if machine.bus else ["-serial", "chardev:results"]
    return ["-accel", guest.accel, "-M", guest.machine, *machine.options,
            "-smp", str(guest.cpus), "-m", guest.memory, "-nodefaults", "-display", "none",
            "-no-reboot", "-serial", serial,
            "-chardev", f"file,id=results,path=/proc/self/fd/{channel}", *port,
            "-kernel", kernel.image, "-initrd", initramfs,
            *_device_tree(guest, kernel, machine),
            "-append", f"console={machine.console} quiet {APPEND} {guest.append}", *guest.extra]


def _pump(channel, sink):
    """Give every line that comes through the channel to SINK."""
    with os.fdopen(channel, "rb", buffering=0) as stream:
        rest = b""
        while True:
            data = stream.read(65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                sink(line.decode(errors="replace").rstrip("\r"))
        if rest:
            sink(rest.decode(errors="replace"))


def _stop(process):
    """End a guest that does not end by itself, all its processes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(30)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def run(guest, kernel, initramfs, sink, console=None, terminal=False):
    """Boot the guest and wait for its end; CONSOLE is a file for its console.

    SINK gets each line of its channel, and returns true if there is to be no more.
    With TERMINAL the console is the user's terminal and there is no timeout.
    """
    program, arguments = [kernel.image], _uml
    if guest.machine != "uml":
        own = [MACHINES[guest.machine].program]
        program, arguments = qemu.command(guest.qemu) if guest.qemu else own, _qemu
    complaints = []
    with ioat.attached(guest, complaints) as attached:
        def line(channel):
            return [*program, *arguments(guest, kernel, initramfs, channel, terminal), *attached]
        ending = _run(guest, line, sink, console, terminal)
    ending.complaints = complaints
    return ending


def _wait(process, patience, heard):
    """The status of a process; None, if nothing is heard from it for PATIENCE seconds.

    HEARD() is when something was heard last. How long all of it takes says nothing:
    the host may be slow.
    """
    while (left := heard() + patience - time.monotonic()) > 0:
        try:
            return process.wait(left)
        except subprocess.TimeoutExpired:
            continue
    return None


def _run(guest, line, sink, console, terminal):
    """Run the command line(file descriptor of the channel)."""
    last = time.monotonic()

    def listen(text):
        nonlocal last
        last = time.monotonic()
        if sink(text):
            _stop(process)

    read_end, write_end = os.pipe()
    start = time.monotonic()
    with subprocess.Popen([str(word) for word in line(write_end)], pass_fds=[write_end],
                          stdin=None if terminal else subprocess.DEVNULL,
                          stdout=console, stderr=subprocess.STDOUT if console else None,
                          start_new_session=not terminal) as process:
        os.close(write_end)
        pump = threading.Thread(target=_pump, args=(read_end, listen), daemon=True)
        pump.start()
        try:
            status = process.wait() if terminal else _wait(process, guest.timeout, lambda: last)
            hung = status is None
            if hung:
                _stop(process)
                status = process.returncode
        except BaseException:
            process.terminate() if terminal else _stop(process)
            raise
        pump.join(60)
    if guest.machine != "uml":
        # guest/debug-exit.c: 2 * status + 1, so that 0 is what a panic gives
        status = status >> 1 if status & 1 else 255
    return Ending(status, hung, time.monotonic() - start)
