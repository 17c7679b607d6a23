"""Asks names at a steady rate over UDP and follows each query. It uses no other module, as it runs in a namespace.

`steady_load.py RATE TIMEOUT_S SERVER...` asks until SIGTERM. Ten times a second it prints a JSON line about the queries that
are judged since the line before: {"until": T, "sent": n, "lost": [T...], "failed": [T...]}. Times are of CLOCK_MONOTONIC, when
the query was sent; all queries sent before `until` are judged. Lost: no answer within the timeout. Failed: an answer that is
not NOERROR with a record.

Each query has a socket in turn, SOCKETS for each server: so routers that spread by ports spread the queries.
"""

import json
import select
import signal
import socket
import struct
import sys
import time

SOCKETS, NAMES = 48, 100


class Load:
    def __init__(self, rate, timeout, servers):
        self.pause, self.timeout = 1 / rate, timeout
        self.sockets = []
        self.poll = select.epoll()
        for i in range(SOCKETS):
            for server in servers:
                one = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                one.setblocking(False)
                self.poll.register(one, select.EPOLLIN)
                self.sockets.append((one, (server, 53)))
        self.by_fd = {one.fileno(): one for one, _ in self.sockets}
        self.waiting = {}  # by descriptor and id, in the order of sending: the time
        self.next_number = 0
        self.sent, self.lost, self.failed = 0, [], []

    def send(self, now):
        number = self.next_number
        self.next_number += 1
        one, server = self.sockets[number % len(self.sockets)]
        ident = number // len(self.sockets) & 0xFFFF
        label = b"w%d" % (number % NAMES)
        question = struct.pack("!6HB", ident, 0x0100, 1, 0, 0, 0, len(label)) + label + b"\5other\7example\0\0\1\0\1"
        self.waiting[one.fileno(), ident] = now
        try:
            one.sendto(question, server)
        except OSError:
            pass  # no route: it is lost

    def receive(self, seconds):
        for descriptor, _ in self.poll.poll(max(seconds, 0)):
            one = self.by_fd[descriptor]
            while True:
                try:
                    message = one.recv(2048)
                except OSError:
                    break
                if len(message) < 12:
                    continue
                ident, flags, _, answers = struct.unpack_from("!4H", message)
                sent = self.waiting.pop((descriptor, ident), None)
                if sent is None:
                    continue
                self.sent += 1
                if flags & 15 or not answers:
                    self.failed.append(sent)

    def judge(self, now):
        """What came is read by then. Returns until when all are judged."""
        for key, sent in list(self.waiting.items()):
            if sent > now - self.timeout:
                return min(sent, now)
            del self.waiting[key]
            self.sent += 1
            self.lost.append(sent)
        return now

    def run(self):
        due = time.monotonic()
        reported_at = due
        while True:
            now = time.monotonic()
            due = max(due, now - 0.02)  # a stall is not made good by a burst
            while due <= now:
                self.send(now)
                due += self.pause
            self.receive(due - time.monotonic())
            if now - reported_at < 0.1:
                continue
            reported_at = now
            self.receive(0)
            until = self.judge(now)
            print(json.dumps({"until": until, "sent": self.sent, "lost": self.lost, "failed": self.failed}), flush=True)
            self.sent, self.lost, self.failed = 0, [], []


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Load(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]).run()


if __name__ == "__main__":
    main()
