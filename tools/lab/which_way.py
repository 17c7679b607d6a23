"""A web server at any address that says from which way a connection comes. Stands alone: it runs in a namespace.

`which_way.py WAYS` serves port 80; WAYS is a JSON map of the addresses that connections come from. It answers each request with
the way's name and a line's end, or with the address itself.
"""

import json
import socket
import sys


def main():
    ways = json.loads(sys.argv[1])
    listener = socket.create_server(("::", 80), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        connection, peer = listener.accept()
        address = peer[0].removeprefix("::ffff:")
        with connection:
            connection.settimeout(30)
            try:
                connection.recv(4096)  # the request
                connection.sendall(("HTTP/1.0 200 OK\r\n\r\n" + ways.get(address, address) + "\n").encode())
            except OSError:
                pass  # the client has left


if __name__ == "__main__":
    main()
