"""The lab's network removes what it made, also when its test is ended from outside."""

import os
import signal
import subprocess
import sys
import unittest

from lab.network import STATE_FOLDERS, LabError, Network, until

sys.argv.pop(1)  # the build, which this test does not need
SCRIPT = """
import sys, time
from lab.network import Network
with Network("ended") as net:
    for name in ("one", "two"):
        net.namespace(name)
    sleeper = net.start("one", "sleeper", "sleep", "1000")
    print(net.prefix, net.folder, sleeper.pid, flush=True)
    time.sleep(1000)
"""


def spaces(prefix):
    done = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.split() if line.startswith(prefix)]


class Ended(unittest.TestCase):
    def test_a_killed_test_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGKILL):  # meson sends the second half a second after the first
            with self.subTest(number.name), subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as child:
                prefix, folder, sleeper = child.stdout.readline().split()
                self.assertEqual(len(spaces(prefix)), 2)
                child.send_signal(number)
                self.assertEqual(child.wait(60), -number)
                until(lambda: spaces(prefix) == [] and not os.path.exists(folder), 30, "namespaces and files are gone")
                until(lambda: not os.path.exists(f"/proc/{sleeper}"), 30, "its process is gone")


class Reports(unittest.TestCase):
    def test_a_report_that_ended_a_process_unnoticed_is_an_error(self):
        net = Network("reports")
        with self.assertRaisesRegex(LabError, "^racy:\nWARNING: ThreadSanitizer: data race.*\nSUMMARY: of it\n$"), net:
            net.namespace("one")
            for name, text in (("calm", "no report"), ("racy", "before it\nWARNING: ThreadSanitizer: data race (pid=7)\nSUMMARY: of it")):
                net.start("one", name, "sh", "-c", f"echo '{text}'; exit 66").child.wait()
        self.assertEqual(spaces(net.prefix), [])
        self.assertFalse(os.path.exists(net.folder))


class State(unittest.TestCase):
    def test_each_namespace_has_state_folders_of_its_own(self):
        with Network("state") as net, Network("state") as other:
            for network, space in ((net, "one"), (net, "two"), (other, "one")):
                network.namespace(space)
            for folder in STATE_FOLDERS:
                net.run("one", "touch", f"{folder}/kept")
                self.assertEqual(net.run("one", "ls", folder).stdout, "kept\n", "for the next command, too")
                for network, space in ((net, "two"), (other, "one")):
                    self.assertEqual(network.run(space, "ls", folder).stdout, "")
                self.assertFalse(os.path.exists(f"{folder}/kept"), "not on this machine")
            self.assertEqual(net.run("one", "sh", "-c", "exit 7", check=False).returncode, 7)


if __name__ == "__main__":
    unittest.main()
