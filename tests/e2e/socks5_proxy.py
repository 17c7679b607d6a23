"""A SOCKS5 proxy with a relay for datagrams (RFC 1928), which microsocks has not. Uses no other module: it runs in a namespace.

`socks5_proxy.py ADDRESS PORT [--no-relay|--silent-relay] [--refuse ADDRESS]...`
  --no-relay        UDP ASSOCIATE is refused: command not supported
  --silent-relay    datagrams to the relay are lost
  --refuse ADDRESS  connections and datagrams to it are refused

Prints a line for each request and datagram: "associate", "connect ADDRESS", "datagram ADDRESS", "refused ADDRESS".
"""

import argparse
import ipaddress
import select
import socket
import struct
import threading

CONNECT, ASSOCIATE = 1, 3
REFUSED_BY_RULES, NO_SUCH_COMMAND = 2, 7


def exactly(sock, n):
    out = b""
    while len(out) < n:
        part = sock.recv(n - len(out))
        if not part:
            raise ConnectionError
        out += part
    return out


def target(kind, read):
    """An address and a port, as a request and a datagram have them."""
    if kind == 3:
        host = read(read(1)[0]).decode()
    else:
        host = str(ipaddress.ip_address(read(4 if kind == 1 else 16)))
    return host, struct.unpack("!H", read(2))[0]


def wire(address):
    host, port = address[:2]
    packed = ipaddress.ip_address(host).packed
    return bytes([1 if len(packed) == 4 else 4]) + packed + struct.pack("!H", port)


class Proxy:
    def __init__(self, options):
        self.options = options

    def says(self, *words):
        print(*words, flush=True)

    def serve(self, client):
        try:
            _, methods = exactly(client, 2)
            exactly(client, methods)
            client.sendall(b"\5\0")
            _, command, _, kind = exactly(client, 4)
            to = target(kind, lambda n: exactly(client, n))
            if command == CONNECT:
                self.connect(client, to)
            elif command == ASSOCIATE and not self.options.no_relay:
                self.relay(client)
            else:
                self.refuse(client, NO_SUCH_COMMAND)
        except OSError:
            pass
        finally:
            client.close()

    def refuse(self, client, code):
        client.sendall(bytes([5, code, 0]) + wire(("0.0.0.0", 0)))

    def connect(self, client, to):
        if to[0] in self.options.refuse:
            self.says("refused", to[0])
            return self.refuse(client, REFUSED_BY_RULES)
        self.says("connect", to[0])
        with socket.create_connection(to) as server:
            client.sendall(b"\5\0\0" + wire(server.getsockname()))
            pairs = {client: server, server: client}
            while True:
                for ready in select.select(list(pairs), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return None
                    pairs[ready].sendall(data)

    def relay(self, client):
        self.says("associate")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            near.bind((client.getsockname()[0], 0))
            client.sendall(b"\5\0\0" + wire(near.getsockname()))
            asker = None
            while True:
                for ready in select.select([client, near, far], [], [])[0]:
                    if ready is client:
                        if not client.recv(1):
                            return
                    elif ready is near:
                        data, asker = near.recvfrom(65535)
                        self.pass_on(data, far)
                    else:
                        data, sender = far.recvfrom(65535)
                        near.sendto(b"\0\0\0" + wire(sender) + data, asker)

    def pass_on(self, data, far):
        at = 4

        def read(n):
            nonlocal at
            at += n
            return data[at - n:at]

        to = target(data[3], read)
        if to[0] in self.options.refuse or self.options.silent_relay:
            return self.says("refused", to[0])
        self.says("datagram", to[0])
        far.sendto(data[at:], to)
        return None


def main():
    words = argparse.ArgumentParser()
    words.add_argument("address")
    words.add_argument("port", type=int)
    words.add_argument("--no-relay", action="store_true")
    words.add_argument("--silent-relay", action="store_true")
    words.add_argument("--refuse", action="append", default=[])
    options = words.parse_args()
    proxy = Proxy(options)
    with socket.create_server((options.address, options.port)) as listener:
        print("proxy listens", flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=proxy.serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
