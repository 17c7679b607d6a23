"""A resolver over TCP that ends connections without an answer. It uses no other module, as it runs in a namespace.

`closing_upstream.py ADDRESS LABEL`
Queries whose first label begins with LABEL end their connection; an empty LABEL is that of each. All others have the address
203.0.113.77. It prints a line for each connection.
"""

import socket
import struct
import sys
import threading


def answer(query):
    end = 12
    while query[end]:
        end += 1 + query[end]
    return (query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + query[12:end + 5] +
            b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x4d")


def read(conn, count):
    got = b""
    while len(got) < count:
        more = conn.recv(count - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def serve(conn, label):
    with conn:
        try:
            while True:
                query = read(conn, struct.unpack("!H", read(conn, 2))[0])
                if query[13:].startswith(label):
                    return
                reply = answer(query)
                conn.sendall(struct.pack("!H", len(reply)) + reply)
        except (EOFError, OSError):
            pass


def main():
    address, label = sys.argv[1:3]
    server = socket.create_server((address, 53), backlog=256)
    print("listens", flush=True)
    while True:
        conn, _ = server.accept()
        print("connection", flush=True)
        threading.Thread(target=serve, args=(conn, label.encode()), daemon=True).start()


main()
