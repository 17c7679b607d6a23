"""The router under test: its administrator's session, its terminal, its version."""

from __future__ import annotations

import re
import time

from api import ApiError, Session
from console import Console
from outcome import Failed
from recording import Recording


def version_of(text: str) -> str:
    """"7.21.5" of "7.21.5 (stable)"."""
    found = re.match(r"\d+(\.\d+){1,2}", text)
    return found[0] if found else ""


class Router:
    """The router under test: sessions of its administrator, and a terminal if it has one here."""

    def __init__(self, host: str, port: int, user: str, password: str, recording: Recording, console: Console | None = None,
                 our_address: str | None = None):
        self.host, self.port, self.user, self.password, self.recording, self.console = host, port, user, password, recording, console
        self._our_address = our_address
        self.version = self.board = ""
        self.interface = "ether1"
        self._session: Session | None = None

    def open(self, channel: str = "admin") -> Session:
        return Session(self.host, self.port, recorder=self.recording.sentence, channel=channel)

    def login(self, session: Session) -> None:
        session.login(self.user, self.password)

    @property
    def session(self) -> Session:
        if self._session is None:
            session = self.open()
            self.login(session)
            self._session = session
        return self._session

    def lose(self) -> None:
        """The next command opens a new session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def again(self, seconds: float) -> Session:
        """A session after the router was away."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.session.rows("/system/resource")
                return self.session
            except ApiError as error:
                self.lose()
                if time.monotonic() > end:
                    raise Failed(f"the router did not come back within {seconds:g} s: {error}") from error
                time.sleep(0.3)

    @property
    def our_address(self) -> str:
        """As the router sees this machine."""
        return self._our_address or self.session._socket.getsockname()[0]

    def resource(self) -> dict[str, str]:
        return self.session.rows("/system/resource")[0]

    def run_block(self, block: str) -> str:
        """As a user pastes it into a terminal; without a terminal, as a script."""
        if self.console is not None:
            return self.console.paste(block)
        reply = self.session.ask("/execute", f"=script={block}", "=as-string=", seconds=120)
        if reply.traps:
            raise Failed(f"/execute refused the commands: {reply.trap}")
        return reply.ret or ""
