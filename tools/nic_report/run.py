"""tools/nic-report: measures a real NIC between two machines; its file is for the authors.

One machine answers, the other asks:

    tools/nic-report answer --port 0000:03:00.0
    tools/nic-report ask --port 0000:03:00.0 --peer ADDRESS

--peer is the answering machine's address by any other way, such as the management network (TCP port 5399). --port is a NIC
that no one needs now, bound to vfio-pci or uio_pci_generic (mlx5 stays with its own driver), with the other machine's NIC at
the other end of its wire. Both need root and hugepages. `ask` takes at most ten minutes and writes one file to send.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from nic_report.answerer import answer
from nic_report.asker import ask
from nic_report.facts import Refused, check_port, driver_of

SHARED_DRIVERS = ("mlx5_core", "mlx4_core")
DPDK_DRIVERS = ("vfio-pci", "uio_pci_generic", "igb_uio")


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/nic-report", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    ends = parser.add_subparsers(dest="end", required=True)
    for name, text in (("answer", "serve DNS on the NIC until the other end has measured"),
                       ("ask", "send queries by the NIC, count, and write the report")):
        end = ends.add_parser(name, help=text)
        end.add_argument("--port", required=True, help="PCI address of the NIC, as in 0000:03:00.0")
        end.add_argument("--force", action="store_true", help="take it although the host uses it")
        end.add_argument("--tcp", type=int, default=5399, help="TCP port between the two (5399)")
    ends.choices["answer"].add_argument("--workers", type=int, default=max(1, min(8, (os.cpu_count() or 2) - 1)),
                                        help="workers, each with a queue if the NIC has RSS")
    ends.choices["answer"].add_argument("--listen", default="", help="address for the other end's connection (all)")
    asker = ends.choices["ask"]
    asker.add_argument("--peer", required=True, help="address of the answering machine, not by the NIC")
    asker.add_argument("--queues", type=int, default=4, help="queues to send by, at most")
    asker.add_argument("--seconds", type=float, default=10, help="length of a step (10)")
    asker.add_argument("--sizes", default="64,128,256,512", help="frame sizes with FCS (64,128,256,512)")
    asker.add_argument("--file", default="nic-report.txt", help="the report (nic-report.txt)")
    return parser.parse_args(words)


def check(options: argparse.Namespace) -> None:
    check_port(options.port, options.force)
    driver = driver_of(options.port)
    if driver not in DPDK_DRIVERS + SHARED_DRIVERS:
        raise Refused(f"{options.port} is bound to {driver or 'no driver'}: `modprobe vfio-pci`, then `dpdk-devbind.py "
                      f"--bind=vfio-pci {options.port}`")
    if os.geteuid() != 0:
        raise Refused("a NIC under DPDK needs root")


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    options = arguments(sys.argv[2:])
    try:
        check(options)
        answer(build, options) if options.end == "answer" else ask(build, options)
    except Refused as reason:
        print(f"tools/nic-report: {reason}", file=sys.stderr)
        return 2
    except OSError as failed:
        print(f"tools/nic-report: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
