"""What a report says about the machine and its NIC, from sysfs and procfs; and whether the host uses the NIC."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import re
import subprocess

PCI = pathlib.Path("/sys/bus/pci/devices")


class Refused(RuntimeError):
    """The command cannot or may not be carried out; the text is for a person."""


def word(path: pathlib.Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def driver_of(port: str) -> str:
    link = PCI / port / "driver"
    return os.path.basename(os.readlink(link)) if link.exists() else ""


def interfaces_of(port: str) -> list[str]:
    """The kernel's interfaces of a NIC. (A virtio device has them one level deeper.)"""
    device = PCI / port
    return sorted(path.name for pattern in ("net/*", "virtio*/net/*") for path in device.glob(pattern))


def ip(*words: str) -> list[dict]:
    done = subprocess.run(["ip", "-json", *words], capture_output=True, text=True)
    return json.loads(done.stdout or "[]") if done.returncode == 0 else []


def use_of(port: str) -> str:
    """What the host uses the NIC for, as in "eth0 has the default route"; empty: nothing."""
    for name in interfaces_of(port):
        for family in ("-4", "-6"):
            if any(route.get("dev") == name for route in ip(family, "route", "show", "default")):
                return f"{name} has the default route"
        for link in ip("address", "show", "dev", name):
            for address in link.get("addr_info", []):
                if address.get("scope") == "global":
                    return f"{name} has an address of this host"
            if "master" in link:
                return f"{name} belongs to {link['master']}"
    return ""


def check_port(port: str, force: bool) -> None:
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", port):
        raise Refused(f"'{port}' is no PCI address such as 0000:03:00.0 (`steerdnsd --ports` lists them)")
    if not (PCI / port).exists():
        raise Refused(f"there is no PCI device {port} (`steerdnsd --ports` lists them)")
    if (use := use_of(port)) and not force:
        raise Refused(f"{port} is in use: {use}. The test takes the NIC from the kernel, so this machine may become "
                      "unreachable. Choose another NIC, or write --force")


def cpu_model() -> str:
    found = re.search(r"^model name\s*: (.*)$", word(pathlib.Path("/proc/cpuinfo")), re.M)
    return found.group(1) if found else platform.machine()


def hugepages() -> dict[str, int]:
    text = word(pathlib.Path("/proc/meminfo"))
    return {name: int(found.group(1)) for name in ("HugePages_Total", "HugePages_Free", "Hugepagesize")
            if (found := re.search(rf"^{name}:\s+(\d+)", text, re.M))}


def machine_facts(port: str) -> dict:
    """No addresses and no names of the machine."""
    device = PCI / port
    return {
        "kernel": platform.release(), "cpu": cpu_model(), "cpus": os.cpu_count(), "hugepages": hugepages(),
        "command_line": [w for w in word(pathlib.Path("/proc/cmdline")).split()
                         if w.split("=")[0] in ("isolcpus", "nohz_full", "rcu_nocbs", "intel_iommu", "amd_iommu", "iommu",
                                                "mitigations", "default_hugepagesz", "hugepagesz", "hugepages")],
        "pci": {"address": port, "id": f"{word(device / 'vendor')[2:]}:{word(device / 'device')[2:]}",
                "revision": word(device / "revision"), "kernel_driver": driver_of(port),
                "numa_node": word(device / "numa_node"), "speed": word(device / "current_link_speed"),
                "width": word(device / "current_link_width"), "largest_speed": word(device / "max_link_speed"),
                "largest_width": word(device / "max_link_width")}}


def interrupts_of(port: str) -> int:
    """How many interrupts of the NIC the kernel has handled, by its names in /proc/interrupts."""
    names = (port, *interfaces_of(port))
    total = 0
    for line in word(pathlib.Path("/proc/interrupts")).splitlines()[1:]:
        if any(re.search(rf"[\[(\s]{re.escape(name)}(\b|[-)\]])", line) for name in names):
            total += sum(int(w) for w in re.match(r"\s*\S+:((?:\s+\d+)*)", line).group(1).split())
    return total
