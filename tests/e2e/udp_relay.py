"""A relay of UDP datagrams that loses, delays, reorders, duplicates and cuts them, and gives clients new ports as a NAT does."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
import selectors
import socket
import threading
import time

from lab.network import Network

IP_AND_UDP = 28  # bytes of both headers


@dataclasses.dataclass
class Weather:
    """What happens to datagrams, in both directions. Chances are from 0 to 1."""

    loss: float = 0
    duplicate: float = 0
    reorder: float = 0  # to come late by up to late_s
    late_s: float = 0.03
    delay_s: float = 0
    mtu: int = 1500  # longer packets are lost


@dataclasses.dataclass
class Fate:
    """Numbers of datagrams."""

    passed: int = 0
    lost: int = 0
    duplicated: int = 0
    late: int = 0
    too_long: int = 0


class Relay:
    """A context manager. Clients send to `listen` in the namespace `space`; the server sees an address of that namespace."""

    def __init__(self, network: Network, space: str, listen: tuple[str, int], server: tuple[str, int], weather: Weather, seed: int = 1):
        self.network = network
        self.space = space
        self.server = server
        self.weather = weather
        self.fate = Fate()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._front = self._socket(None)
        self._front.bind(listen)
        self._outer: dict[tuple[str, int], socket.socket] = {}  # by client
        self._waiting: list = []  # (time, serial, socket, bytes, address)
        self._serial = itertools.count()
        self._is_ended = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._is_ended = True
        self._thread.join()
        for one in (self._front, *self._outer.values()):
            one.close()
        self._selector.close()

    def rebind(self) -> None:
        """All clients get new ports towards the server. Datagrams to the old ones are lost."""
        with self._lock:
            for client, old in list(self._outer.items()):
                self._selector.unregister(old)
                old.close()
                self._outer[client] = self._socket(client)

    def _socket(self, client: tuple[str, int] | None) -> socket.socket:
        made = self.network.socket(self.space, socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._selector.register(made, selectors.EVENT_READ, client)
        return made

    def _run(self) -> None:
        while not self._is_ended:
            with self._lock:
                wait = 0.05
                if self._waiting:
                    wait = max(0.0, min(wait, self._waiting[0][0] - time.monotonic()))
                ready = self._selector.select(wait)
                for key, _ in ready:
                    self._read(key.fileobj, key.data)
                self._send_due()

    def _read(self, source: socket.socket, client: tuple[str, int] | None) -> None:
        for _ in range(64):
            try:
                data, sender = source.recvfrom(65_536)
            except OSError:  # there are no more; or the other end is closed
                return
            if client is not None:
                self._pass(self._front, data, client)
                continue
            if sender not in self._outer:
                self._outer[sender] = self._socket(sender)
            self._pass(self._outer[sender], data, self.server)

    def _pass(self, by: socket.socket, data: bytes, to: tuple[str, int]) -> None:
        weather, chance = self.weather, self._random.random
        if len(data) + IP_AND_UDP > weather.mtu:
            self.fate.too_long += 1
            return
        if chance() < weather.loss:
            self.fate.lost += 1
            return
        copies = 2 if chance() < weather.duplicate else 1
        self.fate.duplicated += copies - 1
        for _ in range(copies):
            delay = weather.delay_s
            if chance() < weather.reorder:
                delay += chance() * weather.late_s
                self.fate.late += 1
            heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._serial), by, data, to))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, by, data, to = heapq.heappop(self._waiting)
            try:
                by.sendto(data, to)
                self.fate.passed += 1
            except OSError:  # of a port that was closed
                self.fate.lost += 1
