#!/usr/bin/env python3
"""Tries SteerDNS with a router, and asks that router what we do not know of RouterOS. See docs/guides/real-router.md.

    tools/test router ADDRESS[:PORT]     a spare router, by its API
    tools/test router IMAGE              a disk image of RouterOS (CHR; raw, qcow2, vdi or vmdk), booted here in QEMU

The router gets an API user, a routing table, rules, addresses and rows, is rebooted once, and its clock is moved. At the end all of
this is taken back and compared. An image is never written. A report is written into a folder of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import getpass
import ipaddress
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import report  # noqa: E402
from api import ApiError  # noqa: E402
from console import Console, ConsoleError  # noqa: E402
from image import GATEWAY, GUEST, Image, ImageError, format_of  # noqa: E402
from outcome import Failed, Refused  # noqa: E402
from recording import Recording  # noqa: E402
from router import Router  # noqa: E402
from stages import Run  # noqa: E402

WARNING = """\
This test changes the router at {where}. Use a spare router, without traffic that matters.
It adds an API user, a routing table, firewall rules, addresses and address lists, marks FastTrack rules, deletes rows of its own
lists, turns the API off for 8 seconds, moves the clock by an hour and back, and reboots the router once. At the end it takes all of
this back and compares the configuration with that of before. Keep a backup anyway: /system backup save
"""


class Wrong(Exception):
    """The command line cannot be carried out."""


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/test router", description=__doc__.split("\n")[0], epilog=__doc__.split("\n\n", 1)[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("router", metavar="ADDRESS|IMAGE", help="an address of a router, with the API's port if it is not 8728; or a file")
    parser.add_argument("--user", default="admin", help="a user of the group full (admin)")
    parser.add_argument("--password-file", type=pathlib.Path, metavar="FILE",
                        help="its password; else it is asked for, or taken from the environment variable ROUTER_PASSWORD. "
                        "For an image: the password that admin has in it (a fresh image has none)")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.add_argument("--report", type=pathlib.Path, metavar="FOLDER", help="where the report goes (router-report-DATE-TIME)")
    parser.add_argument("--hide-addresses", action="store_true", help="remove public addresses from the report and the transcript")
    parser.add_argument("--memory", type=int, default=512, metavar="MIB", help="of the machine that runs an image (512)")
    parser.add_argument("--boot", type=float, default=300, metavar="SECONDS", help="how long an image may take to its login prompt (300)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the folder with the programs (build)")
    return parser.parse_args(words)


def target(text: str) -> tuple[str, int] | pathlib.Path:
    """An address and port, or a file."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^\[\]/:]+))(?::(\d+))?|([0-9a-fA-F:]+:[0-9a-fA-F:]*)", text)
    host = found and (found[1] or found[2] or found[4])
    if pathlib.Path(text).exists():
        return pathlib.Path(text)
    if host:
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            return host, int(found[3] or 8728)
    raise Wrong(f"there is no file {text}, and it is not an address: give ADDRESS, ADDRESS:PORT, or a disk image")


def read_password(given: argparse.Namespace, needed: bool) -> str | None:
    if given.password_file is not None:
        try:
            return given.password_file.read_text().rstrip("\n")
        except OSError as error:
            raise Wrong(f"--password-file {given.password_file} cannot be read: {error.strerror}") from error
    if (text := os.environ.get("ROUTER_PASSWORD")) is not None:
        return text
    if not needed:
        return None
    if not sys.stdin.isatty():
        raise Wrong("no password: use --password-file FILE or the environment variable ROUTER_PASSWORD, or run it at a terminal")
    return getpass.getpass(f"password of {given.user} on the router: ")


def confirm(given: argparse.Namespace, where: str) -> bool:
    print(WARNING.format(where=where), flush=True)
    if given.yes:
        return True
    if not sys.stdin.isatty():
        raise Wrong("it asks before it begins, and there is no terminal to ask at: add --yes")
    return input("Begin? [y/N] ").strip().lower() in ("y", "yes")


def product(build: pathlib.Path) -> str:
    for program in ("steerdnsd", "tools/steerctl/steerctl", "tools/rossim/rossim"):
        if not (build / program).exists():
            raise Wrong(f"{build / program} is not there: run tools/build")
    return subprocess.run([build / "steerdnsd", "--version"], capture_output=True, text=True).stdout.strip().splitlines()[0]


