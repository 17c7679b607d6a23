"""A program in a namespace that is spoken to."""

import queue
import signal
import subprocess
import threading
import time

from lab.network import Network


class Program:
    """A program in a namespace that reads commands and writes answers, a line each."""

    def __init__(self, network: Network, space: str, *words):
        self.process = subprocess.Popen(network.argv(space, *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.strip())
        self._lines.put(None)

    def say(self, line):
        self.process.stdin.write(line + "\n")

    def until(self, wanted, seconds=15):
        """The lines up to and including the first for which wanted(line) holds."""
        seen = []
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited {seconds} s; got {seen}") from None
            if line is None:
                raise AssertionError(f"it ended; got {seen}")
            seen.append(line)
            if wanted(line):
                return seen

    def until_word(self, word, seconds=15):
        return self.until(lambda line: line.split(" ", 1)[0] == word, seconds)

    def ask(self, line):
        """Sends a command and returns the lines up to its end."""
        self.say(line)
        return self.until(lambda got: got == f"done {line.split()[0]}")[:-1]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """Ends it and expects exit code 0."""
        self.say("quit")
        return self.process.wait(timeout=15)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
