"""A Debian machine with nothing on it: a debootstrap root (minbase) under systemd-nspawn, in a namespace of the lab."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import subprocess

from lab.network import LabError, Process, run, until

DISK = "1500M"


def mirrors() -> list[tuple[str, str]]:
    """(address, suite) of Debian as this machine's apt has it; the release itself first."""
    words = ("$(ORIGIN)", "$(REPO_URI)", "$(SUITE)", "$(CODENAME)", "$(COMPONENT)")
    listed = run("apt-get", "indextargets", "--format", "|".join(words), "Created-By: Packages").stdout
    codename = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M)[1]
    found = []
    for line in listed.splitlines():
        origin, address, _, suite, component = line.split("|")
        if origin == "Debian" and component == "main" and (address, suite) not in found:
            found.append((address, suite))
    found.sort(key=lambda mirror: mirror[1] != codename)
    if not found or found[0][1] != codename:
        raise LabError(f"apt's sources have no Debian {codename}; the clean root is made from them")
    return found


def clean_root(folder: pathlib.Path) -> pathlib.Path:
    """Makes it once; `folder` keeps it."""
    root = folder / "root"
    if (root / "etc/steerdns-test-root").exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    release, *others = mirrors()
    run("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,ca-certificates", release[1], str(root), release[0])
    (root / "etc/apt/sources.list").write_text("".join(f"deb {address} {suite} main\n" for address, suite in [release, *others]))
    (root / "etc/steerdns-test-root").touch()
    return root


class Machine:
    """Boots in `space` of a scene's network; a context manager. Its disk is removed with it."""

    def __init__(self, scene, space: str, base: pathlib.Path, archives: pathlib.Path):
        self.scene = scene
        self.space = space
        self.folder = scene.folder / "machine"
        self.root = self.folder / "root"
        self.base = base
        self.archives = archives
        self.init = 0
        self.container: Process | None = None

    def __enter__(self) -> Machine:
        self.disk = self.folder / "disk"
        for path in (self.root, self.disk):
            path.mkdir(parents=True)
        self.archives.mkdir(parents=True, exist_ok=True)
        try:
            run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "steerdns-test", str(self.disk))
            for name in ("upper", "work"):
                (self.disk / name).mkdir()
            run("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir={self.base},upperdir={self.disk}/upper,workdir={self.disk}/work", str(self.root))
            (self.root / "etc/hostname").write_text("clean\n")
            (self.root / "etc/resolv.conf").write_text("nameserver 1.1.1.1\n")
            # What apt's downloads need, which use this machine's network.
            shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf.outside")
            for deb in self.archives.glob("*.deb"):
                shutil.copy(deb, self.root / "var/cache/apt/archives")
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self.container is not None:
            self.container.stop()
        for path in (self.root, self.disk):
            run("umount", "--lazy", str(path), check=False)

    def boot(self) -> None:
        argv = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--resolv-conf=off", "--timezone=off",
                "--link-journal=no", "--capability=all", "--system-call-filter=bpf perf_event_open", f"--network-namespace-path={self.scene.network.path(self.space)}",
                "--machine=clean", "-D", str(self.root)]
        self.container = Process("nspawn", argv, self.scene.folder / "nspawn.log")
        self.scene.network.processes.append(self.container)
        children = pathlib.Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")

        def started() -> int:
            if not self.container.running():
                raise LabError(f"the machine did not start: {self.container.text()[-1000:]}")
            # (A child that makes the namespaces comes before it.)
            for pid in children.read_text().split():
                with contextlib.suppress(OSError):
                    if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() in ("systemd", "init"):
                        return int(pid)
            return 0

        self.init = until(started, 20, "the container's first process")
        try:
            until(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), 60, "systemd is up")
        except LabError as error:
            state = self.run("systemctl", "is-system-running", check=False)
            raise LabError(f"{error}: {state.stdout}{state.stderr}{self.run('systemctl', 'list-jobs', check=False).stdout}") from None

    def argv(self, *argv: str, outside: bool = False) -> list[str]:
        """`outside`: with the network of this machine, as apt needs it."""
        if not outside:
            return ["nsenter", "--target", str(self.init), "--all", *argv]
        script = 'mount --bind /etc/resolv.conf.outside /etc/resolv.conf && exec "$@"'
        return ["nsenter", "--target", str(self.init), "--mount", "--uts", "--ipc", "--pid", "unshare", "--mount", "sh", "-c", script, "sh", *argv]

    def run(self, *argv: str, check: bool = True, outside: bool = False, **options) -> subprocess.CompletedProcess:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        return run(*self.argv(*argv, outside=outside), check=check, env=environment, **options)

    def take(self, deb: pathlib.Path) -> str:
        """Copies a file to the machine; its path there."""
        shutil.copy(deb, self.root / "root")
        return f"/root/{deb.name}"

    def apt_install(self, deb: pathlib.Path, *options: str) -> subprocess.CompletedProcess:
        return self.run("apt-get", "install", "-y", "-q", *options, self.take(deb), outside=True)

    def keep_archives(self) -> None:
        """Keeps the packages that apt downloaded, for the next time."""
        for deb in (self.root / "var/cache/apt/archives").glob("*.deb"):
            with contextlib.suppress(OSError):
                shutil.copy(deb, self.archives)

    def fill_disk(self, left_mib: int) -> pathlib.Path:
        """Fills the disk except for so much space; remove the returned file to free it."""
        filler = self.root / "var/tmp/filler"
        free = os.statvfs(self.disk)
        size = free.f_bavail * free.f_frsize - left_mib * 2**20
        run("fallocate", "-l", str(size), str(filler))
        return filler
