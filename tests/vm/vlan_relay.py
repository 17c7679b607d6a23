"""An interface whose frames are in a VLAN of a wire, on a machine without VLAN devices. Stands alone: it runs in the
namespace that gets the interface.

`vlan_relay.py TAP VLAN OURS GUESTS`: what the tap sends goes to the datagram socket GUESTS with the tag; what comes to
OURS with the tag goes into the tap without it; all else is dropped.
"""

import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


def main(tap: str, vlan: str, ours: str, guests: str) -> None:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP | IFF_NO_PI))
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.bind(ours)
    tag = struct.pack("!HH", 0x8100, int(vlan))
    print("ready", flush=True)
    while True:
        for ready in select.select([device, wire], [], [])[0]:
            if ready is device:
                frame = os.read(device, 65536)
                try:
                    wire.sendto(frame[:12] + tag + frame[12:], guests)
                except OSError:
                    pass  # the guest is not there yet, or no more
                continue
            frame = wire.recv(65536)
            if frame[12:14] == tag[:2] and int.from_bytes(frame[14:16], "big") & 0xFFF == int(vlan):
                os.write(device, frame[:12] + frame[16:])


if __name__ == "__main__":
    main(*sys.argv[1:])
