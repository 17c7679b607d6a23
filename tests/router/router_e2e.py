"""tools/test router, at an address: the stand-in for a router on the loopback interface, honest or with one fact changed.

    router_e2e.py BUILD
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import questions  # noqa: E402
from recording import HIDDEN, Recording  # noqa: E402
from relay import seconds_of  # noqa: E402
from stand_in import LISTS, PICTURE, StandIn  # noqa: E402

ROSSIM = BUILD / "tools/rossim/rossim"
PASSWORD = "a-secret-of-the-test"
FOLDER = None
# What a router says otherwise → the facts that the report names, and the paths of the command tree.
CHANGED = {
    "listen-expiry": ({"listen-expiry"}, set()),
    "timeout-rounding": ({"timeout-rounding"}, set()),
    "static-timeout": ({"static-timeout"}, set()),
    "zero-timeout": ({"zero-timeout"}, set()),
    "missing-id": ({"set-missing-id", "remove-missing-id"}, set()),
    "tag-last": ({"tag-place"}, set()),
    "schema": (set(), {"/ip/firewall/address-list/add"}),
}


def setUpModule():
    global FOLDER
    FOLDER = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="steerdns-router-test-")))


class Place:
    """A stand-in and a run of the test against it."""

    serial = 0

    def __init__(self, stack: contextlib.ExitStack, *, lies=(), version="7.21.5", options=()):
        Place.serial += 1
        self.report = FOLDER / f"report-{Place.serial}"
        self.router = stack.enter_context(StandIn(ROSSIM, FOLDER, version=version, password=PASSWORD, lies=lies, options=options))
        self.router.ask("/ip/address/add", "=address=127.0.0.1/8", "=interface=ether1")
        self.router.ask("/ip/firewall/filter/add", "=chain=forward", "=action=fasttrack-connection", "=comment=theirs")
        self.router.ask("/ip/firewall/address-list/add", "=list=theirs", "=address=203.0.113.200")

    def picture(self):
        rows = {menu: self.router.ask(menu + "/print").rows for menu in (*PICTURE, *LISTS.values(), "/user", "/user/group", "/ip/service")}
        return {menu: sorted(({n: v for n, v in row.items() if n not in (".id", "creation-time") and v} for row in found
                              if "connection" not in row), key=str) for menu, found in rows.items()}

    def start(self, *options, password=PASSWORD):
        environment = {name: value for name, value in os.environ.items() if name != "ROUTER_PASSWORD"}
        if password is not None:
            environment["ROUTER_PASSWORD"] = password
        environment["TMPDIR"] = str(FOLDER)
        return subprocess.Popen(command(f"127.0.0.1:{self.router.port}", "--report", self.report, *options), env=environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=FOLDER)

    def run(self, *options, **more):
        process = self.start("--yes", *options, **more)
        out, errors = process.communicate(timeout=240)
        return process.returncode, out, errors

    def reported(self):
        return json.loads((self.report / "report.json").read_text())


def command(*words):
    return list(map(str, ["/usr/bin/python3", HERE / "run.py", "--build", BUILD, *words]))


def finished(*words, **environment):
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd=FOLDER,
                          env={**{n: v for n, v in os.environ.items() if n != "ROUTER_PASSWORD"}, **environment})


class Whole(unittest.TestCase):
    def test_a_router_that_is_as_we_assume_has_no_difference_and_is_as_before(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack)
            before = place.picture()
            code, out, errors = place.run()
            self.assertEqual((code, errors), (0, ""), out)
            self.assertEqual(place.picture(), before)
            reported = place.reported()
            self.assertEqual({s["name"]: s["outcome"] for s in reported["stages"] if s["outcome"] != "done"}, {"doctor --probe": "not done"})
            self.assertEqual([s["name"] for s in reported["stages"] if s["name"].startswith("fault: ")],
                             ["fault: " + name for name in ("rows deleted", "foreign rows", "clock moved", "API off and on", "reboot")])
            self.assertEqual([f for f in reported["facts"] if f["verdict"] == "differs"], [])
            asked = {f["id"] for f in reported["facts"]}
            self.assertLessEqual({question.id for question in questions.QUESTIONS} | {"listen-expiry", "reboot-static-row"}, asked)
            for fact in reported["facts"]:
                self.assertTrue(fact["why"] if fact["verdict"] in ("not asked", "no assumption") else fact["said"] == fact["assumed"], fact)
            self.assertEqual(reported["command_tree"]["differences"], [])
            self.assertGreater(reported["command_tree"]["compared"], 100)
            transcript = (place.report / "transcript.txt").read_text()
            for file in place.report.iterdir():
                self.assertFalse(PASSWORD in file.read_text(), file)
            for sentence in ("product-1 > /login =name=steerdns-test =password=" + HIDDEN, "questions > /ip/firewall/address-list/add"):
                self.assertTrue(sentence in transcript, sentence)
            markdown = (place.report / "report.md").read_text()
            self.assertIn("None of those that were asked.", markdown)
            self.assertIn("the API", markdown)

    def test_the_report_names_exactly_the_fact_that_is_otherwise(self):
        def play(case):
            lie, version = case
            with contextlib.ExitStack() as stack:
                place = Place(stack, lies=(lie,) if lie else (), version=version)
                before = place.picture()
                return case, *place.run(), place.reported(), place.picture() == before

        cases = [*((lie, "7.21.5") for lie in CHANGED), ("", "7.9.2"), ("", "7.24")]
        with ThreadPoolExecutor(3) as pool:
            for (lie, version), code, out, errors, reported, same in pool.map(play, cases):
                with self.subTest(lie, version=version):
                    facts, paths = CHANGED.get(lie, (set(), set()))
                    self.assertEqual(code, 1 if lie else 0, out + errors)
                    self.assertEqual({f["id"] for f in reported["facts"] if f["verdict"] == "differs"}, facts,
                                     [f for f in reported["facts"] if f["verdict"] == "differs" or f["id"] in facts])
                    self.assertEqual({d["path"] for d in reported["command_tree"]["differences"]}, paths)
                    self.assertEqual([s for s in reported["stages"] if s["outcome"] == "failed"], [])
                    self.assertTrue(same, "the router is as before")
                    for fact in facts:
                        self.assertIn(f"differs: {fact}: ", out)
        print(f"  {len(CHANGED)} changed facts", file=sys.stderr)

    def test_a_row_that_the_router_loses_is_found(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack, lies=("lost-row",))
            code, out, _ = place.run()
            self.assertEqual(code, 1)
            self.assertIn("failed: claims: rows differ: steerdns_test_v4 198.19.0.7 is not there", out)
            self.assertEqual([s["name"] for s in place.reported()["stages"] if s["outcome"] == "failed"], ["claims"])

    def test_what_the_undo_leaves_is_named(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack, lies=("undo",))
            code, out, _ = place.run()
            self.assertEqual(code, 1)
            self.assertRegex(out, r"left on the router: /routing/table: left: .*steerdns-steerdns_test")
            self.assertEqual([s["name"] for s in place.reported()["stages"] if s["outcome"] == "failed"], ["undo"])

    def test_a_version_that_is_not_in_the_schema_is_said(self):
        for version in ("7.30", "7.9.1"):
            with self.subTest(version), contextlib.ExitStack() as stack:
                place = Place(stack, version=version)
                process = place.start("--yes")
                first = next(line for line in process.stdout if line.startswith("RouterOS "))
                process.send_signal(signal.SIGINT)
                out, errors = process.communicate(timeout=120)
                self.assertIn(f"schema.json does not have this version: {'7.24' if version == '7.30' else '7.9.2'} stands for it", first, out + errors)

    def test_an_interrupted_probe_leaves_no_row(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack, lies=("late-row",))
            before = place.picture()
            process = place.start("--yes")
            for line in process.stdout:
                if line.strip() == "claims ...":
                    break
            self.assertTrue(place.router.late.wait(60), "the probe writes a row")
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=120)
            self.assertEqual(place.picture(), before, out + errors)

    def test_an_interrupted_run_takes_everything_back(self):
        def play(case):
            stage, number = case
            with contextlib.ExitStack() as stack:
                place = Place(stack)
                before = place.picture()
                process = place.start("--yes")
                for line in process.stdout:
                    if line.strip() == stage:
                        break
                process.send_signal(number)
                out, errors = process.communicate(timeout=120)
                return stage, process.returncode, out, errors, place.picture() == before, (place.report / "report.md").read_text()

        cases = (("questions ...", signal.SIGINT), *(("claims ...", signal.SIGTERM),) * 4, ("fault: API off and on ...", signal.SIGINT),
                 ("fault: clock moved ...", signal.SIGINT))
        with ThreadPoolExecutor(len(cases)) as pool:
            for stage, code, out, errors, same, markdown in pool.map(play, cases):
                with self.subTest(stage):
                    self.assertEqual(code, 1, out + errors)
                    self.assertIn("stopped: interrupted; what it had changed was taken back", out, errors)
                    self.assertNotIn("Traceback", errors)
                    self.assertTrue(same, "the router is as before")
                    self.assertIn("interrupted", markdown)
        self.assertEqual(list(FOLDER.glob("steerdns-router-*")), [], "no folder stays")
        words = [file.read_bytes() for file in pathlib.Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
        self.assertEqual([one for one in words if str(FOLDER).encode() in one and b"steerdnsd" in one], [], "no daemon stays")


class BadInput(unittest.TestCase):
    def refused(self, words, code, *sentences, **environment):
        done = finished(*words, **environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for sentence in sentences:
            self.assertIn(sentence, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual([name for name in FOLDER.glob("router-report-*")], [])

    def test_nothing_answers_at_the_address(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.refused([f"127.0.0.1:{port}", "--yes"], 1, f"127.0.0.1 port {port} does not answer: Connection refused",
                     "nothing was changed on the router", ROUTER_PASSWORD="x")

    def test_what_answers_is_no_router(self):
        with contextlib.ExitStack() as stack:
            router = stack.enter_context(StandIn(ROSSIM, FOLDER, lies=("not-routeros",)))
            self.refused([f"127.0.0.1:{router.port}", "--yes"], 1, "127.0.0.1", "nothing was changed", ROUTER_PASSWORD="x")

    def test_the_password_is_wrong_or_missing(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack)
            here = f"127.0.0.1:{place.router.port}"
            self.refused([here, "--yes"], 1, "login as admin refused: invalid user name or password (6)", ROUTER_PASSWORD="wrong")
            self.refused([here, "--yes"], 2, "no password: use --password-file FILE or the environment variable ROUTER_PASSWORD")
            self.refused([here, "--yes", "--password-file", FOLDER / "none"], 2, "cannot be read: No such file or directory")
            self.refused([here], 2, "add --yes", ROUTER_PASSWORD=PASSWORD)
            self.refused([here, "--password", "x"], 2, "unrecognized arguments")

    def test_rights_are_missing(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack, options=("--user", "little:little-password:read,write,api"))
            before = place.picture()
            self.refused([f"127.0.0.1:{place.router.port}", "--user", "little", "--yes"], 1,
                         "the user little does not have the policies policy,reboot,test,sensitive: use a user of the group full",
                         ROUTER_PASSWORD="little-password")
            self.assertEqual(place.picture(), before)

    def test_routeros_6_is_refused(self):
        with contextlib.ExitStack() as stack:
            place = Place(stack, version="6.49.10")
            self.refused([f"127.0.0.1:{place.router.port}", "--yes"], 1, "the router runs RouterOS 6.49.10: this test is for RouterOS 7",
                         ROUTER_PASSWORD=PASSWORD)

    def test_a_file_that_is_not_a_disk(self):
        for name, content, sentence in (("text.img", b"hello\n", "it has no boot sector"), ("chr.img.zip", b"PK\x03\x04rest", "a zip archive: unpack it first"),
                                        ("empty.img", b"", "it has no boot sector")):
            with self.subTest(name):
                (FOLDER / name).write_bytes(content)
                self.refused([FOLDER / name], 2, f"{name} is not a disk image", sentence)
        self.refused(["no-such-file.img"], 2, "there is no file no-such-file.img, and it is not an address")
        self.refused([FOLDER], 2, "cannot be read: Is a directory")

    def test_programs_are_missing(self):
        self.refused(["127.0.0.1", "--yes", "--build", FOLDER], 2, "is not there: run tools/build", ROUTER_PASSWORD="x")


class Parts(unittest.TestCase):
    def test_secrets_are_removed_wherever_they_stand(self):
        recording = Recording(quiet=True)
        recording.hide("hidden-word")
        recording.sentence("x", ">", ["/user/set", "=password=abc", "=comment=has hidden-word in it", "?serial-number=HC123"])
        recording.sentence("x", "<", ["!re", "=serial-number=HC123", "=software-id=ABCD-1234", "=ret=password=\"two words\" next=1"])
        recording.console("<", "software id: ABCD-1234\r\npass")
        recording.console("<", "word=hidden-")
        recording.console("<", "word\r\n")
        text = recording.transcript()
        for secret in ("abc", "hidden-word", "HC123", "ABCD-1234", "two words"):
            self.assertNotIn(secret, text)
        self.assertEqual(text.count(HIDDEN), 8, text)

    def test_public_addresses_are_removed_on_request(self):
        recording = Recording(quiet=True, hide_addresses=True)
        recording.sentence("x", "<", ["!re", "=address=93.184.216.34/24", "=gateway=2a02:26f0::1%ether1", "=near=192.168.88.1", "=uptime=1:02:03"])
        text = recording.transcript()
        self.assertIn(f"=address={HIDDEN}/24 =gateway={HIDDEN}%ether1 =near=192.168.88.1 =uptime=1:02:03", text)

    def test_times_are_read_in_each_form(self):
        for text, seconds in (("1d2h3m4s", 93784), ("59s", 59), ("00:01:40", 100), ("1d00:00:01", 86401), ("90", 90), ("", None),
                              ("35w3d13h13m56s", 21474836 - 0), ("1s500ms", 1)):
            with self.subTest(text):
                self.assertEqual(seconds_of(text), seconds)

    def test_each_question_has_a_name_of_its_own(self):
        names = [question.id for question in questions.QUESTIONS]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({question.sure for question in questions.QUESTIONS}, {"open", "low", "medium", "high"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
