# SPDX-License-Identifier: GPL-2.0
"""python3 -m ioat --listen FD [--channels N] [--delay-ms MS] [--copy-only]

Serve one QEMU, then end.
"""

import argparse
import socket

from .device import Device
from .protocol import Command
from .server import Server


def main():
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=int, required=True, metavar="FD",
                        help="a socket that listens already")
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--delay-ms", type=float, default=0,
                        help="what is asked for by one doorbell is done that much later; "
                             "the guest may change it: see faults.py")
    parser.add_argument("--copy-only", action="store_true", help="no XOR")
    options = parser.parse_args()

    with socket.socket(fileno=options.listen) as listener:
        connection, _ = listener.accept()
    device = Device(options.channels, options.delay_ms / 1000, options.copy_only)
    server = Server(connection, device)
    with connection:
        server.serve()
    device.log("messages: " + ", ".join(f"{Command(command).name} {count}"
                                        for command, count in sorted(server.seen.items())))
    device.log("done: " + ", ".join(f"{name} {count}" for name, count in device.done.items()))


if __name__ == "__main__":
    main()
