"""RouterOS's API: sentences of words over TCP, tagged or not. Stands alone: the stand-in's guest has only this.

Every sentence that is sent and received goes to a recorder, if one is given: `recorder(channel, direction, words)`.
"""

from __future__ import annotations

import itertools
import socket
import time

ENDS = ("!done", "!fatal")


class ApiError(RuntimeError):
    """The connection or the login failed; the text is for a person."""


class Closed(ApiError):
    """The router closed the connection."""


def encode(words: list[str]) -> bytes:
    out = bytearray()
    for word in words:
        data = word.encode("utf-8", "surrogateescape")
        size = len(data)
        if size < 0x80:
            out += bytes([size])
        elif size < 0x4000:
            out += (size | 0x8000).to_bytes(2, "big")
        elif size < 0x200000:
            out += (size | 0xC00000).to_bytes(3, "big")
        elif size < 0x10000000:
            out += (size | 0xE0000000).to_bytes(4, "big")
        else:
            out += b"\xf0" + size.to_bytes(4, "big")
        out += data
    return bytes(out) + b"\0"


class Decoder:
    """Bytes in, whole sentences out."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._words: list[str] = []

    def feed(self, data: bytes) -> list[list[str]]:
        self._bytes += data
        sentences = []
        while (word := self._word()) is not None:
            if word:
                self._words.append(word)
            elif self._words:
                sentences.append(self._words)
                self._words = []
        return sentences

    def _word(self) -> str | None:
        data = self._bytes
        if not data:
            return None
        first = data[0]
        extra = 0 if first < 0x80 else 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        if len(data) < 1 + extra:
            return None
        mask = (0x7F, 0x3F, 0x1F, 0x0F, 0x00)[extra]
        size = int.from_bytes(bytes([first & mask]) + data[1:1 + extra], "big")
        if len(data) < 1 + extra + size:
            return None
        word = bytes(data[1 + extra:1 + extra + size]).decode("utf-8", "surrogateescape")
        del data[:1 + extra + size]
        return word


def attributes(words: list[str]) -> dict[str, str]:
    """`=name=value` and `.tag=value` words."""
    found = {}
    for word in words:
        if word.startswith("="):
            name, _, value = word[1:].partition("=")
            found[name] = value
        elif word.startswith(".tag="):
            found[".tag"] = word[5:]
    return found


class Reply:
    """What came for one sentence. `words` are all replies, in order, without tags."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.traps: list[dict[str, str]] = []
        self.words: list[list[str]] = []
        self.ret: str | None = None
        self.fatal: str | None = None

    def take(self, words: list[str]) -> bool:
        """True: this was the last one."""
        kind, values = words[0], attributes(words)
        values.pop(".tag", None)
        self.words.append([word for word in words if not word.startswith(".tag=")])
        if kind == "!re":
            self.rows.append(values)
        elif kind == "!trap":
            self.traps.append(values)
        elif kind == "!done":
            self.ret = values.get("ret")
        elif kind == "!fatal":
            self.fatal = " ".join(words[1:])
        return kind in ENDS

    @property
    def trap(self) -> str:
        """The first error's text; empty: none."""
        return self.traps[0].get("message", "") if self.traps else ""


class Session:
    """One connection. `ask` waits for the end of its sentence; tagged sentences may run beside it."""

    def __init__(self, host: str, port: int, *, seconds: float = 10, recorder=None, channel: str = "api"):
        self.host, self.port, self.channel = host, port, channel
        self._record = recorder or (lambda *_: None)
        self._tags = itertools.count(1)
        self._decoder = Decoder()
        self._waiting: list[list[str]] = []
        self.seconds = seconds
        try:
            self._socket = socket.create_connection((host, port), timeout=seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise ApiError(f"{host} port {port} does not answer: {error.strerror or error}") from error

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def login(self, user: str, password: str) -> None:
        reply = self.ask("/login", f"=name={user}", f"=password={password}")
        if reply.ret is not None:
            raise ApiError("the router asks for a login by challenge: RouterOS before 6.43 is not supported")
        if reply.traps or reply.fatal:
            raise ApiError(f"login as {user} refused: {reply.trap or reply.fatal}")

    def send(self, *words: str, tag: str | None = None) -> None:
        sentence = [*words, *([f".tag={tag}"] if tag else [])]
        self._record(self.channel, ">", sentence)
        try:
            self._socket.sendall(encode(sentence))
        except OSError as error:
            raise Closed(f"{self.host} closed the connection: {error.strerror or error}") from error

    def receive(self, seconds: float | None = None) -> list[str] | None:
        """The next sentence of the router; None: there was none in that time."""
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        while not self._waiting:
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed(f"{self.host} closed the connection: {error.strerror or error}") from error
            if not data:
                raise Closed(f"{self.host} closed the connection")
            self._waiting += self._decoder.feed(data)
        words = self._waiting.pop(0)
        self._record(self.channel, "<", words)
        return words

    def ask(self, *words: str, seconds: float | None = None) -> Reply:
        """Replies of other tags are kept back for receive()."""
        tag = f"s{next(self._tags)}"
        self.send(*words, tag=tag)
        reply, others = Reply(), []
        while True:
            sentence = self.receive(seconds)
            if sentence is None:
                raise ApiError(f"{self.host} did not answer {words[0]} within {seconds or self.seconds:g} s")
            if sentence[0] != "!fatal" and attributes(sentence).get(".tag") != tag:
                others.append(sentence)
            elif reply.take(sentence):
                self._waiting = others + self._waiting
                return reply

    def rows(self, menu: str, *words: str) -> list[dict[str, str]]:
        reply = self.ask(menu + "/print", *words)
        if reply.traps:
            raise ApiError(f"{menu} cannot be read: {reply.trap}")
        return reply.rows

    def command(self, command: str, **values: str) -> str | None:
        """`=ret=` of it; raises if it is refused. `_id` stands for `.id`, other names have - for _."""
        named = {".id" if name == "_id" else name.replace("_", "-"): value for name, value in values.items()}
        reply = self.ask(command, *[f"={name}={value}" for name, value in named.items()])
        if reply.traps:
            raise ApiError(f"{command} refused: {reply.trap}")
        return reply.ret
