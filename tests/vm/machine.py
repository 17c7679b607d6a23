"""A virtual machine by software emulation (no KVM): Debian's kernel, the host's own files as its root, read-only, and
NICs that end in a namespace of the test. Its commands are given by a serial port, as by ssh.

Boots in about ten seconds. `/run` and `/tmp` of the guest are empty and its own; `/run/build` is the build folder.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import sys
import time

from lab.network import LabError, Network, Process

from guest_kernel import GuestKernel, Lacking, debian, end_of_test
from initramfs import Archive

HERE = pathlib.Path(__file__).resolve().parent
QEMU = "qemu-system-x86_64"
VIRTIO = "virtio-net-pci"
ALWAYS = ["virtio_pci", "9pnet_virtio", "9p", "crc32c_generic", "virtio_net", "virtio_console", "tun", "veth", "dummy",
          "vrf", "8021q", "vhost_net"]
DRIVERS = {"uio_pci_generic": ["uio_pci_generic"], "vfio-pci": ["vfio_iommu_type1", "vfio_pci"]}


def prepared(build: pathlib.Path) -> GuestKernel:
    """The kernel; ends the test with a sentence where no machine can be run."""
    try:
        for tool, package in ((QEMU, "qemu-system-x86"), ("busybox", "busybox-static")):
            if not shutil.which(tool):
                raise Lacking(f"{tool} is not here: apt-get install {package}")
        if os.geteuid() != 0:
            raise Lacking("the machines' network is made of taps in namespaces, which needs root")
        if not (build / "vm/steerdnsd").exists():
            raise Lacking(f"there is no steerdnsd for the emulated CPU in {build}/vm: `tools/test vm` makes it")
        return debian(build / "guest-kernel")
    except Lacking as reason:
        sys.exit(end_of_test(reason))


class Tap:
    """A NIC whose other end is a kernel interface in a namespace, with as many queues."""

    def __init__(self, network: Network, space: str, device: str, mac: str, slot: int, queues: int = 1,
                 options: str = "", model: str = VIRTIO):
        self.device, self.mac, self.slot, self.queues, self.options = device, mac, slot, queues, options
        self.model = model
        network.run(space, "ip", "tuntap", "add", "dev", device, "mode", "tap", "vnet_hdr",
                    *(["multi_queue"] if queues > 1 else []))
        network.run(space, "ip", "link", "set", device, "up")

    def words(self) -> list[str]:
        many = f",mq=on,vectors={2 * self.queues + 2}" if self.queues > 1 else ""
        queues = f",queues={self.queues}" if self.queues > 1 else ""
        return ["-netdev", f"tap,id=n{self.slot},ifname={self.device},script=no,downscript=no,vhost=off{queues}",
                *device_words(self, many)]


def device_words(nic, more: str = "") -> list[str]:
    """The device of a NIC; `more`: options of virtio."""
    own = f",disable-legacy=on{more}" if nic.model == VIRTIO else ""
    return ["-device", f"{nic.model},netdev=n{nic.slot},mac={nic.mac},addr={nic.slot:#x}{own}{nic.options}"]


def datagram_words(nic, guests: str, ours: str) -> list[str]:
    """A NIC each of whose frames is a datagram."""
    return ["-netdev", f"dgram,id=n{nic.slot},local.type=unix,local.path={guests},remote.type=unix,remote.path={ours}",
            *device_words(nic)]


class Wire:
    """A NIC whose other end is this process: `send` and `receive` are whole Ethernet frames, tags included."""

    def __init__(self, network: Network, mac: str, slot: int, options: str = "", model: str = VIRTIO):
        self.mac, self.slot, self.options, self.model = mac, slot, options, model
        self._ours, self._guests = (str(network.folder / f"wire-{slot}-{end}") for end in ("host", "guest"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._ours)

    def words(self) -> list[str]:
        return datagram_words(self, self._guests, self._ours)

    def send(self, frame: bytes) -> None:
        self._socket.sendto(frame, self._guests)

    def receive(self, wanted, seconds: float = 3):
        """The first true result of `wanted(frame)`; None after `seconds`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                made = wanted(self._socket.recv(65536))
            except socket.timeout:
                return None
            if made:
                return made
        return None

    def close(self) -> None:
        self._socket.close()


class VlanTap:
    """A NIC whose other end is a kernel interface in a namespace that sees one VLAN of it, and not its tags."""

    def __init__(self, network: Network, space: str, device: str, vlan: int, mac: str, slot: int, options: str = ""):
        self.device, self.mac, self.slot, self.options, self.model = device, mac, slot, options, VIRTIO
        self._ours, self._guests = (str(network.folder / f"wire-{slot}-{end}") for end in ("host", "guest"))
        network.start(space, f"vlan-{vlan}", "/usr/bin/python3", str(HERE / "vlan_relay.py"), device, str(vlan),
                      self._ours, self._guests).wait_for("ready")
        network.run(space, "ip", "link", "set", device, "up")

    def words(self) -> list[str]:
        return datagram_words(self, self._guests, self._ours)


