"""A resolver whose answers have the size that the name asks for, over UDP and TCP. It uses no other module, as it runs in a namespace.

`sized_upstream.py ADDRESS[@PORT]…`
  LENGTH.size.example       a message of exactly LENGTH bytes (TXT), OPT not counted
  NUMBER.host.example       A 198.51.100.(NUMBER mod 250 + 1), AAAA 2001:db8:100::(the same)
What does not fit over UDP is cut, and marked so.
"""

import socket
import struct
import sys
import threading

A, TXT, AAAA = 1, 16, 28


def address(number, kind):
    last = number % 250 + 1
    return bytes([198, 51, 100, last]) if kind == A else bytes.fromhex("20010db80100") + bytes(9) + bytes([last])


def records(labels, kind, room):
    """The records of the answer section, for a message with `room` bytes left."""
    if not labels[0].isdigit():  # a probe
        return []
    number = int(labels[0])
    if labels[1] == b"host":
        return [b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, 4 if kind == A else 16) + address(number, kind)]
    made, left = [], number - room
    while left:
        size = left if left <= 30000 else min(30000, left - 100)
        text, at = b"", size - 12
        while at:
            n = min(255, at - 1)
            text += bytes([n]) + b"x" * n
            at -= n + 1
        made.append(b"\xc0\x0c" + struct.pack("!HHIH", TXT, 1, 300, len(text)) + text)
        left -= size
    return made


def answer(query, most):
    """The response to `query`, of at most `most` bytes."""
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1:end + 1 + query[end]].lower())
        end += 1 + query[end]
    kind = struct.unpack_from("!H", query, end + 1)[0]
    question = query[12:end + 5]
    made = records(labels, kind, 12 + len(question))
    body = b"".join(made)
    flags = 0x8180
    if 12 + len(question) + len(body) > most:
        made, body, flags = [], b"", flags | 0x200
    return query[:2] + struct.pack("!5H", flags, 1, len(made), 0, 0) + question + body


def over_udp(sock):
    while True:
        query, who = sock.recvfrom(4096)
        edns = struct.unpack_from("!H", query, 10)[0]  # ours are the only ones to ask, and their OPT is the last
        offered = struct.unpack_from("!H", query, query.rindex(b"\0\0\x29") + 3)[0] if edns else 512
        sock.sendto(answer(query, max(512, offered)), who)


def exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def one_connection(connection):
    try:
        while True:
            message = answer(exactly(connection, struct.unpack("!H", exactly(connection, 2))[0]), 65535)
            connection.sendall(struct.pack("!H", len(message)) + message)
    except (EOFError, OSError):
        connection.close()


def over_tcp(listener):
    while True:
        threading.Thread(target=one_connection, args=(listener.accept()[0],), daemon=True).start()


def main():
    threads = []
    for word in sys.argv[1:]:
        where, _, port = word.partition("@")
        family = socket.AF_INET6 if ":" in where else socket.AF_INET
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.bind((where, int(port or 53)))
        tcp = socket.create_server((where, int(port or 53)), family=family)
        for serve, sock in ((over_udp, udp), (over_tcp, tcp)):
            threads.append(threading.Thread(target=serve, args=(sock,), daemon=True))
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    threads[0].join()


if __name__ == "__main__":
    main()
