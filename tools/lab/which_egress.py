"""A web server at any address that says by which egress a connection comes. Stands alone: it runs in a namespace.

`which_egress.py EGRESSES` serves port 80; EGRESSES is a JSON map of the addresses that connections come from. It answers each request with
the egress's name and a line's end, or with the address itself.
"""

import json
import socket
import sys


def main():
    egresses = json.loads(sys.argv[1])
    listener = socket.create_server(("::", 80), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        connection, peer = listener.accept()
        address = peer[0].removeprefix("::ffff:")
        with connection:
            connection.settimeout(30)
            try:
                connection.recv(4096)  # the request
                connection.sendall(("HTTP/1.0 200 OK\r\n\r\n" + egresses.get(address, address) + "\n").encode())
            except OSError:
                pass  # the client has left


if __name__ == "__main__":
    main()
