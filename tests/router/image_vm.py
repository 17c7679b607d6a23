"""tools/test router, with a disk image: a machine that boots from its own disk and plays RouterOS's serial dialogue, rossim in it.

    image_vm.py BUILD
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import stand_in_disk  # noqa: E402
from guest_kernel import Lacking, end_of_test  # noqa: E402
from image import QEMU  # noqa: E402

PROGRAMS = BUILD / "vm" if (BUILD / "vm").exists() else BUILD


def setUpModule():
    global FOLDER
    FOLDER = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="steerdns-image-")))


def make(name, **options):
    image = FOLDER / name
    try:
        if not shutil.which(QEMU):
            raise Lacking(f"{QEMU} is not here: apt-get install qemu-system-x86")
        stand_in_disk.make(PROGRAMS, image, BUILD / "guest-kernel", **options)
    except Lacking as reason:
        code = end_of_test(reason)
        sys.stdout.flush()
        os._exit(code)
    return image, hashlib.sha256(image.read_bytes()).hexdigest()


def qcow2(raw, target):
    """The same disk in this format: version 2, clusters of 64 KiB, all of them allocated."""
    content, bits = raw.read_bytes(), 16
    size = 1 << bits
    count = -(-len(content) // size)
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, bits, len(content), 0, 1, 3 * size, size, 1, 0, 0)
    tables = (head, struct.pack(">Q", 2 * size), struct.pack(f">{count + 5}H", *[1] * (count + 5)), struct.pack(">Q", 4 * size | 1 << 63),
              struct.pack(f">{count}Q", *[(5 + number) * size | 1 << 63 for number in range(count)]))
    target.write_bytes(b"".join(table.ljust(size, b"\0") for table in tables) + content)


def vdi(raw, target):
    """The same disk in this format: static, blocks of 1 MiB."""
    content, block = raw.read_bytes(), 1 << 20
    count = -(-len(content) // block)
    head = b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + struct.pack("<IIIII", 0xBEDA107F, 0x10001, 0x190, 2, 0)
    head = head.ljust(0x154, b"\0") + struct.pack("<IIIIIIIQIIII", 0x200, block, 0, 0, 0, 512, 0, len(content), block, 0, count, count)
    head += bytes(range(1, 17)) * 2  # ids of the image and of its last snapshot
    target.write_bytes((head.ljust(0x200, b"\0") + struct.pack(f"<{count}I", *range(count))).ljust(block, b"\0") + content)


def start(image, *options):
    return subprocess.Popen(["/usr/bin/python3", str(HERE / "run.py"), str(image), "--build", str(BUILD), "--report", str(FOLDER / "report"),
                             *options], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=FOLDER)


def machines():
    """Processes of QEMU that have an image of this test."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if QEMU.encode() in words and str(FOLDER).encode() in words:
            found.append(folder.name)
    return found


class Images(unittest.TestCase):
    def test_a_fresh_image_is_set_up_judged_and_undone_and_never_written(self):
        """With one fact otherwise: the report names it, and nothing else."""
        image, before = make("router.img", version="7.16.2", lies=("listen-expiry",))
        process = start(image)
        out, errors = process.communicate(timeout=420)
        self.assertEqual((process.returncode, errors), (1, ""), out)
        reported = json.loads((FOLDER / "report/report.json").read_text())
        self.assertEqual([f["id"] for f in reported["facts"] if f["verdict"] == "differs"], ["listen-expiry"])
        self.assertEqual(reported["command_tree"]["differences"], [])
        self.assertEqual(reported["left_on_the_router"], [])
        outcomes = {stage["name"]: stage for stage in reported["stages"]}
        self.assertEqual({name for name, stage in outcomes.items() if stage["outcome"] != "done"}, {"doctor --probe"}, out)
        self.assertIn("pasted on the serial console", outcomes["set-up"]["text"])
        self.assertIn("so is /export", outcomes["undo"]["text"])
        self.assertIn("fault: reboot", outcomes)
        self.assertEqual(reported["router"], {"version": "7.16.2", "board": "rossim"})
        transcript = (FOLDER / "report/transcript.txt").read_text()
        for line in ("Do you want to see the software license? [Y/n]:", "repeat new password>", "Password changed", "{... "):
            self.assertTrue(line in transcript, line)
        self.assertEqual(hashlib.sha256(image.read_bytes()).hexdigest(), before, "the image is as before")
        self.assertEqual(machines(), [])
        for stage in reported["stages"]:
            print(f"  {stage['name']}: {stage['outcome']} in {stage['seconds']} s")

        # Interrupted behind the set-up: the undo is pasted, and no machine stays.
        qcow2(image, FOLDER / "router.qcow2")
        process = start(FOLDER / "router.qcow2")
        for line in process.stdout:
            if line.startswith("doctor: done"):
                break
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=120)
        self.assertEqual((process.returncode, errors), (1, ""), out)
        self.assertIn("stopped: interrupted; what it had changed was taken back", out)
        reported = json.loads((FOLDER / "report/report.json").read_text())
        self.assertIn("so is /export", reported["stages"][-1]["text"])
        self.assertEqual(machines(), [])

        # A password that the image does not have.
        vdi(image, FOLDER / "router.vdi")
        (FOLDER / "password").write_text("no such password\n")
        process = start(FOLDER / "router.vdi", "--password-file", str(FOLDER / "password"))
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("admin cannot log in on the console", errors)
        self.assertEqual(machines(), [])

        # Interrupted at the boot: there is nothing to undo.
        process = start(image)
        for line in process.stdout:
            if "boots by" in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("interrupted before anything was changed", errors)
        self.assertEqual(machines(), [])

    def test_a_disk_that_does_not_boot_is_said(self):
        image = FOLDER / "blank.img"
        image.write_bytes(bytes(510) + b"\x55\xaa" + bytes(1 << 20))
        process = start(image, "--boot", "5")
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("no login prompt on the serial console within 5 s: is it a disk of RouterOS (CHR)?", errors)
        self.assertEqual(machines(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
