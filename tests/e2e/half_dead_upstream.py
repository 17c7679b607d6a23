"""A resolver that answers NXDOMAIN to everything but names below one domain, which it never answers. Uses no other module of the
tests, as it runs in a namespace.

`half_dead_upstream.py ADDRESS [DOMAIN]`: `dead` without a domain
"""

import socket
import struct
import sys

def main():
    labels = (sys.argv[2] if len(sys.argv) > 2 else "dead").split(".")
    dead = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((sys.argv[1], 53))
    print("listening", flush=True)
    while True:
        query, who = sock.recvfrom(4096)
        end = 12
        while query[end]:
            end += 1 + query[end]
        if not query[12:end + 1].lower().endswith(dead):
            sock.sendto(query[:2] + struct.pack("!5H", 0x8183, 1, 0, 0, 0) + query[12:end + 5], who)


main()
