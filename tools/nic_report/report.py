"""The readable part of a report."""

from __future__ import annotations


def end_of(name: str, facts: dict) -> list[str]:
    pci, nic = facts["pci"], facts["nic"]
    width = f"{pci['speed']} x{pci['width']} (of {pci['largest_speed']} x{pci['largest_width']})" if pci["speed"] else "unknown"
    return [f"{name}: {pci['id']} rev {pci['revision']}, DPDK driver {nic['driver']}, kernel driver {pci['kernel_driver']}, "
            f"firmware {nic['firmware']}",
            f"  PCI {pci['address']}, link {width}, NUMA node {pci['numa_node']}",
            f"  wire: {'up' if nic['link_up'] else 'DOWN'}, {nic['link_mbit']} Mbit/s, "
            f"{'full' if nic['full_duplex'] else 'half'} duplex, largest MTU {nic['largest_mtu']}",
            f"  {facts.get('served', nic['offers'])}",
            f"  {facts['cpu']}, {facts['cpus']} CPUs, Linux {facts['kernel']}"]


def spread(counts: list[int]) -> str:
    total = sum(counts)
    return "/".join(f"{100 * n / total:.0f}" for n in counts) + " %" if total else "none"


def step_line(step: dict) -> str:
    peer, lost = step["peer"], step["lost"]
    seconds = step["seconds"]
    return (f"{step['size']:>5} {step['sent'] / seconds:>12,.0f} {sum(peer['received_by_queue']) / seconds:>12,.0f} "
            f"{sum(peer['sent_by_queue']) / seconds:>12,.0f} {step['answered'] / seconds:>12,.0f} "
            f"{lost['answerer_nic']:>10} {lost['on_the_way_there']:>10} {lost['on_the_way_back']:>10} "
            f"{lost['asker_nic']:>10}  {spread(peer['received_by_queue'])}")


def text_of(report: dict) -> str:
    idle = report["idle"]
    lines = ["SteerDNS NIC report", "", *end_of("asker", report["asker"]), *end_of("answerer", report["answerer"]), "",
             f"idle for {idle['seconds']} s: {idle['sleeps']} sleeps of the workers, {idle['naps']} of them naps, "
             f"{idle['interrupts']} interrupts", "",
             "packets a second: sent (asking end), received and sent (answering end), answers received (asking end);",
             "packets lost: by the answering NIC, in all on the way there, in all on the way back, by the asking NIC", "",
             f"{'frame':>5} {'sent':>12} {'received':>12} {'replied':>12} {'answered':>12} {'NIC there':>10} {'way there':>10} "
             f"{'way back':>10} {'NIC here':>10}  by worker"]
    lines += [step_line(step) for step in report["steps"]]
    return "\n".join(lines + ["", f"took {report['took_s']} s", ""])
