"""Listens on an interface of this network namespace and logs the DNS responses that pass, with the kernel's time stamps."""

import json
import signal
import socket
import struct
import time

from answers import PacketReader, ip_of_ethernet

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
MAX_FRAME = 262144


def open_socket(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    except PermissionError:
        pass
    sock.bind((interface, 0))
    return sock


def stamp_of(ancillary):
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds * 1_000_000_000 + nanoseconds
    return time.time_ns()


def capture(interface, out, seconds=None, ready=None):
    """Writes a JSON line per response that arrives until SIGTERM or SIGINT, or for `seconds`. Returns how many."""
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    reader = PacketReader()
    deadline = None if seconds is None else time.monotonic() + seconds
    count = 0
    with open_socket(interface) as sock:
        sock.settimeout(0.1)
        if ready:
            ready()
        while True:
            over = bool(stopped) or (deadline is not None and time.monotonic() >= deadline)
            if over:
                sock.setblocking(False)  # what has arrived by now still counts
            try:
                frame, ancillary, _, source = sock.recvmsg(MAX_FRAME, 64)
            except BlockingIOError:
                break
            except (socket.timeout, InterruptedError):
                continue
            if source[2] == PACKET_OUTGOING:
                continue
            for server, client, message in reader.read(ip_of_ethernet(frame)):
                entry = {"t_ns": stamp_of(ancillary), "server": server, "client": client, "wire": message.hex()}
                out.write(json.dumps(entry, separators=(",", ":")) + "\n")
                out.flush()
                count += 1
    return count
