"""Network namespaces of a test, and the programs in them. Root only; all are removed at the end, or when the test dies."""
import ctypes
import os
import queue
import signal
import subprocess
import threading
import time

_setns = ctypes.CDLL(None, use_errno=True).setns


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """A network namespace with lo up. `with namespace:` puts the calling thread into it."""

    def __init__(self, name):
        self.name = f"steer-{name}-{os.getpid()}"
        sh("ip", "netns", "add", self.name)
        for which in ("all", "default"):  # addresses are good at once
            self.run("sysctl", "-qw", f"net.ipv6.conf.{which}.accept_dad=0")
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words, check=True):
        return sh("ip", "netns", "exec", self.name, *words, check=check)

    def __enter__(self):
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._go(os.open(f"/run/netns/{self.name}", os.O_RDONLY))
        return self

    def __exit__(self, *_):
        self._go(self._home)

    @staticmethod
    def _go(fd):
        failed = _setns(fd, 0x40000000)  # CLONE_NEWNET
        os.close(fd)
        if failed:
            raise OSError(ctypes.get_errno(), "setns")

    def close(self):
        sh("ip", "netns", "del", self.name, check=False)


def veth(a, a_name, b, b_name, queues=1):
    """A pair of interfaces, up, without checksum offload at `b`. `queues` of `a`'s receiving."""
    sh("ip", "link", "add", a_name, "netns", a.name, "numrxqueues", str(queues), "numtxqueues", str(queues),
       "type", "veth", "peer", "name", b_name, "netns", b.name, "numrxqueues", str(queues), "numtxqueues", str(queues))
    b.run("ethtool", "-K", b_name, "tx", "off")
    for namespace, name in ((a, a_name), (b, b_name)):
        namespace.run("ip", "link", "set", name, "up")


class Program:
    """A program in a namespace that reads commands and writes answers, a line each."""

    def __init__(self, namespace, *words):
        self.process = subprocess.Popen(["ip", "netns", "exec", namespace.name, *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

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
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
