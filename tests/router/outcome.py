"""How a stage ends, other than well; and what may not be interrupted."""

import contextlib
import signal


class Refused(RuntimeError):
    """The test cannot go on with this router; the text is for a person."""


class Failed(RuntimeError):
    """A stage showed that something is wrong; the text is for the report."""


class Skipped(RuntimeError):
    """A stage was left out; the reason."""


@contextlib.contextmanager
def undisturbed():
    """^C waits for the end of the block: a process or a thread that is being started would have no owner."""
    waiting = []
    previous = {number: signal.signal(number, lambda *_: waiting.append(1)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if waiting:
        raise KeyboardInterrupt