@contextlib.contextmanager
def booted(given: argparse.Namespace, file: pathlib.Path, folder: pathlib.Path, recording: Recording):
    """The router of an image, at its prompt, with an address."""
    known = read_password(given, needed=False)
    with Image(file, folder / "qemu.log", given.memory) as machine:
        how = "KVM" if machine.kvm else "software emulation, which is slow"
        recording.note(f"{file} ({machine.format}) boots by {how}; it is not written")
        console = Console(machine, recording)
        password = known or "Test-" + secrets.token_hex(8)
        recording.hide(password)
        try:
            console.first_login(password, given.boot, known)
            output = console.paste(f"/ip address add address={GUEST}/24 interface=ether1 comment=\"steerdns router test\"")
            console.paste("/ip service set api disabled=no")
        except ConsoleError as error:
            failure = machine.failure()
            raise Refused(f"{error}{'; QEMU says: ' + failure if failure else ''}") from error
        if "failure" in output or "input does not match" in output:
            raise Refused(f"the address {GUEST} cannot be set on ether1: {output.strip()[-200:]}")
        recording.note("logged in on the serial console; the API is reached by a forwarded port")
        yield Router("127.0.0.1", machine.port, "admin", password, recording, console, GATEWAY)


@contextlib.contextmanager
def addressed(given: argparse.Namespace, host: str, port: int, recording: Recording):
    password = read_password(given, needed=True)
    recording.hide(password)
    yield Router(host, port, given.user, password, recording)


def test(given: argparse.Namespace, recording: Recording, folder: pathlib.Path) -> int:
    version = product(given.build)
    where = target(given.router)
    is_image = isinstance(where, pathlib.Path)
    if is_image:
        format_of(where)
    elif not confirm(given, given.router):
        print("nothing was done")
        return 1
    place = given.report or pathlib.Path("router-report-" + datetime.datetime.now().strftime("%Y%m%d-%H%M%S"))
    stopped = ""
    with (booted(given, where, folder, recording) if is_image else addressed(given, *where, recording)) as router:
        run = Run(router, given.build, folder, recording)
        try:
            if is_image:
                router.again(60)
            recording.note(run.check())
        except (ApiError, Failed) as error:
            raise Refused(str(error)) from error
        try:
            run.run()
        except KeyboardInterrupt:
            stopped = "interrupted; what it had changed was taken back" if not run.left else "interrupted"
    made = report.contents(run, recording, "a disk image in QEMU" if is_image else "by its API", version, stopped)
    log = recording.clean(run.appliance.text()) if run.appliance is not None else ""
    report.write(place, made, recording.transcript(), log)
    return summary(made, place)


def summary(made: dict, place: pathlib.Path) -> int:
    if made["stopped"]:
        print("stopped: " + made["stopped"])
    for stage in made["stages"]:
        if stage["outcome"] == "failed":
            print(f"failed: {stage['name']}: {stage['text']}")
    for fact in report.wrong(made):
        print(f"differs: {fact['id']}: {fact['text']}: we assume {fact['assumed']!r}, the router says {fact['said']!r}")
    for difference in made["command_tree"].get("differences", []):
        print(f"differs: {difference['path']}: the router {difference['router']}; schema.json {difference['schema']}")
    for text in made["left_on_the_router"]:
        print(f"left on the router: {text}")
    asked = [fact for fact in made["facts"] if fact["verdict"] in ("agrees", "differs")]
    print(f"{len(asked)} facts compared, {len(report.wrong(made))} differ; report: {place}/report.md")
    return 0 if report.is_good(made) else 1


def main(words: list[str]) -> int:
    given = arguments(words)
    recording = Recording(hide_addresses=given.hide_addresses)

    def end(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        with tempfile.TemporaryDirectory(prefix="steerdns-router-") as folder:
            return test(given, recording, pathlib.Path(folder))
    except (Wrong, ImageError) as error:
        recording.warn(str(error))
        return 2
    except Refused as error:
        recording.warn(f"{error}; nothing was changed on the router")
        return 1
    except KeyboardInterrupt:
        recording.warn("interrupted before anything was changed")
        return 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that read may be awake yet, and then Python's own end may crash