class Machine:
    """Boots at once; `run` is good when it is made. Ends with its network."""

    def __init__(self, network: Network, space: str, kernel: GuestKernel, build: pathlib.Path, nics: list, *,
                 bind: tuple[str, list] | None = None, iommu: bool = False, memory: int = 1024,
                 modules: tuple[str, ...] = (), cpus: int = 2, append: tuple[str, ...] = (), words: tuple[str, ...] = (),
                 name: str = "machine"):
        """`bind`: a driver of DPDK's and the NICs that it gets. `iommu`: an emulated one, for vfio. `modules`: of the kernel, beside
        those of each machine. `append`, `words`: further ones of the kernel's command line, and of qemu's. `name`: its own, if the
        network has several."""
        driver, bound = bind or ("", [])
        append = ["console=ttyS0", "nokaslr", "mitigations=off", "loglevel=4", "panic=-1", *append]
        if bind:
            append += ["steer.pages=160", f"steer.bind={driver}:" + ",".join(f"0000:00:{n.slot:02x}.0" for n in bound)]
        hardware = []
        if iommu:
            append.append("intel_iommu=on")
            hardware = ["-machine", "q35", "-device", "intel-iommu,caching-mode=on"]
        initrd = network.folder / f"{name}-initrd"
        initramfs(kernel, initrd, ALWAYS + DRIVERS.get(driver, []) + list(modules))
        agent, self._monitor = network.folder / f"{name}-agent.sock", str(network.folder / f"{name}-monitor.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(agent))
        listener.listen()
        started = time.monotonic()
        self.process: Process = network.start(
            space, name, QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(cpus), "-m", str(memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", *hardware, *words,
            "-kernel", str(kernel.image), "-initrd", str(initrd), "-append", " ".join(append),
            *share("host", "/", 0x10), *share("build", str(build), 0x11),
            "-device", "virtio-serial-pci,addr=0x12", "-chardev", f"socket,id=agent,path={agent}",
            "-device", "virtserialport,chardev=agent,name=agent", "-qmp", f"unix:{self._monitor},server=on,wait=off", *[word for nic in nics for word in nic.words()])
        with listener:
            listener.settimeout(10)
            self._agent, _ = listener.accept()
        self._received = b""
        self._text(90)  # "ready"
        print(f"  the machine is up after {time.monotonic() - started:.1f} s", flush=True)

    def run(self, command: str, seconds: float = 30, check: bool = True) -> str:
        """What bash in the guest prints for it; stays in /, and the next one is a shell of its own."""
        self._agent.sendall(command.encode() + b"\0")
        output, code = self._text(seconds), int(self._text(seconds))
        if check and code != 0:
            raise LabError(f"in the guest: {command} failed ({code}): {output.strip()}")
        return output

    def write(self, path: str, text: str) -> None:
        self.run(f"cat > {path} <<'end of the file'\n{text}\nend of the file")

    def set_link(self, nic, up: bool) -> None:
        """Pulls the cable of a NIC, or puts it back."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as monitor, monitor.makefile("rw") as lines:
            monitor.settimeout(10)
            monitor.connect(self._monitor)
            for command in ({"execute": "qmp_capabilities"},
                            {"execute": "set_link", "arguments": {"name": f"n{nic.slot}", "up": up}}):
                lines.write(json.dumps(command) + "\n")
                lines.flush()
                while not {"return", "error"} & (answer := json.loads(lines.readline())).keys():
                    pass  # a greeting or an event
                if "error" in answer:
                    raise LabError(f"{QEMU}: {command} failed: {answer['error']}")

    def device(self, nic) -> str:
        """The guest's name of a NIC that its kernel has."""
        return self.run(f"cd /sys/class/net; grep -l '^{nic.mac}$' */address").split("/")[0]

    def _text(self, seconds: float) -> str:
        """Up to the next NUL."""
        end = time.monotonic() + seconds
        while b"\0" not in self._received:
            self._agent.settimeout(max(0.01, end - time.monotonic()))
            try:
                more = self._agent.recv(65536)
            except socket.timeout:
                raise LabError(f"the guest did not answer within {seconds} s:\n{self._story()}") from None
            if not more:
                raise LabError(f"the guest is gone:\n{self._story()}")
            self._received += more
        text, self._received = self._received.split(b"\0", 1)
        return text.decode(errors="replace")

    def _story(self) -> str:
        return (self._received.decode(errors="replace") + self.process.text())[-3000:]


def share(tag: str, path: str, slot: int) -> list[str]:
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,readonly=on,multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag},addr={slot:#x}"]


def initramfs(kernel: GuestKernel, path: pathlib.Path, modules: list[str]) -> None:
    archive = Archive()
    for folder in ("bin", "modules", "proc", "sys", "dev", "host"):
        archive.folder(folder)
    busybox = shutil.which("busybox")
    archive.file("bin/busybox", pathlib.Path(busybox).read_bytes())
    for applet in ("sh", "mount", "mkdir", "insmod", "cat", "cp", "cut", "sed", "tr", "ip", "chroot", "poweroff"):
        archive.link(f"bin/{applet}", "busybox")
    files = kernel.modules(modules)
    for file in files:
        archive.file(f"modules/{file.name}", file.read_bytes(), 0o644)
    archive.file("modules/order", "\n".join(file.name for file in files).encode(), 0o644)
    archive.file("init", (HERE / "init.sh").read_bytes())
    archive.file("agent.sh", (HERE / "agent.sh").read_bytes())
    archive.write(path)
