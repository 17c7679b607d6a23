"""Asks for names one by one and connects to each address as soon as the answer is there. Stands alone: it runs in a namespace.

`first_connection.py SERVER4 SERVER6` reads "NAME TYPE" lines from standard input; A is asked over IPv4, AAAA over IPv6. It prints
a JSON line per name, in order: {"name", "way", "ms"}. `way`: what the web server at port 80 says; null: no answer or no
connection. `ms`: from the answer to the established connection.
"""

import json
import socket
import struct
import sys
import time

from ask import decode, encode

TIMEOUT_S = 30


def first_connection(resolver, ident, name, kind):
    result = {"name": name, "way": None, "ms": None}
    resolver.send(encode(ident, name, kind))
    try:
        message = resolver.recv(4096)
        while struct.unpack_from("!H", message)[0] != ident:
            message = resolver.recv(4096)
        answered = time.perf_counter()
        _, addresses, _ = decode(message)
        if not addresses:
            return result
        with socket.socket(socket.AF_INET if kind == "A" else socket.AF_INET6) as web:
            web.settimeout(TIMEOUT_S)
            web.connect((addresses[0][0], 80))
            result["ms"] = round(1000 * (time.perf_counter() - answered), 3)
            web.sendall(b"GET / HTTP/1.0\r\n\r\n")
            result["way"] = web.makefile("rb").read().partition(b"\r\n\r\n")[2].decode().strip() or None
    except OSError:
        pass
    return result


def main():
    resolvers = {}
    for kind, family, server in (("A", socket.AF_INET, sys.argv[1]), ("AAAA", socket.AF_INET6, sys.argv[2])):
        resolvers[kind] = socket.socket(family, socket.SOCK_DGRAM)
        resolvers[kind].settimeout(TIMEOUT_S)
        resolvers[kind].connect((server, 53))
    for ident, line in enumerate(sys.stdin):
        name, kind = line.split()
        print(json.dumps(first_connection(resolvers[kind], ident & 0xFFFF, name, kind)))


if __name__ == "__main__":
    main()
